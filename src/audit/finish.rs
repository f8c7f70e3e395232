//! Drafts → findings: lines, columns and excerpts are looked up, suppressions and the configured severities applied, and everything is
//! put in order.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::checks::{self, Draft};
use super::config::Config;
use super::corpus::{Corpus, bytes};
use super::document::{Span, Suppression, decode};
use super::finding::{Code, Excerpt, Finding, Severity};
use super::walk::{Tree, Unreadable, shown};

/// Excerpts are no longer than this on either side of the place.
const AROUND: usize = 200;

/// Findings of all drafts, sorted, and how many were suppressed.
#[must_use]
pub fn finish(corpus: &Corpus, config: &Config, mut drafts: Vec<Draft>) -> (Vec<Finding>, usize) {
    drafts.retain(|draft| corpus.pages[draft.page as usize].audited);
    let hidden = suppress(corpus, &mut drafts);
    drafts.retain_mut(|draft| match config.severity(draft.code, draft.severity) {
        Some(severity) => {
            draft.severity = severity;
            true
        }
        None => false,
    });
    drafts.sort_by_key(|draft| (draft.page, draft.span, draft.code));
    // Pages are sorted by path, so their order is the report's.
    let pages: Vec<&[Draft]> = drafts.chunk_by(|one, other| one.page == other.page).collect();
    let findings: Vec<Vec<Finding>> = pages.par_iter().map(|drafts| of_page(corpus, config, drafts)).collect();
    let mut findings: Vec<Finding> = findings.into_iter().flatten().collect();
    sort(&mut findings);
    (findings, hidden)
}

/// What the walk could not look at, as findings.
#[must_use]
pub fn unreadable(tree: &Tree, config: &Config, covers: &dyn Fn(&[u8]) -> bool) -> Vec<Finding> {
    let Some(severity) = config.severity(Code::Unreadable, Severity::Warning) else { return Vec::new() };
    let places = tree.unreadable().iter().filter(|place| covers(place.path.as_bytes()));
    let finding = |place: &Unreadable| Finding {
        code: Code::Unreadable,
        severity,
        path: place.path.clone(),
        line: 1,
        column: 1,
        span: 0..0,
        excerpt: Excerpt::default(),
        target: None,
        message: format!("not audited: {}", place.reason),
        suggestion: None,
        fix: None,
    };
    places.map(finding).collect()
}

/// In the order of reports.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| {
        (&one.path, one.line, one.column, one.code).cmp(&(&other.path, other.line, other.column, other.code))
    });
}

/// Takes out what the documents' own comments accept, says which of those have nothing to hide, and counts.
fn suppress(corpus: &Corpus, drafts: &mut Vec<Draft>) -> usize {
    let all = drafts.len();
    let mut used: FxHashSet<(u32, Span, Code)> = FxHashSet::default();
    drafts.retain(|draft| {
        let suppressions = &corpus.pages[draft.page as usize].document.suppressions;
        let covers = |suppression: &&Suppression| {
            suppression.codes.contains(&draft.code)
                && suppression.covers.start <= draft.span.start
                && draft.span.start <= suppression.covers.end
        };
        let covering = suppressions.iter().find(covers).filter(|_| draft.code != Code::BadSuppression);
        if let Some(suppression) = covering {
            used.insert((draft.page, suppression.span, draft.code));
        }
        covering.is_none()
    });
    let hidden = all - drafts.len();
    let judged = |code: Code| checks::ALL.iter().any(|check| check.code == code);
    for (page, of) in (0_u32..).zip(&corpus.pages).filter(|(_, page)| page.audited) {
        for suppression in &of.document.suppressions {
            for code in suppression.codes.iter().copied().filter(|code| judged(*code)) {
                if !used.contains(&(page, suppression.span, code)) {
                    let message = format!("there is no {code} here to ignore");
                    drafts.push(Draft::new(Code::BadSuppression, Severity::Note, page, suppression.span, message));
                }
            }
        }
    }
    hidden
}

/// The findings of one page, in the order of their places.
fn of_page(corpus: &Corpus, config: &Config, drafts: &[Draft]) -> Vec<Finding> {
    let Some(first) = drafts.first() else { return Vec::new() };
    let path = corpus.path(first.page);
    // Read again: keeping every text would need the memory of the whole tree. A file that changed meanwhile gives odd excerpts, no more.
    let mut buffer = Vec::new();
    let text = match bytes(&corpus.tree, path, config.largest, &mut buffer) {
        Ok(()) => decode(&buffer).text,
        Err(_) => Cow::Borrowed(""),
    };
    let mut places = Places::new(&text);
    let path = shown(path);
    drafts.iter().map(|draft| places.finding(&path, draft)).collect()
}

/// Counts lines once over a text whose places are asked in order.
struct Places<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Places<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, line_start: 0 }
    }

    fn finding(&mut self, path: &str, draft: &Draft) -> Finding {
        let start = self.text.floor_char_boundary(draft.span.start as usize);
        let end = self.text.floor_char_boundary((draft.span.end as usize).max(start));
        for newline in memchr::memchr_iter(b'\n', &self.text.as_bytes()[self.at..start]) {
            self.line += 1;
            self.line_start = self.at + newline + 1;
        }
        self.at = start;
        let before = &self.text[self.line_start..start];
        let column =
            u32::try_from(before.trim_start_matches('\u{feff}').chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        let excerpt = if draft.span.start == draft.span.end {
            Excerpt::default()
        } else {
            self.excerpt(start..end, draft.masked)
        };
        Finding {
            code: draft.code,
            severity: draft.severity,
            path: path.to_owned(),
            line: self.line,
            column,
            span: start..end,
            excerpt,
            target: draft.target.clone(),
            message: draft.message.clone(),
            suggestion: draft.suggestion.clone(),
            fix: draft.fix.clone(),
        }
    }

    /// The line of a place.
    fn excerpt(&self, span: Range<usize>, masked: bool) -> Excerpt {
        let line_end =
            memchr::memchr(b'\n', &self.text.as_bytes()[span.start..]).map_or(self.text.len(), |at| span.start + at);
        let end = span.end.min(line_end);
        let from = self.text.floor_char_boundary(self.line_start.max(span.start.saturating_sub(AROUND)));
        let to = self.text.floor_char_boundary(line_end.min(end.saturating_add(AROUND)));
        let before = self.text[from..span.start].trim_start_matches('\u{feff}');
        let marked = &self.text[span.start..end];
        let after = self.text[end..to].trim_end_matches('\r');
        let marked = if masked { mask(marked) } else { marked.to_owned() };
        let start = before.chars().count();
        Excerpt { marked: start..start + marked.chars().count(), text: format!("{before}{marked}{after}") }
    }
}

/// Enough of a secret to know it again, too little to use it.
fn mask(secret: &str) -> String {
    secret.chars().enumerate().map(|(at, c)| if at < 4 { c } else { '*' }).collect()
}
