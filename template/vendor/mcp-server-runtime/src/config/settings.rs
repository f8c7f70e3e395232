//! The table of all settings. Parsing, `.env.example`, `my-server config` and the reference pages come from it.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::{Limits, Reader};
use crate::logging::DEFAULT_FILTER;

/// One setting: an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// The kind of its values.
    pub kind: SettingKind,
    /// Its value when it is not set, as one would write it; `None` where there is none.
    pub default: Option<&'static str>,
    /// The heading that it stands under.
    pub group: &'static str,
    /// Its help: one sentence, with details on further lines.
    pub help: &'static str,
}

/// The values that a setting has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingKind {
    /// Any text.
    Text,
    /// Several texts, comma-separated.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `on` or `off`.
    Switch,
    /// A whole number between these two, both included.
    Number {
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// So many seconds, both bounds included.
    Seconds {
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// An https address; http for loopback.
    Url,
    /// A secret: it also has a `…_FILE` form and is never printed.
    Secret,
    /// A secret that the server needs for an API that it calls. It is kept in the token store, and a variable only where
    /// that is the environment.
    Token {
        /// Where one gets it.
        from: &'static str,
    },
}

impl Setting {
    /// Any text.
    #[must_use]
    pub const fn text(
        name: &'static str,
        default: Option<&'static str>,
        group: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, kind: SettingKind::Text, default, group, help }
    }

    /// Several texts, comma-separated; none by default.
    #[must_use]
    pub const fn list(name: &'static str, group: &'static str, help: &'static str) -> Self {
        Self { name, kind: SettingKind::List, default: None, group, help }
    }

    /// One of these words.
    #[must_use]
    pub const fn choice(
        name: &'static str,
        words: &'static [&'static str],
        default: &'static str,
        group: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, kind: SettingKind::Choice(words), default: Some(default), group, help }
    }

    /// One of these words, or nothing, which is for the server to judge.
    const fn choice_or_none(
        name: &'static str,
        words: &'static [&'static str],
        group: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, kind: SettingKind::Choice(words), default: None, group, help }
    }

    /// `on` or `off`; the default is one of the two.
    #[must_use]
    pub const fn switch(name: &'static str, default: &'static str, group: &'static str, help: &'static str) -> Self {
        Self { name, kind: SettingKind::Switch, default: Some(default), group, help }
    }

    /// A whole number between these two. An empty default is none.
    #[must_use]
    pub const fn number(
        name: &'static str,
        (least, most): (usize, usize),
        default: &'static str,
        group: &'static str,
        help: &'static str,
    ) -> Self {
        let default = if default.is_empty() { None } else { Some(default) };
        Self { name, kind: SettingKind::Number { least, most }, default, group, help }
    }

    /// So many seconds.
    #[must_use]
    pub const fn seconds(
        name: &'static str,
        (least, most): (usize, usize),
        default: &'static str,
        group: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, kind: SettingKind::Seconds { least, most }, default: Some(default), group, help }
    }

    /// An https address; http for loopback.
    #[must_use]
    pub const fn url(
        name: &'static str,
        default: Option<&'static str>,
        group: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, kind: SettingKind::Url, default, group, help }
    }

    /// A secret of the program, which has no default.
    #[must_use]
    pub const fn secret(name: &'static str, group: &'static str, help: &'static str) -> Self {
        Self { name, kind: SettingKind::Secret, default: None, group, help }
    }

    /// The server's own token for an API that it calls; `from` is where one gets it. Tools ask for it by
    /// [`token`](crate::token).
    #[must_use]
    pub const fn token(name: &'static str, from: &'static str, group: &'static str, help: &'static str) -> Self {
        Self { name, kind: SettingKind::Token { from }, default: None, group, help }
    }

    /// Returns whether it is a secret: it then also has a `…_FILE` form and is never printed.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, SettingKind::Secret | SettingKind::Token { .. })
    }
}

const LISTEN: &str = "Where to listen";
const CALLERS: &str = "Who may call";
const TOKENS: &str = "The server's own tokens for what it calls";
const POSTGRES: &str =
    "The token store in PostgreSQL (TOKEN_STORE=postgres, and the commands tokens, db and migrate-env)";
const INFISICAL: &str = "The token store in Infisical (TOKEN_STORE=infisical)";
const VAULT: &str =
    "Vault or OpenBao: the token store (TOKEN_STORE=vault), and the keeper of the key (MCP_AUTH_KEY_PROVIDER=transit)";
