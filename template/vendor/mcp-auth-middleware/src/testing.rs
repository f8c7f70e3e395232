//! A Cloudflare Access team and an issuer of one's own, for tests: real keys, a key server on loopback, tokens on demand.
//!
//! Only with the feature `testing`; it has no place in a production build.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaSignatureEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::Algorithm;

mod random;
pub use random::{random_text, s256, sha256};

/// A key with its id.
pub struct TestKey {
    kid: String,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(KeyPair, &'static RsaSignatureEncoding),
    Ecdsa(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl TestKey {
    /// A fresh RSA key of 2048 bits that signs with RS256.
    ///
    /// # Panics
    /// Where the cryptographic library cannot make a key; this is test code.
    #[must_use]
    pub fn generate(kid: &str) -> Self {
        Self::for_algorithm(Algorithm::Rs256, kid)
    }

    /// A fresh key that signs with this algorithm.
    ///
    /// # Panics
    /// Where the cryptographic library cannot make a key; this is test code.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support: a key or nothing")]
    pub fn for_algorithm(algorithm: Algorithm, kid: &str) -> Self {
        let rsa = |encoding| Pair::Rsa(KeyPair::generate(KeySize::Rsa2048).expect("an RSA key"), encoding);
        let pair = match algorithm {
            Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(&RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(&RSA_PSS_SHA512),
            Algorithm::Es256 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"), "P-256")
            }
            Algorithm::Es384 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key"), "P-384")
            }
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate().expect("a key")),
        };
        Self { kid: kid.to_owned(), algorithm, pair }
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JSON Web Key, as issuers publish it.
    #[must_use]
    pub fn jwk(&self) -> serde_json::Value {
        let mut jwk = serde_json::json!({"alg": self.algorithm.as_str(), "use": "sig", "kid": self.kid});
        let mut set = |name: &str, value: &str| jwk[name] = value.into();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(pair, _) => {
                let public = pair.public_key();
                set("kty", "RSA");
                set("n", &encode(public.modulus().big_endian_without_leading_zero()));
                set("e", &encode(public.exponent().big_endian_without_leading_zero()));
            }
            Pair::Ecdsa(pair, curve) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                set("kty", "EC");
                set("crv", curve);
                set("x", &encode(x));
                set("y", &encode(y));
            }
            Pair::Ed25519(pair) => {
                set("kty", "OKP");
                set("crv", "Ed25519");
                set("x", &encode(pair.public_key().as_ref()));
            }
        }
        jwk
    }

    /// The RSA key of this one.
    ///
    /// # Panics
    /// Where it is a key of another kind.
    #[allow(clippy::panic, reason = "test support")]
    fn rsa(&self) -> &KeyPair {
        match &self.pair {
            Pair::Rsa(pair, _) => pair,
            _ => panic!("{} is no RSA key", self.kid),
        }
    }

    /// The public half in DER (`SubjectPublicKeyInfo`), for attacks that use it as a secret.
    ///
    /// # Panics
    /// Where the key cannot be encoded, or is no RSA key.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn public_der(&self) -> Vec<u8> {
        self.rsa().public_key().as_der().expect("DER").as_ref().to_vec()
    }

    /// A token with exactly these header and claims, signed with this key.
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
    ///
    /// # Panics
    /// Where the cryptographic library refuses.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn sign_encoded(&self, signed: &str) -> String {
        let input = signed.as_bytes();
        let signature = match &self.pair {
            Pair::Rsa(_, encoding) => self.sign_bytes(encoding, input),
            Pair::Ecdsa(pair, _) => pair.sign(&SystemRandom::new(), input).expect("a signature").as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(input).as_ref().to_vec(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The signature of these bytes in another padding or digest.
    ///
    /// # Panics
    /// Where the cryptographic library refuses, or this is no RSA key.
    #[must_use]
    #[allow(clippy::expect_used, reason = "test support")]
    pub fn sign_bytes(&self, encoding: &'static RsaSignatureEncoding, input: &[u8]) -> Vec<u8> {
        let pair = self.rsa();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), input, &mut signature).expect("a signature");
        signature
    }

    /// The header that Access and most issuers write.
    #[must_use]
    pub fn header(&self) -> serde_json::Value {
        serde_json::json!({"alg": self.algorithm.as_str(), "kid": self.kid, "typ": "JWT"})
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

    /// From now on the issuer says that this opaque token is not active.
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
    /// Says whether a token is active (RFC 7662), to who asks with the right credentials in the header.
    Introspects,
}

/// Just enough of HTTP/1.1 for one request per connection, so that the crate needs no server for its tests.
struct Server {
    behaviour: Mutex<KeyServer>,
    /// Other behaviour at these paths.
    paths: Mutex<BTreeMap<String, KeyServer>>,
    /// What there is to say about opaque tokens.
    opaque: Mutex<BTreeMap<String, serde_json::Value>>,
    connections: AtomicUsize,
    requests: AtomicUsize,
    questions: AtomicUsize,
    bytes_sent: AtomicUsize,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            behaviour: Mutex::new(KeyServer::KeepsSilent),
            paths: Mutex::default(),
            opaque: Mutex::default(),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            questions: AtomicUsize::new(0),
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
        let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
        let special = self.paths.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        let behaviour = || self.behaviour.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let behaviour = special.unwrap_or_else(behaviour);
        if path == INTROSPECTION {
            self.questions.fetch_add(1, Ordering::SeqCst);
        }
        match behaviour {
            KeyServer::Answers(status, body) => self.answer(&mut stream, status, &body).await,
            KeyServer::Introspects => {
                let (status, body) = self.introspect(&mut stream, head).await?;
                self.answer(&mut stream, status, &body).await
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

    async fn introspect(&self, stream: &mut TcpStream, mut request: Vec<u8>) -> std::io::Result<(u16, String)> {
        let end = request.windows(4).position(|w| w == b"\r\n\r\n").map_or(request.len(), |at| at + 4);
        let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        while request.len() < end + length {
            if stream.read_buf(&mut request).await? == 0 {
                break;
            }
        }
        let encode = |text: &str| reqwest::Url::parse_with_params("http://x", [("x", text)]);
        let encode = |text: &str| encode(text).map(|url| url.query().unwrap_or_default()[2..].to_owned());
        let credentials = match (encode(INTROSPECTION_ID), encode(INTROSPECTION_SECRET)) {
            (Ok(id), Ok(secret)) => base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")),
            _ => String::new(),
        };
        let expected = format!("authorization: Basic {credentials}");
        let given = String::from_utf8_lossy(&request[..end]).into_owned();
        if !given.starts_with("POST ") || !given.lines().any(|line| line == expected) {
            return Ok((401, r#"{"error":"invalid_client"}"#.to_owned()));
        }
        let form = String::from_utf8_lossy(&request[end..]).into_owned();
        let token = form.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
        let answer = self.opaque.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned();
        Ok((200, answer.unwrap_or_else(|| serde_json::json!({"active": false})).to_string()))
    }

    async fn answer(&self, stream: &mut TcpStream, status: u16, body: &str) -> std::io::Result<()> {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        self.send(stream, answer.as_bytes()).await
    }

    async fn send(&self, stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        stream.write_all(bytes).await?;
        self.bytes_sent.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    }
}
