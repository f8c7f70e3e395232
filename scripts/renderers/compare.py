"""Trees → built sites and audits → figures and disagreements."""

import argparse
import json
import os
import posixpath
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import quote

import corpus
import made_up
from generators import GENERATORS, LOGO, Failed, slugs
from judge import LINK, Audit
from pages import Site

ROOT = Path(__file__).resolve().parents[2]
#: The outcomes that a link can have, in the order of the table.
COLUMNS = ["good, said so", "broken, said so", "false alarm", "missed", "not judged", "shown raw"]


class Probe:
    """One link that is tried."""

    def __init__(self, mark, path, line, form, destination, image=False, role=""):
        self.mark, self.path, self.line, self.form, self.destination, self.image = mark, path, line, form, destination, image
        self.role = role
        self.truth = None
        self.verdict = None
        self.codes = []
        self.of = ""

    def text(self):
        if self.role:
            return f"{{{self.role}}}`L{self.mark:05} <{self.destination}>`"
        return f"{'!' if self.image else ''}[L{self.mark:05}]({self.destination})"


def encode(path):
    """A path as it is written in a destination."""
    return quote(path, safe="/.-_~!$&'*+,;=:@")


def relative(source, target):
    """The path from a document to another file."""
    return posixpath.relpath(target, posixpath.dirname(source) or ".")


def page_forms(style, source, target):
    """Links to a document: form and destination; right and wrong ones."""
    path = relative(source, target)
    stem = path[: -len(posixpath.splitext(path)[1])]
    root = "/" + posixpath.relpath(target, style.documents)
    bare = root[: -len(posixpath.splitext(root)[1])]
    yield "path", encode(path)
    yield "path ./", "./" + encode(path)
    yield "path, upper case", encode(posixpath.join(posixpath.dirname(path), posixpath.basename(path).upper()))
    yield "path, one up", "../" + encode(path)
    yield "path, not there", encode(stem + "-none" + style.ending)
    yield "path?query", encode(path) + "?a=b"
    yield "bare", encode(stem)
    yield "bare/", encode(stem) + "/"
    yield "../bare/", "../" + encode(stem) + "/"
    yield "../bare", "../" + encode(stem)
    yield "bare, not there", encode(stem) + "-none"
    yield "bare/, not there", encode(stem) + "-none/"
    yield ".html", encode(stem) + ".html"
    yield ".html, not there", encode(stem) + "-none.html"
    yield "/path", encode(root)
    yield "/bare", encode(bare)
    yield "/bare/", encode(bare) + "/"
    yield "/bare.html", encode(bare) + ".html"
    yield "/bare, not there", encode(bare) + "-none"
    if posixpath.basename(stem) in ("index", "README", "_index"):
        yield "folder", encode(posixpath.dirname(path)) or "."
        yield "folder/", encode(posixpath.dirname(path) or ".") + "/"
        yield "/folder/", encode(posixpath.dirname(root)).rstrip("/") + "/"
        yield "/folder", encode(posixpath.dirname(root)) or "/"


def id_variants(rng, name, taken):
    """An id, and what is near it."""
    yield "id", name
    wrong = [
        name + "-1",
        name + "_1",
        name + "-2",
        name.replace("--", "-"),
        name.replace("-", "_"),
        name.replace("_", "-"),
        name.strip("-_"),
        "-" + name,
        name + "-",
        name.lower(),
        name.capitalize(),
        "_" + name,
        name + "x",
        name[:-1] or "q",
    ]
    for variant in rng.sample(wrong, 3):
        if variant and variant != name:
            yield "id, near", variant


def write_trees(style, root, rng, count):
    """The documents of a site: token → path."""
    sources = {}
    token = 0
    for tree in range(count):
        folder = f"{style.documents}/t{tree:03}"
        names = ["index", "alpha", "beta-two", "deep/index", "deep/gamma"]
        odd = ["with space", "Upper", "dots.v1.2", "ünï", "under_score", "README", "deep/README", "2024-01-02-post", "1-first"]
        names += rng.sample(odd, 2)
        if "README" in names:
            names.remove("index")
        if "deep/README" in names:
            names.remove("deep/index")
        for name in names:
            name = name.replace("index", style.index[: -len(style.ending)])
            token += 1
            path = Path(root) / folder / (name + style.ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made_up.document(rng, style, token))
            (path.parent / "logo.png").write_bytes(LOGO)
            sources[token] = f"{folder}/{name}{style.ending}"
        (Path(root) / folder / "data.txt").write_text("data\n")
    start = Path(root) / style.documents / style.index
    start.write_text("\n".join([*style.front(random.Random(0), 0), "# Start", ""]))
    for folder in style.static(root):
        (Path(root) / folder).mkdir(parents=True, exist_ok=True)
        (Path(root) / folder / "static.png").write_bytes(LOGO)
    return sources


