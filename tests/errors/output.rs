//! Standard output that takes nothing (`/dev/full`), of every command that prints a result; and folders for manual pages.

use std::fs::OpenOptions;
use std::process::Command;

use super::{Case, Place, case};

/// Every byte that is written there is one too many for the disk.
fn full(_: &Place, command: &mut Command) {
    command.stdout(OpenOptions::new().write(true).open("/dev/full").unwrap());
}

fn catalog(place: &Place) {
    place.write("catalog.yaml", "services: []\n");
}

pub(super) const CASES: &[Case] = &[
    case("output_audit_docs", &["AuditDocsError::Output"], &["audit-docs"])
        .with(|place| place.write("README.md", "# Us\n"))
        .environment(full),
    case("output_catalog_check", &[], &["catalog", "check"]).with(catalog).environment(full),
    case("output_docs_build_check", &[], &["docs", "build", "--check"]).with(catalog).environment(full),
    case("output_new_dry_run", &[], &["new", "x", "--template", "[SMALL]", "--dry-run"]).environment(full),
    case("output_completions", &[], &["completions", "bash"]).environment(full),
    case("output_man", &[], &["man"]).environment(full),
    case("man_folder_missing", &[], &["man", "--out", "gone"]),
    case("man_folder_is_a_file", &[], &["man", "--out", "file"]).with(|place| place.write("file", "")),
];

#[test]
fn errors() {
    CASES.iter().for_each(Case::check);
}
