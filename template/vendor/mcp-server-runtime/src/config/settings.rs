//! The names, defaults and meanings of all environment variables.

use crate::logging::DEFAULT_FILTER;

/// One environment variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value when it is not set, as one would write it; `None` where there is none.
    pub default: Option<&'static str>,
    /// Whether it is a secret: it then also has a `…_FILE` form and is never printed.
    pub secret: bool,
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

const fn plain(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Variable {
    Variable { name, default, secret: false, meaning }
}

const fn secret(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default: None, secret: true, meaning }
}

/// All of them, in the order of `.env.example`.
pub const VARIABLES: &[Variable] = &[
    plain("HOST", Some("127.0.0.1"), "Address to listen on; 0.0.0.0 in a container."),
    plain("PORT", Some("8080"), "Port to listen on."),
    plain("AUTH_MODE", Some("both"), "Who may call: cloudflare, bearer or both."),
    plain("CF_ACCESS_TEAM_DOMAIN", None, "https://TEAM.cloudflareaccess.com, the issuer of Access tokens."),
    plain("CF_ACCESS_AUD", None, "Audience tag(s) of the Access application, comma-separated."),
    plain("CF_ACCESS_CERTS_URL", None, "Where the public keys are, only to point at an emulator."),
    plain("CF_ACCESS_ALLOWED_SERVICE_TOKENS", None, "Client ids of the Access service tokens that are accepted."),
    plain("ALLOWED_EMAILS", None, "Only these people, comma-separated."),
    plain("ALLOWED_EMAIL_DOMAINS", None, "Only people of these mail domains, comma-separated."),
    secret("MCP_DEV_BEARER_TOKEN", "Bearer token(s) for development, at least 16 characters, comma-separated."),
    plain("TOKEN_STORE", Some("env"), "Where the token for the upstream API is kept: env, postgres or infisical."),
{%- if example == "coda" %}
    secret("CODA_API_TOKEN", "The server's own token for the Coda API."),
    plain("CODA_API_BASE", Some("https://coda.io/apis/v1"), "Where the Coda API is."),
    plain("LEGACY_PROXY", Some("on"), "Whether requests without jsonrpc are served as GETs to the Coda API: on, off."),
{%- endif %}
    secret("DATABASE_URL", "The token store's PostgreSQL as one URL, instead of the POSTGRES_ variables."),
    plain("POSTGRES_HOST", None, "Host of the token store's PostgreSQL, or the folder of its socket."),
    plain("POSTGRES_PORT", Some("5432"), "Its port."),
    plain("POSTGRES_DB", Some("mcp_auth"), "The database."),
    plain("POSTGRES_USER", Some("mcp_auth"), "The role: one that `db init --role` has made for servers."),
    secret("POSTGRES_PASSWORD", "The role's password."),
    plain("POSTGRES_SSLMODE", Some("prefer"), "TLS: disable, prefer, require, verify-ca or verify-full."),
    plain("POSTGRES_SSLROOTCERT", None, "File with certificates of authorities that count besides the public ones."),
    secret("MCP_AUTH_ENCRYPTION_KEY", "Key that tokens in PostgreSQL are encrypted with: 32 bytes, base64 or hex."),
    plain("MCP_AUTH_KEY_FILE", None, "File with that key instead, made with a new one where there is none."),
    secret("MCP_AUTH_PREVIOUS_KEYS", "Keys that still decrypt, comma-separated, until `tokens rotate-key` is through."),
    plain("INFISICAL_URL", Some("https://us.infisical.com"), "Where Infisical is."),
    plain("INFISICAL_CLIENT_ID", None, "Client id of the machine identity (Universal Auth)."),
    secret("INFISICAL_CLIENT_SECRET", "A client secret of the machine identity."),
    plain("INFISICAL_PROJECT_ID", None, "Id of the project."),
    plain("INFISICAL_ENVIRONMENT", Some("prod"), "Slug of the environment."),
    plain("INFISICAL_PATH", Some("/"), "Folder in which each service has one of its own name."),
    plain("PUBLIC_URL", None, "The address that clients use; by default told from Host."),
    plain("ALLOWED_HOSTS", None, "Host names accepted on /mcp and /status, comma-separated; loopback always is."),
    plain("ALLOWED_ORIGINS", None, "Browser origins accepted, comma-separated; none by default."),
    plain("MEMORY_BUDGET", None, "Memory for the process in bytes; by default what its container has, else 128 MiB."),
    plain("MAX_BODY_BYTES", Some("1048576"), "Size of a request's body; 413 above it."),
    plain("MAX_HEADER_BYTES", Some("32768"), "Size of a request's head; 431 above it."),
    plain("REQUEST_TIMEOUT_SECONDS", Some("60"), "Time for a body (408), an answer (504), and a client to read of it."),
    plain(
        "MAX_CONCURRENT_REQUESTS",
        Some("1024"),
        "Requests to /mcp at once, a quarter of them by one caller; 503 above it.",
    ),
    plain("MAX_CONNECTIONS", Some("1024"), "Connections at once; more wait until one ends."),
    plain("SHUTDOWN_GRACE_SECONDS", Some("20"), "Time for requests in flight after SIGTERM."),
    plain("LOG_FORMAT", Some("text"), "How log lines look: text or json."),
    plain("RUST_LOG", Some(DEFAULT_FILTER), "Which log lines are written."),
];
