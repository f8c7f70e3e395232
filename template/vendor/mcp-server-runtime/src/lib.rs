//! Everything around the tools of an MCP server.
//!
//! A server says what it is made of, as a [`Server`]; [`run`] does the rest: command line, settings, listener, limits,
//! host and origin guard, authentication, JSON-RPC envelope, request ids, log lines, `/health`, `/status`, metadata of the
//! protected resource, metrics and probes on a listener of their own, and a shutdown that finishes what is in flight. A
//! whole server:
//!
//! ```no_run
//! use mcp_server_runtime::axum::http::request::Parts;
//! use mcp_server_runtime::{Handlers, Server, Setting, caller, run};
//! use rmcp::handler::server::router::tool::ToolRouter;
//! use rmcp::handler::server::tool::Extension;
//! use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
//! use rmcp::{ServerHandler, tool, tool_handler, tool_router};
//!
//! const SETTINGS: &[Setting] = &[Setting::text("GREETING", Some("Hello"), "Greeting", "What callers are greeted with.")];
//!
//! #[derive(Clone)]
//! struct Tools {
//!     greeting: String,
//!     router: ToolRouter<Self>,
//! }
//!
//! #[tool_router]
//! impl Tools {
//!     #[tool(description = "Greets the caller.")]
//!     async fn greet(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
//!         Ok(format!("{}, {}", self.greeting, caller(&parts)?.email))
//!     }
//! }
//!
//! #[tool_handler(router = self.router)]
//! impl ServerHandler for Tools {
//!     fn get_info(&self) -> ServerConfig {
//!         ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
//!             .with_server_info(Implementation::new("greeter", "1.0.0"))
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     run(Server::new("greeter", "1.0.0", |settings| {
//!         let greeting = settings.text("GREETING")?.unwrap_or_default().to_owned();
//!         Ok(Handlers::new(Tools { greeting, router: Tools::tool_router() }))
//!     })
//!     .with_settings(SETTINGS))
//! }
//! ```
//!
//! An application that is an axum router already takes [`router`] instead of [`run`]:
//!
//! ```
//! # use mcp_server_runtime::axum::Router;
//! # use mcp_server_runtime::{RouterError, Server};
//! /// To be called inside of a tokio runtime.
//! fn application<H: rmcp::ServerHandler + Clone + Sync>(server: &Server<H>) -> Result<Router, RouterError> {
//!     Ok(Router::new().merge(mcp_server_runtime::router(server)?))
//! }
//! ```
//!
//! A request's way: `listen` accepts the connection → `router` routes it → `middleware::host` refuses names and origins
//! that are not ours → the authentication establishes who is calling → `middleware::limits` finds it a place →
//! `middleware::gatekeeper` reads the body and answers what is no JSON-RPC → rmcp speaks MCP → the server's own handler.

#[cfg(feature = "access-emulator")]
mod access_emulator;
mod admin;
pub mod answers;
pub mod api;
pub mod arguments;
mod command;
mod config;
mod doctor;
mod dumps;
mod exposition;
mod handlers;
mod hangup;
mod listen;
mod logging;
mod metrics;
mod middleware;
pub mod operations;
pub mod pace;
mod panics;
mod policy;
mod probe;
mod process;
mod readiness;
mod request_id;
mod router;
mod secret_files;
mod server;
mod telemetry;
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
mod tool_calls;
mod transit;

use std::process::ExitCode;
use std::sync::Arc;

/// The version of the template that this library came with, as `mcp-kit update` counts it. `/status` has it, and `mcp-kit catalog
/// verify` compares it with the catalog. An owner edits nothing in here, so it is what the last update has brought.
pub(crate) const TEMPLATE_VERSION: &str = "0.2.0";

pub use axum;
use axum::http::request::Parts;
pub use config::{
    Auth, Config, Environment, Format, Limits, Problem, Problems, PublicUrl, Setting, SettingKind, Settings,
    UnknownSetting,
};
pub use hangup::Hangup;
use mcp_auth_middleware::{ServiceToken, ServiceTokens, User};
pub use metrics::Metrics;
pub use probe::Probe;
pub use reqwest;
use rmcp::ServerHandler;
use router::RequestServices;
pub use server::{BuildError, BuiltServer, Handlers, Server, StartError};
pub use telemetry::UpstreamSpan;
pub use tool_calls::{ToolCall, ToolRefused, tool_call};

/// Why there is no router.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RouterError {
    /// The environment.
    #[error("the environment is not a configuration:\n{0}")]
    Settings(#[from] Problems),
    /// A part of the server.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// The program: reads the command line and the environment, and serves until a signal ends it. The exit status is 0 after
/// an orderly shutdown, 2 when the settings are wrong, 3 when the system fails.
pub fn run<H: ServerHandler + Clone + Sync>(server: Server<H>) -> ExitCode {
    command::run(&server)
}

/// The routes of the server, by the settings of this process's environment: for an axum application of one's own, which
/// then has connections, their limits and the shutdown in its own hands. The keys of the authentication and the tokens
/// are kept fresh by a task of the runtime.
///
/// # Errors
/// [`RouterError`] with everything that is wrong with the settings.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn router<H: ServerHandler + Clone + Sync>(server: &Server<H>) -> Result<axum::Router, RouterError> {
    let BuiltServer { router, auth, files, .. } = server.build(&server.read(&Environment::process())?)?;
    tokio::spawn(server::keep_fresh(auth, files));
    Ok(router)
}

/// The caller that the authentication established.
///
/// # Errors
/// A sentence for the model, where the request did not come through the authentication.
pub fn caller(parts: &Parts) -> Result<&User, String> {
    parts.extensions.get().ok_or_else(|| "the request was not authenticated".to_owned())
}

/// The server's own token of this name, from the token store: the credential for an API that a tool calls. The name is
/// that of a row of [`Setting::token`].
///
/// # Errors
/// A sentence for the model, where the token is not stored or the store does not answer.
pub async fn token(parts: &Parts, name: &str) -> Result<ServiceToken, String> {
    let tokens: &ServiceTokens =
        parts.extensions.get().ok_or_else(|| "the request was not authenticated".to_owned())?;
    tokens.get(name).await.map_err(|error| {
        format!("the server has no {name} ({error}). This is a matter for the operator of this server, not for you")
    })
}

/// The client of an upstream API, given to the server by [`Handlers::with_upstream`].
///
/// # Errors
/// A sentence for the model, where the server was given no client of this type.
pub fn upstream<C: Send + Sync + 'static>(parts: &Parts) -> Result<&C, String> {
    let client = RequestServices::find(&parts.extensions).and_then(RequestServices::upstream);
    client.ok_or_else(|| {
        let name = std::any::type_name::<C>();
        format!("the server was put together without {name}. This is a matter for its developer, not for you")
    })
}

/// The id of the request that this task is working on, as its log lines and its answer have it.
#[must_use]
pub fn request_id() -> Option<String> {
    request_id::current().and_then(|id| id.to_str().map(str::to_owned).ok())
}

/// Logs each panic as one line from now on, without its message, in place of Rust's own lines on standard error. [`run`]
/// does so itself.
pub fn log_panics() {
    panics::log();
}

/// The command line of a server, for completions and for checks of documents that name its commands.
#[must_use]
pub fn command_line(name: &'static str, version: &'static str) -> clap::Command {
    command::command(server::Service { name, version })
}

/// The counters of the server, for a tool to count what fails behind it.
#[must_use]
pub fn metrics(parts: &Parts) -> Option<Arc<Metrics>> {
    RequestServices::find(&parts.extensions).map(|given| Arc::clone(given.metrics()))
}

/// Tells when the client of a request is gone.
#[must_use]
pub fn hangup(parts: &Parts) -> Option<Hangup> {
    parts.extensions.get().cloned()
}
