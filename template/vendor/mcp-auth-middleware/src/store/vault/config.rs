//! Where Vault is, who we are there, and which secret is ours.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Certificate, Url};

use crate::jwt::is_secure;
use crate::store::SecretSource;

/// Why a configuration of Vault is refused. No text of it holds a value from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultConfigError {
    /// The address is no https origin, or has a path.
    #[error(
        "must be an https URL without a path, as https://vault.example.com:8200; plain http is accepted for loopback only"
    )]
    Address,
    /// A name, a role or a path is empty: which.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// A path has an empty part, `.` or `..`, or characters that no path of Vault should have: which.
    #[error("the {0} must be names with / between them, without white space, control characters, . and ..")]
    Path(&'static str),
    /// The namespace cannot be sent.
    #[error("the namespace must be names with / between them, in printable ASCII")]
    Namespace,
    /// The file has no certificates.
    #[error("the certificates of authorities are not in PEM format")]
    Certificates,
    /// The HTTP client could not be built (no usable TLS roots, for example).
    #[error("the client for Vault could not be built: {0}")]
    HttpClient(String),
}

/// How the server logs in. Whatever comes from a file is read at each login.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum VaultLogin {
    /// With a token that somebody else has made: an operator, or an agent that keeps it in a file.
    Token(SecretSource),
    /// With AppRole.
    AppRole {
        /// The role's id.
        role_id: String,
        /// The secret id of the role.
        secret_id: SecretSource,
    },
    /// With Kubernetes: the token of the pod's service account.
    Kubernetes {
        /// The role.
        role: String,
        /// The file of the token.
        token: PathBuf,
    },
    /// With a JWT of an issuer that Vault trusts.
    Jwt {
        /// The role.
        role: String,
        /// The file of the token.
        token: PathBuf,
    },
}

impl VaultLogin {
    /// Where the method is mounted, unless somebody has said otherwise.
    pub(super) const fn usual_mount(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::AppRole { .. } => "approle",
            Self::Kubernetes { .. } => "kubernetes",
            Self::Jwt { .. } => "jwt",
        }
    }

    fn check(&self) -> Result<(), VaultConfigError> {
        let (what, text) = match self {
            Self::Token(_) => return Ok(()),
            Self::AppRole { role_id, .. } => ("role id", role_id),
            Self::Kubernetes { role, .. } | Self::Jwt { role, .. } => ("role", role),
        };
        if text.trim().is_empty() { Err(VaultConfigError::Empty(what)) } else { Ok(()) }
    }
}

/// Where Vault or OpenBao is, who we are there, and where our secret is: in a secrets engine KV of version 2, one secret for
/// each service, with a field for each of its tokens.
#[derive(Clone)]
pub struct VaultConfig {
    pub(super) address: Url,
    pub(super) namespace: Option<String>,
    pub(super) login: VaultLogin,
    pub(super) login_mount: String,
    pub(super) mount: String,
    pub(super) path: String,
    pub(super) timeout: Duration,
    pub(super) roots: Vec<Certificate>,
}

impl VaultConfig {
    /// The secrets at `secret/`, directly below it, at this address.
    ///
    /// # Errors
    /// [`VaultConfigError`] for an address that is neither https nor loopback or has a path, and for a role without a name.
    pub fn new(address: &str, login: VaultLogin) -> Result<Self, VaultConfigError> {
        let address = Url::parse(address.trim()).map_err(|_| VaultConfigError::Address)?;
        let is_origin = address.path() == "/" && address.query().is_none() && address.fragment().is_none();
        if !is_secure(&address) || !is_origin || !address.username().is_empty() || address.password().is_some() {
            return Err(VaultConfigError::Address);
        }
        login.check()?;
        Ok(Self {
            address,
            namespace: None,
            login_mount: login.usual_mount().to_owned(),
            login,
            mount: "secret".to_owned(),
            path: String::new(),
            timeout: Duration::from_secs(10),
            roots: Vec::new(),
        })
    }

    /// The namespace that everything is in: `team`, or `team/project`.
    ///
    /// # Errors
    /// [`VaultConfigError::Namespace`].
    pub fn with_namespace(mut self, namespace: &str) -> Result<Self, VaultConfigError> {
        let namespace = namespace.trim_matches('/');
        if !is_path(namespace) || !namespace.is_ascii() {
            return Err(VaultConfigError::Namespace);
        }
        self.namespace = Some(namespace.to_owned());
        Ok(self)
    }

    /// Where the login method is mounted, if not at its usual place (`approle`, `kubernetes`, `jwt`).
    ///
    /// # Errors
    /// [`VaultConfigError::Path`].
    pub fn with_login_mount(mut self, mount: &str) -> Result<Self, VaultConfigError> {
        self.login_mount = checked("mount of the login method", mount)?;
        Ok(self)
    }

    /// Where the secrets engine is mounted, if not at `secret`.
    ///
    /// # Errors
    /// [`VaultConfigError::Path`].
    pub fn with_mount(mut self, mount: &str) -> Result<Self, VaultConfigError> {
        self.mount = checked("mount of the secrets engine", mount)?;
        Ok(self)
    }

