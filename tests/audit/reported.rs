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