def write_probes(style, root, rng, sources, site, pages):
    """Documents that link to everything; returns the probes."""
    marks = made_up.Marks()
    probes = []
    by_tree = defaultdict(list)
    for token, path in sources.items():
        by_tree[path[len(style.documents) + 1 :].split("/")[0]].append((token, path))
    slugged = {}
    texts = sorted({text.strip().rstrip("#¶").strip() for page in pages.values() for _, _, text in site.page(page).headings})
    made = slugs(texts)
    if made:
        slugged = dict(zip(texts, made))
    for tree, members in by_tree.items():
        for place in ["", "deep/"]:
            source = f"{style.documents}/{tree}/{place}probe{style.ending}"
            lines = list(style.front(rng, 0)) + ["# Probe", ""]

            def add(form, destination, image=False, role=""):
                mark = int(marks()[1:])
                probe = Probe(mark, source, len(lines) + 1, form, destination, image, role)
                probes.append(probe)
                lines.extend([probe.text(), ""])

            for token, path in members:
                for form, destination in page_forms(style, source, path):
                    add(form if token in pages else f"no page: {form}", destination)
                if token not in pages:
                    continue
                page = site.page(pages[token])
                address = site.address(pages[token])
                if style.publishes:
                    add("address", encode(address))
                target = encode(address) if style.by_address else encode(relative(source, path))
                names = list(dict.fromkeys(page.content_ids))
                titles = {ident: text.strip() for _, ident, text in page.headings}
                for name in names:
                    for form, variant in id_variants(rng, name, page.ids):
                        # As people copy it from the address bar, or as it is.
                        written = encode(variant) if rng.random() < 0.5 or set(variant) & set(" <>()[]\\`*\"") else variant
                        add(form, f"{target}#{written}")
                        probes[-1].of = f"#{name} is {titles[name]!r}" if name in titles else f"#{name}"
                for _, ident, text in page.headings:
                    text = text.strip().rstrip("#¶").strip()
                    if slugged.get(text) and slugged[text] != ident:
                        add("id, GitHub's", f"{target}#{slugged[text]}")
                        probes[-1].of = f"#{ident} is {text!r}"
            for form, destination, image in [
                ("file", "data.txt" if not place else "../data.txt", False),
                ("file, not there", "none.txt", False),
                ("image", "logo.png", True),
                ("file of static", "/static.png", False),
                ("/file, not there", "/none.png", False),
            ] + ([("image, not there", "none.png", True)] if style.images else []):
                add(form, destination, image)
            style.more_probes(add, source, [path for token, path in members if token in pages])
            (Path(root) / source).write_text("\n".join(lines))
            yield source, [probe for probe in probes if probe.path == source]


def truth(site, probes):
    """Looks every probe up in the built site."""
    where = {}
    for page in site.html():
        for mark, hrefs in site.page(page).links.items():
            where.setdefault(mark, []).extend((page, href) for href in hrefs)
    for probe in probes:
        found = where.get(probe.mark)
        if not found:
            # A role or an entry that leads nowhere is no link in the page.
            probe.truth = ("anchor" if probe.role == "ref" else "page") if probe.role else "raw"
            probe.href = probe.page = None
            continue
        outcomes = {site.judge(page, href) for page, href in found}
        probe.truth = outcomes.pop() if len(outcomes) == 1 else "ambiguous"
        probe.href = found[0][1]
        probe.page = found[0][0]


