//! Where the database is, and how much of it the store may take.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The parameters of a connection URL that are understood. Others are refused instead of ignored: a misspelt `sslmode`
/// must not turn encryption off, and the driver would log the value of what it does not know.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// How connections to the database are encrypted: libpq's `sslmode` values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostgresTls {
    /// Never encrypted: for a socket, or a network that nobody else is on.
    Disable,
    /// Encrypted where the server offers it, without a check of who it is.
    Prefer,
    /// Encrypted or not at all, without a check of who it is.
    Require,
    /// Encrypted, with a certificate from a known authority.
    VerifyCa,
    /// Encrypted, with a certificate from a known authority for this very host.
    VerifyFull,
}

/// Why a configuration of the database is refused. No text of it holds the URL or a value from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresConfigError {
    /// Not `postgres://` or `postgresql://`, or not a URL at all.
    #[error("is not a URL of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")] // pragma: allowlist secret
    NotAUrl,
    /// A parameter that is not known.
    #[error("has an unknown parameter `{0}`")]
    UnknownParameter(String),
    /// A parameter whose value does not fit, or a part with broken percent-encoding.
    #[error("has a part or parameter whose value does not fit")]
    BadValue,
    /// Not one of the five TLS modes.
    #[error("is not one of disable, prefer, require, verify-ca, verify-full")]
    UnknownTlsMode,
    /// A store needs a running tokio runtime from the start.
    #[error("a PostgreSQL token store can only be made inside of a tokio runtime")]
    NoRuntime,
    /// Connections to another machine without encryption go through a port of this one, and there is none.
    #[error("no port on this machine for connections that are not encrypted")]
    NoPort,
}

/// Where the database is and how the store uses it.
#[derive(Clone)]
pub struct PostgresConfig {
    pub(super) options: PgConnectOptions,
    pub(super) minimum: u32,
    pub(super) maximum: u32,
    pub(super) acquire_timeout: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) pooled: bool,
    /// `true` when the driver shows the database a certificate of its own.
    pub(super) client_certificate: bool,
}

/// The TLS mode, and whether there is a certificate for the database.
pub(super) type Way = (std::mem::Discriminant<PgSslMode>, bool);

/// The parameters of a connection URL with a certificate for the database, as the driver has them.
const CLIENT_CERTIFICATE: [&str; 2] = ["sslcert", "ssl-cert"];

impl PostgresConfig {
    /// Port 5432, no password, TLS to this very host ([`VerifyFull`](PostgresTls::VerifyFull)), or where the server offers it
    /// if the host is a socket or on this machine, 2 to 10 connections, 5 seconds to get one and 5 seconds
    /// for a statement. A host that starts with `/` is the folder of a Unix socket. A password that is not given is
    /// looked for where libpq does so: `PGPASSWORD`.
    #[must_use]
    pub fn new(host: &str, database: &str, user: &str) -> Self {
        let options = PgConnectOptions::new_without_pgpass().host(host).port(5432).database(database).username(user);
        Self::with_options(options).with_default_tls()
    }

    /// The default where no setting says how connections are encrypted: a machine between here and the database must not get
    /// the password.
    fn with_default_tls(self) -> Self {
        let tls = if self.is_local() { PostgresTls::Prefer } else { PostgresTls::VerifyFull };
        self.with_tls(tls)
    }

    /// Returns whether the database is on this machine: a socket, or loopback.
    pub(super) fn is_local(&self) -> bool {
        let Some((host, _)) = self.address() else { return true };
        let address = host.parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }

