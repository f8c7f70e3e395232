//! Every command and flag, with its help and one worked example. Help, man pages and completions come from here.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::audit::finding::Code;
use crate::audit::site::Flavor;
use crate::catalog::service::{AuthMethod, Location, ServiceKind, ServiceStatus, TokenStorage};

/// From nothing to an authenticated, documented, deployable MCP server.
#[derive(Debug, Parser)]
#[command(
    name = "mcp-kit",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Exit status: 0 done, 1 problems found, 2 wrong usage or unreadable input, 3 could not finish.\n\n\
                  Example:\n  mcp-kit new my-server && cd my-server && scripts/local-dev.sh --demo"
)]
pub struct Cli {
    /// Print results and errors only
    #[arg(short, long, global = true, display_order = 900, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print each step
    #[arg(short, long, global = true, display_order = 901)]
    pub verbose: bool,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a complete MCP server project
    ///
    /// Server, authentication, tests, container, deployment and documentation. The command asks nothing: an answer that is not given
    /// is the template's default. It creates the whole project or nothing.
    New(New),
    /// Bring a project to the template of this version, and keep its owner's changes
    ///
    /// A three-way merge of each file: what the project began from, the new template with the recorded answers, and the project. It
    /// needs neither git nor the network, and makes all of the update or nothing. Conflicts have markers in the files, and stages in
    /// git's index.
    Update(Update),
    /// See and update many projects in one go
    #[command(subcommand)]
    Fleet(FleetCommand),
    /// Find broken links, orphans and deprecated references in documentation
    ///
    /// Reads every Markdown file of the tree, by the rules of the renderer that the tree's own files name. It needs no configuration,
    /// sends nothing anywhere, and gives the same report for the same tree.
    AuditDocs(AuditDocs),
    /// Check and list the servers of catalog.yaml
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Make the documents of a fleet from catalog.yaml
    #[command(subcommand)]
    Docs(DocsCommand),
    /// Print the completion script for a shell
    #[command(after_help = "Example:\n  mcp-kit completions bash > ~/.local/share/bash-completion/completions/mcp-kit")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write all of them to a folder
    #[command(after_help = "Example:\n  mcp-kit man | man -l -\n  mcp-kit man --out ~/.local/share/man/man1")]
    Man {
        /// Write one page per command into this folder, which exists
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
}

/// `mcp-kit new`.
#[derive(Args, Debug)]
#[command(
    after_help = "Answers given twice: flags count before --set, --set before --answers, --answers before defaults.\n\n\
                  Example:\n  mcp-kit new my-server --auth-mode bearer --set public_host=mcp.example.org\n  \
                  cd my-server && scripts/local-dev.sh --demo"
)]
pub struct New {
    /// Name of the project: lower-case letters, digits, single hyphens
    pub name: String,
    /// Folder to create; must not exist or be empty [default: ./NAME]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub path: Option<PathBuf>,
    /// Folder with a cargo-generate template to use instead of the built-in one
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub template: Option<PathBuf>,
    /// Who may call: Cloudflare Access, a Bearer token, or both
    #[arg(long, value_name = "MODE", value_parser = SuggestedValues(&["cloudflare", "bearer", "both"]))]
    pub auth_mode: Option<String>,
    /// Where the token for the upstream API is kept
    #[arg(long, value_name = "STORE", value_parser = SuggestedValues(&["env", "postgres", "infisical"]))]
    pub token_store: Option<String>,
    /// Start from the Coda tools, or from one trivial tool
    #[arg(long, value_name = "EXAMPLE", value_parser = SuggestedValues(&["coda", "blank"]))]
    pub example: Option<String>,
    /// Answer a question of the template; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
    /// TOML file of answers, one `key = value` a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub answers: Option<PathBuf>,
    /// Use the template's defaults for everything else (the default)
    #[arg(long)]
    pub defaults: bool,
    /// Do not create a git repository
    #[arg(long)]
    pub no_git: bool,
    /// Print what would be created, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Format of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

/// `mcp-kit update`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 done or up to date, 1 conflicts (with --check: an update is available), 2 wrong input, 3 could not finish.\n\n\
                  Example:\n  mcp-kit update --check          # is there an update, and what differs from the template\n  \
                  mcp-kit update && cargo test    # take it"
)]
pub struct Update {
    /// The project
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Change nothing; fail if an update is available, and list every file that differs from the template
    #[arg(long, conflicts_with_all = ["diff", "dry_run", "adopt", "restore", "detach"])]
    pub check: bool,
    /// Change nothing; print the update as a diff, and what the template has changed in files that are yours
    #[arg(long, conflicts_with_all = ["dry_run", "adopt", "restore", "detach"])]
    pub diff: bool,
    /// Change nothing; print what would be done with each file
    #[arg(long)]
    pub dry_run: bool,
    /// Answer a question of the template in another way than recorded; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append, conflicts_with_all = ["restore", "detach"])]
    pub set: Vec<String>,
    /// Folder with the template, for a project of another template than the built-in one
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["restore", "detach"])]
    pub template: Option<PathBuf>,
    /// Make the records for a project that has none, or damaged ones: made by cargo-generate itself, for example
    #[arg(long, conflicts_with_all = ["restore", "detach"])]
    pub adopt: bool,
    /// Bring a file back as the template has it, such as one that you deleted; may be repeated
    #[arg(long, value_name = "PATH", conflicts_with = "detach", value_hint = ValueHint::FilePath)]
    pub restore: Vec<String>,
    /// Remove what serves updates from the project; it is then its owner's alone
    #[arg(long)]
    pub detach: bool,
    /// Write even where git could not bring back what is there
    #[arg(long)]
    pub allow_dirty: bool,
    /// Format of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

