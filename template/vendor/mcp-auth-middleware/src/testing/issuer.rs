//! An issuer of access tokens of one's own.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::net::TcpListener;

use super::server::{KeyServer, Server};
use super::{TestKey, now};

/// An issuer of access tokens on loopback: metadata (OpenID Connect Discovery) and keys, and whatever else a test gives it.
pub struct TestIssuer {
    /// The current key.
    pub key: TestKey,
    issuer: String,
    server: Arc<Server>,
    task: tokio::task::JoinHandle<()>,
}

/// Where [`TestIssuer`] is asked about tokens (RFC 7662).
pub const INTROSPECTION: &str = "/introspect";
/// As whom it has to be asked,
pub const INTROSPECTION_ID: &str = "resource server";
/// and with which secret.
pub const INTROSPECTION_SECRET: &str = "s3cret:of+the/resource%server"; // pragma: allowlist secret

/// The audience of the tokens of [`TestIssuer`]: the address of the server that they are for.
pub const RESOURCE: &str = "https://mcp.example.com/mcp";

impl TestIssuer {
    /// Starts the issuer on a free port; it ends when the value is dropped.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_at("", "/.well-known/openid-configuration").await
    }

    /// Starts an issuer with this path in its name, whose metadata is at this other path.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start_at(path: &str, metadata: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let server = Arc::new(Server::default());
        let task = tokio::spawn(Arc::clone(&server).accept(listener));
        let issuer = format!("{origin}{path}");
        let issuer = Self { key: TestKey::generate("key-1"), issuer, server, task };
        *issuer.server.behaviour.lock().unwrap_or_else(PoisonError::into_inner) =
            KeyServer::Answers(404, "{}".to_owned());
        let document = serde_json::json!({
            "issuer": issuer.issuer, "jwks_uri": format!("{origin}/keys"), "introspection_endpoint": format!("{origin}{INTROSPECTION}"),
        });
        issuer.behave(INTROSPECTION, KeyServer::Introspects);
        issuer.answer(metadata, 200, document.to_string());
        issuer.publish(&[&issuer.key]);
        Ok(issuer)
    }

    /// The issuer, as its tokens name it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// From now on these keys are published.
    pub fn publish(&self, keys: &[&TestKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        self.answer("/keys", 200, serde_json::json!({"keys": keys}).to_string());
    }

    /// Issues an opaque token, about which the issuer says this from now on.
    ///
    /// # Panics
    /// Where there are no random numbers; this is test code.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn issue_opaque(&self, answer: &serde_json::Value) -> String {
        let mut bytes = [0; 24];
        aws_lc_rs::rand::fill(&mut bytes).expect("random bytes");
        let token = URL_SAFE_NO_PAD.encode(bytes);
        self.opaque().insert(token.clone(), answer.clone());
        token
    }

    /// Issues an opaque token for a person, good for an hour.
    #[must_use]
    pub fn opaque_token(&self, email: &str) -> String {
        let mut answer = self.claims(email);
        answer["active"] = true.into();
        answer["token_type"] = "Bearer".into();
        self.issue_opaque(&answer)
    }

    /// From now on the issuer says that this token, a JWT of its own, is active.
    pub fn activate(&self, token: &str) {
        self.activate_as(token, &serde_json::json!({"active": true}));
    }

    /// From now on the issuer says this about the token.
    pub fn activate_as(&self, token: &str, answer: &serde_json::Value) {
        self.opaque().insert(token.to_owned(), answer.clone());
    }

    /// From now on the issuer says that this token is not active.
    pub fn revoke(&self, token: &str) {
        self.opaque().remove(token);
    }

    /// How many questions about tokens the issuer has had, with the right credentials or without.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.server.questions.load(Ordering::SeqCst)
    }

    fn opaque(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, serde_json::Value>> {
        self.server.opaque.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this path has this answer.
    pub fn answer(&self, path: &str, status: u16, body: impl Into<String>) {
        self.behave(path, KeyServer::Answers(status, body.into()));
    }

    /// From now on the issuer does this with requests of this path.
    pub fn behave(&self, path: &str, behaviour: KeyServer) {
        self.server.paths.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), behaviour);
    }

    /// How many requests the issuer has had.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.server.requests.load(Ordering::SeqCst)
    }

    /// The claims of an access token for a person, valid for an hour.
    #[must_use]
    pub fn claims(&self, email: &str) -> serde_json::Value {
        let now = now();
        serde_json::json!({
            "iss": self.issuer, "aud": [RESOURCE], "exp": now + 3600, "iat": now, "sub": "user-1", "email": email,
            "client_id": "client-1", "scope": "openid mcp", "jti": "1", "roles": ["reader"],
        })
    }

    /// These claims, signed with the current key, as a token that says what it is (RFC 9068).
    #[must_use]
    pub fn sign(&self, claims: &serde_json::Value) -> String {
        let mut header = self.key.header();
        header["typ"] = "at+jwt".into();
        self.key.sign(&header, claims)
    }

    /// A good token for a person.
    #[must_use]
    pub fn token(&self, email: &str) -> String {
        self.sign(&self.claims(email))
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
