//! The commands of the token store, for a server's own command line.
//!
//! [`StoreCommand`] is flattened into the server's commands and [`main`] carries it out. In a server:
//!
//! ```no_run
//! use clap::Parser;
//! use mcp_auth_middleware::PostgresConfig;
//! use mcp_auth_middleware::cli::{self, PostgresAdmin, StoreCommand};
//! use mcp_auth_middleware::encryption::{EncryptionKey, Keyring};
//!
//! #[derive(Parser)]
//! struct Cli {
//!     #[command(subcommand)]
//!     command: Command,
//! }
//!
//! #[derive(clap::Subcommand)]
//! enum Command {
//!     /// Serves
//!     Serve,
//!     #[command(flatten)]
//!     Store(StoreCommand),
//! }
//!
//! /// Called once the arguments are in order; `needs_key` tells whether the command encrypts or decrypts.
//! fn open(needs_key: bool) -> Result<PostgresAdmin, Box<dyn std::error::Error>> {
//!     let config = PostgresConfig::from_url(&std::env::var("DATABASE_URL")?.into())?;
//!     let key = || Ok::<_, Box<dyn std::error::Error>>(std::env::var("MCP_AUTH_ENCRYPTION_KEY")?);
//!     let keyring = if needs_key { Some(Keyring::new(EncryptionKey::parse(&key()?)?)) } else { None };
//!     Ok(PostgresAdmin::new(config, keyring)?)
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     match Cli::parse().command {
//!         Command::Serve => std::process::ExitCode::SUCCESS, // the server itself
//!         Command::Store(command) => cli::main(command, "my-server", open).await,
//!     }
//! }
//! ```
//!
//! Results go to standard output and everything else to standard error. Exit status: 0 done, 1 something is not as it
//! should be (a token is not stored, the audit log is broken), 2 wrong usage or unreadable input, 3 could not finish.
//!
//! A value comes from standard input or a prompt and is printed by `tokens get` only: no other output, error or `Debug`
//! holds one, and the command line takes none.

mod audit;
mod command;
mod compose;
mod console;
mod dotenv;
mod environment;
mod failure;
mod interpolate;
mod migrate;
mod name;
mod rfc3339;
mod source;
mod store;
mod surplus;
mod tokens;
mod verification;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

pub use command::{
    Actor, Audit, AuditCommand, DbCommand, Expire, Format, Init, List, MigrateEnv, Named, RotateKey, Scope,
    StoreCommand, TokensCommand, Verify,
};
pub use console::Console;
pub use environment::Environment;
pub use name::TokenName;
pub use store::{PostgresAdmin, PostgresAdminError, TokenAdmin};
pub use surplus::Surplus;

use failure::Failure;
use tokens::Acting;

/// The surroundings of a command: all that it needs besides its arguments.
#[derive(Debug)]
pub struct CommandContext<'a, F> {
    /// The service whose tokens are meant where `--service` is not given: the project's name.
    pub service: &'a str,
    /// Who acts where `--as` is not given, and who stands beside it where it is.
    pub user: &'a str,
    /// Opens the store, once the arguments are in order. Its argument says whether the command needs a key. Its error is
    /// printed and must not hold a secret.
    pub open: F,
    /// The variables that `migrate-env` reads and that a compose file refers to.
    pub environment: Environment,
    /// The streams.
    pub console: Console<'a>,
}

/// Carries a command out in this process: its standard streams, its environment, the system's user.
pub async fn main<S: TokenAdmin, E: fmt::Display>(
    command: StoreCommand,
    service: &str,
    open: impl FnOnce(bool) -> Result<S, E>,
) -> ExitCode {
    let (mut stdin, mut stdout, mut stderr) = (io::stdin(), io::BufWriter::new(io::stdout()), io::stderr());
    let user = whoami::username().unwrap_or_else(|_| "unknown".to_owned());
    let user = whoami::hostname().map_or_else(|_| user.clone(), |host| format!("{user}@{host}"));
    let context = CommandContext {
        service,
        user: &user,
        open,
        environment: Environment::process(),
        console: Console {
            stdin_is_terminal: stdin.is_terminal(),
            stdout_is_terminal: stdout.get_ref().is_terminal(),
            stdin: &mut stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            prompt: &mut |question| Ok(console::boxed(&zeroize::Zeroizing::new(rpassword::prompt_password(question)?))),
        },
    };
    ExitCode::from(run(command, context).await)
}

