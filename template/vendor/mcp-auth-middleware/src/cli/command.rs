//! Every command and flag, with its help and one worked example. Nothing else knows about flags.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::name::TokenName;
use super::surplus::Surplus;
use crate::AuditHash;

/// The commands, to be flattened into those of a server.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum StoreCommand {
    /// Set, read, list and delete tokens; rotate the key; look through the audit log
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Set the database up
    #[command(subcommand)]
    Db(DbCommand),
    /// Move tokens from the environment, an .env file or a docker-compose.yml into the token store
    ///
    /// All names are found before the first token is written. What is written is read back and compared. A token that is
    /// stored with the same value already is left alone, so that it may be repeated at will.
    ///
    /// The verification hash is equal for equal sets of tokens under one encryption key, and says nothing about their
    /// values to anybody without that key.
    #[command(after_help = "Examples:\n  my-server migrate-env --dry-run\n  my-server migrate-env --from .env\n  \
                      my-server migrate-env CODA_API_TOKEN OTHER_TOKEN --from docker-compose.yml")]
    MigrateEnv(MigrateEnv),
}

/// `tokens …`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum TokensCommand {
    /// Store a token; the value comes from standard input or a prompt
    ///
    /// One line end at the end of standard input is not part of the value. At a terminal, the value is asked for and not
    /// shown. It is never taken from the command line, where others can read it.
    #[command(
        after_help = "Examples:\n  my-server tokens set CODA_API_TOKEN\n  my-server tokens set CODA_API_TOKEN < token.txt"
    )]
    Set(Named),
    /// Print a token's value to standard output
    #[command(after_help = "Example:\n  my-server tokens get CODA_API_TOKEN > token.txt\n\n\
                      Exit status: 0 printed, 1 not stored, 2 wrong usage, 3 could not finish.")]
    Get(Named),
    /// List names and times of the tokens of a service, never values
    #[command(after_help = "Example:\n  my-server tokens list --format json")]
    List(List),
    /// Delete a token
    #[command(after_help = "Example:\n  my-server tokens delete CODA_API_TOKEN --as user@example.com\n\n\
                      Exit status: 0 deleted, 1 not stored, 2 wrong usage, 3 could not finish.")]
    Delete(Named),
    /// Encrypt all tokens of all services again, with the active key
    ///
    /// MCP_AUTH_ENCRYPTION_KEY has the new key, MCP_AUTH_PREVIOUS_KEYS the one before. Servers with both keys go on
    /// meanwhile. It may be interrupted and repeated.
    #[command(after_help = "Example:\n  MCP_AUTH_ENCRYPTION_KEY=$(cat new.key) MCP_AUTH_PREVIOUS_KEYS=$(cat old.key) \
                      my-server tokens rotate-key\n\n\
                      Exit status: 0 done, 1 some tokens are not sealed with the new key, 2 wrong usage, 3 could not finish.")]
    RotateKey(RotateKey),
    /// Print the audit log, or verify that nobody has changed it
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  my-server tokens audit\n  my-server tokens audit --format json > audit.jsonl\n  \
                      my-server tokens audit verify"
    )]
    Audit(Audit),
}

/// `db …`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum DbCommand {
    /// Create or update the tables; repeating it changes nothing
    #[command(
        after_help = "Examples:\n  my-server db init\n  my-server db init --role my_server --role-password < password.txt"
    )]
    Init(Init),
}

/// Whose tokens, and who acts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Scope {
    /// The service whose tokens are meant [default: this project]
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub actor: Actor,
}

/// Who acts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Actor {
    /// Who acts, for the audit log, where the system's user stands beside it [default: the system's user alone]
    #[arg(long = "as", value_name = "EMAIL", value_hint = ValueHint::EmailAddress)]
    pub actor: Option<String>,
}

/// A token by its name.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Named {
    /// Name of the token
    pub name: TokenName,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub scope: Scope,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub surplus: Surplus,
}

/// `tokens list`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct List {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub scope: Scope,
    /// A table, or JSON
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub surplus: Surplus,
}

/// `tokens rotate-key`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RotateKey {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub actor: Actor,
    /// Text, or JSON
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub surplus: Surplus,
}

/// `tokens audit`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Audit {
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub command: Option<AuditCommand>,
    /// Only rows about this service [default: all rows]
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// A table, or JSON with one row a line
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// `tokens audit …`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum AuditCommand {
    /// Go through the whole audit log and name the first row that was changed, removed or moved
    ///
    /// The last hash, written down elsewhere and given with --expect later, holds even the owner of the database to what
    /// is in the log now.
    #[command(after_help = "Examples:\n  my-server tokens audit verify --format json\n  \
                      my-server tokens audit verify --expect \"$(cat audit-hash)\"\n\n\
                      Exit status: 0 intact, 1 broken, 2 wrong usage, 3 could not finish.")]
    Verify(Verify),
    /// Remove old rows from the audit log and the record of tool calls, as the owner of the tables
    ///
    /// At least the last row stays. That rows were removed, up to which one and with which hash, stands in the audit log,
    /// and `tokens audit verify` goes on from there. Export them first with `tokens audit --format json`.
    #[command(after_help = "Example:\n  POSTGRES_USER=postgres my-server tokens audit expire --older-than 365")]
    Expire(Expire),
}

/// `tokens audit expire`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Expire {
    /// Rows that are older than so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub older_than: u32,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub actor: Actor,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub surplus: Surplus,
}

/// `tokens audit verify`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Verify {
    /// A last hash from earlier, whose row must still be in the log
    #[arg(long, value_name = "HASH")]
    pub expect: Option<AuditHash>,
    /// Text, or JSON
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub surplus: Surplus,
}

/// `db init`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Init {
    /// A database role for servers, created if there is none: it may use the tables and not change the audit log
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
    /// Give the role a password, from standard input or a prompt
    #[arg(long, requires = "role")]
    pub role_password: bool,
    /// Give the role the password that this file holds, where there is no standard input, as in a Kubernetes Job
    #[arg(long, requires = "role", conflicts_with = "role_password", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub role_password_file: Option<PathBuf>,
    /// End the access that servers of the version before have since the tables moved; once none of them runs
    #[arg(long, conflicts_with = "role")]
    pub finish: bool,
    /// Text, or JSON
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub surplus: Surplus,
}

/// `migrate-env`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct MigrateEnv {
    /// Names of the variables, which the tokens keep
    #[arg(default_value = "CODA_API_TOKEN", value_name = "NAME")]
    pub names: Vec<TokenName>,
    /// An .env file, or a compose file (.yml, .yaml) [default: the environment]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,
    /// Say what would be done and write no token (what is stored is read, which stands in the audit log)
    #[arg(long)]
    pub dry_run: bool,
    /// Replace tokens that are stored with another value
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub scope: Scope,
    /// Text, or JSON
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// How an answer looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl StoreCommand {
    /// Returns whether the command encrypts or decrypts. The others need no key, and none should be made for them.
    #[must_use]
    pub const fn needs_key(&self) -> bool {
        match self {
            Self::Tokens(command) => {
                matches!(command, TokensCommand::Set(_) | TokensCommand::Get(_) | TokensCommand::RotateKey(_))
            }
            Self::Db(_) => false,
            Self::MigrateEnv(_) => true,
        }
    }
}
