//! Cloudflare Access on a developer's machine: the edge in front of the server, the team's keys, and its login.
//!
//! A reverse proxy to the server's loopback port. It reads the settings that the server has, and stands in for the team that they
//! name: `CF_ACCESS_TEAM_DOMAIN` is its own address. What comes in is a request as Cloudflare's edge gets it; what goes out to the
//! server is one with `Cf-Access-Jwt-Assertion`, signed with a key that it publishes. Faults are at `/cdn-cgi/access/emulator`.
//!
//! It lets anybody in under any address, so it must never answer anybody but this machine: `settings` has the rules. It is behind the
//! feature `access-emulator`, which no image for production is built with.
//!
//! Shapes are those of Cloudflare's documentation and of answers that users have published; where neither says anything, the answer
//! is the shortest that the standard allows.

mod clients;
mod edge;
mod faults;
mod oauth;
mod pages;
mod settings;
mod team;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;

use crate::config::Environment;
use settings::Settings;
use team::Team;

/// The options of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen instead of at CF_ACCESS_TEAM_DOMAIN: 0.0.0.0:PORT in a container whose port is published on loopback
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// The program: serves until a signal ends it. The exit status is 2 when it refuses to run, 3 when the system fails.
pub(crate) fn run(environment: &Environment, arguments: &Arguments) -> ExitCode {
    let settings = match Settings::read(environment, arguments.listen, settings::Place::here()) {
        Ok(settings) => settings,
        Err(refusal) => {
            eprintln!("The Access emulator cannot start: {refusal}");
            return ExitCode::from(2);
        }
    };
    let served = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(serve(settings)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The Access emulator cannot go on: {error}");
            ExitCode::from(3)
        }
    }
}

async fn serve(settings: Settings) -> std::io::Result<()> {
    let listener = TcpListener::bind(settings.listen).await?;
    eprintln!("Access emulator: {} stands before {}", settings.team_domain, settings.server);
    eprintln!("Access emulator: service tokens and faults at {}{}", settings.team_domain, pages::PANEL);
    let team = Team::new(settings).map_err(std::io::Error::other)?;
    axum::serve(listener, router(Arc::new(team))).with_graceful_shutdown(crate::listen::terminated()).await
}

/// Everything below `/cdn-cgi/access/` and the metadata are Cloudflare's; any other path is the server's, behind the edge.
fn router(team: Arc<Team>) -> Router {
    Router::new()
        .route("/cdn-cgi/access/certs", get(team::certs))
        .route("/cdn-cgi/access/login/{host}", get(pages::login).post(edge::log_in))
        .route("/cdn-cgi/access/logout", get(edge::log_out))
        .route(pages::PANEL, get(pages::panel).post(faults::change))
        .route("/cdn-cgi/access/oauth/registration", post(clients::register))
        .route("/cdn-cgi/access/oauth/authorization", get(oauth::ask).post(oauth::authorize))
        .route("/cdn-cgi/access/oauth/token", post(oauth::token))
        .route("/cdn-cgi/access/oauth/revoke", post(oauth::revoke))
        .route("/.well-known/oauth-authorization-server", get(oauth::server_metadata))
        .route("/.well-known/oauth-authorization-server/{*path}", get(oauth::server_metadata))
        .route("/.well-known/oauth-protected-resource", get(oauth::resource_metadata))
        .route("/.well-known/oauth-protected-resource/{*path}", get(oauth::resource_metadata))
        .route("/.well-known/cloudflare-access-protected-resource", get(oauth::resource_metadata))
        .route("/.well-known/cloudflare-access-protected-resource/", get(oauth::resource_metadata))
        .route("/.well-known/cloudflare-access-protected-resource/{*path}", get(oauth::resource_metadata))
        .fallback(any(edge::pass))
        .layer(axum::middleware::from_fn(edge::this_machine_only))
        .with_state(team)
}
