//! What the rules of `POLICY_FILE` cost a call of a tool, beside the check of an access token at first sight, which is little more than
//! a bare signature check (see the bench `access` of the auth crate).
//!
//! `cargo bench -p mcp-server-runtime --features testing --bench policy`. The rounds alternate, so that whatever else the machine
//! does falls on both alike.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_auth_middleware::testing::{RESOURCE, TestIssuer};
use mcp_auth_middleware::{Grant, OidcConfig, OidcValidator, User, UserKind, validate_access_token};
use mcp_server_runtime::testing::TestPolicy;

const CALLS: u32 = 10_000;

fn time(mut run: impl FnMut()) -> Duration {
    let started = Instant::now();
    (0..CALLS).for_each(|_| run());
    started.elapsed() / CALLS
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    // Twenty rules of which the last one lets this caller in: the most that a call has to look at.
    let texts = |word: &str, n: usize| (0..10).map(|k| format!("{word}-{n}-{k}")).collect::<Vec<_>>();
    let rules: Vec<_> = (0..20)
        .map(|n| {
            serde_json::json!({
                "name": format!("rule {n}"), "roles": texts("role", n), "scopes": texts("scope", n),
                "domains": [format!("{n}.example.com")], "tools": texts("tool", n),
            })
        })
        .collect();
    let policy = TestPolicy::parse(&serde_json::json!({"rules": rules}).to_string()).unwrap();
    let grant = Grant {
        issuer: "https://login.example.com".to_owned(),
        roles: ["staff", "reader", "analyst", "role-19-9"].map(str::to_owned).to_vec(),
        scopes: ["openid", "mcp"].map(str::to_owned).to_vec(),
        ..Grant::default()
    };
    let user = User {
        email: "user@example.com".to_owned(),
        user_uuid: Some("7335d417-61da-459d-899c-0a01c76a2f94".to_owned()),
        kind: UserKind::Human,
        grant: Some(Arc::new(grant)),
    };
    assert!(policy.allows(&user, "tool-19-9") && !policy.allows(&user, "tool-0-0"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let issuer = runtime.block_on(TestIssuer::start()).unwrap();
    let validator = OidcValidator::new(vec![OidcConfig::new(issuer.issuer(), [RESOURCE]).unwrap()]).unwrap();
    let tokens: Vec<_> = (0..51 * 20).map(|n| issuer.token(&format!("{n}@example.com"))).collect();
    let validate = |token: &String| runtime.block_on(validate_access_token(token, &validator)).unwrap();
    validate(&issuer.token("first@example.com"));
    let (mut rules, mut checks) = (Vec::new(), Vec::new());
    for batch in tokens.chunks(20) {
        rules.push(time(|| assert!(black_box(policy.allows(black_box(&user), "tool-19-9")))));
        let started = Instant::now();
        for token in batch {
            black_box(validate(token));
        }
        checks.push(started.elapsed() / 20);
    }
    let (rules, checks) = (median(rules), median(checks));
    let share = 100.0 * rules.as_secs_f64() / checks.as_secs_f64();
    println!(
        "20 rules, the last of which allows: {rules:.2?} a call (below 1 µs), {share:.1} % of the check of a new RS256 token ({checks:.2?})"
    );
}
