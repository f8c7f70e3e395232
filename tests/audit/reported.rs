//! `mcp-kit audit-docs` on situations that users of link checkers report, and on those of public trees: each a small tree with the errors that it
//! has by the rules of its renderer.

use crate::trees::hold;

#[test]
fn layouts_of_hugo_show_further_documents() {
    hold(&[
        (
            "by name",
            &[
                ("hugo.toml", "baseURL = \"https://x.io/\"\n"),
                (
                    "layouts/manual/single.html",
                    "{{ .Content }}{{ readFile \"content/manual/what.md\" | markdownify }}\n",
                ),
                ("content/manual/toc.md", "---\ntitle: T\n---\n[a](#what-it-is) [b](#gone)\n"),
                ("content/manual/what.md", "---\ntitle: W\n---\n## What it is\n"),
            ],
            &["content/manual/toc.md #gone"],
        ),
        (
            "by a name that is computed",
            &[
                ("hugo.toml", "baseURL = \"https://x.io/\"\n"),
                ("themes/t/layouts/single.html", "{{ readFile (printf \"content/%s.md\" .Params.x) | markdownify }}\n"),
                ("content/manual/toc.md", "---\ntitle: T\n---\n[a](#what-it-is) [b](gone.md)\n"),
            ],
            &["content/manual/toc.md gone.md"],
        ),
    ]);
}

#[test]
fn labels_of_myst_may_end_in_a_word_that_is_an_ending() {
    hold(&[(
        "a label of code, and files",
        &[
            ("docs/conf.py", "extensions = [\"myst_parser\", \"sphinx.ext.autodoc\"]\n"),
            ("docs/index.md", "[a](schema.config) [b](gone.md) ![c](gone.png)\n"),
        ],
        &["docs/index.md gone.md", "docs/index.md gone.png"],
    )]);
}

const DOCUSAURUS: &str = "module.exports = {baseUrl: '/', i18n: {defaultLocale: 'en', locales: ['en', 'ja']}, presets: [['classic', {docs: {}}]]}\n";

#[test]
fn translations_of_docusaurus_have_headings_of_their_own() {
    const A: &str = "i18n/ja/docusaurus-plugin-content-docs/current/a.md";
    const B: &str = "i18n/ja/docusaurus-plugin-content-docs/current/b.md";
    hold(&[
        (
            "by path; what is not translated is taken from the original",
            &[
                ("docusaurus.config.js", DOCUSAURUS),
                ("docs/a.md", "[x](b.md#set-up) [y](c.md#more)\n"),
                ("docs/b.md", "## Set up\n"),
                ("docs/c.md", "## More\n"),
                (A, "[x](b.md#set-up) [y](c.md#more) [z](c.md#gone)\n"),
                (B, "## 設定\n"),
            ],
            &[
                "i18n/ja/docusaurus-plugin-content-docs/current/a.md b.md#set-up",
                "i18n/ja/docusaurus-plugin-content-docs/current/a.md c.md#gone",
            ],
        ),
        (
            "by address; files of posts",
            &[
                ("docusaurus.config.js", DOCUSAURUS),
                ("docs/a.md", ""),
                ("docs/b.md", "## New\n"),
                (A, "[x](/docs/b#new) [y](./b#設定) [z](/docs/b#設定)\n\n[x](./b#new)\n"),
                (B, "## 設定\n"),
                ("blog/2020-01-01-x.md", "![a](./pic.png)\n"),
                ("blog/pic.png", ""),
                ("i18n/ja/docusaurus-plugin-content-blog/2020-01-01-x.md", "![a](./pic.png) ![b](./gone.png)\n"),
            ],
            &[
                "i18n/ja/docusaurus-plugin-content-blog/2020-01-01-x.md ./gone.png",
                "i18n/ja/docusaurus-plugin-content-docs/current/a.md /docs/b#new",
                "i18n/ja/docusaurus-plugin-content-docs/current/a.md ./b#new",
            ],
        ),
        (
            "of versions, of which the last one has the addresses without a version",
            &[
                ("docusaurus.config.js", DOCUSAURUS),
                ("versions.json", "[\"1\"]\n"),
                ("docs/a.md", ""),
                ("docs/b.md", "## New\n"),
                ("versioned_docs/version-1/a.md", "[x](b.md#old)\n"),
                ("versioned_docs/version-1/b.md", "## Old\n"),
                ("versioned_docs/version-1/c.md", "## Cee\n"),
                (
                    "i18n/ja/docusaurus-plugin-content-docs/version-1/a.md",
                    "[x](b.md#old) [y](b.md#設定) [y](/b.md#設定) [z](/docs/b#設定) [w](c.md#cee) [v](/c.md#cee) [u](./gone.md)\n",
                ),
                ("i18n/ja/docusaurus-plugin-content-docs/version-1/b.md", "## 設定\n"),
            ],
            &[
                "i18n/ja/docusaurus-plugin-content-docs/version-1/a.md b.md#old",
                "i18n/ja/docusaurus-plugin-content-docs/version-1/a.md ./gone.md",
            ],
        ),
    ]);
}

