//! `mcp-kit audit-docs`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};

use crate::audit::finding::Code;
use crate::audit::site::Flavor;

/// `mcp-kit audit-docs`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 no errors, 1 errors (with --strict also warnings), 2 wrong usage, 3 could not finish.\n\n\
                  Example:\n  mcp-kit audit-docs docs --format sarif > audit.sarif\n  mcp-kit audit-docs --explain broken-anchor"
)]
pub struct AuditDocs {
    /// Files and folders to audit; links may lead to anything in the repository around them [default: .]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = INPUT)]
    pub paths: Vec<PathBuf>,
    /// Folder that `/` means in links and where the tree ends [default: the git repository]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = INPUT)]
    pub root: Option<PathBuf>,
    /// Read the settings from `audit:` in this file [default: catalog.yaml at the root, if it exists]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = INPUT)]
    pub catalog: Option<PathBuf>,
    /// Use this renderer's rules instead of those that the tree's files name
    #[arg(long, value_enum, value_name = "RENDERER", help_heading = INPUT)]
    pub flavor: Option<Flavor>,
    /// Audit the document at --path with the text on standard input, and report what is wrong in it
    #[arg(
        long,
        requires = "path",
        conflicts_with_all = ["paths", "fix", "baseline", "keep", "since", "since_merge_base"],
        help_heading = INPUT
    )]
    pub stdin: bool,
    /// The same for several documents: a line of JSON for each, {"path": "docs/a.md", "text": "…"}
    #[arg(
        long,
        conflicts_with_all = ["stdin", "path", "paths", "fix", "baseline", "keep", "since", "since_merge_base"],
        help_heading = INPUT
    )]
    pub stdin_batch: bool,
    /// With --stdin: where the document is or will be
    #[arg(long, value_name = "PATH", requires = "stdin", value_hint = ValueHint::FilePath, help_heading = INPUT)]
    pub path: Option<PathBuf>,
    /// Report only what this commit does not have: findings that are new since this branch, tag or commit
    #[arg(
        long,
        value_name = "REF",
        conflicts_with_all = ["since_merge_base", "fix", "update_baseline"],
        help_heading = CHECKS
    )]
    pub since: Option<String>,
    /// The same, since the commit at which the current branch left this one
    #[arg(long, value_name = "BRANCH", conflicts_with_all = ["fix", "update_baseline"], help_heading = CHECKS)]
    pub since_merge_base: Option<String>,
    /// Fail on warnings, too
    #[arg(long, help_heading = CHECKS)]
    pub strict: bool,
    /// Fail on links that are not judged, too, because something of their renderer is not known
    #[arg(long, help_heading = CHECKS)]
    pub strict_profile: bool,
    /// Print the renderer of each folder, the files that name it, and what is not judged there and why, instead of findings
    #[arg(long, conflicts_with = "fix", help_heading = CHECKS)]
    pub explain_profile: bool,
    /// Accept the findings in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CHECKS)]
    pub baseline: Option<PathBuf>,
    /// Write the current findings to the baseline
    #[arg(long, requires = "baseline", help_heading = CHECKS)]
    pub update_baseline: bool,
    /// Record in the catalog that you have reviewed this document; nothing is proposed for it until it changes
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = CHECKS)]
    pub keep: Vec<PathBuf>,
    /// Print what a code means, why it matters and how to fix it, and audit nothing
    #[arg(
        long,
        value_name = "CODE",
        conflicts_with_all = ["paths", "baseline", "root", "flavor", "since", "since_merge_base", "stdin", "stdin_batch"],
        value_parser = code_parser(),
        help_heading = CHECKS
    )]
    pub explain: Option<Code>,
    /// Format of the report
    #[arg(long, value_enum, default_value_t, help_heading = OUTPUT)]
    pub format: crate::audit::report::Format,
    /// Make the fixes that are certain
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "links",
        conflicts_with = "update_baseline",
        help_heading = FIXES
    )]
    pub fix: Option<FixScope>,
    /// With --fix: print the fixes as a diff and change nothing
    #[arg(long, requires = "fix", help_heading = FIXES)]
    pub dry_run: bool,
    /// With --fix: change documents even if git could not restore them
    #[arg(long, requires = "fix", help_heading = FIXES)]
    pub allow_dirty: bool,
    /// With --fix=documents: the document that headers and notices point to, relative to the root
    #[arg(
        long,
        requires = "fix",
        value_name = "PATH",
        default_value = "docs/infrastructure/mcp/OAUTH_SOP.md",
        help_heading = FIXES
    )]
    pub current: String,
    /// Also check the web addresses in the documents
    #[arg(long, help_heading = WEB)]
    pub online: bool,
    /// With --online: file that keeps good answers for a day [default: web.json in the user's cache folder]
    #[arg(long, value_name = "FILE", requires = "online", value_hint = ValueHint::FilePath, help_heading = WEB)]
    pub web_cache: Option<PathBuf>,
}

const INPUT: &str = "Input";
const CHECKS: &str = "Checks";
const OUTPUT: &str = "Output";
const FIXES: &str = "Fixes";
const WEB: &str = "Web";

/// The scope of `--fix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FixScope {
    /// Links whose target is certain: moved files, letter case, reworded headings
    Links,
    /// Documents to update or archive: headers, the move to archive/, notices, and links to what has moved
    Documents,
}

/// Parses codes, so that help, completions and "did you mean" list them.
fn code_parser() -> impl TypedValueParser<Value = Code> {
    let names = Code::ALL.iter().map(|code| PossibleValue::new(code.as_str()));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Code>())
}
