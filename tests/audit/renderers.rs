//! Small trees whose generator has been asked: `scripts/compare-renderers --fixtures` builds each of them, and what the built site does not
//! resolve stands in its `expected.tsv`. The audit must report just that.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Place, listing};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/renderers");

/// Beside the tree, not in it.
const EXPECTED: &str = "expected.tsv";

/// A link that does not work: document, line, code.
type Broken = (String, u64, String);

#[test]
fn small_trees_are_judged_as_their_generators_build_them() {
    let (mut trees, mut wrong) = (0, Vec::new());
    for generator in folders(Path::new(FIXTURES)) {
        for fixture in folders(&generator) {
            let (expected, found) = (expected(&fixture), found(&fixture));
            let name = fixture.strip_prefix(FIXTURES).unwrap().display().to_string();
            wrong.extend(found.difference(&expected).map(|found| format!("{name}: false alarm: {found:?}")));
            wrong.extend(expected.difference(&found).map(|expected| format!("{name}: missed: {expected:?}")));
            trees += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(trees > 0, "no tree below {FIXTURES}");
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn expected(fixture: &Path) -> BTreeSet<Broken> {
    let text =
        fs::read_to_string(fixture.join(EXPECTED)).unwrap_or_else(|error| panic!("{}: {error}", fixture.display()));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            [path, number, code] => (path.to_owned(), number.parse().unwrap(), code.to_owned()),
            _ => panic!("{}: not PATH, LINE and CODE with tabs between them: {line:?}", fixture.display()),
        })
        .collect()
}

/// The errors, and anchors that differ by letter case, which only GitHub forgives.
fn found(fixture: &Path) -> BTreeSet<Broken> {
    let place = Place::new();
    for (path, (bytes, _)) in listing(fixture).into_iter().filter(|(path, _)| path != EXPECTED) {
        place.write(&path, bytes);
    }
    let report = place.report(&["."]);
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] == "error" || finding["code"] == "anchor-case")
        .map(|finding| (text(finding, "path"), finding["line"].as_u64().unwrap(), text(finding, "code")))
        .collect()
}
