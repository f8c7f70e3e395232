//! What a heading's anchor is called, by renderer. Text in, anchor out; pure.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Whose rule it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// GitHub; Docusaurus, Mintlify and DocFX follow it.
    Github,
    /// mdBook.
    Mdbook,
    /// Python-Markdown's `toc`, which MkDocs and Zensical use.
    Mkdocs,
}

impl Dialect {
    /// The anchor of a heading with this text, before it is told apart from others of the same name.
    #[must_use]
    pub fn slug(self, text: &str) -> String {
        match self {
            Self::Github => github(text),
            Self::Mdbook => mdbook(text),
            Self::Mkdocs => mkdocs(text),
        }
    }

    /// What stands between a name and the number of its repetition.
    const fn separator(self) -> char {
        match self {
            Self::Github | Self::Mdbook => '-',
            Self::Mkdocs => '_',
        }
    }
}

/// GitHub's rule: lower case, letters, marks, digits, connectors, hyphens and spaces stay, each space becomes a hyphen.
fn github(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    if text.is_ascii() {
        slug.extend(text.bytes().filter_map(|byte| match byte {
            b' ' => Some('-'),
            b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Some(char::from(byte.to_ascii_lowercase())),
            _ => None,
        }));
        return slug;
    }
    for c in text.chars() {
        match c {
            ' ' => slug.push('-'),
            '-' => slug.push('-'),
            c if c.is_ascii() => {
                if c.is_ascii_alphanumeric() || c == '_' {
                    slug.push(c.to_ascii_lowercase());
                }
            }
            c => slug.extend(c.to_lowercase().filter(|c| stays(*c))),
        }
    }
    slug
}

/// Ruby's `\p{Word}`, which is what GitHub keeps: letters, marks, decimal and letter numbers, connector punctuation.
fn stays(c: char) -> bool {
    use GeneralCategory as G;
    matches!(
        c.general_category(),
        G::UppercaseLetter
            | G::LowercaseLetter
            | G::TitlecaseLetter
            | G::ModifierLetter
            | G::OtherLetter
            | G::NonspacingMark
            | G::SpacingMark
            | G::EnclosingMark
            | G::DecimalNumber
            | G::LetterNumber
            | G::ConnectorPunctuation
    )
}

/// mdBook's `normalize_id`: alphanumerics, `_` and `-` stay, white space becomes a hyphen, only ASCII is lower-cased by old versions
/// and everything by new ones.
fn mdbook(text: &str) -> String {
    let kept = text.trim().chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// Python-Markdown's `slugify`: what has no ASCII letter under it is dropped, runs of hyphens and spaces become one hyphen.
fn mkdocs(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => slug.push(c.to_ascii_lowercase()),
            c if (c == '-' || c.is_whitespace()) && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_matches('-').to_owned()
}

/// Tells repeated names of one document apart, as the renderer does.
#[derive(Debug)]
pub struct Slugger {
    dialect: Dialect,
    /// Every name given, and how often it was asked for again.
    given: HashTable<(String, u32)>,
}

impl Slugger {
    /// For a new document.
    #[must_use]
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, given: HashTable::new() }
    }

    /// The anchor of the next heading.
    pub fn next(&mut self, text: &str) -> &str {
        let name = self.dialect.slug(text);
        self.distinguish(name)
    }

    /// `name`, or `name-1` and so on where it was given before.
    pub fn distinguish(&mut self, name: String) -> &str {
        let hash = FxBuildHasher.hash_one(name.as_str());
        let Some(&(_, count)) = self.given.find(hash, |(given, _)| *given == name) else { return self.give(name) };
        let mut number = count;
        let distinct = loop {
            number += 1;
            let candidate = format!("{name}{}{number}", self.dialect.separator());
            let hash = FxBuildHasher.hash_one(candidate.as_str());
            if self.given.find(hash, |(given, _)| *given == candidate).is_none() {
                break candidate;
            }
        };
        if let Some((_, count)) = self.given.find_mut(hash, |(given, _)| *given == name) {
            *count = number;
        }
        self.give(distinct)
    }

    fn give(&mut self, name: String) -> &str {
        let hash = FxBuildHasher.hash_one(name.as_str());
        let place =
            self.given.entry(hash, |(given, _)| *given == name, |(given, _)| FxBuildHasher.hash_one(given.as_str()));
        match place {
            Entry::Occupied(given) => &given.into_mut().0,
            Entry::Vacant(free) => &free.insert((name, 0)).into_mut().0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headings as rendered and the anchors GitHub gives them, of one document.
    const GITHUB: &[(&str, &str)] = &[
        ("Hello World", "hello-world"),
        ("Hello World", "hello-world-1"),
        ("C++ & Rust: a/b", "c--rust-ab"),
        ("a_b-c.d", "a_b-cd"),
        ("🚀 Launch", "-launch"),
        (":rocket: Launch", "rocket-launch"),
        ("Über Größe", "über-größe"),
        ("हिन्दी शीर्षक", "हिन्दी-शीर्षक"),
        ("日本語の見出し", "日本語の見出し"),
        ("Ünïcode — dash", "ünïcode--dash"),
        ("What’s new", "whats-new"),
        ("a  b", "a--b"),
        ("x² ½", "x-"),
        ("Ⅷ roman", "ⅷ-roman"),
        ("x_y‿z", "x_y‿z"),
        ("زبان\u{200c}ها", "زبانها"),
        ("a\u{a0}b (nbsp)", "ab-nbsp"),
        ("İstanbul", "i\u{307}stanbul"),
        ("foo", "foo"),
        ("foo", "foo-1"),
        ("foo-1", "foo-1-1"),
        ("Foo {#custom}", "foo-custom"),
    ];

    #[test]
    fn github_names() {
        let mut slugger = Slugger::new(Dialect::Github);
        for (text, anchor) in GITHUB {
            assert_eq!(slugger.next(text), *anchor, "{text:?}");
        }
    }

    #[test]
    fn mdbook_and_mkdocs_names() {
        assert_eq!(Dialect::Mdbook.slug("`--foo`: a  B²"), "--foo-a--b²");
        assert_eq!(Dialect::Mkdocs.slug("Set-up - the  `API` (Größe)"), "set-up-the-api-gre");
        let mut slugger = Slugger::new(Dialect::Mkdocs);
        assert_eq!(["A", "A", "a"].map(|text| slugger.next(text).to_owned()), ["a", "a_1", "a_2"]);
    }
}
