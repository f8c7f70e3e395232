//! A Cloudflare Access team of one's own.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use tokio::net::TcpListener;

use super::server::{KeyServer, Server};
use super::{TestKey, now};

/// A team with a key server on loopback.
pub struct TestTeam {
    /// The current key.
    pub key: TestKey,
    address: SocketAddr,
    server: Arc<Server>,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// The team domain of [`TestTeam`]: the issuer of its tokens.
pub const ISSUER: &str = "https://team.cloudflareaccess.com";
/// The audience tag of the application of [`TestTeam`].
pub const AUDIENCE: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"; // pragma: allowlist secret

impl TestTeam {
    /// Starts the key server on a free port; it ends when the value is dropped.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let key = TestKey::generate("key-1");
        let server = Arc::new(Server::default());
        let task = tokio::spawn(Arc::clone(&server).accept(listener));
        let team = Self { key, address, server, task: Some(task) };
        team.publish(&[&team.key]);
        Ok(team)
    }

    /// Takes the key server down: from now on connections are refused.
    pub async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await; // the port is closed when the task is gone
        }
    }

    /// Brings the key server back at the same address.
    ///
    /// # Errors
    /// Where somebody else has taken the port meanwhile.
    pub async fn restart(&mut self) -> std::io::Result<()> {
        self.stop().await;
        let listener = TcpListener::bind(self.address).await?;
        self.task = Some(tokio::spawn(Arc::clone(&self.server).accept(listener)));
        Ok(())
    }

    /// The address of the keys, for `CF_ACCESS_CERTS_URL`.
    #[must_use]
    pub fn certs_url(&self) -> String {
        format!("http://{}/cdn-cgi/access/certs", self.address)
    }

    /// How many connections the key server has had.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.server.connections.load(Ordering::SeqCst)
    }

    /// How many requests the key server has had.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.server.requests.load(Ordering::SeqCst)
    }

    /// How many bytes of answers the key server has got rid of.
    #[must_use]
    pub fn bytes_sent(&self) -> usize {
        self.server.bytes_sent.load(Ordering::SeqCst)
    }

    /// From now on the key server answers this.
    pub fn answer(&self, status: u16, body: impl Into<String>) {
        self.behave(KeyServer::Answers(status, body.into()));
    }

    /// From now on the key server does this.
    pub fn behave(&self, behaviour: KeyServer) {
        *self.server.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// From now on the key server publishes these keys.
    pub fn publish(&self, keys: &[&TestKey]) {
        let keys: Vec<_> = keys.iter().map(|k| k.jwk()).collect();
        self.answer(200, serde_json::json!({"keys": keys}).to_string());
    }

    /// The claims of a token for a person, valid for an hour.
    #[must_use]
    pub fn claims(&self, email: &str) -> serde_json::Value {
        let now = now();
        serde_json::json!({
            "aud": [AUDIENCE], "email": email, "exp": now + 3600, "iat": now, "nbf": now, "iss": ISSUER,
            "type": "app", "identity_nonce": "6ei69kawdKzMIAPF", "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "country": "US",
        })
    }

    /// The claims of an Access service token, valid for an hour.
    #[must_use]
    pub fn service_claims(&self, name: &str) -> serde_json::Value {
        let now = now();
        serde_json::json!({
            "aud": [AUDIENCE], "common_name": name, "exp": now + 3600, "iat": now, "iss": ISSUER, "type": "app", "sub": "",
        })
    }

    /// A good token for a person.
    #[must_use]
    pub fn token(&self, email: &str) -> String {
        self.sign(&self.claims(email))
    }

    /// These claims, signed with the current key.
    #[must_use]
    pub fn sign(&self, claims: &serde_json::Value) -> String {
        self.key.sign(&self.key.header(), claims)
    }
}

impl Drop for TestTeam {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
