//! Several issuers in one JSON file. Its members are the settings of one issuer in lower case.

use serde::Deserialize;

use super::{OidcConfig, OidcConfigError};
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
    email_claim: Option<String>,
    roles_claim: Option<String>,
    #[serde(default)]
    require_at_jwt: bool,
}

pub(super) fn parse(json: &str, audiences: &[String]) -> Result<Vec<OidcConfig>, IssuersFileError> {
    let file: File = serde_json::from_str(json).map_err(|error| IssuersFileError::Json(error.to_string()))?;
    if !(1..=MAXIMUM).contains(&file.issuers.len()) {
        return Err(IssuersFileError::Count(file.issuers.len()));
    }
    file.issuers.into_iter().map(|entry| entry.into_config(audiences)).collect()
}

impl Entry {
    fn into_config(self, audiences: &[String]) -> Result<OidcConfig, IssuersFileError> {
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
        config = config.with_required_scopes(self.required_scopes);
        if let Some(claim) = self.email_claim {
            config = config.with_email_claim(claim);
        }
        if let Some(claim) = self.roles_claim {
            config = config.with_roles_claim(claim);
        }
        Ok(if self.require_at_jwt { config.requiring_at_jwt() } else { config })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> String {
        parse(json, &[]).map(|_| ()).expect_err("a problem").to_string()
    }

    #[test]
    fn each_issuer_has_its_own_rules() {
        let json = r#"{"issuers": [
            {"issuer": "https://a.example/", "audience": ["one", "two"], "algorithms": ["PS256"],
             "required_scopes": ["mcp"], "email_claim": "upn", "roles_claim": "groups", "require_at_jwt": true},
            {"issuer": "https://b.example", "jwks_uri": "https://keys.example/b"}
        ]}"#;
        let configs = parse(json, &["https://mcp.example.com/mcp".to_owned()]).expect("issuers");
        let [a, b] = &configs[..] else { panic!("two issuers") };
        assert_eq!((a.issuer(), a.audiences()), ("https://a.example/", &["one".to_owned(), "two".to_owned()][..]));
        assert_eq!(a.algorithms, [crate::Algorithm::Ps256]);
        assert_eq!((a.email_claim.as_str(), a.roles_claim.as_str(), a.requires_at_jwt), ("upn", "groups", true));
        assert_eq!(a.required_scopes(), ["mcp"]);
        assert_eq!(b.audiences(), ["https://mcp.example.com/mcp"]);
        assert_eq!(b.jwks_uri.as_deref(), Some("https://keys.example/b"));
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
    }
}