/// `mcp-kit fleet`.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Print the template of each project, what an update has for it, and which ones conflict
    #[command(after_help = "Exit status: 0 all are up to date, 1 not all, 2 wrong input.\n\n\
                            Example:\n  mcp-kit fleet status --repos repositories.txt")]
    Status(FleetProjects),
    /// Update each project without conflicts, with one commit on a branch of its own
    #[command(after_help = "Exit status: 0 all are up to date or updated, 1 not all, 2 wrong input.\n\n\
                            Example:\n  mcp-kit fleet update --repos repositories.txt --test 'cargo test --locked'")]
    Update {
        /// The projects
        #[command(flatten)]
        fleet: FleetProjects,
        /// Run this command of a shell in each updated project
        #[arg(long, value_name = "COMMAND")]
        test: Option<String>,
    },
}

/// The projects of a fleet.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("list").required(true).args(["repos", "catalog"])))]
pub struct FleetProjects {
    /// File with a folder or an address of git a line; folders are relative to the file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub repos: Option<PathBuf>,
    /// Catalog whose servers name their `repository`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub catalog: Option<PathBuf>,
    /// Folder for clones of the addresses; a clone that is there is used as it is
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub clones: Option<PathBuf>,
    /// Folder with the template, for projects of another template than the built-in one
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub template: Option<PathBuf>,
    /// How many projects at the same time; 0 for as many as there are processors
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// Format of the table
    #[arg(long, value_enum, default_value_t)]
    pub format: FleetFormat,
}

/// The format of the table of a fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FleetFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object.
    Json,
    /// A page.
    Html,
}

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

/// `mcp-kit catalog`.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Print everything that is wrong with the catalog
    #[command(after_help = "Example:\n  mcp-kit catalog check")]
    Check {
        /// The catalog
        #[command(flatten)]
        file: CatalogFile,
    },
    /// Add a server, and leave the rest of the file byte for byte
    #[command(
        after_help = "Example:\n  mcp-kit catalog add Notes --status planned --location droplet --auth-method cloudflare-access --token-storage env"
    )]
    Add(CatalogAdd),
    /// List the servers
    #[command(after_help = "Example:\n  mcp-kit catalog list --format json")]
    List {
        /// The catalog
        #[command(flatten)]
        file: CatalogFile,
        /// A table, or JSON
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Print the JSON Schema of catalogs, for editors
    #[command(after_help = "Example:\n  mcp-kit catalog schema > catalog.schema.json")]
    Schema,
}

