//! Every command and flag, with its help and one worked example. Help, man pages and completions come from here.

mod catalog;
mod update;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::audit::finding::Code;
use crate::audit::site::Flavor;
use crate::scaffold::extend::rows::SettingKind;

pub use catalog::{CatalogAdd, CatalogCheck, CatalogCommand, CatalogExport, CatalogVerify};
pub use update::{FleetCommand, FleetFormat, FleetProjects, Update};

/// From nothing to an authenticated, documented, deployable MCP server.
#[derive(Debug, Parser)]
#[command(
    name = "mcp-kit",
    version = env!("MCP_KIT_VERSION"),
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
    /// Server, authentication, tests, container, deployment and documentation. On a terminal it asks what the flags do not answer, and
    /// shows a summary before it creates anything; elsewhere, and with --defaults, an answer that is not given is the template's default.
    /// It creates the whole project or nothing.
    New(New),
    /// Add a tool, a setting or an upstream API to a generated project
    #[command(subcommand)]
    Add(AddCommand),
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
    /// Check, verify, list and export the servers of catalog.yaml
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Make the documents of a fleet from catalog.yaml
    #[command(subcommand)]
    Docs(DocsCommand),
    /// Begin a catalog, its first pages and the CI workflow in an existing repository
    ///
    /// It finds the servers that the repository has: projects of mcp-kit, compose files, wrangler configurations and .mcp.json. What it
    /// cannot know is marked in the notes of a server. Nothing is written over. On a terminal it asks before it writes.
    #[command(after_help = "Example:\n  mcp-kit init --dry-run\n  mcp-kit init && mcp-kit docs build --check")]
    Init(Init),
    /// Check what this machine lacks: compilers, docker, ports
    ///
    /// Each line is ok, warn (something optional is missing) or fail (something necessary is).
    #[command(
        after_help = "Exit status: 0 nothing necessary is missing, 1 something is.\n\nExample:\n  mcp-kit doctor --format json"
    )]
    Doctor(Doctor),
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
    /// Name of the project: lower-case letters, digits, single hyphens; on a terminal it is asked for
    pub name: Option<String>,
    /// Folder to create; must not exist or be empty [default: ./NAME]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub path: Option<PathBuf>,
    /// Folder or git address (https, ssh; `#` names a branch or tag) with a cargo-generate template to use instead of the built-in one
    #[arg(long, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    pub template: Option<PathBuf>,
    /// Who may call: Cloudflare Access, a Bearer token, or both
    #[arg(long, value_name = "MODE", value_parser = SuggestedValues(&["cloudflare", "oidc", "bearer", "both"]))]
    pub auth_mode: Option<String>,
    /// Where the token for the upstream API is kept
    #[arg(long, value_name = "STORE", value_parser = SuggestedValues(&["env", "postgres", "infisical", "vault"]))]
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
    /// Print the JSON Schema of answers files for the template, and create nothing
    #[arg(long, conflicts_with_all = ["answers", "set", "dry_run"])]
    pub answers_schema: bool,
    /// Ask nothing, and use the template's defaults for everything else
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

/// `mcp-kit init`.
#[derive(Args, Debug)]
pub struct Init {
    /// Folder of the repository
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Ask nothing
    #[arg(long)]
    pub defaults: bool,
    /// Write no pages
    #[arg(long)]
    pub no_pages: bool,
    /// Write no workflow
    #[arg(long)]
    pub no_ci: bool,
    /// Print what would be written as a diff, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Format of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

/// `mcp-kit doctor`.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Port that a server is to listen on; may be repeated
    #[arg(long, value_name = "PORT", default_values_t = [8080_u16])]
    pub port: Vec<u16>,
    /// Format of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

/// `mcp-kit add`.
#[derive(Debug, Subcommand)]
pub enum AddCommand {
    /// Add a tool, or operations of an API as tools
    ///
    /// A tool gets its types, a method, a test and its rows in the lists. It compiles and answers with its own arguments, until you write
    /// what it does. What is there already stays: a second run changes nothing.
    ///
    /// With --from-openapi, operations of an API become tools: their parameters and body are the arguments, and the API's answer is the
    /// result. The upstream is added if the project does not have it.
    #[command(after_help = "Example:\n  mcp-kit add tool count_words --argument text:string\n  \
                            mcp-kit add tool --from-openapi api.yaml --operation listRows --upstream coda_api")]
    Tool(AddTool),
    /// Add an upstream API with a token of its own
    #[command(
        after_help = "Example:\n  mcp-kit add upstream weather --base https://api.weather.example/v1 --probe /me"
    )]
    Upstream(AddUpstream),
    /// Add a setting: an environment variable in the project's table
    #[command(
        after_help = "Example:\n  mcp-kit add setting CACHE_SECONDS --kind seconds --default 60 --meaning \"How long answers are kept.\""
    )]
    Setting(AddSetting),
}