    /// Returns what is wrong with the connection to the database, for the log at the start: it is another machine, and
    /// nothing checks which one.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let (mode, what) = match self.options.get_ssl_mode() {
            _ if self.is_local() => return None,
            PgSslMode::VerifyFull => return None,
            PgSslMode::VerifyCa => ("verify-ca", "any host with a certificate of the authority is taken for it"),
            PgSslMode::Require => ("require", "nobody checks whether it is the database that answers"),
            PgSslMode::Prefer | PgSslMode::Allow => {
                ("prefer", "a machine in between can read along and answer in its place")
            }
            PgSslMode::Disable => ("disable", "a machine in between can read along and answer in its place"),
        };
        Some(format!(
            "The way to the database {} is not verified (TLS mode {mode}): {what}. Use verify-full, unless nobody else is on \
             that network",
            self.place()
        ))
    }

    /// Reads a `DATABASE_URL`. With `statement-cache-capacity=0` in it, this is
    /// [`through_transaction_pooler`](Self::through_transaction_pooler).
    ///
    /// # Errors
    /// [`PostgresConfigError`], which never holds a part of the URL other than the name of an unknown parameter.
    pub fn from_url(url: &SecretString) -> Result<Self, PostgresConfigError> {
        let parsed = reqwest::Url::parse(url.expose_secret()).map_err(|_| PostgresConfigError::NotAUrl)?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            return Err(PostgresConfigError::NotAUrl);
        }
        let (mut pooled, mut tls, mut certificate) = (false, false, false);
        for (name, value) in parsed.query_pairs() {
            certificate |= CLIENT_CERTIFICATE.contains(&&*name);
            pooled |= name == "statement-cache-capacity" && value == "0";
            tls |= matches!(&*name, "sslmode" | "ssl-mode");
            let option = name.strip_prefix("options[").is_some_and(|rest| rest.ends_with(']'));
            if !option && !PARAMETERS.contains(&&*name) {
                return Err(PostgresConfigError::UnknownParameter(crate::printable::printable(&name).into_owned()));
            }
            if matches!(&*name, "sslmode" | "ssl-mode") && PgSslMode::from_str(&value).is_err() {
                return Err(PostgresConfigError::UnknownTlsMode);
            }
        }
        // The driver's own error may quote the value.
        let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| PostgresConfigError::BadValue)?;
        let mut config = Self { pooled, ..Self::with_options(options) };
        config.client_certificate |= certificate;
        Ok(if tls { config } else { config.with_default_tls() })
    }

    fn with_options(mut options: PgConnectOptions) -> Self {
        // An address of IPv6 has brackets in a URL, and nowhere else; the driver would look for a host of that name.
        let address = options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
        if let Some(address) = address {
            options = options.host(&address);
        }
        // `extra_float_digits` is a start-up parameter that PgBouncer refuses, and no number here is a float. Statements
        // are not logged: their values are ciphertexts and names, but nobody needs either in a log.
        let name = options.get_application_name().unwrap_or("mcp-auth-middleware").to_owned();
        let options = options.extra_float_digits(None).application_name(&name).disable_statement_logging();
        let five_seconds = Duration::from_secs(5);
        Self {
            options,
            minimum: 2,
            maximum: 10,
            acquire_timeout: five_seconds,
            statement_timeout: five_seconds,
            pooled: false,
            // The driver takes it from there, too.
            client_certificate: std::env::var_os("PGSSLCERT").is_some(),
        }
    }

    /// Another port than 5432.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.options = self.options.port(port);
        self
    }

    /// The password of the user.
    #[must_use]
    pub fn with_password(mut self, password: &SecretString) -> Self {
        self.options = self.options.password(password.expose_secret());
        self
    }

    /// How connections are encrypted.
    #[must_use]
    pub fn with_tls(mut self, tls: PostgresTls) -> Self {
        self.options = self.options.ssl_mode(match tls {
            PostgresTls::Disable => PgSslMode::Disable,
            PostgresTls::Prefer => PgSslMode::Prefer,
            PostgresTls::Require => PgSslMode::Require,
            PostgresTls::VerifyCa => PgSslMode::VerifyCa,
            PostgresTls::VerifyFull => PgSslMode::VerifyFull,
        });
        self
    }

    /// A file with the certificates of authorities (PEM) that count besides the public ones.
    #[must_use]
    pub fn with_root_certificates(mut self, file: &Path) -> Self {
        self.options = self.options.ssl_root_cert(file);
        self
    }

    /// How many connections are kept open and how many there may be at most (at least one).
    #[must_use]
    pub fn with_pool(mut self, minimum: u32, maximum: u32) -> Self {
        self.maximum = maximum.max(1);
        self.minimum = minimum.min(self.maximum);
        self
    }

    /// How long an operation waits for a connection, and how long one statement may take in the database.
    #[must_use]
    pub fn with_timeouts(mut self, acquire: Duration, statement: Duration) -> Self {
        self.acquire_timeout = acquire;
        self.statement_timeout = statement;
        self
    }

    /// For PgBouncer and the like in transaction mode: no named prepared statements, which older ones do not know.
    /// Notifications do not arrive through them either; see [`TokenChanges`](super::TokenChanges).
    #[must_use]
    pub fn through_transaction_pooler(mut self) -> Self {
        self.options = self.options.statement_cache_capacity(0);
        self.pooled = true;
        self
    }

    /// Host and port, unless it is a Unix socket.
    pub(super) fn address(&self) -> Option<(String, u16)> {
        let host = self.options.get_host();
        let socket = self.options.get_socket().is_some() || host.starts_with('/');
        (!socket).then(|| (host.to_owned(), self.options.get_port()))
    }

    /// How one gets there.
    pub(super) fn way(&self) -> Way {
        (std::mem::discriminant(&self.options.get_ssl_mode()), self.client_certificate)
    }

    /// Host and port, for people.
    pub(super) fn place(&self) -> String {
        let port = self.options.get_port();
        match self.options.get_socket() {
            Some(folder) => format!("{}:{port}", folder.display()),
            None if self.options.get_host().contains(':') => format!("[{}]:{port}", self.options.get_host()),
            None => format!("{}:{port}", self.options.get_host()),
        }
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("place", &self.place())
            .field("database", &self.options.get_database())
            .field("user", &self.options.get_username())
            .field("password", &"[REDACTED]")
            .field("connections", &(self.minimum..=self.maximum))
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("pooled", &self.pooled)
            .finish_non_exhaustive()
    }
}

