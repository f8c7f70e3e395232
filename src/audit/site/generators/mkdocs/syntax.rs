//! Which syntax the extensions of a `mkdocs.yml` give its pages.

use super::option;
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::settings::{TAG, Value};
use crate::markdown::slug::{Dialect, Slugify};

/// The extensions that `extra` contains.
const EXTRA: [&str; 4] = ["attr_list", "footnotes", "def_list", "md_in_html"];

/// Each extension that others lack, by its names.
const EXTENSIONS: [(C, &[&str]); 5] = [
    (C::AttributeLists, &["attr_list"]),
    (C::Admonitions, &["admonition", "pymdownx.details"]),
    (C::Tabs, &["pymdownx.tabbed"]),
    (C::FootnoteIds, &["footnotes"]),
    (C::DefinitionLists, &["def_list"]),
];

/// Returns `all` without what the extensions do not have, and with the settings of `toc`.
pub(super) fn of_extensions(all: Syntax, extensions: &Value) -> Syntax {
    let names: Vec<&str> =
        extensions.names().into_iter().map(|name| name.trim_start_matches("markdown.extensions.")).collect();
    let has_extra = names.iter().any(|name| matches!(*name, "extra" | "pymdownx.extra"));
    let has = |wanted: &[&str]| wanted.iter().any(|name| names.contains(name) || has_extra && EXTRA.contains(name));
    let mut syntax = all;
    for (construct, names) in EXTENSIONS {
        if !has(names) {
            syntax = syntax.without(&[construct]);
        }
    }
    Syntax { dialect: dialect(extensions), ..syntax }
}

/// Returns whether `slugify` names a function that is not known.
pub(super) fn has_own_slugify(extensions: &Value) -> bool {
    let slugify = toc(extensions).get("slugify");
    slugify.is_set()
        && function(slugify).is_none_or(|name| !name.contains("slugify_unicode") && !name.contains("slugs"))
}

fn toc(extensions: &Value) -> &Value {
    let plain = option(extensions, "toc");
    if plain.is_set() { plain } else { option(extensions, "markdown.extensions.toc") }
}

/// The tag or the text that names a function; a table of arguments stands below the tag.
fn function(slugify: &Value) -> Option<&str> {
    slugify.text().or_else(|| slugify.get(TAG).text())
}

fn dialect(extensions: &Value) -> Dialect {
    let toc = toc(extensions);
    let slugify = toc.get("slugify");
    let separator = toc.get("separator").text().and_then(|text| text.chars().next()).unwrap_or('-');
    let is_lower = slugify.at(&["kwds", "case"]).text().is_some_and(|case| case.starts_with("lower"));
    let slugify = match function(slugify) {
        Some(name) if name.contains("slugify_unicode") => Slugify::Unicode,
        Some(name) if name.contains("uslugify") => Slugify::PymdownxLower,
        Some(name) if name.contains("slugs.slugify") && is_lower => Slugify::PymdownxLower,
        Some(name) if name.contains("slugs.slugify") => Slugify::Pymdownx,
        _ => Slugify::Ascii,
    };
    Dialect::PythonMarkdown { slugify, separator }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::site::settings;

    fn extensions(text: &str) -> Value {
        settings::parse(b"x.yml", text).unwrap().get("markdown_extensions").clone()
    }

    #[test]
    fn extensions_of_mkdocs() {
        let syntax = |text: &str| of_extensions(super::super::SYNTAX, &extensions(text));
        let some = syntax("markdown_extensions: [admonition, pymdownx.tabbed]\n");
        assert!(some.has(C::Admonitions) && some.has(C::Tabs) && !some.has(C::AttributeLists));
        assert!(syntax("markdown_extensions:\n  - extra\n").has(C::DefinitionLists));
    }

    #[test]
    fn names_of_headings() {
        let dialect_of = |slugify, separator| Dialect::PythonMarkdown { slugify, separator };
        let text = "markdown_extensions:\n  - toc:\n      permalink: true\n      separator: \"_\"\n  - a\n";
        assert_eq!(dialect(&extensions(text)), dialect_of(Slugify::Ascii, '_'));
        let text = "markdown_extensions:\n  - toc:\n      slugify: !!python/object/apply:pymdownx.slugs.slugify\n        kwds:\n          case: lower\n";
        assert_eq!(dialect(&extensions(text)), dialect_of(Slugify::PymdownxLower, '-'));
        assert!(!has_own_slugify(&extensions(text)));
        let text = "markdown_extensions:\n  - toc:\n      slugify: !!python/name:mine.slug\n";
        assert!(has_own_slugify(&extensions(text)));
        assert_eq!(dialect(&extensions("site_name: x\n")), Dialect::MKDOCS);
    }
}
