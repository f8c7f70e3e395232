//! The output of checks and the input of reporters. Plain data that knows neither files nor formats.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::site::Form;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Information. Readers meet no defect.
    Note,
    /// A defect for some readers, or a likely future defect.
    Warning,
    /// A defect that every reader meets.
    Error,
}

impl Severity {
    /// Returns the word in reports: `note`, `warning`, `error`.
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

/// A code that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no check {0:?}")]
pub struct UnknownCode(pub String);

macro_rules! codes {
    (documents { $($variant:ident $text:literal),+ $(,)? } fleet { $($fleet:ident $fleet_text:literal),+ $(,)? }) => {
        /// The stable name of a kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "what each means stands beside its check, for `--explain` as well")]
        pub enum Code { $($variant),+, $($fleet),+ }

        impl Code {
            /// The codes of `audit-docs`, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The codes of `catalog check` and `catalog verify`, in the order of the reference.
            pub const FLEET: &[Self] = &[$(Self::$fleet),+];

            /// Returns the word in reports and suppressions.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+, $(Self::$fleet => $fleet_text),+ }
            }

            /// Returns the code of the fleet with this word.
            #[must_use]
            pub fn for_fleet(text: &str) -> Option<Self> {
                match text { $($fleet_text => Some(Self::$fleet),)+ _ => None }
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
    documents {
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
    fleet {
        OldCatalog "old-catalog",
        MissingUrl "missing-url",
        MissingOwner "missing-owner",
        NotVerified "not-verified",
        Unreachable "unreachable",
        BlockedClient "blocked-client",
        Unhealthy "unhealthy",
        OpenServer "open-server",
        AuthDrift "auth-drift",
        StorageDrift "storage-drift",
        VersionDrift "version-drift",
        TemplateDrift "template-drift",
        ToolsDrift "tools-drift",
        NotMcp "not-mcp",
        BadMetadata "bad-metadata",
        CertificateEnds "certificate-ends",
        RefusedCredential "refused-credential",
    }
}

impl Code {
    /// Returns whether findings of this code need the answers of the web.
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

/// One defect and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of defect.
    pub code: Code,
    /// The severity, after the configuration.
    pub severity: Severity,
    /// The document, relative to the root, with `/` between the parts. Bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in Unicode scalar values, from 1.
    pub column: u32,
    /// The bytes of the document.
    pub span: Range<usize>,
    /// The source line, for people. A secret in it is masked.
    pub excerpt: Excerpt,
    /// The target of the link, as written.
    pub target: Option<String>,
    /// The message, one sentence.
    pub message: String,
    /// The probable target, ready to paste in place of `target`.
    pub suggestion: Option<String>,
    /// The fix, when it is certain.
    pub fix: Option<Fix>,
}

/// The source line of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The first line of the span, without its line end. A long line is cut around the span.
    pub text: String,
    /// The span in `text`, in Unicode scalar values from 0.
    pub marked: Range<usize>,
}

/// A fix: edits that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The action, in the imperative.
    pub title: String,
    /// The edits to the document of the finding: sorted, without overlap.
    pub edits: Vec<Edit>,
}

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace.
    pub span: Range<usize>,
    /// The new text.
    pub text: String,
}

/// A proposal for a whole document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It needs no change.
    Keep,
    /// It gets the header that points to the current approach.
    Update,
    /// It moves to the archive.
    Archive,
    /// It stays, and its findings need a fix.
    Fix,
}

impl Verdict {
    /// Returns the word in reports.
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
    /// The proposal.
    pub verdict: Verdict,
    /// The reasons, one sentence each.
    pub reasons: Vec<String>,
}

/// The result of an audit.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The root as given.
    pub root: String,
    /// The renderer of each part of the tree and the reason, one sentence per part.
    pub profiles: Vec<String>,
    /// The parts of the tree with their own rules, and the links in them that are not judged.
    pub sites: Vec<SiteReport>,
    /// The number of links and references that are not judged.
    pub not_judged: usize,
    /// The number of documents.
    pub documents: usize,
    /// The number of links in them.
    pub links: usize,
    /// The servers of a fleet, when the report is about one and not about documents.
    pub fleet: Option<FleetTally>,
    /// The wall-clock time.
    pub duration: std::time::Duration,
    /// Sorted by path, line, column, code.
    pub findings: Vec<Finding>,
    /// Sorted by path.
    pub decisions: Vec<Decision>,
    /// The number of findings that a baseline or a suppression hides.
    pub hidden: usize,
    /// The older state that the tree is compared with: its findings are left out.
    pub since: Option<Since>,
    /// The address under which the documents can be seen, with `/` at its end.
    pub links_to: Option<String>,
    /// The graph of all documents, for the HTML page.
    pub graph: DocumentGraph,
}

/// The counts of a report about a fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetTally {
    /// The number of entries.
    pub services: usize,
    /// The number of addresses that were asked, when any were to be.
    pub asked: Option<usize>,
}

/// An older state of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// As it was named.
    pub name: String,
    /// The commit that it is.
    pub commit: String,
    /// How many findings it has that are there now, too, and are left out.
    pub older: usize,
}

/// A part of the tree with its own rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteReport {
    /// The folder of its documents, relative to the root.
    pub folder: String,
    /// The renderer.
    pub generator: String,
    /// `true` when the rules of its generator are known, `false` when the generator is only recognised.
    pub judged: bool,
    /// The reason for that renderer.
    pub reason: String,
    /// The folders that `/` can mean.
    pub roots: Vec<String>,
    /// The settings that were read: file, name, value.
    pub settings: Vec<(String, String, String)>,
    /// The links that are not judged.
    pub not_judged: Vec<NotJudged>,
}

/// Links of one form that are not judged for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJudged {
    /// The form.
    pub form: Form,
    /// The stable name of the reason.
    pub cause: &'static str,
    /// The number of links.
    pub count: usize,
    /// The reason, a clause after "because".
    pub why: String,
    /// The remedy that makes the audit judge them, or an empty text.
    pub remedy: String,
    /// One example: document and destination.
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
