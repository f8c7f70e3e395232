//! Every way in which a request is refused: one variant, one stable code, one log line, one answer.

use http::StatusCode;

/// Why a request was refused.
///
/// The text of a variant is the reason in the log line and the `message` of the answer. It is specific enough to act
/// upon and reveals nothing about the expected secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Neither a Cloudflare Access header nor an `Authorization` header.
    #[error("no credentials")]
    MissingCredentials,
    /// The header that carries the credential is there more than once.
    #[error("duplicate credential header")]
    DuplicateHeader,
    /// `Authorization` is not `Bearer <token>` (RFC 6750 §2.1).
    #[error("authorization header malformed")]
    BearerMalformed,
    /// The Bearer token is none of those configured.
    #[error("bearer token mismatch")]
    BearerMismatch,
    /// A Cloudflare Access header came, but no team domain and audience are configured.
    #[error("cloudflare access is not configured")]
    AccessNotConfigured,
    /// Not a JWS in compact form with the claims of an access token (RFC 7515 §7.1, RFC 7519).
    #[error("jwt malformed")]
    JwtMalformed,
    /// Signed with an algorithm that is not allowed (RS256 alone is for Cloudflare Access), or not at all (RFC 8725 §3.1).
    #[error("algorithm not allowed")]
    AlgorithmNotAllowed,
    /// The token names a key that its issuer does not publish.
    #[error("unknown key id")]
    UnknownKeyId,
    /// The signature is not that of the named key.
    #[error("invalid signature")]
    InvalidSignature,
    /// `exp` has passed, leeway included (RFC 7519 §4.1.4).
    #[error("jwt expired")]
    JwtExpired,
    /// `nbf` or `iat` lies in the future, beyond the leeway (RFC 7519 §4.1.5, §4.1.6).
    #[error("jwt not yet valid")]
    JwtNotYetValid,
    /// `iss` is not the configured team domain, or none of the configured issuers.
    #[error("issuer mismatch")]
    IssuerMismatch,
    /// `aud` holds none of the audiences that are configured for the issuer.
    #[error("audience mismatch")]
    AudienceMismatch,
    /// A token that does not say who calls: without `sub`; of Access, without `email` and `common_name`, or a service token
    /// with `sub`.
    #[error("no identity in token")]
    NoIdentity,
    /// An Access service token that is not on the allow list.
    #[error("service token not allowed")]
    ServiceTokenNotAllowed,
    /// A valid token of somebody who is on neither allow list.
    #[error("user not allowed")]
    UserNotAllowed,
    /// The issuer's public keys cannot be had, so the token can be neither accepted nor refused.
    #[error("key server unreachable")]
    KeysUnavailable,
    /// The caller is known, but the server has no token for its upstream API.
    #[error("service token not found")]
    ServiceTokenMissing,
    /// The caller is known, but the store with the server's token for its upstream API cannot be reached.
    #[error("token store unavailable")]
    TokenStoreUnavailable,
    /// The caller is known, but the server's token for its upstream API does not decrypt.
    #[error("service token cannot be decrypted")]
    ServiceTokenUnreadable,
    /// A token of the right issuer that is not for calling an API, or not for a caller that only bears it: a session of the whole Access
    /// team, an ID token, a token that is bound to a key of the client.
    #[error("not an access token")]
    NotAnAccessToken,
    /// Issued longer ago than tokens are accepted here, though `exp` has not passed.
    #[error("jwt too old")]
    JwtTooOld,
    /// A valid token without a scope that is required here (RFC 6750 §3.1).
    #[error("insufficient scope")]
    InsufficientScope,
    /// The caller is known, but may not call this tool, by the rules of the server.
    #[error("tool not allowed")]
    ToolNotAllowed,
    /// The issuer says of an opaque token that it is not active: expired, revoked, or never issued (RFC 7662 §2.2).
    #[error("token not active")]
    TokenNotActive,
    /// The issuer does not say whether an opaque token is active, so it can be neither accepted nor refused.
    #[error("introspection unavailable")]
    IntrospectionUnavailable,
}

