//! `mcp-kit audit-docs` on small sites of each generator: what resolves by its rules, what does not, and what is not judged.

use crate::trees::{errors, hold};

const DOCUSAURUS: &str = "export default {title: 'T', baseUrl: '/project/', presets: [['classic', {docs: {}}]]};\n";

#[test]
fn docusaurus_serves_documents_posts_and_files_below_their_addresses() {
    hold(&[
        (
            "addresses",
            &[
                ("docusaurus.config.js", DOCUSAURUS),
                ("static/img/x.png", "x"),
                (
                    "docs/intro.md",
                    "[a](/docs/guides/setup) [b](/docs/setup) ![c](/project/img/x.png) [d](/docs/start/install) [e](/gone)\n",
                ),
                ("docs/setup.md", "# S\n"),
                ("docs/01-start/02-install.md", "# I\n"),
                ("blog/2024-03-05-hello.md", "[t](/blog/tags/x) [p](/blog/2024/03/05/hello)\n"),
            ],
            &["docs/intro.md /docs/guides/setup", "docs/intro.md /gone"],
        ),
        (
            "paths from the page, the content and the site; each version for itself",
            &[
                ("docusaurus.config.js", DOCUSAURUS),
                ("versions.json", "[\"1.0\"]\n"),
                ("docs/api/store.md", "# S\n"),
                ("docs/deep/page.md", "[a](api/store.md) [b](docs/api/store.md) [c](/api/store.md) [d](api/no.md)\n"),
                ("versioned_docs/version-1.0/intro.md", "[n](./api/store.md) [o](/docs/1.0/intro)\n"),
            ],
            &["docs/deep/page.md api/no.md", "versioned_docs/version-1.0/intro.md ./api/store.md"],
        ),
        (
            "a computed configuration is not judged",
            &[
                ("docusaurus.config.ts", "export default async () => ({presets: load()});\n"),
                ("docs/intro.md", "[a](/docs/never) [b](gone.md)\n"),
            ],
            &["docs/intro.md gone.md"],
        ),
        (
            "neither is a plug-in that may make pages",
            &[
                (
                    "docusaurus.config.js",
                    "module.exports = {baseUrl: '/', presets: [['classic', {}]], plugins: ['own-pages']};\n",
                ),
                ("docs/intro.md", "[a](/docs/never)\n"),
            ],
            &[],
        ),
    ]);
}

#[test]
fn starlight_serves_slugs_and_falls_back_between_languages() {
    hold(&[(
        "addresses",
        &[
            (
                "astro.config.mjs",
                "import starlight from '@astrojs/starlight';\nexport default defineConfig({base: '/b', redirects: {'/old': '/x'}, integrations: [starlight({title: 'A', locales: {root: {}, de: {}}})]});\n",
            ),
            ("public/logo.svg", "x"),
            (
                "src/content/docs/index.mdx",
                "[a](/b/guides/set-up/) [b](/b/guides/set-up/?t=x#first) [c](/b/de/guides/set-up/) ![d](/b/logo.svg) [e](/b/old/)\n\n[x](/b/guides/nope/) [y](/b/guides/set-up/#gone)\n\n[z](/guides/set-up/)\n",
            ),
            ("src/content/docs/guides/Set Up.mdx", "## First\n"),
        ],
        // Its check of links calls one without the base broken.
        &[
            "src/content/docs/index.mdx /b/guides/nope/",
            "src/content/docs/index.mdx /b/guides/set-up/#gone",
            "src/content/docs/index.mdx /guides/set-up/",
        ],
    )]);
}

#[test]
fn starlight_imports_from_the_root_of_the_project() {
    hold(&[(
        "vite",
        &[
            (
                "astro.config.mjs",
                "import starlight from '@astrojs/starlight';\nexport default {integrations: [starlight({title: 'T'})]};\n",
            ),
            (
                "src/content/docs/index.mdx",
                "---\ntitle: I\n---\nimport Part from '/src/part.mdx';\nimport Gone from '/src/gone.mdx';\n\n[a](#in-the-part)\n\n<Part/> <Gone/>\n",
            ),
            ("src/part.mdx", "## In the part\n"),
        ],
        &["src/content/docs/index.mdx /src/gone.mdx"],
    )]);
}

