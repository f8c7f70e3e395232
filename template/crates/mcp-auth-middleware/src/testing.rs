//! A Cloudflare Access team of one's own, for tests: real RS256 keys, a key server on loopback, tokens on demand.
//!
//! Only with the feature `testing`; it has no place in a production build.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

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
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.sign_bytes(&aws_lc_rs::signature::RSA_PKCS1_SHA256, input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
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
    answer: Arc<Mutex<Answer>>,
    requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

struct Answer {
    status: u16,
    body: String,
}

/// The team domain of [`TestTeam`]: the issuer of its tokens.
pub const ISSUER: &str = "https://team.cloudflareaccess.com";
/// The audience tag of the application of [`TestTeam`].
pub const AUDIENCE: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

impl TestTeam {
    /// Starts the key server on a free port; it ends when the value is dropped.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        Self::serve(listener)
    }

    fn serve(listener: TcpListener) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let key = TestKey::generate("key-1");
        let body = serde_json::json!({"keys": [key.jwk()]}).to_string();
        let answer = Arc::new(Mutex::new(Answer { status: 200, body }));
        let requests = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(answer_all(listener, Arc::clone(&answer), Arc::clone(&requests)));
        Ok(Self { key, address, answer, requests, task })
    }

    /// The address of the keys, for `CF_ACCESS_CERTS_URL`.
    #[must_use]
    pub fn certs_url(&self) -> String {
        format!("http://{}/cdn-cgi/access/certs", self.address)
    }

    /// How many requests the key server has had.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// From now on the key server answers this.
    pub fn answer(&self, status: u16, body: impl Into<String>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Answer { status, body: body.into() };
    }

    /// From now on the key server publishes these keys.
    pub fn publish(&self, keys: &[&TestKey]) {
        let keys: Vec<_> = keys.iter().map(|k| k.jwk()).collect();
        self.answer(200, serde_json::json!({"keys": keys}).to_string());
    }

    /// The claims of a token for a person, valid for an hour.
    #[must_use]
    pub fn claims(&self, email: &str) -> serde_json::Value {
        let now = jsonwebtoken::get_current_timestamp();
        serde_json::json!({
            "aud": [AUDIENCE], "email": email, "exp": now + 3600, "iat": now, "nbf": now, "iss": ISSUER,
            "type": "app", "identity_nonce": "6ei69kawdKzMIAPF", "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "country": "US",
        })
    }

    /// The claims of an Access service token, valid for an hour.
    #[must_use]
    pub fn service_claims(&self, name: &str) -> serde_json::Value {
        let now = jsonwebtoken::get_current_timestamp();
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
        self.task.abort();
    }
}

/// Just enough of HTTP/1.1 for one GET per connection, so that the crate needs no server for its tests.
async fn answer_all(listener: TcpListener, answer: Arc<Mutex<Answer>>, requests: Arc<AtomicUsize>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
        tokio::spawn(async move {
            let mut head = Vec::new();
            let mut buffer = [0; 1024];
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(n) => head.extend_from_slice(&buffer[..n]),
                }
            }
            requests.fetch_add(1, Ordering::SeqCst);
            let text = {
                let answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
                format!(
                    "HTTP/1.1 {} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
                    answer.status,
                    answer.body.len(),
                    answer.body
                )
            };
            let _ = stream.write_all(text.as_bytes()).await;
        });
    }
}
