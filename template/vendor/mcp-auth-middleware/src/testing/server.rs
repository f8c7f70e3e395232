//! A server of keys, metadata and introspection, with the faults that a test asks for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{INTROSPECTION, INTROSPECTION_ID, INTROSPECTION_SECRET};

/// The behaviour of a key server.
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
pub(super) struct Server {
    pub(super) behaviour: Mutex<KeyServer>,
    /// Other behaviour at these paths.
    pub(super) paths: Mutex<BTreeMap<String, KeyServer>>,
    /// The answers about opaque tokens.
    pub(super) opaque: Mutex<BTreeMap<String, serde_json::Value>>,
    pub(super) connections: AtomicUsize,
    pub(super) requests: AtomicUsize,
    pub(super) questions: AtomicUsize,
    pub(super) bytes_sent: AtomicUsize,
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
    pub(super) async fn accept(self: Arc<Self>, listener: TcpListener) {
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
