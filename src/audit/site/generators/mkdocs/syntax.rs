//! Which syntax the extensions of a `mkdocs.yml` give its pages.

use super::option;
use crate::audit::document::{Construct as C, Syntax, TabNames};
use crate::audit::site::settings::{SettingValue, TAG};
use crate::markdown::slug::{Case, Dialect, Slugify};

/// The extensions that `extra` contains.
const EXTRA: [&str; 4] = ["attr_list", "footnotes", "def_list", "md_in_html"];

/// Each extension that others lack, by its names.
const EXTENSIONS: [(C, &[&str]); 7] = [
    (C::Emoji, &["pymdownx.emoji"]),
    (C::AttributeLists, &["attr_list"]),
    (C::HeadingIds, &["attr_list"]),
    (C::Admonitions, &["admonition", "pymdownx.details"]),
    (C::Tabs, &["pymdownx.tabbed"]),
    (C::FootnoteIds, &["footnotes"]),
    (C::DefinitionLists, &["def_list"]),
];

/// The marks of pages that a build composes, with those of `markdown_include`: `{!file!}`.
const WITH_INCLUDES: &[&str] = &["\n::: ", "\n{%", "\n{{", "{!"];

/// Returns `all` without what the extensions do not have, and with the settings of `toc`.
pub(super) fn of_extensions(all: Syntax, extensions: &SettingValue) -> Syntax {
    let names: Vec<&str> =
        extensions.names().into_iter().map(|name| name.trim_start_matches("markdown.extensions.")).collect();
    let has_extra = names.iter().any(|name| matches!(*name, "extra" | "pymdownx.extra"));
    let has = |wanted: &[&str]| wanted.iter().any(|name| names.contains(name) || has_extra && EXTRA.contains(name));
    let mut syntax = if names.contains(&"pymdownx.saneheaders") { all.without(&[C::TightHeadings]) } else { all };
    for (construct, names) in EXTENSIONS {
        if !has(names) {
            syntax = syntax.without(&[construct]);
        }
    }
    let has_includes = names.contains(&"markdown_include.include");
    let composed_marks = if has_includes { WITH_INCLUDES } else { syntax.composed_marks };
    let include_marks = if has(&["pymdownx.snippets"]) { syntax.include_marks } else { &[] };
    Syntax { dialect: dialect(extensions), composed_marks, include_marks, tab_names: tab_names(extensions), ..syntax }
}

/// The names of tabs; nothing where they are only numbered.
fn tab_names(extensions: &SettingValue) -> Option<TabNames> {
    let tabs = option(extensions, "pymdownx.tabbed");
    let slugify = named(tabs.get("slugify"))?;
    Some(TabNames { slugify, combined: tabs.get("combine_header_slug") == &SettingValue::Bool(true) })
}

/// Returns whether tabs are named by a function that is not known.
pub(super) fn has_own_tab_names(extensions: &SettingValue) -> bool {
    let slugify = option(extensions, "pymdownx.tabbed").get("slugify");
    slugify.is_set() && named(slugify).is_none()
}

/// Returns whether `slugify` names a function that is not known.
pub(super) fn has_own_slugify(extensions: &SettingValue) -> bool {
    let slugify = toc(extensions).get("slugify");
    slugify.is_set() && named(slugify).is_none()
}

fn toc(extensions: &SettingValue) -> &SettingValue {
    let plain = option(extensions, "toc");
    if plain.is_set() { plain } else { option(extensions, "markdown.extensions.toc") }
}

/// The tag or the text that names a function; a table of arguments stands below the tag.
fn function(slugify: &SettingValue) -> Option<&str> {
    slugify.text().or_else(|| slugify.get(TAG).text())
}

