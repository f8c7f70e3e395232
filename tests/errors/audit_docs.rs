//! `mcp-kit audit-docs`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use super::common::git;
use super::{Case, Place, case};

/// A document with a link that `--fix` repoints.
const FIXABLE: &str = "# Us\n\n[guide](Guide.md)\n";

/// The digest of nothing, and of a text that is not there.
/// A journal whose document has changed since.
const JOURNAL: &str = concat!(
    r#"{"schema": "mcp-kit/journal/1", "steps": [{"path": "README.md", "before": "00", "after": [0, false]}], "#,
    r#""conflicts": [], "contents": [1]}"#,
    "\n1"
);

fn fixable(place: &Place) {
    place.write("README.md", FIXABLE);
    place.write("guide.md", "# Guide\n");
}

fn committed(place: &Place) {
    fixable(place);
    git(place, &["init", "--quiet"]);
    git(place, &["add", "--all"]);
    git(place, &["commit", "--quiet", "--message", "all"]);
}

fn catalog(place: &Place, text: &str) {
    place.write("README.md", "# Us\n");
    place.write("catalog.yaml", text);
}

/// A repository of three commits in `from`, and the latest one of them in `c`.
fn shallow(place: &Place) {
    fixable(place);
    let run = |arguments: &[&str]| git(place, &[&["-C", "from"], arguments].concat());
    git(place, &["init", "--quiet", "--initial-branch=main", "from"]);
    for name in ["a.md", "b.md", "c.md"] {
        place.write(&format!("from/{name}"), name);
        run(&["add", "--all"]);
        run(&["commit", "--quiet", "--message", name]);
    }
    run(&["checkout", "--quiet", "-b", "other", "HEAD~1"]);
    place.write("from/d.md", "d");
    run(&["add", "--all"]);
    run(&["commit", "--quiet", "--message", "d"]);
    let address = format!("file://{}", place.path("from").display());
    git(place, &["clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=main", &address, "c"]);
}

