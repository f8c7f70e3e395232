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
