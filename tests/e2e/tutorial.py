"""Follows the tutorial. `tutorial` beside this file says how it is called.

Two things differ from what a reader does. `cargo install` is not run: the program is there. The project's package gets a name of
its own when all is rendered, as cargo tells packages in one target folder apart by nothing else.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

page, program, scratch = sys.argv[1:]
text = pathlib.Path(page).read_text()
blocks = re.findall(r"```(sh|text|rust)\n(.*?)```", text, re.S)
done = []


def take(kind, begin):
    """The next block, which is of this kind and begins so."""
    found, body = blocks.pop(0)
    if found != kind or not body.lstrip().startswith(begin):
        sys.exit(f"the page has, as its next block, {found}:\n{body}\nand not {kind} that begins with {begin!r}")
    return body


def shows(output):
    """The lines of the next block of text are in the output, in their order."""
    lines = iter(output.splitlines())
    for wanted in take("text", "").splitlines():
        # Another port where this one is taken.
        pattern = re.escape(wanted.strip()).replace("8080", r"\d+").replace("8788", r"\d+")
        if not any(re.search(pattern, line) for line in lines):
            sys.exit(f"the page shows {wanted!r}, and it printed:\n{output}")


folder = pathlib.Path(scratch)
tools = folder / "bin"
tools.mkdir()
os.symlink(program, tools / "mcp-kit")
port = 18080
with socket.create_server(("127.0.0.1", 0)) as free:
    edge = free.getsockname()[1]
environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "PORT": str(port), "ACCESS_PORT": str(edge)}


def run(script, where, **more):
    print(script, end="", flush=True)
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=where, env=environment | more, stdin=subprocess.DEVNULL, timeout=1800, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit(f"status {result.returncode}:\n{result.stdout}")
    done.append(script)
    return result.stdout


# 1. The program is there.
install = take("sh", "cargo install --locked --path . --no-default-features\n")
shows(run(install.split("\n", 1)[1], folder))

# 2. A server.
shows(run(take("sh", "mcp-kit new my-server\n"), folder))
project = folder / "my-server"
for file in ("Cargo.toml", "Cargo.lock", "scripts/local-dev.sh"):
    path = project / file
    path.write_text(path.read_text().replace('name = "my-server"', 'name = "tutorial-server"').replace("NAME=my-server", "NAME=tutorial-server"))
blocks[:] = [(kind, body.replace("my-server", "tutorial-server") if kind == "text" else body) for kind, body in blocks]

# 3. It works.
shows(run(take("sh", "scripts/local-dev.sh --demo --once\n"), project))

# 4. A tool.
source = project / "src/handlers/tools.rs"
types, tool = take("rust", "/// Arguments of `count_words`."), take("rust", "#[tool(")
code = source.read_text()
if code.count("#[tool_router]\nimpl Tools {\n") != 1:
    sys.exit("the page says where the tool goes, and src/handlers/tools.rs has no such place")
source.write_text(code.replace("#[tool_router]\nimpl Tools {\n", f"{types}\n#[tool_router]\nimpl Tools {{\n{tool}\n"))
tests = project / "tests/mcp.rs"
listed = take("rust", "assert_eq!(names")
code, count = re.subn(r" *assert_eq!\(names, .*\n", lambda _: listed, tests.read_text())
if count != 1:
    sys.exit("tests/mcp.rs has no list of the tools")
tests.write_text(code)
shows(run(take("sh", "cargo test --locked --test mcp\n"), project))


class Serving:
    """The server of a block, until its end."""

    def __init__(self, script, log):
        self.log = folder / log
        with open(self.log, "w") as output:
            self.process = subprocess.Popen(["bash", "-c", script], cwd=project, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self):
        deadline = time.monotonic() + 1800
        while "Serving until Ctrl-C" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the server did not come up:\n" + self.log.read_text())
            time.sleep(0.2)
        return self.log.read_text()

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)


def claude(script, line):
    """With a home of its own and no account: it connects, and asks no model."""
    if not shutil.which("claude"):
        print("SKIPPED the commands of Claude Code: there is none here")
        return
    quiet = {"HOME": scratch, "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    said = run(script, project, **quiet)
    if not re.search(line, said, re.M):
        sys.exit(f"Claude Code did not connect:\n{said}")


# 5. The server, and two clients.
with Serving(take("sh", "scripts/local-dev.sh --demo\n"), "log") as said:
    shows(said)
    address = re.search(r"is up: http://127\.0\.0\.1:(\d+)/", said).group(1)
    shows(run(take("sh", "sed -n").replace(":8080/", f":{address}/"), project))
    script = take("sh", "claude mcp add").replace(":8080/", f":{address}/")
    claude(script, rf"^my-server: http://127\.0\.0\.1:{address}/mcp \(HTTP\) - ✔ Connected$")

# 6. The Access emulator.
at = f":{edge}/"
with Serving(take("sh", "scripts/local-dev.sh --demo --access\n"), "log-access") as said:
    shows(said)
    shows(run(take("sh", "curl --silent --include").replace(":8788/", at), project))
    claude(take("sh", "claude mcp add").replace(":8788/", at), rf"^my-server-access: http://127\.0\.0\.1:{edge}/mcp \(HTTP\) - ! Needs authentication$")
    call = take("sh", "curl --silent --header 'Accept").replace(":8788/", at)
    shows(run(call, project))
    run(take("sh", "curl --silent --data fault=expired").replace(":8788/", at), project)
    shows(run(call, project))

if blocks:
    sys.exit(f"the page has more blocks than this test follows: {blocks}")
print(f"the tutorial: {len(done)} blocks of commands do what the page says")