pub(super) const CASES: &[Case] = &[
    // What is audited.
    case(
        "audit_path_missing",
        &["ScopeError::Path", "AuditError::Scope", "AuditDocsError::Audit"],
        &["audit-docs", "gone"],
    ),
    case("audit_path_below_a_file", &["ScopeError::Path"], &["audit-docs", "README.md/x"]).with(fixable),
    case("audit_path_in_a_circle", &["ScopeError::Path"], &["audit-docs", "loop"])
        .with(|place| symlink("loop", place.path("loop")).unwrap()),
    case("audit_path_outside_of_root", &["ScopeError::OutsideOfRoot"], &["audit-docs", "--root", "docs", "."])
        .with(|place| place.write("docs/a.md", "")),
    case("audit_paths_apart", &["ScopeError::Apart"], &["audit-docs", "/proc/version", "README.md"]).with(fixable),
    case("audit_root_is_a_file", &["ScopeError::RootIsNoFolder"], &["audit-docs", "--root", "README.md"]).with(fixable),
    case("audit_root_missing", &["ScopeError::Path"], &["audit-docs", "--root", "gone"]),
    case("audit_stdin_no_document", &["ScopeError::NoDocument"], &["audit-docs", "--stdin", "--path", "guide.txt"]),
    case("audit_stdin_unreadable", &["AuditDocsError::Input"], &["audit-docs", "--stdin", "--path", "README.md"])
        .with(fixable)
        .shell("exec <."),
    case("audit_stdin_batch_empty", &["BatchError::Empty", "AuditDocsError::Batch"], &["audit-docs", "--stdin-batch"]),
    case("audit_stdin_batch_line", &["BatchError::Line"], &["audit-docs", "--stdin-batch"])
        .with(|place| place.write("lines", "{\"path\": \"a.md\", \"text\": \"\"}\n{\"path\": \"b.md\"}\n"))
        .shell("exec <lines"),
    case("audit_stdin_batch_twice", &["BatchError::Twice"], &["audit-docs", "--stdin-batch"])
        .with(|place| place.write("lines", "{\"path\": \"a.md\", \"text\": \"\"}\n".repeat(2)))
        .shell("exec <lines"),
    // An older state.
    case("audit_since_without_git", &["RevisionError::Run"], &["audit-docs", "--since", "main"])
        .with(committed)
        .environment(|_, command| {
            command.env("PATH", "/nowhere");
        }),
    case(
        "audit_since_without_repository",
        &["RevisionError::NoRepository", "AuditDocsError::Revision"],
        &["audit-docs", "--since", "main"],
    )
    .with(fixable),
    case("audit_since_bare", &["RevisionError::NoWorkTree"], &["audit-docs", "b.git", "--since", "HEAD"])
        .with(|place| git(place, &["init", "--quiet", "--bare", "b.git"])),
    case("audit_since_without_commits", &["RevisionError::NoCommits"], &["audit-docs", "--since", "HEAD"])
        .with(|place| git(place, &["init", "--quiet"])),
    case("audit_since_unknown", &["RevisionError::Unknown"], &["audit-docs", "--since", "v9"]).with(committed),
    case("audit_since_option", &["RevisionError::Unknown"], &["audit-docs", "--since=--output=x"]).with(committed),
    case(
        "audit_since_unknown_in_shallow",
        &["RevisionError::UnknownInShallow"],
        &["audit-docs", "c", "--since", "HEAD~2"],
    )
    .with(shallow),
    case("audit_since_shallow", &["RevisionError::Shallow"], &["audit-docs", "c", "--since-merge-base", "other"])
        .with(shallow),
    case("audit_since_unrelated", &["RevisionError::Unrelated"], &["audit-docs", "--since-merge-base", "first"]).with(
        |place| {
            committed(place);
            git(place, &["tag", "first"]);
            git(place, &["checkout", "--quiet", "--orphan", "apart"]);
            git(place, &["commit", "--quiet", "--message", "apart"]);
        },
    ),
    case("audit_since_git", &["RevisionError::Git"], &["audit-docs", "--since", "HEAD"]).with(|place| {
        committed(place);
        fs::write(place.path(".git/config"), "[core\n").unwrap();
    }),
    case("audit_since_text_missing", &["AuditDocsError::Git"], &["audit-docs", "--since", "HEAD"]).with(|place| {
        committed(place);
        place.write("README.md", "# Other\n\n[gone](gone.md)\n");
        let asked = ["rev-parse", "HEAD:README.md"];
        let id = Command::new("git").current_dir(place.root()).args(asked).output().unwrap().stdout;
        let id = String::from_utf8(id).unwrap();
        fs::remove_file(place.path(&format!(".git/objects/{}/{}", &id[..2], id[2..].trim_end()))).unwrap();
    }),
    // Its settings.
    case(
        "audit_catalog_missing",
        &["CatalogError::Io", "AuditDocsError::Catalog"],
        &["audit-docs", "--catalog", "gone.yaml"],
    ),
    case("audit_catalog_problems", &["CatalogError::Problems"], &["audit-docs"])
        .with(|place| catalog(place, "audit:\n  severities: {brokn-link: error}\n  exclude: [\"a[\"]\n")),
    case("audit_patterns_too_large", &["AuditError::Patterns"], &["audit-docs"])
        .with(|place| catalog(place, "audit:\n  deprecated: \"k{60000}\"\n")),
    case("audit_globs_too_large", &["AuditError::Glob"], &["audit-docs"]).with(|place| {
        let long = "?".repeat(20_000);
        let globs: String = ('a'..='h').map(|end| format!("    - \"{long}{end}\"\n")).collect();
        catalog(place, &format!("audit:\n  exclude:\n{globs}"));
    }),
    #[cfg(feature = "online")]
    case(
        "audit_excluded_addresses_too_large",
        &["WebError::Exclude", "AuditDocsError::Web"],
        &["audit-docs", "--online"],
    )
    .with(|place| {
        let large = "\"\\\\w{100}\"";
        catalog(place, &format!("audit:\n  online:\n    exclude: [{large}, {large}, {large}, {large}]\n"));
    }),
    #[cfg(not(feature = "online"))]
    case("audit_without_online", &["WebError::NotBuilt", "AuditDocsError::Web"], &["audit-docs", "--online"]),
    // The baseline.
    case(
        "audit_baseline_missing",
        &["BaselineError::Read", "AuditDocsError::Baseline"],
        &["audit-docs", "--baseline", "known.json"],
    ),
    case("audit_baseline_is_a_folder", &["BaselineError::Read"], &["audit-docs", "--baseline", "known"])
        .with(|place| fs::create_dir(place.path("known")).unwrap()),
    case("audit_baseline_not_json", &["BaselineError::Invalid"], &["audit-docs", "--baseline", "known.json"])
        .with(|place| place.write("known.json", "<<<<<<< ours\n")),
    case("audit_baseline_not_utf8", &["BaselineError::Invalid"], &["audit-docs", "--baseline", "known.json"])
        .with(|place| place.write("known.json", b"{\"schema\": \"\xff\"}\n")),
    case("audit_baseline_of_another_schema", &["BaselineError::Invalid"], &["audit-docs", "--baseline", "known.json"])
        .with(|place| place.write("known.json", "{\"schema\": \"mcp-kit/audit-baseline/9\", \"findings\": []}\n")),
    case(
        "audit_baseline_in_no_folder",
        &["AuditDocsError::WriteBaseline", "FilesError::Io"],
        &["audit-docs", "--baseline", "gone/known.json", "--update-baseline"],
    ),
    case(
        "audit_baseline_below_a_file",
        &["FilesError::Io"],
        &["audit-docs", "--baseline", "README.md/known.json", "--update-baseline"],
    )
    .with(fixable),
    // Reviews.
    case("audit_keep_missing", &["ReviewError::Read", "AuditDocsError::Review"], &["audit-docs", "--keep", "gone.md"]),
    case("audit_keep_not_utf8", &["ReviewError::Read"], &["audit-docs", "--keep", "a.md"])
        .with(|place| place.write("a.md", b"\xff")),
    case(
        "audit_keep_outside",
        &["ReviewError::Outside"],
        &["audit-docs", "--root", "docs", "docs", "--keep", "README.md"],
    )
    .with(|place| {
        fixable(place);
        place.write("docs/a.md", "");
    }),
    case("audit_keep_catalog_not_utf8", &["ReviewError::Catalog"], &["audit-docs", "--keep", "README.md"]).with(
        |place| {
            fixable(place);
            place.write("catalog.yaml", b"# \xff\n");
        },
    ),
    case("audit_keep_catalog_in_one_line", &["ReviewError::Add"], &["audit-docs", "--keep", "README.md"]).with(
        |place| {
            catalog(place, "reviewed: [{path: a.md, decision: keep, date: 2026-01-01, sha256: \"0123456789abcdef\"}]\n")
        },
    ),
    case("audit_keep_catalog_problems", &["ReviewError::Add"], &["audit-docs", "--keep", "README.md"])
        .with(|place| catalog(place, "service: []\n")),
    case(
        "audit_keep_catalog_in_no_folder",
        &["ReviewError::Write"],
        &["audit-docs", "--keep", "README.md", "--catalog", "gone/c.yaml"],
    )
    .with(fixable),
    // Fixes.
    case("audit_fix_without_repository", &["FixError::NoRepository", "AuditDocsError::Fix"], &["audit-docs", "--fix"])
        .with(fixable),
    case("audit_fix_uncommitted", &["FixError::Uncommitted"], &["audit-docs", "--fix"]).with(|place| {
        committed(place);
        place.write("README.md", format!("{FIXABLE}\nmine\n"));
    }),
    case("audit_fix_many_uncommitted", &["FixError::Uncommitted"], &["audit-docs", "--fix"]).with(|place| {
        committed(place);
        for name in ["a.md", "b.md", "c.md", "d.md"] {
            place.write(name, FIXABLE);
        }
    }),
    case("audit_fix_git", &["FixError::Git", "GitError"], &["audit-docs", "--fix"]).with(|place| {
        committed(place);
        fs::write(place.path(".git/config"), "[core\n").unwrap();
    }),
    // A document that is protected stays so, also from the superuser.
    case("audit_fix_read_only", &["JournalError::Io", "FixError::Journal"], &["audit-docs", "--fix", "--allow-dirty"])
        .with(|place| {
            fixable(place);
            fs::set_permissions(place.path("README.md"), fs::Permissions::from_mode(0o444)).unwrap();
        }),
    case("audit_fix_journal_is_a_file", &["JournalError::Io"], &["audit-docs", "--fix", "--allow-dirty"]).with(
        |place| {
            fixable(place);
            place.write(".mcp-kit", "");
        },
    ),
    case("audit_fix_foreign_journal", &["JournalError::Damaged"], &["audit-docs", "--fix", "--allow-dirty"]).with(
        |place| {
            fixable(place);
            place.write(".mcp-kit/journal", "{}\n");
        },
    ),
    case("audit_fix_journal_that_leads_outside", &["JournalError::Damaged"], &["audit-docs", "--fix", "--allow-dirty"])
        .with(|place| {
            fixable(place);
            place.write(".mcp-kit/journal", JOURNAL.replace("README.md", "../../etc/passwd"));
        }),
    case("audit_fix_changed_meanwhile", &["JournalError::Changed"], &["audit-docs", "--fix", "--allow-dirty"]).with(
        |place| {
            fixable(place);
            place.write(".mcp-kit/journal", JOURNAL);
        },
    ),
];

#[test]
fn errors() {
    CASES.iter().for_each(Case::check);
}
