//! Who may call: the methods of `AUTH_MODE`, each with what it needs.

use mcp_auth_middleware::{AccessConfig, AuthMethods, AuthMode, BearerTokens, OidcConfig};
use secrecy::ExposeSecret as _;

use super::Reader;
use super::oidc::IssuerSecret;

/// Who may call.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Which methods are accepted.
    pub mode: AuthMode,
    /// The Cloudflare Access application, where one is configured.
    pub cloudflare: Option<AccessConfig>,
    /// The other issuers of access tokens.
    pub oidc: Vec<OidcConfig>,
    pub(super) issuer_secrets: Vec<IssuerSecret>,
    /// The development Bearer token(s), where one is configured.
    pub bearer: Option<BearerTokens>,
}

impl Reader<'_> {
    pub(super) fn auth(&mut self) -> Auth {
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
}
