//! Subcommands, start-up and shutdown.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use mcp_auth_middleware::cli::{self, StoreCommand};
use rmcp::ServerHandler;
use tokio::net::TcpListener;

use crate::config::{Config, Environment, Format, store};
use crate::server::{BuiltServer, Server, Service, keep_fresh};
use crate::transit::{self, TransitCommand};
use crate::{doctor, dumps, listen, logging, panics};

/// An MCP server. All settings come from the environment: see `.env.example`.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves /mcp, /health and /status (the default).
    Serve,
    /// Asks a server on this machine for /health; exit status 0 when it is well. For HEALTHCHECK in containers.
    Healthcheck,
    /// Prints the settings as this environment has them, secrets masked.
    Config {
        /// Lines of an .env file, JSON, or a table in Markdown
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        format: Format,
    },
    /// Looks for what stands between clients and this server; exit status 1 where something fails
    Doctor(doctor::Doctor),
    /// Wraps the encryption key by Transit of Vault or OpenBao (MCP_AUTH_KEY_PROVIDER=transit)
    #[command(subcommand)]
    Transit(TransitCommand),
    /// Stands in for Cloudflare Access on this machine. Not in a build for production
    #[cfg(feature = "access-emulator")]
    AccessEmulator(crate::access_emulator::Arguments),
    #[command(flatten)]
    Store(StoreCommand),
}

/// The command line. The name and the version are the server's, not those of this library.
pub(crate) fn command(service: Service) -> clap::Command {
    examples_for(Cli::command(), service.name).name(service.name).version(service.version)
}

/// The examples in the help of the token store's commands are written for a server named `my-server`.
fn examples_for(command: clap::Command, name: &str) -> clap::Command {
    let examples = command.get_after_help().map(|help| help.to_string().replace("my-server", name));
    let command = examples.into_iter().fold(command, clap::Command::after_help);
    let names: Vec<_> = command.get_subcommands().map(|each| each.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, each| command.mut_subcommand(each, |each| examples_for(each, name)))
}

/// Returns whether the words ask for the server alone, as the image does. Then the commands and their help are not built: they take
/// memory that a server never needs again.
fn is_to_serve(words: impl IntoIterator<Item = OsString>) -> bool {
    let mut words = words.into_iter().skip(1);
    words.next().is_none_or(|word| word == "serve") && words.next().is_none()
}

/// Parses the command line. It is apart from `run`, as the server would keep its part of the stack.
#[inline(never)]
fn parsed(service: Service) -> Command {
    let matches = command(service).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command(service)).exit());
    cli.command.unwrap_or(Command::Serve)
}

pub(crate) fn run<H: ServerHandler + Clone + Sync>(server: &Server<H>) -> ExitCode {
    dumps::leave_memory_out();
    let service = server.service;
    match if is_to_serve(std::env::args_os()) { Command::Serve } else { parsed(service) } {
        // They need the database only, and say themselves what is missing of that.
        Command::Store(command) => return on_store(service, command),
        Command::Config { format } => {
            print!("{}", server.export(&Environment::process(), format));
            return ExitCode::SUCCESS;
        }
        // Also where the server could not start: that is what it is for.
        Command::Doctor(command) => return doctor::run(server, &command),
        Command::Transit(command) => return transit::run(&Environment::process(), &command),
        #[cfg(feature = "access-emulator")]
        Command::AccessEmulator(arguments) => return crate::access_emulator::run(&Environment::process(), &arguments),
        Command::Healthcheck => return healthcheck(&Environment::process()),
        Command::Serve => {}
    }
    let config = match server.read(&Environment::process()) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{} cannot start:\n{problems}", service.name);
            return ExitCode::from(2);
        }
    };
    let status = serve(server, config);
    logging::flush();
    status
}

/// `tokens`, `db` and `migrate-env`.
fn on_store(service: Service, command: StoreCommand) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The runtime could not be started: {error}");
            return ExitCode::from(3);
        }
    };
    let open = |needs_key| store::open_for_command(&Environment::process(), needs_key);
    runtime.block_on(cli::main(command, service.name, open))
}

