//! Every setting, read and checked once; all problems are reported together.
//!
//! The table in `settings` and the rows of a server are the only list of names: `.env.example` and `my-server config` come from it.

mod environment;
mod export;
mod memory;
mod oidc;
mod settings;
pub(crate) mod store;
mod telemetry;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use mcp_auth_middleware::{AccessConfig, AuthMethods, AuthMode, BearerTokens, EnvTokenStore, OidcConfig, TokenStore};
use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::filter::Targets;

use crate::logging::{LogFormat, default_filter};
use crate::policy::Policy;
use crate::secret_files::{SecretFiles, Take};
use crate::server::Service;
use crate::telemetry::Telemetry;
pub use environment::{Environment, Problem, Problems};
pub use export::Format;
pub(crate) use export::export;
pub(crate) use settings::Table;
pub use settings::{Setting, SettingKind, Settings, UnknownSetting};
pub(crate) use store::StoreConfig;
pub(crate) use telemetry::TelemetryConfig;

/// Everything the server is told.
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
    /// The address that clients use, where it is not to be told from `Host`.
    pub public_url: Option<PublicUrl>,
    /// Host names (with or without a port) accepted on /mcp and /status; loopback always is.
    pub allowed_hosts: Vec<String>,
    /// Browser origins accepted, as `https://host` or `https://host:port`.
    pub allowed_origins: Vec<String>,
    /// What a request may cost.
    pub limits: Limits,
    /// Where traces and metrics go, if anywhere.
    pub(crate) telemetry: Option<TelemetryConfig>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written.
    pub log_filter: Targets,
}

/// Who may call.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Which methods are accepted.
    pub mode: AuthMode,
    /// The Cloudflare Access application, where one is configured.
    pub cloudflare: Option<AccessConfig>,
    /// The other issuers of access tokens.
    pub oidc: Vec<OidcConfig>,
    issuer_secrets: Vec<oidc::IssuerSecret>,
    /// The development Bearer token(s), where one is configured.
    pub bearer: Option<BearerTokens>,
}

/// A file with rules for who may call which tools.
#[derive(Debug, Clone)]
pub(crate) struct PolicyFile {
    pub(crate) policy: Policy,
    path: PathBuf,
    /// As it was read: no secret, but files that change are followed in that form.
    text: SecretString,
}

/// The address that clients use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Without `/mcp` and without a slash at the end: `https://mcp.example.com`.
    pub base: String,
    /// The name in it, which is accepted as a host.
    pub host: String,
}

impl PublicUrl {
    fn parse(text: &str) -> Option<Self> {
        let uri: axum::http::Uri = text.parse().ok()?;
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?.as_str().to_ascii_lowercase());
        let default_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return None,
        };
        if text.contains(['?', '#', '@', '*', '"', '\\']) || uri.host()?.is_empty() {
            return None;
        }
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
        let path = uri.path().trim_end_matches('/');
        let path = path.strip_suffix("/mcp").unwrap_or(path);
        let host = uri.host()?.to_ascii_lowercase();
        Some(Self { base: format!("{scheme}://{authority}{path}"), host })
    }
}

/// What a request may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Memory that the process may take, in bytes. All other limits have to fit into it.
    pub memory: usize,
    /// Size of a request's body in bytes; 413 above it.
    pub body_bytes: usize,
    /// Size of a request's head in bytes; 431 above it.
    pub header_bytes: usize,
    /// Time for a body to arrive (408), for the answer to be ready (504), and for the client to take a part of it.
    pub request_timeout: Duration,
    /// Requests to /mcp at once; 503 above it.
    pub concurrent_requests: usize,
    /// Connections at once; more wait until one ends.
    pub connections: usize,
    /// Time for requests in flight after SIGTERM.
    pub shutdown_grace: Duration,
}

impl Limits {
    /// The memory for requests, from when their bodies come until they are answered. A quarter of the budget goes to the
    /// heads of connections, about a third to answers of upstream APIs, and the rest to the process itself.
    #[must_use]
    pub const fn request_bytes(&self) -> usize {
        self.memory / 8
    }
}

