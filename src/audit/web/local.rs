//! A local host that behaves like hosts on the web, for tests.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A running host. It ends with the test.
pub(super) struct Local {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<RequestLog>>,
}

/// The requests it received.
#[derive(Default)]
struct RequestLog {
    /// Each path and its time, in order.
    paths: Vec<(String, Instant)>,
    /// The number of open requests, and its maximum so far.
    now: usize,
    most: usize,
    agents: BTreeMap<String, usize>,
}

impl Local {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(RequestLog::default()));
        let shared = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = shared.clone();
                thread::spawn(move || serve(stream, address, &seen));
            }
        });
        Self { address, seen }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the times of the requests for a path.
    pub(super) fn requests(&self, path: &str) -> Vec<Instant> {
        let seen = self.seen.lock().unwrap();
        seen.paths.iter().filter(|(asked, _)| asked == path).map(|(_, when)| *when).collect()
    }

    /// Returns the maximum number of open requests.
    pub(super) fn most(&self) -> usize {
        self.seen.lock().unwrap().most
    }

    /// Returns the user agents.
    pub(super) fn agents(&self) -> Vec<String> {
        self.seen.lock().unwrap().agents.keys().cloned().collect()
    }
}

const PAGE: &str = "<!doctype html><h1 id=\"there\">There</h1><a name=\"named\"></a>";

fn serve(mut stream: TcpStream, address: SocketAddr, seen: &Mutex<RequestLog>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut path, mut agent) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(rest) = line.strip_prefix("GET ") {
                path = rest.split(' ').next().unwrap_or_default().to_owned();
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("user-agent: ") {
                agent = value.trim().to_owned();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        if path.is_empty() {
            // The empty body of a chunked request.
            continue;
        }
        let time = {
            let mut seen = seen.lock().unwrap();
            seen.paths.push((path.clone(), Instant::now()));
            seen.now += 1;
            seen.most = seen.most.max(seen.now);
            *seen.agents.entry(agent).or_default() += 1;
            seen.paths.iter().filter(|(asked, _)| *asked == path).count()
        };
        let answer = answer(&path, time, address);
        seen.lock().unwrap().now -= 1;
        let Some((head, body)) = answer else { return };
        let sent = write!(stream, "HTTP/1.1 {head}Content-Length: {}\r\n\r\n{body}", body.len());
        if sent.is_err() {
            return;
        }
    }
}

/// Returns the status line, headers and body. An empty answer closes the connection.
fn answer(path: &str, time: usize, address: SocketAddr) -> Option<(String, String)> {
    let plain = |status: &str| Some((format!("{status}\r\n"), String::new()));
    let to = |status: &str, place: &str| Some((format!("{status}\r\nLocation: {place}\r\n"), String::new()));
    let after = |seconds: u32| Some((format!("429 Too Many Requests\r\nRetry-After: {seconds}\r\n"), String::new()));
    match path.split('?').next().unwrap_or_default() {
        "/gone" => plain("410 Gone"),
        "/members" => plain("403 Forbidden"),
        "/teapot" => plain("418 I'm a teapot"),
        "/linkedin" => plain("999 Request denied"),
        "/busy-once" if time == 1 => plain("503 Service Unavailable"),
        "/busy" => plain("503 Service Unavailable"),
        "/wait-once" if time == 1 => after(1),
        "/wait" => after(0),
        "/wait-long" => after(3600),
        "/moved" => to("301 Moved Permanently", "/page"),
        "/moved-twice" => to("308 Permanent Redirect", "/moved"),
        "/for-now" => to("302 Found", "/page"),
        "/moved-to-nothing" => to("301 Moved Permanently", "/gone"),
        "/loop" => to("302 Found", "/loop"),
        "/nowhere" => plain("301 Moved Permanently"),
        "/inside" => to("302 Found", &format!("http://localhost:{}/page", address.port())),
        "/hang" => {
            thread::sleep(Duration::from_secs(3));
            None
        }
        "/break" => None,
        "/text" => Some(("200 OK\r\nContent-Type: text/plain\r\n".to_owned(), "text".to_owned())),
        path if path.starts_with("/slow") => {
            thread::sleep(Duration::from_millis(30));
            plain("200 OK")
        }
        path if path.starts_with("/page") || path.ends_with("-once") => {
            Some(("200 OK\r\nContent-Type: text/html; charset=utf-8\r\n".to_owned(), PAGE.to_owned()))
        }
        _ => plain("404 Not Found"),
    }
}
