//! Pending findings → findings: adds lines, columns and excerpts, applies suppressions and severities, and sorts.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::checks::{Context, PendingFinding};
use super::corpus::{Corpus, bytes};
use super::document::{Secret, Span, Suppression, decode, secrets_of};
use super::facts::Facts;
use super::finding::{Code, Excerpt, Finding, Severity};
use super::settings::Settings;
use super::walk::{Tree, Unreadable};
use crate::text::path::display_path;

/// The maximum length of an excerpt on each side of the span.
const AROUND: usize = 200;

/// Returns the sorted findings and the number of suppressed ones.
#[must_use]
pub fn locate(context: Context<'_>, mut pending: Vec<PendingFinding>) -> (Vec<Finding>, usize) {
    let Context { corpus, settings, facts, .. } = context;
    pending.retain(|draft| corpus.pages[draft.page as usize].audited);
    let mut hidden = suppress(corpus, facts, &mut pending);
    if !facts.unchanged_reviews.is_empty() {
        let settled: FxHashSet<&[u8]> = facts.unchanged_reviews.iter().map(String::as_bytes).collect();
        let before = pending.len();
        let is_about_the_whole = |code| matches!(code, Code::Orphan | Code::DeprecatedReference);
        pending.retain(|draft| !is_about_the_whole(draft.code) || !settled.contains(corpus.path(draft.page)));
        hidden += before - pending.len();
    }
    pending.retain_mut(|draft| match settings.severity(draft.code, draft.severity) {
        Some(severity) => {
            draft.severity = severity;
            true
        }
        None => false,
    });
    pending.sort_by_key(|draft| (draft.page, draft.span, draft.code));
    // Pages are sorted by path, so their order is the report's.
    let pages: Vec<&[PendingFinding]> = pending.chunk_by(|one, other| one.page == other.page).collect();
    let of_page = |buffer: &mut Vec<u8>, pending: &&[PendingFinding]| of_page(corpus, settings, pending, buffer);
    let findings: Vec<Vec<Finding>> = pages.par_iter().map_init(Vec::new, of_page).collect();
    let mut findings: Vec<Finding> = findings.into_iter().flatten().collect();
    sort(&mut findings);
    (findings, hidden)
}

/// Returns findings for the paths that the walk could not read.
#[must_use]
pub fn unreadable(tree: &Tree, settings: &Settings, covers: &dyn Fn(&[u8]) -> bool) -> Vec<Finding> {
    let Some(severity) = settings.severity(Code::Unreadable, Severity::Warning) else { return Vec::new() };
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

/// Sorts in the order of reports.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| {
        (&one.path, one.line, one.column, one.code).cmp(&(&other.path, other.line, other.column, other.code))
    });
}

/// Removes suppressed findings, adds findings for suppressions that hide nothing, and counts.
fn suppress(corpus: &Corpus, facts: &Facts, pending: &mut Vec<PendingFinding>) -> usize {
    let all = pending.len();
    let mut used: FxHashSet<(u32, Span, Code)> = FxHashSet::default();
    let accepted = accepted(corpus);
    pending.retain(|draft| {
        let covering = accepted.get(&(draft.page, draft.code)).and_then(|accepted| accepted.covering(draft.span.start));
        if let Some(suppression) = covering {
            used.insert((draft.page, suppression.span, draft.code));
        }
        covering.is_none()
    });
    let hidden = all - pending.len();
    for (page, of) in (0_u32..).zip(&corpus.pages).filter(|(_, page)| page.audited) {
        for suppression in &of.document.suppressions {
            for code in suppression.codes.iter().copied().filter(|code| facts.looks_for(*code)) {
                if !used.contains(&(page, suppression.span, code)) {
                    let message = format!("there is no {code} here to ignore");
                    pending.push(PendingFinding::new(
                        Code::BadSuppression,
                        Severity::Note,
                        page,
                        suppression.span,
                        message,
                    ));
                }
            }
        }
    }
    hidden
}

/// The suppressions of one code on one page, sorted by start.
#[derive(Default)]
struct Accepted<'a> {
    of: Vec<&'a Suppression>,
    /// The maximum end of each and all before it, for a binary search among thousands.
    reach: Vec<u32>,
}

impl<'a> Accepted<'a> {
    /// Returns the first suppression that covers a position.
    fn covering(&self, place: u32) -> Option<&'a Suppression> {
        let first = self.reach.partition_point(|reach| *reach < place);
        self.of.get(first).copied().filter(|suppression| suppression.covers.start <= place)
    }
}

fn accepted(corpus: &Corpus) -> FxHashMap<(u32, Code), Accepted<'_>> {
    let mut all: FxHashMap<(u32, Code), Accepted<'_>> = FxHashMap::default();
    for (page, of) in (0_u32..).zip(&corpus.pages) {
        for suppression in &of.document.suppressions {
            for code in suppression.codes.iter().filter(|code| **code != Code::BadSuppression) {
                all.entry((page, *code)).or_default().of.push(suppression);
            }
        }
    }
    for accepted in all.values_mut() {
        accepted.of.sort_by_key(|suppression| suppression.covers.start);
        let reach = accepted.of.iter().scan(0, |reach, suppression| {
            *reach = suppression.covers.end.max(*reach);
            Some(*reach)
        });
        accepted.reach = reach.collect();
    }
    all
}

