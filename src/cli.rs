//! Every command and flag, with its help and one worked example. Help, man pages and completions come from here; nothing else
//! knows about flags.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::audit::finding::Code;
use crate::audit::profile::Flavor;
use crate::catalog::Service;
use crate::catalog::service::{AuthMethod, Location, Status, TokenStorage};
use crate::scaffold::new::Request;

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
    /// Say less: results and errors only
    #[arg(short, long, global = true, display_order = 900, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what is being done
    #[arg(short, long, global = true, display_order = 901)]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a complete MCP server project
    ///
    /// Server, authentication, tests, container, deployment and documentation. Nothing is asked: what is not given takes the
    /// template's default. The project appears whole or not at all.
    New(New),
    /// Find broken links, orphans and deprecated references in documentation
    ///
    /// Reads every Markdown file of the tree, by the rules of the renderer that the tree's own files name. Nothing needs to be
    /// configured, nothing is sent anywhere, and the same tree gives the same report.
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
    #[arg(long, value_name = "MODE", value_parser = Named(&["cloudflare", "bearer", "both"]))]
    pub auth_mode: Option<String>,
    /// Where the token for the upstream API is kept
    #[arg(long, value_name = "STORE", value_parser = Named(&["env", "postgres", "infisical"]))]
    pub token_store: Option<String>,
    /// Start from the Coda tools, or from one trivial tool
    #[arg(long, value_name = "EXAMPLE", value_parser = Named(&["coda", "blank"]))]
    pub example: Option<String>,
    /// Answer a question of the template; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
    /// TOML file of answers, one `key = value` a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub answers: Option<PathBuf>,
    /// Take the template's defaults for everything else, which is what happens without this flag too
    #[arg(long)]
    pub defaults: bool,
    /// Do not make a git repository
    #[arg(long)]
    pub no_git: bool,
    /// Say what would be created, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to report: for people, or one JSON object for programs
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `mcp-kit audit-docs`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 no errors, 1 errors (with --strict warnings, too), 2 wrong usage, 3 could not finish.\n\n\
                  Example:\n  mcp-kit audit-docs docs --format sarif > audit.sarif\n  mcp-kit audit-docs --explain broken-anchor"
)]
pub struct AuditDocs {
    /// Files and folders to audit; links may lead to anything in the repository around them [default: .]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Folder that `/` means in links and where the tree ends [default: the git repository]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: crate::audit::report::Format,
    /// Take the settings from `audit:` in this file [default: catalog.yaml at the root, where there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub catalog: Option<PathBuf>,
    /// Take this renderer's rules instead of those that the tree's files name
    #[arg(long, value_enum, value_name = "RENDERER")]
    pub flavor: Option<Flavor>,
    /// Ask the web, too, whether the addresses that documents link to are there
    #[arg(long)]
    pub online: bool,
    /// With --online: where good answers are kept for a day [default: web.json in the user's cache folder]
    #[arg(long, value_name = "FILE", requires = "online", value_hint = ValueHint::FilePath)]
    pub web_cache: Option<PathBuf>,
    /// Fail on warnings, too
    #[arg(long)]
    pub strict: bool,
    /// Fail on links that are not judged, too, because something of their renderer is not known
    #[arg(long)]
    pub strict_profile: bool,
    /// Say which renderer is taken for each folder, from which files, and what is not judged there and why, in place of the findings
    #[arg(long, conflicts_with = "fix")]
    pub explain_profile: bool,
    /// File of known findings, which are accepted
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Write the findings of now to the baseline
    #[arg(long, requires = "baseline")]
    pub update_baseline: bool,
    /// Record in the catalog that this document is good as it is; nothing is proposed for it until it changes
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub keep: Vec<PathBuf>,
    /// Mend what is certain
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "links",
        conflicts_with = "update_baseline"
    )]
    pub fix: Option<Mend>,
    /// With --fix=documents: the document that headers and notices send readers to, from the root on
    #[arg(long, requires = "fix", value_name = "PATH", default_value = "docs/infrastructure/mcp/OAUTH_SOP.md")]
    pub current: String,
    /// With --fix: show the repairs as a diff and change nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// With --fix: change documents even if git could not bring them back
    #[arg(long, requires = "fix")]
    pub allow_dirty: bool,
    /// Say what a code means, why it matters and how to mend it, and audit nothing
    #[arg(long, value_name = "CODE", conflicts_with_all = ["paths", "baseline", "root", "flavor"], value_parser = code_parser())]
    pub explain: Option<Code>,
}

/// `mcp-kit catalog`.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Say everything that is wrong with the catalog
    #[command(after_help = "Example:\n  mcp-kit catalog check")]
    Check {
        /// The catalog
        #[command(flatten)]
        file: CatalogFile,
    },
    /// Add a server, and leave everything else as it is written
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
        format: Format,
    },
    /// Print the JSON Schema of catalogs, for editors
    #[command(after_help = "Example:\n  mcp-kit catalog schema > catalog.schema.json")]
    Schema,
}