#[test]
fn headings_of_the_first_level_have_no_id_in_docusaurus() {
    let page = "# Top\n\n[a](#top-1) [b](#a-title) [c](#two)\n\n# A title\n\n## A title\n\n## Two\n\n<h3>Raw</h3>\n\n[d](#a-title-1) [e](#raw)\n";
    let site = [("docusaurus.config.js", DOCUSAURUS), ("docs/a.md", page)];
    assert_eq!(errors(&site), ["docs/a.md #top-1", "docs/a.md #a-title", "docs/a.md #raw"]);
    // A project may show headings in its own way.
    let own = ("src/theme/Heading/index.tsx", "export default () => null;\n");
    assert_eq!(errors(&[site[0], site[1], own]), ["docs/a.md #top-1", "docs/a.md #raw"]);
}

#[test]
fn vitepress_leaves_endings_out_and_names_headings_its_own_way() {
    hold(&[(
        "addresses",
        &[
            ("docs/.vitepress/config.ts", "export default {title: 'V'}\n"),
            ("docs/public/logo.svg", "x"),
            ("docs/guide/api.md", "## 1. Hooks\n"),
            (
                "docs/index.md",
                "[a](/guide/api) [b](./guide/api.html#_1-hooks) [c](./guide/api) ![l](/logo.svg)\n\n[x](/guide/nope) [y](./guide/api#hooks)\n",
            ),
        ],
        &["docs/index.md /guide/nope", "docs/index.md ./guide/api#hooks"],
    )]);
}

#[test]
fn jekyll_serves_permalinks_and_collections() {
    hold(&[(
        "addresses",
        &[
            ("docs/_config.yml", "collections:\n  guides:\n    output: true\n    permalink: /g/:path/\n"),
            ("docs/_guides/setup.md", "---\ntitle: S\n---\n"),
            ("docs/about.md", "---\npermalink: /company/\n---\n"),
            ("docs/help.html", "---\npermalink: /support/\n---\n"),
            ("docs/_posts/2024-01-02-hello.md", "---\n---\n"),
            (
                "docs/index.md",
                "[a](/company/) [b](/g/setup/) [c](/support/) [d](/2024/01/02/hello.html) [e]({{ '/x' | relative_url }}) [f]({{ 'company/' | relative_url }})\n\n[x](/nope/)\n",
            ),
        ],
        &["docs/index.md /x", "docs/index.md /nope/"],
    )]);
}

#[test]
fn docsify_fetches_pages_by_address() {
    hold(&[(
        "addresses",
        &[
            ("docs/index.html", "<script>window.$docsify = {}</script>"),
            ("docs/setup.md", "## First run\n"),
            (
                "docs/guide/README.md",
                "[a](setup) [b](/setup?id=first-run) [c](#/setup) [d](/guide/) [x](/guide/nope)\n",
            ),
            ("docs/_coverpage.md", "[start](#main)\n"),
        ],
        &["docs/guide/README.md /guide/nope"],
    )]);
    hold(&[(
        "an alias may lead anywhere",
        &[
            (
                "docs/index.html",
                "<script>window.$docsify = { alias: { '.*?/awesome': 'https://example.com/x.md' } }</script>",
            ),
            ("docs/README.md", "[a](awesome.md) [b](setup.md) [x](none.png)\n"),
            ("docs/setup.md", "# Setup\n"),
        ],
        &["docs/README.md none.png"],
    )]);
}

#[test]
fn sphinx_finds_labels_on_every_page() {
    hold(&[
        (
            "all labels are here",
            &[
                ("docs/conf.py", "extensions = [\"myst_parser\"]\nmyst_heading_anchors = 3\n"),
                ("docs/guide/setup.md", "(first-run)=\n## Running\n\n[back](../index)\n"),
                ("docs/index.md", "[a](first-run) [](#first-run) [b](guide/setup)\n\n[x](never) [y](gone.md)\n"),
            ],
            &["docs/index.md never", "docs/index.md gone.md"],
        ),
        (
            "reStructuredText may have others",
            &[
                ("docs/conf.py", "extensions = [\"myst_parser\"]\nmyst_heading_anchors = 3\n"),
                ("docs/api.rst", "x\n"),
                ("docs/index.md", "[x](never) [a](api)\n"),
            ],
            &[],
        ),
        (
            "what is included from outside may name labels",
            &[
                ("docs/conf.py", "extensions = [\"myst_parser\"]\nmyst_heading_anchors = 3\n"),
                ("docs/index.md", "(the/label)=\n# I\n\n```{include} ../CHANGELOG.md\n```\n"),
                ("CHANGELOG.md", "[a](the/label) [b](#the/label) [c](no/label) [d](docs/gone.md)\n"),
            ],
            &["CHANGELOG.md no/label", "CHANGELOG.md docs/gone.md"],
        ),
    ]);
}

