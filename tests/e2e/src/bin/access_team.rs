//! A Cloudflare Access team for one run: a key server on loopback, and tokens signed with its key.
//!
//! Prints one line of JSON: what the server under test needs to know, and the tokens by name. Serves until it is killed.

use std::io::Write as _;

use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestKey, TestTeam, now};
use serde_json::json;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let team = TestTeam::start().await?;
    let person = team.claims("ada@example.com");
    let with = |name: &str, value: serde_json::Value| {
        let mut claims = person.clone();
        claims[name] = value;
        claims
    };
    let stranger = TestKey::generate(team.key.kid());
    let line = json!({
        "certs_url": team.certs_url(),
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "tokens": {
            "person": team.sign(&person),
            "service": team.sign(&team.service_claims("ci.access")),
            "expired": team.sign(&with("exp", json!(now() - 3600))),
            "other audience": team.sign(&with("aud", json!(["0".repeat(64)]))),
            "other issuer": team.sign(&with("iss", json!("https://other.cloudflareaccess.com"))),
            "other key": stranger.sign(&team.key.header(), &person),
            "no signature": stranger.sign(&json!({"alg": "none", "kid": team.key.kid()}), &person),
        },
    });
    println!("{line}");
    std::io::stdout().flush()?;
    std::future::pending().await
}
