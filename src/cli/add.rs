//! `mcp-kit add`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::OutputFormat;
use crate::scaffold::extend::rows::SettingKind;

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
