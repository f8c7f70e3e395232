//! Graph → findings. One file per check: documentation, check, examples as tests. `--explain` prints the documentation,
//! and `docs/reference/checks.md` is generated from it. A check reads plain data, opens no file and prints nothing.

use super::corpus::Corpus;
use super::document::{Document, Link, POST, Span};
use super::facts::Facts;
use super::finding::{Code, Edit, Fix, Severity};
use super::graph::Graph;
use super::resolve::Resolved;
use super::settings::Settings;
use super::suggest::Guess;
use super::web::UrlAnswer;
use crate::markdown::destination::Parts;
use crate::text::path::{normalise, parent};

mod anchor_case;
mod bad_suppression;
mod broken_anchor;
mod broken_link;
mod broken_url;
mod deprecated_reference;
mod deprecated_target;
mod doubtful_profile;
mod duplicate_definition;
mod malformed_link;
mod missing_notice;
mod moved_url;
mod orphan;
mod path_case;
mod secret;
mod stale_page;
mod stale_review;
mod undecided_url;
pub mod undefined_reference;
mod unreadable;
mod unused_definition;

/// All checks, in the order of the reference. To add one, write its file and name it here.
pub const ALL: &[Check] = &[
    broken_link::CHECK,
    path_case::CHECK,
    broken_anchor::CHECK,
    anchor_case::CHECK,
    undefined_reference::CHECK,
    malformed_link::CHECK,
    doubtful_profile::CHECK,
    unused_definition::CHECK,
    duplicate_definition::CHECK,
    broken_url::CHECK,
    moved_url::CHECK,
    undecided_url::CHECK,
    orphan::CHECK,
    deprecated_reference::CHECK,
    deprecated_target::CHECK,
    stale_page::CHECK,
    stale_review::CHECK,
    missing_notice::CHECK,
    secret::CHECK,
    unreadable::CHECK,
    bad_suppression::CHECK,
];

/// The input of a check.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The documents.
    pub corpus: &'a Corpus,
    /// Their links.
    pub graph: &'a Graph,
    /// The settings.
    pub settings: &'a Settings,
    /// The facts.
    pub facts: &'a Facts,
}

impl<'a> Context<'a> {
    fn document(&self, page: u32) -> &'a Document {
        &self.corpus.pages[page as usize].document
    }

    /// Returns the entry of the other page that a path in `page` names, such as in `superseded_by:`.
    pub fn page_named(&self, page: u32, path: &str) -> Option<u32> {
        let path = Parts::new(path).decoded();
        let folder = if path.starts_with(b"/") { b"".as_slice() } else { parent(self.corpus.path(page)) };
        let entry = self.corpus.tree.find(&normalise(folder, &path)?)?;
        self.corpus.page_of(entry).is_some_and(|other| other != page).then_some(entry)
    }

    /// Returns the web links of a page with their answers.
    fn answers(&self, page: u32) -> impl Iterator<Item = (&'a Link, &'a UrlAnswer)> {
        let document = self.document(page);
        let links =
            self.facts.answers.iter().flat_map(|answers| document.links.iter().map(move |link| (answers, link)));
        links.filter_map(|(answers, link)| Some((link, answers.get(document.text(link.destination))?)))
    }

    /// Returns the links of a page with their targets.
    fn links(&self, page: u32) -> impl Iterator<Item = (&'a Link, &'a Resolved)> {
        self.document(page).links.iter().zip(&self.graph.links[page as usize])
    }
}

/// A finding without line and column.
#[derive(Clone, Debug)]
pub struct PendingFinding {
    /// The code.
    pub code: Code,
    /// The severity before the configuration.
    pub severity: Severity,
    /// The page.
    pub page: u32,
    /// The span in the page, or its beginning for a finding about the whole document.
    pub span: Span,
    /// The target of the link, as written.
    pub target: Option<String>,
    /// The message, one sentence.
    pub message: String,
    /// `true` when the message begins with the text of the span, which a check does not have.
    pub quotes_span: bool,
    /// The probable target.
    pub suggestion: Option<String>,
    /// The fix.
    pub fix: Option<Fix>,
}

impl PendingFinding {
    pub(super) fn new(code: Code, severity: Severity, page: u32, span: Span, message: String) -> Self {
        Self { code, severity, page, span, target: None, message, quotes_span: false, suggestion: None, fix: None }
    }

    /// Makes a finding about a link. Its span is the destination, unless that is in a definition elsewhere.
    fn of_link(code: Code, severity: Severity, page: u32, document: &Document, link: &Link, message: String) -> Self {
        let here = link.definition.is_none() && link.destination_span.start < link.destination_span.end;
        let span = if here { link.destination_span } else { link.span };
        // The mark of a tag's name is written nowhere.
        let target = Some(document.text(link.destination).trim_start_matches(POST).to_owned());
        Self { target, ..Self::new(code, severity, page, span, message) }
    }

    /// Adds the suggestion, and the fix when it is certain and its span is known.
    fn guessing(mut self, link: &Link, guess: Option<Guess>) -> Self {
        let Some(guess) = guess else { return self };
        if guess.certain && link.destination_span.start < link.destination_span.end {
            self.fix = Some(Fix {
                title: format!("write {}", guess.destination),
                edits: vec![Edit { span: link.destination_span.range(), text: guess.destination.clone() }],
            });
        }
        self.suggestion = Some(guess.destination);
        self
    }
}

/// The scope of a check.
#[derive(Clone, Copy)]
pub enum CheckRun {
    /// Runs on one document at a time, in any order.
    Page(fn(Context<'_>, u32, &mut Vec<PendingFinding>)),
    /// Runs once on all documents.
    Tree(fn(Context<'_>, &mut Vec<PendingFinding>)),
}

/// Returns the reference of all checks, in Markdown: `docs/reference/checks.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = "# Checks of audit-docs\n\n\
        <!-- Generated from src/audit/checks/; run UPDATE_REFERENCE=1 cargo test --test reference -->\n\n\
        `mcp-kit audit-docs --explain CODE` prints the same text.\n"
        .to_owned();
    for check in ALL {
        let documentation = check.documentation().replace("\n# ", "\n### ");
        page += &format!("\n## {}\n\n{}.\n\n{}", check.code, check.summary, documentation.trim_end());
        page.push('\n');
    }
    page
}

/// A check.
pub struct Check {
    /// The code of its findings.
    pub code: Code,
    /// The defect, as a noun phrase.
    pub summary: &'static str,
    /// The function.
    pub run: CheckRun,
    source: &'static str,
}

impl Check {
    /// Returns the check that makes findings with this code.
    #[must_use]
    pub fn for_code(code: Code) -> Option<&'static Self> {
        ALL.iter().find(|check| check.code == code)
    }

    /// Returns the documentation at the head of its file, in Markdown.
    #[must_use]
    pub fn documentation(&self) -> String {
        let lines = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_says_what_it_means_and_how_to_fix_it() {
        for check in ALL {
            let text = check.documentation();
            for heading in ["# Why it matters", "# Example", "# How to fix it"] {
                assert!(text.contains(heading), "{}: no {heading:?}", check.code);
            }
        }
    }

    #[test]
    fn every_code_has_one_check() {
        for code in Code::ALL {
            assert_eq!(ALL.iter().filter(|check| check.code == *code).count(), 1, "{code}");
        }
    }
}
