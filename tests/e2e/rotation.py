"""Two replicas behind a balancer, in mode cloudflare, while clients call a tool all the time: the token moves from the environment
into PostgreSQL, and the key that it is encrypted with is replaced, as the pages say, with every restart that this takes.

usage: rotation.py SERVER TEAM OWNER SCRATCH; prints one line, or what was lost. TEAM is what access_team printed, OWNER a file with the
password of PostgreSQL's owner. Only the standard library.

The balancer is that of a Service in Kubernetes, or of any load balancer: a new connection goes to a replica that is ready by its
/readyz, and stays there. It sees bytes, not requests, so it cannot repeat one. A replica is taken out before it is asked to end, which
is what `preStop` in deploy/kubernetes does.
"""

import asyncio
import base64
import http.client
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time

SERVER, TEAM, OWNER, SCRATCH = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text()), *map(pathlib.Path, sys.argv[3:5])
CLIENTS = 8
key = lambda: base64.b64encode(secrets.token_bytes(32)).decode()
OLD, NEW, API_TOKEN, ROLE_PASSWORD = key(), key(), secrets.token_hex(24), secrets.token_hex(16)

COMMON = {
    "PATH": os.environ["PATH"],
    "HOST": "127.0.0.1",
    "AUTH_MODE": "cloudflare",
    "CF_ACCESS_TEAM_DOMAIN": TEAM["issuer"],
    "CF_ACCESS_AUD": TEAM["audience"],
    "CF_ACCESS_CERTS_URL": TEAM["certs_url"],
    "CODA_API_BASE": os.environ["CODA_API_BASE"],
    "ALLOWED_HOSTS": "mcp.example.com",
    # As many as the clients want: it is not the limits that are looked at here.
    "MAX_CONCURRENT_REQUESTS": "64",
}
DATABASE = {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": os.environ["POSTGRES_PORT"], "POSTGRES_DB": "mcp_auth"}
ROLE = DATABASE | {"POSTGRES_USER": "mcp_auth", "POSTGRES_PASSWORD": ROLE_PASSWORD}
SETTINGS = {
    "env": {"TOKEN_STORE": "env", "CODA_API_TOKEN": API_TOKEN},
    "old": ROLE | {"TOKEN_STORE": "postgres", "MCP_AUTH_ENCRYPTION_KEY": OLD},
    "both": ROLE | {"TOKEN_STORE": "postgres", "MCP_AUTH_ENCRYPTION_KEY": NEW, "MCP_AUTH_PREVIOUS_KEYS": OLD},
    "new": ROLE | {"TOKEN_STORE": "postgres", "MCP_AUTH_ENCRYPTION_KEY": NEW},
}


def command(settings, *arguments, given=None, status=0):
    """One command of the server's program, in these settings; what it printed."""
    done = subprocess.run(
        [SERVER, *arguments], env=COMMON | settings, input=given, text=True, capture_output=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode == status, f"{arguments}: status {done.returncode}: {said}"
    for secret in (OLD, NEW, API_TOKEN, ROLE_PASSWORD):
        assert secret not in said, f"{arguments} shows a secret"
    return said


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError as error:
        return 0, str(error)
    finally:
        connection.close()


class Replica:
    """A process that serves; its ports, and its log."""

    count = 0

    def __init__(self, settings):
        Replica.count += 1
        self.log = SCRATCH / f"replica-{Replica.count}.log"
        self.process = subprocess.Popen(
            [SERVER], env=COMMON | SETTINGS[settings] | {"PORT": "0", "ADMIN_ADDR": "127.0.0.1:0"},
            stdout=subprocess.DEVNULL, stderr=self.log.open("wb"),
        )
        self.in_service = False
        self.port = self.admin = None

    async def ready(self):
        for _ in range(600):
            text = self.log.read_text()
            if self.admin is None and "Metrics and probes on http://" in text:
                port = lambda words: int(text.split(words)[1].split(":")[1].split("/")[0].split(",")[0].split()[0])
                self.port, self.admin = port("listening on http://"), port("Metrics and probes on http://")
            if self.admin and (await asyncio.to_thread(get, self.admin, "/readyz"))[0] == 200:
                self.in_service = True
                return self
            assert self.process.poll() is None, f"a replica ended:\n{text}"
            await asyncio.sleep(0.05)
        raise AssertionError(f"a replica does not become ready:\n{self.log.read_text()}")

    async def end(self):
        # Out of the balancer first, then a moment, as `preStop` has it; then SIGTERM.
        self.in_service = False
        await asyncio.sleep(0.3)
        self.process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(self.process.wait, 30)
        assert status == 0, f"status {status} after SIGTERM:\n{self.log.read_text()}"


class Balancer:
    def __init__(self):
        self.replicas, self.turn, self.connections = [], 0, 0

    async def start(self):
        server = await asyncio.start_server(self.take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def take(self, reader, writer):
        ready = [replica for replica in self.replicas if replica.in_service]
        self.turn += 1
        replica = ready[self.turn % len(ready)]
        self.connections += 1
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", replica.port)
        except OSError:
            writer.close()
            return

        async def copy(source, sink):
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except OSError:
                pass
            finally:
                sink.close()

        await asyncio.gather(copy(reader, other_writer), copy(other_reader, writer))


def request(body):
    body = json.dumps({"jsonrpc": "2.0", "id": 1} | body)
    head = (
        "POST /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\n"
        f"Cf-Access-Jwt-Assertion: {TEAM['tokens']['person']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


# What a client asks, what a whole answer has in it, and the pause after it. No request goes on without the token of the store; the
# calls of Coda stay below the rate that its API allows, which the server would keep.
LIST = request({"method": "tools/list"}), b'"get_whoami"', 0.02
CALL = request({"method": "tools/call", "params": {"name": "get_whoami", "arguments": {}}}), b'"caller"', 0.4


class Load:
    """Clients that keep their connections, and count what became of each request."""

    def __init__(self, port):
        self.port, self.answered, self.lost, self.going = port, 0, [], True

    async def client(self, ask, wanted, pause):
        reader = writer = None
        while self.going:
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(ask)
                status, head, body = await asyncio.wait_for(self.answer(reader), 30)
                if status != 200 or b'"isError":true' in body or wanted not in body:
                    self.lost.append(f"{status} {body[:200]!r}")
                else:
                    self.answered += 1
                if b"connection: close" in head.lower():
                    writer.close()
                    writer = None
            except (OSError, EOFError, asyncio.TimeoutError) as error:
                self.lost.append(repr(error))
                writer = None
            await asyncio.sleep(pause)

    async def answer(self, reader):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(head.split()[1]), head, await reader.readexactly(length)


async def main():
    balancer = Balancer()
    await balancer.start()
    balancer.replicas = [await Replica("env").ready(), await Replica("env").ready()]
    load = Load(balancer.port)
    clients = [asyncio.create_task(load.client(*(CALL if n % 4 == 0 else LIST))) for n in range(CLIENTS)]
    steps = []

    async def under_load(seconds=1.0):
        before = load.answered
        end = time.monotonic() + 30
        await asyncio.sleep(seconds)
        while load.answered < before + 4 * CLIENTS and not load.lost:
            assert time.monotonic() < end, "the clients get no answers"
            await asyncio.sleep(0.05)

    async def restart(settings):
        """Each replica in turn gives way to a new one, which is ready before."""
        for old in list(balancer.replicas):
            new = await Replica(settings).ready()
            balancer.replicas.append(new)
            await old.end()
            balancer.replicas.remove(old)
            await under_load(0.3)
        steps.append(settings)

    run = lambda *arguments, **more: asyncio.to_thread(command, *arguments, **more)
    await under_load()
    owner = DATABASE | {"POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": OWNER.read_text()}
    await run(owner, "db", "init", "--role", "mcp_auth", "--role-password", given=ROLE_PASSWORD + "\n")
    moving = ROLE | {"MCP_AUTH_ENCRYPTION_KEY": OLD, "CODA_API_TOKEN": API_TOKEN}
    assert "1 tokens migrated" in await run(moving, "migrate-env")
    assert "0 tokens migrated" in await run(moving, "migrate-env")
    # Twice: what is rolled out to a store is rolled out from it, too.
    await restart("old")
    await restart("old")
    await restart("both")
    rotated = await run(SETTINGS["both"], "tokens", "rotate-key")
    assert rotated.startswith("1 token"), rotated
    await under_load()
    assert (await run(SETTINGS["both"], "tokens", "rotate-key")).startswith("0 token")
    await restart("new")
    await under_load()

    # What is scraped where nobody logs in: each replica has let callers in, and refused none.
    passed = 0
    for replica in balancer.replicas:
        status, page = await asyncio.to_thread(get, replica.admin, "/metrics")
        assert status == 200 and page.endswith("# EOF\n"), page[-200:]
        samples = dict(line.rsplit(" ", 1) for line in page.splitlines() if line and not line.startswith("#"))
        mine = float(next(value for name, value in samples.items() if name.startswith("mcp_auth_passed_total")))
        assert mine > 0, "a replica has had no caller"
        refused = sum(float(value) for name, value in samples.items() if name.startswith("mcp_auth_refused_total"))
        assert refused == 0, f"{refused} refused"
        passed += mine
        # The other port has no metrics for clients without a credential.
        assert (await asyncio.to_thread(get, replica.port, "/metrics"))[0] == 404
        assert (await asyncio.to_thread(get, replica.port, "/status"))[0] == 401
    load.going = False
    await asyncio.gather(*clients)
    for replica in balancer.replicas:
        await replica.end()

    # With the old key alone nothing is readable any more, and the log of it all is whole.
    assert (await run(SETTINGS["new"], "tokens", "rotate-key")).startswith("0 token")
    verified = await run(SETTINGS["new"], "tokens", "audit", "verify")
    for path in SCRATCH.glob("replica-*.log"):
        text = path.read_text()
        for secret in (OLD, NEW, API_TOKEN, ROLE_PASSWORD, TEAM["tokens"]["person"]):
            assert secret not in text, f"{path.name} holds a secret"
    assert not load.lost, f"{len(load.lost)} of {load.answered + len(load.lost)} requests were lost: {sorted(set(load.lost))[:5]}"
    assert load.answered > 200, f"only {load.answered} requests"
    print(
        f"rotation under load: {load.answered} calls answered, {len(load.lost)} lost, over {Replica.count} replicas and "
        f"{balancer.connections} connections; {verified.strip().splitlines()[-1]}"
    )


asyncio.run(main())
