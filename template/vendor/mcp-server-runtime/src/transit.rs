//! The commands `transit wrap` and `transit rewrap`: keys for PostgreSQL as Transit of Vault wraps them.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use clap::Subcommand;
use mcp_auth_middleware::{TransitError, TransitKeyProvider, WrappedKey};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::config::{Environment, store};

/// `transit`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum TransitCommand {
    /// Makes a key and prints it wrapped, for MCP_AUTH_ENCRYPTION_KEY or MCP_AUTH_KEY_FILE
    ///
    /// What is printed is no secret: it unwraps for whom Vault lets in, and for MCP_AUTH_DEPLOYMENT.
    Wrap {
        /// Wrap the key on standard input, which servers have so far, instead of a new one: tokens stay readable
        #[arg(long)]
        stdin: bool,
    },
    /// Prints the key of these settings, wrapped by the latest version of its Transit key
    ///
    /// After a rotation in Transit, and before min_decryption_version is raised. The key itself stays the same.
    Rewrap,
}

/// A key on standard input is no longer.
const LONGEST: u64 = 1024;

/// The exit status is 0 where a key was printed, 2 where the settings or the input are wrong, 3 where Transit does not do it.
pub(crate) fn run(env: &Environment, command: &TransitCommand) -> ExitCode {
    let opened = store::transit_for_command(env, matches!(command, TransitCommand::Rewrap));
    let (provider, active) = match opened {
        Ok(opened) => opened,
        Err(error) => return fail(2, &error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(3, &format!("The runtime could not be started: {error}")),
    };
    let given = match command {
        TransitCommand::Wrap { stdin: true } => match key_on_stdin() {
            Ok(key) => Some(key),
            Err(problem) => return fail(2, &problem),
        },
        _ => None,
    };
    match runtime.block_on(carry_out(&provider, active, given)) {
        Ok(WrappedKey { text, id }) => {
            println!("{text}");
            let version = TransitKeyProvider::version_of(&text).unwrap_or_default();
            eprintln!("key {id}, wrapped by version {version} of its Transit key");
            ExitCode::SUCCESS
        }
        Err(error @ TransitError::Key(_)) => fail(2, &error),
        Err(error) => fail(3, &error),
    }
}

async fn carry_out(
    provider: &TransitKeyProvider,
    active: Option<String>,
    given: Option<SecretString>,
) -> Result<WrappedKey, TransitError> {
    match (active, given) {
        (Some(wrapped), _) => provider.rewrap_key(&wrapped).await,
        (None, Some(key)) => provider.wrap_key(&key).await,
        (None, None) => provider.wrap_new_key().await,
    }
}

fn key_on_stdin() -> Result<SecretString, String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(
            "The key comes from a file or a pipe, as a terminal would show it: transit wrap --stdin <FILE".into()
        );
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize));
    stdin.lock().take(LONGEST).read_to_string(&mut text).map_err(|error| format!("The key cannot be read: {error}"))?;
    Ok(text.trim().into())
}

fn fail(status: u8, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(status)
}