#[cfg(test)]
impl Default for Limits {
    /// Those of a process with 128 MiB.
    fn default() -> Self {
        let (table, memory) = (Table::with(&[]), MEMORY.to_string());
        let env = Environment::from_pairs([("MEMORY_BUDGET", memory.as_str())]);
        Reader { env: &env, table: &table, problems: &mut Problems::default() }.limits()
    }
}

/// The memory that the image's container has.
const MEMORY: usize = 128 * 1024 * 1024;

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All problems at once, each with the variable's name and what to do.
    pub(crate) fn read(env: &Environment, service: Service, own: &'static [Setting]) -> Result<Self, Problems> {
        let (config, problems) = Self::examine(env, service, own);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Reads everything as far as it goes: what is wrong has its default.
    pub(crate) fn examine(env: &Environment, service: Service, own: &'static [Setting]) -> (Self, Problems) {
        let mut problems = Problems::default();
        let config = Self::collect(env, service, &Table::with(own), &mut problems);
        (config, problems)
    }

    fn collect(env: &Environment, service: Service, table: &Table, problems: &mut Problems) -> Self {
        let mut read = Reader { env, table, problems };
        let host = read.parsed("HOST", IpAddr::V4(Ipv4Addr::LOCALHOST), "an IP address such as 127.0.0.1 or 0.0.0.0");
        let port = read.parsed("PORT", 8080_u16, "a port number from 0 to 65535");
        let listen = SocketAddr::new(host, port);
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
            log_filter: read.parsed("RUST_LOG", default_filter(), "a level, or target=level pairs, comma-separated"),
        }
    }

    /// Follows the files of those secrets that may change while the server runs, for these parts of it. The encryption key is not
    /// among them: it changes in steps (see `tokens rotate-key`).
    pub(crate) fn follow_files(&self, store: &TokenStore, telemetry: &Telemetry) -> SecretFiles {
        let mut files = SecretFiles::default();
        if let Some(PolicyFile { policy, path, text }) = self.policy.clone() {
            // Rules that do not fit leave those from before in place.
            let take = move |text: SecretString| {
                policy.replace(&Policy::parse(text.expose_secret())?);
                Ok(())
            };
            files.watch("POLICY", &path, text, take);
        }
        self.auth.issuer_secrets.iter().for_each(|secret| secret.follow(&mut files));
        for (variable, path, secret) in &self.files {
            if let Some(take) = self.taker(variable, store, telemetry) {
                files.watch(variable, path, secret.clone(), take);
            }
        }
        files
    }

    /// Who takes a new value of this variable.
    fn taker(&self, variable: &'static str, store: &TokenStore, telemetry: &Telemetry) -> Option<Take> {
        if variable == "MCP_DEV_BEARER_TOKEN" {
            let tokens = self.auth.bearer.clone()?;
            return Some(Box::new(move |secret| {
                let new = BearerTokens::parse(secret.expose_secret()).map_err(|error| format!("it {error}"))?;
                tokens.replace(&new);
                Ok(())
            }));
        }
        if variable == "OIDC_INTROSPECTION_CLIENT_SECRET" {
            let asking = self.auth.oidc.iter().find_map(|issuer| issuer.introspection()).cloned()?;
            return Some(Box::new(move |secret| {
                asking.set_client_secret(secret);
                Ok(())
            }));
        }
        if variable == "OTEL_EXPORTER_OTLP_HEADERS" {
            let telemetry = telemetry.clone();
            return Some(Box::new(move |secret| {
                telemetry.set_headers(telemetry::parse_headers(&secret).map_err(|problem| format!("it {problem}"))?);
                Ok(())
            }));
        }
        match (store, &self.store) {
            (TokenStore::Env(store), _) if self.tokens.contains(&variable) => {
                let store = store.clone();
                Some(Box::new(move |secret| {
                    if !is_sendable(&secret) {
                        return Err(NOT_SENDABLE.to_owned());
                    }
                    store.set(variable, secret);
                    Ok(())
                }))
            }
            (TokenStore::Postgres(store), StoreConfig::Postgres(database, _)) => {
                database.taker(variable, store.clone())
            }
            (TokenStore::Infisical(store), _) if variable == "INFISICAL_CLIENT_SECRET" => {
                let store = store.clone();
                Some(Box::new(move |secret| {
                    store.set_client_secret(secret);
                    Ok(())
                }))
            }
            _ => None,
        }
    }

    /// The names of the server's own tokens.
    #[must_use]
    pub fn tokens(&self) -> Vec<&'static str> {
        self.tokens.clone()
    }

    /// What is allowed but probably not meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.auth.bearer.is_some() && self.auth.mode.takes_bearer() && !self.listen.ip().is_loopback() {
            warnings.push(format!(
                "A Bearer token for development is accepted on {}, which is not loopback: whoever holds it gets in. \
                 Use AUTH_MODE=cloudflare in production",
                self.listen
            ));
        }
        // With a tunnel on the same machine the address is loopback, and the server public all the same.
        let mut names = self.allowed_hosts.iter().chain(self.public_url.as_ref().map(|url| &url.host));
        if let (true, true, Some(name)) = (self.auth.bearer.is_some(), self.listen.ip().is_loopback(), names.next()) {
            warnings.push(format!(
                "A Bearer token for development is accepted under {name}, too (ALLOWED_HOSTS, PUBLIC_URL): whoever holds \
                 it gets in. Use AUTH_MODE=cloudflare in production"
            ));
        }
        let named = !self.allowed_hosts.is_empty() || self.public_url.is_some();
        let by_token = self.auth.cloudflare.is_some() || !self.auth.oidc.is_empty();
        if by_token && !named {
            warnings.push(
                "ALLOWED_HOSTS is empty: requests under a public host name get 403. Set it to the name clients use"
                    .to_owned(),
            );
        }
        // Plain http is accepted for loopback alone: no team of Cloudflare's is there.
        if self.auth.cloudflare.as_ref().is_some_and(|access| access.issuer().starts_with("http://")) {
            warnings.push(
                "CF_ACCESS_TEAM_DOMAIN is an emulator on this machine, which lets in whoever reaches it: for development only"
                    .to_owned(),
            );
        }
        if let Some(name) = self.unused_issuer {
            let mode = self.auth.mode;
            warnings.push(format!("{name} is set but not used, as AUTH_MODE is {mode}: add oidc to it"));
        }
        if self.telemetry.as_ref().is_some_and(TelemetryConfig::exposes_headers) {
            warnings.push(
                "OTEL_EXPORTER_OTLP_HEADERS go to the collector in clear text: use https, or a collector on this machine"
                    .to_owned(),
            );
        }
        warnings.extend(self.store.warning());
        warnings.extend(self.unused_tokens.iter().map(|token| {
            format!(
                "{token} is set but not used, as TOKEN_STORE is {}: take it out once `{} migrate-env` has stored it",
                self.store.as_str(),
                self.service.name
            )
        }));
        warnings
    }
}

