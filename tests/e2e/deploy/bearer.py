"""A Bearer token is replaced while clients call: its file has the old one, then both, then the new one alone. No request is lost.

usage: bearer.py ADDRESS PORT FILE; FILE is what the container has mounted, and is written in place. Only the standard library.
"""

import http.client
import pathlib
import secrets
import sys
import threading
import time

ADDRESS, PORT, FILE = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
CLIENTS = 8
BODY = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
old, new = FILE.read_text().strip(), secrets.token_hex(24)
current, going, answered, lost = old, True, [], []


def ask(connection, token):
    connection.request("POST", "/mcp", BODY, {
        "Host": "mcp.example.com", "Authorization": f"Bearer {token}", "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    })
    answer = connection.getresponse()
    return answer.status, answer.read()


def client():
    connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=15)
    while going:
        try:
            status, body = ask(connection, current)
            if status == 200 and b'"tools"' in body:
                answered.append(1)
            else:
                lost.append(f"{status} {body[:200]!r}")
        except (OSError, http.client.HTTPException) as error:
            lost.append(repr(error))
            connection.close()
        time.sleep(0.01)


def more(count=200):
    """Waits until so many more requests are answered."""
    wanted, end = len(answered) + count, time.monotonic() + 30
    while len(answered) < wanted:
        assert time.monotonic() < end and not lost, f"no answers, or lost ones: {sorted(set(lost))[:5]}"
        time.sleep(0.02)


def until(token, status):
    """The seconds until this token gets that status."""
    start = time.monotonic()
    while ask(http.client.HTTPConnection(ADDRESS, PORT, timeout=15), token)[0] != status:
        assert time.monotonic() < start + 10, f"the token does not get {status}"
        time.sleep(0.05)
    return time.monotonic() - start


threads = [threading.Thread(target=client, daemon=True) for _ in range(CLIENTS)]
for thread in threads:
    thread.start()
more()
FILE.write_text(f"{old},{new}\n")
counts = until(new, 200)
more()
current = new
more()
FILE.write_text(f"{new}\n")
refused = until(old, 401)
more()
going = False
for thread in threads:
    thread.join()
assert not lost, f"{len(lost)} of {len(answered) + len(lost)} requests were lost: {sorted(set(lost))[:5]}"
print(
    f"Bearer token replaced under load: {len(answered)} calls answered, {len(lost)} lost; the new token counts after {counts:.1f} s, "
    f"the old one is refused after {refused:.1f} s"
)
