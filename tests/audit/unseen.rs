//! `mcp-kit audit-docs` on situations met in public trees that nobody had looked at before: each a small tree of its own.

use std::fs;

use crate::common::{Place, outcome};
use crate::trees::{errors, hold};
use serde_json::Value;

#[test]
fn the_root_of_a_site_at_the_root_of_the_tree_is_no_path_of_the_disk() {
    hold(&[(
        "no page at the root, and files that git ignores",
        &[
            (".gitignore", "dist\n"),
            (".vitepress/config.ts", "export default {title: 'V', markdown: {config: x}}\n"),
            ("guide.md", "[home](/) [a](./gone.md)\n"),
        ],
        &["guide.md /", "guide.md ./gone.md"],
    )]);
}

#[test]
fn includes_that_code_shows_are_none() {
    hold(&[
        (
            "MyST, in a longer fence",
            &[
                ("docs/conf.py", "extensions = [\"myst_parser\"]\n"),
                (
                    "docs/index.md",
                    "````md\n```{include} ../never.md\n```\n````\n\n```{include} gone.md\n```\n\n:::{include} away.md\n:::\n",
                ),
            ],
            &["docs/index.md gone.md", "docs/index.md away.md"],
        ),
        (
            "MDX, in a fence that a component indents",
            &[
                ("docs.json", "{\"navigation\": {\"pages\": [\"a\"]}}\n"),
                (
                    "a.mdx",
                    "import B from \"/gone.mdx\";\n\n<Steps>\n    ```mdx\n    ---\n    title: x\n    ---\n\n    import P from \"/shared/part.mdx\";\n    ```\n</Steps>\n",
                ),
            ],
            &["a.mdx /gone.mdx"],
        ),
    ]);
}

#[test]
fn fields_of_mintlify_are_anchors() {
    hold(&[(
        "parameters, and a page of an API description",
        &[
            ("docs.json", "{\"navigation\": {\"pages\": [\"a\", \"b\", \"api\"]}}\n"),
            (
                "a.mdx",
                "<ResponseField name=\"icons.library\" type=\"x\">\n  text\n</ResponseField>\n\n<ParamField path=\"limit\">\n  text\n</ParamField>\n",
            ),
            ("api.mdx", "---\ntitle: Get\nopenapi: get /x\n---\n"),
            ("b.mdx", "[a](/a#param-icons-library) [b](/a#param-limit) [c](/api#response-id) [d](/a#param-icons)\n"),
        ],
        &["b.mdx /a#param-icons"],
    )]);
}

#[test]
fn vuepress_has_aliases_and_takes_a_readme_for_an_index() {
    hold(&[(
        "code by alias, and the two names of a folder's page",
        &[
            ("docs/.vuepress/config.js", ""),
            ("docs/index.md", "[g](guide/index.md)\n"),
            ("docs/guide/README.md", "@[code](@snippets/x.sh) [up](../README.md) [c](./gone.md)\n"),
        ],
        &["docs/guide/README.md ./gone.md"],
    )]);
}

#[test]
fn what_a_translation_lacks_is_taken_from_the_original() {
    hold(&[
        (
            "languages of MkDocs beside each other, settings in one of them",
            &[
                ("docs/en/mkdocs.yml", "site_name: x\nmarkdown_extensions: [attr_list]\n"),
                ("docs/en/docs/index.md", "## Hurry? { #in-a-hurry }\n\n[n](notes.md)\n"),
                ("docs/en/docs/notes.md", "# Notes\n"),
                ("docs/de/docs/index.md", "## Eilig? { #in-a-hurry }\n\n[a](#in-a-hurry) [n](notes.md) [x](gone.md)\n"),
                ("docs/hi/mkdocs.yml", "INHERIT: ../en/mkdocs.yml\n"),
                ("docs/hi/docs/index.md", "[n](notes.md) [x](away.md)\n"),
            ],
            &["docs/de/docs/index.md gone.md", "docs/hi/docs/index.md away.md"],
        ),
        (
            "languages of a Hugo site elsewhere",
            &[
                ("docs/_index.md", "![a](img/a.png)\n"),
                ("docs/img/a.png", "x"),
                ("docs-locale/ja-jp/_index.md", "![a](img/a.png) ![b](img/b.png)\n"),
            ],
            &["docs-locale/ja-jp/_index.md img/b.png"],
        ),
        (
            "folders with two letters that are no languages",
            &[
                ("py/mkdocs.yml", "site_name: x\nmarkdown_extensions: [attr_list]\n"),
                ("py/docs/index.md", "# P\n"),
                ("js/docs/index.md", "## A { #b }\n\n[b](#b)\n"),
            ],
            &["js/docs/index.md #b"],
        ),
    ]);
}

