"""What is typed from the documents of a deployed project, and where: on the host by ssh, in the project, on the machine of somebody on
call. What a command prints is compared with what the page shows. `runbook.py` and `migration.py` use it, and say how they are called.
"""

import atexit
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

import edge as world

project, folder, program = (pathlib.Path(word) for word in sys.argv[1:4])
docker = sys.argv[5:]
machine = folder / "elsewhere"
CURRENT = "/opt/my-server/current"
printed, scripts = [], set()


class Failed(Exception):
    """Something is not as the page says."""


def fail(text):
    raise Failed(f"{text}\n--- before that:\n" + "\n".join(printed[-3:]))


def sections(page):
    """The blocks of shell of each section of level two, with the text below each that a line with a colon announces."""
    found = {}
    for part in re.split(r"^## ", page, flags=re.M)[1:]:
        title, body = part.split("\n", 1)
        blocks, before, lines = [], "", iter(body.splitlines())
        for line in lines:
            if line.startswith("```"):
                inside = []
                for each in lines:
                    if each == "```":
                        break
                    inside.append(each)
                if line == "```sh":
                    blocks.append(["\n".join(inside) + "\n", None])
                elif line == "```text" and before.endswith(":") and blocks and blocks[-1][1] is None:
                    blocks[-1][1] = inside
            elif line:
                before = line
        found[title.lower().replace(" ", "-")] = blocks
    return found


def masked(text):
    """Without what differs from run to run."""
    for pattern, into in (
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r'"[0-9a-f]{8}…"', '"AUD…"'),
        (r"\b[0-9a-f]{16}\b", "KEY"),
        (r"(is not known here: ).*", r"\1REASON"),
        (r"\b[\w.-]+\.invalid\b", "NAME.invalid"),
    ):
        text = re.sub(pattern, into, text)
    return text


def run(place, script, given="", status=0, timeout=300):
    """Runs a script at its place. `status` is the exit status that is right, or None for several commands of which some fail."""
    words = ["bash", "-c", script]
    if place == "host":
        # As by hand: a login, the folder of the release, the command.
        words = ["ssh", "root@HOST", "bash -c " + shlex.quote(f"cd {CURRENT}\n{script}")]
    scripts.add(script)
    edge.follow_the_tunnel()
    environment = os.environ | {"PATH": f"{folder}/bin:{os.environ['PATH']}", "CURL_HOME": str(folder)}
    where = {"host": machine, "machine": machine, "project": project}[place]
    result = subprocess.run(words, cwd=where, env=environment, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    printed.append(f"$ {script}{result.stdout}[{result.returncode}, {place}]")
    if os.environ.get("VERBOSE"):
        print(printed[-1], flush=True)
    # 125 to 127: no such program, or not to be run.
    if result.returncode in (125, 126, 127) or status is not None and result.returncode != status:
        fail(f"status {result.returncode} instead of {status}")
    return result.stdout


def block(page, section, number, place, given="", status=0, has=(), lacks=()):
    """Runs a block of a page and compares what it prints with what the page shows below it."""
    script, shown = page[section][number]
    printed = run(place, script, given, status)
    lines = iter(masked(printed).splitlines())
    for line in shown or ():
        if not any(masked(line).strip() in each for each in lines):
            fail(f"{section}, block {number}: the page shows {line!r}")
    for text in has:
        if text not in printed:
            fail(f"{section}, block {number}: no {text!r}")
    for text in lacks:
        if text in printed:
            fail(f"{section}, block {number}: {text!r}")
    return printed


def must(holds, what):
    if not holds:
        fail(f"it is not so: {what}")


def answers(status, text="", patience=40):
    """A tool answers so, at once or within the time that the page gives it."""
    deadline = time.monotonic() + patience
    while True:
        got = edge.tool()
        if got[0] == status and text in got[1]:
            return
        if time.monotonic() > deadline:
            fail(f"a tool answers {got}, and not {status} {text}")
        time.sleep(0.3)


def settings(**changed):
    """.env.production, with the emulator as the team. A setting in capitals is changed, or left out where it is None."""
    values = {
        "CF_ACCESS_TEAM_DOMAIN": f"http://127.0.0.1:{world.EMULATOR[1]}",
        "CF_ACCESS_CERTS_URL": f"https://{world.KEYS}/cdn-cgi/access/certs",
        "CF_ACCESS_AUD": world.AUDIENCE,
        "CF_ACCESS_ALLOWED_SERVICE_TOKENS": world.SERVICE_TOKEN,
        "CODA_API_BASE": f"https://{world.UPSTREAM}:8443/apis/v1",
    } | changed
    text = (project / ".env.example").read_text()
    for name, value in values.items():
        text = re.sub(rf"^#? ?{name}=.*\n", "", text, flags=re.M)
        text += f"{name}={value}\n"
    (project / ".env.production").write_text(text)


def deploy():
    """As the page says of a changed setting or secret."""
    return run("project", "scripts/deploy-to-droplet.sh --host HOST\n")


def prepare(compose):
    """What differs from what is deployed: the names of the test are found, and images are stand-ins without digests and minor versions."""
    names = ", ".join(f'"{name}:host-gateway"' for name in (world.PUBLIC, world.KEYS, world.UPSTREAM))
    text = re.sub(r"@sha256:[0-9a-f]{64}", "", compose.read_text())
    text = re.sub(r"(postgres:18)[.0-9]*$", r"\1", text, flags=re.M)
    text = re.sub(r"^( +interval:) [0-9]+s$", r"\1 1s", text, flags=re.M)
    must(text.count("\n  server:\n") == 1, "docker-compose.yml has a server")
    if "extra_hosts" not in text:
        text = text.replace("\n  server:\n", f"\n  server:\n    extra_hosts: [{names}]\n")
    compose.write_text(text)


def secret(name, text):
    path = project / "secrets" / name
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o444)


edge = world.Edge(folder, program, docker)
# What a person types into service-token.curl.
headers = f'header = "CF-Access-Client-Id: {world.SERVICE_TOKEN}"\nheader = "CF-Access-Client-Secret: {edge.secret}"\n'
# However the script ends.
atexit.register(edge.close)