def pad(style, root, count):
    """Links that are right by every profile: without them, the many wrong ones make the audit doubt its profile."""
    folder = Path(root) / style.documents / "padding"
    folder.mkdir(parents=True, exist_ok=True)
    front = "\n".join(style.front(random.Random(0), 0)) + "\n"
    for name in ["LICENSE", "notes.txt", "raw.md"]:
        (folder / name).write_text("x\n")
    (folder / style.index).write_text(front + "x\n")
    # Links of every form, to what a generator without documents at their paths has, too.
    static = [Path(root) / of for of in style.static(root)]
    for of in static:
        (of / "padding.md").write_text("x\n")
        (of / "padding.txt").write_text("x\n")
    text = "\n".join([" ".join(f"[x]({link})" for link in style.padding)] * count)
    (folder / f"padding{style.ending}").write_text(front + text + "\n")
    return [folder, *(of / name for of in static for name in ["padding.md", "padding.txt"])]


def remove(paths):
    """Takes away what `pad` has made."""
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def verdicts(style, audit, root, probes):
    """The audit's word on every probe; returns the report, and how many right links are not judged, by kind."""
    padding = pad(style, root, len(probes))
    found, report = audit.findings(root)
    remove(padding)
    silent = defaultdict(list)
    for probe in probes:
        probe.codes = found.get((probe.path, probe.line), [])
        if probe.truth == "raw":
            probe.verdict = "shown raw"
        elif probe.truth in ("elsewhere", "none", "ambiguous"):
            probe.verdict = None
        elif probe.truth == "good":
            probe.verdict = "false alarm" if any(code != "anchor-case" for code in probe.codes) else "good, said so"
        elif probe.codes:
            probe.verdict = "broken, said so"
        else:
            probe.verdict = "missed"
            silent[probe.path, probe.form].append(probe)
    counts = Counter()
    for site in report["sites"]:
        for of in site["not_judged"]:
            counts["anchors" if of["form"] == "anchor" else "pages"] += of["count"]
    if counts:
        for (path, _), group in silent.items():
            unjudged = audit.not_judged(root, path, [probe.mark for probe in group])
            for probe in group:
                if probe.mark in unjudged:
                    probe.verdict = "not judged"
                    counts[kind(probe)] -= 1
    return report, counts


def fixed(style, root, variant, audit, probes):
    """Repairs the tree, builds it again, and says of each link what has become of it."""
    before = {path: path.read_text() for path in (root / style.documents).rglob(f"*{style.ending}")}
    padding = pad(style, root, len(probes))
    audit.fix(root)
    remove(padding)
    shutil.rmtree(root / "out", ignore_errors=True)
    after = [Probe(one.mark, one.path, one.line, one.form, one.destination, one.image, one.role) for one in probes]
    for one in after:
        # Each stands alone on its line.
        one.destination = "".join((root / one.path).read_text().splitlines()[one.line - 1 : one.line])
    truth(Site(style.build(root, variant), style.base, style.shows_folders), after)
    style.clean(root)
    counts, groups = Counter(), defaultdict(list)
    for old, new in zip(probes, after):
        if old.truth not in ("good", "page", "anchor"):
            continue
        if old.truth == "good":
            verdict = "kept" if new.truth == "good" else "LOST"
        elif new.truth == "good":
            verdict = "fixed"
        else:
            verdict = "left broken" if new.destination == old.text() else "fixed in vain"
        counts[verdict] += 1
        groups[verdict, old.form].append((old, new))
    changed = sum(path.read_text() != text for path, text in before.items())
    print(f"  fix      {changed} documents changed; " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in ["kept", "LOST", "fixed", "fixed in vain", "left broken"]))
    for (verdict, form), group in sorted(groups.items(), key=lambda item: -len(item[1])):
        if verdict in ("LOST", "fixed in vain"):
            print(f"    {len(group):5} {verdict}: {form}")
            for old, new in group[:3]:
                print(f"          {old.path}: {old.destination} ({old.href}) -> {new.destination} ({new.href})")


