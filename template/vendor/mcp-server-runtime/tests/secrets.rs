//! Secrets that change while the server runs: in the file itself, by a rename, by the symbolic links of Kubernetes.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

mod support;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use support::{BEARER, TestServer, answer, with};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

fn write(path: &Path, content: &str) {
    std::fs::write(path, content).expect("written");
}

/// What an API is shown.
async fn shown(server: &TestServer) -> String {
    let result = server.call("show_token", json!({})).await;
    result["structuredContent"]["token"].as_str().expect("a token").to_owned()
}

/// Waits until it holds, for as long as a change may take at the most.
async fn soon<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let start = Instant::now();
    while !holds().await {
        // Twice the time that is promised, as tests share their machine.
        assert!(start.elapsed() < Duration::from_secs(4), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn with_token_file(path: &Path) -> TestServer {
    with(&[("API_TOKEN", ""), ("API_TOKEN_FILE", path.to_str().expect("UTF-8"))]).await
}

#[tokio::test]
async fn a_token_whose_file_is_written_or_replaced_counts_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    write(&path, "first\n");
    let server = with_token_file(&path).await;
    assert_eq!(shown(&server).await, "first");
    write(&path, "second\n");
    soon("a file that is written", async || shown(&server).await == "second").await;
    let beside = folder.path().join("token.new");
    write(&beside, "third!\n");
    std::fs::rename(&beside, &path).expect("renamed");
    soon("a file that is renamed", async || shown(&server).await == "third!").await;
}

#[tokio::test]
async fn a_token_of_kubernetes_counts_when_its_links_lead_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for (version, content) in [("..2026_1", "first"), ("..2026_2", "other")] {
        std::fs::create_dir(path(version)).expect("made");
        write(&path(version).join("token"), content);
    }
    symlink("..2026_1", path("..data")).expect("linked");
    symlink("..data/token", path("token")).expect("linked");
    let server = with_token_file(&path("token")).await;
    assert_eq!(shown(&server).await, "first");
    // As the kubelet does it: the new link takes the place of the old one, and the old folder goes.
    symlink("..2026_2", path("..data_tmp")).expect("linked");
    std::fs::rename(path("..data_tmp"), path("..data")).expect("renamed");
    std::fs::remove_dir_all(path("..2026_1")).expect("removed");
    soon("links that lead elsewhere", async || shown(&server).await == "other").await;
}

#[tokio::test]
async fn a_bearer_token_that_is_replaced_lets_nobody_in_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bearer");
    write(&path, BEARER);
    let pairs = [("MCP_DEV_BEARER_TOKEN", ""), ("MCP_DEV_BEARER_TOKEN_FILE", path.to_str().expect("UTF-8"))];
    let server = with(&pairs).await;
    let ping = async |token: &str| {
        let request =
            server.http.post(server.url("/mcp")).bearer_auth(token).header("content-type", "application/json");
        answer(request.body(PING)).await.0
    };
    let new = "another-token-0123456789";
    assert_eq!((ping(BEARER).await, ping(new).await), (200, 401));
    // While clients change over, both.
    write(&path, &format!("{BEARER},{new}"));
    soon("a second token", async || ping(new).await == 200).await;
    assert_eq!(ping(BEARER).await, 200);
    write(&path, new);
    soon("the former token is refused", async || ping(BEARER).await == 401).await;
    assert_eq!(ping(new).await, 200);
}