fn serve<H: ServerHandler + Clone + Sync>(server: &Server<H>, config: Config) -> ExitCode {
    logging::init(config.log_format, config.log_filter.clone());
    panics::log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("The runtime could not be started: {error}");
            return ExitCode::from(3);
        }
    };
    let status = runtime.block_on(serve_until_told(server, config));
    // Requests are finished. A look at a file or a name that the system does not answer is not waited for.
    runtime.shutdown_background();
    status
}

async fn serve_until_told<H: ServerHandler + Clone + Sync>(server: &Server<H>, config: Config) -> ExitCode {
    let Service { name, version } = server.service;
    let BuiltServer { router, admin, auth, readiness, files, telemetry, .. } = match server.build(&config) {
        Ok(built) => built,
        Err(error) => {
            tracing::error!("{name} cannot start: {error}");
            return ExitCode::from(2);
        }
    };
    let Some(listener) = bind(config.listen, "HOST, PORT").await else { return ExitCode::from(3) };
    let admin = match config.admin {
        None => None,
        Some(address) => match bind(address, "ADMIN_ADDR").await {
            Some(listener) => Some((listener, admin)),
            None => return ExitCode::from(3),
        },
    };
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    if config.policy.is_none() {
        tracing::info!("No POLICY_FILE: everybody who is let in may call every tool");
    }
    match listener.local_addr() {
        Ok(address) => {
            tracing::info!("{name} {version} listening on http://{address}/mcp, auth {}", config.auth.mode)
        }
        Err(error) => tracing::warn!("The listening address is unknown: {error}"),
    }
    let fresh = tokio::spawn(keep_fresh(auth.clone(), files));
    // It goes on until the last request is answered: who watches sees how that goes.
    let admin = admin.map(|(listener, router)| {
        if let Ok(address) = listener.local_addr() {
            tracing::info!("Metrics and probes on http://{address}");
        }
        tokio::spawn(listen::serve_admin(listener, router))
    });
    let stopping = OnceCell::new();
    let shutdown = async {
        listen::terminated().await;
        readiness.stop();
        let _ = stopping.set(Instant::now());
    };
    listen::serve(listener, router, &config.limits, shutdown).await;
    let left = config.limits.shutdown_grace.saturating_sub(stopping.get().map(Instant::elapsed).unwrap_or_default());
    telemetry.shut_down(left.clamp(LAST_EXPORT.0, LAST_EXPORT.1)).await;
    admin.inspect(tokio::task::JoinHandle::abort);
    fresh.abort();
    // What it was just writing is there again once it has ended.
    let _ = fresh.await;
    // The calls of the last second.
    if tokio::time::timeout(LAST_EXPORT.0, auth.write_calls()).await.is_err() {
        tracing::warn!("The last tool calls are in the log only: the token store did not take them in time");
    }
    tracing::info!("{name} stopped");
    ExitCode::SUCCESS
}

/// Time for the last traces and metrics, whatever is left of the grace period: container engines wait longer than that before
/// they kill the process.
const LAST_EXPORT: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));

/// A listener; where there is none, the log says why, and which variables to change.
async fn bind(address: SocketAddr, variables: &str) -> Option<TcpListener> {
    TcpListener::bind(address)
        .await
        .inspect_err(|error| tracing::error!("Cannot listen on {address} ({variables}): {error}"))
        .ok()
}

/// Reads the address alone: a secret that comes through a pipe has come to the server, and comes to nobody else.
fn healthcheck(env: &Environment) -> ExitCode {
    let probed = match Config::read_listen(env) {
        Ok(listen) => listen::probe(listen).map_err(|error| error.to_string()),
        Err(problems) => Err(problems.to_string()),
    };
    match probed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("unhealthy: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_serve_without_a_look_at_the_others() {
        let serves = |words: &[&str]| is_to_serve(words.iter().map(OsString::from));
        assert!(serves(&["my-server"]) && serves(&["my-server", "serve"]) && serves(&[]));
        for words in [&["my-server", "--help"][..], &["my-server", "serve", "--help"], &["my-server", "healthcheck"]] {
            assert!(!serves(words), "{words:?}");
        }
    }
}
