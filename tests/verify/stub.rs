//! A server that answers as a test wants it.
#![allow(unreachable_pub, reason = "the modules of one test")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub number: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The method of JSON-RPC.
    pub fn method(&self) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        value["method"].as_str().unwrap_or_default().to_owned()
    }
}

/// What a server does with a request.
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// An event, after which the connection stays open.
    Stream(String),
    /// So many bytes.
    Large(usize),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// Nothing, ever.
    Hang,
    /// The end of the connection.
    Break,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Answer { status, headers, body: body.as_bytes().to_vec() }
    }

    pub fn json(body: &str) -> Self {
        Self::new(200, "application/json", body)
    }

    pub fn large(bytes: usize) -> Self {
        Self::Large(bytes)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A running server. It ends with the test.
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Request>>,
    count: AtomicUsize,
    sent: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Stub {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (shared, answer) = (Arc::new(Shared::default()), Arc::new(answer));
        let all = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, answer) = (all.clone(), answer.clone());
                thread::spawn(move || {
                    let now = shared.now.fetch_add(1, Ordering::SeqCst) + 1;
                    shared.most.fetch_max(now, Ordering::SeqCst);
                    let _ = serve(stream, &shared, &*answer);
                    shared.now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, shared }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn seen<T>(&self, of: impl Fn(&Request) -> T) -> Vec<T> {
        self.shared.requests.lock().unwrap().iter().map(of).collect()
    }

    /// How many bytes of large answers were taken.
    pub fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// The largest number of open connections.
    pub fn most(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, shared: &Shared, answer: &dyn Fn(&Request) -> Reply) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim().split_once(':') {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
                None => break,
            };
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let number = shared.count.fetch_add(1, Ordering::SeqCst);
        let request = Request { path, headers, body: String::from_utf8_lossy(&body).into_owned(), number };
        shared.requests.lock().unwrap().push(request.clone());
        match answer(&request) {
            Reply::Answer { status, headers, body } => {
                let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                write!(stream, "HTTP/1.1 {status} Any\r\n{headers}content-length: {}\r\n\r\n", body.len())?;
                stream.write_all(&body)?;
            }
            Reply::Stream(event) => {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nmcp-session-id: s1\r\n\r\nevent: message\r\ndata: {event}\r\n\r\n"
                )?;
                // Until the client goes.
                let _ = reader.read_line(&mut String::new());
                return Ok(());
            }
            Reply::Large(bytes) => {
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n")?;
                let chunk = vec![b' '; 64 * 1024];
                for _ in 0..bytes / chunk.len() {
                    stream.write_all(&chunk)?;
                    shared.sent.fetch_add(chunk.len(), Ordering::SeqCst);
                }
            }
            Reply::Raw(bytes) => {
                stream.write_all(&bytes)?;
                return Ok(());
            }
            Reply::Hang => {
                let _ = reader.read_line(&mut String::new());
                return Ok(());
            }
            Reply::Break => return Ok(()),
        }
    }
}

/// A server like a generated one: `/health`, a challenge by its mode, version, two tools.
pub fn mcp_server(mode: &'static str, version: &'static str) -> impl Fn(&Request) -> Reply {
    move |request| {
        if request.path == "/health" {
            return Reply::json(&format!(
                r#"{{"status":"ok","service":"x","version":"{version}","auth":{{"mode":"{mode}","tokenStorage":"env"}}}}"#
            ));
        }
        if mode == "bearer" && request.header("authorization") != super::TOKEN {
            let body = r#"{"code":"MCP-AUTH-001","error":"no credentials"}"#;
            return Reply::new(401, "application/json", body).with("www-authenticate", "Bearer realm=\"x\"");
        }
        if request.path == "/status" {
            return Reply::json(r#"{"template":{"version":"0.1.5"}}"#);
        }
        match request.method().as_str() {
            "initialize" => Reply::json(&format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"protocolVersion":"2025-11-25","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"x","version":"{version}"}}}}}}"#
            )),
            "tools/list" => Reply::json(
                r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"list_notes","annotations":{"readOnlyHint":true,"destructiveHint":false}},{"name":"delete_note","annotations":{"destructiveHint":true}}]}}"#,
            ),
            _ => Reply::new(202, "text/plain", ""),
        }
    }
}
