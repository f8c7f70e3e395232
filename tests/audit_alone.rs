//! `audit/` could be a crate of its own: this one has only the rooms below it, from the same files. It does not compile when the audit
//! imports anything else.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]

#[path = "../src/audit/mod.rs"]
mod audit;
#[path = "../src/error.rs"]
mod error;
#[path = "../src/fs/mod.rs"]
mod fs;
#[path = "../src/markdown/mod.rs"]
mod markdown;
#[path = "../src/text/mod.rs"]
mod text;

use audit::finding::Code;
use audit::{Facts, Scope, Settings};

#[test]
fn a_tree_is_audited_without_a_catalog_and_without_documents_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("README.md"), "# A\n\n[gone](gone.md)\n").unwrap();
    let scope = Scope { paths: vec![folder.path().to_owned()], root: None };
    let (report, _) = audit::audit(&scope, &Settings::default(), &Facts::default()).unwrap();
    let found: Vec<_> = report.findings.iter().map(|finding| (finding.code, finding.line)).collect();
    assert_eq!(found, [(Code::BrokenLink, 3)]);
}