impl AuthError {
    /// All variants in the order of their codes; the runbook's index is made from it.
    pub const ALL: [Self; 26] = [
        Self::MissingCredentials,
        Self::DuplicateHeader,
        Self::BearerMalformed,
        Self::BearerMismatch,
        Self::AccessNotConfigured,
        Self::JwtMalformed,
        Self::AlgorithmNotAllowed,
        Self::UnknownKeyId,
        Self::InvalidSignature,
        Self::JwtExpired,
        Self::JwtNotYetValid,
        Self::IssuerMismatch,
        Self::AudienceMismatch,
        Self::NoIdentity,
        Self::ServiceTokenNotAllowed,
        Self::UserNotAllowed,
        Self::KeysUnavailable,
        Self::ServiceTokenMissing,
        Self::TokenStoreUnavailable,
        Self::ServiceTokenUnreadable,
        Self::NotAnAccessToken,
        Self::JwtTooOld,
        Self::InsufficientScope,
        Self::ToolNotAllowed,
        Self::TokenNotActive,
        Self::IntrospectionUnavailable,
    ];

    /// The stable code, `MCP-AUTH-001` and on. Codes are never reused.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MissingCredentials => "MCP-AUTH-001",
            Self::DuplicateHeader => "MCP-AUTH-002",
            Self::BearerMalformed => "MCP-AUTH-003",
            Self::BearerMismatch => "MCP-AUTH-004",
            Self::AccessNotConfigured => "MCP-AUTH-005",
            Self::JwtMalformed => "MCP-AUTH-006",
            Self::AlgorithmNotAllowed => "MCP-AUTH-007",
            Self::UnknownKeyId => "MCP-AUTH-008",
            Self::InvalidSignature => "MCP-AUTH-009",
            Self::JwtExpired => "MCP-AUTH-010",
            Self::JwtNotYetValid => "MCP-AUTH-011",
            Self::IssuerMismatch => "MCP-AUTH-012",
            Self::AudienceMismatch => "MCP-AUTH-013",
            Self::NoIdentity => "MCP-AUTH-014",
            Self::ServiceTokenNotAllowed => "MCP-AUTH-015",
            Self::UserNotAllowed => "MCP-AUTH-016",
            Self::KeysUnavailable => "MCP-AUTH-017",
            Self::ServiceTokenMissing => "MCP-AUTH-018",
            Self::TokenStoreUnavailable => "MCP-AUTH-019",
            Self::ServiceTokenUnreadable => "MCP-AUTH-020",
            Self::NotAnAccessToken => "MCP-AUTH-021",
            Self::JwtTooOld => "MCP-AUTH-022",
            Self::InsufficientScope => "MCP-AUTH-023",
            Self::ToolNotAllowed => "MCP-AUTH-024",
            Self::TokenNotActive => "MCP-AUTH-025",
            Self::IntrospectionUnavailable => "MCP-AUTH-026",
        }
    }

    /// The HTTP status of the answer: 401, 403 for a known caller who may not, 503 where the server cannot decide or act.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::UserNotAllowed | Self::InsufficientScope | Self::ToolNotAllowed => StatusCode::FORBIDDEN,
            Self::KeysUnavailable
            | Self::ServiceTokenMissing
            | Self::TokenStoreUnavailable
            | Self::ServiceTokenUnreadable
            | Self::IntrospectionUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// The `error` member of the answer: RFC 6750 §3.1 where it has a word.
    #[must_use]
    pub const fn oauth_error(self) -> &'static str {
        match self {
            // §3.1: a request without any credential gets no error code, but JSON clients want a member; this one is ours.
            Self::MissingCredentials => "unauthorized",
            Self::BearerMalformed | Self::DuplicateHeader => "invalid_request",
            Self::UserNotAllowed => "access_denied",
            Self::InsufficientScope | Self::ToolNotAllowed => "insufficient_scope",
            Self::KeysUnavailable
            | Self::ServiceTokenMissing
            | Self::TokenStoreUnavailable
            | Self::ServiceTokenUnreadable
            | Self::IntrospectionUnavailable => "temporarily_unavailable",
            _ => "invalid_token",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::AuthError;

    #[test]
    fn codes_are_unique_and_in_order() {
        let codes: Vec<_> = AuthError::ALL.iter().map(|e| e.code()).collect();
        let expected: Vec<_> = (1..=codes.len()).map(|n| format!("MCP-AUTH-{n:03}")).collect();
        assert_eq!(codes, expected);
        let texts: HashSet<_> = AuthError::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), codes.len(), "every failure has a text of its own");
    }
}
