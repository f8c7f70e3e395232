//! The findings of an older state of a tree × those of the tree as it is → which of the latter are older. Pure.
//!
//! A finding is known as in a baseline: by its document, code, target and source line, and as often as it is there. On top of that, it
//! stays the same when its file is renamed, its link rewritten to fit the new place, or its line moved to another document.

use rustc_hash::{FxHashMap, FxHashSet};

use super::finding::{Code, Finding};
use super::report::line_digest;
use crate::text::path::{normalise, parent};

/// The changes of documents in version control.
#[derive(Clone, Debug, Default)]
pub struct ChangedDocuments {
    /// The old path of each document that was renamed, by its new one.
    pub renamed: FxHashMap<String, String>,
    /// Documents whose text is otherwise now, by their paths now.
    pub changed: FxHashSet<String>,
}

/// How two findings are known to be one, the surest way first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// Document, code, target and line.
    Line,
    /// Document, code and what is marked in the line, which may be worded otherwise around it.
    Marked,
    /// Document, code and where the link leads, as a link changes with the place of its document.
    Place,
    /// Code, target and line, in whatever document.
    Text,
}

/// The parts of a finding that are compared.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    code: Code,
    path: Option<String>,
    text: String,
    target: Option<String>,
}

impl By {
    const ALL: [Self; 4] = [Self::Line, Self::Marked, Self::Place, Self::Text];

    /// The key of a finding, if there is enough to go by; of one that is there now, with the names that `renamed` says for then.
    fn key(self, finding: &Finding, renamed: Option<&FxHashMap<String, String>>) -> Option<Key> {
        let once = |path: &str| renamed.and_then(|renamed| renamed.get(path)).map_or(path, |old| old).to_owned();
        let own = || Some(once(&finding.path));
        let target = finding.target.clone();
        let (path, text, target) = match self {
            Self::Line => (own(), line_digest(finding), target),
            // A key is masked: another one may look the same.
            _ if finding.code == Code::Secret => return None,
            Self::Marked => match target {
                Some(target) => (own(), String::new(), Some(target)),
                None => (own(), marked(finding)?, None),
            },
            Self::Place => {
                let (place, rest) = leads_to(finding)?;
                (own(), format!("{}{rest}", once(&place)), None)
            }
            Self::Text => (None, line_digest(finding), Some(target?)),
        };
        Some(Key { code: finding.code, path, text, target })
    }
}

/// The marked part of the line. What has no line is about the document.
fn marked(finding: &Finding) -> Option<String> {
    let range = &finding.excerpt.marked;
    let text: String = finding.excerpt.text.chars().skip(range.start).take(range.len()).collect();
    (finding.excerpt.text.is_empty() || !text.is_empty()).then_some(text)
}

/// The path that a relative destination leads to, and what stands behind it.
fn leads_to(finding: &Finding) -> Option<(String, &str)> {
    let target = finding.target.as_deref()?;
    let end = target.find(['#', '?']).unwrap_or(target.len());
    if end == 0 || target.starts_with('/') || target[..end].contains(':') {
        return None;
    }
    let place = normalise(parent(finding.path.as_bytes()), &target.as_bytes()[..end])?;
    Some((String::from_utf8(place).ok()?, &target[end..]))
}