#[test]
fn a_page_goes_before_the_folder_of_its_name() {
    hold(&[(
        "Docusaurus",
        &[
            ("docusaurus.config.js", DOCUSAURUS),
            ("docs/a.md", "[x](guide#set-up) [y](guide#gone) [z](./guide/)\n\n[w](guide/more#gone)\n"),
            ("docs/guide.md", "## Set up\n"),
            ("docs/guide/more.md", "## More\n"),
        ],
        &["docs/a.md guide#gone", "docs/a.md guide/more#gone"],
    )]);
}

#[test]
fn an_import_that_code_shows_brings_no_component() {
    hold(&[(
        "MDX",
        &[
            ("docusaurus.config.js", DOCUSAURUS),
            ("docs/a.mdx", "```jsx\nimport Api from '@site/src/Api';\n\n<Api/>\n```\n\n[a](#gone)\n"),
            ("src/Api.js", "export default (p) => <div id={p.id}/>\n"),
        ],
        &["docs/a.mdx #gone"],
    )]);
}

#[test]
fn parts_of_pages_by_their_folder() {
    hold(&[
        (
            "a site whose generator is not known",
            &[
                ("src/_includes/a.md", "[x](#set-up) [y](gone.md)\n"),
                ("src/b.md", "---\ntitle: B\n---\n[y](gone.md)\n"),
            ],
            &["src/b.md gone.md"],
        ),
        (
            "Retype",
            &[
                ("retype.yml", "url: x\n"),
                ("_includes/a.md", "[x](#set-up) [y](gone.md)\n"),
                ("b.md", "[y](gone.md)\n"),
            ],
            &["b.md gone.md"],
        ),
    ]);
}

#[test]
fn notation_of_programs_is_no_reference() {
    hold(&[(
        "types and elements",
        &[(
            "README.md",
            "a map[string][]string and map[Port][]Binding, Vec[int][] or rows[first][last]; [gone][] ![pic][]\n",
        )],
        &["README.md gone", "README.md pic"],
    )]);
}

/// jax-ml/jax: `/OWNER/REPOSITORY/blob/main/../main/x`.
#[test]
fn hosts_show_files_below_the_name_of_a_branch() {
    hold(&[(
        "GitHub",
        &[
            (
                "README.md",
                "[a](../main/LICENSE) [b](../master/docs/x.md#there) [c](../main/gone.md) [d](../blob/main/LICENSE)\n",
            ),
            ("LICENSE", ""),
            ("docs/x.md", "## There\n\n[a](../../main/LICENSE) [b](../main/LICENSE)\n"),
        ],
        &["README.md ../main/gone.md", "README.md ../blob/main/LICENSE", "docs/x.md ../main/LICENSE"],
    )]);
}

