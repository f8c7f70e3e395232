"""Asks a server from many connections while it ends: a connection that was accepted gets its whole answer, or it was lost.

usage: load.py ADDRESS PORT; prints `begun` once requests flow, and what came of them at the end
"""

import socket
import sys
import threading
import time

address = (sys.argv[1], int(sys.argv[2]))
ASK = b"GET /health HTTP/1.1\r\nHost: mcp.example.com\r\nConnection: close\r\n\r\n"
answered, refused, lost = [], [], []
end = time.monotonic() + 30


def whole(connection):
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(length) and len(body) == int(length[0].split(b":")[1])


def ask(pause=0.0):
    """One request, in two parts if there is a pause."""
    try:
        connection = socket.create_connection(address, timeout=15)
    except OSError:
        refused.append(1)
        return False
    try:
        with connection:
            connection.sendall(ASK[:20])
            time.sleep(pause)
            connection.sendall(ASK[20:])
            (answered if whole(connection) else lost).append("an answer that is not whole")
    except OSError as error:
        lost.append(repr(error))
    return True


def loop():
    while time.monotonic() < end and ask():
        pass


slow = threading.Thread(target=ask, args=(3.0,))
slow.start()
threads = [threading.Thread(target=loop) for _ in range(16)]
for thread in threads:
    thread.start()
while len(answered) < 200 and time.monotonic() < end:
    time.sleep(0.01)
print("begun", flush=True)
for thread in [*threads, slow]:
    thread.join()
print(f"{len(answered)} answered, {len(refused)} refused, {len(lost)} lost {sorted(set(lost))}")
sys.exit(bool(lost) or len(answered) < 200 or not refused)
