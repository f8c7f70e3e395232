//! Computes the anchor of a heading for each renderer. Pure: text in, anchor out.

use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::ops::Range;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// The renderer whose rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// GitHub. Docusaurus, Mintlify and DocFX follow it.
    Github,
    /// mdBook.
    Mdbook,
    /// Python-Markdown's `toc`, which MkDocs and Zensical use.
    Mkdocs,
}

impl Dialect {
    /// Appends the anchor of a heading to `names`, before numbering repeated ones.
    fn write(self, text: &str, names: &mut String) {
        match self {
            Self::Github => github(text, names),
            Self::Mdbook => mdbook(text, names),
            Self::Mkdocs => mkdocs(text, names),
        }
    }

    /// Returns the separator between a name and its repetition number.
    const fn separator(self) -> char {
        match self {
            Self::Github | Self::Mdbook => '-',
            Self::Mkdocs => '_',
        }
    }
}

/// GitHub's rule. Letters, marks, digits, connectors, hyphens and spaces stay, in lower case. Each space becomes a
/// hyphen.
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

/// Ruby's `\p{Word}`, which GitHub keeps: letters, marks, decimal and letter numbers, connector punctuation, and the
/// emoji joiner (U+200D), which belongs to `Join_Control`. github-slugger drops the other character of that class. No
/// page was found that shows GitHub's choice.
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

/// mdBook's `normalize_id`. Alphanumerics, `_` and `-` stay, and white space becomes a hyphen. Old versions lower-case
/// ASCII only, new versions all letters.
fn mdbook(text: &str, names: &mut String) {
    let kept = text.trim().chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    names.extend(kept.flat_map(char::to_lowercase));
}

/// Python-Markdown's `slugify`. It strips marks from letters (NFKD) and drops what is not ASCII after that. Runs of
/// hyphens and white space become one hyphen, also at the ends.
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
    // Trim white space at the ends before runs become hyphens.
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

/// Numbers the repeated names of one document, as the renderer does.
#[derive(Debug)]
pub struct Slugger {
    dialect: Dialect,
    /// All names in one buffer. A separate string for each cost 2 % of the time of a whole audit.
    names: String,
    given: HashTable<Given>,
}

/// A name that is taken.
#[derive(Debug)]
struct Given {
    name: Range<usize>,
    hash: u64,
    /// The number of repetitions so far.
    repeated: u32,
}

impl Slugger {
    /// Creates a slugger for a new document.
    #[must_use]
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, names: String::new(), given: HashTable::new() }
    }

    /// Returns the anchor of the next heading: `name`, or `name-1` and so on when it is taken.
    pub fn next(&mut self, text: &str) -> &str {
        let start = self.names.len();
        self.dialect.write(text, &mut self.names);
        let end = self.names.len();
        let hash = self.hash(start);
        // Python-Markdown names a heading without letters `_1`, and the next one `_2`.
        let is_nameless = self.dialect == Dialect::Mkdocs && start == end;
        if is_nameless && self.find(hash, start).is_none() {
            self.give(start, hash);
        }
        let Some(first) = self.find(hash, start) else { return self.give(start, hash) };
        let (first, mut number) = (first.name.clone(), first.repeated);
        let distinct = loop {
            number += 1;
            self.names.truncate(end);
            // Infallible: writes to a `String`.
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

    /// Hashes the names from `start` to the end.
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

    /// Rendered headings of one document and the anchors that GitHub gives them.
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
