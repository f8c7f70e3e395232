"""Judges the records of the official conformance suite, and prints one line, or what is not as it must be.

score.py PROFILE REQUIREMENTS RESULTS: the folder of the suite's requirement sets, and that of its results, which has a
folder for every revision. PROFILE is core, for a server with tools and none of the suite's fixtures, or full.
"""

import json
import pathlib
import re
import sys

PROFILE, REQUIREMENTS, RESULTS = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
REVISIONS = ["2025-11-25", "2026-07-28"]

# What a server can show without fixtures. All other scenarios call tools, prompts or resources of the suite; a few of them
# come out green on "tool not found" and say nothing.
CORE = {
    "2025-11-25": ["server-initialize", "ping", "tools-list", "dns-rebinding-protection"],
    "2026-07-28": [
        "server-stateless",
        "tools-list",
        "dns-rebinding-protection",
        "caching",
        "http-header-validation",
        "input-required-result-unsupported-methods",
    ],
}
# Checks within those that need a fixture, or a capability that the server does not declare.
CORE_EXPECTED = {
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
    "sep-2575-http-server-no-independent-requests-on-stream",
    "sep-2575-server-no-log-without-loglevel",
    "sep-2549-prompts-list-caching-hints",
    "sep-2549-resources-list-caching-hints",
    "sep-2549-resources-templates-list-caching-hints",
}
# These ask a client of the legacy era in the middle of a call. That needs sessions, which the server does without, so
# that any replica answers any request.
FULL_EXPECTED = {
    "2025-11-25": {
        "tools-call-sampling",
        "tools-call-elicitation",
        "elicitation-sep1034-defaults",
        "elicitation-sep1330-enums",
    }
}


def scored(revision):
    """The scenarios that count for servers of a revision, from the suite's own list."""
    names, inside = [], False
    for line in (REQUIREMENTS / f"{revision}.yaml").read_text().splitlines():
        if re.match(r"\w", line):
            inside = line.startswith("server:")
        elif inside and (found := re.match(r"\s+- ([\w/.-]+)", line)):
            names.append(found[1])
    return names


def records(revision):
    """The checks of every scenario that ran, by its name."""
    checks = {}
    for path in (RESULTS / revision).glob("**/checks.json"):
        name = re.sub(r"-\d{4}-\d\d-\d\dT.*", "", path.parent.name)
        checks.setdefault(name, []).extend(json.loads(path.read_text()))
    return checks


def failures(checks):
    return {check["id"]: check.get("errorMessage", "") for check in checks if check["status"] == "FAILURE"}


def find(checks, scenario):
    """Folders of results are named `server-SCENARIO`, and those of scenarios with `server` in their name, too."""
    return checks.get(f"server-{scenario}", checks.get(scenario))


problems, parts = [], []
for revision in REVISIONS:
    ran, wanted = records(revision), scored(revision)
    if not wanted:
        problems.append(f"{revision}: the suite's list of requirements could not be read")
    names = CORE[revision] if PROFILE == "core" else wanted
    passed = 0
    for name in names:
        checks = find(ran, name)
        if checks is None:
            problems.append(f"{revision} {name}: did not run")
            continue
        failed = failures(checks)
        if PROFILE == "core":
            unexpected = {k: v for k, v in failed.items() if k not in CORE_EXPECTED}
            if not any(check["status"] == "SUCCESS" for check in checks):
                problems.append(f"{revision} {name}: nothing was checked")
            elif unexpected:
                problems += [f"{revision} {name}: {k}: {v}" for k, v in unexpected.items()]
            else:
                passed += 1
        elif name in FULL_EXPECTED.get(revision, ()):
            # A scenario that begins to pass is news, too: then it no longer belongs on the list.
            if not failed:
                problems.append(f"{revision} {name}: passes, though it is on the list of expected failures")
        elif failed:
            problems += [f"{revision} {name}: {k}: {v}" for k, v in failed.items()]
        else:
            passed += 1
    expected = len(FULL_EXPECTED.get(revision, ())) if PROFILE == "full" else 0
    note = f" ({expected} expected failures)" if expected else ""
    parts.append(f"{revision} {passed} of {len(names)}{note}")
if problems:
    sys.exit("\n".join(problems))
print(f"conformance, {PROFILE}: " + ", ".join(parts))
