//! Fixes of findings → new contents of documents. Pure: the caller passes functions that read the disk.

use std::collections::BTreeMap;
use std::ops::Range;

use super::archived::Archived;
use crate::audit::finding::{Edit, Finding, Fix};
use crate::fs::change::Change;
use crate::markdown::generated;

/// The changes that `--fix` makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixPlan {
    /// The documents that change, by path.
    pub changes: Vec<Change>,
    /// The number of findings that this fixes.
    pub fixed: usize,
    /// The number of fixes that are not made, because two of them differ in one place, or the document has changed.
    pub left: usize,
    /// Remarks for the user, one sentence each.
    pub remarks: Vec<String>,
    /// The entries for the catalog, from which the list of archived documents is generated.
    pub archived: Vec<Archived>,
}

impl FixPlan {
    /// Makes the plan from findings with fixes. `real` returns the real path of a document, `read` its bytes.
    #[must_use]
    pub fn new(
        findings: &[Finding],
        real: &dyn Fn(&str) -> Option<String>,
        read: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Self {
        let mut plan = Self::default();
        let mut of: BTreeMap<String, Vec<&Fix>> = BTreeMap::new();
        let mut known: BTreeMap<&str, Option<String>> = BTreeMap::new();
        for finding in findings {
            let Some(fix) = &finding.fix else { continue };
            match known.entry(&finding.path).or_insert_with(|| real(&finding.path)) {
                Some(path) => of.entry(path.clone()).or_default().push(fix),
                None => plan.left += 1,
            }
        }
        for (path, fixes) in of {
            // In a document that is not all UTF-8, positions do not match the bytes.
            let text = read(&path).and_then(|bytes| String::from_utf8(bytes).ok());
            let Some(before) = text else {
                plan.left += fixes.len();
                continue;
            };
            let mut edits = Edits::default();
            let made_by_build = generated::parts(&before);
            let inside = |fix: &Fix| fix.edits.iter().any(|edit| meets(&made_by_build, &edit.span));
            if fixes.iter().any(|fix| inside(fix)) {
                plan.remarks.push(format!("{path} {}", generated::ADVICE));
            }
            let applied = fixes.iter().filter(|fix| !inside(fix) && edits.add(&before, fix)).count();
            plan.fixed += applied;
            plan.left += fixes.len() - applied;
            let after = edits.apply(&before);
            if after != before {
                plan.changes.push(Change { path, before: Some(before.into_bytes()), after: after.into_bytes() });
            }
        }
        plan
    }
}

/// Returns whether a span touches one of these parts.
pub(super) fn meets(parts: &[Range<usize>], span: &Range<usize>) -> bool {
    parts.iter().any(|part| span.start < part.end && part.start < span.end.max(span.start + 1))
}

/// Edits of one document that do not touch each other, by start.
#[derive(Debug, Default)]
pub(super) struct Edits(BTreeMap<usize, (usize, String)>);

impl Edits {
    /// Adds all edits of a fix, or none. An equal edit that exists already is fine: two links can share a definition.
    pub(super) fn add(&mut self, text: &str, fix: &Fix) -> bool {
        let possible = fix.edits.iter().all(|edit| {
            let fits = text.get(edit.span.clone()).is_some();
            fits && (self.has(edit) || !self.touches(&edit.span))
        });
        if possible {
            self.0.extend(fix.edits.iter().map(|edit| (edit.span.start, (edit.span.end, edit.text.clone()))));
        }
        possible
    }

    fn has(&self, edit: &Edit) -> bool {
        self.0.get(&edit.span.start).is_some_and(|(end, text)| (*end, text) == (edit.span.end, &edit.text))
    }

    /// Two edits at the same position have no defined order.
    fn touches(&self, span: &Range<usize>) -> bool {
        self.0.range(..=span.end).next_back().is_some_and(|(_, (end, _))| *end >= span.start)
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let (mut after, mut at) = (String::with_capacity(text.len()), 0);
        for (start, (end, new)) in &self.0 {
            after.push_str(&text[at..*start]);
            after.push_str(new);
            at = *end;
        }
        after.push_str(&text[at..]);
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::finding::{Code, Excerpt, Severity};

    fn finding(path: &str, edits: &[(Range<usize>, &str)]) -> Finding {
        let edits = edits.iter().map(|(span, text)| Edit { span: span.clone(), text: (*text).to_owned() }).collect();
        Finding {
            code: Code::BrokenLink,
            severity: Severity::Error,
            path: path.to_owned(),
            line: 1,
            column: 1,
            span: 0..0,
            excerpt: Excerpt::default(),
            target: None,
            message: String::new(),
            suggestion: None,
            fix: Some(Fix { title: String::new(), edits }),
        }
    }

    fn plan(findings: &[Finding], text: &str) -> (Vec<(String, String)>, usize, usize) {
        let real = |path: &str| (!path.starts_with("..")).then(|| path.replace("link", "a"));
        let plan = FixPlan::new(findings, &real, &|_| Some(text.as_bytes().to_vec()));
        let changes = plan.changes.into_iter().map(|c| (c.path, String::from_utf8(c.after).unwrap()));
        (changes.collect(), plan.fixed, plan.left)
    }

    #[test]
    fn edits_are_made_from_front_to_back_whatever_their_order() {
        let findings = [finding("a", &[(6..7, "three"), (9..9, "!")]), finding("a", &[(0..3, "1")])];
        assert_eq!(plan(&findings, "one\r\n(3).é"), (vec![("a".to_owned(), "1\r\n(three).!é".to_owned())], 2, 0));
    }

    #[test]
    fn equal_fixes_are_one_and_others_in_the_same_place_are_left() {
        let same = [finding("a", &[(0..1, "b")]), finding("link", &[(0..1, "b")])];
        assert_eq!(plan(&same, "abc"), (vec![("a".to_owned(), "bbc".to_owned())], 2, 0));
        let different = [finding("a", &[(0..1, "b")]), finding("a", &[(0..1, "c")])];
        assert_eq!(plan(&different, "abc"), (vec![("a".to_owned(), "bbc".to_owned())], 1, 1));
        let overlapping = [finding("a", &[(0..2, "x")]), finding("a", &[(1..3, "y")]), finding("a", &[(2..2, "z")])];
        assert_eq!(plan(&overlapping, "abc"), (vec![("a".to_owned(), "xc".to_owned())], 1, 2));
    }

    #[test]
    fn a_fix_is_made_whole_or_not_at_all() {
        let findings = [finding("a", &[(0..1, "x")]), finding("a", &[(0..1, "y"), (2..3, "z")])];
        assert_eq!(plan(&findings, "abc"), (vec![("a".to_owned(), "xbc".to_owned())], 1, 1));
    }

    #[test]
    fn what_has_changed_or_lies_elsewhere_is_left() {
        assert_eq!(plan(&[finding("a", &[(2..9, "x")])], "abc"), (vec![], 0, 1), "shorter than it was");
        assert_eq!(plan(&[finding("a", &[(1..2, "x")])], "é"), (vec![], 0, 1), "within a character");
        assert_eq!(plan(&[finding("../b", &[(0..1, "x")])], "abc"), (vec![], 0, 1));
    }
}
