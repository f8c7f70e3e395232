//! `mcp-kit audit-docs` on generators and habits of public trees that were met last: each a small tree of its own, with one link in it that is
//! broken by any rule.

use crate::trees::hold;

/// Recognised by their own files: what only they know is not judged, and what no renderer would find is an error.
#[test]
fn generators_without_a_profile_are_recognised() {
    hold(&[
        (
            "Zola counts `@/` from its content",
            &[
                ("docs/config.toml", "base_url = \"https://x.io\"\n"),
                (
                    "docs/content/guide/start.md",
                    "+++\ntitle = \"S\"\n+++\n[a](@/guide/more.md#any) [b](@/guide/gone.md) [c](/guide/more/) [d](pic.png) [e](lost.png)\n",
                ),
                ("docs/content/guide/more.md", ""),
                ("docs/static/pic.png", ""),
            ],
            &["docs/content/guide/start.md @/guide/gone.md", "docs/content/guide/start.md lost.png"],
        ),
        (
            "Hexo, whose settings have the name of Jekyll's",
            &[
                ("_config.yml", "title: H\npermalink: news/:title/\n"),
                ("package.json", "{\"dependencies\": {\"hexo\": \"^7\"}}\n"),
                ("source/docs/a.md", "## list_tags\n\n[a](#list-tags) [b](/docs/b) [c](b.html) [d](gone.md)\n"),
                ("source/docs/b.md", ""),
                ("README.md", "[a](gone.md)\n"),
            ],
            &["README.md gone.md", "source/docs/a.md gone.md"],
        ),
        (
            "Documenter.jl finds headings and code by their names",
            &[
                ("docs/make.jl", "using Documenter\nmakedocs(sitename = \"X\")\n"),
                (
                    "docs/src/index.md",
                    "# [Start](@id start)\n\n[a](@ref) [b](@ref start) [`c`](@ref X.c) [d](gone.md)\n",
                ),
            ],
            &["docs/src/index.md gone.md"],
        ),
        (
            "The Carpentries put all pages of a lesson in one folder",
            &[
                ("config.yaml", "carpentry: 'swc'\n"),
                ("index.md", "[a](episodes/gone.md)\n"),
                ("episodes/01-a.md", "[a](02-b) [b](reference.html#term) [c](setup.md)\n"),
                ("episodes/02-b.md", ""),
                ("learners/reference.md", "[Term]{#term}\n:  x\n"),
                ("learners/setup.md", ""),
                ("README.md", "[a](gone.md)\n"),
            ],
            &["README.md gone.md"],
        ),
        (
            "MarkBind has its own includes and variables",
            &[
                ("docs/site.json", "{\"baseUrl\": \"\", \"pages\": []}\n"),
                ("docs/a.md", "<include src=\"codeAndOutput.md\" boilerplate />\n\n[a](#x) [b]({{baseUrl}}/b.html)\n"),
                ("README.md", "[a](gone.md)\n"),
            ],
            &["README.md gone.md"],
        ),
        (
            "loaders of Observable Framework make files",
            &[
                ("observablehq.config.js", "export default {title: \"O\"}\n"),
                ("src/index.md", "[a](/lib/b) ![x](data/map.png)\n"),
                ("src/data/map.png.js", ""),
                ("README.md", "[a](src/gone.md)\n"),
            ],
            &["README.md src/gone.md"],
        ),
        (
            "dumi, Vocs, Bridgetown, Doctave and Pelican",
            &[
                ("a/.dumirc.ts", "export default {}\n"),
                ("a/docs/x.md", "[a](/theme) <embed src=\"../.upstream/x.md#RE-/a[^b]+/\"></embed>\n"),
                ("b/vocs.config.tsx", "export default {}\n"),
                ("b/pages/x.mdx", "[a](/docs/y)\n"),
                ("c/bridgetown.config.yml", "permalink: simple\n"),
                ("c/src/_docs/x.md", "[a](/y) [b](cookbook/y)\n"),
                ("d/doctave.yaml", "title: D\n"),
                ("d/docs/README.md", "[a](/y)\n"),
                ("d/docs/x.md", "[a](/y)\n"),
                ("e/pelicanconf.py", "PATH = 'content'\n"),
                ("e/content/x.md", "[a](/y) [b]({filename}y.md) [c](|filename|/y.rst)\n"),
                ("README.md", "[a](gone.md)\n"),
            ],
            &["README.md gone.md"],
        ),
        (
            "GitBook keeps pictures below .gitbook, and finds documents by path",
            &[
                (".gitbook/assets/a.png", ""),
                (
                    "guide/a.md",
                    "## 1. Start\n\n[a](#id-1.-start) ![b](../.gitbook/assets/a.png) [c](gone.md) [d](/guide/b)\n",
                ),
            ],
            &["guide/a.md gone.md"],
        ),
        (
            "GitBook's root",
            &[(".gitbook.yaml", "root: ./docs/\n"), ("docs/a.md", "[a](/x) [b](gone.md)\n"), ("b.md", "[a](/x)\n")],
            &["b.md /x", "docs/a.md gone.md"],
        ),
        (
            "Docsify with pages of other names",
            &[
                ("docs/index.html", "<script>window.$docsify = {homepage: 'intro.md'}</script>\n"),
                ("docs/intro.md", "[a](options) [b](options?id=one) [c](gone)\n"),
                ("docs/options.md", "## One\n"),
            ],
            &["docs/intro.md gone"],
        ),
    ]);
}

