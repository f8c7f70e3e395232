//! What a heading's anchor is called, by renderer. Text in, anchor out; pure.

use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::ops::Range;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use unicode_normalization::UnicodeNormalization as _;
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
    /// Writes the anchor of a heading with this text behind `names`, before it is told apart from others of the same name.
    fn write(self, text: &str, names: &mut String) {
        match self {
            Self::Github => github(text, names),
            Self::Mdbook => mdbook(text, names),
            Self::Mkdocs => mkdocs(text, names),
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
fn github(text: &str, names: &mut String) {
    names.reserve(text.len());
    if text.is_ascii() {
        names.extend(text.bytes().filter_map(|byte| match byte {
            b' ' => Some('-'),
            b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Some(char::from(byte.to_ascii_lowercase())),
            _ => None,
        }));
        return;
    }
    for c in text.chars() {
        match c {
            ' ' => names.push('-'),
            '-' => names.push('-'),
            c if c.is_ascii() => {
                if c.is_ascii_alphanumeric() || c == '_' {
                    names.push(c.to_ascii_lowercase());
                }
            }
            c => names.extend(c.to_lowercase().filter(|c| stays(*c))),
        }
    }
}

/// Ruby's `\p{Word}`, which is what GitHub keeps: letters, marks, decimal and letter numbers, connector punctuation, and the joiner
/// of emoji, which belongs to `Join_Control`. The other character of that class is dropped by github-slugger, and no page was seen that
/// tells who is right.
fn stays(c: char) -> bool {
    use GeneralCategory as G;
    if c == '\u{200d}' {
        return true;
    }
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
fn mdbook(text: &str, names: &mut String) {
    let kept = text.trim().chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    names.extend(kept.flat_map(char::to_lowercase));
}

/// Python-Markdown's `slugify`: letters lose their marks (NFKD) and what is then beyond ASCII is dropped; runs of hyphens and white space
/// become one hyphen, at the ends as well.
fn mkdocs(text: &str, names: &mut String) {
    let start = names.len();
    for c in text.nfkd() {
        let c = match c {
            c if c.is_ascii_alphanumeric() || c == '_' => c.to_ascii_lowercase(),
            '-' => '-',
            c if c.is_ascii_whitespace() => ' ',
            _ => continue,
        };
        names.push(c);
    }
    // White space at the ends goes before runs become hyphens.
    let kept: String = names[start..].trim_matches(' ').into();
    names.truncate(start);
    for c in kept.chars() {
        match c {
            ' ' | '-' if names.len() > start && names.ends_with('-') => {}
            ' ' | '-' => names.push('-'),
            c => names.push(c),
        }
    }
}

/// Tells repeated names of one document apart, as the renderer does.
#[derive(Debug)]
pub struct Slugger {
    dialect: Dialect,
    /// All names, one after the other: a text of its own for each cost a fiftieth of the time of a whole audit.
    names: String,
    given: HashTable<Given>,
}

/// A name that was given.
#[derive(Debug)]
struct Given {
    name: Range<usize>,
    hash: u64,
    /// How often it was asked for again.
    repeated: u32,
}

impl Slugger {
    /// For a new document.
    #[must_use]
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, names: String::new(), given: HashTable::new() }
    }

    /// The anchor of the next heading: `name`, or `name-1` and so on where it was given before.
    pub fn next(&mut self, text: &str) -> &str {
        let start = self.names.len();
        self.dialect.write(text, &mut self.names);
        let end = self.names.len();
        let hash = self.hash(start);
        // Python-Markdown calls a heading without any letter `_1`, and the next one `_2`.
        let is_nameless = self.dialect == Dialect::Mkdocs && start == end;
        if is_nameless && self.find(hash, start).is_none() {
            self.give(start, hash);
        }
        let Some(first) = self.find(hash, start) else { return self.give(start, hash) };
        let (first, mut number) = (first.name.clone(), first.repeated);
        let distinct = loop {
            number += 1;
            self.names.truncate(end);
            // Infallible: it is memory.
            let _ = write!(self.names, "{}{number}", self.dialect.separator());
            let hash = self.hash(start);
            if self.find(hash, start).is_none() {
                break hash;
            }
        };
        if let Some(given) = self.given.find_mut(hash, |given| given.name == first) {
            given.repeated = number;
        }
        self.give(start, distinct)
    }

    /// Of what stands at the end of the names.
    fn hash(&self, start: usize) -> u64 {
        FxBuildHasher.hash_one(&self.names[start..])
    }

    fn find(&self, hash: u64, start: usize) -> Option<&Given> {
        self.given.find(hash, |given| self.names[given.name.clone()] == self.names[start..])
    }

    fn give(&mut self, start: usize, hash: u64) -> &str {
        let name = start..self.names.len();
        self.given.insert_unique(hash, Given { name, hash, repeated: 0 }, |given| given.hash);
        &self.names[start..]
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
        let slug = |dialect, text| Slugger::new(dialect).next(text).to_owned();
        assert_eq!(slug(Dialect::Mdbook, "`--foo`: a  B²"), "--foo-a--b²");
        assert_eq!(slug(Dialect::Mkdocs, "Set-up - the  `API` (Größe)"), "set-up-the-api-groe");
        assert_eq!(slug(Dialect::Mkdocs, "`--flag` café -"), "-flag-cafe-");
        let mut slugger = Slugger::new(Dialect::Mkdocs);
        assert_eq!(["A", "A", "a"].map(|text| slugger.next(text).to_owned()), ["a", "a_1", "a_2"]);
        assert_eq!(["日本", "語", "A"].map(|text| slugger.next(text).to_owned()), ["_1", "_2", "a_3"]);
    }
}