/// Returns the findings of one page, in the order of their positions. `buffer` is reused memory.
fn of_page(corpus: &Corpus, settings: &Settings, pending: &[PendingFinding], buffer: &mut Vec<u8>) -> Vec<Finding> {
    let Some(first) = pending.first() else { return Vec::new() };
    let path = corpus.path(first.page);
    // The file is read a second time, because keeping every text would need the memory of the whole tree. A file that
    // changed meanwhile gets odd excerpts, nothing worse.
    let text = match bytes(&corpus.tree, path, settings.largest, buffer) {
        Ok(bytes) => decode(bytes).text,
        Err(_) => Cow::Borrowed(""),
    };
    let mut places = Places::new(&text, &corpus.pages[first.page as usize].document.secrets);
    let path = display_path(path);
    pending.iter().map(|draft| places.finding(&path, draft)).collect()
}

/// Counts lines and columns in one pass over a text. Positions come in order. A line may be as long as its document.
struct Places<'a> {
    text: &'a str,
    /// Secrets, which no excerpt may show.
    secrets: &'a [Secret],
    at: usize,
    line: u32,
    line_start: usize,
    /// The characters between the start of the line and `at`.
    before: usize,
}

impl<'a> Places<'a> {
    const fn new(text: &'a str, secrets: &'a [Secret]) -> Self {
        Self { text, secrets, at: 0, line: 1, line_start: 0, before: 0 }
    }

    fn finding(&mut self, path: &str, draft: &PendingFinding) -> Finding {
        let start = self.text.floor_char_boundary(draft.span.start as usize);
        let end = self.text.floor_char_boundary((draft.span.end as usize).max(start));
        for newline in memchr::memchr_iter(b'\n', &self.text.as_bytes()[self.at..start]) {
            self.line += 1;
            self.line_start = self.at + newline + 1;
            self.before = 0;
        }
        let mut passed = &self.text[self.at.max(self.line_start)..start];
        if self.at <= self.line_start {
            passed = passed.trim_start_matches('\u{feff}');
        }
        self.before += passed.chars().count();
        self.at = start;
        let column = u32::try_from(self.before).unwrap_or(u32::MAX).saturating_add(1);
        let excerpt = if draft.span.start == draft.span.end { Excerpt::default() } else { self.excerpt(start..end) };
        let message = if draft.quotes_span {
            format!("`{}` {}", self.masked(start..end), redact(&draft.message))
        } else {
            redact(&draft.message)
        };
        Finding {
            code: draft.code,
            severity: draft.severity,
            path: path.to_owned(),
            line: self.line,
            column,
            span: start..end,
            excerpt,
            target: draft.target.as_deref().map(redact),
            message,
            suggestion: draft.suggestion.as_deref().map(redact),
            // A fix must be whole, so a fix that contains a secret is left out.
            fix: draft.fix.clone().filter(|fix| fix.edits.iter().all(|edit| secrets_of(&edit.text).is_empty())),
        }
    }

    /// Returns `text[range]` with every secret masked, also one that is only partly in the range.
    fn masked(&self, range: Range<usize>) -> String {
        let mut masked = String::with_capacity(range.len());
        let mut at = range.start;
        let first = self.secrets.partition_point(|secret| secret.span.end as usize <= at);
        for secret in self.secrets[first..].iter().take_while(|secret| (secret.span.start as usize) < range.end) {
            let start = self.text.floor_char_boundary(secret.span.start as usize);
            let end = self.text.floor_char_boundary(secret.span.end as usize);
            let (from, to) = (start.max(at), end.min(range.end));
            if from < to {
                masked.push_str(&self.text[at..from]);
                let hidden = mask(&self.text[start..end]);
                let before = self.text[start..from].chars().count();
                masked.extend(hidden.chars().skip(before).take(self.text[from..to].chars().count()));
                at = to;
            }
        }
        masked.push_str(&self.text[at..range.end]);
        masked
    }

    /// Returns the source line of a span.
    fn excerpt(&self, span: Range<usize>) -> Excerpt {
        let near = self.text.floor_char_boundary(span.end.saturating_add(AROUND));
        let line_end =
            memchr::memchr(b'\n', &self.text.as_bytes()[span.start..near]).map_or(near, |at| span.start + at);
        let end = span.end.min(line_end);
        let from = self.text.floor_char_boundary(self.line_start.max(span.start.saturating_sub(AROUND)));
        let to = self.text.floor_char_boundary(line_end.min(end.saturating_add(AROUND)));
        let (before, marked, after) =
            (self.masked(from..span.start), self.masked(span.start..end), self.masked(end..to));
        let (before, after) = (before.trim_start_matches('\u{feff}'), after.trim_end_matches('\r'));
        let start = before.chars().count();
        Excerpt { marked: start..start + marked.chars().count(), text: format!("{before}{marked}{after}") }
    }
}

/// Masks the secrets in a text. A destination can contain one, and so can a message about it.
fn redact(text: &str) -> String {
    let mut redacted = text.to_owned();
    for secret in secrets_of(text).iter().rev() {
        let span = secret.span.range();
        redacted.replace_range(span.clone(), &mask(&text[span]));
    }
    redacted
}

/// Masks a secret. Its first four characters identify it and are useless alone.
fn mask(secret: &str) -> String {
    secret.chars().enumerate().map(|(at, c)| if at < 4 { c } else { '*' }).collect()
}
