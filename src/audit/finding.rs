//! What checks make and reporters read. In: nothing. Out: plain data that knows neither files nor formats.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::site::Form;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is wrong for a reader.
    Note,
    /// Wrong for some readers, or likely to become wrong.
    Warning,
    /// A reader meets a defect.
    Error,
}

impl Severity {
    /// As it stands in reports: `note`, `warning`, `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A code that is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("there is no check {0:?}")]
pub struct UnknownCode(pub String);

macro_rules! codes {
    ($($variant:ident $text:literal),+ $(,)?) => {
        /// The stable name of a kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "what each means stands beside its check, for `--explain` as well")]
        pub enum Code { $($variant),+ }

        impl Code {
            /// All of them, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it stands in reports and suppressions.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for Code {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                match text { $($text => Ok(Self::$variant),)+ other => Err(UnknownCode(other.to_owned())) }
            }
        }
    };
}

codes! {
    BrokenLink "broken-link",
    PathCase "path-case",
    BrokenAnchor "broken-anchor",
    AnchorCase "anchor-case",
    UndefinedReference "undefined-reference",
    MalformedLink "malformed-link",
    DoubtfulProfile "doubtful-profile",
    UnusedDefinition "unused-definition",
    DuplicateDefinition "duplicate-definition",
    BrokenUrl "broken-url",
    MovedUrl "moved-url",
    UndecidedUrl "undecided-url",
    Orphan "orphan",
    DeprecatedReference "deprecated-reference",
    DeprecatedTarget "deprecated-target",
    StalePage "stale-page",
    StaleReview "stale-review",
    MissingNotice "missing-notice",
    Secret "secret",
    Unreadable "unreadable",
    BadSuppression "bad-suppression",
}

impl Code {
    /// Whether only the web knows: without asking it, nothing is said of these.
    #[must_use]
    pub const fn is_of_the_web(self) -> bool {
        matches!(self, Self::BrokenUrl | Self::MovedUrl | Self::UndecidedUrl)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub code: Code,
    /// How much it matters, after the configuration had its say.
    pub severity: Severity,
    /// The document, relative to the root, `/` between the parts; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in Unicode scalar values, from 1.
    pub column: u32,
    /// Where it stands in the document's bytes.
    pub span: Range<usize>,
    /// The line(s) it stands on, for people; a secret is masked.
    pub excerpt: Excerpt,
    /// What the link points to, as written.
    pub target: Option<String>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What it should probably be, ready to paste in place of `target`.
    pub suggestion: Option<String>,
    /// The repair, where it is certain.
    pub fix: Option<Fix>,
}

/// The source line of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The first line that the span touches, without its line end; long lines are cut around the span.
    pub text: String,
    /// The span within `text`, in Unicode scalar values from 0.
    pub marked: Range<usize>,
}

/// A repair: edits that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// What changes, in the finding's document; sorted, not overlapping.
    pub edits: Vec<Edit>,
}

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which bytes of the document.
    pub span: Range<usize>,
    /// What comes in their place.
    pub text: String,
}

/// What is proposed for a whole document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is right as it is.
    Keep,
    /// It gets the header that points to the current approach.
    Update,
    /// It moves to the archive.
    Archive,
    /// It stays, and something in it is to be mended.
    Fix,
}

impl Verdict {
    /// As it stands in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Update => "update",
            Self::Archive => "archive",
            Self::Fix => "fix",
        }
    }
}

/// A proposal for a document, with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The document.
    pub path: String,
    /// What is proposed.
    pub verdict: Verdict,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
}

/// Everything an audit says.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The root as given.
    pub root: String,
    /// Which renderer's rules were taken and why, one sentence for each part of the tree that has its own.
    pub profiles: Vec<String>,
    /// The parts of the tree that have rules of their own, and what of them is not judged.
    pub sites: Vec<SiteReport>,
    /// How many links and references are not judged.
    pub not_judged: usize,
    /// How many documents were read.
    pub documents: usize,
    /// How many links they hold.
    pub links: usize,
    /// Wall-clock time.
    pub duration: std::time::Duration,
    /// Sorted by path, line, column, code.
    pub findings: Vec<Finding>,
    /// Sorted by path.
    pub decisions: Vec<Decision>,
    /// Findings left out because a baseline or a suppression has them.
    pub hidden: usize,
    /// The graph, for the page that draws it: every document, and for each the indices of those it links to.
    pub graph: DocumentGraph,
}

/// A part of the tree with rules of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteReport {
    /// The folder of its documents, relative to the root.
    pub folder: String,
    /// What renders it.
    pub generator: String,
    /// Whether its generator's rules are known; otherwise it is only recognised.
    pub judged: bool,
    /// Why it is taken for that.
    pub reason: String,
    /// Folders that `/` stands for.
    pub roots: Vec<String>,
    /// The settings that were read: file, name, value.
    pub settings: Vec<(String, String, String)>,
    /// What is not judged.
    pub not_judged: Vec<NotJudged>,
}

/// Links of one form that are not judged for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJudged {
    /// The form.
    pub form: Form,
    /// The stable name of the reason.
    pub cause: &'static str,
    /// How many.
    pub count: usize,
    /// The reason: a clause behind "because".
    pub why: String,
    /// What would make them judged; empty where nothing would.
    pub remedy: String,
    /// One of them: document and destination.
    pub example: (String, String),
}

/// Documents and the links between them.
#[derive(Clone, Debug, Default)]
pub struct DocumentGraph {
    /// Paths as in [`Finding::path`], sorted.
    pub documents: Vec<String>,
    /// From, to: indices into `documents`; sorted, without repetition.
    pub edges: Vec<(u32, u32)>,
}
