//! Small trees for the tests of checks. In: files as pairs of path and text. Out: findings as readable lines.
#![cfg(test)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::audit;
use super::facts::Facts;
use super::finding::{Code, Finding};
use super::scope::Scope;
use super::settings::Settings;

/// Returns the findings with one code in a tree of these files.
pub(crate) fn findings(code: &str, files: &[(&str, &str)]) -> String {
    findings_with(code, files, &Settings::default(), &Facts::default())
}

/// Returns the findings with one code, under these settings.
pub(crate) fn findings_with(code: &str, files: &[(&str, &str)], settings: &Settings, facts: &Facts) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    findings_in(code, folder.path(), settings, facts)
}

/// Returns the findings with one code in an existing tree.
pub(crate) fn findings_in(code: &str, folder: &Path, settings: &Settings, facts: &Facts) -> String {
    let scope = Scope { paths: vec![folder.to_owned()], root: Some(folder.to_owned()), unsaved: Vec::new() };
    let (report, _) = audit(&scope, settings, facts).unwrap();
    let code: Code = code.parse().unwrap();
    report.findings.iter().filter(|finding| finding.code == code).map(line).collect::<Vec<_>>().join("\n")
}

fn line(finding: &Finding) -> String {
    let mut line =
        format!("{}:{}:{} {}: {}", finding.path, finding.line, finding.column, finding.severity, finding.message);
    if let Some(target) = &finding.target {
        let _ = write!(line, " ({target})");
    }
    match (&finding.fix, &finding.suggestion) {
        (Some(fix), suggestion) => {
            let _ = write!(line, " fix: {}", suggestion.as_ref().unwrap_or(&fix.title));
        }
        (None, Some(suggestion)) => {
            let _ = write!(line, " help: {suggestion}");
        }
        (None, None) => {}
    }
    line
}