#[test]
fn hugo_without_archetypes_and_with_content_from_beside() {
    hold(&[
        (
            "config.toml",
            &[
                ("config.toml", "baseURL = \"/\"\ncontentDir = \"content/en\"\n"),
                ("content/en/docs/a.md", "{{< ref \"b.md\" >}} [a](/docs/b/) [b](/docs/gone/)\n"),
                ("content/en/docs/b.md", ""),
            ],
            &["content/en/docs/a.md /docs/gone/"],
        ),
        (
            "mounts of styles only",
            &[
                (
                    "hugo.toml",
                    "baseURL = \"/\"\n[module]\n[[module.mounts]]\nsource = \"assets\"\ntarget = \"assets\"\n[[module.mounts]]\nsource = \"node_modules/x\"\ntarget = \"static/x\"\n",
                ),
                ("content/a.md", "[a](gone.md) ![b](/x/y.png) ![c](z.png) [d](#gone)\n"),
            ],
            &["content/a.md gone.md", "content/a.md #gone"],
        ),
        (
            "mounts",
            &[
                (
                    "site/hugo.toml",
                    "baseURL = \"/\"\n[module]\n[[module.mounts]]\nsource = \"content\"\ntarget = \"content\"\n[[module.mounts]]\nsource = \"../geps\"\ntarget = \"content/geps\"\n",
                ),
                ("site/content/geps/overview.md", "## States\n"),
                ("geps/_index.md", ""),
                ("geps/gep-1/index.md", "[a](../overview.md#states) [b](#gone)\n"),
            ],
            &["geps/gep-1/index.md #gone"],
        ),
    ]);
}

/// `../` on a page at `/deploy/install/helm/` is `/deploy/install/`.
#[test]
fn a_folder_is_one_of_addresses_where_its_page_has_the_place() {
    hold(&[(
        "Hugo with a theme that is not here",
        &[
            ("hugo.toml", "theme = \"x\"\n"),
            ("content/deploy/_index.md", "# Deploy\n"),
            ("content/deploy/install/_index.md", "## Requirements\n"),
            ("content/deploy/install/helm.md", "## Here\n\n[a](../#requirements) [b](./#here) [c](../#gone)\n"),
        ],
        &["content/deploy/install/helm.md ../#gone"],
    )]);
}

