//! One file → what other files can link to and what it links to. Bytes in, plain data out; nothing here knows of other files.
//!
//! A [`Document`] keeps offsets and the few texts that checks need, never the whole text: a tree of gigabytes must fit into memory.

mod anchors;
mod blocks;
mod definitions;
mod evidence;
mod front_matter;
mod html;
mod literals;
mod markdown;
mod parsed;
mod raw;
mod reader;
mod secrets;
mod source;
mod suppression;
mod syntax;
mod text;
mod words;

use std::ops::Range;

pub use anchors::{Anchors, Match};
pub(in crate::audit) use blocks::POST;
pub use evidence::{Evidence, Mention, Notice, Patterns, Place};
pub use front_matter::FrontMatter;
pub use markdown::parse;
pub use raw::{Raw, RawKind};
pub use secrets::{Secret, find as secrets_of};
pub use suppression::{Defect, Suppression};
pub use syntax::{Construct, Constructs, Syntax, TabNames};
pub use text::{Decoded, decode};

/// Bytes of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first.
    pub start: u32,
    /// The one after the last.
    pub end: u32,
}

impl Span {
    /// Makes a span from an ordinary range. Documents are smaller than 4 GB.
    #[must_use]
    pub fn from_range(range: &Range<usize>) -> Self {
        let small = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: small(range.start), end: small(range.end) }
    }

    /// As an ordinary range.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A text kept in the document's [`Strings`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text(Span);

/// Many short texts in one allocation: a hundred thousand link destinations of their own cost more than what they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings(String);

impl Strings {
    /// Room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Gives back the room that is left.
    pub(super) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Keeps a text.
    pub fn add(&mut self, text: &str) -> Text {
        let start = self.0.len();
        self.0.push_str(text);
        Text(Span::from_range(&(start..self.0.len())))
    }

    /// A text of this document.
    #[must_use]
    pub fn get(&self, text: Text) -> &str {
        self.0.get(text.0.range()).unwrap_or_default()
    }
}

/// How a link is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// `[text](destination)`, `[text][label]`.
    Link,
    /// `![text](destination)`.
    Image,
    /// `<scheme:…>`, `<mail@example.org>`, and bare addresses in text.
    Autolink,
    /// An attribute of HTML or JSX.
    Html,
    /// The other file's text becomes a part of this one.
    Include,
    /// `[[page#heading|text]]`, which may name a page wherever it lies.
    Wiki,
    /// The generator looks its destination up: `[text]({{< ref "page" >}})`.
    LookedUp,
}

/// Something that points somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// All of it.
    pub span: Span,
    /// The destination as written; where it stands in a definition, there. Empty where it is not known.
    pub destination_span: Span,
    /// The destination, unescaped.
    pub destination: Text,
    /// How it is written.
    pub kind: LinkKind,
    /// Which of the document's definitions gives the destination.
    pub definition: Option<u32>,
    /// `true` when its text says that what it points to is old.
    pub says_old: bool,
    /// `true` when it is empty and names the place where it stands: `[](){#id}`.
    pub is_anchor: bool,
}

impl Link {
    /// Creates a link whose destination stands at `destination_span`, of which nothing else is known yet.
    const fn new(span: Span, destination_span: Span, destination: Text, kind: LinkKind) -> Self {
        Self { span, destination_span, destination, kind, definition: None, says_old: false, is_anchor: false }
    }
}

/// `[label]: destination`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// All of it.
    pub span: Span,
    /// The destination as written.
    pub destination_span: Span,
    /// The label.
    pub label: Text,
    /// The destination.
    pub destination: Text,
    /// `true` when any link or image uses it.
    pub used: bool,
    /// `true` when one with the same label stands before it, so that this one counts for nothing.
    pub repeated: bool,
}

/// `[text][label]` or `[label][]` without a definition, which is shown as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undefined {
    /// All of it.
    pub span: Span,
    /// The label.
    pub label: Text,
    /// `!` stands before it.
    pub image: bool,
    /// `[label][]`.
    pub collapsed: bool,
    /// It is a part of a heading.
    pub in_heading: bool,
}

/// How the file could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// As UTF-8.
    #[default]
    Whole,
    /// It is not UTF-8; this is the first place where it is not.
    Lossy(Span),
    /// Not at all, for this reason.
    Failed(String),
}

/// A parsed document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The short texts of everything below.
    pub strings: Strings,
    /// Links, images and what HTML points to, in order.
    pub links: Box<[Link]>,
    /// References without a definition.
    pub undefined: Box<[Undefined]>,
    /// Text that was meant as a link.
    pub raw: Box<[Raw]>,
    /// Reference definitions, in order.
    pub definitions: Box<[Definition]>,
    /// The anchors.
    pub anchors: Anchors,
    /// The names of places that links on all pages may give, where the renderer has such labels: those that somebody has written.
    pub labels: Box<[Text]>,
    /// Names in braces behind headings (`## Setup {#setup}`), which this renderer shows as text.
    pub braced: Anchors,
    /// The first heading of the first level.
    pub title: Option<Text>,
    /// The front matter.
    pub front_matter: FrontMatter,
    /// Findings that are not to be reported.
    pub suppressions: Box<[Suppression]>,
    /// Signs of being deprecated.
    pub evidence: Evidence,
    /// Probable secrets.
    pub secrets: Box<[Secret]>,
    /// How the file could be read.
    pub reading: Reading,
    /// `true` when the build puts parts into it that are not known here.
    pub composed: bool,
    /// The files of the project's own components that it shows, as they are imported, or the names of shortcodes.
    pub components: Box<[Text]>,
}

impl Document {
    /// A text of this document.
    #[must_use]
    pub fn text(&self, text: Text) -> &str {
        self.strings.get(text)
    }

    /// A file of which nothing is known but why.
    #[must_use]
    pub fn unread(reason: String) -> Self {
        Self { reading: Reading::Failed(reason), ..Self::default() }
    }
}
