"""Servers whose token is in OpenBao, up to what their upstream gets; and one whose key for PostgreSQL Transit has wrapped.

usage: vault.py SERVER STUB RENDERED FOLDER. STUB is the address of the stub of Coda, RENDERED has the projects coda-both-vault and
coda-cloudflare-postgres, FOLDER is empty. MCP_TEST_OPENBAO names the program; POSTGRES_PORT is that of a PostgreSQL with its tables,
and POSTGRES_ROLE the password of the servers' role. Only the standard library.
"""

import base64
import http.client
import http.server
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request

from openbao import Authority, OpenBao

SERVER, STUB = sys.argv[1:3]
RENDERED, FOLDER = map(pathlib.Path, sys.argv[3:5])
VAULT, POSTGRES = RENDERED / "coda-both-vault", RENDERED / "coda-cloudflare-postgres"
BEARER = secrets.token_hex(24)
# What docs/TOKENS.md and docs/SETTINGS.md of a project promise: so long a token from Vault counts without asking, and so long a
# server may take to notice that its access has ended; with time for a slow machine.
CHANGE, SECONDS = 30 + 3, 15
started = time.monotonic()

# Each secret that was used; every command's output and every process's arguments and log must be free of them.
known_secrets = {BEARER}
outputs = []


def secret(text):
    known_secrets.add(text)
    return text


def ok(what):
    print(f"ok {what} ({time.monotonic() - started:.0f} s)", flush=True)


def within(limit, what, probe):
    """Asks until it is so. Returns how long that took."""
    begin = time.monotonic()
    while not probe():
        assert time.monotonic() - begin < limit, f"not within {limit} s: {what}"
        time.sleep(0.25)
    return time.monotonic() - begin


class Upstream(http.server.ThreadingHTTPServer):
    """Stands before the stub of Coda and remembers the tokens that come."""

    def __init__(self):
        self.seen = []
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server_port}/apis/v1"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append(self.headers["authorization"])
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(STUB + self.path.removeprefix("/apis/v1")) as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass


def composed(project, *uncommented):
    """The environment of the server in the docker-compose.yml of a project, with its secrets in FOLDER; and with these lines, which
    are commented out as long as nobody needs them."""
    text = (project / "docker-compose.yml").read_text()
    for name in uncommented:
        assert f"      # {name}: " in text, f"docker-compose.yml has no {name} to uncomment"
        text = text.replace(f"      # {name}: ", f"      {name}: ")
    server = re.search(r"^  server:\n(.*?)^  \w", text, re.M | re.S)[1]
    lines = re.findall(r"^      ([A-Z][A-Z0-9_]*): (.*)$", server, re.M)
    default = lambda value: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value.strip('"'))
    return {name: default(value).replace("/run/secrets", str(FOLDER / "secrets")) for name, value in lines}


def here(settings, upstream):
    """Those settings on this machine: free ports, a caller without Cloudflare, every line of the log."""
    return settings | {
        "PATH": os.environ["PATH"],
        "HOST": "127.0.0.1",
        "PORT": "0",
        "ADMIN_ADDR": "127.0.0.1:0",
        "AUTH_MODE": "bearer",
        "MCP_DEV_BEARER_TOKEN": BEARER,
        "ALLOWED_HOSTS": "",
        "CODA_API_BASE": upstream.address,
        "RUST_LOG": "trace",
    }


def run(command, environment, given=None, status=0):
    """A command and what it printed, on both streams."""
    done = subprocess.run(command, env=environment, input=given, text=True, capture_output=True, timeout=60, cwd=FOLDER)
    said = done.stdout + done.stderr
    assert done.returncode == status, f"{command[:3]}: status {done.returncode}: {said}"
    outputs.append(said)
    return done.stdout, said


