//! A real OpenBao, started by the test process and gone with it. Its program is `bao` on the path, or what
//! `MCP_TEST_OPENBAO` names; `scripts/test` of the repository that this crate is developed in installs it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

const ROOT: &str = "root-token-of-the-test";

/// One server in memory, unsealed, with KV version 2 at `secret/`.
pub struct OpenBao {
    pub address: String,
    /// The certificate of the authority that has issued that of the server, in PEM; none without TLS.
    pub authority: Vec<u8>,
    process: Child,
    http: reqwest::Client,
    folder: tempfile::TempDir,
}

/// A server, where there is a program for it. Without one the test says so and proves nothing, which `scripts/test` tells at
/// its end.
pub async fn start() -> Option<OpenBao> {
    start_with(false).await
}

/// The same with TLS, by an authority of its own.
pub async fn start_tls() -> Option<OpenBao> {
    start_with(true).await
}

async fn start_with(tls: bool) -> Option<OpenBao> {
    let Some(program) = program() else {
        eprintln!("SKIPPED OpenBao: no `bao` on the path, and MCP_TEST_OPENBAO names none");
        return None;
    };
    for _ in 0..5 {
        if let Some(server) = OpenBao::start(&program, tls).await {
            return Some(server);
        }
    }
    panic!("OpenBao did not start");
}

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("MCP_TEST_OPENBAO") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("bao")).find(|file| file.is_file())
}

impl OpenBao {
    async fn start(program: &Path, tls: bool) -> Option<Self> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = free.local_addr().unwrap().to_string();
        drop(free);
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command
            .args(["server", "-dev", "-dev-no-store-token", "-log-level=error"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address={listen}"));
        if tls {
            command.arg("-dev-tls").arg(format!("-dev-tls-cert-dir={}", folder.path().display()));
        }
        let process = command
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Who asks here is the administrator, on loopback; what is trusted is for the tests.
        let http = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(tls).build().unwrap();
        let scheme = if tls { "https" } else { "http" };
        let mut server = Self { address: format!("{scheme}://{listen}"), authority: Vec::new(), process, http, folder };
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(60) {
            // The port may have gone to somebody else, or the mount is not there yet.
            if server.process.try_wait().unwrap().is_some() {
                return None;
            }
            if server.try_ask(Method::GET, "secret/config", None).await.is_some_and(|(status, _)| status == 200) {
                if tls {
                    server.authority = std::fs::read(server.folder.path().join("vault-ca.pem")).unwrap();
                }
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// Host and port, as messages name it.
    pub fn place(&self) -> &str {
        self.address.split_once("://").unwrap().1
    }

    async fn try_ask(&self, method: Method, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let mut request =
            self.http.request(method, format!("{}/v1/{path}", self.address)).header("x-vault-token", ROOT);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// As the administrator; what is refused is a mistake of the test.
    pub async fn admin(&self, method: Method, path: &str, body: Value) -> Value {
        let body = (!body.is_null()).then_some(body);
        let (status, answer) = self.try_ask(method, path, body.as_ref()).await.unwrap();
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.admin(Method::POST, path, body).await
    }

    /// The status of what may fail.
    pub async fn try_post(&self, path: &str, body: Value) -> u16 {
        self.try_ask(Method::POST, path, Some(&body)).await.unwrap().0
    }

    /// A new version of a secret.
    pub async fn put(&self, path: &str, fields: Value) {
        self.post(&format!("secret/data/{path}"), json!({"data": fields})).await;
    }

    /// A policy of this name.
    pub async fn policy(&self, name: &str, text: &str) {
        self.admin(Method::PUT, &format!("sys/policies/acl/{name}"), json!({"policy": text})).await;
    }

    /// A token with these policies, good for so many seconds; 0 for the longest there is.
    pub async fn token(&self, policy: &str, options: Value) -> String {
        let mut body = json!({"policies": [policy], "no_parent": true});
        body.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        self.post("auth/token/create", body).await["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// AppRole with one role `coda`: its role id and a secret id.
    pub async fn app_role(&self, options: Value) -> (String, String) {
        self.post("sys/auth/approle", json!({"type": "approle"})).await;
        self.post("auth/approle/role/coda", options).await;
        let role = self.admin(Method::GET, "auth/approle/role/coda/role-id", Value::Null).await;
        (role["data"]["role_id"].as_str().unwrap().to_owned(), self.secret_id().await)
    }

    pub async fn secret_id(&self) -> String {
        let answer = self.post("auth/approle/role/coda/secret-id", json!({})).await;
        answer["data"]["secret_id"].as_str().unwrap().to_owned()
    }

    /// A file of this name with this content.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = self.folder.path().join(name);
        // Renamed into its place, as platforms do it.
        let fresh = self.folder.path().join(format!("fresh-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        std::fs::write(&fresh, content).unwrap();
        std::fs::rename(fresh, &path).unwrap();
        path
    }

    /// For good.
    pub fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        self.stop();
    }
}