/// `mcp-kit docs`.
#[derive(Debug, Subcommand)]
pub enum DocsCommand {
    /// Write the pages that are out of date, beside the catalog
    ///
    /// A page with a file of its own begins with a comment that says so. Other pages are sections of files that people write,
    /// between `<!-- mcp-kit:begin NAME -->` and `<!-- mcp-kit:end NAME -->`; a file without these lines gets them at its end.
    /// Everything outside of them stays. If you have changed text between them, the build reports it and writes nothing.
    #[command(
        after_help = "Exit status: 0 all is up to date, 1 something is stale (--check), 2 wrong input, 3 it could not finish.\n\n\
                      Example:\n  mcp-kit docs build\n  mcp-kit docs build --check   # in CI\n  mcp-kit docs build --html site"
    )]
    Build(DocsBuild),
    /// Show the pages in a browser, on this machine only, and rebuild them when something changes
    ///
    /// It writes nothing: it shows what `docs build` would make of the catalog, the templates and the documents.
    #[command(after_help = "Exit status: 0 it was stopped (Ctrl-C), 2 wrong input, 3 it cannot serve.\n\n\
                      Example:\n  mcp-kit docs serve --port 3000")]
    Serve(DocsServe),
}

/// `mcp-kit docs serve`.
#[derive(Args, Debug)]
pub struct DocsServe {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
}

/// `mcp-kit docs build`.
#[derive(Args, Debug)]
pub struct DocsBuild {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// Write nothing; print what is stale as a diff, and fail if anything is
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Write nothing; print what would change as a diff
    #[arg(long)]
    pub dry_run: bool,
    /// Also make a site of the pages in this folder; it needs no network, and replaces the site that was there
    #[arg(long, value_name = "DIR", conflicts_with_all = ["check", "dry_run"])]
    pub html: Option<PathBuf>,
    /// Overwrite text that people wrote in the place of a page
    #[arg(long)]
    pub overwrite: bool,
}

/// `mcp-kit catalog add`.
#[derive(Args, Debug)]
pub struct CatalogAdd {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// Name
    pub name: String,
    /// A server, or a template for servers
    #[arg(long, default_value = "server", value_parser = value_parser(ServiceKind::ALL))]
    pub kind: ServiceKind,
    /// Status
    #[arg(long, value_parser = value_parser(ServiceStatus::ALL))]
    pub status: ServiceStatus,
    /// Location
    #[arg(long, value_parser = value_parser(Location::ALL))]
    pub location: Location,
    /// Authentication of callers
    #[arg(long, value_name = "METHOD", value_parser = value_parser(AuthMethod::ALL))]
    pub auth_method: AuthMethod,
    /// Storage of its tokens
    #[arg(long, value_name = "STORAGE", value_parser = value_parser(TokenStorage::ALL))]
    pub token_storage: TokenStorage,
    /// URL of its endpoint
    #[arg(long)]
    pub url: Option<String>,
    /// Repository: an address, or a path relative to the catalog
    #[arg(long)]
    pub repository: Option<String>,
    /// Owner: a person or a team
    #[arg(long)]
    pub owner: Option<String>,
    /// Notes
    #[arg(long, value_name = "TEXT")]
    pub notes: Option<String>,
    /// Print the change as a diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Parses the words of a catalog enumeration.
fn value_parser<T: Copy + Send + Sync + 'static>(
    all: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let value =
        move |word: String| all.iter().find(|(other, _)| *other == word).map(|(_, value)| *value).ok_or("unknown");
    PossibleValuesParser::new(all.iter().map(|(word, _)| PossibleValue::new(*word))).try_map(value)
}

/// Which catalog.
#[derive(Args, Debug)]
pub struct CatalogFile {
    /// The file
    #[arg(long = "catalog", value_name = "FILE", default_value = "catalog.yaml", value_hint = ValueHint::FilePath)]
    pub path: PathBuf,
}

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

/// The format of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object.
    Json,
}

/// Values that help and completions offer, but the template accepts or rejects. A template can have other choices, and
/// a wrong value is reported together with every other error.
#[derive(Clone, Copy)]
struct SuggestedValues(&'static [&'static str]);

impl TypedValueParser for SuggestedValues {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|name| PossibleValue::new(*name))))
    }
}
