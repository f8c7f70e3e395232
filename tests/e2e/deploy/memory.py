"""Watches everything below a process until SIGTERM, and prints how much memory it took at most: the largest program, and all together.

usage: memory.py PID
"""

import os
import pathlib
import re
import signal
import sys
import time

ROOT = int(sys.argv[1])
going = True


def stop(*_):
    global going
    going = False


def number(text, field):
    found = re.search(rf"^{field}:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


signal.signal(signal.SIGTERM, stop)
# By program, as each file of the sources is one of its own.
largest, most = {}, 0
while going:
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = (folder / "status").read_text()
            except OSError:
                pass  # it has ended
    parents = {pid: number(text, "PPid") for pid, text in found.items()}

    def below(pid):
        while pid > 1 and pid != ROOT:
            pid = parents.get(pid, 0)
        return pid == ROOT

    together = 0
    for pid, text in found.items():
        name = text.split(None, 2)[1]
        # The engine is there without a build, too.
        if not name.startswith(("dockerd", "containerd", "sshd", "runc")) and below(pid):
            together += number(text, "VmRSS")
            largest[name] = max(largest.get(name, 0), number(text, "VmHWM"))
    most = max(most, together)
    time.sleep(0.2)
name = max(largest, key=largest.get, default="nothing")
print(f"{largest.get(name, 0) // 1024} MiB for {name}, {most // 1024} MiB together")
