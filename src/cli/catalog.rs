//! The flags of `mcp-kit catalog`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum as _, ValueHint};

use super::{CatalogFile, OutputFormat};
use crate::audit::finding::Code;
use crate::audit::report::Format;
use crate::catalog::export::ExportTarget;
use crate::catalog::service::{AuthMethod, Location, ServiceKind, ServiceStatus, TokenStorage};

/// `mcp-kit catalog`.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Print everything that is wrong or missing in the catalog
    ///
    /// What cannot be read is an error. Deployed servers without owner, url or a recent verification are warnings;
    /// `check.severities` of the catalog makes them errors or turns them off.
    #[command(
        after_help = "Exit status: 0 no errors, 1 errors (with --strict also warnings), 2 the catalog cannot be read.\n\n\
                      Example:\n  mcp-kit catalog check --strict"
    )]
    Check(CatalogCheck),
    /// Ask each server as a client does, and report what is not as the catalog says
    ///
    /// Asks for /health, for the challenge that a client without credentials gets, and follows it to the login; with
    /// --credentials also for version and tools. Servers are asked at the same time, each request has a timeout.
    #[command(
        after_help = "Exit status: 0 no errors, 1 errors (with --strict also warnings), 2 wrong input, 3 it cannot ask.\n\n\
                      FILE of --credentials is YAML: the headers of each server, by id. Only its owner may read it.\n  \
                      coda:\n    CF-Access-Client-Id: …\n    CF-Access-Client-Secret: …\n\n\
                      Example:\n  mcp-kit catalog verify\n  mcp-kit catalog verify --credentials ~/.config/mcp-kit/fleet.yaml --write"
    )]
    Verify(CatalogVerify),
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
    /// Bring a catalog of an older version to the form of today, and keep comments and order
    #[command(after_help = "Example:\n  mcp-kit catalog migrate --dry-run\n  mcp-kit catalog migrate")]
    Migrate {
        /// The catalog
        #[command(flatten)]
        file: CatalogFile,
        /// Print the change as a diff and write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the catalog in the form of another tool
    ///
    /// Servers that lack a field of the target are left out, and what they lack is listed with its line.
    #[command(
        after_help = "Exit status: 0 all servers are in it, 1 something is missing, 2 wrong input, 3 it cannot write.\n\n\
                      Example:\n  mcp-kit catalog export --to backstage > catalog-info.yaml\n  \
                      mcp-kit catalog export --to server-json --out registry"
    )]
    Export(CatalogExport),
    /// Print what a finding of check or verify means and how to fix it
    #[command(after_help = "Example:\n  mcp-kit catalog explain open-server")]
    Explain {
        /// The code
        #[arg(value_parser = fleet_code())]
        code: Code,
    },
    /// Print the JSON Schema of catalogs, for editors
    #[command(after_help = "Example:\n  mcp-kit catalog schema > catalog.schema.json")]
    Schema,
}

/// `mcp-kit catalog check`.
#[derive(Args, Debug)]
pub struct CatalogCheck {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// Fail on warnings, too
    #[arg(long)]
    pub strict: bool,
    /// Format of the report
    #[arg(long, default_value = "human", value_parser = report_format())]
    pub format: Format,
}

/// `mcp-kit catalog verify`.
#[derive(Args, Debug)]
pub struct CatalogVerify {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// Ask only the server with this name or id; may be repeated
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// YAML file with the headers that each server takes as credentials, by id
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub credentials: Option<PathBuf>,
    /// Record in the catalog the day, the version and the tools of each server without errors
    #[arg(long)]
    pub write: bool,
    /// With --write: print the change as a diff and write nothing
    #[arg(long, requires = "write")]
    pub dry_run: bool,
    /// Fail on warnings, too
    #[arg(long)]
    pub strict: bool,
    /// Format of the report
    #[arg(long, default_value = "human", value_parser = report_format())]
    pub format: Format,
    /// Longest time for one answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub timeout: u32,
    /// Number of servers that are asked at the same time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
}

/// `mcp-kit catalog export`.
#[derive(Args, Debug)]
pub struct CatalogExport {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// The tool
    #[arg(long, value_enum, value_name = "TARGET")]
    pub to: ExportTarget,
    /// Write the files below this folder, instead of one to standard output
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Export only the server with this name or id
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
}

/// `mcp-kit catalog add`.
#[derive(Args, Debug)]
pub struct CatalogAdd {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// Name
    pub name: String,
    /// A server, a template for servers, or a portal
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
    /// Purpose, in one sentence
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
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

/// Parses the formats of reports, without the page of documents.
fn report_format() -> impl TypedValueParser<Value = Format> {
    let formats = Format::value_variants().iter().filter(|format| **format != Format::Html);
    PossibleValuesParser::new(formats.filter_map(clap::ValueEnum::to_possible_value))
        .try_map(|word| Format::from_str(&word, false))
}

/// Parses codes of the fleet.
fn fleet_code() -> impl TypedValueParser<Value = Code> {
    let names = Code::FLEET.iter().map(|code| PossibleValue::new(code.as_str()));
    PossibleValuesParser::new(names).try_map(|name| Code::for_fleet(&name).ok_or("unknown"))
}