impl FromStr for PostgresTls {
    type Err = PostgresConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(PostgresConfigError::UnknownTlsMode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PostgresConfig, PostgresConfigError> {
        PostgresConfig::from_url(&url.to_owned().into())
    }

    #[test]
    fn a_url_is_read_and_its_password_never_shown() {
        let config = parse("postgres://tokens:hunter2-secret@db.internal:6432/auth?sslmode=verify-full").unwrap();
        assert_eq!(config.place(), "db.internal:6432");
        assert_eq!(config.options.get_database(), Some("auth"));
        assert!(matches!(config.options.get_ssl_mode(), PgSslMode::VerifyFull));
        let shown = format!("{config:?}");
        assert!(shown.contains("user: \"tokens\"") && !shown.contains("hunter2"), "{shown}");
        assert!(!config.pooled && parse("postgres://db/auth?statement-cache-capacity=0").unwrap().pooled);
        let named = parse("postgres://db/auth?application_name=mine").unwrap();
        assert_eq!(named.options.get_application_name(), Some("mine"));
        let socket = parse("postgresql:///auth?host=/run/postgresql&user=tokens").unwrap();
        assert_eq!(socket.place(), "/run/postgresql:5432");
    }

    #[test]
    fn an_address_of_ipv6_is_connected_to_without_brackets() {
        for config in [
            parse("postgres://tokens@[fd00::1]:6432/auth").unwrap(),
            PostgresConfig::new("[fd00::1]", "auth", "tokens").with_port(6432),
            PostgresConfig::new("fd00::1", "auth", "tokens").with_port(6432),
        ] {
            assert_eq!((config.options.get_host(), &*config.place()), ("fd00::1", "[fd00::1]:6432"));
            assert_eq!(config.address(), Some(("fd00::1".to_owned(), 6432)));
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_quoted() {
        use PostgresConfigError as E;
        for (url, error) in [
            ("", E::NotAUrl),
            ("hunter2", E::NotAUrl),
            ("mysql://user:hunter2@host/db", E::NotAUrl), // pragma: allowlist secret
            ("postgres://host/db?sslmod=hunter2", E::UnknownParameter("sslmod".to_owned())),
            ("postgres://host/db?sslmode=hunter2", E::UnknownTlsMode),
            ("postgres://host/db?port=hunter2", E::BadValue),
            ("postgres://us%ffer@host/db", E::BadValue),
        ] {
            let refused = parse(url).unwrap_err();
            assert_eq!(refused, error, "{url}");
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn tls_modes_are_those_of_libpq() {
        assert_eq!("verify-ca".parse(), Ok(PostgresTls::VerifyCa));
        assert_eq!("prefer".parse(), Ok(PostgresTls::Prefer));
        assert_eq!("on".parse::<PostgresTls>(), Err(PostgresConfigError::UnknownTlsMode));
        for tls in ["disable", "prefer", "require", "verify-ca", "verify-full"] {
            let config = PostgresConfig::new("db", "auth", "me").with_tls(tls.parse().unwrap());
            assert_eq!(format!("{:?}", config.options.get_ssl_mode()).to_lowercase(), tls.replace('-', ""));
        }
    }

    /// attacks.md 60: another machine has to prove that it is the one, unless the setting says otherwise in so many words.
    #[test]
    fn attack_60_another_machine_is_verified_unless_told_otherwise() {
        let mode = |config: &PostgresConfig| format!("{:?}", config.options.get_ssl_mode());
        for (host, expected) in [
            ("db.example.com", "VerifyFull"),
            ("postgres", "VerifyFull"),
            ("10.0.0.5", "VerifyFull"),
            ("2001:db8::1", "VerifyFull"),
            ("127.0.0.1.example.com", "VerifyFull"),
            ("127.0.0.1", "Prefer"),
            ("127.8.0.1", "Prefer"),
            ("::1", "Prefer"),
            ("LocalHost", "Prefer"),
            ("/run/postgresql", "Prefer"),
        ] {
            let config = PostgresConfig::new(host, "auth", "me");
            assert_eq!(mode(&config), expected, "{host}");
            assert_eq!(config.warning(), None, "{host}");
            assert_eq!(config.with_tls(PostgresTls::Disable).warning().is_some(), expected == "VerifyFull", "{host}");
        }
        for (url, expected, warned) in [
            ("postgres://db/auth", "VerifyFull", false),
            ("postgres://localhost/auth", "Prefer", false),
            ("postgres:///auth?host=/run/postgresql", "Prefer", false),
            ("postgres://db/auth?sslmode=verify-full", "VerifyFull", false),
            ("postgres://db/auth?sslmode=verify-ca", "VerifyCa", true),
            ("postgres://db/auth?sslmode=require", "Require", true),
            ("postgres://db/auth?ssl-mode=prefer", "Prefer", true),
            ("postgres://db/auth?sslmode=disable", "Disable", true),
        ] {
            let config = parse(url).unwrap();
            assert_eq!((mode(&config).as_str(), config.warning().is_some()), (expected, warned), "{url}");
        }
    }

    #[test]
    fn the_pool_stays_in_bounds() {
        let config = PostgresConfig::new("db", "auth", "me").with_pool(7, 0);
        assert_eq!((config.minimum, config.maximum), (1, 1));
    }
}
