//! Holds for the fixes of any tree: they change only the reported places, and auditing again finds nothing new.

use std::fs;

use mcp_kit::audit::audit;
use mcp_kit::audit::finding::{Finding, Report};
use mcp_kit::audit::fix::fixes;
use mcp_kit::audit::{Facts, Scope, Settings};

const PATHS: [&str; 4] = ["README.md", "docs/guide.md", "docs/Deep/page.md", "other.md"];

/// The bytes are up to four documents, with a NUL between two of them.
pub(crate) fn fixer(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { panic!("a temporary folder") };
    let root = folder.path();
    fs::create_dir_all(root.join("docs/Deep")).unwrap();
    for (path, text) in PATHS.iter().zip(bytes.splitn(PATHS.len(), |byte| *byte == 0)) {
        fs::write(root.join(path), text).unwrap();
    }
    let scope = Scope { paths: vec![root.to_owned()], root: Some(root.to_owned()), unsaved: Vec::new() };
    let audit_again = || -> Report { audit(&scope, &Settings::default(), &Facts::default()).unwrap().0 };
    let before = audit_again();
    let plan = fixes(root, &before.findings);
    for change in &plan.changes {
        let Some(old) = &change.before else { panic!("{} is new", change.path) };
        let spans = before.findings.iter().filter(|finding| finding.path == change.path).filter_map(|f| f.fix.as_ref());
        let spans: Vec<_> = spans.flat_map(|fix| fix.edits.iter().map(|edit| edit.span.clone())).collect();
        assert!(outside(old, &spans).eq(rest(old, &change.after, &spans)), "{} changed elsewhere", change.path);
        fs::write(root.join(&change.path), &change.after).unwrap();
    }
    let after = audit_again();
    // An anchor is looked at only once its path is right, so a repaired place may have another finding, but no more than one.
    let places = |report: &Report| report.findings.iter().filter(|finding| is_of_a_link(finding)).count();
    assert!(places(&after) <= places(&before), "{:#?} became {:#?}", before.findings, after.findings);
    let left = fixes(root, &after.findings);
    for change in &left.changes {
        fs::write(root.join(&change.path), &change.after).unwrap();
    }
    assert!(fixes(root, &audit_again().findings).changes.is_empty(), "it ends");
}

/// An island has another entry when the one before is reached.
fn is_of_a_link(finding: &Finding) -> bool {
    !finding.code.as_str().contains("orphan")
}

/// Bytes that no edit may change, from the beginning to the first edit and from the last one to the end.
fn outside<'a>(old: &'a [u8], spans: &[std::ops::Range<usize>]) -> impl Iterator<Item = &'a u8> {
    let (first, last) = ends(old, spans);
    old[..first].iter().chain(&old[last..])
}

fn rest<'a>(old: &[u8], new: &'a [u8], spans: &[std::ops::Range<usize>]) -> impl Iterator<Item = &'a u8> {
    let (first, last) = ends(old, spans);
    let tail = old.len() - last;
    new[..first.min(new.len())].iter().chain(&new[new.len().saturating_sub(tail)..])
}

fn ends(old: &[u8], spans: &[std::ops::Range<usize>]) -> (usize, usize) {
    let first = spans.iter().map(|span| span.start).min().unwrap_or(old.len());
    (first, spans.iter().map(|span| span.end).max().unwrap_or(first))
}
