//! Findings → findings: those that say the same about links of one line are one. A linked image whose file is missing is one mistake, not
//! two. Only a report is put together so: baselines, comparisons with older states and fixes count each link.

use rustc_hash::FxHashMap;

use super::finding::{Code, Finding, Severity};

/// So many targets are named beside the first.
const NAMED: usize = 5;

/// Between what is said and the targets that it goes for as well.
const ALSO: &str = "; the same goes for ";

/// Behind the targets that are named, where there are more.
const MORE: &str = " and more";

/// The common parts of findings that say the same. A fix of one only would be no fix of both.
type Said = (Code, Severity, bool, String);

/// Puts together what says the same about one line, in findings that are sorted by place.
#[must_use]
pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut of_line: FxHashMap<Said, usize> = FxHashMap::default();
    for finding in findings {
        if merged.last().is_none_or(|last| last.line != finding.line || last.path != finding.path) {
            of_line.clear();
        }
        if !matches!(finding.code, Code::BrokenLink | Code::PathCase | Code::BrokenAnchor) {
            merged.push(finding);
            continue;
        }
        let said = (finding.code, finding.severity, finding.fix.is_some(), finding.message.clone());
        match of_line.get(&said) {
            Some(first) => add(&mut merged[*first], said.3.len(), finding),
            None => {
                of_line.insert(said, merged.len());
                merged.push(finding);
            }
        }
    }
    for fix in merged.iter_mut().filter_map(|finding| finding.fix.as_mut()).filter(|fix| fix.edits.len() > 1) {
        fix.edits.sort_by_key(|edit| edit.span.start);
        // Two links can share a definition.
        fix.edits.dedup();
    }
    merged
}

/// Adds a finding to the first that says the same, whose own message has `length` bytes.
fn add(first: &mut Finding, length: usize, other: Finding) {
    let target = other.target.unwrap_or_default();
    let also = first.message[length..].strip_prefix(ALSO).unwrap_or_default();
    let named = || also.split(", ").filter(|name| !name.is_empty());
    let is_named = first.target.as_deref() == Some(target.as_str()) || named().any(|name| name == target);
    if !is_named && !also.ends_with(MORE) {
        let before = if also.is_empty() { ALSO } else { ", " };
        if named().count() == NAMED {
            first.message.push_str(MORE);
        } else {
            first.message.push_str(before);
            first.message.push_str(&target);
        }
    }
    if let (Some(fix), Some(more)) = (&mut first.fix, other.fix) {
        const LIKE: &str = ", and the like in this line";
        if fix.title != more.title && !fix.title.ends_with(LIKE) {
            fix.title.push_str(LIKE);
        }
        fix.edits.extend(more.edits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::finding::{Edit, Fix};
    use crate::audit::report::tests::finding;

    fn at(column: u32, target: &str, message: &str) -> Finding {
        let edits = vec![Edit { span: column as usize..column as usize + 1, text: "x".to_owned() }];
        let fix = Some(Fix { title: "write x".to_owned(), edits });
        Finding { column, target: Some(target.to_owned()), message: message.to_owned(), fix, ..finding() }
    }

    fn said(findings: Vec<Finding>) -> Vec<(u32, String)> {
        merge(findings).into_iter().map(|finding| (finding.column, finding.message)).collect()
    }

    #[test]
    fn what_says_the_same_about_a_line_is_one_finding() {
        let merged = merge(vec![at(1, "a/", "no a"), at(9, "b", "no b"), at(12, "a/#x", "no a"), at(20, "a/", "no a")]);
        let fixes: Vec<usize> = merged.iter().filter_map(|finding| Some(finding.fix.as_ref()?.edits.len())).collect();
        assert_eq!(fixes, [3, 1]);
        let words: Vec<&str> = merged.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(words, ["no a; the same goes for a/#x", "no b"]);
        let many =
            |count| ["a", "b", "c", "d", "e", "f", "g", "h"][..count].iter().map(|name| at(1, name, "no")).collect();
        assert_eq!(said(many(3)), [(1, "no; the same goes for b, c".to_owned())]);
        assert_eq!(said(many(8)), [(1, "no; the same goes for b, c, d, e, f and more".to_owned())]);
    }

    #[test]
    fn other_lines_codes_severities_and_half_fixes_stay() {
        let one = at(1, "a", "no");
        for other in [
            Finding { line: 4, ..at(2, "a", "no") },
            Finding { path: "other.md".to_owned(), ..at(2, "a", "no") },
            Finding { code: Code::PathCase, ..at(2, "a", "no") },
            Finding { severity: Severity::Warning, ..at(2, "a", "no") },
            Finding { fix: None, ..at(2, "a", "no") },
        ] {
            assert_eq!(merge(vec![one.clone(), other.clone()]), [one.clone(), other]);
        }
        let secret = Finding { code: Code::Secret, ..at(1, "a", "a key") };
        assert_eq!(merge(vec![secret.clone(), secret.clone()]).len(), 2);
    }
}