def one_site(style, variant, seed, trees, audit, keep, fix):
    """Builds and audits one site of many trees."""
    rng = random.Random(f"{style.name} {variant} {seed}")
    root = Path(tempfile.mkdtemp(prefix="renderers-", dir=style.place()))
    try:
        style.variant = variant
        sources = write_trees(style, root, rng, trees)
        style.setup(root, variant, sorted({path.split("/")[1] for path in sources.values()}))
        site = Site(style.build(root, variant), style.base, style.shows_folders)
        pages = {}
        for page in site.html():
            for token in site.page(page).tokens:
                if token in sources and (token not in pages or style.prefer(page, pages[token])):
                    pages[token] = page
        probes = []
        for _, more in write_probes(style, root, rng, sources, site, pages):
            probes += more
        shutil.rmtree(site.out)
        out = style.build(root, variant)
        built = Path(tempfile.mkdtemp(prefix="renderers-out-"))
        shutil.rmtree(built)
        shutil.move(out, built)
        site = Site(built, style.base, style.shows_folders)
        truth(site, probes)
        style.clean(root)
        report, unjudged = verdicts(style, audit, root, probes)
        if fix:
            fixed(style, root, variant, audit, probes)
        return probes, report, unjudged, sources, pages
    finally:
        if keep:
            print(f"kept: {root}")
        else:
            shutil.rmtree(root, ignore_errors=True)
            if "built" in locals():
                shutil.rmtree(built, ignore_errors=True)


def broken_links(style, root):
    """The marked links of a tree that its built site does not resolve: document, line, code."""
    probes = []
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix not in (".md", ".mdx"):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for link in LINK.finditer(line):
                    role = "toctree" if link["entry"] is not None else (link["role"] or "").strip("{}`")
                    probes.append(Probe(int(link[3]), str(path.relative_to(root)), number, "", link[0], role=role))
    twice = [mark for mark, count in Counter(probe.mark for probe in probes).items() if count > 1]
    if twice or not probes:
        raise Failed(f"each link needs a mark of its own; twice: {twice}")
    truth(Site(style.build(root, style.variants[0]), style.base, style.shows_folders), probes)
    return sorted((probe.path, probe.line, code(probe)) for probe in probes if probe.truth in ("page", "anchor"))


def code(probe):
    """The code of a link that does not work. MyST makes a fragment of any name that it does not find."""
    is_anchor = probe.truth == "anchor" and (probe.role == "ref" or "#" in probe.destination)
    return "broken-anchor" if is_anchor else "broken-link"


def fixtures(options):
    """Builds the kept trees by their generators, and compares with what their expected.tsv says."""
    wrong = trees = 0
    skipped = set()
    for expected in sorted((ROOT / "tests/fixtures/renderers").glob("*/*/expected.tsv" if not options.update else "*/*")):
        fixture = expected if options.update else expected.parent
        style = GENERATORS[fixture.parent.name]
        if options.generators and style.name not in options.generators:
            continue
        if not style.installed():
            skipped.add(style.name)
            continue
        root = Path(tempfile.mkdtemp(prefix="renderers-", dir=style.place()))
        try:
            shutil.copytree(fixture, root, dirs_exist_ok=True)
            built = broken_links(style, root)
        except Failed as failed:
            wrong += 1
            print(f"{style.name}/{fixture.name}: {failed}")
            continue
        finally:
            shutil.rmtree(root, ignore_errors=True)
        trees += 1
        if options.update:
            lines = [f"{path}\t{line}\t{code}\n" for path, line, code in built]
            (fixture / "expected.tsv").write_text("".join(lines))
            continue
        lines = [line.split("\t") for line in expected.read_text().splitlines() if line and not line.startswith("#")]
        kept = {(path, int(number)) for path, number, _ in lines}
        made = {(path, number) for path, number, _ in built}
        for path, number in sorted(kept ^ made):
            wrong += 1
            says = "broken" if (path, number) in made else "right"
            print(f"{style.name}/{fixture.name}: {path}:{number} is {says} in the built site; expected.tsv says otherwise")
    for name in sorted(skipped):
        print(f"SKIPPED {name}: it is not installed; scripts/renderers/install {name} says why")
    print(f"{trees} kept trees built, {wrong} lines differ")
    return 1 if wrong else 0