class Server:
    everyone = []

    def __init__(self, name, settings, upstream):
        self.name, self.upstream, self.log = name, upstream, FOLDER / f"{name}.log"
        nothing, log = subprocess.DEVNULL, self.log.open("wb")
        self.process = subprocess.Popen([SERVER], env=settings, stdin=nothing, stdout=nothing, stderr=log)
        Server.everyone.append(self)
        self.port = self.admin = None
        within(30, f"{name} listens", self._listens)

    def _listens(self):
        assert self.process.poll() is None, f"{self.name} ended:\n{self.log.read_text()}"
        ports = [re.search(words + r" http://127\.0\.0\.1:(\d+)", self.log.read_text()) for words in ("listening on", "probes on")]
        if all(ports):
            self.port, self.admin = (int(port[1]) for port in ports)
        return self.admin

    def _ask(self, port, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Authorization": f"Bearer {BEARER}", "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        outputs.append(text)
        return answer.status, text

    def call(self):
        """Calls a tool. The token that Coda got for it; without one the answer of the server, or of the tool where the token went away
        after the request had been let in."""
        before = len(self.upstream.seen)
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_whoami", "arguments": {}}}
        status, text = self._ask(self.port, "POST", "/mcp", json.dumps(call))
        if status != 200:
            return f"{status} {text}"
        if "token store unavailable" in text:
            return f"error {text}"
        assert "Demo Account" in text, text
        (came,) = self.upstream.seen[before:]
        return came.removeprefix("Bearer ")

    def store(self):
        """What /status has of the token store."""
        return json.loads(self._ask(self.port, "GET", "/status")[1])["tokenStore"]

    def ready(self):
        """The status of /readyz, asked as Kubernetes does it, and what it has of the token store."""
        status, text = self._ask(self.admin, "GET", "/readyz?exclude=Coda")
        (check,) = (check for check in json.loads(text)["checks"] if check["name"] == "tokenStore")
        return status, check["status"], check.get("message", "")

    def says(self, words):
        """Its log is written beside its answers, so a line may come a moment later."""
        within(5, f"{self.name} says {words!r}", lambda: words in self.log.read_text())
        return True

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        assert status == 0 and self.says("my-server stopped"), f"{self.name}: status {status} after SIGTERM"


def equal(what, wanted, found):
    # No secret in what a failure prints.
    assert found == wanted, f"{what}: " + ("another token" if found in known_secrets else f"{found!r}")


def as_documented(bao):
    """Types what docs/TOKENS.md says for a new server. Its settings."""
    page = (VAULT / "docs/TOKENS.md").read_text()
    commands = re.search(r"^## In Vault or OpenBao\n.*?^```sh\n(.*?)^```$", page, re.M | re.S)[1]
    tools = FOLDER / "tools"
    tools.mkdir()
    # What stands in argv, others can read.
    (tools / "bao").write_text('#!/bin/sh\necho "$@" >>"$ARGV"\nexec "$MCP_TEST_OPENBAO" "$@"\n')
    (tools / "bao").chmod(0o755)
    (FOLDER / "secrets").mkdir(mode=0o700)
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(FOLDER),
        "ARGV": str(FOLDER / "argv.log"),
        "MCP_TEST_OPENBAO": os.environ["MCP_TEST_OPENBAO"],
        "BAO_ADDR": bao.address,
        "BAO_TOKEN": bao.root,
        "BAO_CACERT": str(bao.authority.certificate),
    }
    _, said = run(["bash", "-euo", "pipefail", "-c", commands], environment)
    role_id = re.search(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", said, re.M)[0]
    secret((FOLDER / "secrets/vault_secret_id").read_text().strip())
    shutil.copy(bao.authority.certificate, FOLDER / "secrets/vault_ca")
    return composed(VAULT, "VAULT_CACERT") | {"VAULT_ADDR": bao.address, "VAULT_ROLE_ID": role_id}


def put(bao, token):
    bao.ask("POST", "secret/data/mcp/my-server", {"data": {"CODA_API_TOKEN": token}})


def another_role(bao, name, policy):
    """A login of its own, with this policy. Its settings."""
    bao.ask("PUT", f"sys/policies/acl/{name}", {"policy": policy})
    bao.ask("POST", f"auth/approle/role/{name}", {"token_policies": [name], "token_ttl": "1h"})
    file = FOLDER / f"{name}-secret-id"
    file.write_text(secret(bao.ask("POST", f"auth/approle/role/{name}/secret-id", {})["data"]["secret_id"]))
    return {"VAULT_ROLE_ID": bao.ask("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"], "VAULT_SECRET_ID_FILE": str(file)}


def doctor(settings, words, status=1):
    _, said = run([SERVER, "doctor"], settings, status=status)
    assert words in said, f"doctor: {words!r} is not in\n{said}"


def certificates(bao, settings, upstream):
    """An authority that has not issued OpenBao's certificate, and none at all."""
    stranger = Authority(FOLDER, "stranger")
    untrusted = "the certificate of Vault does not count: UnknownIssuer (" + bao.address.removeprefix("https://") + ")"
    for wrong in ({"VAULT_CACERT": str(stranger.certificate)}, {"VAULT_CACERT": ""}):
        doctor(settings | wrong, untrusted)
        doctor(settings | wrong, "VAULT_CACERT names the file with the certificate of its authority")
    server = Server("stranger", settings | {"VAULT_CACERT": str(stranger.certificate)}, upstream)
    assert server.call().startswith("503 "), "a token from nobody knows whom"
    assert server.says(untrusted) and server.ready()[0] == 503 and untrusted in server.ready()[2]
    (FOLDER / "no.pem").write_text("none\n")
    _, said = run([SERVER], settings | {"VAULT_CACERT": str(FOLDER / "no.pem")}, status=2)
    assert "VAULT_CACERT: the certificates of authorities are not in PEM format" in said, said
    ok("an OpenBao whose certificate another authority has issued gets no login, and the server says which certificate and why")


def transit(bao, upstream):
    """The key that a server with PostgreSQL has so far, wrapped; its token stays readable, also after a rotation in Transit."""
    bao.ask("POST", "sys/mounts/transit", {"type": "transit"})
    bao.ask("POST", "transit/keys/mcp-auth", {})
    decrypts = 'path "transit/decrypt/mcp-auth" { capabilities = ["update"] }\n'
    encrypts = 'path "transit/encrypt/mcp-auth" { capabilities = ["update"] }\n'
    serves, operates = another_role(bao, "serves", decrypts), another_role(bao, "operates", decrypts + encrypts)
    (FOLDER / "secrets/postgres_password").write_text(secret(os.environ["POSTGRES_ROLE"]))
    key_file = FOLDER / "secrets/mcp_auth_encryption_key"
    key = secret(base64.b64encode(secrets.token_bytes(32)).decode())
    key_file.write_text(key)
    local = here(composed(POSTGRES), upstream) | {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": os.environ["POSTGRES_PORT"]}
    vault = {"VAULT_ADDR": bao.address, "VAULT_CACERT": str(bao.authority.certificate), "MCP_AUTH_KEY_PROVIDER": "transit"}
    token = secret(secrets.token_hex(24))
    run([SERVER, "tokens", "set", "CODA_API_TOKEN"], local, given=token + "\n")

    def command(settings, *arguments, **more):
        # A token on standard output is the answer of `tokens get`, and no leak.
        done = run([SERVER, *arguments], local | vault | settings, **more)
        if arguments[:2] == ("tokens", "get"):
            outputs.pop()
        return done

    def readable(what):
        # As the server has it: its policy lets it decrypt, and no more.
        equal(f"tokens get {what}", token, command(serves, "tokens", "get", "CODA_API_TOKEN")[0])

    wrapped, said = command(operates, "transit", "wrap", "--stdin", given=key)
    assert wrapped.startswith("vault:v1:") and "wrapped by version 1" in said, said
    key_file.write_text(wrapped)
    readable("with the wrapped key")
    server = Server("transit", local | vault | serves, upstream)
    equal("Coda gets", token, server.call())
    refused = command(serves, "transit", "rewrap", status=3)[1]
    assert "do not let it use transit/encrypt/mcp-auth" in refused, refused

    bao.ask("POST", "transit/keys/mcp-auth/rotate", {})
    rewrapped, said = command(operates, "transit", "rewrap")
    assert rewrapped.startswith("vault:v2:"), said
    bao.ask("POST", "transit/keys/mcp-auth/config", {"min_decryption_version": 2})
    refused = command(serves, "tokens", "get", "CODA_API_TOKEN", status=2)[1]
    assert "wrapped by version 1 of mcp-auth, which is below min_decryption_version" in refused, refused
    key_file.write_text(rewrapped)
    readable("after rewrap")
    refused = command(serves | {"MCP_AUTH_DEPLOYMENT": "staging"}, "tokens", "get", "CODA_API_TOKEN", status=2)[1]
    assert "wrapped for another deployment than staging" in refused, refused
    command(serves, "tokens", "set", "CODA_API_TOKEN", given=(token := secret(secrets.token_hex(24))) + "\n")
    readable("after tokens set")
    # A server that has started goes on; one that is started again has the same key.
    within(5, "the running server has the new token", lambda: server.call() == token)
    server.end()
    server = Server("transit-again", local | vault | serves, upstream)
    equal("Coda gets", token, server.call())
    ok("a key that Transit has wrapped: wrap, set, get, rotate, rewrap, restart; refused below min_decryption_version and elsewhere")


def main(bao, upstream):
    first, second, third = (secret(secrets.token_hex(24)) for _ in range(3))
    (FOLDER / "token.txt").write_text(first)
    settings = here(as_documented(bao), upstream)
    doctor(settings, "CODA_API_TOKEN is stored for my-server", status=0)
    one = Server("one", settings, upstream)
    equal("Coda gets", first, one.call())
    assert one.store() | {"kind": "vault", "reachable": True} == one.store() and one.ready() == (200, "ok", ""), one.ready()
    ok("the commands of docs/TOKENS.md and the settings of docker-compose.yml: Coda gets the token that is in OpenBao")

    put(bao, second)
    changed = time.monotonic()
    two = Server("two", settings, upstream)
    equal("Coda gets", second, two.call())

    # Meanwhile: a server whose policy is taken away.
    read = 'path "secret/data/mcp/my-server" { capabilities = ["read"] }'
    excluded = Server("excluded", settings | another_role(bao, "excluded", read), upstream)
    equal("Coda gets", second, excluded.call())
    bao.ask("PUT", "sys/policies/acl/excluded", {"policy": read.replace("my-server", "other")})
    took = within(SECONDS, "the server without access answers 503", lambda: excluded.call().startswith("503 "))
    denied = "denied access: the policies of the login (approle) do not let it use secret/data/mcp/my-server"
    assert "MCP-AUTH-019" in excluded.call() and excluded.says(denied), excluded.call()
    assert excluded.ready()[0] == 503 and denied in excluded.ready()[2], excluded.ready()
    ok(f"access that is taken away ends in {took:.0f} s, and log and /readyz say why")

    certificates(bao, settings, upstream)
    transit(bao, upstream)

    within(CHANGE - (time.monotonic() - changed), "the changed token counts", lambda: one.call() == second)
    ok(f"a changed token counts after {time.monotonic() - changed:.0f} s")

    bao.stop()

    def bridged(server, words):
        """Whether the store was asked, and said so; whatever it says, the known token is used."""
        equal("Coda gets", second, server.call())
        return words in server.log.read_text()

    down = "Service token could not be read: token store unavailable: cannot connect to Vault"
    within(CHANGE, "the outage is noticed", lambda: bridged(two, down))
    assert two.store()["reachable"] is False, two.store()
    status, state, message = two.ready()
    assert (status, state) == (200, "degraded") and "cannot connect to Vault" in message, two.ready()
    ok("OpenBao is stopped: the known token goes on, and log, /status and /readyz say so")

    bao.start()
    sealed = "it is sealed, and has to be unsealed"
    within(5, "the seal is noticed", lambda: bridged(two, sealed))
    doctor(settings, sealed)
    late = Server("late", settings, upstream)
    assert "MCP-AUTH-019" in late.call() and late.says(sealed), late.call()
    assert late.ready()[0] == 503 and sealed in late.ready()[2], late.ready()
    ok("OpenBao is sealed: the known token goes on; a server that starts now says why it has none")

    bao.unseal()
    put(bao, third)
    for server in (late, two):
        within(10, f"{server.name} has the token of the unsealed OpenBao", lambda: server.call() == third)
    within(10, "it is ready again", lambda: late.ready()[0] == 200)
    ok("OpenBao is unsealed: both have the token that is in it, without a restart")


def no_secret_is_told():
    # A token of a login as well, which was never printed.
    patterns = re.compile("|".join(map(re.escape, known_secrets)) + r"|\b(?:hvs|hvb|[sb])\.[A-Za-z0-9]{20,}")
    logs = {log.name: log.read_text() for log in FOLDER.glob("*.log")}
    assert "TRACE" in logs["one.log"], "the log is not at level trace"
    for name, text in {**logs, "an output": "\n".join(outputs)}.items():
        found = patterns.search(text)
        before = text[: found.start()].rpartition("\n")[2] if found else ""
        assert not found, f"{name} has a secret: {before}[…]"
    ok(f"no secret in {sum(text.count(chr(10)) for text in logs.values())} lines of logs at level trace, in argv, nor in an output")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
bao = OpenBao(os.environ["MCP_TEST_OPENBAO"], FOLDER)
try:
    bao.set_up()
    known_secrets |= {bao.root, bao.unseal_key}
    main(bao, Upstream())
    for server in Server.everyone:
        if server.process.poll() is None:
            server.end()
    no_secret_is_told()
except AssertionError as error:
    print(f"FAILED {error}")
    sys.exit(1)
finally:
    for server in Server.everyone:
        server.process.kill()
        server.process.wait()
    bao.stop()