#[test]
fn documents_that_settings_exclude_have_no_page() {
    hold(&[
        (
            "VitePress",
            &[
                (".vitepress/config.ts", "export default {srcExclude: ['drafts/**', 'README.md']}\n"),
                ("a.md", "[a](./drafts/x) [b](./b.md) [c](./README.md)\n"),
                ("b.md", ""),
                ("README.md", "[a](docs/gone.md)\n"),
                ("drafts/x.md", ""),
            ],
            &["README.md docs/gone.md", "a.md ./drafts/x", "a.md ./README.md"],
        ),
        (
            "MkDocs",
            &[
                ("mkdocs.yml", "site_name: x\nexclude_docs: |\n  drafts/\n  /api-*.md\n  !api-b.md\n"),
                ("docs/index.md", "[a](drafts/a.md) [b](api-a.md) [c](api-b.md) [d](sub/api-a.md)\n"),
                ("docs/drafts/a.md", "[a](gone.md)\n"),
                ("docs/api-a.md", ""),
                ("docs/api-b.md", ""),
                ("docs/sub/api-a.md", ""),
            ],
            &["docs/drafts/a.md gone.md", "docs/index.md drafts/a.md", "docs/index.md api-a.md"],
        ),
        (
            "a plug-in of MkDocs",
            &[
                (
                    "mkdocs.yml",
                    "site_name: x\nplugins:\n  - exclude:\n      glob:\n        - drafts/*\n        - \"*.tmp.md\"\n",
                ),
                ("docs/index.md", "[a](drafts/x/a.md) [b](b.tmp.md)\n"),
                ("docs/drafts/x/a.md", ""),
                ("docs/b.tmp.md", ""),
            ],
            &["docs/index.md drafts/x/a.md", "docs/index.md b.tmp.md"],
        ),
        (
            "Docusaurus",
            &[
                (
                    "docusaurus.config.js",
                    "module.exports = {baseUrl: '/', presets: [['classic', {docs: {exclude: ['x/**']}}]]}\n",
                ),
                ("docs/a.md", "[1](./x/b.md) [2](./c.md)\n"),
                ("docs/x/b.md", ""),
                ("docs/c.md", ""),
            ],
            &["docs/a.md ./x/b.md"],
        ),
        (
            "Sphinx; the page of a notebook has another source",
            &[
                (
                    "docs/conf.py",
                    "extensions = [\"myst_parser\"]\nexclude_patterns = [\n    '_build',\n    # 'kept',\n    'drafts', '*.inc.md', 'n.md',\n]\n",
                ),
                ("docs/index.md", "[a](drafts/a.md) [b](b.inc.md) [c](kept/c.md) [d](n.md)\n"),
                ("docs/drafts/a.md", ""),
                ("docs/b.inc.md", ""),
                ("docs/kept/c.md", ""),
                ("docs/n.md", ""),
                ("docs/n.ipynb", "{}"),
            ],
            &["docs/index.md drafts/a.md", "docs/index.md b.inc.md"],
        ),
        (
            "Jekyll; the root is its index",
            &[
                ("_config.yml", "title: x\nexclude: [vendor, NOTES.md, README.md, \"*.txt\"]\n"),
                ("_layouts/x.html", ""),
                ("README.md", ""),
                ("index.html", ""),
                ("a.md", "---\n---\n[a](NOTES.html) [b](vendor/x.html) [c](about.html) <a href=\"/\">d</a>\n"),
                ("NOTES.md", "---\n---\n"),
                ("vendor/x.md", "---\n---\n"),
                ("about.md", "---\n---\n"),
            ],
            &["a.md NOTES.html", "a.md vendor/x.html"],
        ),
    ]);
}

