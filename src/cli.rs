//! Every command and flag, with its help and one worked example. Help, man pages and completions come from here; nothing else
//! knows about flags.

use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

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
    /// The request without its presentation.
    #[must_use]
    pub fn request(self) -> Request {
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
