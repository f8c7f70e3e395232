//! Properties of catalogs and of files with sections, of made-up ones; the fuzz target `catalog` looks for worse.
#![allow(clippy::panic)]

use proptest::prelude::*;

#[path = "../fuzz/checks/catalog.rs"]
mod checks;

/// Text that means something to YAML, Markdown, HTML and Tera.
fn text() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a",
        "ß",
        " ",
        "  ",
        "|",
        "`",
        "*",
        "_",
        "[x](y)",
        "<b>",
        "<!--",
        "-->",
        "{{ x }}",
        "{% y %}",
        "\\",
        "#",
        "&",
        "\t",
        "\u{0}",
        "\u{7f}",
        "\u{202e}",
        "'",
        ":",
        "Last updated: 2020-01-01",
        "\n",
        "```",
        "mcp-kit:end current-state",
        "$",
    ]);
    prop::collection::vec(part, 1..8).prop_map(|parts| parts.concat())
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn service() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["deployed", "planned", "deprecated", "deploied", "", "[]"]);
    let auth = prop::sample::select(vec!["cloudflare-access", "oauth", "none", "bearer"]);
    let store = prop::sample::select(vec!["env", "postgresql", "kv", "none"]);
    (text(), word, auth, store, text(), text()).prop_map(|(name, status, auth, store, notes, owner)| {
        let (name, notes, owner) = (quoted(&name), quoted(&notes), quoted(&owner));
        format!(
            "  - name: {name}\n    status: {status}\n    location: workers\n    auth_method: {auth}\n    token_storage: {store}\n    notes: {notes}\n    owner: {owner}\n"
        )
    })
}

fn markers() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "<!-- mcp-kit:begin a -->",
        "<!-- mcp-kit:end a -->",
        "<!-- mcp-kit:begin b sha256=00 -->",
        "<!-- mcp-kit:end b -->",
        "<!-- mcp-kit:begin a sha256=00 --> ",
        "text",
        "",
        "",
        "```",
        "    indented",
        "- item",
        "> quote",
        "<div>",
        "</div>",
        "| a |",
        "|---|",
        "<!-- open",
        "-->",
        "\u{feff}# Title",
        "  <!-- mcp-kit:begin a -->",
        "  <!-- mcp-kit:end a -->",
    ]);
    let end = prop::sample::select(vec!["\n", "\r\n", "\n\n", "\r"]);
    prop::collection::vec((line, end), 1..12)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| format!("{line}{end}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn catalogs(services in prop::collection::vec(service(), 0..4), organisation in text()) {
        let list = if services.is_empty() { "services: []\n".to_owned() } else { format!("services:\n{}", services.concat()) };
        checks::catalog(format!("organisation:\n  name: {}\n{list}", quoted(&organisation)).as_bytes());
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        checks::catalog(&bytes);
    }

    #[test]
    fn files_with_sections(text in markers()) {
        checks::managed(&text);
    }
}