#[test]
fn documents_beside_a_site_have_no_page() {
    hold(&[
        (
            "MkDocs",
            &[
                ("mkdocs.yml", "site_name: x\n"),
                ("docs/index.md", "[a](../README.md) [b](../src/x.py)\n"),
                ("README.md", ""),
                ("src/x.py", ""),
            ],
            &["docs/index.md ../README.md", "docs/index.md ../src/x.py"],
        ),
        (
            "Docusaurus publishes other files; a document outside of its content links as before",
            &[
                ("docusaurus.config.js", DOCUSAURUS),
                ("docs/a.md", "[a](../README.md) [b](../src/x.py)\n"),
                ("README.md", "[a](CONTRIBUTING.md) [b](old/a.md)\n"),
                ("CONTRIBUTING.md", ""),
                ("old/a.md", "[a](../README.md)\n"),
                ("src/x.py", ""),
            ],
            &["docs/a.md ../README.md"],
        ),
        (
            "VitePress",
            &[
                ("docs/.vitepress/config.ts", "export default {}\n"),
                ("docs/a.md", "[a](../README.md) [b](../src/x.py)\n"),
                ("README.md", ""),
                ("src/x.py", ""),
            ],
            &["docs/a.md ../README.md", "docs/a.md ../src/x.py"],
        ),
        (
            "mdBook",
            &[
                ("book.toml", "[book]\ntitle = 'x'\n"),
                ("src/SUMMARY.md", "- [a](a.md)\n"),
                ("src/a.md", "[a](../README.md)\n\n{{#include ../PART.md}}\n"),
                ("README.md", ""),
                ("PART.md", ""),
            ],
            &["src/a.md ../README.md"],
        ),
    ]);
}

#[test]
fn links_that_vitepress_is_told_to_leave_alone() {
    hold(&[
        (
            "by pattern anywhere",
            &[
                (".vitepress/config.ts", "export default {ignoreDeadLinks: ['/playground', /\\/x\\//]}\n"),
                ("a.md", "[1](/playground) [2](./x/y) [3](/gone)\n"),
            ],
            &["a.md /gone"],
        ),
        (
            "by a function",
            &[
                (".vitepress/config.ts", "export default {ignoreDeadLinks: [(url) => url.includes('play')]}\n"),
                ("a.md", "[1](/playground) [2](./x.md)\n"),
            ],
            &["a.md ./x.md"],
        ),
        (
            "a base that stands there twice",
            &[
                (".vitepress/config.ts", "export default {base: '/base/'}\n"),
                ("a.md", "[1](/base/b) [2](/b)\n"),
                ("b.md", ""),
            ],
            &["a.md /base/b"],
        ),
    ]);
}

#[test]
fn docusaurus_as_its_own_check_has_it() {
    hold(&[
        (
            "the mark of the site's folder, components, endings",
            &[
                ("docusaurus.config.js", DOCUSAURUS),
                (
                    "docs/a.mdx",
                    "[a](@site/docs/b.mdx) [b](@site/gone.md)\n\n<Link href=\"gone.md\">z</Link>\n\n[c](/docs/b.html)\n",
                ),
                ("docs/b.mdx", ""),
            ],
            &["docs/a.mdx @site/gone.md", "docs/a.mdx gone.md", "docs/a.mdx /docs/b.html"],
        ),
        (
            "redirects from addresses with an ending",
            &[
                (
                    "docusaurus.config.js",
                    "module.exports = {baseUrl: '/', presets: [['classic', {docs: {}}]], plugins: [['@docusaurus/plugin-client-redirects', {fromExtensions: ['html']}]]}\n",
                ),
                ("docs/a.md", "[a](/docs/b.html)\n"),
                ("docs/b.md", ""),
            ],
            &[],
        ),
    ]);
}

#[test]
fn names_in_braces_need_an_extension_of_mkdocs() {
    hold(&[(
        "without attr_list",
        &[
            ("mkdocs.yml", "site_name: x\nmarkdown_extensions: [admonition]\n"),
            ("docs/index.md", "## A {#own}\n[1](#own) [2](#a-own)\n"),
        ],
        &["docs/index.md #own"],
    )]);
}

