"""An OpenBao as in production: TLS by an authority of its own, its data on disk, sealed at each start. Only the standard library."""

import json
import secrets
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Authority:
    """A certificate authority in a folder; `certificate` is its own."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.certificate = folder / f"{name}.pem"
        self._openssl("req", "-x509", "-subj", f"/CN={name}", *self._new_key(name), "-out", self.certificate)

    def issue(self, name, subject):
        """A certificate and its key for this subject alternative name."""
        request, certificate, extensions = (self.folder / f"{name}.{end}" for end in ("csr", "pem", "ext"))
        extensions.write_text(f"subjectAltName={subject}\n")
        self._openssl("req", "-subj", f"/CN={name}", *self._new_key(name), "-out", request)
        signed_by = ("-CA", self.certificate, "-CAkey", self.folder / f"{self.name}.key", "-set_serial", str(secrets.randbits(63)))
        self._openssl("x509", "-req", "-in", request, *signed_by, "-extfile", extensions, "-days", "1", "-out", certificate)
        return certificate, self.folder / f"{name}.key"

    def _new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.folder / f"{name}.key")

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"


class OpenBao:
    """One server on loopback, which lives until it is stopped."""

    def __init__(self, program, folder):
        self.program, self.folder, self.process, self.root = program, folder, None, ""
        self.authority = Authority(folder, "authority")
        certificate, key = self.authority.issue("openbao", "IP:127.0.0.1")
        self.context = ssl.create_default_context(cafile=self.authority.certificate)
        self.address = f"https://127.0.0.1:{free_port()}"
        (folder / "data").mkdir()
        self.settings = folder / "openbao.json"
        self.settings.write_text(json.dumps({
            # A single node waits less for others that might lead.
            "storage": {"raft": {"path": str(folder / "data"), "node_id": "one", "performance_multiplier": 1}},
            "listener": {"tcp": {
                "address": self.address.removeprefix("https://"),
                "tls_cert_file": str(certificate),
                "tls_key_file": str(key),
            }},
            "api_addr": self.address,
            "cluster_addr": f"https://127.0.0.1:{free_port()}",
        }))

    def set_up(self):
        """The first start: from then on it has a root token, and what it takes to unseal it."""
        self.start()
        made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.unseal_key, self.root = made["keys"][0], made["root_token"]
        self.unseal()

    def start(self):
        """Until it answers; sealed."""
        log = (self.folder / "openbao.log").open("ab")
        command = [self.program, "server", f"-config={self.settings}", "-log-level=warn"]
        self.process = subprocess.Popen(command, env={"HOME": str(self.folder)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._until("sys/seal-status", "OpenBao does not start")

    def unseal(self):
        """Until it answers questions about secrets."""
        self.ask("PUT", "sys/unseal", {"key": self.unseal_key})
        self._until("sys/health", "OpenBao does not become active")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def ask(self, method, path, body=None):
        """As the administrator; what is refused is a mistake of the test."""
        headers = {"Content-Type": "application/json", "X-Vault-Token": self.root}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/v1/{path}", data, headers, method=method)
        try:
            with self._opener().open(request, timeout=10) as answer:
                return json.loads(answer.read() or "{}")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"OpenBao: {method} {path}: {error.code} {error.read().decode()}") from None

    def _opener(self):
        # No proxy of the environment stands before loopback.
        return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context))

    def _until(self, path, problem):
        end = time.monotonic() + 30
        while True:
            try:
                self.ask("GET", path)
                return
            except (AssertionError, OSError):
                log = (self.folder / "openbao.log").read_text()
                assert self.process.poll() is None and time.monotonic() < end, f"{problem}:\n{log}"
                time.sleep(0.05)
