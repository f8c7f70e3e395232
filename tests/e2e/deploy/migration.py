"""The migration guide from `env` to `postgres` and back, by its own commands, in a deployment whose tools answer all the time.

usage: migration.py PROJECT FOLDER PROGRAM MCP_KIT DOCKER..., where PROJECT has the token store `env` and PROGRAM has the emulator.
"""

import functools
import os
import pathlib
import re
import sys

import on_call
from on_call import answers, deploy, edge, folder, machine, must, project, run, sections, settings

guide = sections((project / "docs/OAUTH_SOP.md").read_text())
block = functools.partial(on_call.block, guide, "migration-guide")
compose = project / "docker-compose.yml"
os.symlink(pathlib.Path(sys.argv[4]).resolve(), folder / "bin/mcp-kit")
LINES = "      CODA_API_TOKEN_FILE: /run/secrets/coda_api_token\n", "      - coda_api_token\n", "  coda_api_token:\n    file: ${SECRETS_DIR:-./secrets}/coda_api_token\n"
# The profiles of a developer's machine have the store `env` as well.
OLD, NEW = (f"      TOKEN_STORE: {store}\n{LINES[0]}" for store in ("env", "postgres"))


def change(old, new):
    text = compose.read_text()
    must(text.count(old) == 1, f"docker-compose.yml has {old!r} once")
    compose.write_text(text.replace(old, new))


def kept_in(store):
    """What `/status` says through the edge, and a tool."""
    answers(200, '"items"')
    (machine / "service-token.curl").write_text(on_call.headers)
    said = run("machine", "curl --silent --show-error --config service-token.curl https://mcp.example.com/status")
    (machine / "service-token.curl").unlink()
    must(f'"kind":"{store}"' in said, f"the tokens are in {store}")


on_call.prepare(compose)
settings()
deploy()
kept_in("env")

# 1. The compose file of the other store, with what the deployment has changed in the old one, and the old store for now.
block(0, "project", has=["TOKEN_STORE: postgres"])
on_call.prepare(compose)
change("      TOKEN_STORE: postgres\n", OLD)
change("    secrets:\n      - postgres_password\n", "    secrets:\n" + LINES[1] + "      - postgres_password\n")
change("\nsecrets:\n", "\nsecrets:\n" + LINES[2])
# 2. and 3. Passwords, a key, and the database beside the old store.
block(1, "project")
block(2, "project")
block(3, "host", has=["no tokens are stored for my-server", "accepting connections"])
kept_in("env")
# 4. and 5. The token, and the change.
block(4, "project", has=["CODA_API_TOKEN stored for my-server"])
change(OLD, NEW)
block(5, "project")
kept_in("postgres")
# The rollback, and here again.
change(NEW, OLD)
deploy()
kept_in("env")
change(OLD, NEW)
deploy()
kept_in("postgres")
# 6. Nothing of the old store is left.
for line in LINES:
    change(line, "")
(project / "secrets/coda_api_token").unlink()
deploy()
kept_in("postgres")
# The checklist of the same page: each command in its lines.
page = (project / "docs/OAUTH_SOP.md").read_text()
lines = re.findall(r"^- \[ \] .*", page, flags=re.M)
commands = [code for line in lines for code in re.findall(r"`([^`]+)`", line) if code.split()[0] in ("curl", "mcp-kit", "scripts/deploy-to-droplet.sh")]
must(len(commands) >= 4, f"commands of the checklist: {commands}")
(machine / "service-token.curl").write_text(on_call.headers)
for command in commands:
    said = run("machine" if command.startswith("curl") else "project", command)
    must(not command.startswith("curl") or '"kind":"postgres"' in said, "the token storage that is expected")
(machine / "service-token.curl").unlink()
kept_in("postgres")
edge.close()
print(f"the migration guide: from env to postgres, back, and to postgres for good; {len(commands)} commands of the checklist")