#[test]
fn drafts_and_shortcodes_of_hugo() {
    hold(&[
        (
            "a draft is no page, unless drafts are built",
            &[
                ("a/hugo.toml", "baseURL = \"https://x.io/\"\n"),
                ("a/content/a.md", "[1](/b/) [2](/c/)\n"),
                ("a/content/b.md", "---\ndraft: true\n---\n"),
                ("a/content/c.md", "---\ndraft: false\n---\n"),
                ("b/hugo.toml", "baseURL = \"https://x.io/\"\nbuildDrafts = true\n"),
                ("b/content/a.md", "[1](/b/)\n"),
                ("b/content/b.md", "---\ndraft: true\n---\n"),
            ],
            &["a/content/a.md /b/"],
        ),
        (
            "ids that the template of a shortcode computes",
            &[
                ("hugo.toml", "baseURL = \"https://x.io/\"\n"),
                ("content/a.md", "{{< anchor \"there\" >}}\n\n[1](#there)\n"),
                ("content/b.md", "{{< tab >}}\n\n[1](#tab-1) [2](#there)\n"),
                ("layouts/shortcodes/anchor.html", "<a id=\"{{ .Get 0 }}\"></a>"),
                ("themes/t/layouts/_shortcodes/tab.html", "<div id=\"tab-{{ .Ordinal }}\"></div>"),
            ],
            &["content/b.md #there"],
        ),
    ]);
}

#[test]
fn labels_of_myst_are_written() {
    hold(&[(
        "the heading of another page is none",
        &[
            ("docs/conf.py", "extensions = [\"myst_parser\"]\nmyst_heading_anchors = 3\n"),
            ("docs/index.md", "[x](#in-b) [y](#own) [z](other) [w](in-b)\n"),
            ("docs/b.md", "(own)=\n# B\n\n## In b\n\n```{figure} p.png\n:name: other\n```\n"),
            ("docs/p.png", ""),
        ],
        &["docs/index.md #in-b", "docs/index.md in-b"],
    )]);
}

#[test]
fn jekyll_looks_up_the_files_of_link_tags() {
    hold(&[(
        "from the root of its sources",
        &[
            ("_config.yml", "title: x\n"),
            ("_layouts/d.html", ""),
            (
                "sub/a.md",
                "---\n---\n[1]({% link about.md %}#here) [2]({% link gone.md %})\n\n[3]({% link about.md %}#gone) [4]({% link {{ x }}.md %})\n",
            ),
            ("about.md", "---\n---\n## Here\n"),
        ],
        &["sub/a.md /gone.md", "sub/a.md /about.md#gone"],
    )]);
}

#[test]
fn starlight_leaves_links_as_they_are() {
    hold(&[
        (
            "a base that is missing",
            &[
                (
                    "astro.config.mjs",
                    "import starlight from '@astrojs/starlight'\nexport default {base: '/base', integrations: [starlight({title: 'x'})]}\n",
                ),
                ("src/content/docs/a.md", "---\ntitle: A\n---\n[1](/base/b/) [2](/b/)\n"),
                ("src/content/docs/b.md", "---\ntitle: B\n---\n"),
            ],
            &["src/content/docs/a.md /b/"],
        ),
        (
            "a plug-in for badges in headings",
            &[
                (
                    "astro.config.mjs",
                    "import starlight from '@astrojs/starlight'\nimport badges from 'starlight-heading-badges'\nexport default {integrations: [starlight({title: 'x', plugins: [badges()]})]}\n",
                ),
                ("src/content/docs/a.md", "---\ntitle: A\n---\n## Hello :badge[New]\n[1](#hello) [2](./gone.md)\n"),
            ],
            &["src/content/docs/a.md ./gone.md"],
        ),
    ]);
}

