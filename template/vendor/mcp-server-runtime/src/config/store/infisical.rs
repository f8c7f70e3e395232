//! Where Infisical is, and as whom it is asked.

use mcp_auth_middleware::{InfisicalConfig, InfisicalIdentity};
use secrecy::ExposeSecret as _;

use super::super::Reader;

impl Reader<'_> {
    pub(super) fn infisical(&mut self) -> Option<InfisicalConfig> {
        const PROJECT: &str = "the id of the project, from its settings";
        let base = self.env.text("INFISICAL_URL").unwrap_or_else(|| "https://us.infisical.com".to_owned());
        let environment = self.env.text("INFISICAL_ENVIRONMENT").unwrap_or_else(|| "prod".to_owned());
        let path = self.env.text("INFISICAL_PATH").unwrap_or_else(|| "/".to_owned());
        let identity = match self.env.text("INFISICAL_AUTH").as_deref() {
            None | Some("universal") => None,
            Some("kubernetes") => Some(InfisicalIdentity::Kubernetes),
            Some("oidc") => Some(InfisicalIdentity::Oidc),
            Some(other) => {
                self.problems.add("INFISICAL_AUTH", format!("{other:?} is none of universal, kubernetes, oidc"));
                return None;
            }
        };
        let config = match identity {
            None => {
                let id = self.required("INFISICAL_CLIENT_ID", "the client id of the machine identity (Universal Auth)");
                let project = self.required("INFISICAL_PROJECT_ID", PROJECT);
                let before = self.problems.len();
                let secret = self.secret("INFISICAL_CLIENT_SECRET").unwrap_or_default();
                if secret.expose_secret().is_empty() && self.problems.len() == before {
                    let text = "is missing: a client secret of the machine identity";
                    self.problems.add("INFISICAL_CLIENT_SECRET", text);
                }
                if self.problems.len() > before {
                    return None;
                }
                InfisicalConfig::new(&base, &id?, secret, &project?, &environment)
            }
            Some(identity) => {
                let id = self.required("INFISICAL_IDENTITY_ID", "the id of the machine identity");
                let project = self.required("INFISICAL_PROJECT_ID", PROJECT);
                let token = self.platform_token("INFISICAL_JWT_FILE", identity == InfisicalIdentity::Kubernetes);
                InfisicalConfig::for_workload(&base, identity, &id?, token?, &project?, &environment)
            }
        };
        let config = match config {
            Ok(config) => config,
            Err(error) => {
                self.problems.add("INFISICAL_URL", error.to_string());
                return None;
            }
        };
        match config.with_path(&path) {
            Ok(config) => Some(config),
            Err(error) => {
                self.problems.add("INFISICAL_PATH", error.to_string());
                None
            }
        }
    }
}
