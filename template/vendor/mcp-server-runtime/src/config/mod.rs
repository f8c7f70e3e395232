//! Every setting, read and checked once; all problems are reported together.
//!
//! The table in `settings` and the rows of a server are the only list of names: `.env.example` and `my-server config` come from it.

mod callers;
mod environment;
mod export;
mod files;
mod limits;
mod listen;
mod memory;
mod oidc;
mod policy_file;
mod public_url;
mod reader;
mod settings;
pub(crate) mod store;
mod telemetry;
mod warnings;

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::logging::{LogFormat, default_filter};
use crate::server::Service;
pub use callers::Auth;
pub use environment::{Environment, Problem, Problems};
pub use export::Format;
pub(crate) use export::export;
pub use limits::Limits;
pub(crate) use policy_file::PolicyFile;
pub use public_url::PublicUrl;
use reader::Reader;
pub(crate) use settings::Table;
pub use settings::{Setting, SettingKind, Settings, UnknownSetting};
pub(crate) use store::StoreConfig;
pub(crate) use telemetry::TelemetryConfig;

/// All settings of the server.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) service: Service,
    /// The server's own settings.
    pub settings: Settings,
    /// The names of the server's own tokens.
    tokens: Vec<&'static str>,
    /// Those that are in the environment though the store is another one.
    unused_tokens: Vec<&'static str>,
    /// A setting of an issuer that is set though the mode does not look at its tokens.
    unused_issuer: Option<&'static str>,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Where metrics and probes are, if anywhere.
    pub admin: Option<SocketAddr>,
    /// Who may call.
    pub auth: Auth,
    /// Who may call which tools, and where that comes from.
    pub(crate) policy: Option<PolicyFile>,
    /// Where the server's own tokens are kept.
    pub(crate) store: StoreConfig,
    /// The files that secrets came from, by variable.
    files: Vec<(&'static str, PathBuf, SecretString)>,
    /// The address that clients use, where `Host` does not say it.
    pub public_url: Option<PublicUrl>,
    /// Host names (with or without a port) accepted on /mcp and /status; loopback always is.
    pub allowed_hosts: Vec<String>,
    /// Browser origins accepted, as `https://host` or `https://host:port`.
    pub allowed_origins: Vec<String>,
    /// The limits of requests.
    pub limits: Limits,
    /// Where traces and metrics go, if anywhere.
    pub(crate) telemetry: Option<TelemetryConfig>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written.
    pub log_filter: Targets,
}

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All problems at once, each with the variable's name and what to do.
    pub(crate) fn read(env: &Environment, service: Service, own: &'static [Setting]) -> Result<Self, Problems> {
        let (config, problems) = Self::examine(env, service, own);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Reads where the server listens, and nothing else.
    ///
    /// # Errors
    /// As of [`Self::read`].
    pub(crate) fn read_listen(env: &Environment) -> Result<SocketAddr, Problems> {
        let mut problems = Problems::default();
        let listen = Reader { env, table: &Table::with(&[]), problems: &mut problems }.listen();
        if problems.is_empty() { Ok(listen) } else { Err(problems) }
    }

    /// Reads everything as far as it goes: what is wrong has its default.
    pub(crate) fn examine(env: &Environment, service: Service, own: &'static [Setting]) -> (Self, Problems) {
        let mut problems = Problems::default();
        let config = Self::collect(env, service, &Table::with(own), &mut problems);
        (config, problems)
    }

    fn collect(env: &Environment, service: Service, table: &Table, problems: &mut Problems) -> Self {
        let mut read = Reader { env, table, problems };
        let listen = read.listen();
        let admin = read.admin(listen);
        let limits = read.limits();
        let store = read.token_store();
        let files = read.files();
        let tokens: Vec<_> = table.tokens().map(|token| token.name).collect();
        let unused = |name: &&'static str| !matches!(store, StoreConfig::Env(_)) && env.text(name).is_some();
        Self {
            service,
            settings: read.own(&limits),
            unused_issuer: read.unused_issuer(),
            unused_tokens: tokens.iter().copied().filter(unused).collect(),
            tokens,
            listen,
            admin,
            auth: read.auth(),
            policy: read.policy(),
            store,
            files,
            public_url: read.public_url(),
            allowed_hosts: read.hosts("ALLOWED_HOSTS"),
            allowed_origins: read.origins("ALLOWED_ORIGINS"),
            limits,
            telemetry: read.telemetry(service),
            log_format: read.log_format(),
            log_filter: read.log_filter(),
        }
    }

    /// The names of the server's own tokens.
    #[must_use]
    pub fn tokens(&self) -> Vec<&'static str> {
        self.tokens.clone()
    }
}

impl Reader<'_> {
    /// A word alone is a level here. To the parser it may be a part of the program as well, so that a level with a slip of the pen
    /// would silence the log from its first line on.
    fn log_filter(&mut self) -> Targets {
        const EXPECTED: &str = "a level, or target=level pairs, comma-separated";
        let text = self.env.text("RUST_LOG").unwrap_or_default();
        let is_known = |part: &str| part.is_empty() || part.contains('=') || part.parse::<LevelFilter>().is_ok();
        if let Some(word) = text.split(',').map(str::trim).find(|part| !is_known(part)) {
            self.problems
                .add("RUST_LOG", format!("{word:?} is no level (error, warn, info, debug, trace, off): {EXPECTED}"));
            return default_filter();
        }
        self.parsed("RUST_LOG", default_filter(), EXPECTED)
    }

    fn log_format(&mut self) -> LogFormat {
        match self.env.text("LOG_FORMAT").as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                self.problems.add("LOG_FORMAT", format!("{other:?} is neither text nor json"));
                LogFormat::Text
            }
        }
    }
}

#[cfg(test)]
mod tests;
