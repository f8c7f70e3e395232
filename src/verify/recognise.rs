//! An answer to a client without credentials → its sender and its meaning. Pure.

#![cfg_attr(not(feature = "online"), allow(dead_code, reason = "only requests use it"))]

use super::observation::Seen;

/// The part of an answer that shows its sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerParts<'a> {
    pub(super) status: u16,
    pub(super) content_type: &'a str,
    pub(super) location: &'a str,
    /// All challenges, in one text.
    pub(super) challenge: &'a str,
    pub(super) body: &'a str,
}

/// Returns the sender and the meaning. An answer of MCP is recognised before.
pub(super) fn recognise(answer: &AnswerParts<'_>) -> Seen {
    let json: Option<serde_json::Value> = serde_json::from_str(answer.body).ok();
    let code = json.as_ref().and_then(|json| json.get("code")?.as_str()).unwrap_or_default();
    if code.starts_with("MCP-AUTH-") {
        return Seen::ServerRefuses(code.chars().take(12).collect());
    }
    let is_html = answer.content_type.starts_with("text/html");
    let is_text = answer.content_type.starts_with("text/plain");
    let is_login = |text: &str| text.contains("cloudflareaccess.com") || text.contains("/cdn-cgi/access/login");
    match answer.status {
        300..=399 if is_login(answer.location) => Seen::AccessLogin,
        300..=399 => Seen::Elsewhere(answer.location.to_owned()),
        _ if is_html && is_login(answer.body) => Seen::AccessLogin,
        200..=299 if is_html => Seen::Page,
        401 if answer.challenge.contains("cloudflare-access-protected-resource") => Seen::AccessChallenge,
        401 => Seen::Challenge,
        403 if answer.body.contains("Host not allowed") => Seen::UnknownHost,
        // "Your request was blocked." to `Claude-User` alone (anthropics/claude-ai-mcp#968).
        403 if is_text && answer.body.to_ascii_lowercase().contains("blocked") => Seen::Block,
        403 => Seen::Forbidden,
        // Said by the server itself, as neither edge nor proxy speaks JSON-RPC.
        500.. if json.is_some_and(|json| json.get("jsonrpc").is_some()) => Seen::ServerFails(answer.status),
        status if is_unreached(status) => Seen::NoServer(status),
        status if answer.body.contains("error code: 1033") => Seen::NoServer(status),
        status => Seen::Other(status),
    }
}

/// Returns whether this status is that of an edge or a proxy that does not reach the server (Cloudflare's are 520 to 526 and 530).
fn is_unreached(status: u16) -> bool {
    matches!(status, 502..=504 | 520..=526 | 530)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: u16, content_type: &str, location: &str, challenge: &str, body: &str) -> Seen {
        recognise(&AnswerParts { status, content_type, location, challenge, body })
    }

    #[test]
    fn senders_are_told_apart() {
        let team = "https://team.cloudflareaccess.com/cdn-cgi/access/login/x";
        let edge = "Bearer resource_metadata=\"https://h/.well-known/cloudflare-access-protected-resource/mcp\"";
        for (answer, expected) in [
            (
                seen(401, "application/json", "", "", r#"{"code":"MCP-AUTH-001"}"#),
                Seen::ServerRefuses("MCP-AUTH-001".to_owned()),
            ),
            (
                seen(
                    503,
                    "application/json",
                    "",
                    "",
                    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603},"code":"MCP-AUTH-017"}"#,
                ),
                Seen::ServerRefuses("MCP-AUTH-017".to_owned()),
            ),
            (
                seen(503, "application/json", "", "", r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603}}"#),
                Seen::ServerFails(503),
            ),
            (seen(302, "", team, "", ""), Seen::AccessLogin),
            (seen(200, "text/html", "", "", team), Seen::AccessLogin),
            (seen(301, "", "https://h/mcp/", "", ""), Seen::Elsewhere("https://h/mcp/".to_owned())),
            (seen(200, "text/html; charset=utf-8", "", "", "<p>Hello"), Seen::Page),
            (seen(401, "", "", edge, ""), Seen::AccessChallenge),
            (seen(401, "", "", "Bearer", ""), Seen::Challenge),
            (seen(403, "text/plain", "", "", "Your request was blocked."), Seen::Block),
            (seen(403, "text/html", "", "", "Sorry"), Seen::Forbidden),
            (seen(403, "text/plain", "", "", "Forbidden: Host not allowed"), Seen::UnknownHost),
            (seen(530, "text/html", "", "", "error code: 1033"), Seen::NoServer(530)),
            (seen(502, "", "", "", ""), Seen::NoServer(502)),
            (seen(404, "", "", "", ""), Seen::Other(404)),
        ] {
            assert_eq!(answer, expected);
        }
    }
}