    /// The path below the mount in which the services have their secrets: with `mcp`, that of the service `coda` is
    /// `secret/mcp/coda`. An empty one is the mount itself.
    ///
    /// # Errors
    /// [`VaultConfigError::Path`].
    pub fn with_path(mut self, path: &str) -> Result<Self, VaultConfigError> {
        let path = path.trim_matches('/');
        self.path = if path.is_empty() { String::new() } else { checked("path", path)? };
        Ok(self)
    }

    /// Certificates of authorities in PEM that count besides those of the system.
    ///
    /// # Errors
    /// [`VaultConfigError::Certificates`].
    pub fn with_root_certificates(mut self, pem: &[u8]) -> Result<Self, VaultConfigError> {
        let roots = Certificate::from_pem_bundle(pem).map_err(|_| VaultConfigError::Certificates)?;
        if roots.is_empty() {
            return Err(VaultConfigError::Certificates);
        }
        self.roots = roots;
        Ok(self)
    }

    /// Time an operation may take in all, login and repetitions included. Default: 10 seconds, of which connecting may
    /// take 3.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The secret of a service as people and Vault's own tool name it: `secret/mcp/coda`.
    pub(super) fn secret_of(&self, service: &str) -> String {
        let middle = if self.path.is_empty() { String::new() } else { format!("{}/", self.path) };
        format!("{}/{middle}{service}", self.mount)
    }

    /// The path of the secret's newest version: `secret/data/mcp/coda`.
    pub(super) fn data_path(&self, service: &str) -> String {
        let middle = if self.path.is_empty() { String::new() } else { format!("{}/", self.path) };
        format!("{}/data/{middle}{service}", self.mount)
    }
}

impl fmt::Debug for VaultConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultConfig")
            .field("address", &self.address.as_str())
            .field("namespace", &self.namespace)
            .field("login", &self.login_mount)
            .field("mount", &self.mount)
            .field("path", &self.path)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

pub(super) fn checked(what: &'static str, path: &str) -> Result<String, VaultConfigError> {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return Err(VaultConfigError::Empty(what));
    }
    if is_path(path) { Ok(path.to_owned()) } else { Err(VaultConfigError::Path(what)) }
}

/// Returns whether these are names with `/` between them.
pub(super) fn is_path(path: &str) -> bool {
    path.split('/').all(is_name)
}

/// Returns whether this can be a segment of a path: neither a relative one (RFC 3986 §5.2.4) nor one with characters that
/// a person would overlook.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !matches!(name, "." | "..")
        && !name.contains(|c: char| c.is_control() || c.is_whitespace() || c == '/')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn new(address: &str) -> Result<VaultConfig, VaultConfigError> {
        VaultConfig::new(address, VaultLogin::Token(SecretSource::Text("hidden".into())))
    }

    #[test]
    fn the_address_is_an_https_origin_or_loopback() {
        for good in
            ["https://vault.example.com", "https://vault.example:8200/", "http://127.0.0.1:8200", "http://[::1]:1"]
        {
            assert!(new(good).is_ok(), "{good}");
        }
        for bad in
            ["vault.example", "http://vault.example", "https://vault.example/v1", "https://a:b@vault.example", ""]
        {
            assert_eq!(new(bad).err(), Some(VaultConfigError::Address), "{bad}");
        }
    }

    #[test]
    fn paths_are_names_with_slashes_between() {
        let config = || new("https://vault.example").unwrap();
        assert_eq!(config().secret_of("coda"), "secret/coda");
        assert_eq!(config().data_path("coda"), "secret/data/coda");
        let below = config().with_mount("/kv/team/").unwrap().with_path("mcp/prod").unwrap();
        assert_eq!(below.secret_of("coda"), "kv/team/mcp/prod/coda");
        assert_eq!(below.data_path("coda"), "kv/team/data/mcp/prod/coda");
        assert_eq!(below.with_path("/").unwrap().data_path("coda"), "kv/team/data/coda");
        for bad in ["a//b", "a/../b", ".", "a b", "a\nb"] {
            assert_eq!(config().with_path(bad).err(), Some(VaultConfigError::Path("path")), "{bad:?}");
            assert!(config().with_mount(bad).is_err() && config().with_login_mount(bad).is_err(), "{bad:?}");
            assert_eq!(config().with_namespace(bad).err(), Some(VaultConfigError::Namespace), "{bad:?}");
        }
        assert_eq!(config().with_mount("").err().unwrap().to_string(), "the mount of the secrets engine is empty");
        assert!(config().with_namespace("söö").is_err() && config().with_namespace("").is_err());
    }

    #[test]
    fn a_role_has_a_name_and_certificates_are_certificates() {
        let role = |login| VaultConfig::new("https://vault.example", login).err();
        let token = PathBuf::from("/token");
        let empty = Some(VaultConfigError::Empty("role"));
        assert_eq!(role(VaultLogin::Kubernetes { role: String::new(), token: token.clone() }), empty);
        assert_eq!(role(VaultLogin::Jwt { role: " ".to_owned(), token }), empty);
        let secret_id = SecretSource::Text("s".into());
        assert!(role(VaultLogin::AppRole { role_id: String::new(), secret_id }).is_some());
        for pem in ["", "no certificate"] {
            let config = new("https://vault.example").unwrap();
            assert_eq!(config.with_root_certificates(pem.as_bytes()).err(), Some(VaultConfigError::Certificates));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!("{:?}", new("https://vault.example").unwrap());
        assert!(text.contains("vault.example") && !text.contains("hidden"), "{text}");
    }
}
