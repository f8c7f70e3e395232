//! The answers to refused callers: the status, the challenge of RFC 6750, and a body for people and programs.

use http::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response};

use super::{Authenticator, origin_of};
use crate::AuthError;
use crate::refusal::{Detail, Refusal};

impl Authenticator {
    pub(super) fn refuse<B: From<String>>(&self, refusal: &Refusal, headers: &HeaderMap) -> Response<B> {
        let error = refusal.error;
        self.counters.count(error);
        let mut body = serde_json::json!({
            "error": error.oauth_error(),
            "code": error.code(),
            "message": error.to_string(),
        });
        if let Some(Detail::MissingScopes { missing, .. }) = refusal.detail.as_deref()
            && !missing.is_empty()
        {
            body["missing_scopes"] = missing.join(" ").into();
        }
        let mut response = Response::new(B::from(body.to_string()));
        *response.status_mut() = error.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // The body of a refused request is not read, so the connection cannot be used again.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        match error.status() {
            http::StatusCode::FORBIDDEN if error == AuthError::UserNotAllowed => {}
            http::StatusCode::UNAUTHORIZED | http::StatusCode::FORBIDDEN => {
                if let Some(challenge) = self.challenge(refusal, self.metadata_url(headers).as_deref()) {
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                }
            }
            http::StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }

    /// The scopes that a token needs here: of the refused one's issuer, or of any.
    fn needed_scopes(&self, refusal: &Refusal) -> Vec<String> {
        if let Some(Detail::MissingScopes { required, .. }) = refusal.detail.as_deref() {
            return required.clone();
        }
        self.config.required_scopes()
    }

    /// RFC 6750 §3; `resource_metadata` is RFC 9728 §5.1, by which MCP clients find out how to authenticate. With `scope`
    /// they know what to ask for (MCP, "Scope Selection Strategy" and "Scope Challenge Handling").
    fn challenge(&self, refusal: &Refusal, resource_metadata: Option<&str>) -> Option<HeaderValue> {
        let mut value = format!("Bearer realm=\"{}\"", quoted(&self.config.service_name));
        let error = refusal.error;
        if error != AuthError::MissingCredentials {
            value.push_str(&format!(", error=\"{}\", error_description=\"{error}\"", error.oauth_error()));
        }
        let scopes = self.needed_scopes(refusal);
        if !scopes.is_empty() {
            value.push_str(&format!(", scope=\"{}\"", quoted(&scopes.join(" "))));
        }
        if let Some(url) = resource_metadata {
            value.push_str(&format!(", resource_metadata=\"{}\"", quoted(url)));
        }
        HeaderValue::from_str(&value).ok()
    }

    /// Where the metadata of the protected resource is (RFC 9728 §3.1), by the configured address, or by the name under
    /// which the caller reached us. Whether that is one of ours is for the layer in front.
    fn metadata_url(&self, headers: &HeaderMap) -> Option<String> {
        let path = self.config.resource_path.as_deref()?;
        let origin = match &self.config.public_origin {
            Some(origin) => origin.clone(),
            None => origin_of(headers.get(HOST)?.to_str().ok()?)?,
        };
        Some(format!("{origin}/.well-known/oauth-protected-resource{path}"))
    }
}

/// The inside of a quoted-string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c]))
        .collect()
}
