"""Measures a generated server with and without its authentication, in turn. Run by scripts/compare-auth.

usage: measure_auth.py FOLDER, with the programs FOLDER/server-with and FOLDER/server-without. Keys and tokens of a
Cloudflare Access team of its own are made by openssl. ROUNDS and SECONDS change how long it takes.
"""

import base64
import http.client
import http.server
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).parent
FOLDER = pathlib.Path(sys.argv[1])
ROUNDS = int(os.environ.get("ROUNDS", 7))
SECONDS = int(os.environ.get("SECONDS", 4))
BEARER = secrets.token_hex(24)
ISSUER, AUDIENCE = "https://bench.cloudflareaccess.com", "bench"
# The only request that needs no caller, so that the layer can be taken out and nothing put in its place.
REQUEST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
TICKS = os.sysconf("SC_CLK_TCK")


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True).stdout


class Team:
    """A key server on loopback, and one token that it vouches for."""

    def __init__(self):
        key = FOLDER / "team.pem"
        openssl("genrsa", "-out", key, "2048")
        modulus = bytes.fromhex(openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().partition("=")[2])
        jwk = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "bench", "n": encoded(modulus), "e": "AQAB"}
        keys = json.dumps({"keys": [jwk]}).encode()
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": [AUDIENCE], "email": "user@example.com", "type": "app", "country": "DE",
            "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "identity_nonce": "6ei69kawdKzMIAPF",
            "iat": now, "nbf": now, "exp": now + 24 * 3600,
        }  # fmt: skip
        head = {"alg": "RS256", "kid": "bench", "typ": "JWT"}
        signed = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(claims).encode())}"
        self.token = f"{signed}.{encoded(openssl('dgst', '-sha256', '-sign', key, given=signed.encode()))}"

        class Keys(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(keys)))
                self.end_headers()
                self.wfile.write(keys)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        self.url = f"http://127.0.0.1:{server.server_port}/certs"
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Server:
    """A running server: started on a free port, killed by `stop`."""

    running = []

    def __init__(self, name, team, log_filter):
        self.name = name
        self.log = FOLDER / f"{name}.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {
            "PATH": os.environ["PATH"], "PORT": str(self.port), "MCP_DEV_BEARER_TOKEN": BEARER,
            "CF_ACCESS_TEAM_DOMAIN": ISSUER, "CF_ACCESS_AUD": AUDIENCE, "CF_ACCESS_CERTS_URL": team.url,
        } | ({"RUST_LOG": log_filter} if log_filter else {})  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [FOLDER / f"server-{name}"], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        Server.running.append(self)
        for _ in range(1000):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.01)
        sys.exit(f"the server {name} the layer does not start: {self.log.read_text()}")

    def status(self, headers):
        """Status of one answer; where it is 200, it has to be the right one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/mcp", REQUEST, headers | COMMON)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status == 200 and "get_whoami" not in {tool["name"] for tool in json.loads(text)["result"]["tools"]}:
            sys.exit(f"{self.name}: wrong answer {text!r}")
        return response.status

    def processor(self):
        """Seconds of processor time so far, of all threads (Linux)."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self):
        self.process.kill()
        self.process.wait()
        Server.running.remove(self)


COMMON = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2025-11-25",
}


def load(server, tokens):
    """Requests per second and microseconds of processor time per request."""
    server.log.open("w").close()  # opened for appending by the server, so it starts empty
    command = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", HERE / "load.lua", f"http://127.0.0.1:{server.port}/mcp"]
    before = server.processor()
    done = subprocess.run(command, env=os.environ | {"LOAD_BODY": REQUEST} | tokens, capture_output=True, text=True)
    used = server.processor() - before
    line = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    figures = json.loads(line[1]) if line and not done.returncode else None
    if not figures or figures["errors"]:
        sys.exit(f"wrk: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return figures["requests"] / figures["microseconds"] * 1e6, used / figures["requests"] * 1e6


def spread(values, digits=0):
    return f"{statistics.median(values):,.{digits}f}  ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def compare(title, team, log_filter, tokens, headers):
    """One table: the same requests to both servers, which swap places each round."""
    servers = {name: Server(name, team, log_filter) for name in ("with", "without")}
    # The layer is there, and is not there.
    for name, expected in (("with", 401), ("without", 200)):
        if (status := servers[name].status({})) != expected:
            sys.exit(f"the server {name} the layer answers {status} to a request without credentials")
    rates, costs = {name: [] for name in servers}, {name: [] for name in servers}
    for name, server in servers.items():
        if (status := server.status(headers)) != 200:
            sys.exit(f"the server {name} the layer answers {status} to {title}")
        load(server, tokens)  # warms up
    for turn in range(ROUNDS):
        for name in sorted(servers, reverse=turn % 2 == 1):
            rate, cost = load(servers[name], tokens)
            rates[name].append(rate)
            costs[name].append(cost)
    for server in servers.values():
        server.stop()
    print(f"\n{title}; medians (min–max) of {ROUNDS} rounds of {SECONDS} s")
    print(f"{'':<8} {'requests/s':>26} {'µs of processor time each':>28}")
    for name in servers:
        print(f"{name:<8} {spread(rates[name]):>26} {spread(costs[name], 1):>28}")
    for what, values, target in (("requests/s", rates, "at least 0.95"), ("processor time", costs, "the lower the better")):
        pairs = [ours / theirs for ours, theirs in zip(values["with"], values["without"])]
        print(f"RATIO {title}, {what} with / without: {spread(pairs, 3)}, target {target}")
    sys.stdout.flush()


def main():
    team = Team()
    access = {"LOAD_ACCESS_TOKEN": team.token}, {"cf-access-jwt-assertion": team.token}
    bearer = {"LOAD_TOKEN": BEARER}, {"Authorization": f"Bearer {BEARER}"}
    compare("Access token seen before", team, None, *access)
    compare("Access token seen before, no log lines", team, "warn", *access)
    compare("Bearer token", team, None, *bearer)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    main()
finally:
    for server in list(Server.running):
        server.stop()
