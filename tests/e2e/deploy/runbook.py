"""The runbook of a deployed project: each section has its failure, its fix and its confirmation, by the commands that stand in it. The
commands for Kubernetes are not run here.

usage: runbook.py PROJECT FOLDER PROGRAM TABLE DOCKER..., where PROGRAM has the emulator and TABLE is the list of exercised sections.
RUNBOOK_SECTIONS="the-upstream-api-is-down roll-back" runs these alone. A section that fails is reported, all is made as it was, and the next
one begins. UPDATE_EXERCISED=1 writes the table: sections that were run and did not fail are in it.
"""

import datetime
import functools
import os
import pathlib
import subprocess
import sys
import threading
import time
import tomllib

import edge as world
import on_call
from on_call import Failed, answers, deploy, edge, machine, must, project, run, secret, sections, settings

table = pathlib.Path(sys.argv[4])
runbook = sections((project / "docs/OAUTH_TROUBLESHOOTING.md").read_text())
block = functools.partial(on_call.block, runbook)
KEY = project / "secrets/mcp_auth_encryption_key"
compose = project / "docker-compose.yml"
todo, done = [], []


def section(function):
    todo.append((function.__name__.replace("_", "-"), function))
    return function


def passed(name):
    done.append(name)
    print(f"  {name} ({time.monotonic() - start:.0f} s)", flush=True)


def as_it_was():
    """All is well, whatever a section has left."""
    compose.write_text(before)
    (project / "secrets/mcp_auth_previous_keys").unlink(missing_ok=True)
    settings()
    edge.is_revoked, edge.delay = False, 0
    edge.certificate()
    edge.start_upstream()
    edge.click(fault="none", managed_oauth="on", ai_bots="on")
    deploy()
    run("host", "docker compose exec -T server /usr/local/bin/my-server tokens set CODA_API_TOKEN", "the-token-of-the-api\n")
    answers(200, '"items"', patience=90)


def confirmed_by_doctor(check):
    must(f"ok    {check}" in run("host", "docker compose exec server /usr/local/bin/my-server doctor", status=None), f"doctor: ok {check}")


# The first two minutes: an edge that is well, and a server that says so.
@section
def the_first_two_minutes(at):
    block(at, 0, "machine", has=["401", "/.well-known/cloudflare-access-protected-resource/mcp"])
    block(at, 1, "host", has=["0 fail"])


@section
def ask_for_the_status(at):
    block(at, 0, "host", has=['"name":"tokenStore","status":"ok"'])
    block(at, 2, "machine", on_call.headers, has=['"kind":"postgres"', "200\n"])
    (machine / "service-token.curl").unlink()


@section
def token_not_found_in_postgres(at):
    run("host", runbook[at][5][0])
    answers(503, "MCP-AUTH-018")
    block(at, 0, "host")
    block(at, 1, "host")
    block(at, 3, "host", "the-token-of-the-api\n")
    answers(200)
    must("CODA_API_TOKEN" in block(at, 2, "host"), "the audit log has it")
    block(at, 5, "host")
    answers(503, "MCP-AUTH-018")
    block(at, 3, "host", "the-token-of-the-api\n")
    answers(200)


# An application of its own for each server: this one has another's tag.
@section
def jwt_validation_fails(at):
    settings(CF_ACCESS_AUD="0123abcd" * 8)
    deploy()
    answers(401, "MCP-AUTH-013")
    block(at, 0, "host", has=["ok    audience", "0 fail"])
    block(at, 2, "machine", status=None, has=["fail  token"])
    settings()
    deploy()
    answers(200)
    edge.click(fault="expired")
    answers(401, "MCP-AUTH-010")
    edge.click(fault="none")
    answers(200)
    run("host", "docker compose logs --no-log-prefix server | grep -c 'Cloudflare Access JWT validated for: '")


