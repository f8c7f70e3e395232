//! A server whose token is in Vault, and one whose key Transit has wrapped, against a real OpenBao: from the settings to the
//! answer of a tool, `/status`, and what `doctor` says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may say what they expect")]

mod support;

#[path = "../../mcp-auth-middleware/tests/harness/openbao.rs"]
mod openbao;
#[path = "../../mcp-auth-middleware/tests/harness/postgres.rs"]
mod postgres;

use std::process::{Output, Stdio};

use openbao::OpenBao;
use reqwest::Method;
use serde_json::{Value, json};
use support::{BEARER, TestServer, answer, with};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const VALUE: &str = "of-the-upstream-5e1f9c74";
const READ: &str = r#"path "secret/data/mcp/whoami-server" { capabilities = ["read"] }"#;

async fn program(args: &[&str], pairs: &[(&str, &str)], input: &str) -> Output {
    let mut command = Command::new(support::program());
    command.args(args).env_clear().envs(pairs.iter().copied()).kill_on_drop(true);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that refuses before it reads has closed it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
    child.wait_with_output().await.unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A server whose login may read its own secret, and the variables for it.
async fn ready() -> Option<(OpenBao, Vec<(&'static str, String)>)> {
    let bao = openbao::start().await?;
    bao.policy("read", READ).await;
    let (role_id, secret_id) = bao.app_role(json!({"token_policies": ["read"], "token_ttl": "1h"})).await;
    let file = bao.file("secret_id", &secret_id);
    let pairs = vec![
        ("TOKEN_STORE", "vault".to_owned()),
        ("VAULT_ADDR", bao.address.clone()),
        ("VAULT_ROLE_ID", role_id),
        ("VAULT_SECRET_ID_FILE", file.to_str().unwrap().to_owned()),
        ("VAULT_PATH", "mcp".to_owned()),
    ];
    Some((bao, pairs))
}

fn borrowed<'a>(pairs: &'a [(&'static str, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let given = pairs.iter().map(|(name, value)| (*name, value.as_str()));
    given.filter(|(name, _)| !more.iter().any(|(other, _)| other == name)).chain(more.iter().copied()).collect()
}

async fn shown(server: &TestServer) -> String {
    let result = server.call("show_token", json!({})).await;
    assert_ne!(result["isError"], json!(true), "{result}");
    result["structuredContent"]["token"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_tool_has_the_token_from_vault_and_the_status_says_where_it_is() {
    let Some((bao, pairs)) = ready().await else { return };
    bao.put("mcp/whoami-server", json!({"API_TOKEN": VALUE})).await;
    let server = with(&borrowed(&pairs, &[("API_TOKEN", "")])).await;
    assert_eq!(shown(&server).await, VALUE);
    let (_, document) = answer(server.http.get(server.url("/status")).bearer_auth(BEARER)).await;
    assert_eq!(document["tokenStore"]["kind"], "vault");
    assert_eq!(document["tokenStore"]["reachable"], true);
    assert!(!document.to_string().contains(VALUE));
    let (_, health) = answer(server.http.get(server.url("/health"))).await;
    assert_eq!(health["auth"]["tokenStorage"], "vault");
}

#[tokio::test]
async fn the_server_starts_without_vault_and_says_so() {
    let pairs = [
        ("TOKEN_STORE", "vault"),
        ("VAULT_ADDR", "http://127.0.0.1:1"),
        ("VAULT_AUTH", "kubernetes"),
        ("VAULT_ROLE", "coda"),
        ("VAULT_JWT_FILE", "/no/such/token"),
        ("API_TOKEN", ""),
    ];
    let server = with(&pairs).await;
    assert_eq!(answer(server.http.get(server.url("/health"))).await.0, 200);
    let (_, document) = answer(server.http.get(server.url("/status")).bearer_auth(BEARER)).await;
    assert_eq!(document["tokenStore"]["reachable"], false);
}

#[tokio::test]
async fn doctor_says_what_is_wrong() {
    let Some((bao, pairs)) = ready().await else { return };
    let doctor = async |more: &[(&str, &str)]| {
        let more = [more, &[("MCP_DEV_BEARER_TOKEN", BEARER)]].concat();
        let output = program(&["doctor"], &borrowed(&pairs, &more), "").await;
        let said = text(&output);
        assert!(!said.contains(VALUE), "{said}");
        (output.status.success(), said)
    };
    let fails = async |more: &[(&str, &str)], words: &str| {
        let (success, said) = doctor(more).await;
        assert!(!success && said.contains(words), "{words:?} is not in\n{said}");
    };
    fails(&[], "API_TOKEN is not stored for whoami-server").await;
    fails(&[], "bao kv patch secret/mcp/whoami-server NAME=-").await;
    bao.put("mcp/whoami-server", json!({"API_TOKEN": VALUE})).await;
    let (_, said) = doctor(&[]).await;
    assert!(said.contains("Vault answers, and lets the server in") && said.contains("API_TOKEN is stored"), "{said}");
    bao.admin(Method::DELETE, "secret/data/mcp/whoami-server", Value::Null).await;
    fails(&[], "the newest version of secret/mcp/whoami-server in Vault was deleted").await;
    fails(&[("VAULT_ROLE_ID", "another")], "Vault refuses the login (approle): check role id and secret id").await;
    fails(&[("VAULT_PATH", "other")], "a policy of the login has `read` on the secret").await;
    fails(&[("VAULT_NAMESPACE", "nobody")], "no such namespace").await;
    fails(&[("VAULT_ADDR", "ftp://vault")], "not looked at").await;
    bao.admin(Method::PUT, "sys/seal", Value::Null).await;
    fails(&[], "it is sealed, and has to be unsealed").await;
}

#[tokio::test]
async fn doctor_names_the_setting_for_an_authority_that_is_not_known() {
    let Some(bao) = openbao::start_tls().await else { return };
    bao.put("mcp/whoami-server", json!({"API_TOKEN": VALUE})).await;
    bao.policy("read", READ).await;
    let token = bao.token("read", json!({})).await;
    let authority = bao.file("authority.pem", std::str::from_utf8(&bao.authority).unwrap());
    let doctor = async |authority: &str| {
        let pairs = [
            ("TOKEN_STORE", "vault"),
            ("VAULT_ADDR", &bao.address),
            ("VAULT_AUTH", "token"),
            ("VAULT_TOKEN", &token),
            ("VAULT_PATH", "mcp"),
            ("VAULT_CACERT", authority),
            ("MCP_DEV_BEARER_TOKEN", BEARER),
        ];
        text(&program(&["doctor"], &pairs, "").await)
    };
    let said = doctor("").await;
    assert!(said.contains("the certificate of Vault does not count: UnknownIssuer"), "{said}");
    assert!(said.contains("VAULT_CACERT names the file with the certificate of its authority."), "{said}");
    let said = doctor(authority.to_str().unwrap()).await;
    assert!(said.contains("Vault answers, and lets the server in"), "{said}");
}

/// attacks.md 40, for a key that is wrapped.
#[tokio::test]
async fn attack_40_the_key_of_postgresql_is_unwrapped_at_the_start_or_nothing_starts() {
    const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"; // pragma: allowlist secret
    let Some((mut bao, pairs)) = ready().await else { return };
    bao.post("sys/mounts/transit", json!({"type": "transit"})).await;
    bao.post("transit/keys/mcp-auth", json!({})).await;
    bao.policy("read", r#"path "transit/+/mcp-auth" { capabilities = ["read", "update"] }"#).await;
    let database = postgres::shared().database().await;
    let url = database.url();
    let common = [("TOKEN_STORE", "postgres"), ("DATABASE_URL", url.as_str())];
    let local = [&common[..], &[("MCP_AUTH_ENCRYPTION_KEY", KEY)]].concat();
    assert!(program(&["tokens", "set", "API_TOKEN"], &local, VALUE).await.status.success());

    // The key that there is, wrapped.
    let transit = [&common[..], &[("MCP_AUTH_KEY_PROVIDER", "transit")]].concat();
    let wrap = program(&["transit", "wrap", "--stdin"], &borrowed(&pairs, &transit), KEY).await;
    assert!(wrap.status.success(), "{}", text(&wrap));
    let first = String::from_utf8(wrap.stdout).unwrap().trim().to_owned();
    assert!(first.starts_with("vault:v1:") && !first.contains(KEY), "{first}");
    let get = async |key: &str, more: &[(&str, &str)]| {
        let more = [&transit[..], &[("MCP_AUTH_ENCRYPTION_KEY", key)], more].concat();
        text(&program(&["tokens", "get", "API_TOKEN"], &borrowed(&pairs, &more), "").await)
    };
    assert_eq!(get(&first, &[]).await.trim(), VALUE);
    let more = [&transit[..], &[("MCP_AUTH_ENCRYPTION_KEY", first.as_str()), ("API_TOKEN", "")]].concat();
    let server = with(&borrowed(&pairs, &more)).await;
    assert_eq!(shown(&server).await, VALUE);

    // Rotated in Transit.
    bao.post("transit/keys/mcp-auth/rotate", json!({})).await;
    let more = [&transit[..], &[("MCP_AUTH_ENCRYPTION_KEY", first.as_str())]].concat();
    let rewrap = program(&["transit", "rewrap"], &borrowed(&pairs, &more), "").await;
    let second = String::from_utf8(rewrap.stdout).unwrap().trim().to_owned();
    assert!(second.starts_with("vault:v2:"), "{second}");
    bao.post("transit/keys/mcp-auth/config", json!({"min_decryption_version": 2})).await;
    assert_eq!(get(&second, &[]).await.trim(), VALUE);
    let refused = get(&first, &[]).await;
    assert!(refused.contains("wrapped by version 1 of mcp-auth, which is below min_decryption_version"), "{refused}");
    let refused = get(&second, &[("MCP_AUTH_DEPLOYMENT", "staging")]).await;
    assert!(refused.contains("wrapped for another deployment than staging"), "{refused}");
    let refused = get(KEY, &[]).await;
    assert!(refused.contains("the encryption key is not wrapped") && !refused.contains(KEY), "{refused}");
    let file = bao.file("wrapped", &format!("{second}\n"));
    let by_file = [&transit[..], &[("MCP_AUTH_KEY_FILE", file.to_str().unwrap())]].concat();
    let got = program(&["tokens", "get", "API_TOKEN"], &borrowed(&pairs, &by_file), "").await;
    assert_eq!(text(&got).trim(), VALUE);

    // Down: what runs goes on, and what starts says why not.
    bao.stop();
    assert_eq!(shown(&server).await, VALUE);
    let more = [
        &transit[..],
        &[("MCP_AUTH_ENCRYPTION_KEY", second.as_str()), ("MCP_DEV_BEARER_TOKEN", BEARER), ("PORT", "0")],
    ];
    let started = program(&[], &borrowed(&pairs, &more.concat()), "").await;
    assert_eq!(started.status.code(), Some(2));
    assert!(text(&started).contains("the encryption key cannot be unwrapped: token store unavailable: cannot connect"));
}
