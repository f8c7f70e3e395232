//! A Cloudflare Access team of one's own, for tests: real RS256 keys, a key server on loopback, tokens on demand.
//!
//! Only with the feature `testing`; it has no place in a production build.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// An RSA key with its id.
pub struct TestKey {
    kid: String,
    pair: KeyPair,
}

impl TestKey {
    /// A fresh key of 2048 bits.
    ///
    /// # Panics
    /// Where the cryptographic library cannot make a key; this is test code.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support: a key or nothing")]
    pub fn generate(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: KeyPair::generate(KeySize::Rsa2048).expect("an RSA key") }
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JSON Web Key, as Cloudflare publishes it.
    #[must_use]
    pub fn jwk(&self) -> serde_json::Value {
        let public = self.pair.public_key();
        serde_json::json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        })
    }

    /// The public half in DER (`SubjectPublicKeyInfo`), for attacks that use it as a secret.
    ///
    /// # Panics
    /// Where the key cannot be encoded.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn public_der(&self) -> Vec<u8> {
        self.pair.public_key().as_der().expect("DER").as_ref().to_vec()
    }

    /// A token with exactly these header and claims, signed with RS256.
    #[must_use]
    pub fn sign(&self, header: &serde_json::Value, claims: &serde_json::Value) -> String {
        self.sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// As [`sign`](Self::sign), from bytes that need not be JSON.
    #[must_use]
    pub fn sign_raw(&self, header: &[u8], claims: &[u8]) -> String {
        self.sign_encoded(&format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims)))
    }

    /// As [`sign`](Self::sign), from text that need not be base64: `HEADER.CLAIMS` as it will stand in the token.
    #[must_use]
    pub fn sign_encoded(&self, signed: &str) -> String {
        let signature = self.sign_bytes(&aws_lc_rs::signature::RSA_PKCS1_SHA256, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The signature of these bytes in another padding or digest.
    ///
    /// # Panics
    /// Where the cryptographic library refuses.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn sign_bytes(&self, encoding: &'static aws_lc_rs::signature::RsaSignatureEncoding, input: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &aws_lc_rs::rand::SystemRandom::new(), input, &mut signature).expect("a signature");
        signature
    }

    /// The header that Access writes.
    #[must_use]
    pub fn header(&self) -> serde_json::Value {
        serde_json::json!({"alg": "RS256", "kid": self.kid, "typ": "JWT"})
    }
}

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

/// Now, in seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What a key server does with a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeyServer {
    /// Answers with this status and body.
    Answers(u16, String),
    /// Answers 200 and sends this many bytes of JSON that never closes.
    Sends(usize),
    /// Answers 200 and goes on sending a byte now and then, for ever.
    Drips,
    /// Reads the request and says nothing.
    KeepsSilent,
    /// Sends the client to this address.
    RedirectsTo(String),
}

/// Just enough of HTTP/1.1 for one GET per connection, so that the crate needs no server for its tests.
struct Server {
    behaviour: Mutex<KeyServer>,
    connections: AtomicUsize,
    requests: AtomicUsize,
    bytes_sent: AtomicUsize,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            behaviour: Mutex::new(KeyServer::KeepsSilent),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            bytes_sent: AtomicUsize::new(0),
        }
    }
}

impl Server {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        // In a set, so that no connection outlives the server.
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            self.connections.fetch_add(1, Ordering::SeqCst);
            let server = Arc::clone(&self);
            connections.spawn(async move {
                // A client that hangs up is its own affair.
                let _ = server.serve(stream).await;
            });
        }
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.windows(4).any(|w| w == b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        let behaviour = self.behaviour.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match behaviour {
            KeyServer::Answers(status, body) => {
                let length = body.len();
                self.send(&mut stream, format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").as_bytes()).await
            }
            KeyServer::Sends(length) => {
                self.send(
                    &mut stream,
                    format!("HTTP/1.1 200 X\r\ncontent-length: {length}\r\n\r\n{{\"keys\":[").as_bytes(),
                )
                .await?;
                let chunk = [b' '; 16 * 1024];
                for _ in 0..length / chunk.len() {
                    self.send(&mut stream, &chunk).await?;
                }
                Ok(())
            }
            KeyServer::Drips => {
                self.send(&mut stream, b"HTTP/1.1 200 X\r\ncontent-length: 1000000\r\n\r\n{\"keys\":[").await?;
                loop {
                    self.send(&mut stream, b" ").await?;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            KeyServer::KeepsSilent => std::future::pending().await,
            KeyServer::RedirectsTo(url) => {
                self.send(
                    &mut stream,
                    format!("HTTP/1.1 302 X\r\nlocation: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                        .as_bytes(),
                )
                .await
            }
        }
    }

    async fn send(&self, stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        stream.write_all(bytes).await?;
        self.bytes_sent.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    }
}
