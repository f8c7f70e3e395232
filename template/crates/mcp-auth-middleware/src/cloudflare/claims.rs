//! What an Access token says, read strictly: a claim that is there twice or of the wrong type is an error.

use serde::Deserialize;

/// The claims that decide. `exp`, `nbf`, `iss` and `aud` are checked by `jsonwebtoken` after the signature; they are
/// listed here so that a second occurrence is an error (RFC 7519 §4: claim names must be unique).
#[derive(Deserialize)]
pub(super) struct Claims {
    #[allow(dead_code, reason = "read for its uniqueness; the value is checked by jsonwebtoken")]
    pub exp: serde_json::Number,
    #[serde(default)]
    pub iat: Option<serde_json::Number>,
    #[serde(default, rename = "nbf")]
    #[allow(dead_code, reason = "as exp")]
    pub _nbf: Option<serde_json::Number>,
    #[serde(rename = "iss")]
    #[allow(dead_code, reason = "as exp")]
    pub _iss: String,
    #[serde(rename = "aud")]
    #[allow(dead_code, reason = "as exp")]
    pub _aud: Audience,
    #[serde(default)]
    pub sub: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub common_name: Option<String>,
}

/// One audience or several (RFC 7519 §4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(#[allow(dead_code, reason = "shape only")] String),
    Many(#[allow(dead_code, reason = "shape only")] Vec<String>),
}
