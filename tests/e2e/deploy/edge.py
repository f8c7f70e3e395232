"""What stands for the world around the host: the edge at its public name, the team's key server, and the upstream API.

Behind TLS, by the name that is asked for; the API has a port of its own, which can be closed. The edge is the Access emulator of the project, which answers to loopback alone:
requests for the public name go there. Its way to the server is a relay that asks the engine of the host where the server is, and
is cut while the tunnel's container does not run, as a real tunnel is.
"""

import http.client
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

PUBLIC, KEYS, UPSTREAM = "mcp.example.com", "keys.example.com", "coda.io"
EMULATOR = ("127.0.0.1", 8788)
AUDIENCE = "acce55" + "0" * 58
SERVICE_TOKEN = "emulator.access"


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(folder):
    """An authority, and what it is to sign."""
    names = ",".join(f"DNS:{name}" for name in (PUBLIC, KEYS, UPSTREAM))
    (folder / "names").write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "60", "-subj", "/CN=Authority of the test")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "edge.key", "-out", "edge.csr", "-subj", f"/CN={PUBLIC}")


class Edge:
    def __init__(self, folder, program, docker):
        self.folder, self.program, self.docker = pathlib.Path(folder), program, docker
        self.is_revoked, self.delay = False, 0
        environment = {
            "CF_ACCESS_TEAM_DOMAIN": f"http://127.0.0.1:{EMULATOR[1]}",
            "CF_ACCESS_AUD": AUDIENCE,
            "CF_ACCESS_ALLOWED_SERVICE_TOKENS": SERVICE_TOKEN,
            "PORT": "8080",
        }
        self.log = open(self.folder / "emulator.log", "w")
        self.emulator = subprocess.Popen([program, "access-emulator"], env=environment, stdout=self.log, stderr=self.log)
        relay = socket.create_server(("127.0.0.1", 8080))
        threading.Thread(target=self.accept, args=(relay,), daemon=True).start()
        self.context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate()
        edge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def setup(self):
                # Here and not where connections are accepted: one that says nothing holds up no other.
                self.request.settimeout(10)
                self.request = context.wrap_socket(self.request, server_side=True)
                super().setup()

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, text = edge.answer(self.command, self.path, self.headers, body)
                self.send_response_only(status)
                # A server that is stopped keeps no connection.
                self.close_connection = True
                self.send_header("Connection", "close")
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = answer

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.serve = lambda port: Server(("0.0.0.0", port), Handler)
        self.server = self.started(443)
        self.upstream_server = self.started(8443)
        deadline = time.monotonic() + 20
        while True:
            try:
                state = json.loads(urllib.request.urlopen(urllib.request.Request(self.panel, headers={"Accept": "application/json"}), timeout=5).read())
                break
            except OSError:
                if time.monotonic() > deadline or self.emulator.poll() is not None:
                    raise RuntimeError((self.folder / "emulator.log").read_text()) from None
                time.sleep(0.1)
        self.secret = next(token["clientSecret"] for token in state["serviceTokens"] if token["clientId"] == SERVICE_TOKEN)

    panel = f"http://127.0.0.1:{EMULATOR[1]}/cdn-cgi/access/emulator"

    def started(self, port):
        server = self.serve(port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def certificate(self, days=50):
        """A new one for all names, from the next connection on."""
        words = "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", str(days)
        openssl(self.folder, "x509", "-req", "-in", "edge.csr", "-out", "edge.pem", *words)
        self.context.load_cert_chain(self.folder / "edge.pem", self.folder / "edge.key")

    def stop_upstream(self):
        self.upstream_server.shutdown()
        self.upstream_server.server_close()
        self.upstream_server = None

    def start_upstream(self):
        self.upstream_server = self.upstream_server or self.started(8443)

    def close(self):
        self.emulator.terminate()
        self.emulator.wait()

    def click(self, **form):
        """A switch of the emulator."""
        connection = http.client.HTTPConnection(*EMULATOR, timeout=10)
        connection.request("POST", "/cdn-cgi/access/emulator", urllib.parse.urlencode(form).replace("_", "-"))
        answer = connection.getresponse()
        assert answer.status == 303, (form, answer.status, answer.read())

    def inspect(self, container, what):
        result = subprocess.run([*self.docker, "inspect", "--format", what, container], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return result.stdout.strip()

    def follow_the_tunnel(self):
        """The edge has a connector while its container runs and is ready."""
        self.click(tunnel="on" if self.inspect("my-server-cloudflared-1", "{{.State.Status}}") == "running" else "off")

    def accept(self, listener):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=self.relay, args=(client,), daemon=True).start()

    def relay(self, client):
        address = self.inspect("my-server-server-1", '{{(index .NetworkSettings.Networks "my-server_tunnel").IPAddress}}')
        try:
            server = socket.create_connection((address, 8080), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)

        def copy(one, other):
            try:
                while data := one.recv(65536):
                    other.sendall(data)
            except OSError:
                pass
            finally:
                for end in (one, other):
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

        threading.Thread(target=copy, args=(client, server), daemon=True).start()
        copy(server, client)

    def answer(self, method, path, headers, body):
        name = (headers.get("Host") or "").split(":")[0]
        if name == UPSTREAM:
            return self.answer_upstream(path, headers)
        if name == KEYS and not path.startswith("/cdn-cgi/access/certs"):
            return 404, [], b""
        own = f"127.0.0.1:{EMULATOR[1]}"
        connection = http.client.HTTPConnection(*EMULATOR, timeout=60)
        sent = {key: value for key, value in headers.items() if key.lower() not in ("host", "connection", "transfer-encoding")}
        connection.request(method, path, body or None, sent | {"Host": own})
        answer = connection.getresponse()
        text = answer.read()
        public = f"https://{PUBLIC}"
        dropped = ("connection", "transfer-encoding", "content-length")
        passed = [(key, value.replace(f"http://{own}", public)) for key, value in answer.getheaders() if key.lower() not in dropped]
        return answer.status, passed, text.replace(f"http://{own}".encode(), public.encode()) if path.startswith("/.well-known/") else text

    def answer_upstream(self, path, headers):
        time.sleep(self.delay)
        # A token is good while its issuer has not revoked it.
        if self.is_revoked or not (headers.get("Authorization") or "").startswith("Bearer "):
            return 401, [("Content-Type", "application/json")], b'{"statusCode":401,"statusMessage":"Unauthorized","message":"Unauthorized"}'
        document = {"name": "Demo Account", "loginId": "demo@example.com"} if path.endswith("/whoami") else {"items": []}
        return 200, [("Content-Type", "application/json")], json.dumps(document).encode()

    def tool(self, name="list_docs"):
        """What a client with the service token gets of a call: the status, and the text."""
        self.follow_the_tunnel()
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}}).encode()
        request = urllib.request.Request(f"http://{EMULATOR[0]}:{EMULATOR[1]}/mcp", body)
        for key, value in {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "CF-Access-Client-Id": SERVICE_TOKEN,
            "CF-Access-Client-Secret": self.secret,
        }.items():
            request.add_header(key, value)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