/// `mcp-kit docs`.
#[derive(Debug, Subcommand)]
pub enum DocsCommand {
    /// Write the pages, beside the catalog; what is as it should be is not touched
    ///
    /// Pages that have a file of their own begin with a comment that says so. Others are sections in files that people
    /// write: between `<!-- mcp-kit:begin NAME -->` and `<!-- mcp-kit:end NAME -->`, and at the end of the file where there are
    /// no such lines yet. Nothing outside of those is touched. Text between them that somebody has changed is reported, and
    /// nothing is written.
    #[command(
        after_help = "Exit status: 0 all is up to date, 1 something is stale (--check), 2 wrong input, 3 it could not finish.\n\n\
                      Example:\n  mcp-kit docs build\n  mcp-kit docs build --check   # in CI\n  mcp-kit docs build --html site"
    )]
    Build(DocsBuild),
    /// Show the pages in a browser, on this machine only, and make them anew when something changes
    ///
    /// Nothing is written: it shows what `docs build` would make of the catalog, the templates and the documents as they are now.
    #[command(after_help = "Exit status: 0 it was told to stop (Ctrl-C), 2 wrong input, 3 it cannot serve.\n\n\
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
    /// Write nothing; show what is stale as a diff, and fail if anything is
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Write nothing; show what would change as a diff
    #[arg(long)]
    pub dry_run: bool,
    /// Make a site of the same pages in this folder, too; it needs no network to be read, and replaces the one before
    #[arg(long, value_name = "DIR", conflicts_with_all = ["check", "dry_run"])]
    pub html: Option<PathBuf>,
    /// Write over what people have written in the place of a page
    #[arg(long)]
    pub overwrite: bool,
}

/// `mcp-kit catalog add`.
#[derive(Args, Debug)]
pub struct CatalogAdd {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// Its name
    pub name: String,
    /// Whether it is in use
    #[arg(long, value_parser = words(Status::ALL))]
    pub status: Status,
    /// Where it runs
    #[arg(long, value_parser = words(Location::ALL))]
    pub location: Location,
    /// How callers are known
    #[arg(long, value_name = "METHOD", value_parser = words(AuthMethod::ALL))]
    pub auth_method: AuthMethod,
    /// Where its tokens are kept
    #[arg(long, value_name = "STORAGE", value_parser = words(TokenStorage::ALL))]
    pub token_storage: TokenStorage,
    /// Where it answers
    #[arg(long)]
    pub url: Option<String>,
    /// Where its sources are
    #[arg(long)]
    pub repository: Option<String>,
    /// Whom to ask
    #[arg(long)]
    pub owner: Option<String>,
    /// What else there is to know
    #[arg(long, value_name = "TEXT")]
    pub notes: Option<String>,
    /// Show the change as a diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl CatalogAdd {
    /// The service.
    #[must_use]
    pub fn service(&self) -> Service {
        Service {
            name: self.name.trim().to_owned(),
            status: self.status,
            location: self.location,
            auth_method: self.auth_method,
            token_storage: self.token_storage,
            url: self.url.clone(),
            repository: self.repository.clone(),
            owner: self.owner.clone(),
            sop: None,
            runbook: None,
            last_verified: None,
            notes: self.notes.clone(),
        }
    }
}

/// The words of an enumeration of the catalog.
fn words<T: Copy + Send + Sync + 'static>(all: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T> {
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

/// What `--fix` mends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mend {
    /// Links whose right target is certain: moved files, letter case, reworded headings
    Links,
    /// Documents that are to be updated or archived: headers, the move to archive/, notices, and links to what has moved
    Documents,
}

/// Codes, so that help, completions and "did you mean" know them.
fn code_parser() -> impl TypedValueParser<Value = Code> {
    let names = Code::ALL.iter().map(|code| PossibleValue::new(code.as_str()));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Code>())
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON object.
    Json,
}

impl New {
    /// The request without its presentation, made on a day as `2025-11-08`.
    #[must_use]
    pub fn request(self, today: String) -> Request {
        let flags = [
            ("--auth-mode", "auth_mode", self.auth_mode),
            ("--token-store", "token_store", self.token_store),
            ("--example", "example", self.example),
        ];
        Request {
            name: self.name,
            path: self.path,
            template: self.template,
            flags: flags.into_iter().filter_map(|(flag, key, value)| Some((flag, key, value?))).collect(),
            set: self.set,
            answers: self.answers,
            git: !self.no_git,
            dry_run: self.dry_run,
            today,
        }
    }
}

/// Values shown in help and offered by completions, but left to the template to accept: its choices may be others, and a wrong
/// one is reported together with everything else that is wrong.
#[derive(Clone, Copy)]
struct Named(&'static [&'static str]);

impl TypedValueParser for Named {
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