/// Returns the function that a setting names.
fn named(slugify: &SettingValue) -> Option<Slugify> {
    let name = function(slugify)?;
    // `!!python/name:x.y` comes without its tag's kind, `!!python/object/apply:x.y` with its arguments below it.
    let name = name.rsplit(':').next().unwrap_or(name);
    let arguments = slugify.get("kwds");
    let has_others = arguments.entries().iter().any(|(name, _)| name != "case");
    match name {
        "markdown.extensions.toc.slugify" => Some(Slugify::Ascii),
        "markdown.extensions.toc.slugify_unicode" => Some(Slugify::Unicode),
        "pymdownx.slugs.uslugify" => Some(Slugify::Pymdownx(Case::Lower)),
        "pymdownx.slugs.uslugify_cased" => Some(Slugify::Pymdownx(Case::Keep)),
        "pymdownx.slugs.slugify" if !has_others => match arguments.get("case") {
            SettingValue::Null => Some(Slugify::Pymdownx(Case::Keep)),
            case => Some(Slugify::Pymdownx(case_named(case.text()?)?)),
        },
        _ => None,
    }
}

fn case_named(case: &str) -> Option<Case> {
    match case {
        "none" => Some(Case::Keep),
        "lower" => Some(Case::Lower),
        "lower-ascii" => Some(Case::LowerAscii),
        _ => None,
    }
}

fn dialect(extensions: &SettingValue) -> Dialect {
    let toc = toc(extensions);
    let slugify = toc.get("slugify");
    let separator = toc.get("separator").text().and_then(|text| text.chars().next()).unwrap_or('-');
    let slugify = named(slugify).unwrap_or(Slugify::Ascii);
    Dialect::PythonMarkdown { slugify, separator }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::site::settings;

    fn extensions(text: &str) -> SettingValue {
        settings::parse(b"x.yml", text).unwrap().get("markdown_extensions").clone()
    }

    #[test]
    fn extensions_of_mkdocs() {
        let syntax = |text: &str| of_extensions(super::super::SYNTAX, &extensions(text));
        let some = syntax("markdown_extensions: [admonition, pymdownx.tabbed]\n");
        assert!(some.has(C::Admonitions) && some.has(C::Tabs) && !some.has(C::AttributeLists));
        assert!(syntax("markdown_extensions:\n  - extra\n").has(C::DefinitionLists));
        assert!(syntax("markdown_extensions: [markdown_include.include]\n").composed_marks.contains(&"{!"));
        assert!(!some.composed_marks.contains(&"{!"));
        assert!(some.include_marks.is_empty());
        assert!(!syntax("markdown_extensions: [pymdownx.snippets]\n").include_marks.is_empty());
    }

    #[test]
    fn names_of_headings() {
        let dialect_of = |slugify, separator| Dialect::PythonMarkdown { slugify, separator };
        let text = "markdown_extensions:\n  - toc:\n      permalink: true\n      separator: \"_\"\n  - a\n";
        assert_eq!(dialect(&extensions(text)), dialect_of(Slugify::Ascii, '_'));
        let text = "markdown_extensions:\n  - toc:\n      slugify: !!python/object/apply:pymdownx.slugs.slugify\n        kwds:\n          case: lower\n";
        assert_eq!(dialect(&extensions(text)), dialect_of(Slugify::Pymdownx(Case::Lower), '-'));
        assert!(!has_own_slugify(&extensions(text)));
        for (slugify, case) in [
            ("!!python/object/apply:pymdownx.slugs.slugify {kwds: {case: lower-ascii}}", Case::LowerAscii),
            ("!!python/object/apply:pymdownx.slugs.slugify {}", Case::Keep),
            ("!!python/name:pymdownx.slugs.uslugify", Case::Lower),
        ] {
            let extensions = extensions(&format!("markdown_extensions:\n  - toc:\n      slugify: {slugify}\n"));
            assert_eq!(dialect(&extensions), dialect_of(Slugify::Pymdownx(case), '-'), "{slugify}");
            assert!(!has_own_slugify(&extensions), "{slugify}");
        }
        let text = "markdown_extensions:\n  - toc:\n      slugify: !!python/object/apply:pymdownx.slugs.slugify {kwds: {case: lower, percent_encode: true}}\n";
        assert!(has_own_slugify(&extensions(text)));
        let text = "markdown_extensions:\n  - toc:\n      slugify: !!python/name:mine.slug\n";
        assert!(has_own_slugify(&extensions(text)));
        assert_eq!(dialect(&extensions("site_name: x\n")), Dialect::MKDOCS);
    }
}
