"""The release program in 128 MiB of memory, under attacks that have killed or stopped one. Only Python's standard library.

limits.py SERVER [NAME...]; prints a line for each attack, and which limit held: a control group of version 2 (memory.max) or 1
(memory.limit_in_bytes), or, where none can be made, RLIMIT_DATA (prlimit). A server that the limit ends has failed.
LIMITS_CGROUPS names another folder of groups; one that is not there leads to RLIMIT_DATA.
"""

import array
import asyncio
import collections
import contextlib
import fcntl
import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import termios
import threading
import time

MEBIBYTE = 1024 * 1024
LIMIT = 128 * MEBIBYTE
BEARER = "limits-bearer-0123456789"  # pragma: allowlist secret
CGROUPS = pathlib.Path(os.environ.get("LIMITS_CGROUPS", "/sys/fs/cgroup"))


class Failed(Exception):
    pass


def need(holds, what):
    if not holds:
        raise Failed(what)


# --- the limit


class Group:
    """A control group of its own, or nothing but a resource limit."""

    def __init__(self):
        name = f"mcp-kit-limits-{os.getpid()}"
        self.folder, self.kind = None, "RLIMIT_DATA (prlimit): no control group can be made here"
        for parent, file, kind in [
            (CGROUPS, "memory.max", "memory.max (control group, version 2)"),
            (CGROUPS / "memory", "memory.limit_in_bytes", "memory.limit_in_bytes (control group, version 1)"),
        ]:
            folder = parent / name
            try:
                folder.mkdir()
                (folder / file).write_text(str(LIMIT))
            except OSError:
                with contextlib.suppress(OSError):
                    folder.rmdir()
                continue
            for swap, value in [("memory.swap.max", "0"), ("memory.memsw.limit_in_bytes", str(LIMIT))]:
                with contextlib.suppress(OSError):
                    (folder / swap).write_text(value)
            self.folder, self.kind = folder, kind
            if self.holds():
                return
            self.remove()

    def holds(self):
        """Whether a process that takes more than the limit is ended."""
        greedy = f"x = bytearray({2 * LIMIT}); x[::4096] = b'x' * len(x[::4096])"
        process = subprocess.run([sys.executable, "-c", greedy], preexec_fn=self.enter, stderr=subprocess.DEVNULL, check=False)
        return process.returncode != 0

    def enter(self):
        if self.folder:
            (self.folder / "cgroup.procs").write_text(str(os.getpid()))
        else:
            resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))

    def remove(self):
        for _ in range(50):
            try:
                if self.folder:
                    self.folder.rmdir()
                break
            except OSError:
                time.sleep(0.1)
        self.folder = None


# --- the server