#[test]
fn outlines_of_logseq_link_pages_and_blocks() {
    hold(&[(
        "pages, blocks, files with blanks",
        &[
            ("logseq/config.edn", "{}\n"),
            ("README.md", "[gone](gone.md)\n"),
            (
                "pages/a.md",
                "- [p]([[b/c]]) [q](((60a78e9e-59dc-40ab-9a01-5317dc09365f))) ![i](../assets/my file.png) [[never]]\n",
            ),
        ],
        &["README.md gone.md"],
    )]);
}

#[test]
fn a_vault_may_have_its_blanks_in_folders() {
    hold(&[(
        "notes named by identifiers",
        &[
            (".gitignore", ".obsidian/\n"),
            ("01 - Plug-ins/a-b.md", "[[#view.js]] [x](#view.js)\n\n## view.js\n"),
            ("01 - Plug-ins/c.md", "[[a-b]]\n"),
        ],
        &[],
    )]);
}

#[test]
fn templates_of_hugo_are_no_pages() {
    hold(&[(
        "archetypes and layouts",
        &[
            ("hugo.toml", "title = 'x'\n"),
            ("content/_index.md", "[x](gone.md)\n"),
            ("archetypes/docs/_index.md", "[page](INSERT_PATH_TO_FILE) [b](b.md)\n"),
            ("layouts/shortcodes/s.md", "{{ printf \"[r](%s)\" .x }} [c](%s)\n"),
        ],
        &["content/_index.md gone.md"],
    )]);
}

#[test]
fn parts_in_a_folder_for_parts_count_from_their_pages() {
    hold(&[(
        "snippets below the folder of the documents",
        &[
            (
                "mkdocs.yml",
                "site_name: x\nmarkdown_extensions:\n  - pymdownx.snippets:\n      base_path: docs/snippets\n",
            ),
            ("docs/install/page.md", "--8<-- \"part.md\"\n"),
            ("docs/install/other.md", "# O\n"),
            ("docs/snippets/part.md", "[o](../install/other.md) [p](other.md)\n"),
        ],
        &[],
    )]);
}

#[test]
fn words_that_a_hook_replaces_are_no_placeholders() {
    let files = |hooks: &'static str| {
        [("mkdocs.yml", hooks), ("docs/banner.md", "[English](ENGLISH_VERSION_URL)\n"), ("docs/index.md", "# I\n")]
    };
    assert_eq!(errors(&files("site_name: x\nhooks: [own.py]\n")), [""; 0]);
    assert_eq!(errors(&files("site_name: x\n")), ["docs/banner.md ENGLISH_VERSION_URL"]);
}

#[test]
fn files_of_other_outputs_of_a_book_are_made() {
    hold(&[(
        "a PDF, and what the book's own checker leaves alone",
        &[
            (
                "book.toml",
                "[book]\ntitle = 'B'\n[output.html]\n[output.pandoc]\nfile = 'all.pdf'\n[output.linkcheck]\nexclude = ['exercises\\.zip']\n",
            ),
            ("src/SUMMARY.md", "- [One](one.md)\n"),
            ("src/one.md", "[a](all.pdf) [b](../exercises.zip) [c](none.pdf)\n"),
        ],
        &["src/one.md none.pdf"],
    )]);
}

