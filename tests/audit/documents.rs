//! What holds of any document and any heading. `fuzz/` makes up more of the former.

use std::collections::HashSet;

use mcp_kit::markdown::slug::{Dialect, Slugger};
use proptest::prelude::*;

#[path = "../../fuzz/checks/document.rs"]
mod document;
#[path = "../../fuzz/checks/fixer.rs"]
mod fixer;

/// Pieces that mean something in Markdown, and some that mean nothing.
fn piece() -> impl Strategy<Value = String> {
    let marks = prop::sample::select(vec![
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "][",
        "]: ",
        "<",
        ">",
        "<a name=\"",
        "<a href='",
        "\">",
        "</a>",
        "<!--",
        "-->",
        "# ",
        "## ",
        "\n",
        "\n\n",
        "> ",
        "- ",
        "1. ",
        "```\n",
        "`",
        "    ",
        "|",
        "|-|",
        "*",
        "**",
        "_",
        "~~",
        "\\",
        "&amp;",
        "---\n",
        "+++\n",
        "title: ",
        "{#x}",
        "{: #y }",
        "<!-- mcp-kit-ignore broken-link: why -->",
        "deprecated",
        "[^1]",
        "[^1]: ",
        "https://x.org",
        "a.md",
        "#top",
        "<h2>",
        "</h2>",
        "\t",
        "\r\n",
        "[!INCLUDE [",
        "{{#include a.md}}",
        "!!! note \"t\"\n",
        "=== \"T\"\n",
        "\n\n    ",
        "::: tip\n",
        "<Tab a={1}>\n",
        "</Tab>",
        "<div markdown>\n",
        "{/* ",
        " */}",
        "{",
        "}",
        "{{< ref \"a.md\" >}}",
        "{% raw %}",
        "{% endraw %}",
        "{{ x }}",
        "```{note} t\n",
        "(t)=\n",
        "$",
        "$$",
        "[[a#b|c]]",
        "\n: ",
        "import x from 'y'\n",
        "\u{feff}",
        "ü",
        "日本",
        "\u{301}",
        "%20",
        "ghp_",
        "<img src=x>",
    ]);
    prop_oneof![6 => marks.prop_map(str::to_owned), 1 => "[a-z]{1,6}", 1 => any::<char>().prop_map(String::from)]
}

/// An edit of such a destination would remove the tag.
#[test]
fn a_destination_around_a_tag_stands_nowhere() {
    for text in ["[x](a{{< ref \"a.md\" >}}b.md)\n", "[x](a{% raw %}b.md)\n"] {
        document::document(text.as_bytes());
    }
}

/// The anchor of the only heading of a document.
fn slug(dialect: Dialect, text: &str) -> String {
    Slugger::new(dialect).next(text).to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_of_marks(pieces in prop::collection::vec(piece(), 0..60)) {
        document::document(pieces.concat().as_bytes());
    }

    #[test]
    fn documents_of_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        document::document(&bytes);
    }

    /// GitHub looks at one character after the other.
    #[test]
    fn names_are_made_character_by_character(one in ".{0,20}", other in ".{0,20}") {
        let slug = |text: &str| slug(Dialect::Github, text);
        prop_assert_eq!(slug(&format!("{one}{other}")), format!("{}{}", slug(&one), slug(&other)));
    }

    /// What has been named once keeps its name, but for marks that lower case splits off (İ).
    #[test]
    fn names_name_themselves(text in "[^İ]{0,40}") {
        for dialect in [Dialect::Github, Dialect::MKDOCS] {
            let name = slug(dialect, &text);
            prop_assert_eq!(slug(dialect, &name), name.clone());
            prop_assert!(!name.contains(char::is_whitespace) && name == name.to_lowercase().replace('ς', "σ") || name.contains(['ς', 'σ']), "{name:?}");
        }
    }

    #[test]
    fn no_two_headings_share_a_name(texts in prop::collection::vec("[ab1 -]{0,4}", 0..40)) {
        for dialect in [Dialect::GithubSlugger, Dialect::Mdbook, Dialect::MKDOCS, Dialect::MditVue] {
            let mut slugger = Slugger::new(dialect);
            let names: Vec<_> = texts.iter().map(|text| slugger.next(text).to_owned()).collect();
            prop_assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        }
    }
}

/// Pieces of documents that lead to one another, often wrongly, and the end of a document.
fn linked() -> impl Strategy<Value = String> {
    let link = prop::sample::select(vec![
        "\0",
        "[a](guide.md)",
        "[b](docs/Guide.md#x)",
        "[c](page.md#One)",
        "[d][r]",
        "[r]: ../other.md#one\n",
        "[e](#ONE)",
        "# One\n\n",
        "[f](docs/deep/page.md 't')",
        "[g](/docs/guide)",
        "<a href=\"OTHER.md\">",
        "![h](../Other.md)",
        "[i](##One)",
        "[j](www.example.org/x)",
    ]);
    prop_oneof![2 => link.prop_map(str::to_owned), 1 => piece()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fixes_of_trees(pieces in prop::collection::vec(linked(), 0..30)) {
        fixer::fixer(pieces.concat().as_bytes());
    }
}
