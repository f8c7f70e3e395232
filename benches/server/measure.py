"""Measures MCP servers beside each other, in turn, and prints a table and RATIO lines. Run by scripts/compare-server.

usage: measure.py FOLDER, where FOLDER/servers.json says how to start each server for each example:
{"generated": {"coda": ["command", ...], "blank": [...]}, "bare rmcp": ...}; ratios are those of the first server to all
others. Every server takes its port from PORT; RECEIVER in a command becomes the port of a receiver of traces. Standard error
goes to files in FOLDER. ROUNDS, SECONDS and STARTS change how long it takes.
"""

import collections
import http.client
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
import time

HERE = pathlib.Path(__file__).parent
FOLDER = pathlib.Path(sys.argv[1])
SERVERS = json.loads((FOLDER / "servers.json").read_text())
FIRST, *OTHERS = SERVERS
ROUNDS = int(os.environ.get("ROUNDS", 7))
SECONDS = int(os.environ.get("SECONDS", 4))
STARTS = int(os.environ.get("STARTS", 20))
TOKEN = secrets.token_hex(24)
DEVELOPER = {"email": "developer@localhost", "kind": "developer"}

# A request as text: it is sent as it is.
Case = collections.namedtuple("Case", "title example request")
CASES = [
    Case("tools/list", "coda", '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'),
    Case("tools/call", "blank", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_whoami","arguments":{}}}'),
]
TARGETS = {"before": 0.97, "telemetry on": 1.0, "bare rmcp": 0.9, "TypeScript SDK": 15, "FastMCP": 25}
TOOLS = ["get_doc", "get_whoami", "list_docs", "list_rows", "list_tables"]


class Receiver:
    """What a collector of OpenTelemetry is to the server: it takes everything, counts the exports and keeps nothing."""

    def __init__(self):
        program = (
            "import http.server, sys\n"
            "class Handler(http.server.BaseHTTPRequestHandler):\n"
            "    protocol_version = 'HTTP/1.1'\n"
            "    def do_POST(self):\n"
            "        self.rfile.read(int(self.headers['content-length']))\n"
            "        self.send_response(200)\n"
            "        self.send_header('content-length', '0')\n"
            "        self.end_headers()\n"
            "    def log_message(self, *_):\n"
            "        print('export', flush=True)\n"
            "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"
            "print(server.server_port, flush=True)\n"
            "server.serve_forever()\n"
        )
        self.log = (FOLDER / "receiver.log").open("w+")
        self.process = subprocess.Popen([sys.executable, "-c", program], stdout=self.log, stdin=subprocess.DEVNULL)
        while not (port := (FOLDER / "receiver.log").read_text()).endswith("\n"):
            time.sleep(0.01)
        self.port = int(port)

    def exports(self):
        return (FOLDER / "receiver.log").read_text().count("export")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Server:
    """A running server: started on a free port, killed by `stop`."""

    running = []

    def __init__(self, name, example):
        self.name, self.example = name, example
        self.log = FOLDER / f"{name.replace(' ', '-').lower()}-{example}.log"
        # A port that was free a moment ago: somebody else may be faster, so there are three attempts.
        for _ in range(3):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            environment = os.environ | {
                "PORT": str(self.port),
                "MCP_DEV_BEARER_TOKEN": TOKEN,
                "CODA_API_TOKEN": "none",
                "NODE_ENV": "production",
            }
            with self.log.open("ab") as log:
                self.launched = time.perf_counter()
                self.process = subprocess.Popen(
                    SERVERS[name][example], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            Server.running.append(self)
            if self.connect():
                return
            self.stop()
        sys.exit(f"{name} ({example}) does not start; see {self.log}")

    def connect(self):
        """Tries to connect without a pause until it works: a pause would be part of the measured start."""
        while time.perf_counter() - self.launched < 60:
            try:
                self.socket = socket.create_connection(("127.0.0.1", self.port))
                return True
            except OSError:
                if self.process.poll() is not None:
                    return False
        return False

    def ask(self, request):
        """The size of the whole answer and its result, on the connection that the start left open, or a new one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.sock, self.socket = self.socket, None
        headers = {
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        }
        connection.request("POST", "/mcp", request, headers)
        response = connection.getresponse()
        text = response.read()
        head = "".join(f"{name}: {value}\r\n" for name, value in response.getheaders())
        size = len(f"HTTP/1.1 {response.status} {response.reason}\r\n{head}\r\n") + len(text)
        connection.close()
        if response.status != 200:
            sys.exit(f"{self.name}: {response.status} {text[:300]!r}")
        return size, json.loads(text).get("result")

    def hang_up(self):
        self.socket = self.socket.close()

    def memory(self):
        """Resident memory in MB (Linux)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024

    def stop(self):
        self.process.kill()
        self.process.wait()
        Server.running.remove(self)


def check(server, case):
    """Asks once and stops everything where the answer is not right. Returns its size in bytes and the result."""
    size, result = server.ask(case.request)
    if case.example == "coda":
        right = result and sorted(tool["name"] for tool in result["tools"]) == TOOLS
    else:
        right = result and result["structuredContent"] == DEVELOPER and not result.get("isError")
    if not right:
        sys.exit(f"{server.name}: wrong answer to {case.title}: {result}")
    return size, result


def load(server, case, size):
    """Requests per second and the 99th percentile in ms; stops everything where an answer was not right."""
    server.log.open("w").close()  # opened for appending by the server, so it starts empty
    command = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", HERE / "load.lua", f"http://127.0.0.1:{server.port}/mcp"]
    environment = os.environ | {"LOAD_BODY": case.request, "LOAD_TOKEN": TOKEN}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    line = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if done.returncode or not line:
        sys.exit(f"wrk: exit {done.returncode}\n{done.stdout}{done.stderr}")
    figures = json.loads(line[1])
    # wrk counts what is not 2xx or 3xx. A JSON-RPC error is a 200, but of another size.
    if figures["errors"] or abs(figures["bytes"] / figures["requests"] - size) > 0.01 * size:
        sys.exit(f"{server.name}: wrong answers to {case.title}: {figures}, right ones have {size} bytes")
    if server.name == FIRST:
        with server.log.open("rb") as log:
            lines = sum(b"Bearer token authenticated" in line for line in log)
        if lines < figures["requests"]:
            sys.exit(f"{server.name} logged {lines} of {figures['requests']} requests")
    return figures["requests"] / figures["microseconds"] * 1e6, figures["p99"] / 1000


def starts(name, case):
    """Milliseconds from exec to the first answered request."""
    took = []
    for _ in range(STARTS if name in (FIRST, "bare rmcp") else min(STARTS, 5)):
        server = Server(name, case.example)
        server.ask(case.request)
        took.append((time.perf_counter() - server.launched) * 1000)
        server.stop()
    return took


def spread(values, digits=0):
    return f"{statistics.median(values):,.{digits}f}  ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def declare():
    """Leaves the tools of the first server in a file: the bare one lists the same."""
    server = Server(FIRST, "coda")
    _, result = server.ask(CASES[0].request)
    server.stop()
    (FOLDER / "tools.json").write_text(json.dumps(result["tools"]))


def main():
    declare()
    took = {(case, name): starts(name, case) for case in CASES for name in SERVERS}
    servers, idle, sizes = {}, {}, {}
    for case in CASES:
        for name in SERVERS:
            servers[case, name] = Server(name, case.example)
            servers[case, name].hang_up()
    time.sleep(1)
    for key, server in servers.items():
        idle[key] = server.memory()
    for case in CASES:
        results = {}
        for name in SERVERS:
            sizes[case, name], results[name] = check(servers[case, name], case)
            load(servers[case, name], case, sizes[case, name])  # warms up
        if "bare rmcp" in results and results[FIRST] != results["bare rmcp"]:
            sys.exit(f"benches/server/bare answers {case.title} otherwise than the generated server: bring it up to date")
    rates = collections.defaultdict(list)
    slow = collections.defaultdict(list)
    for turn in range(ROUNDS):
        for case in CASES:
            # Neighbours of the first one swap places, so that neither always has the quieter half of a round.
            names = [FIRST, *OTHERS] if turn % 2 == 0 else [*OTHERS[:1], FIRST, *OTHERS[1:]]
            for name in names:
                rate, p99 = load(servers[case, name], case, sizes[case, name])
                rates[case, name].append(rate)
                slow[case, name].append(p99)
        print(f"round {turn + 1} of {ROUNDS}", file=sys.stderr)
    for case in CASES:
        print(f"\n{case.title}, {'five tools' if case.example == 'coda' else 'get_whoami'}; medians (min–max) of {ROUNDS} rounds of {SECONDS} s")
        print(f"{'':<15} {'requests/s':>26} {'p99 ms':>7} {'bytes':>6} {'start ms':>22} {'MB idle':>8} {'after':>6}")
        for name in SERVERS:
            key = (case, name)
            print(
                f"{name:<15} {spread(rates[key]):>26} {statistics.median(slow[key]):7.1f} {sizes[key]:6} "
                f"{spread(took[key]):>22} {idle[key]:8.1f} {servers[key].memory():6.1f}"
            )
    print()
    for case in CASES:
        for name in OTHERS:
            pairs = [ours / theirs for ours, theirs in zip(rates[case, FIRST], rates[case, name])]
            print(f"RATIO {case.title} {FIRST} / {name}: {spread(pairs, 2)}, target at least {TARGETS[name]}")
    for case in CASES:
        print(f"START {FIRST} {case.example}: {spread(took[case, FIRST])} ms, target below 100")
        print(f"MEMORY {FIRST} {case.example} after load: {servers[case, FIRST].memory():.1f} MB, target below 15")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
receiver = None
try:
    if "RECEIVER" in json.dumps(SERVERS):
        receiver = Receiver()
        SERVERS = json.loads(json.dumps(SERVERS).replace("RECEIVER", str(receiver.port)))
    main()
    if receiver:
        print(f"EXPORTS received: {receiver.exports()}")
finally:
    if receiver:
        receiver.stop()
    for server in list(Server.running):
        server.stop()
