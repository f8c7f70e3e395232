//! Computes the anchor of a heading for each renderer. Pure: text in, anchor out.

mod python;
mod rules;

use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::ops::Range;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

pub use python::{Case, Slugify};
pub use rules::docutils;

/// The renderer whose rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// GitHub and GitLab.
    Github,
    /// kramdown's parser for GitHub's Markdown, which Jekyll uses: GitHub's names without the joiner of emoji.
    Kramdown,
    /// The package github-slugger: GitHub's names, but never the same one twice. Docusaurus, Starlight, Mintlify and
    /// DocFX follow it.
    GithubSlugger,
    /// mdBook.
    Mdbook,
    /// Python-Markdown's `toc`, which MkDocs and Zensical use.
    PythonMarkdown {
        /// The function that makes a name.
        slugify: Slugify,
        /// The setting `separator`.
        separator: char,
    },
    /// The package `@mdit-vue/shared`, which VitePress and VuePress use.
    MditVue,
    /// MyST (`myst_parser/slugs.py`, `github_slugify`), and docutils' ids beside it.
    Myst {
        /// The setting `myst_heading_anchors`: headings of deeper levels have docutils' ids alone.
        depth: u8,
    },
    /// Hugo's `autoHeadingIDType`: `github`, or `github-ascii`.
    Hugo {
        /// Only ASCII stays.
        ascii: bool,
    },
}

impl Dialect {
    /// MkDocs without settings.
    pub const MKDOCS: Self = Self::PythonMarkdown { slugify: Slugify::Ascii, separator: '-' };

    /// Appends the anchor of a heading to `names`, before numbering repeated ones.
    fn write(self, text: &str, names: &mut String) {
        match self {
            Self::Github => rules::github(text, names),
            Self::GithubSlugger => rules::github_slugger(text, names),
            Self::Mdbook => rules::mdbook(text, names),
            Self::PythonMarkdown { slugify, separator } => slugify.write(text, separator, names),
            Self::Kramdown => rules::github(&text.replace('\u{200d}', ""), names),
            Self::MditVue => rules::mdit_vue(text, names),
            Self::Myst { .. } => rules::myst(text, names),
            Self::Hugo { ascii } => rules::hugo(text, ascii, names),
        }
    }

