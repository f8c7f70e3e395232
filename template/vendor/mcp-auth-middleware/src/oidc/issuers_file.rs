//! Several issuers in one JSON file. Its members are the settings of one issuer in lower case.

use secrecy::SecretString;
use serde::Deserialize;

use super::{IntrospectedTokens, IntrospectionConfig, OidcConfig, OidcConfigError};
use crate::ParseAlgorithmError;

/// So many issuers at most: each has keys that are fetched and kept.
const MAXIMUM: usize = 16;

/// Why a file of issuers is refused at start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuersFileError {
    /// No JSON, a member that does not exist, or a value of the wrong type.
    #[error("{0}")]
    Json(String),
    /// No issuer, or too many.
    #[error("has {0} issuers; it must have from 1 to {MAXIMUM}")]
    Count(usize),
    /// An issuer that cannot be accepted.
    #[error("issuer {issuer:?}: {member} {problem}")]
    Issuer {
        /// Which one.
        issuer: String,
        /// The member of the file.
        member: &'static str,
        /// The problem with it.
        problem: OidcConfigError,
    },
    /// Questions about tokens that cannot be asked so.
    #[error("issuer {issuer:?}: {member} {problem}")]
    Introspection {
        /// Which issuer.
        issuer: String,
        /// The member of the file.
        member: &'static str,
        /// The problem with it, without anything of a secret.
        problem: String,
    },
    /// An algorithm that cannot be accepted.
    #[error("issuer {issuer:?}: algorithms: {problem}")]
    Algorithm {
        /// Which issuer.
        issuer: String,
        /// The problem with it.
        problem: ParseAlgorithmError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuers: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    audience: Option<Vec<String>>,
    algorithms: Option<Vec<String>>,
    jwks_uri: Option<String>,
    #[serde(default)]
    required_scopes: Vec<String>,
    audience_claim: Option<String>,
    email_claim: Option<String>,
    roles_claim: Option<String>,
    #[serde(default)]
    require_at_jwt: bool,
    introspection_client_id: Option<String>,
    /// No secret stands in the file itself, which others may read.
    introspection_client_secret_file: Option<String>,
    introspection_url: Option<String>,
    introspect: Option<String>,
}

pub(super) fn parse(
    json: &str,
    audiences: &[String],
    mut read_secret: impl FnMut(&str) -> Result<SecretString, String>,
) -> Result<Vec<OidcConfig>, IssuersFileError> {
    let file: File = serde_json::from_str(json).map_err(|error| IssuersFileError::Json(error.to_string()))?;
    if !(1..=MAXIMUM).contains(&file.issuers.len()) {
        return Err(IssuersFileError::Count(file.issuers.len()));
    }
    file.issuers.into_iter().map(|entry| entry.into_config(audiences, &mut read_secret)).collect()
}

impl Entry {
    fn into_config(
        mut self,
        audiences: &[String],
        read_secret: impl FnMut(&str) -> Result<SecretString, String>,
    ) -> Result<OidcConfig, IssuersFileError> {
        let introspection = self.introspection(read_secret)?;
        let Self { issuer, audience, algorithms, jwks_uri, .. } = self;
        let wrong = |member| {
            let issuer = issuer.clone();
            move |problem| IssuersFileError::Issuer { issuer, member, problem }
        };
        let audience = audience.unwrap_or_else(|| audiences.to_vec());
        let mut config = OidcConfig::new(&issuer, audience).map_err(|problem| {
            let member = if problem == OidcConfigError::Audience { "audience" } else { "issuer" };
            wrong(member)(problem)
        })?;
        if let Some(names) = algorithms {
            let algorithms = names.iter().map(|name| name.parse()).collect::<Result<Vec<_>, _>>();
            let algorithms =
                algorithms.map_err(|problem| IssuersFileError::Algorithm { issuer: issuer.clone(), problem })?;
            config = config.with_algorithms(algorithms).map_err(wrong("algorithms"))?;
        }
        if let Some(url) = jwks_uri {
            config = config.with_jwks_uri(&url).map_err(wrong("jwks_uri"))?;
        }
        if let Some(asking) = introspection {
            config = config.with_introspection(asking);
        }
        config = config.with_required_scopes(self.required_scopes);
        if let Some(claim) = self.audience_claim {
            config = config.with_audience_claim(claim);
        }
        if let Some(claim) = self.email_claim {
            config = config.with_email_claim(claim);
        }
        if let Some(claim) = self.roles_claim {
            config = config.with_roles_claim(claim);
        }
        Ok(if self.require_at_jwt { config.requiring_at_jwt() } else { config })
    }

