//! Where Vault is, and as whom it is asked; which key of its Transit wraps the key for PostgreSQL.

use std::path::{Path, PathBuf};

use mcp_auth_middleware::{SecretSource, TransitConfig, VaultConfig, VaultConfigError, VaultLogin};

use super::super::Reader;
use crate::secret_files;

/// Where Kubernetes puts the token of a pod's service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

impl Reader<'_> {
    pub(super) fn vault(&mut self) -> Option<VaultConfig> {
        let what = "the address of Vault or OpenBao, such as https://vault.example.com:8200";
        let (address, login) = (self.required("VAULT_ADDR", what), self.vault_login());
        let config = VaultConfig::new(&address?, login?);
        let mut config = self.accept("VAULT_ADDR", config)?;
        if let Some(mount) = self.env.text("VAULT_AUTH_MOUNT") {
            config = self.accept("VAULT_AUTH_MOUNT", config.with_login_mount(&mount))?;
        }
        if let Some(namespace) = self.env.text("VAULT_NAMESPACE") {
            config = self.accept("VAULT_NAMESPACE", config.with_namespace(&namespace))?;
        }
        if let Some(mount) = self.env.text("VAULT_MOUNT") {
            config = self.accept("VAULT_MOUNT", config.with_mount(&mount))?;
        }
        if let Some(path) = self.env.text("VAULT_PATH") {
            config = self.accept("VAULT_PATH", config.with_path(&path))?;
        }
        let Some(file) = self.env.text("VAULT_CACERT") else { return Some(config) };
        match secret_files::read_bytes(Path::new(&file)) {
            Ok(pem) => self.accept("VAULT_CACERT", config.with_root_certificates(&pem)),
            Err(error) => {
                self.problems.add("VAULT_CACERT", format!("the file {file}: {error}"));
                None
            }
        }
    }

    fn vault_login(&mut self) -> Option<VaultLogin> {
        match self.env.text("VAULT_AUTH").as_deref() {
            None | Some("approle") => {
                let role_id = self.required("VAULT_ROLE_ID", "the id of the role of this server (AppRole)");
                let secret_id = self.source("VAULT_SECRET_ID", "a secret id of the role of this server (AppRole)");
                Some(VaultLogin::AppRole { role_id: role_id?, secret_id: secret_id? })
            }
            Some("token") => {
                let what = "the token to log in with; better the file where an agent keeps it, VAULT_TOKEN_FILE";
                Some(VaultLogin::Token(self.source("VAULT_TOKEN", what)?))
            }
            Some("kubernetes") => {
                let role = self.required("VAULT_ROLE", "the role of this server's service account");
                let token = self.env.text("VAULT_JWT_FILE").unwrap_or_else(|| SERVICE_ACCOUNT.to_owned()).into();
                Some(VaultLogin::Kubernetes { role: role?, token })
            }
            Some("jwt") => {
                let role = self.required("VAULT_ROLE", "the role of this server");
                let token = self.required("VAULT_JWT_FILE", "the file of the token to log in with");
                Some(VaultLogin::Jwt { role: role?, token: token?.into() })
            }
            Some(other) => {
                self.problems.add("VAULT_AUTH", format!("{other:?} is none of approle, kubernetes, jwt, token"));
                None
            }
        }
    }

    /// Reads the settings of Transit, which wraps the keys.
    pub(super) fn transit(&mut self) -> Option<TransitConfig> {
        let vault = self.vault()?;
        let text = |name, default: &str| self.env.text(name).unwrap_or_else(|| default.to_owned());
        let (key, mount) = (text("MCP_AUTH_TRANSIT_KEY", "mcp-auth"), text("MCP_AUTH_TRANSIT_MOUNT", "transit"));
        let deployment = text("MCP_AUTH_DEPLOYMENT", "default");
        let config = self.accept("MCP_AUTH_TRANSIT_KEY", TransitConfig::new(vault, &key, &deployment))?;
        self.accept("MCP_AUTH_TRANSIT_MOUNT", config.with_mount(&mount))
    }

    /// The file of a token that a platform makes; Kubernetes has a usual place for it.
    pub(super) fn platform_token(&mut self, name: &'static str, kubernetes: bool) -> Option<SecretSource> {
        let file = match kubernetes {
            true => Some(self.env.text(name).unwrap_or_else(|| SERVICE_ACCOUNT.to_owned())),
            false => self.required(name, "the file of the token to log in with"),
        };
        file.map(|file| SecretSource::File(PathBuf::from(file)))
    }

    pub(super) fn required(&mut self, name: &'static str, what: &str) -> Option<String> {
        let text = self.env.text(name);
        if text.is_none() {
            self.problems.add(name, format!("is missing: {what}"));
        }
        text
    }

    /// A secret to log in with: what comes from a file is read there at each login.
    fn source(&mut self, name: &'static str, what: &str) -> Option<SecretSource> {
        let before = self.problems.len();
        let secret = self.secret(name);
        if secret.is_none() && self.problems.len() == before {
            self.problems.add(name, format!("is missing: {what}"));
        }
        let text = SecretSource::Text(secret?);
        Some(self.env.file(name).map_or(text, SecretSource::File))
    }

    fn accept<T>(&mut self, name: &'static str, result: Result<T, VaultConfigError>) -> Option<T> {
        result.map_err(|error| self.problems.add(name, error.to_string())).ok()
    }
}