/// Reads variables and notes what is wrong with them; what is wrong gets a default, so that reading goes on.
struct Reader<'a> {
    env: &'a Environment,
    table: &'a Table,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn parsed<T: FromStr>(&mut self, name: &'static str, default: T, expected: &str) -> T {
        match self.env.text(name) {
            None => default,
            Some(text) => text.parse().unwrap_or_else(|_| {
                self.problems.add(name, format!("{text:?} is not {expected}"));
                default
            }),
        }
    }

    /// An address of its own, as callers must not reach what is there.
    fn admin(&mut self, listen: SocketAddr) -> Option<SocketAddr> {
        let text = self.env.text("ADMIN_ADDR")?;
        let Ok(admin) = text.parse::<SocketAddr>() else {
            self.problems.add("ADMIN_ADDR", format!("{text:?} is not an address with a port such as 127.0.0.1:9090"));
            return None;
        };
        if admin.port() == listen.port() && admin.port() != 0 {
            let text = format!("has the port of PORT, {}: metrics and probes need one of their own", admin.port());
            self.problems.add("ADMIN_ADDR", text);
        }
        Some(admin)
    }

    /// What a request may cost. What is not set fits into the memory; what is set has to.
    fn limits(&mut self) -> Limits {
        let memory = self.number_or("MEMORY_BUDGET", memory::limit().unwrap_or(MEMORY));
        let header_bytes = self.number("MAX_HEADER_BYTES");
        let body_bytes = self.default_number("MAX_BODY_BYTES").min(memory / 96);
        let connections = self.default_number("MAX_CONNECTIONS").min(memory / 4 / header_bytes);
        let limits = Limits {
            memory,
            body_bytes: self.number_or("MAX_BODY_BYTES", body_bytes),
            header_bytes,
            connections: self.number_or("MAX_CONNECTIONS", connections),
            concurrent_requests: self.number("MAX_CONCURRENT_REQUESTS"),
            request_timeout: self.seconds("REQUEST_TIMEOUT_SECONDS"),
            shutdown_grace: self.seconds("SHUTDOWN_GRACE_SECONDS"),
        };
        self.fits_in_memory(&limits);
        limits
    }

    /// A number of the table, which has its bounds and its default.
    fn number(&mut self, name: &'static str) -> usize {
        self.number_or(name, self.default_number(name))
    }

    fn default_number(&self, name: &'static str) -> usize {
        self.table.bounds(name).2
    }

    /// A number of the table, whose default comes from elsewhere.
    fn number_or(&mut self, name: &'static str, default: usize) -> usize {
        let (least, most, _) = self.table.bounds(name);
        let value = self.parsed(name, default, &format!("a whole number from {least} to {most}"));
        if (least..=most).contains(&value) {
            return value;
        }
        self.problems.add(name, format!("{value} is not between {least} and {most}"));
        default
    }

    fn seconds(&mut self, name: &'static str) -> Duration {
        Duration::from_secs(self.number(name) as u64)
    }

    fn switch(&mut self, name: &'static str, default: bool) -> bool {
        match self.env.text(name).as_deref() {
            None => default,
            Some("on") => true,
            Some("off") => false,
            Some(other) => {
                self.problems.add(name, format!("{other:?} is neither on nor off"));
                default
            }
        }
    }

    /// An address of an API that a token travels to: never in clear text, except to a stub on this machine.
    fn url(&mut self, name: &'static str, default: Option<&str>) -> Option<url::Url> {
        let text = self.env.text(name).or_else(|| default.map(str::to_owned))?;
        let loopback = |url: &url::Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url::Url::parse(text.trim_end_matches('/')) {
            Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && loopback(&url)) => Some(url),
            _ => {
                self.problems.add(name, format!("{text:?} is not an https URL (http is accepted for loopback)"));
                None
            }
        }
    }

    /// A secret from `NAME` or from the file that `NAME_FILE` names.
    fn secret(&mut self, name: &'static str) -> Option<SecretString> {
        match self.env.secret(name) {
            Ok(secret) => secret,
            Err(problem) => {
                self.problems.add(name, problem);
                None
            }
        }
    }

    fn list(&self, name: &'static str) -> Vec<String> {
        let text = self.env.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
    }

    /// Host names as they stand in a `Host` header: a URL or a path is a common mistake.
    fn hosts(&mut self, name: &'static str) -> Vec<String> {
        let hosts = self.list(name);
        for host in &hosts {
            if host.contains('/') || host.contains('*') || host.contains(char::is_whitespace) {
                self.problems
                    .add(name, format!("{host:?} is not a host name such as mcp.example.com (no https://, no *)"));
            }
        }
        hosts.into_iter().map(|h| h.to_ascii_lowercase()).collect()
    }

    fn origins(&mut self, name: &'static str) -> Vec<String> {
        let origins = self.list(name);
        for origin in &origins {
            if !crate::middleware::host::is_origin(origin) {
                let text =
                    "is not an origin such as https://claude.ai or chrome-extension://ID (no path, no *, not null)";
                self.problems.add(name, format!("{origin:?} {text}"));
            }
        }
        origins.into_iter().map(|o| o.to_ascii_lowercase()).collect()
    }

    /// `https://mcp.example.com`, with or without `/mcp`; a path before it where a proxy takes that away.
    fn public_url(&mut self) -> Option<PublicUrl> {
        let text = self.env.text("PUBLIC_URL")?;
        let url = PublicUrl::parse(&text);
        if url.is_none() {
            self.problems
                .add("PUBLIC_URL", format!("{text:?} is not the address of a server: https://mcp.example.com"));
        }
        url
    }

    /// Each limit has its part of the memory.
    fn fits_in_memory(&mut self, limits: &Limits) {
        let budget = format!("MEMORY_BUDGET, which is {} bytes", limits.memory);
        let body = crate::middleware::jsonrpc::text_cost(limits.body_bytes);
        let share = limits.request_bytes() / 4;
        if body > share {
            let most = share / crate::middleware::jsonrpc::text_cost(1);
            let text = format!("{} is more than one caller's part of {budget}: at most {most}", limits.body_bytes);
            self.problems.add("MAX_BODY_BYTES", text);
        }
        let heads = limits.memory / 4;
        if limits.connections.saturating_mul(limits.header_bytes) > heads {
            let most = heads / limits.header_bytes;
            let text = format!(
                "{} connections with heads of {} bytes are more than a quarter of {budget}: at most {most}",
                limits.connections, limits.header_bytes
            );
            self.problems.add("MAX_CONNECTIONS", text);
        }
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

    fn auth(&mut self) -> Auth {
        let mode = match self.env.text("AUTH_MODE").as_deref().unwrap_or("both").parse::<AuthMode>() {
            Ok(mode) => mode,
            Err(error) => {
                self.problems.add("AUTH_MODE", error.to_string());
                AuthMode::Both
            }
        };
        let before = self.problems.len();
        let cloudflare = if mode.takes_cloudflare() { self.cloudflare() } else { None };
        let (oidc, issuer_secrets) = if mode.takes_oidc() { self.oidc() } else { Default::default() };
        let bearer = if mode.takes_bearer() { self.bearer() } else { None };
        if self.problems.len() == before {
            let configured =
                AuthMethods { cloudflare: cloudflare.is_some(), oidc: !oidc.is_empty(), bearer: bearer.is_some() };
            self.require_methods(mode, configured);
        }
        Auth { mode, cloudflare, oidc, issuer_secrets, bearer }
    }

    fn policy(&mut self) -> Option<PolicyFile> {
        let path = PathBuf::from(self.env.text("POLICY_FILE")?);
        let read = crate::secret_files::read(&path);
        let parsed = read.and_then(|text| Ok((Policy::parse(text.expose_secret())?, text)));
        match parsed {
            Ok((policy, text)) => Some(PolicyFile { policy, path, text }),
            Err(problem) => {
                self.problems.add("POLICY_FILE", format!("the file {}: {problem}", path.display()));
                None
            }
        }
    }

    fn require_methods(&mut self, mode: AuthMode, configured: AuthMethods) {
        let mut missing = mode.methods();
        if mode == AuthMode::Both {
            if configured.cloudflare || configured.bearer {
                return;
            }
            self.problems.add("AUTH_MODE", "is both, but neither method is configured; set up at least one:");
        } else {
            missing.cloudflare &= !configured.cloudflare;
            missing.oidc &= !configured.oidc;
            missing.bearer &= !configured.bearer;
        }
        if missing.cloudflare {
            let team = "is missing: https://TEAM.cloudflareaccess.com, the team of your Cloudflare Zero Trust account";
            self.problems.add("CF_ACCESS_TEAM_DOMAIN", team);
            let audience =
                "is missing: the AUD tag of the Access application, under Configure > Additional settings of it";
            self.problems.add("CF_ACCESS_AUD", audience);
        }
        if missing.oidc {
            let issuer = "is missing: the issuer of the access tokens, such as https://login.example.com/realms/staff; \
                          or OIDC_ISSUERS_FILE, for several";
            self.problems.add("OIDC_ISSUER", issuer);
        }
        if missing.bearer {
            self.problems.add("MCP_DEV_BEARER_TOKEN", "is missing: make one with `openssl rand -hex 32`");
        }
    }

    /// The Access application: team domain and audience together, or not at all.
    fn cloudflare(&mut self) -> Option<AccessConfig> {
        let team = self.env.text("CF_ACCESS_TEAM_DOMAIN");
        let audiences = self.list("CF_ACCESS_AUD");
        let team = match (team, audiences.is_empty()) {
            (None, true) => return None,
            (None, false) => {
                self.problems.add("CF_ACCESS_TEAM_DOMAIN", "is missing, but CF_ACCESS_AUD is set");
                return None;
            }
            (Some(_), true) => {
                self.problems.add("CF_ACCESS_AUD", "is missing, but CF_ACCESS_TEAM_DOMAIN is set");
                return None;
            }
            (Some(team), false) => team,
        };
        let mut access = match AccessConfig::new(&team, audiences) {
            Ok(access) => access,
            Err(error) => {
                self.problems.add("CF_ACCESS_TEAM_DOMAIN", error.to_string());
                return None;
            }
        };
        if let Some(url) = self.env.text("CF_ACCESS_CERTS_URL") {
            access = match access.with_certs_url(&url) {
                Ok(access) => access,
                Err(error) => {
                    self.problems.add("CF_ACCESS_CERTS_URL", error.to_string());
                    return None;
                }
            };
        }
        let max_token_age = self.seconds("MAX_TOKEN_AGE");
        Some(
            access
                .with_max_token_age(max_token_age)
                .with_roles_claim(self.env.text("CF_ACCESS_ROLES_CLAIM").unwrap_or_else(|| "custom.groups".to_owned()))
                .with_allowed_service_tokens(self.list("CF_ACCESS_ALLOWED_SERVICE_TOKENS"))
                .with_allowed_emails(self.list("ALLOWED_EMAILS"))
                .with_allowed_domains(self.list("ALLOWED_EMAIL_DOMAINS")),
        )
    }

    fn bearer(&mut self) -> Option<BearerTokens> {
        let secret = self.secret("MCP_DEV_BEARER_TOKEN")?;
        match BearerTokens::parse(secret.expose_secret()) {
            Ok(tokens) => Some(tokens),
            Err(error) => {
                self.problems.add("MCP_DEV_BEARER_TOKEN", error.to_string());
                None
            }
        }
    }

    /// The files that secrets came from. What is wrong with them is told where they are read.
    fn files(&self) -> Vec<(&'static str, PathBuf, SecretString)> {
        let file = |name| Some((name, self.env.file(name)?, self.env.secret(name).ok()??));
        // Encryption keys are read once, and their text is not kept.
        let kept = |name: &str| !name.starts_with("MCP_AUTH_");
        self.table.rows().filter(|row| row.is_secret() && kept(row.name)).filter_map(|row| file(row.name)).collect()
    }

    /// The tokens that are kept in variables of their own name.
    fn env_tokens(&mut self) -> EnvTokenStore {
        let mut store = EnvTokenStore::default();
        for Setting { name, kind, .. } in self.table.tokens() {
            let SettingKind::Token { from } = kind else { continue };
            let before = self.problems.len();
            let token = self.secret(name).unwrap_or_default();
            let text = token.expose_secret();
            if text.is_empty() {
                if self.problems.len() == before {
                    self.problems.add(name, format!("is missing. Get one from {from}"));
                }
            } else if !is_sendable(&token) {
                self.problems.add(name, NOT_SENDABLE);
            }
            store = store.with_token(*name, token);
        }
        store
    }
}

const NOT_SENDABLE: &str = "holds a character that cannot be sent in a header; copy it again";

fn is_sendable(token: &SecretString) -> bool {
    token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