    /// How the issuer is asked about tokens, where it is.
    fn introspection(
        &mut self,
        mut read_secret: impl FnMut(&str) -> Result<SecretString, String>,
    ) -> Result<Option<IntrospectionConfig>, IssuersFileError> {
        const ID: &str = "introspection_client_id";
        const SECRET: &str = "introspection_client_secret_file";
        let issuer = self.issuer.clone();
        let wrong =
            |member, problem: String| IssuersFileError::Introspection { issuer: issuer.clone(), member, problem };
        let (id, path) = (self.introspection_client_id.take(), self.introspection_client_secret_file.take());
        let (url, introspect) = (self.introspection_url.take(), self.introspect.take());
        let (id, path) = match (id, path) {
            (None, None) if url.is_none() && introspect.is_none() => return Ok(None),
            (None, _) => return Err(wrong(ID, "is missing: the client as whom the issuer is asked".to_owned())),
            (Some(_), None) => return Err(wrong(SECRET, "is missing: the file with that client's secret".to_owned())),
            (Some(id), Some(path)) => (id, path),
        };
        let secret = read_secret(&path).map_err(|problem| wrong(SECRET, format!("{path:?}: {problem}")))?;
        let mut asking = IntrospectionConfig::new(id, secret);
        if let Some(url) = url {
            asking = asking.with_url(&url).map_err(|problem| wrong("introspection_url", problem.to_string()))?;
        }
        if let Some(tokens) = introspect {
            let tokens =
                tokens.parse::<IntrospectedTokens>().map_err(|problem| wrong("introspect", format!("{problem}")))?;
            asking = asking.about(tokens);
        }
        Ok(Some(asking))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Result<SecretString, String> {
        if path == "/run/secret" { Ok("the-secret".to_owned().into()) } else { Err("it is not there".to_owned()) }
    }

    fn problem(json: &str) -> String {
        parse(json, &[], read).map(|_| ()).expect_err("a problem").to_string()
    }

    #[test]
    fn each_issuer_has_its_own_rules() {
        let json = r#"{"issuers": [
            {"issuer": "https://a.example/", "audience": ["one", "two"], "algorithms": ["PS256"],
             "required_scopes": ["mcp"], "email_claim": "upn", "roles_claim": "groups", "require_at_jwt": true},
            {"issuer": "https://b.example", "jwks_uri": "https://keys.example/b"}
        ]}"#;
        let configs = parse(json, &["https://mcp.example.com/mcp".to_owned()], read).expect("issuers");
        let [a, b] = &configs[..] else { panic!("two issuers") };
        assert_eq!((a.issuer(), a.audiences()), ("https://a.example/", &["one".to_owned(), "two".to_owned()][..]));
        assert_eq!(a.algorithms, [crate::Algorithm::Ps256]);
        assert_eq!((a.email_claim.as_str(), a.roles_claim.as_str(), a.requires_at_jwt), ("upn", "groups", true));
        assert_eq!(a.required_scopes(), ["mcp"]);
        assert_eq!(b.audiences(), ["https://mcp.example.com/mcp"]);
        assert_eq!(b.jwks_uri.as_deref(), Some("https://keys.example/b"));
    }

    #[test]
    fn an_issuer_of_a_file_is_asked_about_tokens_like_the_one_of_the_settings() {
        let json = r#"{"issuers": [
            {"issuer": "https://a.example", "introspection_client_id": "mcp", "introspect": "jwt",
             "introspection_client_secret_file": "/run/secret", "introspection_url": "https://a.example/ask"},
            {"issuer": "https://b.example", "introspection_client_id": "mcp",
             "introspection_client_secret_file": "/run/secret", "audience_claim": "client_id"}
        ]}"#;
        let configs = parse(json, &["x".to_owned()], read).expect("issuers");
        let [a, b] = &configs[..] else { panic!("two issuers") };
        let asking = a.introspection().expect("introspection");
        assert_eq!((asking.client_id(), asking.url()), ("mcp", Some("https://a.example/ask")));
        assert_eq!(asking.with_secret(str::to_owned), "the-secret");
        assert_eq!((a.asks_about_opaque_tokens(), b.asks_about_opaque_tokens()), (false, true));
        assert_eq!((&a.audience_claim, b.audience_claim.as_deref()), (&None, Some("client_id")));
        assert!(!format!("{configs:?}").contains("the-secret"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert!(problem("{").contains("line 1"));
        assert!(problem(r#"{"issuers": [{"issuer": "x", "audiences": []}]}"#).contains("unknown field `audiences`"));
        assert_eq!(problem(r#"{"issuers": []}"#), "has 0 issuers; it must have from 1 to 16");
        let with = |member: &str| problem(&format!(r#"{{"issuers": [{{"issuer": "https://a.example", {member}}}]}}"#));
        assert!(with(r#""audience": []"#).starts_with(r#"issuer "https://a.example": audience must hold"#));
        assert!(with(r#""audience": ["x"], "algorithms": ["HS256"]"#).contains("never accepted"));
        assert!(with(r#""audience": ["x"], "algorithms": []"#).contains("algorithms must hold"));
        assert!(with(r#""audience": ["x"], "jwks_uri": "http://a.example""#).contains("jwks_uri must be an https"));
        let client = r#""audience": ["x"], "introspection_client_id": "mcp""#;
        let secret = r#""introspection_client_secret_file": "/run/secret""#;
        for (members, problem) in [
            (client.to_owned(), "introspection_client_secret_file is missing"),
            (format!(r#""audience": ["x"], {secret}"#), "introspection_client_id is missing"),
            (r#""audience": ["x"], "introspect": "all""#.to_owned(), "introspection_client_id is missing"),
            (format!(r#"{client}, {secret}, "introspect": "everything""#), "introspect must be opaque, jwt or all"),
            (
                format!(r#"{client}, {secret}, "introspection_url": "http://a.example""#),
                "introspection_url must be an https",
            ),
            (format!(r#"{client}, "introspection_client_secret_file": "/other""#), "\"/other\": it is not there"),
        ] {
            assert!(with(&members).contains(problem), "{members}: {}", with(&members));
        }
    }
}
