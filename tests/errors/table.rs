//! Which errors there are, and that each is provoked.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::common::sources;
use super::{Case, add, audit_docs, catalog, docs, flags, fleet, new, output, update};

/// Errors that no input brings about in a build that passes its tests, with the reason.
const NOT_FROM_OUTSIDE: &[(&str, &str)] = &[
    ("RenderError::Crashed", "the renderer would have to crash, which no template is known to bring about"),
    ("BeginError::Service", "what is found is written as a valid catalog; a name is taken once"),
    ("BeginError::Workflow", "the embedded template parses in a build that passes its tests"),
    ("ProjectError::Archive", "the archive is made in memory, which does not fail"),
    ("SiteError::Book", "mdBook is given chapters and templates of ours only; nothing of a catalog is a setting of it"),
    (
        "ServeError::Io",
        "the runtime, the listener after it was bound, or the signal handlers of the system would have to fail",
    ),
    ("WebError::Client", "lychee refuses no client that can be set up by the catalog"),
    ("VerifyError::Client", "TLS would have to refuse the certificates of this machine, or the system a runtime"),
    #[cfg(feature = "online")]
    ("VerifyError::NotBuilt", "only a build without the feature `online` says it"),
    #[cfg(feature = "online")]
    ("WebError::NotBuilt", "only a build without the feature `online` says it"),
];

fn cases() -> impl Iterator<Item = &'static Case> {
    [
        new::CASES,
        add::CASES,
        audit_docs::CASES,
        catalog::CASES,
        docs::CASES,
        flags::CASES,
        fleet::CASES,
        output::CASES,
        update::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Covered by tests that are no plain case: they need a signal, a port or a terminal.
const ELSEWHERE: &[&str] = &[
    "NoAnswer",
    "Interrupted",
    "NewError::Interrupted",
    "RenderError::Interrupted",
    "ServeError::Listen",
    "UpdateError::Interrupted",
];

#[test]
fn every_error_is_provoked_or_has_a_reason() {
    let known = variants();
    let covered: BTreeSet<String> =
        cases().flat_map(|case| case.covers).chain(ELSEWHERE).map(|name| (*name).to_owned()).collect();
    let reasons: BTreeSet<String> = NOT_FROM_OUTSIDE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let both: Vec<_> = covered.intersection(&reasons).collect();
    assert!(both.is_empty(), "provoked after all: {both:?}");
    let named: BTreeSet<String> = covered.union(&reasons).cloned().collect();
    let missing: Vec<_> = known.difference(&named).collect();
    let gone: Vec<_> = named.difference(&known).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "neither provoked nor with a reason: {missing:#?}\nno error: {gone:#?}"
    );
}

#[test]
fn names_of_cases_are_there_once() {
    let names: BTreeSet<&str> = cases().map(|case| case.name).collect();
    assert_eq!(names.len(), cases().count());
}

/// Every variant of every type that implements `Explain`, as `Enum::Variant`; a struct by its name.
fn variants() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let texts: Vec<String> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut found = BTreeSet::new();
    for text in &texts {
        for name in text.lines().filter_map(|line| line.strip_prefix("impl Explain for ")?.strip_suffix(" {")) {
            match text.split_once(&format!("enum {name} {{\n")) {
                Some((_, body)) => {
                    let lines =
                        body.lines().take_while(|line| *line != "}").filter_map(|line| line.strip_prefix("    "));
                    let heads = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
                    found.extend(heads.map(|line| {
                        format!("{name}::{}", line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap())
                    }));
                }
                None => {
                    assert!(text.contains(&format!("struct {name}")), "{name} is neither enum nor struct in its file");
                    found.insert(name.to_owned());
                }
            }
        }
    }
    found
}
