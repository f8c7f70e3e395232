//! Where Infisical is, and which folder of it is ours.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::names;
use crate::jwt::is_secure;
use crate::store::SecretSource;

/// Why a configuration of Infisical is refused. No text of it holds a value from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InfisicalConfigError {
    /// The address is no https origin, or has a path.
    #[error(
        "must be an https URL without a path, as https://us.infisical.com; plain http is accepted for loopback only"
    )]
    Base,
    /// One of the names and secrets is empty: which.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// The folder is not written as Infisical writes it.
    #[error("the folder must be / or like /mcp/servers, its names made of letters, digits, - and _")]
    Path,
    /// The HTTP client could not be built: why, such as no certificate authority.
    #[error("the client for Infisical could not be built: {0}")]
    HttpClient(String),
}

/// How a machine identity proves who it is, without a secret of its own: by a token that its platform makes for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InfisicalIdentity {
    /// Kubernetes Auth: the token of the pod's service account.
    Kubernetes,
    /// OIDC Auth: an ID token of an issuer that the identity trusts, as CI services make them.
    Oidc,
}

/// Who we are there.
#[derive(Clone)]
pub(super) enum Credentials {
    Universal { client_id: String, client_secret: SecretString },
    Workload { identity: InfisicalIdentity, identity_id: String, token: SecretSource },
}

/// Where Infisical is, who we are there (a machine identity), and which secrets are ours.
#[derive(Clone)]
pub struct InfisicalConfig {
    pub(super) base: Url,
    pub(super) credentials: Credentials,
    pub(super) project_id: String,
    pub(super) environment: String,
    pub(super) path: String,
    pub(super) timeout: Duration,
}

impl InfisicalConfig {
    /// The secrets of a project in an environment (its slug, `prod`), seen by a machine identity. `base` is
    /// `https://us.infisical.com`, `https://eu.infisical.com`, or the address of one's own server.
    ///
    /// # Errors
    /// [`InfisicalConfigError`] for an address that is neither https nor loopback or has a path, and for whatever is
    /// empty.
    pub fn new(
        base: &str,
        client_id: &str,
        client_secret: SecretString,
        project_id: &str,
        environment: &str,
    ) -> Result<Self, InfisicalConfigError> {
        if client_id.trim().is_empty() {
            return Err(InfisicalConfigError::Empty("client id"));
        }
        if client_secret.expose_secret().trim().is_empty() {
            return Err(InfisicalConfigError::Empty("client secret"));
        }
        let credentials = Credentials::Universal { client_id: client_id.trim().to_owned(), client_secret };
        Self::with_credentials(base, credentials, project_id, environment)
    }

    /// The same, seen by a machine identity that has no secret. `token` is what its platform makes for it, the file of the
    /// pod's service account, for example. It is read at each login.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn for_workload(
        base: &str,
        identity: InfisicalIdentity,
        identity_id: &str,
        token: SecretSource,
        project_id: &str,
        environment: &str,
    ) -> Result<Self, InfisicalConfigError> {
        if identity_id.trim().is_empty() {
            return Err(InfisicalConfigError::Empty("identity id"));
        }
        let credentials = Credentials::Workload { identity, identity_id: identity_id.trim().to_owned(), token };
        Self::with_credentials(base, credentials, project_id, environment)
    }

    fn with_credentials(
        base: &str,
        credentials: Credentials,
        project_id: &str,
        environment: &str,
    ) -> Result<Self, InfisicalConfigError> {
        let base = Url::parse(base.trim()).map_err(|_| InfisicalConfigError::Base)?;
        let is_origin = base.path() == "/" && base.query().is_none() && base.fragment().is_none();
        if !is_secure(&base) || !is_origin || !base.username().is_empty() || base.password().is_some() {
            return Err(InfisicalConfigError::Base);
        }
        let values = [("project id", project_id), ("environment", environment)];
        if let Some((what, _)) = values.iter().find(|(_, value)| value.trim().is_empty()) {
            return Err(InfisicalConfigError::Empty(what));
        }
        Ok(Self {
            base,
            credentials,
            project_id: project_id.trim().to_owned(),
            environment: environment.trim().to_owned(),
            path: "/".to_owned(),
            timeout: Duration::from_secs(10),
        })
    }

    /// The folder in which the services have theirs, `/` by default: the tokens of the service `coda` are in `/coda`,
    /// or with `/mcp` here in `/mcp/coda`.
    ///
    /// # Errors
    /// [`InfisicalConfigError::Path`] where it does not begin with `/`, or has a name that Infisical does not take.
    pub fn with_path(mut self, path: &str) -> Result<Self, InfisicalConfigError> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if !path.is_empty() {
            let names = path.strip_prefix('/').ok_or(InfisicalConfigError::Path)?;
            if !names.split('/').all(names::is_folder) {
                return Err(InfisicalConfigError::Path);
            }
        }
        self.path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        Ok(self)
    }

    /// Time an operation may take in all, login and repetitions included. Default: 10 seconds, of which connecting may
    /// take 3.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The folder of a service, whose name was checked.
    pub(super) fn folder(&self, service: &str) -> String {
        format!("{}/{service}", self.path.trim_end_matches('/'))
    }
}

impl fmt::Debug for InfisicalConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfisicalConfig")
            .field("base", &self.base.as_str())
            .field("project_id", &self.project_id)
            .field("environment", &self.environment)
            .field("path", &self.path)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(base: &str) -> Result<InfisicalConfig, InfisicalConfigError> {
        InfisicalConfig::new(base, "id", "secret".into(), "project", "prod")
    }

    #[test]
    fn the_address_is_an_https_origin_or_loopback() {
        for good in
            ["https://us.infisical.com", "https://secrets.example:8443/", "http://127.0.0.1:1", "http://[::1]:1"]
        {
            assert!(new(good).is_ok(), "{good}");
        }
        for bad in [
            "us.infisical.com",
            "http://us.infisical.com",
            "https://us.infisical.com/api",
            "https://us.infisical.com/?x",
            "https://id:secret@us.infisical.com", // pragma: allowlist secret
            "http://127.0.0.1.evil.example",
            "ftp://127.0.0.1",
            "",
        ] {
            assert_eq!(new(bad).err(), Some(InfisicalConfigError::Base), "{bad}");
        }
    }

    #[test]
    fn nothing_may_be_empty() {
        let base = "https://us.infisical.com";
        let error = |id: &str, secret: &str, project: &str, environment: &str| {
            InfisicalConfig::new(base, id, secret.into(), project, environment).err().map(|e| e.to_string())
        };
        assert_eq!(error("id", "s", "p", "e"), None);
        assert_eq!(error("", "s", "p", "e").as_deref(), Some("the client id is empty"));
        assert_eq!(error("id", " ", "p", "e").as_deref(), Some("the client secret is empty"));
        assert_eq!(error("id", "s", "", "e").as_deref(), Some("the project id is empty"));
        assert_eq!(error("id", "s", "p", "\t").as_deref(), Some("the environment is empty"));
    }

    #[test]
    fn services_have_folders_below_the_path() {
        let folder = |path: &str| new("https://us.infisical.com")?.with_path(path).map(|c| c.folder("coda"));
        assert_eq!(folder("/").as_deref(), Ok("/coda"));
        assert_eq!(folder("").as_deref(), Ok("/coda"));
        assert_eq!(folder("/mcp/servers/").as_deref(), Ok("/mcp/servers/coda"));
        for bad in ["mcp", "//", "/a//b", "/a b", "/..", "/a/../b", "/a?b", "/ä"] {
            assert_eq!(folder(bad), Err(InfisicalConfigError::Path), "{bad}");
        }
    }
}