#[test]
fn pages_in_the_folder_of_static_files() {
    hold(&[
        (
            "Docusaurus",
            &[
                ("docusaurus.config.js", DOCUSAURUS),
                (
                    "docs/a.md",
                    "[1](/javadoc) [2](/javadoc/) [3](/javadoc/hey.html) [4](/javadoc/hey)\n\n[5](/javadoc/bad)\n",
                ),
                ("static/javadoc/index.html", ""),
                ("static/javadoc/hey.html", ""),
            ],
            &["docs/a.md /javadoc/bad"],
        ),
        (
            "Hugo with a theme that is not here",
            &[
                ("hugo.toml", "baseURL = 'https://x.io/'\ntheme = 'x'\n"),
                ("content/a.md", "[1](/javadoc/) [2](/javadoc/hey)\n\n[3](/javadoc/bad)\n"),
                ("static/javadoc/index.html", ""),
                ("static/javadoc/hey.html", ""),
            ],
            &["content/a.md /javadoc/bad"],
        ),
    ]);
}

#[test]
fn submodules_are_checked_out_by_a_build() {
    hold(&[(
        "MkDocs, and GitHub, which shows no file of them there",
        &[
            ("mkdocs.yml", "site_name: x\n"),
            ("docs/index.md", "[a](ext/x.md) [b](gone.md)\n"),
            ("README.md", "[a](docs/ext/x.md)\n"),
            (".gitmodules", "[submodule \"e\"]\n\tpath = docs/ext\n\turl = https://x.io/e\n"),
        ],
        &["README.md docs/ext/x.md", "docs/index.md gone.md"],
    )]);
}

#[test]
fn names_of_places_in_other_ways() {
    hold(&[
        (
            "Docsify has them in the query",
            &[
                ("docs/index.html", "<script>window.$docsify = {}</script>\n"),
                (
                    "docs/README.md",
                    "## Foo's\n## A & B\n[1](guide?id=set-up) [2](guide?id=gone)\n\n[3](?id=gone) [4](?id=foo39s) [5](?id=a-amp-b)\n",
                ),
                ("docs/guide.md", "## Set up\n"),
            ],
            &["docs/README.md guide?id=gone", "docs/README.md ?id=gone"],
        ),
        (
            "Hugo behind a shortcode",
            &[
                ("hugo.toml", "baseURL = 'https://x.io/'\n"),
                ("content/docs/a.md", "[a]({{< ref \"/docs/b.md\" >}}#h) [b]({{< ref \"/docs/b.md\" >}}#gone)\n"),
                ("content/docs/b.md", "## H\n"),
            ],
            &["content/docs/a.md /docs/b.md#gone"],
        ),
    ]);
}

/// remix-run/react-router: `entry.client.tsx.md` is the page of a file.
#[test]
fn a_page_for_a_site_elsewhere_may_be_named_after_a_file() {
    hold(&[(
        "front matter with a title",
        &[
            ("docs/a.md", "---\ntitle: A\n---\n[a](./entry.client.tsx) [b](./gone.tsx)\n"),
            ("docs/entry.client.tsx.md", ""),
        ],
        &["docs/a.md ./gone.tsx"],
    )]);
}

#[test]
fn excluded_documents_are_parts_where_they_are_included() {
    hold(&[
        (
            "VitePress",
            &[
                (".vitepress/config.ts", "export default {srcExclude: ['parts/**']}\n"),
                ("a.md", "<!--@include: ./parts/p.md-->\n[a](#part) [b](#gone)\n"),
                ("parts/p.md", "## Part\n[b](./b)\n"),
                ("b.md", ""),
            ],
            &["a.md #gone"],
        ),
        (
            "mdBook lists a chapter from elsewhere",
            &[
                ("book.toml", "[book]\ntitle = 'x'\n"),
                ("src/SUMMARY.md", "- [a](a.md)\n- [c](../CONTRIBUTING.md)\n"),
                ("src/a.md", "[c](../CONTRIBUTING.md) [d](../OTHER.md)\n"),
                ("CONTRIBUTING.md", ""),
                ("OTHER.md", ""),
            ],
            &["src/a.md ../OTHER.md"],
        ),
    ]);
}