/// Carries a command out and gives its exit status.
pub async fn run<S: TokenAdmin, E: fmt::Display>(
    command: StoreCommand,
    context: CommandContext<'_, impl FnOnce(bool) -> Result<S, E>>,
) -> u8 {
    let CommandContext { service, user, open, environment, mut console } = context;
    let defaults = Acting { service, actor: user.into() };
    let needs_key = command.needs_key();
    let open = || open(needs_key).map_err(|error| Failure::usage(format!("no token store: {error}")));
    let done = carry_out(&command, &defaults, open, &environment, &mut console).await;
    match done.and_then(|status| console.flush().map(|()| status)) {
        Ok(status) => status,
        Err(failure) => {
            // What has been said so far goes before the error; where standard error is gone, the status has to do.
            let _ = console.flush();
            let _ = write!(console.stderr, "{}", failure.text());
            failure.status
        }
    }
}

async fn carry_out<S: TokenAdmin>(
    command: &StoreCommand,
    defaults: &Acting<'_>,
    open: impl FnOnce() -> Result<S, Failure>,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    match command {
        StoreCommand::Tokens(TokensCommand::Set(args)) => {
            args.surplus.refuse_value()?;
            let name = args.name.get()?;
            tokens::set(name, &open()?, &defaults.with(&args.scope), console).await
        }
        StoreCommand::Tokens(TokensCommand::Get(args)) => {
            args.surplus.refuse("`tokens get` takes a name")?;
            let name = args.name.get()?;
            tokens::get(name, &open()?, &defaults.with(&args.scope), console).await
        }
        StoreCommand::Tokens(TokensCommand::Delete(args)) => {
            args.surplus.refuse("`tokens delete` takes a name")?;
            let name = args.name.get()?;
            tokens::delete(name, &open()?, &defaults.with(&args.scope), console).await
        }
        StoreCommand::Tokens(TokensCommand::List(args)) => {
            args.surplus.refuse("`tokens list` takes --service, --as and --format")?;
            tokens::list(args, &open()?, &defaults.with(&args.scope), console).await
        }
        StoreCommand::Tokens(TokensCommand::RotateKey(args)) => {
            args.surplus.refuse("`tokens rotate-key` takes its keys from the environment")?;
            tokens::rotate_key(args, &open()?, &defaults.acting(&args.actor), console).await
        }
        StoreCommand::Tokens(TokensCommand::Audit(args)) => match &args.command {
            None => audit::export(args, &open()?, console).await,
            Some(AuditCommand::Verify(args)) => {
                args.surplus.refuse("`tokens audit verify` takes --expect and --format")?;
                audit::verify(args, &open()?, console).await
            }
            Some(AuditCommand::Expire(args)) => {
                args.surplus.refuse("`tokens audit expire` takes --older-than and --as")?;
                audit::expire(args, &open()?, &defaults.acting(&args.actor), console).await
            }
        },
        StoreCommand::Db(DbCommand::Init(args)) => {
            args.surplus.refuse("`db init` finds the database by the environment")?;
            tokens::init(args, &open()?, console).await
        }
        StoreCommand::MigrateEnv(args) => {
            let found = migrate::find(args, environment)?;
            migrate::migrate(args, found, &open()?, &defaults.with(&args.scope), console).await
        }
    }
}

impl<'a> Acting<'a> {
    /// Returns the flags' service and actor, with these as defaults.
    fn with<'b>(&'b self, scope: &'b Scope) -> Acting<'b>
    where
        'a: 'b,
    {
        Acting { service: scope.service.as_deref().unwrap_or(self.service), actor: self.acting(&scope.actor) }
    }

    /// Returns the actor for the audit log. The user can write any name, so the system's user stands beside it.
    fn acting(&self, actor: &Actor) -> Cow<'_, str> {
        match &actor.actor {
            Some(name) => Cow::Owned(format!("{name} ({})", self.actor)),
            None => Cow::Borrowed(&self.actor),
        }
    }
}