#[test]
fn pages_for_a_site_elsewhere_name_headings_by_its_rules() {
    hold(&[(
        "front matter with a title; kramdown's names",
        &[
            (
                "docs/client.md",
                "---\nid: Client\ntitle: Client\n---\n\n## `client.fetchAll`\n\n## Web {:#web}\n\n[a](#client-fetchall) [b](#web) [c](#gone)\n[d](more#x) [e](lost)\n",
            ),
            ("docs/more.md", ""),
            ("README.md", "## `client.fetchAll`\n\n## B { #b }\n\n[a](#client-fetchall) [b](#b)\n"),
        ],
        &["README.md #client-fetchall", "README.md #b", "docs/client.md #gone", "docs/client.md lost"],
    )]);
}

#[test]
fn github_as_it_is() {
    hold(&[
        (
            "pages beside the files, from the root",
            &[("docs/a.md", "[a](/../../actions) [b](/../../issues/new) [c](/../gone)\n")],
            &["docs/a.md /../gone"],
        ),
        (
            "names that the page itself begins with user-content-",
            &[(
                "README.md",
                "<a name=\"user-content-note\"></a>\n\n[a](#user-content-note) [b](#note) [c](#user-content-gone)\n",
            )],
            &["README.md #note", "README.md #user-content-gone"],
        ),
        (
            "a README that Jekyll does not make a page of",
            &[
                ("_config.yml", "title: T\n"),
                ("_includes/head.html", ""),
                ("index.md", "---\n---\n[a](gone.html)\n"),
                ("README.md", "[a](_includes/head.html) [b](gone.md)\n"),
            ],
            &["README.md gone.md", "index.md gone.html"],
        ),
        (
            "the page of a site whose root is not known",
            &[
                ("eleventy.config.js", "export default () => {}\n"),
                ("README.md", "# R\n"),
                ("src/a.md", "[a](/#why)\n"),
            ],
            &[],
        ),
    ]);
}

#[test]
fn components_with_code_and_code_with_components() {
    hold(&[
        (
            "a comment in the attribute of a component",
            &[
                ("docusaurus.config.js", "module.exports = {}\n"),
                ("docs/a.mdx", "<Code code={`<!-- x -->\n<a href=\"./no.php\">\n\n[b](no.md)\n`} />\n\n[a](gone.md)\n"),
            ],
            &["docs/a.mdx gone.md"],
        ),
        (
            "a block of code that Docusaurus unwraps",
            &[
                ("docusaurus.config.js", "module.exports = {}\n"),
                ("docs/api.mdx", "```mdx-code-block\nimport API from '@theme/API'\n\n<API />\n```\n"),
                ("src/theme/API.tsx", "import Redoc from 'redoc'\nexport default () => <Redoc />\n"),
                ("docs/a.md", "[a](api.mdx#tag/x) [b](b.md#gone) [c](api.mdx#gone) [d](b.md#tag/x)\n"),
                ("docs/b.md", "```mdx-code-block\n[a](gone.md)\n```\n\n## B\n"),
            ],
            &["docs/a.md b.md#gone", "docs/a.md api.mdx#gone", "docs/a.md b.md#tag/x", "docs/b.md gone.md"],
        ),
    ]);
}