#[test]
fn a_document_with_front_matter_beside_a_site_is_written_for_it() {
    hold(&[(
        "a template",
        &[
            ("hugo.toml", "baseURL = 'https://example.net/'\n"),
            ("content/_index.md", "# I\n"),
            ("templates/post.md", "---\ntitle: x\n---\n[a](/adopters/) [b](/#calendar) [c](gone.md)\n"),
            ("README.md", "[a](/adopters/)\n"),
        ],
        &["README.md /adopters/", "templates/post.md gone.md"],
    )]);
}

#[test]
fn hugo_serves_slugs_urls_and_sections() {
    hold(&[(
        "addresses",
        &[
            ("hugo.toml", "baseURL = 'https://example.net/'\n"),
            ("content/docs/Set Up.md", "---\nslug: install\n---\n"),
            ("content/docs/b.md", "---\nurl: /else/where/\n---\n"),
            (
                "content/_index.md",
                "[a](/docs/install/) [b](/else/where/) [c](/docs/) [d](/tags/x/) [e]({{< ref \"docs/b.md\" >}})\n\n[x](/docs/gone/) [y]({{< relref \"docs/never.md\" >}})\n",
            ),
        ],
        &["content/_index.md /docs/gone/", "content/_index.md docs/never.md"],
    )]);
}

#[test]
fn mkdocs_takes_paths_from_files_and_reads_its_navigation() {
    hold(&[
        (
            "paths",
            &[
                ("mkdocs.yml", "site_name: x\ntheme: !ENV [T, material]\nx: !!python/name:a.b ''\n"),
                ("docs/guide/setup.md", "[u](../usage.md)\n"),
                ("docs/guide/usage.md", "# U\n"),
                ("docs/index.md", "[s](guide/setup.md) [u](guide/usage.md) [a](/guide/gone.md)\n"),
            ],
            &["docs/guide/setup.md ../usage.md"],
        ),
        (
            "absolute links and navigation",
            &[
                (
                    "mkdocs.yml",
                    "nav:\n  - index.md\n  - Gone: guide/gone.md\nvalidation:\n  links:\n    absolute_links: relative_to_docs\n",
                ),
                ("docs/index.md", "[a](/guide/no.md)\n"),
            ],
            &["docs/index.md /guide/no.md", "mkdocs.yml guide/gone.md"],
        ),
    ]);
}

#[test]
fn mdbook_has_what_its_summary_lists() {
    hold(&[(
        "chapters",
        &[
            ("book.toml", "[book]\ntitle = 'B'\n"),
            ("src/SUMMARY.md", "- [One](one.md)\n- [Draft]()\n- [In](in/README.md)\n"),
            ("src/in/README.md", "[up](../one) [up/](../one/) [here](../in/)\n"),
            ("src/one.md", "[other](other.md) {{#include other.md}}\n"),
            ("src/other.md", "# O\n"),
        ],
        &["src/in/README.md ../one/", "src/one.md other.md"],
    )]);
}

#[test]
fn wikis_and_vaults_find_pages_by_name() {
    hold(&[
        (
            "vault",
            &[
                (".obsidian/app.json", "{}"),
                ("notes/Daily routine.md", "## Morning\n"),
                ("files/photo.png", "x"),
                (
                    "Home.md",
                    "[[Daily routine#Morning|m]] ![[photo.png]] ![p](photo.png)\n\n[[Never]] [[Daily routine#Night]]\n",
                ),
            ],
            &["Home.md Never", "Home.md Daily routine#Night"],
        ),
        (
            "wiki of Azure DevOps",
            &[
                (".order", "Home\n"),
                ("Home.md", "[a](/Guide/First-steps) [b](/Guide/Nope)\n"),
                ("Guide/First-steps.md", "x\n"),
            ],
            &["Home.md /Guide/Nope"],
        ),
    ]);
}

#[test]
fn what_a_configuration_computes_can_be_said_in_the_catalog() {
    let site = [
        ("next.config.ts", "export default {};\n"),
        ("public/a.png", "x"),
        ("docs/a.md", "![a](/a.png) ![b](/b.png)\n"),
    ];
    assert_eq!(errors(&site), [""; 0]);
    let catalog = "organisation: {name: X}\naudit:\n  site:\n    roots: [public]\n";
    assert_eq!(errors(&[&site[..], &[("catalog.yaml", catalog)]].concat()), ["docs/a.md /b.png"]);
}

#[test]
fn hostile_settings_leave_links_open() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        bomb += &format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", "));
    }
    let large = format!("site_name: x\nnav:\n{}", "  - a.md\n".repeat(600_000));
    for settings in [bomb.as_str(), "a: [\n", large.as_str()] {
        assert_eq!(errors(&[("mkdocs.yml", settings), ("docs/a.md", "[a](gone.md)\n")]), [""; 0]);
    }
}
