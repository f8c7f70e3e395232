//! Settings that change what a link means, and those of which it is only known that they do: they leave links open.

use super::open::{Form, Forms, Open};
use super::{Site, syntax};
use crate::audit::document::Construct;
use crate::audit::walk::Tree;
use crate::text::path::display_path;

/// Plug-ins of MkDocs that make anchors and resolve references by names that stand in code.
const REFERENCES: &[&str] = &["mkdocstrings", "autorefs"];

/// Plug-ins of MkDocs that make pages.
const PAGES: &[&str] = &[
    "gen-files",
    "api-autonav",
    "autoapi",
    "mkdoxy",
    "monorepo",
    "multirepo",
    "mkdocs-jupyter",
    "ezlinks",
    "roamlinks",
    "wikilinks",
    "obsidian-bridge",
    "simple",
    "same-dir",
    "static-i18n",
    "i18n",
    "coverage",
    "swagger-ui-tag",
    "schema_reader",
    "click-docs",
    "gallery",
];

/// Nothing in the settings would make it judged.
const NOTHING: &str = "";

/// Reads what `mkdocs.yml` says besides its folder.
pub(super) fn mkdocs(site: &mut Site, path: &[u8], text: &str) {
    let file = display_path(path);
    let plugins = list(text, "plugins");
    let extensions = list(text, "markdown_extensions");
    let named =
        |known: &[&str]| plugins.iter().copied().find(|plugin| known.contains(&plugin.trim_start_matches("material/")));
    if !plugins.is_empty() {
        site.note(path, "plugins", &plugins.join(", "));
    }
    let mut add = |forms, why| site.open.push(Open { forms, why, remedy: NOTHING });
    if let Some(plugin) = named(REFERENCES) {
        add(Forms::of(&[Form::Reference]), format!("{file} has the plugin {plugin}, which resolves references itself"));
    }
    if let Some(plugin) = named(PAGES) {
        add(Forms::LINKS, format!("{file} has the plugin {plugin}, which makes pages"));
    }
    if !list(text, "hooks").is_empty() {
        let forms = Forms::of(&[Form::Anchor, Form::Reference]);
        add(forms, format!("{file} has hooks, which may change any page"));
    }
    let appends = text.contains("auto_append");
    if extensions.iter().any(|extension| extension.contains("snippets")) && appends {
        add(Forms::of(&[Form::Reference]), format!("{file} has snippets appended to each page"));
    }
    if syntax::has_own_slugify(text) {
        add(Forms::of(&[Form::Anchor]), format!("{file} names headings by a slugify function of its own"));
    }
}

/// Reads what a configuration of Hugo in `project` says besides its folder of content.
pub(super) fn hugo(site: &mut Site, tree: &Tree, project: &[u8], files: &[(Vec<u8>, String)]) {
    let mut syntax_of_pages = site.syntax;
    let mut add = |forms, why| site.open.push(Open { forms, why, remedy: NOTHING });
    let hook = |kind: &str| {
        let name = format!("render-{kind}.html");
        let entry = tree.find_name(name.as_bytes()).find(|entry| {
            let path = &tree.entries()[*entry as usize].path;
            super::is_below(path, project) && memchr::memmem::find(path, b"_markup/").is_some()
        })?;
        Some(format!("the render hook {} makes the addresses", display_path(&tree.entries()[entry as usize].path)))
    };
    if let Some(why) = hook("link") {
        add(Forms::LINKS, why);
    }
    if let Some(why) = hook("image") {
        add(Forms::of(&[Form::File]), why);
    }
    if let Some(why) = hook("heading") {
        add(Forms::of(&[Form::Anchor]), why.replace("makes the addresses", "may name the headings"));
    }
    for (file, text) in files {
        let file = display_path(file);
        let has =
            |name: &str| text.lines().any(|line| line.trim_start_matches([' ', '\t', '[', '"']).starts_with(name));
        if scalars(text, "autoDefinitionTermID").next() == Some("true") {
            syntax_of_pages = syntax_of_pages.with(&[Construct::TermIds]);
        }
        for setting in ["permalinks", "mounts", "module.mounts", "uglyURLs", "uglyurls", "slugify"] {
            if has(setting) {
                let links = Forms::ADDRESSES.and(Form::Page).and(Form::File);
                add(links, format!("{file} has {setting}, which changes addresses"));
                break;
            }
        }
        for setting in ["autoHeadingIDType", "autoIDType"] {
            if has(setting) {
                add(Forms::of(&[Form::Anchor]), format!("{file} has {setting}, which changes anchors"));
                break;
            }
        }
    }
    site.syntax = syntax_of_pages;
}

/// The names in the list or table below a key at the beginning of a line: `- name`, `- name: …`, `name:`.
pub(super) fn list<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let mut lines = text.lines();
    let Some(first) = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':')) else { return Vec::new() };
    let plain = |name: &'a str| name.split([':', '#']).next().unwrap_or(name).trim().trim_matches(['"', '\'']);
    if let Some(inline) = first.trim().strip_prefix('[') {
        return inline.trim_end_matches(']').split(',').map(plain).filter(|name| !name.is_empty()).collect();
    }
    let is_inside = |line: &&str| line.is_empty() || line.starts_with([' ', '\t', '-', '#']);
    let mut depth = None;
    let mut names = Vec::new();
    for line in lines.take_while(is_inside) {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let indent = line.len() - trimmed.len();
        let depth = *depth.get_or_insert(indent);
        if indent == depth {
            let name = plain(trimmed.trim_start_matches("- "));
            if !name.is_empty() {
                names.push(name);
            }
        }
    }
    names
}

/// The quoted texts behind `name:` in JavaScript.
pub(super) fn quoted<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    memchr::memmem::find_iter(text.as_bytes(), name).collect::<Vec<_>>().into_iter().filter_map(move |at| {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '.')) {
            return None;
        }
        let rest = text[at + name.len()..].trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        rest[1..].split(quote).next().filter(|value| !value.contains('\n'))
    })
}

/// The values of a key on lines of YAML, TOML or JSON, however deep.
pub(super) fn scalars<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| {
        let line = line.trim_start().trim_start_matches('"').strip_prefix(key)?;
        let value = line.trim_start_matches('"').trim_start().strip_prefix([':', '='])?;
        let value = value.split(" #").next().unwrap_or(value).trim().trim_end_matches(',').trim_matches(['"', '\'']);
        (!value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_list() {
        let text =
            "a: 1\nplugins:\n  - search\n  - mkdocstrings:\n      x:\n        - y\n  # no\n  - \"gen-files\"\nb: 2\n";
        assert_eq!(list(text, "plugins"), ["search", "mkdocstrings", "gen-files"]);
        assert_eq!(list("plugins: [search, 'tags']\n", "plugins"), ["search", "tags"]);
        assert_eq!(list("plugins:\n- a\n- b: {}\nx: y\n", "plugins"), ["a", "b"]);
        assert_eq!(list("plugins:\n  search: {}\n  tags:\n    on: true\n", "plugins"), ["search", "tags"]);
        assert!(list("x: y\n", "plugins").is_empty());
    }

    #[test]
    fn values_in_scripts_and_settings() {
        let script = "{docs: {path: '../docs', \"path\": \"b\", routePath: 'no', path: x}}";
        assert_eq!(quoted(script, "path").collect::<Vec<_>>(), ["../docs", "b"]);
        let text = "contentDir = \"a\" # b\n  contentDir: c\n  \"contentDir\": \"d\",\ncontentDirectory: e\n";
        assert_eq!(scalars(text, "contentDir").collect::<Vec<_>>(), ["a", "c", "d"]);
    }
}
