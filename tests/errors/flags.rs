//! Commands and flags that are not there, and values that they do not take.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("flags_no_such_command", &[], &["audit"]),
    case("flags_no_such_flag", &[], &["catalog", "check", "--strict"]),
    case("flags_quiet_and_verbose", &[], &["-q", "-v", "man"]),
    case("flags_new_format", &[], &["new", "x", "--format", "yaml"]),
    case("flags_audit_format", &[], &["audit-docs", "--format", "sarf"]),
    case("flags_audit_flavor", &[], &["audit-docs", "--flavor", "gitbok"]),
    case("flags_audit_explain", &[], &["audit-docs", "--explain", "brokn-link"]),
    case("flags_audit_explain_and_paths", &[], &["audit-docs", "--explain", "orphan", "docs"]),
    case("flags_audit_since_and_fix", &[], &["audit-docs", "--since", "main", "--fix"]),
    case(
        "flags_audit_since_and_update",
        &[],
        &["audit-docs", "--since", "main", "--baseline", "x", "--update-baseline"],
    ),
    case("flags_audit_since_twice", &[], &["audit-docs", "--since", "main", "--since-merge-base", "main"]),
    case("flags_audit_stdin_without_path", &[], &["audit-docs", "--stdin"]),
    case("flags_audit_stdin_twice", &[], &["audit-docs", "--stdin-batch", "--stdin", "--path", "a.md"]),
    case("flags_audit_stdin_and_paths", &[], &["audit-docs", "--stdin", "--path", "a.md", "docs"]),
    case("flags_audit_fix_scope", &[], &["audit-docs", "--fix=everything"]),
    case("flags_audit_dry_run_without_fix", &[], &["audit-docs", "--dry-run"]),
    case("flags_audit_update_without_baseline", &[], &["audit-docs", "--update-baseline"]),
    case("flags_audit_cache_without_online", &[], &["audit-docs", "--web-cache", "x.json"]),
    case("flags_catalog_without_command", &[], &["catalog"]),
    case("flags_catalog_add_incomplete", &[], &["catalog", "add", "Notes", "--status", "planned"]),
    case("flags_catalog_add_status", &[], &["catalog", "add", "Notes", "--status", "plannd"]),
    case("flags_catalog_list_format", &[], &["catalog", "list", "--format", "csv"]),
    case("flags_docs_build_check_and_html", &[], &["docs", "build", "--check", "--html", "site"]),
    case("flags_docs_serve_port", &[], &["docs", "serve", "--port", "70000"]),
    case("flags_completions_shell", &[], &["completions", "bahs"]),
    case("flags_completions_without_shell", &[], &["completions"]),
];

#[test]
fn errors() {
    CASES.iter().for_each(Case::check);
}