#[test]
fn settings_that_name_places() {
    hold(&[
        (
            "plug-ins of Astro's own Markdown may take one ending for the other",
            &[
                (
                    "astro.config.mjs",
                    "import starlight from '@astrojs/starlight';\nexport default { integrations: [starlight({ title: 'X' })], markdown: { remarkPlugins: [ours()] } };\n",
                ),
                ("src/content/docs/a.md", "---\ntitle: A\n---\n[a](./b.md) [b](./gone.md)\n"),
                ("src/content/docs/b.mdx", "---\ntitle: B\n---\n"),
            ],
            &["src/content/docs/a.md ./gone.md"],
        ),
        (
            "tabs of MkDocs by their titles",
            &[
                (
                    "mkdocs.yml",
                    "markdown_extensions:\n  - pymdownx.tabbed:\n      combine_header_slug: true\n      slugify: !!python/object/apply:pymdownx.slugs.slugify\n        kwds:\n          case: lower\n",
                ),
                (
                    "docs/index.md",
                    "### Anchor links\n\n=== \"Open me ...\"\n    a\n\n=== \"... or me ...\"\n    b\n\n[a](#anchor-links-open-me-) [b](#anchor-links--or-me-) [c](#open-me-)\n",
                ),
            ],
            &["docs/index.md #open-me-"],
        ),
        (
            "links that VitePress leaves alone, by pattern",
            &[
                (
                    ".vitepress/config.ts",
                    "export default {cleanUrls: true, ignoreDeadLinks: [/^\\/play/, /:\\/\\/localhost/]}\n",
                ),
                ("index.md", "[a](/play) [b](/play/?x=1) [c](/gone)\n"),
            ],
            &["index.md /gone"],
        ),
    ]);
}

#[cfg(unix)]
#[test]
fn attachments_of_a_vault_that_git_ignores() {
    hold(&[(
        "an Obsidian vault",
        &[
            (".gitignore", "Media\n"),
            (".obsidian/app.json", "{\"attachmentFolderPath\": \"Media\"}\n"),
            ("a.md", "![[cat.png]] [[gone]]\n"),
        ],
        &["a.md gone"],
    )]);
}

const CLASSIC: &str = "export default { presets: [['classic', { docs: {}, blog: false }]] };\n";

#[test]
fn expressions_are_text_of_headings_in_docusaurus() {
    hold(&[(
        "as its build names them",
        &[
            ("docusaurus.config.js", CLASSIC),
            (
                "docs/a.mdx",
                "# A\n\n## a {1+1} b\n\n## Using {frontMatter.title}\n\n## m {/* comment */} n\n\n## l {`t`}\n\n## With <b>{1}</b> x\n\n### j {/* #own */}\n\n## g `{x}`\n\n## a_{a_b_c}\n",
            ),
            (
                "docs/b.md",
                "[1](a.mdx#a-11-b) [2](a.mdx#using-frontmattertitle) [3](a.mdx#m--comment--n) [4](a.mdx#l-t) [5](a.mdx#with-1-x) [6](a.mdx#own) [7](a.mdx#g-x) [8](a.mdx#a_a_b_c)\n\n[9](a.mdx#using)\n",
            ),
        ],
        &["docs/b.md a.mdx#using"],
    )]);
}

#[test]
fn an_index_of_docusaurus_has_the_address_of_its_folder_alone() {
    hold(&[(
        "by address and by path",
        &[
            ("docusaurus.config.js", CLASSIC),
            ("docs/x/index.md", "# X\n"),
            ("docs/y.md", "---\nslug: /own/index\n---\n# Y\n"),
            (
                "docs/a.md",
                "[1](/docs/x) [2](/docs/x/) [3](x/index.md) [4](/docs/own/index)\n\n[5](/docs/x/index) [6](./x/index)\n",
            ),
        ],
        &["docs/a.md /docs/x/index", "docs/a.md ./x/index"],
    )]);
}

#[test]
fn a_folder_of_a_book_without_a_page_is_no_target() {
    hold(&[(
        "as the built book has them",
        &[
            ("book.toml", "[book]\ntitle = \"x\"\n"),
            ("src/SUMMARY.md", "- [A](a.md)\n- [W](with/index.md)\n- [R](readme/README.md)\n"),
            ("src/with/index.md", "# W\n"),
            ("src/readme/README.md", "# R\n"),
            ("src/data/x.txt", "x"),
            ("src/a.md", "[1](with/) [2](with) [3](readme/) [4](./) [5](.) [6](data/x.txt)\n\n[7](data/) [8](data)\n"),
        ],
        &["src/a.md data/", "src/a.md data"],
    )]);
}

