//! The error codes of generated servers, for the pages: the captured output of each failure, and the fix for each code.
//! `tests/docs_outputs.rs` triggers the failures in the auth crate and fails when these texts differ from the code.

use serde::Serialize;

/// The captured outputs by name: the request, the answer, the log line.
pub const OUTPUTS: &[(&str, &str)] = &[
    ("audience_mismatch", include_str!("outputs/audience_mismatch.txt")),
    ("bearer_mismatch", include_str!("outputs/bearer_mismatch.txt")),
    ("cannot_start", include_str!("outputs/cannot_start.txt")),
    ("database_unreachable", include_str!("outputs/database_unreachable.txt")),
    ("doctor_audience", include_str!("outputs/doctor_audience.txt")),
    ("doctor_key", include_str!("outputs/doctor_key.txt")),
    ("doctor_network", include_str!("outputs/doctor_network.txt")),
    ("issuer_mismatch", include_str!("outputs/issuer_mismatch.txt")),
    ("jwt_expired", include_str!("outputs/jwt_expired.txt")),
    ("jwt_malformed", include_str!("outputs/jwt_malformed.txt")),
    ("key_server_unreachable", include_str!("outputs/key_server_unreachable.txt")),
    ("network_name_unknown", include_str!("outputs/network_name_unknown.txt")),
    ("no_credentials", include_str!("outputs/no_credentials.txt")),
    ("service_token_not_found", include_str!("outputs/service_token_not_found.txt")),
    ("unknown_key_id", include_str!("outputs/unknown_key_id.txt")),
    ("wrong_encryption_key", include_str!("outputs/wrong_encryption_key.txt")),
];

/// A row of the table of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorCode {
    /// The stable code.
    pub code: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The reason, as in the answer and the log.
    pub message: &'static str,
    /// The fix.
    pub advice: &'static str,
}

macro_rules! error_catalogue {
    ($($code:literal $status:literal $message:literal => $advice:literal;)*) => {
        /// All codes, in order.
        pub const ERROR_CATALOGUE: &[ErrorCode] =
            &[$(ErrorCode { code: concat!("MCP-AUTH-", $code), status: $status, message: $message, advice: $advice }),*];
    };
}

error_catalogue! {
    "001" 401 "no credentials" => "The client sent neither header. Through Access: the request went around it, or a gateway drops Cf-Access-Jwt-Assertion.";
    "002" 401 "duplicate credential header" => "Two headers where one belongs: a proxy adds its own to the client's. Let one of them do it.";
    "003" 401 "authorization header malformed" => "It has to be Bearer, one space and the token, without quotation marks.";
    "004" 401 "bearer token mismatch" => "The token is none of those in MCP_DEV_BEARER_TOKEN. The server reads it at start: restart it after a change.";
    "005" 401 "cloudflare access is not configured" => "A Cloudflare header came, but CF_ACCESS_TEAM_DOMAIN and CF_ACCESS_AUD are not set.";
    "006" 401 "jwt malformed" => "What came is no token of Access or of an issuer: cut off, opaque, or something else in that header.";
    "007" 401 "algorithm not allowed" => "Of Access only RS256 is accepted, of another issuer those of OIDC_ALGORITHMS. The token is from elsewhere.";
    "008" 401 "unknown key id" => "The issuer does not publish that key: another team's token, or CF_ACCESS_TEAM_DOMAIN or OIDC_ISSUER names another.";
    "009" 401 "invalid signature" => "The token was changed on its way, or forged.";
    "010" 401 "jwt expired" => "Log in again. If new tokens expire at once, the clock of the server is ahead.";
    "011" 401 "jwt not yet valid" => "The clock of the server is more than a minute behind.";
    "012" 401 "issuer mismatch" => "CF_ACCESS_TEAM_DOMAIN or OIDC_ISSUER is not what issued the token. It is compared exactly, with its last slash.";
    "013" 401 "audience mismatch" => "CF_ACCESS_AUD is not the tag of the application that the client came through, or OIDC_AUDIENCE not what the issuer writes into aud.";
    "014" 401 "no identity in token" => "The token has neither email nor common_name, which Access puts into those of people and of service tokens, or a person has no sub. Look at which identity provider and policy the caller came through.";
    "015" 401 "service token not allowed" => "Add the Client ID of the Access service token to CF_ACCESS_ALLOWED_SERVICE_TOKENS.";
    "016" 403 "user not allowed" => "The person is in neither allow list of the server. Add them, or leave the lists empty to trust the policy of Access.";
    "017" 503 "key server unreachable" => "The server cannot fetch the issuer's keys: outgoing HTTPS, name resolution, or the name of the team or issuer.";
    "018" 503 "service token not found" => "The store has no token of that name for this server. In PostgreSQL: tokens list, then tokens set.";
    "019" 503 "token store unavailable" => "PostgreSQL, Infisical or Vault cannot be reached. Cached tokens work for 15 minutes; the log has the reason.";
    "020" 503 "service token cannot be decrypted" => "The key is not the one that sealed the token. Put the old key back, or give it as well and rotate.";
    "021" 401 "not an access token" => "A session of the whole Access team, an ID token, or a token that is bound to a key of the client. Send the access token that was issued for this server.";
    "022" 401 "jwt too old" => "Log in again. Where sessions are to be longer than a day, raise MAX_TOKEN_AGE.";
    "023" 403 "insufficient scope" => "The token lacks a scope of OIDC_REQUIRED_SCOPES. The answer names it: let the client ask the issuer for it.";
    "024" 403 "tool not allowed" => "No rule of POLICY_FILE lets this caller call this tool. The audit line names both: change the rules, or the roles of the caller.";
    "025" 401 "token not active" => "The issuer says that the opaque token is expired, revoked or not its own. Log in again.";
    "026" 503 "introspection unavailable" => "The issuer does not say whether an opaque token is active. The log says why: OIDC_INTROSPECTION_CLIENT_SECRET, OIDC_INTROSPECTION_URL, or the way to the issuer.";
}
