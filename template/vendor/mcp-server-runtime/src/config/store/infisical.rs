//! Where Infisical is, and as whom it is asked.

use mcp_auth_middleware::InfisicalConfig;
use secrecy::ExposeSecret as _;

use super::super::Reader;

impl Reader<'_> {
    pub(super) fn infisical(&mut self) -> Option<InfisicalConfig> {
        let before = self.problems.len();
        let mut required = |name: &'static str, what: &str| {
            let text = self.env.text(name);
            if text.is_none() {
                self.problems.add(name, format!("is missing: {what}"));
            }
            text.unwrap_or_default()
        };
        let id = required("INFISICAL_CLIENT_ID", "the client id of the machine identity (Universal Auth)");
        let project = required("INFISICAL_PROJECT_ID", "the id of the project, from its settings");
        let told = self.problems.len();
        let secret = self.secret("INFISICAL_CLIENT_SECRET").unwrap_or_default();
        if secret.expose_secret().is_empty() && self.problems.len() == told {
            self.problems.add("INFISICAL_CLIENT_SECRET", "is missing: a client secret of the machine identity");
        }
        let base = self.env.text("INFISICAL_URL").unwrap_or_else(|| "https://us.infisical.com".to_owned());
        let environment = self.env.text("INFISICAL_ENVIRONMENT").unwrap_or_else(|| "prod".to_owned());
        let path = self.env.text("INFISICAL_PATH").unwrap_or_else(|| "/".to_owned());
        if self.problems.len() > before {
            return None;
        }
        let config = match InfisicalConfig::new(&base, &id, secret, &project, &environment) {
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