def kind(probe):
    """Whether a probe is about a page or about a place in one."""
    return "anchors" if probe.form.startswith("id") else "pages"


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/compare-renderers", description="Compares the audit's model of a site with what its generator really makes.")
    parser.add_argument("generators", nargs="*", metavar="GENERATOR[:VARIANT]", help=f"{', '.join(GENERATORS)} [default: all that are installed]")
    parser.add_argument("--trees", type=int, default=20, help="trees for each variant [default: 20]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binary", default=os.environ.get("MCP_KIT"), help="mcp-kit [default: $MCP_KIT, then the debug build]")
    parser.add_argument("--keep", action="store_true", help="leave the built trees")
    parser.add_argument("--show", type=int, default=3, metavar="N", help="disagreements to print of each kind [default: 3]")
    parser.add_argument("--json", metavar="FILE", help="write every disagreement there")
    parser.add_argument("--corpus", metavar="FOLDER", help="compare on this tree instead of made-up ones; a copy of it is built")
    parser.add_argument("--build", metavar="COMMAND", help="with --corpus: builds the site into $OUT, in the copy [default: as made-up trees]")
    parser.add_argument("--out", default="out", metavar="FOLDER", help="with --corpus: where the build puts the site, if not into $OUT")
    parser.add_argument("--base", default="/", metavar="/PATH/", help="with --corpus: the path at which the site is published [default: /]")
    parser.add_argument("--fix", action="store_true", help="then repair the tree by --fix, build it again, and say what has become of each link")
    parser.add_argument("--fixtures", action="store_true", help="build the trees of tests/fixtures/renderers and compare with their expected.tsv")
    parser.add_argument("--update", action="store_true", help="with --fixtures: write expected.tsv as the built sites say")
    options = parser.parse_args(arguments)
    if options.fixtures:
        return fixtures(options)
    binary = options.binary or Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug/mcp-kit"
    audit = Audit(binary)
    if options.corpus:
        if len(options.generators) != 1 or options.generators[0] not in GENERATORS:
            parser.error("--corpus takes one generator")
        try:
            corpus.compare(GENERATORS[options.generators[0]], audit, Path(options.corpus), options.build, options.out, options.base, options.show)
        except Failed as failed:
            print(f"SKIPPED {options.corpus}: {failed}")
        return 0
    disagreements = []
    for name in options.generators or GENERATORS:
        name, _, only = name.partition(":")
        style = GENERATORS.get(name)
        if style is None:
            parser.error(f"no generator {name}; there are: {', '.join(GENERATORS)}")
        if not style.installed():
            print(f"SKIPPED {name}: it is not installed; scripts/renderers/install {name} says why")
            continue
        for variant in [only] if only else style.variants:
            try:
                probes, report, unjudged, sources, pages = one_site(style, variant, options.seed, options.trees, audit, options.keep, options.fix)
            except Failed as failed:
                print(f"SKIPPED {name}:{variant}: {failed}")
                continue
            unplaced = sorted(path for token, path in sources.items() if token not in pages)
            print(f"{name}:{variant}: {options.trees} trees, {len(sources)} documents, {len(pages)} pages; {'; '.join(report['profiles'])[:300]}")
            if unplaced:
                print(f"  no page is made of {len(unplaced)}: {', '.join(unplaced[:4])}")
            for of in ["pages", "anchors"]:
                counts = Counter(probe.verdict for probe in probes if kind(probe) == of and probe.verdict)
                right = max(0, min(unjudged[of], counts["good, said so"]))
                counts["good, said so"] -= right
                counts["not judged"] += right
                print(f"  {of:8}" + "".join(f" {counts[column]:6} {column}" + "," * (column != COLUMNS[-1]) for column in COLUMNS))
            groups = defaultdict(list)
            for probe in probes:
                if probe.verdict in ("false alarm", "missed"):
                    groups[probe.verdict, probe.form, ",".join(probe.codes)].append(probe)
                    disagreements.append({"generator": name, "variant": variant, "verdict": probe.verdict, "form": probe.form, "codes": probe.codes, "path": probe.path, "destination": probe.destination, "href": probe.href, "page": probe.page, "truth": probe.truth, "of": probe.of})
            for (verdict, form, codes), group in sorted(groups.items(), key=lambda item: -len(item[1])):
                print(f"    {len(group):5} {verdict}: {form} {codes}")
                for probe in group[: options.show]:
                    print(f"          {probe.path}: {probe.destination} -> {probe.href}{probe.of and f'; {probe.of}'}")
            sys.stdout.flush()
    if options.json:
        Path(options.json).write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in disagreements) + "\n")
    return 0