#[test]
fn plug_ins_of_vite_may_change_pages() {
    let config = ("docs/.vitepress/config.ts", "export default {ignoreDeadLinks: ['/playground']}\n");
    let page = ("docs/index.md", "[t](#type-declarations) [p](/playground) [x](/nope)\n");
    let plugin = ("docs/.vitepress/vite.config.ts", "export default {plugins: [MarkdownTransform()]}\n");
    assert_eq!(errors(&[config, page]), ["docs/index.md #type-declarations", "docs/index.md /nope"]);
    assert_eq!(errors(&[config, page, plugin]), ["docs/index.md /nope"]);
}

#[test]
fn contributions_copied_out_of_their_table_are_no_links() {
    hold(&[(
        "without the marks of all-contributors",
        &[(
            "README.md",
            "<td><a href=\"#question-ann\" title=\"Answering Questions\">x</a> <a href=\"#question-bob\">y</a></td>\n",
        )],
        &["README.md #question-bob"],
    )]);
}

#[test]
fn a_version_of_docusaurus_has_its_own_page_of_a_path() {
    hold(&[(
        "a path from the root of the documents",
        &[
            ("docusaurus.config.js", "module.exports = {baseUrl: '/', presets: [['classic', {docs: {}}]]};\n"),
            ("versions.json", "[\"1.1\", \"1.0\"]\n"),
            ("docs/guide/run.md", "## New\n"),
            ("docs/intro.md", "[a](/guide/run.md#new) [b](/guide/run.md#old)\n"),
            ("versioned_docs/version-1.0/guide/run.md", "## Old\n"),
            ("versioned_docs/version-1.1/guide/run.md", "## Middle\n"),
            ("versioned_docs/version-1.1/intro.md", "[a](/guide/run.md#middle) [b](/guide/run.md#new)\n"),
        ],
        &["docs/intro.md /guide/run.md#old", "versioned_docs/version-1.1/intro.md /guide/run.md#new"],
    )]);
}

#[test]
fn snippets_need_their_extension_and_a_line_of_their_own() {
    let page = ("docs/index.md", "--8<-- \"a.md\"\n\nas `--8<-- \"b.md\"` in text\n\n```md\n;--8<-- \"c.md\"\n```\n");
    let with = ("mkdocs.yml", "site_name: x\nmarkdown_extensions: [pymdownx.snippets]\n");
    assert_eq!(errors(&[with, page]), ["docs/index.md a.md"]);
    assert_eq!(errors(&[("mkdocs.yml", "site_name: x\n"), page]), [""; 0]);
    let techdocs = ("mkdocs.yml", "site_name: x\nplugins: [techdocs-core]\n");
    assert_eq!(errors(&[techdocs, page]), ["docs/index.md a.md"]);
}

#[test]
fn names_of_programs_are_no_files() {
    hold(&[
        (
            "objects of other projects' inventories",
            &[
                ("docs/conf.py", "extensions = [\"myst_parser\", \"sphinx.ext.intersphinx\"]\n"),
                (
                    "docs/index.md",
                    "[a](django.apps.AppConfig.ready) [b](wagtail.blocks.Block) ![c](gone.png) [l](llms.txt)\n",
                ),
            ],
            &["docs/index.md gone.png"],
        ),
        (
            "rules of a book whose preprocessor names them",
            &[
                ("book.toml", "[book]\ntitle = 'B'\n[preprocessor.spec]\ncommand = 'x'\n"),
                ("src/SUMMARY.md", "- [One](one.md)\n"),
                ("src/one.md", "r[items.fn]\n\n[a](items.fn) [b](#r-items.fn) [c](gone.md)\n"),
            ],
            &["src/one.md gone.md"],
        ),
    ]);
}