@section
def encryption_key_mismatch(at):
    old = KEY.read_text()
    new = subprocess.run(["openssl", "rand", "-base64", "32"], stdout=subprocess.PIPE, text=True, check=True).stdout
    secret(KEY.name, new)
    deploy()
    answers(503, "MCP-AUTH-020")
    block(at, 0, "host")
    # What the page says first: the release before has the old key.
    block("roll-back", 0, "project", has=["The release before runs again on HOST"])
    answers(200)
    block("roll-back", 0, "project")
    answers(503, "MCP-AUTH-020")
    passed("roll-back")
    block(at, 2, "project", old)
    text = before.replace("# MCP_AUTH_PREVIOUS_KEYS_FILE", "MCP_AUTH_PREVIOUS_KEYS_FILE").replace("# - mcp_auth_previous_keys", "- mcp_auth_previous_keys")
    text = text.replace("  # mcp_auth_previous_keys:\n  #   file:", "  mcp_auth_previous_keys:\n    file:")
    must(len([line for line in text.splitlines() if "#" not in line and "mcp_auth_previous_keys" in line]) == 4, "four lines of docker-compose.yml")
    compose.write_text(text)
    deploy()
    answers(200)
    block(at, 3, "host")
    compose.write_text(before)
    (project / "secrets/mcp_auth_previous_keys").unlink()
    deploy()
    answers(200)
    must(run("host", runbook[at][3][0]).endswith("0 tokens rotated\n"), "a second run rotates nothing")


@section
def a_lost_or_leaked_encryption_key(at):
    old = KEY.read_text()
    run("project", runbook[at][0][0])
    must(KEY.read_text() != old, "a new key")
    answers(503, "MCP-AUTH-020")
    block(at, 1, "host", has=["CODA_API_TOKEN"])
    block(at, 2, "host", "a-new-token-of-the-api\n", has=["CODA_API_TOKEN stored for my-server"])
    answers(200)
    confirmed_by_doctor("encryption key")


@section
def a_leaked_token(at):
    edge.is_revoked = True
    answers(200, '"isError":true', patience=90)
    edge.is_revoked = False
    block(at, 0, "host", "another-new-token\n")
    answers(200, '"items"', patience=90)
    block(at, 2, "host", has=["audit rows are intact"])
    block(at, 3, "host", has=[world.SERVICE_TOKEN])


@section
def the_token_store_is_unreachable(at):
    run("host", "docker compose stop postgres")
    block(at, 0, "host", status=None, has=["no connection in time", "no response", "is not running"])
    answers(200)
    # As the table of the section says.
    run("host", "docker compose start postgres")
    deadline = time.monotonic() + 60
    while edge.inspect("my-server-postgres-1", "{{.State.Health.Status}}") != "healthy" and time.monotonic() < deadline:
        time.sleep(0.5)
    printed = block(at, 0, "host", has=["CODA_API_TOKEN"])
    must(printed.count("accepting connections") == 2, "both ask the database")


@section
def docker_network_issues(at):
    settings(CF_ACCESS_CERTS_URL="https://team.invalid/cdn-cgi/access/certs")
    deploy()
    answers(503, "MCP-AUTH-017")
    block(at, 0, "host")
    block(at, 1, "host", has=["my-server_server-egress", "my-server_store"])
    block(at, 2, "host", status=6, has=["Could not resolve host"])
    settings()
    deploy()
    answers(200)
    # The network itself is wrong, and stays wrong for a container that is only started again.
    run("host", "docker network disconnect my-server_server-egress my-server-server-1")
    must("fail  key server" in run("host", runbook[at][0][0]), "there is no way out")
    block(at, 4, "host")
    deploy()
    answers(200)
    must("\nfail" not in "\n" + run("host", runbook[at][0][0], status=None), "the confirmation")


@section
def the_tunnel_or_the_server_is_down(at):
    run("host", "docker compose stop cloudflared")
    must(edge.tool() == (530, "error code: 1033"), "no connector, as Cloudflare says it")
    block(at, 0, "host", status=None, has=["healthy", "is not running"])
    run("project", "scripts/deploy-to-droplet.sh --host HOST\n")
    answers(200)
    block(at, 0, "host", has=["healthy"])
    run("host", "docker compose stop server")
    must(edge.tool()[0] == 502, "no server")
    block(at, 0, "host", status=None, lacks=["\nhealthy\n"])
    run("project", "scripts/deploy-to-droplet.sh --host HOST\n")
    answers(200)


# Somebody has edited the settings on the host.
@section
def the_server_restarts(at):
    run("host", "sed -i 's/^CF_ACCESS_AUD=.*/CF_ACCESS_AUD=/' .env && docker compose up --detach server", status=None)
    time.sleep(2)
    block(at, 0, "host", status=1, has=["my-server cannot start:", "CF_ACCESS_AUD", "fail  settings"])
    run("project", "scripts/deploy-to-droplet.sh --host HOST\n")
    answers(200)


@section
def the_upstream_api_is_down(at):
    edge.stop_upstream()
    answers(200, '"isError":true', patience=90)
    block(at, 0, "host", has=["fail  upstream", "call failed"])
    edge.start_upstream()
    answers(200, '"items"', patience=90)
    confirmed_by_doctor("upstream")


