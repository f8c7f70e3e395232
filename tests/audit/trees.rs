//! Small trees, each with the errors that it is to have.

use std::fs;

use crate::common::{Place, outcome};
use serde_json::Value;

/// A tree: its name, its files, and the errors with their place.
pub(crate) type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

/// The errors of a tree of these files, each with its place.
pub(crate) fn errors(files: &[(&str, &str)]) -> Vec<String> {
    let place = Place::new();
    for (path, text) in files {
        let path = place.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let output = place.run(&["audit-docs", "--format", "json"]);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome(&output)));
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings.map(|finding| format!("{} {}", text(&finding["path"]), text(&finding["target"]))).collect()
}

/// Each tree has these errors and no others.
pub(crate) fn hold(cases: &[Case]) {
    for (name, files, expected) in cases {
        assert_eq!(errors(files), *expected, "{name}");
    }
}
