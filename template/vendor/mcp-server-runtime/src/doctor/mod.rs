//! The command `doctor`: what stands between clients and this server, for the person on call. One file a check.
//!
//! In go the settings of this environment and what the network answers; out go lines, each with what to do. It changes
//! nothing, anywhere: no key file is made, no row written but those that the audit log has of every token that is read.
//! No line holds a secret, or a token of a caller.

mod access;
mod certificate;
mod clock;
mod database;
mod edge;
mod http;
mod issuer;
mod key_server;
mod metadata;
mod report;
mod runbook;
mod settings;
mod token;
mod upstreams;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use mcp_auth_middleware::TokenStore;
use rmcp::ServerHandler;

use crate::config::{Config, Environment, Problems};
use crate::server::Server;
use report::Report;

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Doctor {
    /// Text, or JSON
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Look at this address as a client does, too: https://HOST/mcp
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Take apart the caller's token on standard input: --token -
    #[arg(long, value_name = "-")]
    token: Option<String>,
    /// Take apart the caller's token in this file; with --url, ask for entry with it, too
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
}

/// How the report looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Prints the report. The exit status is 0 where nothing failed, 1 where something did, 2 for a wrong command line.
pub(crate) fn run<H: ServerHandler + Clone + Sync>(server: &Server<H>, doctor: &Doctor) -> ExitCode {
    // Where somebody gives the token itself, it is not repeated.
    if doctor.token.as_deref().is_some_and(|token| token != "-") {
        eprintln!(
            "The token comes from standard input, never from the command line, where others can read it: --token -"
        );
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The runtime could not be started: {error}");
            return ExitCode::from(3);
        }
    };
    let report = runtime.block_on(examine(server, doctor));
    let text = match doctor.format {
        Format::Text => report.text(),
        Format::Json => report.json(),
    };
    // A reader that leaves early has seen what it wanted.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn examine<H: ServerHandler + Clone + Sync>(server: &Server<H>, doctor: &Doctor) -> Report {
    let mut report = Report::default();
    let (config, problems) = server.examine(&Environment::process());
    settings::check(&mut report, &config, &problems);
    let mut known = token::Known::default();
    if let Some(access) = &config.auth.cloudflare {
        access::check(&mut report, access);
        known.team = key_server::check(&mut report, access).await;
    }
    for issuer in &config.auth.oidc {
        known.issuers.push(issuer::check(&mut report, issuer).await);
    }
    let token = match doctor.token.is_some() || doctor.token_file.is_some() {
        true => token::read(&mut report, doctor.token_file.as_deref()),
        false => None,
    };
    if let Some(token) = &token {
        token::check(&mut report, &config, &known, token).await;
    }
    let store = store(&mut report, &config, &problems);
    if let Some(store) = &store {
        database::check(&mut report, store, &config).await;
    }
    upstreams::check(&mut report, server, &config, store.as_ref()).await;
    if let Some(url) = &doctor.url {
        edge::check(&mut report, url, &config).await;
        if let Some(token) = &token {
            edge::enter(&mut report, url, token).await;
        }
    }
    report
}

/// The token store, where the settings are good enough to open it.
fn store(report: &mut Report, config: &Config, problems: &Problems) -> Option<TokenStore> {
    const STORES: [&str; 6] = ["TOKEN_STORE", "POSTGRES_", "DATABASE_URL", "MCP_AUTH_", "INFISICAL_", "VAULT_"];
    if problems.iter().any(|problem| STORES.iter().any(|begin| problem.variable.starts_with(begin))) {
        report.warn("token store", "not looked at", "Correct its settings first.", runbook::SETTINGS);
        return None;
    }
    if let Some(path) = config.store.missing_key_file() {
        let message = format!("there is no encryption key: {} does not exist (MCP_AUTH_KEY_FILE)", path.display());
        let advice =
            "At its first start a server makes one. If tokens are stored already, put the old key back instead.";
        report.fail("encryption key", message, advice, runbook::KEY);
        return None;
    }
    match config.store.open() {
        Ok(store) => Some(store),
        Err(error) => {
            let runbook = if config.store.as_str() == "postgres" { runbook::KEY } else { runbook::TOKENS };
            report.fail("token store", error.to_string(), "The server does not start like this.", runbook);
            None
        }
    }
}