# A caller with slow calls at the same time, of which the settings allow one.
@section
def the_server_answers_with_errors(at):
    def failures(printed):
        return [line for line in printed.splitlines() if line.startswith("mcp_http_responses_total{") and "5xx" in line]

    def call_twice():
        slow = threading.Thread(target=edge.tool)
        slow.start()
        time.sleep(1)
        got = edge.tool()
        slow.join()
        return got[0]

    settings(MAX_CONCURRENT_REQUESTS=4)
    deploy()
    edge.delay = 5
    must(call_twice() == 503, "the second call is refused")
    printed = block(at, 0, "host", has=["mcp_panics_total"])
    must('mcp_http_refusals_total{kind="overloaded"} 1\n' in printed, "the kind of refusal is counted")
    settings()
    deploy()
    before = failures(block(at, 0, "host"))
    must(before and call_twice() == 200, "the limit of before is enough")
    must(failures(block(at, 0, "host")) == before, "failures grow no longer")
    edge.delay = 0


@section
def cloudflare_access_is_misconfigured(at):
    (machine / "service-token.curl").write_text(on_call.headers)
    edge.click(managed_oauth="off")
    block(at, 0, "machine", has=["302", "200\n"])
    edge.click(managed_oauth="on")
    block(at, 0, "machine", has=["401", "www-authenticate", "200\n"])
    (machine / "service-token.curl").unlink()


@section
def ai_bots_are_blocked(at):
    edge.click(ai_bots="off")
    must(block(at, 0, "machine").split() == ["401", "403"], "one of both is blocked")
    edge.click(ai_bots="on")
    must(block(at, 0, "machine").split() == ["401", "401"], "none is blocked")


@section
def a_certificate_or_service_token_is_about_to_expire(at):
    asked = runbook["the-first-two-minutes"][1][0]
    edge.certificate(days=10)
    must("warn  edge TLS" in run("host", asked, status=None), "doctor warns")
    ends = block(at, 0, "machine", has=["expire date"])
    edge.certificate()
    must("ok    edge TLS" in run("host", asked), "doctor: ok edge TLS")
    must(block(at, 0, "machine", has=["expire date"]) != ends, "another day")


# The volume is lost.
@section
def restore_the_token_store(at):
    block(at, 0, "machine", has=["The key is not in the backup"])
    run("host", "docker compose rm --force --stop postgres && docker volume rm my-server_postgres")
    (project / "tokens.dump").write_bytes((machine / "tokens.dump").read_bytes())
    block(at, 1, "project", has=["Restored"])
    block(at, 3, "host", has=["rows are intact", "CODA_API_TOKEN"])
    answers(200, patience=90)
    (project / "tokens.dump").unlink()


on_call.prepare(compose)
before = compose.read_text()
wanted = os.environ.get("RUNBOOK_SECTIONS", "").split()
# A key that is replaced is what the section of it goes back from.
chosen = [each for each in todo if not wanted or each[0] in wanted or each[0] == "encryption-key-mismatch" and "roll-back" in wanted]
must(chosen and {"roll-back", *(name for name, _ in todo)}.issuperset(wanted), f"sections of the runbook: {wanted}")
failed = []
as_it_was()
for name, exercise in chosen:
    start = time.monotonic()
    try:
        exercise(name)
    except (Failed, AssertionError, OSError, subprocess.SubprocessError) as error:
        failed.append(name)
        print(f"  FAILED {name}: {error}", flush=True)
        as_it_was()
    else:
        passed(name)

edge.close()
for name in done:
    left = [script for script, _ in runbook[name] if "kubectl" not in script and script not in on_call.scripts]
    must(not left, f"each block of {name} is run: {left}")
recorded = {line.split()[0]: line for line in table.read_text().splitlines()}
if os.environ.get("UPDATE_EXERCISED"):
    version = tomllib.loads((pathlib.Path(__file__).parents[3] / "Cargo.toml").read_text())["package"]["version"]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    kept = {name: line for name, line in recorded.items() if wanted and name not in failed}
    recorded = kept | {name: f"{name} {today} {version}" for name in done}
    table.write_text("".join(f"{recorded[name]}\n" for name in sorted(recorded)))
if not wanted:
    differs = set(recorded) ^ set(done)
    must(not differs, f"{table.name} lists what is exercised: {differs}")
with_commands = [name for name, blocks in runbook.items() if any("kubectl" not in script for script, _ in blocks)]
print(f"the runbook: {len(done)} sections of {len(with_commands)} with commands do what the page says")
sys.exit(1 if failed else 0)