    const fn is_python(self) -> bool {
        matches!(self, Self::PythonMarkdown { .. })
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

    /// Takes a name that the document gives by itself: no heading gets it after that.
    pub fn take(&mut self, name: &str) {
        let start = self.names.len();
        self.names.push_str(name);
        let hash = self.hash(start);
        match self.find(hash, start) {
            Some(_) => self.names.truncate(start),
            None => {
                self.give(start, hash);
            }
        }
    }

    /// Returns the anchor of the next heading: `name`, or `name-1` and so on when it is taken.
    pub fn next(&mut self, text: &str) -> &str {
        let start = self.names.len();
        self.dialect.write(text, &mut self.names);
        let end = self.names.len();
        let hash = self.hash(start);
        // Python-Markdown names a heading without letters `_1`, and the next one `_2`.
        let is_nameless = self.dialect.is_python() && start == end;
        if is_nameless && self.find(hash, start).is_none() {
            self.give(start, hash);
        }
        let Some(first) = self.find(hash, start) else { return self.give(start, hash) };
        let (first, mut number) = (first.name.clone(), first.repeated);
        let mut base = end;
        if self.dialect.is_python() {
            let (name, taken) = numbered(&self.names[start..]);
            (base, number) = (start + name, number.max(taken));
        }
        let distinct = loop {
            number = number.saturating_add(1);
            self.names.truncate(base);
            // Infallible: writes to a `String`.
            let _ = write!(self.names, "{}{number}", if self.dialect.is_python() { '_' } else { '-' });
            if matches!(self.dialect, Dialect::Github | Dialect::Kramdown) {
                break None;
            }
            let hash = self.hash(start);
            if self.find(hash, start).is_none() {
                break Some(hash);
            }
        };
        if let Some(given) = self.given.find_mut(hash, |given| given.name == first) {
            given.repeated = number;
        }
        match distinct {
            Some(hash) => self.give(start, hash),
            // html-pipeline counts each name for itself and does not ask whether `name-1` is taken.
            None => &self.names[start..],
        }
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

/// Returns the length of `name` in `name_3` and the number; Python-Markdown counts on from there.
fn numbered(name: &str) -> (usize, u32) {
    let found = name.rsplit_once('_').and_then(|(base, number)| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        Some((base.len(), number.parse().ok().filter(|_| is_number)?))
    });
    found.unwrap_or((name.len(), 0))
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
        ("foo-1", "foo-1"),
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
        assert_eq!(slug(Dialect::Mdbook, "İstanbul –"), "istanbul-");
        assert_eq!(slug(Dialect::MKDOCS, "Set-up - the  `API` (Größe)"), "set-up-the-api-groe");
        assert_eq!(slug(Dialect::MKDOCS, "`--flag` café -"), "-flag-cafe-");
        let mut slugger = Slugger::new(Dialect::MKDOCS);
        assert_eq!(["A", "A", "a"].map(|text| slugger.next(text).to_owned()), ["a", "a_1", "a_2"]);
        assert_eq!(["a_1", "a"].map(|text| slugger.next(text).to_owned()), ["a_3", "a_4"]);
        assert_eq!(["日本", "語", "A"].map(|text| slugger.next(text).to_owned()), ["_1", "_2", "a_5"]);
    }

    #[test]
    fn github_slugger_never_gives_a_name_twice() {
        assert_eq!(Slugger::new(Dialect::GithubSlugger).next("👨\u{200d}👩C#(x)"), "cx");
        let mut slugger = Slugger::new(Dialect::GithubSlugger);
        let names = ["foo", "foo", "foo-1", "foo"].map(|text| slugger.next(text).to_owned());
        assert_eq!(names, ["foo", "foo-1", "foo-1-1", "foo-2"]);
    }

    #[test]
    fn separators_and_functions_of_python_markdown() {
        let slug = |slugify, separator, text: &str| {
            Slugger::new(Dialect::PythonMarkdown { slugify, separator }).next(text).to_owned()
        };
        assert_eq!(slug(Slugify::Ascii, '_', "Release  notes - one_two"), "release_notes_-_one_two");
        assert_eq!(slug(Slugify::Unicode, '-', "Größe: der Bär"), "größe-der-bär");
        // Python-Markdown makes one blank of several; what is left of `A & B` keeps both of its own.
        assert_eq!(slug(Slugify::Pymdownx(Case::Lower), '-', "A  B & Größe"), "a-b--größe");
        assert_eq!(slug(Slugify::Pymdownx(Case::LowerAscii), '-', "Größe ÄB"), "größe-Äb");
        assert_eq!(slug(Slugify::Pymdownx(Case::Keep), '-', "My API"), "My-API");
        assert_eq!(slug(Slugify::Pymdownx(Case::Lower), '-', "Vec<T> of a"), "vec-of-a");
    }

    #[test]
    fn hugo_names() {
        let slug = |ascii, text| Slugger::new(Dialect::Hugo { ascii }).next(text).to_owned();
        for (text, name, in_ascii) in [
            ("İstanbul", "istanbul", "istanbul"),
            ("Ⅷ Привет", "-привет", "-"),
            ("नमस्ते", "नमसत", "heading"),
            ("e\u{301}galité ½", "egalité-", "egalite-"),
            ("…", "heading", "heading"),
        ] {
            assert_eq!((slug(false, text), slug(true, text)), (name.to_owned(), in_ascii.to_owned()), "{text}");
        }
        let mut slugger = Slugger::new(Dialect::Hugo { ascii: false });
        slugger.take("ab");
        assert_eq!(["ab", "ab"].map(|text| slugger.next(text).to_owned()), ["ab-1", "ab-2"]);
    }

    #[test]
    fn myst_and_docutils_names() {
        let mut slugger = Slugger::new(Dialect::Myst { depth: 3 });
        let names = ["½ Привет नमस्ते", "a & b ", "foo", "foo", "foo-1"].map(|text| slugger.next(text).to_owned());
        assert_eq!(names, ["½-привет-नमसत", "a--b-", "foo", "foo-1", "foo-1-1"]);
        for (text, id) in [
            ("1. Setup & Größe -", "setup-grosze"),
            ("Smile ½ café", "smile-12-cafe"),
            ("日本語", ""),
            ("`a_b.c()`", "a-b-c"),
            ("2024", ""),
        ] {
            assert_eq!(docutils(text), id, "{text}");
        }
    }

    #[test]
    fn vitepress_names() {
        let slug = |text| Slugger::new(Dialect::MditVue).next(text).to_owned();
        assert_eq!(slug("1. Setup"), "_1-setup");
        assert_eq!(slug("Folder: /assets/glyphs/"), "folder-assets-glyphs");
        assert_eq!(slug("Crème -- `brûlée`"), "creme-brulee");
    }
}