/// Returns for each of the findings `now` whether it was there `before`, no less severe.
#[must_use]
pub fn are_older(now: &[Finding], before: &[Finding], documents: &ChangedDocuments) -> Vec<bool> {
    let mut older = vec![false; now.len()];
    let mut used = vec![false; before.len()];
    for by in By::ALL {
        let mut left: FxHashMap<Key, Vec<usize>> = FxHashMap::default();
        // From the end, so that the first one is taken first.
        for (at, finding) in before.iter().enumerate().rev().filter(|(at, _)| !used[*at]) {
            if let Some(key) = by.key(finding, None) {
                left.entry(key).or_default().push(at);
            }
        }
        if left.is_empty() {
            break;
        }
        for (finding, older) in now.iter().zip(&mut older).filter(|(_, older)| !**older) {
            if finding.code == Code::Secret && documents.changed.contains(&finding.path) {
                continue;
            }
            let candidates = by.key(finding, Some(&documents.renamed)).and_then(|key| left.get_mut(&key));
            let is_as_severe = |at: &mut usize| before[*at].severity >= finding.severity;
            if let Some(at) = candidates.and_then(|candidates| candidates.pop_if(is_as_severe)) {
                used[at] = true;
                *older = true;
            }
        }
    }
    older
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::finding::Severity;
    use crate::audit::report::tests::finding;

    /// The finding of the tests after a change.
    fn with(change: impl FnOnce(&mut Finding)) -> Finding {
        let mut other = finding();
        change(&mut other);
        other
    }

    fn renamed(pairs: &[(&str, &str)]) -> ChangedDocuments {
        let renamed = pairs.iter().map(|(old, new)| ((*new).to_owned(), (*old).to_owned())).collect();
        ChangedDocuments { renamed, ..ChangedDocuments::default() }
    }

    fn is_older(now: Finding, documents: &ChangedDocuments) -> bool {
        are_older(&[now], &[finding()], documents) == [true]
    }

    #[test]
    fn moved_and_reworded_lines_and_renamed_files_are_older() {
        let none = ChangedDocuments::default();
        assert!(is_older(with(|finding| finding.line = 99), &none));
        assert!(is_older(with(|finding| finding.excerpt.text = "Or [g](instal.md).".to_owned()), &none));
        assert!(is_older(with(|finding| finding.path = "b.md".to_owned()), &renamed(&[("guide/setup.md", "b.md")])));
        // The link was rewritten to fit the new place, and so was its line.
        let moved = with(|finding| {
            finding.path = "b.md".to_owned();
            finding.target = Some("guide/instal.md".to_owned());
            finding.excerpt.text = "See [guide](guide/instal.md) first.".to_owned();
        });
        assert!(is_older(moved.clone(), &renamed(&[("guide/setup.md", "b.md")])));
        assert!(!is_older(moved, &none));
        // A line that went to another document.
        assert!(is_older(with(|finding| finding.path = "other.md".to_owned()), &none));
    }

    #[test]
    fn a_link_to_a_renamed_file_is_the_same_link() {
        let at = |target: &str| {
            with(|finding| {
                finding.code = Code::BrokenAnchor;
                finding.target = Some(target.to_owned());
                finding.excerpt.text = format!("[x]({target})");
            })
        };
        let documents = renamed(&[("guide/old.md", "new.md")]);
        assert_eq!(are_older(&[at("../new.md#x")], &[at("old.md#x")], &documents), [true]);
        assert_eq!(are_older(&[at("../new.md#y")], &[at("old.md#x")], &documents), [false]);
    }

    #[test]
    fn another_target_code_or_severity_and_one_more_of_the_same_are_new() {
        let none = ChangedDocuments::default();
        assert!(!is_older(with(|finding| finding.target = Some("other.md".to_owned())), &none));
        assert!(!is_older(with(|finding| finding.code = Code::PathCase), &none));
        let note = with(|finding| finding.severity = Severity::Note);
        assert_eq!(are_older(&[finding()], std::slice::from_ref(&note), &none), [false]);
        assert_eq!(are_older(&[note], &[finding()], &none), [true]);
        let twice = [finding(), with(|finding| finding.line = 9)];
        assert_eq!(are_older(&twice, &[finding()], &none), [true, false]);
        assert_eq!(are_older(&twice, &twice, &none), [true, true]);
    }

    #[test]
    fn what_is_about_a_document_stays_with_it() {
        let none = ChangedDocuments::default();
        let orphan = |path: &str| Finding {
            code: Code::Orphan,
            path: path.to_owned(),
            target: None,
            excerpt: crate::audit::finding::Excerpt::default(),
            ..finding()
        };
        assert_eq!(are_older(&[orphan("a.md")], &[orphan("a.md")], &none), [true]);
        assert_eq!(are_older(&[orphan("a.md")], &[orphan("b.md")], &none), [false]);
        assert_eq!(are_older(&[orphan("a.md")], &[orphan("b.md")], &renamed(&[("b.md", "a.md")])), [true]);
    }

    #[test]
    fn a_masked_key_proves_nothing_in_a_document_that_changed() {
        let key = with(|finding| {
            finding.code = Code::Secret;
            finding.target = None;
        });
        let changed = [key.path.clone()].into_iter().collect();
        let changed = ChangedDocuments { changed, ..ChangedDocuments::default() };
        assert_eq!(
            are_older(std::slice::from_ref(&key), std::slice::from_ref(&key), &ChangedDocuments::default()),
            [true]
        );
        assert_eq!(are_older(std::slice::from_ref(&key), std::slice::from_ref(&key), &changed), [false]);
    }
}