/// Where `mcp-kit add` works, and how it reports.
#[derive(Args, Debug)]
pub struct AddWhere {
    /// Folder of the project
    #[arg(long, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Print the change as a diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Format of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

/// `mcp-kit add tool`.
#[derive(Args, Debug)]
pub struct AddTool {
    /// Name of the tool, such as count_words
    #[arg(required_unless_present = "from_openapi", conflicts_with = "from_openapi")]
    pub name: Option<String>,
    /// Title, for people [default: from the name]
    #[arg(long, conflicts_with = "from_openapi")]
    pub title: Option<String>,
    /// Description, for the model
    #[arg(long, conflicts_with = "from_openapi")]
    pub description: Option<String>,
    /// Argument of the tool: string, integer, number or boolean; `NAME?:TYPE` is optional; may be repeated
    #[arg(long, value_name = "NAME:TYPE", conflicts_with = "from_openapi")]
    pub argument: Vec<String>,
    /// Upstream API that the tool calls
    #[arg(long, value_name = "NAME")]
    pub upstream: Option<String>,
    /// OpenAPI 3.0 or 3.1 description, in JSON or YAML
    #[arg(long, value_name = "FILE", requires = "upstream", requires = "wanted", value_hint = ValueHint::FilePath, help_heading = OPENAPI)]
    pub from_openapi: Option<PathBuf>,
    /// Operation to add, by its operationId; may be repeated
    #[arg(long, value_name = "ID", requires = "from_openapi", group = "wanted", help_heading = OPENAPI)]
    pub operation: Vec<String>,
    /// All operations with this tag; may be repeated
    #[arg(long, value_name = "TAG", requires = "from_openapi", group = "wanted", help_heading = OPENAPI)]
    pub tag: Vec<String>,
    /// Operations that only read (the default)
    #[arg(long, requires = "from_openapi", conflicts_with = "write", help_heading = OPENAPI)]
    pub read_only: bool,
    /// Also operations that change something
    #[arg(long, requires = "from_openapi", help_heading = OPENAPI)]
    pub write: bool,
    /// Text in front of the names of the tools, such as coda_
    #[arg(long, value_name = "TEXT", requires = "from_openapi", help_heading = OPENAPI)]
    pub prefix: Option<String>,
    /// Address of a new upstream [default: the first server of the description]
    #[arg(long, value_name = "URL", requires = "from_openapi", help_heading = OPENAPI)]
    pub base: Option<String>,
    /// A new upstream is behind Cloudflare Access: send a service token along
    #[arg(long, requires = "from_openapi", help_heading = OPENAPI)]
    pub access: bool,
    /// Where, and how
    #[command(flatten)]
    pub place: AddWhere,
}

const OPENAPI: &str = "From an OpenAPI description";

/// `mcp-kit add upstream`.
#[derive(Args, Debug)]
pub struct AddUpstream {
    /// Name of the upstream, such as weather
    pub name: String,
    /// Name in sentences [default: the NAME API]
    #[arg(long)]
    pub title: Option<String>,
    /// Address of the API.
    #[arg(long, help = "Address, without a slash at its end [default: https://NAME.example/v1]", value_name = "URL")]
    pub base: Option<String>,
    /// Where one gets a token, for the people who set the server up
    #[arg(long, value_name = "TEXT")]
    pub token_from: Option<String>,
    /// Header that the token goes in, in place of `Authorization: Bearer`
    #[arg(long, value_name = "HEADER")]
    pub token_header: Option<String>,
    /// It is behind Cloudflare Access: send a service token along
    #[arg(long)]
    pub access: bool,
    /// Path that readiness and `doctor` ask with the token, such as /me
    #[arg(long, value_name = "PATH")]
    pub probe: Option<String>,
    /// Where, and how
    #[command(flatten)]
    pub place: AddWhere,
}

/// `mcp-kit add setting`.
#[derive(Args, Debug)]
pub struct AddSetting {
    /// Name of the variable, such as CACHE_SECONDS
    pub name: String,
    /// Kind of its values
    #[arg(long, value_enum, default_value_t)]
    pub kind: SettingKind,
    /// Its default; for a token, where one gets it
    #[arg(long, value_name = "VALUE")]
    pub default: Option<String>,
    /// Heading that it stands under
    #[arg(long, default_value = "This server")]
    pub group: String,
    /// Its meaning, in one sentence
    #[arg(long, value_name = "SENTENCE")]
    pub meaning: Option<String>,
    /// Where, and how
    #[command(flatten)]
    pub place: AddWhere,
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
