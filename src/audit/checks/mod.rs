//! Graph → findings. One file for each check: its documentation on top (which is what `--explain` prints and the reference page says),
//! the check, and its examples as tests. A check reads plain data, opens no file and prints nothing.
//!
//! To add one, write the file and name it in the list below.

use super::config::Config;
use super::corpus::Corpus;
use super::document::{Document, Link, Span};
use super::finding::{Code, Edit, Fix, Severity};
use super::graph::Graph;
use super::resolve::Resolved;
use super::suggest::Guess;
use super::web::Answer;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => {
        $(pub mod $name;)+

        /// Every check, in the order of the reference.
        pub const ALL: &[Check] =
            &[$(Check { code: $name::CODE, run: $name::RUN, source: include_str!(concat!(stringify!($name), ".rs")) }),+];
    };
}

checks! {
    broken_link,
    path_case,
    broken_anchor,
    anchor_case,
    undefined_reference,
    malformed_link,
    doubtful_profile,
    unused_definition,
    duplicate_definition,
    broken_url,
    moved_url,
    undecided_url,
    orphan,
    deprecated_reference,
    deprecated_target,
    stale_page,
    stale_review,
    missing_notice,
    secret,
    unreadable,
    bad_suppression,
}

/// Everything that a check may look at.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The documents.
    pub corpus: &'a Corpus,
    /// Their links.
    pub graph: &'a Graph,
    /// The settings.
    pub config: &'a Config,
}

impl<'a> World<'a> {
    fn document(&self, page: u32) -> &'a Document {
        &self.corpus.pages[page as usize].document
    }

    /// The links of a page to the web, with what was answered.
    fn answers(&self, page: u32) -> impl Iterator<Item = (&'a Link, &'a Answer)> {
        let document = self.document(page);
        let links =
            self.config.answers.iter().flat_map(|answers| document.links.iter().map(move |link| (answers, link)));
        links.filter_map(|(answers, link)| Some((link, answers.of(document.text(link.destination))?)))
    }

    /// The links of a page with where they lead.
    fn links(&self, page: u32) -> impl Iterator<Item = (&'a Link, &'a Resolved)> {
        self.document(page).links.iter().zip(&self.graph.links[page as usize])
    }
}

/// A finding before anybody has looked up lines and columns.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What kind.
    pub code: Code,
    /// How much it matters by itself.
    pub severity: Severity,
    /// Where.
    pub page: u32,
    /// Where in there; the beginning when it is about the whole document.
    pub span: Span,
    /// What the link points to, as written.
    pub target: Option<String>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What it should probably be, in place of the target.
    pub suggestion: Option<String>,
    /// The repair.
    pub fix: Option<Fix>,
}

impl Draft {
    pub(super) fn new(code: Code, severity: Severity, page: u32, span: Span, message: String) -> Self {
        Self { code, severity, page, span, target: None, message, suggestion: None, fix: None }
    }

    /// About a link: it stands where the destination is written, unless that is in a definition elsewhere.
    fn of_link(code: Code, severity: Severity, page: u32, document: &Document, link: &Link, message: String) -> Self {
        let here = link.definition.is_none() && link.written.start < link.written.end;
        let span = if here { link.written } else { link.span };
        let target = Some(document.text(link.destination).to_owned());
        Self { target, ..Self::new(code, severity, page, span, message) }
    }

    /// With what is probably meant, and the repair when it is certain and its place known.
    fn guessing(mut self, link: &Link, guess: Option<Guess>) -> Self {
        let Some(guess) = guess else { return self };
        if guess.certain && link.written.start < link.written.end {
            self.fix = Some(Fix {
                title: format!("write {}", guess.destination),
                edits: vec![Edit { span: link.written.range(), text: guess.destination.clone() }],
            });
        }
        self.suggestion = Some(guess.destination);
        self
    }
}

/// What a check looks at.
#[derive(Clone, Copy)]
pub enum Run {
    /// One document at a time, in any order.
    Page(fn(World<'_>, u32, &mut Vec<Draft>)),
    /// All at once.
    Tree(fn(World<'_>, &mut Vec<Draft>)),
}

/// A check.
pub struct Check {
    /// The code of its findings.
    pub code: Code,
    /// How it is done.
    pub run: Run,
    source: &'static str,
}

impl Check {
    /// The check that makes findings with this code.
    #[must_use]
    pub fn of(code: Code) -> Option<&'static Self> {
        ALL.iter().find(|check| check.code == code)
    }

    /// What it is about, in Markdown: the documentation at the head of its file.
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
    fn every_check_says_what_it_means_and_how_to_mend_it() {
        for check in ALL {
            let text = check.documentation();
            for heading in ["# Why it matters", "# Example", "# How to mend it"] {
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