const NAMES: &str = "Names under which it answers";
const LIMITS: &str = "Limits";
const LOG: &str = "Log lines";
const OTEL: &str = "OpenTelemetry: traces and metrics by OTLP, off while OTEL_EXPORTER_OTLP_ENDPOINT is empty";

/// The settings of every server, in the order of `.env.example`.
#[rustfmt::skip]
const SETTINGS: &[Setting] = &[
    Setting::text("HOST", Some("127.0.0.1"), LISTEN, "Address to listen on: 127.0.0.1 on your machine; the container image sets 0.0.0.0."),
    Setting::text("PORT", Some("8080"), LISTEN, "Port to listen on."),
    Setting::text("ADMIN_ADDR", None, LISTEN, "Address for /metrics, /livez and /readyz, such as 127.0.0.1:9090; none by default, and 0.0.0.0:9090 in the container image.
Nobody is asked for credentials there: publish it nowhere."),
    Setting::text("AUTH_MODE", Some("both"), CALLERS, "Who may call: cloudflare, oidc, bearer, both, or a list such as cloudflare,oidc.
cloudflare: people and service tokens that Cloudflare Access let through. For production.
oidc:       holders of an access token of OIDC_ISSUER, or of an issuer of OIDC_ISSUERS_FILE. For production.
bearer:     holders of MCP_DEV_BEARER_TOKEN. For development.
both:       cloudflare and bearer, of which one may be left unconfigured; a list needs each of its methods.
A request with a Cloudflare header stands or falls with that."),
    Setting::text("CF_ACCESS_TEAM_DOMAIN", None, CALLERS, "Your Zero Trust team: https://TEAM.cloudflareaccess.com, the issuer of Access tokens."),
    Setting::list("CF_ACCESS_AUD", CALLERS, "Audience (AUD) tag(s) of the Access application, comma-separated, from its page in the Zero Trust dashboard."),
    Setting::text("CF_ACCESS_CERTS_URL", None, CALLERS, "Where the team's public keys are, only to point at an emulator; plain http only on this machine.
Default: CF_ACCESS_TEAM_DOMAIN/cdn-cgi/access/certs"),
    Setting::list("CF_ACCESS_ALLOWED_SERVICE_TOKENS", CALLERS, "Access service tokens that may call, by client id, comma-separated. None by default."),
    Setting::text("OIDC_ISSUER", None, CALLERS, "The issuer of access tokens, exactly as its metadata and its tokens have it: https://login.example.com/realms/staff
Its keys are found by that metadata (RFC 8414, OpenID Connect Discovery)."),
    Setting::text("OIDC_ISSUERS_FILE", None, CALLERS, "JSON file with several issuers, each with its own audience, algorithms, scopes and claims; read at the start.
Its form is in the page of settings, behind the table."),
    Setting::list("OIDC_AUDIENCE", CALLERS, "What tokens for this server have in aud, comma-separated. Default: PUBLIC_URL with /mcp at its end."),
    Setting::text("OIDC_AUDIENCE_CLAIM", Some("aud"), CALLERS, "The claim to compare with OIDC_AUDIENCE, where access tokens have no aud: client_id for Amazon Cognito."),
    Setting::text("OIDC_ALGORITHMS", Some("RS256,ES256,EdDSA"), CALLERS, "Algorithms that tokens may be signed with, comma-separated. HMAC and none are never accepted."),
    Setting::list("OIDC_REQUIRED_SCOPES", CALLERS, "Scopes that a token must have, comma-separated; 403 insufficient_scope without them."),
    Setting::text("OIDC_EMAIL_CLAIM", Some("email"), CALLERS, "The claim with the person's address; a claim in a claim with a dot between."),
    Setting::text("OIDC_ROLES_CLAIM", Some("roles"), CALLERS, "The claim with the caller's roles or groups, such as groups or realm_access.roles."),
    Setting::text("OIDC_INTROSPECTION_CLIENT_ID", None, CALLERS, "As whom this server asks OIDC_ISSUER about tokens (RFC 7662). Without it, tokens that are no JWT are refused.
An answer counts for 30 seconds, so a token that is revoked is refused after that time at the latest."),
    Setting::secret("OIDC_INTROSPECTION_CLIENT_SECRET", CALLERS, "The secret of that client."),
    Setting::text("OIDC_INTROSPECTION_URL", None, CALLERS, "Where the issuer is asked, if not where its metadata says."),
    Setting::text("OIDC_INTROSPECT", Some("opaque"), CALLERS, "About which tokens the issuer is asked: opaque, jwt or all. Without a question, a JWT counts until it ends.
With jwt or all, a JWT that the issuer has revoked is refused after 30 seconds at the latest."),
    Setting::text("CF_ACCESS_ROLES_CLAIM", Some("custom.groups"), CALLERS, "The claim of Access tokens with the caller's groups, which Access takes over from the identity provider."),
    Setting::list("ALLOWED_EMAILS", CALLERS, "Only these people, comma-separated. Empty: whomever Access or the issuer lets in."),
    Setting::list("ALLOWED_EMAIL_DOMAINS", CALLERS, "Only people of these mail domains, comma-separated."),
    Setting::text("POLICY_FILE", None, CALLERS, "JSON file with rules for who may call which tools; without it, everybody who is let in may call all.
A change counts within two seconds. Its form is in the page of settings, behind the table."),
    Setting::seconds("MAX_TOKEN_AGE", (60, 366 * 24 * 3600), "86400", CALLERS, "Seconds after its issue that a token of Access or of an issuer is accepted, whatever it says itself.
Raise it where a session is to be longer than a day."),
    Setting::secret("MCP_DEV_BEARER_TOKEN", CALLERS, "Bearer token(s) for development, at least 16 characters, comma-separated: openssl rand -hex 32"),
    Setting::choice("TOKEN_STORE", &["env", "postgres", "infisical", "vault"], "env", TOKENS, "Where the server's own tokens are kept: env, postgres, infisical or vault.
env:       in variables of their own names. A change needs a restart; in a file, NAME_FILE, it counts within two seconds.
postgres:  in PostgreSQL, encrypted, with an audit log. A change counts within a second.
infisical: in Infisical. A change counts within half a minute.
vault:     in Vault or OpenBao. A change counts within half a minute, access that is taken away within seconds."),
    Setting::text("POSTGRES_HOST", None, POSTGRES, "Host of the token store's PostgreSQL, or the folder of its socket."),
    Setting::text("POSTGRES_PORT", Some("5432"), POSTGRES, "Its port."),
    Setting::text("POSTGRES_DB", Some("mcp_auth"), POSTGRES, "The database."),
    Setting::text("POSTGRES_USER", Some("mcp_auth"), POSTGRES, "The role: one that `db init --role` has made for servers. It may not change the audit log."),
    Setting::secret("POSTGRES_PASSWORD", POSTGRES, "The role's password."),
    Setting::choice_or_none("POSTGRES_SSLMODE", &["disable", "prefer", "require", "verify-ca", "verify-full"], POSTGRES, "TLS: disable, prefer, require, verify-ca or verify-full. Empty: verify-full, or prefer where the host is a socket or on this machine."),
    Setting::text("POSTGRES_SSLROOTCERT", None, POSTGRES, "File with certificates of authorities that count besides the public ones."),
    Setting::secret("DATABASE_URL", POSTGRES, "All of that as one URL instead: postgres://mcp_auth@db.example.com:5432/mcp_auth?sslmode=verify-full"),
    Setting::secret("MCP_AUTH_ENCRYPTION_KEY", POSTGRES, "The key that tokens are encrypted with, 32 bytes in base64 or hex: openssl rand -base64 32
Without it, no token can be read: keep a copy."),
    Setting::text("MCP_AUTH_KEY_FILE", None, POSTGRES, "File with that key instead, made with a new one where there is none. It must outlive the container."),
    Setting::secret("MCP_AUTH_PREVIOUS_KEYS", POSTGRES, "Keys that still decrypt, comma-separated, until `tokens rotate-key` has been run."),
    Setting::choice("MCP_AUTH_KEY_PROVIDER", &["local", "transit"], "local", POSTGRES, "local: these keys are the keys themselves. transit: they are wrapped by Transit of Vault (vault:v1:…), which unwraps them at the start.
`transit wrap` makes one; what it prints is no secret."),
    Setting::text("MCP_AUTH_TRANSIT_KEY", Some("mcp-auth"), POSTGRES, "Name of the key of Transit."),
    Setting::text("MCP_AUTH_TRANSIT_MOUNT", Some("transit"), POSTGRES, "Where Transit is mounted."),
    Setting::text("MCP_AUTH_DEPLOYMENT", Some("default"), POSTGRES, "Name of what shares a wrapped key, such as production: one that was wrapped under another name does not unwrap."),
    Setting::text("INFISICAL_URL", Some("https://us.infisical.com"), INFISICAL, "Where Infisical is: https://us.infisical.com, https://eu.infisical.com, or your own."),
    Setting::choice("INFISICAL_AUTH", &["universal", "kubernetes", "oidc"], "universal", INFISICAL, "How the machine identity logs in: universal (a client secret), kubernetes (the pod's service account) or oidc (an ID token in a file)."),
    Setting::text("INFISICAL_CLIENT_ID", None, INFISICAL, "universal: client id of a machine identity with Universal Auth that may read the folder."),
    Setting::secret("INFISICAL_CLIENT_SECRET", INFISICAL, "universal: a client secret of the machine identity."),
    Setting::text("INFISICAL_IDENTITY_ID", None, INFISICAL, "kubernetes, oidc: id of the machine identity."),
    Setting::text("INFISICAL_JWT_FILE", None, INFISICAL, "kubernetes, oidc: file of the token to log in with, read at each login.
Default for kubernetes: /var/run/secrets/kubernetes.io/serviceaccount/token"),
    Setting::text("INFISICAL_PROJECT_ID", None, INFISICAL, "Id of the project."),
    Setting::text("INFISICAL_ENVIRONMENT", Some("prod"), INFISICAL, "Slug of the environment."),
    Setting::text("INFISICAL_PATH", Some("/"), INFISICAL, "Folder in which each service has one of its own name."),
    Setting::text("VAULT_ADDR", None, VAULT, "Where Vault or OpenBao is, such as https://vault.example.com:8200; the active node, or what leads to it."),
    Setting::text("VAULT_NAMESPACE", None, VAULT, "The namespace that everything is in."),
    Setting::text("VAULT_CACERT", None, VAULT, "File with certificates of authorities that count besides the public ones."),
    Setting::choice("VAULT_AUTH", &["approle", "kubernetes", "jwt", "token"], "approle", VAULT, "How the server logs in: approle, kubernetes, jwt or token. What comes from a file is read at each login."),
    Setting::text("VAULT_AUTH_MOUNT", None, VAULT, "Where the method is mounted, if not under its own name."),
    Setting::text("VAULT_ROLE_ID", None, VAULT, "approle: the role id."),
    Setting::secret("VAULT_SECRET_ID", VAULT, "approle: a secret id of the role."),
    Setting::text("VAULT_ROLE", None, VAULT, "kubernetes, jwt: the role."),
    Setting::text("VAULT_JWT_FILE", None, VAULT, "kubernetes, jwt: file of the token to log in with.
Default for kubernetes: /var/run/secrets/kubernetes.io/serviceaccount/token"),
    Setting::secret("VAULT_TOKEN", VAULT, "token: the token, which the server renews; or VAULT_TOKEN_FILE, where an agent keeps it."),
    Setting::text("VAULT_MOUNT", Some("secret"), VAULT, "Where the secrets engine is mounted, which is KV version 2."),
    Setting::text("VAULT_PATH", None, VAULT, "Path in which each service has a secret of its own name, whose fields have the names of the tokens."),
    Setting::text("PUBLIC_URL", None, NAMES, "The address that clients use, such as https://mcp.example.com; by default taken from Host.
Where a proxy changes Host, or clients reach this server by http under another name than localhost. Its name is accepted as well."),
    Setting::list("ALLOWED_HOSTS", NAMES, "Public host names, comma-separated, without https://. Requests under any other get 403; loopback always works."),
    Setting::list("ALLOWED_ORIGINS", NAMES, "Origins of web pages that may call, comma-separated: https://claude.ai, chrome-extension://ID. Pages on this machine always may."),
    Setting::number("MEMORY_BUDGET", (32 * 1024 * 1024, usize::MAX / 4), "", LIMITS, "Memory for the process in bytes; by default what its container has, else 128 MiB.
The limits below have to fit into it, and one caller never takes more than a quarter of what there is for requests."),
    Setting::number("MAX_BODY_BYTES", (1024, 64 * 1024 * 1024), "1048576", LIMITS, "Size of a request's body in bytes; 413 above it."),
    // hyper's own lower bound is 8 KiB.
    Setting::number("MAX_HEADER_BYTES", (8 * 1024, 1024 * 1024), "32768", LIMITS, "Size of a request's head in bytes; 431 above it."),
    Setting::seconds("REQUEST_TIMEOUT_SECONDS", (1, 3600), "60", LIMITS, "Seconds for a body to arrive (408), for an answer to be ready (504), and for the client to take a part of it."),
    Setting::number("MAX_CONCURRENT_REQUESTS", (1, 100_000), "1024", LIMITS, "Requests to /mcp at once, a quarter of them by one caller; 503 above it."),
    Setting::number("MAX_CONNECTIONS", (1, 1_000_000), "1024", LIMITS, "Connections at once; beyond that, one without a request for a second makes room, or more wait."),
    Setting::seconds("SHUTDOWN_GRACE_SECONDS", (0, 3600), "20", LIMITS, "Seconds for requests in flight after SIGTERM."),
    Setting::choice("LOG_FORMAT", &["text", "json"], "text", LOG, "How log lines look: text or json."),
    Setting::text("RUST_LOG", Some(DEFAULT_FILTER), LOG, "Which log lines are written.
A level (error, warn, info, debug, trace), and others for parts of the program, as target=level."),
    Setting::text("OTEL_EXPORTER_OTLP_ENDPOINT", None, OTEL, "The collector, such as http://127.0.0.1:4318; /v1/traces and /v1/metrics are added to it."),
    Setting::secret("OTEL_EXPORTER_OTLP_HEADERS", OTEL, "Headers for the collector, name=value, comma-separated, with percent-encoded values."),
    Setting::choice("OTEL_EXPORTER_OTLP_PROTOCOL", &["http/protobuf"], "http/protobuf", OTEL, "The protocol; there is this one."),
    Setting::number("OTEL_EXPORTER_OTLP_TIMEOUT", (1, 600_000), "10000", OTEL, "Milliseconds for one request to the collector."),
    Setting::text("OTEL_SERVICE_NAME", None, OTEL, "The name of this service there; by default that of the server."),
    Setting::list("OTEL_RESOURCE_ATTRIBUTES", OTEL, "What else to say of this process: key=value, comma-separated, with percent-encoded values."),
    Setting::choice("OTEL_TRACES_SAMPLER", &["parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio", "always_on", "always_off", "traceidratio"], "parentbased_always_on", OTEL, "Which requests are traced; with parentbased_, the client's decision counts where there is one."),
    Setting::text("OTEL_TRACES_SAMPLER_ARG", Some("1.0"), OTEL, "The share of requests for the samplers with traceidratio, from 0 to 1."),
    Setting::choice("OTEL_TRACES_EXPORTER", &["otlp", "none"], "otlp", OTEL, "Whether traces are sent: otlp or none."),
    Setting::choice("OTEL_METRICS_EXPORTER", &["otlp", "none"], "otlp", OTEL, "Whether metrics are sent: otlp or none."),
    Setting::number("OTEL_BSP_SCHEDULE_DELAY", (1, 600_000), "5000", OTEL, "Milliseconds between two batches of spans."),
    Setting::number("OTEL_METRIC_EXPORT_INTERVAL", (1, 3_600_000), "60000", OTEL, "Milliseconds between two exports of metrics."),
    Setting::choice("OTEL_SDK_DISABLED", &["false", "true"], "false", OTEL, "true switches all of it off."),
];

/// The settings of every server and those of this one, which stand behind the last of their group, or at the end.
#[derive(Debug)]
pub(crate) struct Table(Vec<&'static Setting>, &'static [Setting]);

impl Table {
    pub(crate) fn with(own: &'static [Setting]) -> Self {
        let mut rows: Vec<_> = SETTINGS.iter().collect();
        for setting in own {
            let behind = rows.iter().rposition(|row| row.group == setting.group);
            // The server's own groups stand before the stores, behind what they are kept in.
            let behind = behind.or_else(|| rows.iter().rposition(|row| row.group == TOKENS));
            rows.insert(behind.map_or(rows.len(), |at| at + 1), setting);
        }
        Self(rows, own)
    }

    /// All rows, in the order of `.env.example`.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &'static Setting> + '_ {
        self.0.iter().copied()
    }

    /// Those of this server.
    pub(super) fn own(&self) -> &'static [Setting] {
        self.1
    }

    /// Those of this server that are tokens.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &'static Setting> + use<> {
        self.1.iter().filter(|setting| matches!(setting.kind, SettingKind::Token { .. }))
    }

    /// Least, most and default of a number.
    pub(super) fn bounds(&self, name: &str) -> (usize, usize, usize) {
        let row = self.rows().find(|row| row.name == name);
        debug_assert!(row.is_some(), "{name} is not in the table");
        let (least, most) = match row.map(|row| row.kind) {
            Some(SettingKind::Number { least, most } | SettingKind::Seconds { least, most }) => (least, most),
            _ => (0, usize::MAX),
        };
        (least, most, row.and_then(|row| row.default?.parse().ok()).unwrap_or(least))
    }
}

/// The values of a server's own settings.
#[derive(Debug, Clone)]
pub struct Settings {
    values: BTreeMap<&'static str, Value>,
    limits: Limits,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    List(Vec<String>),
    Switch(bool),
    Number(usize),
    Seconds(Duration),
    Url(Url),
    Secret(SecretString),
}

/// A setting that the table does not have, or has as another kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not set, or no {kind} of the table of settings")]
pub struct UnknownSetting {
    name: String,
    kind: &'static str,
}

/// A getter for each kind.
macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $word:literal, $result:ty, $value:ident => $shown:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        #[doc = concat!("[`UnknownSetting`] where the table has no ", $word, " of this name, or it is not set.")]
        pub fn $name(&self, name: &str) -> Result<$result, UnknownSetting> {
            match self.values.get(name) {
                Some(Value::$kind($value)) => Ok($shown),
                _ => Err(UnknownSetting { name: name.to_owned(), kind: $word }),
            }
        }
    )*};
}

impl Settings {
    getters! {
        /// The texts of a list.
        list: List, "list", &[String], value => value;
        /// Returns whether a switch is on.
        is_on: Switch, "switch", bool, value => *value;
        /// A whole number.
        number: Number, "number", usize, value => *value;
        /// A time.
        seconds: Seconds, "time", Duration, value => *value;
        /// An address without a slash at the end.
        url: Url, "address", &Url, value => value;
    }

    /// A text or one of the words of a choice, where there is one.
    ///
    /// # Errors
    /// [`UnknownSetting`] where the table has the name as another kind.
    pub fn text(&self, name: &str) -> Result<Option<&str>, UnknownSetting> {
        match self.values.get(name) {
            Some(Value::Text(text)) => Ok(Some(text)),
            None => Ok(None),
            _ => Err(UnknownSetting { name: name.to_owned(), kind: "text" }),
        }
    }

    /// A secret that is no token of the store, where there is one. It is read at the start.
    ///
    /// # Errors
    /// [`UnknownSetting`] where the table has the name as another kind.
    pub fn secret(&self, name: &str) -> Result<Option<SecretString>, UnknownSetting> {
        match self.values.get(name) {
            Some(Value::Secret(secret)) => Ok(Some(secret.clone())),
            None => Ok(None),
            _ => Err(UnknownSetting { name: name.to_owned(), kind: "secret" }),
        }
    }

    /// Returns the limits of requests. Calls that a tool makes should end before its time and fit into the memory.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl Reader<'_> {
    /// The server's own settings; tokens are in the token store.
    pub(super) fn own(&mut self, limits: &Limits) -> Settings {
        let mut values = BTreeMap::new();
        for setting in self.table.own() {
            if let Some(value) = self.value(setting) {
                values.insert(setting.name, value);
            }
        }
        Settings { values, limits: limits.clone() }
    }

    fn value(&mut self, setting: &Setting) -> Option<Value> {
        let Setting { name, default, .. } = *setting;
        let text = self.env.text(name).or_else(|| default.map(str::to_owned));
        Some(match setting.kind {
            SettingKind::Text => Value::Text(text?),
            SettingKind::List => Value::List(self.list(name)),
            SettingKind::Choice(words) => {
                let text = text?;
                if !words.contains(&text.as_str()) {
                    self.problems.add(name, format!("{text:?} is none of {}", words.join(", ")));
                }
                Value::Text(text)
            }
            SettingKind::Switch => Value::Switch(self.switch(name, default == Some("on"))),
            SettingKind::Number { .. } => Value::Number(self.number(name)),
            SettingKind::Seconds { .. } => Value::Seconds(self.seconds(name)),
            SettingKind::Url => Value::Url(self.url(name, default)?),
            SettingKind::Secret => Value::Secret(self.secret(name)?),
            SettingKind::Token { .. } => return None,
        })
    }
}