#[test]
fn links_within_a_project_of_myst() {
    hold(&[(
        "by scheme, and to notebooks",
        &[
            ("docs/conf.py", "extensions = [\"myst_parser\"]\nmyst_heading_anchors = 3\n"),
            ("docs/b.md", "# B\n\n(label-b)=\n## B head\n"),
            ("docs/file.txt", "x"),
            (
                "docs/index.md",
                "# Index\n\n[1](project:b.md#b-head) [2](project:#label-b) [3](path:file.txt) <project:b.md> [4](project:#index)\n\n[5](project:#z) [6](project:b.md#zz) [7](project:gone.md) <project:gone2.md> [8](path:gone.txt)\n",
            ),
        ],
        &[
            "docs/index.md #z",
            "docs/index.md b.md#zz",
            "docs/index.md gone.md",
            "docs/index.md gone2.md",
            "docs/index.md gone.txt",
        ],
    )]);
    hold(&[(
        "notebooks",
        &[
            ("docs/conf.py", "extensions = [\"myst_nb\"]\n"),
            ("docs/nb.ipynb", "{\"cells\": []}"),
            ("docs/index.md", "[1](nb.ipynb) [2](nb) [3](nb.ipynb#a-cell) [4](#nb-label) [5](nb-label) {doc}`nb`\n"),
        ],
        &[],
    )]);
}

#[test]
fn posts_of_jekyll_are_there() {
    hold(&[(
        "by tag",
        &[
            ("_config.yml", "title: x\n"),
            ("_posts/2020-01-02-hello.md", "---\n---\n# P\n"),
            ("_posts/sub/2022-1-2-three.markdown", "---\n---\n"),
            ("cat/_posts/2021-01-02-two.md", "---\n---\n"),
            ("2023-01-02-none.md", "x\n"),
            (
                "index.md",
                "---\n---\n[1]({% post_url 2020-01-02-hello %}) [2]({% post_url 2021-01-02-two %}) [3]({% post_url cat/2021-01-02-two %}) [4]({% post_url 2022-01-02-three %}) [5]({{ site.baseurl }}{% post_url 2020-01-02-hello %}#p) [6]({% post_url 2020-01-02-hello %}#p)\n\n[7]({% post_url 2020-01-02-gone %}) [8]({% post_url 2023-01-02-none %})\n",
            ),
            ("text.md", "[9]({% post_url 2020-01-02-gone %})\n"),
        ],
        &["index.md 2020-01-02-gone", "index.md 2023-01-02-none"],
    )]);
}

#[test]
fn pages_that_mintlify_makes_from_a_description_are_not_judged() {
    hold(&[(
        "in their directory, or in the usual one",
        &[
            (
                "docs.json",
                "{\"navigation\": {\"tabs\": [{\"groups\": [{\"group\": \"A\", \"openapi\": {\"source\": \"q.yaml\", \"directory\": \"q/api\"}}, {\"group\": \"B\", \"openapi\": \"b.yaml\", \"pages\": [\"a\"]}]}]}}\n",
            ),
            ("q/a.mdx", "[1](/q/api/dlq/delete) [2](/api-reference/x/y) [3](api/dlq)\n\n[4](/q/gone) [5](/api/x)\n"),
        ],
        &["q/a.mdx /q/gone", "q/a.mdx /api/x"],
    )]);
}

#[test]
fn parts_of_pages_of_a_generator_without_a_profile_are_not_judged() {
    hold(&[(
        "Quarto shows `_x.md` on pages elsewhere",
        &[
            ("_quarto.yml", "project:\n  type: website\n"),
            ("docs/cli/render.qmd", "# R\n"),
            ("docs/cli/includes/_commands.md", "[r](render.qmd) [t](_)\n"),
            ("docs/page.md", "[r](cli/render.qmd) [g](gone.md)\n"),
        ],
        &["docs/page.md gone.md"],
    )]);
}
