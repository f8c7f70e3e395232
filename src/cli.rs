//! Every command and flag, with its help and one worked example. Help, man pages and completions come from here.

mod add;
mod audit_docs;
mod catalog;
mod docs;
mod update;

use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use add::{AddCommand, AddSetting, AddTool, AddUpstream, AddWhere};
pub use audit_docs::{AuditDocs, FixScope};
pub use catalog::{CatalogAdd, CatalogCheck, CatalogCommand, CatalogExport, CatalogVerify};
pub use docs::{DocsBuild, DocsCommand, DocsServe};
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
    /// Run the template's hooks, scripts that can do whatever you can; on a terminal you are shown them and asked
    #[arg(long, requires = "template")]
    pub allow_hooks: bool,
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

/// Which catalog.
#[derive(Args, Debug)]
pub struct CatalogFile {
    /// The file
    #[arg(long = "catalog", value_name = "FILE", default_value = "catalog.yaml", value_hint = ValueHint::FilePath)]
    pub path: PathBuf,
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