#[test]
fn a_file_named_in_capitals_is_no_placeholder() {
    let place = Place::new();
    place.write("LICENSE-MIT", "x");
    place.write("doc/README.md", "[l](LICENSE-MIT)\n");
    let output = place.run(&["audit-docs", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = &report["findings"][0];
    assert_eq!(finding["code"], "broken-link");
    assert_eq!(finding["suggestion"], "../LICENSE-MIT");
}

#[test]
fn a_page_has_not_moved_to_itself() {
    let files = [("docs/set.md", "Edit [the source](../src/docs/set.md).\n"), ("README.md", "[s](docs/set.md)\n")];
    let place = Place::new();
    for (path, text) in files {
        place.write(path, text);
    }
    let output = place.run(&["audit-docs", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = &report["findings"][0];
    assert_eq!(finding["code"], "broken-link");
    assert_eq!(finding["suggestion"], Value::Null);
}

#[test]
fn where_files_are_looked_for_may_be_unknown_but_not_which_there_are() {
    hold(&[(
        "a render hook of Hugo",
        &[
            ("hugo.toml", "title = 'x'\n"),
            ("layouts/_default/_markup/render-link.html", "x"),
            ("content/docs/a.md", "[b](deep/b.md) [g](gone.md)\n"),
            ("content/docs/other/b.md", "# B\n"),
        ],
        &["content/docs/a.md gone.md"],
    )]);
}

#[test]
fn notes_and_wikis_have_syntax_of_their_own() {
    hold(&[
        (
            "Obsidian: tables, comments",
            &[
                (".obsidian/app.json", "{}"),
                ("My note.md", "## Part\n"),
                ("photo.png", "x"),
                (
                    "Home.md",
                    "| a | b |\n|---|---|\n| [[My note\\|x]] [[gone\\|y]] | ![[photo.png\\|50]] |\n\n%% [[hidden]] %%\n\n%%\n[[away]]\n%%\n[[never]]\n",
                ),
            ],
            &["Home.md gone", "Home.md never"],
        ),
        (
            "Azure DevOps: diagrams, lists of contents, sizes of images",
            &[
                (".order", "Home\n"),
                (".attachments/a.png", "x"),
                (
                    "Home.md",
                    "[[_TOC_]]\n\n![x](/.attachments/a.png =300x200)\n\n::: mermaid\ngraph LR; A[x](y)\n:::\n\n[n](/Nope)\n",
                ),
            ],
            &["Home.md /Nope"],
        ),
        (
            "Docsify: names of headings",
            &[
                ("docs/index.html", "<script>window.$docsify = {}</script>"),
                ("docs/README.md", "## 第二 :id=second\n\n[x](#second) [y](?id=second) [z](#third)\n"),
            ],
            &["docs/README.md #third"],
        ),
        (
            "GitLab: lines",
            &[(".gitlab-ci.yml", "a: b\n"), ("README.md", "[a](docs/x.md#L10-20)\n"), ("docs/x.md", "# X\n")],
            &[],
        ),
    ]);
}

#[test]
fn vitepress_includes_files_by_comments() {
    hold(&[(
        "headings of parts, with and without blanks",
        &[
            ("docs/.vitepress/config.ts", "export default {title: 'V'}\n"),
            (
                "docs/a.md",
                "<!--@include: ./parts/one.md-->\n<!-- @include: ./parts/two.md{1,9} -->\n\n[1](#one) [2](#two) [3](#three)\n",
            ),
            ("docs/parts/one.md", "## One\n"),
            ("docs/parts/two.md", "## Two\n"),
        ],
        &["docs/a.md #three"],
    )]);
}

#[test]
fn hosts_name_the_box_of_a_readme() {
    hold(&[(
        "a folder's README, and a page that is none",
        &[
            (
                "README.md",
                "[a](packages/a#readme) [b](packages/a/README.md#readme) [c](#readme) [d](guide.md#readme)\n",
            ),
            ("packages/a/README.md", "# A\n"),
            ("guide.md", "# G\n"),
        ],
        &["README.md guide.md#readme"],
    )]);
}

#[test]
fn foam_finds_notes_by_name() {
    hold(&[(
        "definitions that its editor writes",
        &[
            (".foam/templates/new-note.md", "# ${1}\n"),
            ("home.md", "[[a]]\n\n[//begin]: # \"x\"\n[a]: notes/a \"A\"\n[//end]: # \"x\"\n"),
            ("notes/a.md", "[[home]] [[never]]\n"),
        ],
        &[],
    )]);
}

#[test]
fn names_in_braces_are_for_another_renderer() {
    hold(&[(
        "headings of golang/website",
        &[(
            "README.md",
            "[a](#goproxy-protocol) [b](#gone) [c](#set-up)\n\n## The protocol {#goproxy-protocol}\n\n## Set {#set up}\n",
        )],
        &["README.md #gone", "README.md #set-up"],
    )]);
}

#[test]
fn generators_of_guides_are_recognised() {
    hold(&[
        (
            "Writerside finds pictures and topics by their names",
            &[
                ("docs/writerside.cfg", "<ihp version=\"2.0\"/>\n"),
                ("docs/topics/a/start.md", "![x](todo.svg) [b](other.md) [c](start.md#gone)\n"),
                ("README.md", "[a](docs/topics/a/start.md) [b](gone.md)\n"),
            ],
            &["README.md gone.md"],
        ),
        (
            "Lume, by address",
            &[
                ("_config.ts", "import lume from \"lume/mod.ts\";\nexport default lume();\n"),
                ("guide/index.md", "[a](/start/) [b](../start#deno.cwd) [c](./gone.png)\n"),
            ],
            &["guide/index.md ./gone.png"],
        ),
        (
            "another _config.ts says nothing",
            &[("_config.ts", "export default {};\n"), ("guide/index.md", "[a](/start/)\n")],
            &["guide/index.md /start/"],
        ),
        (
            "ExDoc finds guides by their names, and links to modules",
            &[
                (
                    "mix.exs",
                    "defp deps, do: [{:ex_doc, \"~> 0.34\"}]\ndefp docs, do: [extras: [\"README.md\", \"guides/start.md\", \"guides/deep/more.md\"]]\n",
                ),
                ("guides/start.md", "[a](`Mix.Task`) [b](more.md) [c](Kernel.html#guards)\n"),
                ("guides/deep/more.md", ""),
                ("README.md", "[a](guides/start.md) [b](gone.md)\n"),
            ],
            &["README.md gone.md"],
        ),
        (
            "MDX whose generator is elsewhere",
            &[
                (
                    "website/docs/cli/plan.mdx",
                    "[a](/docs/cli) [b](../../language/files/#order) [c](apply.mdx#gone) [d](gone.mdx)\n",
                ),
                ("website/docs/cli/apply.mdx", ""),
                ("website/docs/intro/start.mdx", ""),
                ("README.md", "[a](website/docs/gone.md)\n"),
            ],
            &["README.md website/docs/gone.md", "website/docs/cli/plan.mdx gone.mdx"],
        ),
    ]);
}

/// What leads to the pages of a generator without a profile is in files that nobody reads here.
#[test]
fn pages_of_a_generator_without_a_profile_are_no_orphans() {
    let place = Place::new();
    for (path, text) in [
        ("README.md", "# Site\n"),
        ("_config.ts", "import lume from \"lume/mod.ts\";\n"),
        ("guide/index.md", "# Guide\n"),
    ] {
        fs::create_dir_all(place.path(path).parent().unwrap()).unwrap();
        fs::write(place.path(path), text).unwrap();
    }
    let output = place.run(&["audit-docs", "--strict"]);
    assert_eq!(output.status.code(), Some(0), "{}", outcome(&output));
}

/// rust-lang/cargo keeps pages that a program has made from searches; the book has them.
#[test]
fn what_an_ignore_file_keeps_from_searches_is_there() {
    hold(&[(
        "chapters of a book",
        &[
            (".ignore", "book/src/commands/*\n!book/src/commands/index.md\n"),
            ("book/book.toml", "[book]\ntitle = \"B\"\n"),
            (
                "book/src/SUMMARY.md",
                "- [Commands](commands/index.md)\n- [Init](commands/cargo-init.md)\n- [Gone](commands/gone.md)\n",
            ),
            ("book/src/commands/index.md", "[init](cargo-init.md) [init](./cargo-init.html#x) [gone](cargo-gone.md)\n"),
            ("book/src/commands/cargo-init.md", "# Init\n"),
        ],
        &["book/src/SUMMARY.md commands/gone.md", "book/src/commands/index.md cargo-gone.md"],
    )]);
}
