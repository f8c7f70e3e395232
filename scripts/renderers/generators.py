"""The generators: how a made-up site of each is laid out, what is special in its documents, and how it is built."""

import json
import os
import re
import shutil
import subprocess
from html import escape
from pathlib import Path

CACHE = Path(
    os.environ.get("MCP_KIT_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-kit"
) / "renderers"
LOGO = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class Failed(Exception):
    """A build that did not come to its end."""


def run(command, folder, **environment):
    """Runs a build; raises with the end of what it said."""
    environment = {**os.environ, "CI": "1", "NO_COLOR": "1", **environment}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise Failed(f"{' '.join(map(str, command[:3]))}: exit status {done.returncode}: {said[-1500:]}")
    return done.stdout + done.stderr


def indented(mark):
    """A block that is indented below a line of its own."""
    return lambda rng, block: [mark, ""] + ["    " + line for line in block]


def quoted(_, block):
    """A block in a quotation."""
    return ["> " + line for line in block]


def in_list(_, block):
    """A block in an item of a list."""
    return ["- item", ""] + ["  " + line for line in block]


def fenced(_, block):
    """What only looks like a heading."""
    return ["````md"] + block + ["````"]


def commented(_, block):
    """What nobody sees."""
    return ["<!--"] + block + ["-->"]


def in_html(_, block):
    """A block between elements, with blank lines."""
    return ["<div>", ""] + block + ["", "</div>"]


def in_tight_html(_, block):
    """A block between elements, without blank lines."""
    return ["<div>"] + block + ["</div>"]


def details(_, block):
    """A block that opens."""
    return ["<details>", "<summary>More</summary>", ""] + block + ["", "</details>"]


def container(opening, closing):
    """A block between two lines."""
    return lambda rng, block: [opening, ""] + block + ["", closing]


COMMON = [quoted, in_list, fenced, commented, in_html, in_tight_html, details]


class Generator:
    """What is common."""

    name = ""
    #: Headings of words alone, each once.
    plain = False
    #: Folders are pages, whatever is in them.
    shows_folders = False
    documents = "docs"
    #: Where the addresses of the documents begin.
    ending = ".md"
    base = "/"
    html = True
    mdx = False
    ids = []
    blocks = COMMON
    extras = []
    #: Broken images stop the build.
    images = True
    #: The ways to set it up; each is a site of its own.
    variants = ["plain"]
    index = "index.md"

    def front(self, rng, token):
        """Lines at the top of a document."""
        return []

    def setup(self, root, variant, folders):
        """Writes the settings."""

    def static(self, root):
        """Where static files go: folders that the site has at its root."""
        return []

    def build(self, root, variant):
        """Builds, and returns where the site lies."""
        raise NotImplementedError

    def prefer(self, page, other):
        """Whether the first of two pages with the same text is the document's own."""
        return page.count("/") > other.count("/")

    def clean(self, root):
        """Removes what a build leaves beside the documents."""

    def installed(self):
        """Whether it is there."""
        return (CACHE / self.name / "installed").is_file()


class MkDocs(Generator):
    """MkDocs with Material."""

    name = "mkdocs"
    variants = ["material", "plain", "flat", "github-slugs"]
    ids = ["{{#{name}}}", "{{ #{name} }}", "{{ #{name} .class }}", "{{ id={name} }}", '{{ id="{name}" }}', "{{: #{name} }}", "{{ data-toc-label='x' #{name} }}"]
    blocks = COMMON + [indented("!!! note"), indented('??? tip "A title"'), indented('=== "Tab"')]
    extras = [
        lambda rng: "[](){ #standalone }",
        lambda rng: "A paragraph.\n{ #paragraph }",
        lambda rng: "![image](logo.png){ #picture }",
        lambda rng: "A note.[^1]\n\n[^1]: The note.",
        lambda rng: 'Term\n:   Definition with <span id="in-definition">id</span>.',
        lambda rng: "<h3 id=\"raw-heading\">Raw</h3>",
        lambda rng: "<div markdown>\n## Inside markdown\n</div>",
        lambda rng: '<div markdown="1">\n\n## Inside numbered\n\n</div>',
        lambda rng: "*[HTML]: Hyper Text",
        lambda rng: "| a | b |\n|---|---|\n| <a id=\"cell\"></a> | [x](#cell) |",
    ]

    def setup(self, root, variant, folders):
        theme = "material" if variant != "plain" else "mkdocs"
        extensions = ["attr_list", "md_in_html", "admonition", "footnotes", "def_list", "tables", "abbr"]
        lines = ["site_name: Made up", "site_url: https://site.invalid/", f"theme: {theme}"]
        if variant == "flat":
            lines.append("use_directory_urls: false")
        if variant == "plain":
            extensions = ["attr_list", "footnotes", "admonition"]
            lines += ["markdown_extensions:"] + [f"  - {name}" for name in extensions] + ["  - toc: {permalink: true}"]
        else:
            extensions += ["pymdownx.details", "pymdownx.superfences", "pymdownx.tilde"]
            lines += ["markdown_extensions:"] + [f"  - {name}" for name in extensions]
            lines += ["  - pymdownx.tabbed: {alternate_style: true}", "  - pymdownx.emoji"]
            if variant == "github-slugs":
                lines += ["  - toc:", "      slugify: !!python/object/apply:pymdownx.slugs.slugify {kwds: {case: lower}}", "      permalink: true"]
            else:
                lines += ["  - toc: {permalink: true}"]
        lines += ["plugins: []"]
        (root / "mkdocs.yml").write_text("\n".join(lines) + "\n")

    def build(self, root, variant):
        run([CACHE / "mkdocs/bin/mkdocs", "build", "--quiet", "--site-dir", root / "out"], root)
        return root / "out"


class GitHub(Generator):
    """GitHub's names of headings by github-slugger: headings of plain text, none of them twice."""

    name = "github-slugger"
    documents = "notes"
    blocks = []
    plain = True
    shows_folders = True

    def build(self, root, variant):
        out = root / "out"
        for folder, _, names in os.walk(root):
            at = Path(folder)
            if out in (at, *at.parents):
                continue
            (out / at.relative_to(root)).mkdir(parents=True, exist_ok=True)
            for name in names:
                target = out / at.relative_to(root) / name
                if not name.endswith(".md"):
                    shutil.copy(at / name, target)
                    continue
                lines = (at / name).read_text().splitlines()
                texts = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
                ids = dict(zip(texts, slugs(texts)))
                html = []
                for line in lines:
                    if line.startswith("#"):
                        text = line.lstrip("#").strip()
                        html.append(f"<h2 id='{escape(ids[text])}'>{escape(text)}</h2>")
                    elif link := re.match(r"(!?)\[(\w+)\]\((.*)\)$", line):
                        attributes = [escape(link[3].strip("<>")), link[2]]
                        html.append("<img src='{}' alt='{}'>".format(*attributes) if link[1] else "<a href='{}'>{}</a>".format(*attributes))
                    else:
                        html.append(escape(line))
                target.with_name(name + ".html").write_text("<main>" + "\n".join(html) + "</main>")
        return out


def slugs(texts):
    """What github-slugger makes of texts; nothing without it."""
    program = (
        "import {slug} from 'github-slugger'; let t=''; process.stdin.on('data',d=>t+=d).on('end',()=>"
        "console.log(JSON.stringify(JSON.parse(t).map(x=>slug(x)))))"
    )
    folder = CACHE / "github-slugger"
    if not (folder / "installed").is_file():
        return []
    command = ["node", "--input-type=module", "-e", program]
    done = subprocess.run(command, cwd=folder, input=json.dumps(texts), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


GENERATORS = {generator.name: generator for generator in [MkDocs(), GitHub()]}
