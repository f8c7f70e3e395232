"""The audit's word on links: the findings of a tree by document and line, and which links were not judged."""

import json
import re
import subprocess
import tempfile
import shutil
from collections import defaultdict
from pathlib import Path

ERRORS = {"broken-link", "path-case", "broken-anchor", "malformed-link", "undefined-reference"}
#: Warnings that say that a link does not work as it is written.
WARNINGS = {"anchor-case"}
#: `[L00001](destination)`, `` {doc}`L00001 <page>` ``, and `L00001 <page>` as a line of a toctree.
LINK = re.compile(r"(?m)(?:!?\[|(?P<role>\{[a-z:]+\}`)|(?P<entry>^))L(\d{5})(?(role) <[^<>`\n]*>`|(?(entry) <[^<>\n]*>$|\]\((?:<[^>\n]*>|[^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)))")


class Audit:
    """Runs the audit on a tree."""

    def __init__(self, binary):
        self.binary = binary

    def report(self, root, *paths):
        command = [self.binary, "audit-docs", "--format", "json", "--root", root, *(paths or [root])]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{command}: exit status {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def fix(self, root):
        """Makes the certain fixes; returns what it says."""
        command = [self.binary, "audit-docs", "--fix", "--allow-dirty", "--root", root, root]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{command}: exit status {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout + done.stderr

    def findings(self, root):
        """Document and line → codes."""
        report = self.report(root)
        found = defaultdict(list)
        for finding in report["findings"]:
            code, severity = finding["code"], finding["severity"]
            if code in ERRORS and severity == "error" or code in WARNINGS:
                found[finding["path"], finding["line"]].append(code)
        return found, report

    def not_judged(self, root, path, marks):
        """Those links of a document, by mark, that are not judged: it is audited with fewer and fewer of them."""
        document = Path(root) / path
        text = document.read_text()
        try:
            return self._not_judged(root, document, text, sorted(marks))
        finally:
            document.write_text(text)

    def _not_judged(self, root, document, text, marks):
        if not marks:
            return set()
        kept = set(marks)
        document.write_text(LINK.sub(lambda link: link[0] if int(link[3]) in kept else f"L{link[3]}", text))
        count = self.report(root, document)["not_judged"]
        if count == 0:
            return set()
        if count >= len(marks):
            return kept
        half = len(marks) // 2
        return self._not_judged(root, document, text, marks[:half]) | self._not_judged(root, document, text, marks[half:])