class Server:
    def __init__(self, program, group, coda, read_log=True, **settings):
        environment = {
            "HOST": "127.0.0.1",
            "PORT": "0",
            "AUTH_MODE": "bearer",
            "MCP_DEV_BEARER_TOKEN": BEARER,
            "CODA_API_TOKEN": "made-up-for-this",
            "CODA_API_BASE": coda,
            **settings,
        }
        if not group.folder:
            environment["MEMORY_BUDGET"] = str(LIMIT)
        self.process = subprocess.Popen([program], env=environment, stderr=subprocess.PIPE, preexec_fn=group.enter)
        self.port = None
        for line in self.process.stderr:
            if found := re.search(rb"listening on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                break
        need(self.port, f"the server did not start: {self.process.poll()}")
        if read_log:
            threading.Thread(target=lambda: self.process.stderr.read(), daemon=True).start()

    def peak(self):
        """The most memory that it had, in MiB."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) // 1024

    def sockets(self):
        folder, count = f"/proc/{self.process.pid}/fd", 0
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
        return count

    def alive(self):
        need(self.process.poll() is None, f"the server is gone: exit status {self.process.poll()}")

    def health(self, seconds):
        """The seconds until /health has answered 200, on connections of their own."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            self.alive()
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
                    connection.settimeout(2)
                    connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    if connection.recv(12) == b"HTTP/1.1 200":
                        return time.monotonic() - start
            time.sleep(0.1)
        raise Failed(f"/health did not answer in {seconds} seconds")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("it was still there 40 seconds after SIGTERM") from None


def head(length, host="localhost"):
    return (
        f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {BEARER}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def call(tool, arguments):
    params = {"name": tool, "arguments": arguments}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    return head(len(body)) + body


async def exchange(port, request, seconds=90):
    """Status and body of the answer; None where the connection ended without one."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    except OSError:
        return None
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(request)
            await writer.drain()
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), seconds)
        length = re.search(rb"content-length: (\d+)", answer.lower())
        body = await asyncio.wait_for(reader.readexactly(int(length.group(1))), seconds) if length else b""
        return int(answer[9:12]), body
    except (OSError, asyncio.IncompleteReadError):
        return None
    finally:
        writer.close()


def together(port, requests):
    async def all_of_them():
        return await asyncio.gather(*(exchange(port, request) for request in requests))

    return asyncio.run(all_of_them())


# --- the other side


class Coda:
    """What answers in Coda's place: a small list, or one of `size` bytes."""

    def __init__(self, size=0):
        item = {"id": "AbCDeFGH01", "type": "doc", "name": "Product roadmap"}
        items = [item]
        if size:
            items = [{**item, "n": number, "members": {f"{n:x}": n for n in range(40)}} for number in range(size // 450)]
        body = json.dumps({"items": items}).encode()
        answer = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.base = f"http://127.0.0.1:{listener.getsockname()[1]}/apis/v1"
        self.size = len(body)

        def serve(connection):
            with contextlib.suppress(OSError), connection:
                seen = b""
                while True:
                    while b"\r\n\r\n" not in seen:
                        part = connection.recv(65536)
                        if not part:
                            return
                        seen += part
                    seen = seen.split(b"\r\n\r\n", 1)[1]
                    connection.sendall(answer)

        def accept():
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()


# --- the attacks: each starts a server, and returns what it saw


def never_reading(start):
    """Strangers ask and never read what they are answered."""
    server = start(REQUEST_TIMEOUT_SECONDS="5")
    requests = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 400
    held = []
    for _ in range(300):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            for _ in range(300):
                connection.send(requests)
        held.append(connection)
    waited = server.health(10)
    end = time.monotonic() + 60
    while server.sockets() > 30 and time.monotonic() < end:
        time.sleep(1)
    left = server.sockets()
    need(left <= 30, f"{left} sockets are still open after a minute")
    return server, f"300 clients are let go; /health in {waited:.1f} s meanwhile"


def unfinished_heads(start):
    """Thousands of strangers with most of a head that never ends."""
    server = start()
    part = b"GET /mcp HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%04d: %s\r\n" % (n, b"a" * 490) for n in range(62))
    held = []
    with contextlib.suppress(OSError):
        for _ in range(3000):
            connection = socket.create_connection(("127.0.0.1", server.port), 5)
            connection.setblocking(False)
            with contextlib.suppress(OSError):
                connection.send(part)
            held.append(connection)
    time.sleep(2)
    peak = server.peak()
    waited = server.health(10)
    return server, f"{len(held)} heads of {len(part) // 1024} KB: {peak} MiB; /health in {waited:.1f} s meanwhile"


def small_members(start):
    """Whole bodies of small members, which are the most expensive to read."""
    server = start()
    members = ",".join(f'"{n:x}":0' for n in range(93000))
    params = f'{{"name":"get_doc","arguments":{{{members}}}}}'
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'.encode()
    statuses = collections.Counter(answer[0] if answer else 0 for answer in together(server.port, [head(len(body)) + body] * 64))
    need(set(statuses) <= {413, 503}, f"statuses {statuses}")
    # As many members as are taken at all, which halving finds.
    while len(members) > 1000:
        params = f'{{"name":"get_doc","arguments":{{{members}}}}}'
        body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'.encode()
        one = together(server.port, [head(len(body)) + body])[0]
        if one and one[0] == 200:
            break
        members = members[: len(members) // 2].rsplit(",", 1)[0]
    need(one and one[0] == 200, f"a body of {len(body)} bytes: {one}")
    taken = collections.Counter(answer[0] if answer else 0 for answer in together(server.port, [head(len(body)) + body] * 64))
    need(set(taken) <= {200, 503} and taken[200], f"statuses {taken}")
    waited = server.health(10)
    text = f"64 bodies of 840 KB: {dict(statuses)}; of {len(body) // 1024} KB: {dict(taken)}"
    return server, f"{text}; /health in {waited:.1f} s"


def half_sent_bodies(start):
    """Bodies that stop short of their end."""
    server = start()
    length = MEBIBYTE
    part = head(length) + b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"' + b"a" * (length - 300)
    held = []
    for _ in range(256):
        with contextlib.suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", server.port), 5)
            connection.settimeout(1)
            held.append(connection)
            connection.sendall(part)
    waited = server.health(30)
    peak = server.peak()
    for connection in held:
        connection.close()
    body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    for _ in range(50):
        answer = together(server.port, [head(len(body)) + body])[0]
        if answer and answer[0] == 200:
            break
        time.sleep(0.2)
    need(answer and answer[0] == 200, f"after they are gone: {answer}")
    return server, f"256 of 1 MiB: {peak} MiB; /health in {waited:.1f} s meanwhile, and work goes on afterwards"


def large_answers(start):
    """An upstream that answers with 16 MB."""
    coda = Coda(16 * 1000 * 1000)
    server = start(coda=coda.base)
    answers = together(server.port, [call("list_docs", {"limit": 100})] * 4)
    for answer in answers:
        need(answer and answer[0] == 200, f"an answer: {answer and answer[0]}")
        need(json.loads(answer[1])["result"]["isError"], "16 MB were passed on")
    waited = server.health(10)
    return server, f"{coda.size // 1000000} MB, 4 at once: each is an error for the model; /health in {waited:.1f} s"


def retry_loop(start):
    """One caller asks again and again; what is refused keeps no place in the queue."""
    server = start(coda=Coda().base)

    # A few are served within their time; the queue is full then, and the others are refused at once.
    answers = together(server.port, [call("list_docs", {})] * 400)
    texts = [answer[1].decode() for answer in answers if answer]
    waits = [int(found.group(1)) for text in texts if (found := re.search(r"Try again in (\d+) seconds", text))]
    served = sum("Product roadmap" in text for text in texts)
    need(waits and served, f"{served} served, {len(waits)} refused of {len(answers)}")
    need(max(waits) <= 60, f"the last was asked to wait {max(waits)} seconds")
    last = together(server.port, [call("list_docs", {})])[0][1].decode()
    found = re.search(r"Try again in (\d+) seconds", last)
    need("Product roadmap" in last or (found and int(found.group(1)) <= 60), last[:300])
    return server, f"{len(answers)} calls, {served} served; refused clients are asked to wait {max(waits)} s at most"


def unread_log(start):
    """Nobody reads the log, and strangers and callers fill it."""
    server = start(read_log=False)
    body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    stranger = b"GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def flood(count):
        for _ in range(count):
            await exchange(server.port, stranger, 10)
            # Each of these is a line of its own.
            answer = await exchange(server.port, head(len(body)) + body, 10)
            need(answer and answer[0] in (200, 503), f"a ping: {answer}")

    async def floods():
        await asyncio.gather(*(flood(500) for _ in range(10)))

    asyncio.run(floods())
    waiting = array.array("i", [0])
    fcntl.ioctl(server.process.stderr, termios.FIONREAD, waiting)
    need(waiting[0] > 50000, f"the pipe holds {waiting[0]} bytes only: the attack is none")
    waited = server.health(5)
    return server, f"10000 requests, the pipe is full; /health in {waited:.1f} s, and SIGTERM ends it"


ATTACKS = [never_reading, unfinished_heads, small_members, half_sent_bodies, large_answers, retry_loop, unread_log]


def main():
    program, names = sys.argv[1], sys.argv[2:]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    group = Group()
    print(f"limit   128 MiB by {group.kind}")
    failed = False
    small = Coda()
    try:
        for attack in ATTACKS:
            if names and attack.__name__ not in names:
                continue
            started = []

            def start(started=started, **settings):
                read_log, coda = settings.pop("read_log", True), settings.pop("coda", small.base)
                started.append(Server(program, group, coda, read_log, **settings))
                return started[-1]

            try:
                server, saw = attack(start)
                server.alive()
                peak = server.peak()
                need(peak <= LIMIT // MEBIBYTE, f"it had {peak} MiB")
                status = server.stop()
                need(status == 0, f"exit status {status} after SIGTERM")
                print(f"ok      {attack.__name__}: {saw}; at most {peak} MiB", flush=True)
            except Exception as error:  # noqa: BLE001 a failure of any kind is one of this attack
                failed = True
                print(f"FAILED  {attack.__name__}: {error!r}\n        {attack.__doc__}", flush=True)
            finally:
                for server in started:
                    if server.process.poll() is None:
                        server.process.kill()
                        server.process.wait()
    finally:
        group.remove()
    sys.exit(failed)


main()
