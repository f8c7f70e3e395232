"""A public tree, built by its own generator: the links of its documents get marks, so that each is found again in the built site."""

import re
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from generators import Failed, run
from pages import Site

#: `[text](destination)`; not in code spans, which are passed over first.
INLINE = re.compile(r"(`+)(?:(?!\1).)*?\1(?!`)|(?P<open>!?\[)(?P<text>(?:[^\[\]`\n]|`[^`\n]*`|!\[[^\]\n]*\]\([^)\n]*\))*)(?P<middle>\]\(\s*<?)(?P<destination>[^\s()<>]+(?:\([^\s()<>]*\)[^\s()<>]*)*)(?P<end>[^)\n]*\))")
#: `[text][label]`, `[label][]`, `[label]`.
REFERENCE = re.compile(r"(`+)(?:(?!\1).)*?\1(?!`)|(?<!\\)(?P<open>!?\[)(?P<text>(?:[^\[\]`\n]|`[^`\n]*`)+)\](?:\[(?P<label>[^\[\]\n]*)\])?(?![(\[:{])")
DEFINITION = re.compile(r"^ {0,3}\[(?P<label>[^\[\]^][^\[\]]*)\]:\s+<?(?P<destination>[^\s<>]+)>?")
FENCE = re.compile(r"^\s*(?:>\s*)*(`{3,}|~{3,})")


def labelled(text):
    """A label as it is compared."""
    return " ".join(text.split()).casefold()


def is_elsewhere(destination):
    """Whether a destination names a host."""
    return re.match(r"(?i)[a-z][a-z0-9+.-]*:|//", destination) is not None


def definitions(lines):
    """The definitions of a document: label → destination, the first of each."""
    found = {}
    for line in lines:
        if of := DEFINITION.match(line):
            found.setdefault(labelled(of["label"]), of["destination"])
    return found


def mark_links(root, suffixes=(".md", ".mdx")):
    """Writes a mark into the text of each link of the tree; returns mark → document, line, destination."""
    marks = {}
    for path in sorted(root.rglob("*")):
        if path.suffix not in suffixes or not path.is_file() or path.is_symlink() or {".git", "node_modules"} & set(path.parts):
            continue
        try:
            lines = path.read_text().split("\n")
        except UnicodeDecodeError:
            continue
        defined, fence = definitions(lines), None
        for at, line in enumerate(lines):
            opening = FENCE.match(line)
            if opening and fence is None:
                fence = opening[1]
                continue
            if fence is not None:
                if opening and opening[1].startswith(fence) and line.strip().strip(">").strip() == opening[1]:
                    fence = None
                continue
            following = lines[at + 1].strip() if at + 1 < len(lines) else ""
            # The text of a heading makes its name.
            if line.lstrip(" >").startswith("#") or following and not following.strip("=-") or "<!--" in line:
                continue

            def marked(link):
                if not link["open"] or is_elsewhere(link["destination"]) or "{{" in link[0] or "{%" in link[0]:
                    return link[0]
                mark = len(marks) + 1
                marks[mark] = (str(path.relative_to(root)), at + 1, link["destination"])
                return f"{link['open']}{link['text']} L{mark:05}{link['middle']}{link['destination']}{link['end']}"

            def referred(link):
                label = link["label"] or link["text"]
                destination = label and defined.get(labelled(label))
                if not link["open"] or not destination or is_elsewhere(destination) or "{{" in destination:
                    return link[0]
                mark = len(marks) + 1
                marks[mark] = (str(path.relative_to(root)), at + 1, destination)
                return f"{link['open']}{link['text']} L{mark:05}][{label}]"

            lines[at] = INLINE.sub(marked, line)
            if defined and not DEFINITION.match(line):
                lines[at] = REFERENCE.sub(referred, lines[at])
        path.write_text("\n".join(lines))
    return marks


def not_judged(audit, root, path, links):
    """Those broken links of a document, by line and destination, that the audit does not judge: it is audited without each."""
    document = root / path
    text = document.read_text()
    before = audit.report(root, document)["not_judged"]
    found = set()
    try:
        for line, destination in {(line, destination) for _, line, destination in links}:
            lines = text.split("\n")
            # A fragment of its own page that is there wherever pages have one.
            lines[line - 1] = lines[line - 1].replace(f"({destination}", "(#", 1).replace(f": {destination}", ": #", 1)
            document.write_text("\n".join(lines))
            if audit.report(root, document)["not_judged"] < before:
                found.add((line, destination))
    finally:
        document.write_text(text)
    return found


def compare(style, audit, tree, command, out, base, show):
    """Builds a marked copy and audits another; prints figures and disagreements."""
    work = Path(tempfile.mkdtemp(prefix="renderers-corpus-", dir=style.place()))
    try:
        plain, marked = work / "plain", work / "marked"
        for copy in (plain, marked):
            shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns("node_modules"))
        if not (plain / ".git").exists():
            subprocess.run(["git", "init", "--quiet"], cwd=plain, check=True)
        marks = mark_links(marked)
        if command:
            run(["bash", "-c", command], marked, OUT=str(work / "out"))
            site = Site(work / "out" if (work / "out").is_dir() else marked / out, base, style.shows_folders)
        else:
            site = Site(style.build(marked, style.variants[0]), base, style.shows_folders)
        where = defaultdict(list)
        for page in site.html():
            for mark, hrefs in site.page(page).links.items():
                where[mark] += [(page, href) for href in hrefs]
        report = audit.report(plain)
        silent = defaultdict(list)
        found = defaultdict(list)
        for finding in report["findings"]:
            if finding["severity"] == "error" or finding["code"] == "anchor-case":
                found[finding["path"], finding["line"], finding["target"]].append(finding["code"])
        counts, groups = Counter(), defaultdict(list)
        for mark, (path, line, destination) in marks.items():
            outcomes = {site.judge(page, href) for page, href in where.get(mark, [])}
            codes = [code for code in found.get((path, line, destination), []) if code != "malformed-link"]
            if not outcomes:
                verdict = "not built"
            elif outcomes & {"good"} and codes and set(codes) != {"anchor-case"}:
                verdict = "false alarm"
            elif "good" in outcomes:
                verdict = "good, no error"
            elif not outcomes & {"page", "anchor"}:
                verdict = "elsewhere"
            else:
                verdict = "broken, said so" if codes else "missed"
            if verdict == "missed":
                silent[path].append(mark)
                continue
            counts[verdict] += 1
            groups[verdict].append((path, line, destination, codes, where.get(mark, [(None, None)])[0]))
        for path, missed in silent.items():
            unjudged = not_judged(audit, plain, path, [marks[mark] for mark in missed]) if report["not_judged"] else set()
            for mark in missed:
                _, line, destination = marks[mark]
                verdict = "not judged" if (line, destination) in unjudged else "missed"
                counts[verdict] += 1
                groups[verdict].append((path, line, destination, [], where[mark][0]))
        print(f"{style.name} {tree.name}: {len(site.html())} pages; {'; '.join(report['profiles'])[:300]}")
        print("  " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
        for verdict in ["false alarm", "missed", "not judged"]:
            for path, line, destination, codes, (page, href) in groups[verdict][:show]:
                print(f"    {verdict}: {path}:{line}: {destination} {','.join(codes)} -> {page}: {href}")
        return counts
    finally:
        shutil.rmtree(work, ignore_errors=True)
