//! Subcommands, start-up and shutdown.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mcp_auth_middleware::cli::{self, StoreCommand};
use mcp_server::config::{Config, Environment, store};
use mcp_server::{SERVICE, VERSION, build, keep_fresh, listen, logging, panics};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An MCP server. All settings come from the environment: see `.env.example`.
#[derive(Parser)]
#[command(version, about)]
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
    #[command(flatten)]
    Store(StoreCommand),
}

fn main() -> ExitCode {
    let command = match Cli::parse().command.unwrap_or(Command::Serve) {
        // They need the database only, and say themselves what is missing of that.
        Command::Store(command) => return on_store(command),
        other => other,
    };
    let config = match Config::read(&Environment::process()) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{SERVICE} cannot start:\n{problems}");
            return ExitCode::from(2);
        }
    };
    match command {
        Command::Healthcheck => healthcheck(&config),
        Command::Serve | Command::Store(_) => {
            let status = serve(config);
            logging::flush();
            status
        }
    }
}

/// `tokens`, `db` and `migrate-env`.
fn on_store(command: StoreCommand) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The runtime could not be started: {error}");
            return ExitCode::from(3);
        }
    };
    let open = |needs_key| store::open_for_command(&Environment::process(), needs_key);
    runtime.block_on(cli::main(command, SERVICE, open))
}

fn serve(config: Config) -> ExitCode {
    logging::init(config.log_format, config.log_filter.clone());
    panics::log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("The runtime could not be started: {error}");
            return ExitCode::from(3);
        }
    };
    runtime.block_on(run(config))
}

async fn run(config: Config) -> ExitCode {
    let (router, auth) = match build(&config) {
        Ok(built) => built,
        Err(error) => {
            tracing::error!("{SERVICE} cannot start: {error}");
            return ExitCode::from(2);
        }
    };
    let listener = match tokio::net::TcpListener::bind(config.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("Cannot listen on {} (HOST, PORT): {error}", config.listen);
            return ExitCode::from(3);
        }
    };
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    match listener.local_addr() {
        Ok(address) => {
            tracing::info!("{SERVICE} {VERSION} listening on http://{address}/mcp, auth {}", config.auth.mode)
        }
        Err(error) => tracing::warn!("The listening address is unknown: {error}"),
    }
    let fresh = tokio::spawn(keep_fresh(auth));
    listen::serve(listener, router, &config.limits, listen::terminated()).await;
    fresh.abort();
    tracing::info!("{SERVICE} stopped");
    ExitCode::SUCCESS
}

fn healthcheck(config: &Config) -> ExitCode {
    match listen::probe(config.listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("unhealthy: {error}");
            ExitCode::FAILURE
        }
    }
}
