//! Connections: accepts them, bounds them, and lets them finish at shutdown.

mod patient;
mod phase;
pub(crate) mod places;

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::Limits;
use patient::Patient;
use phase::{Phases, Times, Watched};
use places::{Place, Places};

/// How long connections are accepted after the signal. A client that connects meanwhile is answered rather than reset: the
/// operating system completes connections before the server accepts them.
const LAST_CALL: Duration = Duration::from_millis(250);

/// How long a connection that has just been accepted, or is idle, has for a request to begin.
const FIRST_BYTES: Duration = Duration::from_millis(250);

/// Serves until `shutdown` resolves. Then each connection ends with its next answer, new ones are accepted for a moment only,
/// requests in flight have the grace period to finish, and the rest is cut.
///
/// This is `axum::serve` with the bounds that it does not offer: the size of a request's head (431 above it), the time it
/// may take, the time between requests, the time in which a client must take a part of its answer, the age of a connection,
/// and the number of connections. Above that number they wait in the queue of the operating system, until one ends, or makes
/// room because it is idle or has had its time for a head.
pub async fn serve(listener: TcpListener, router: Router, limits: &Limits, shutdown: impl Future<Output = ()>) {
    let Limits { header_bytes, connections, request_timeout: write, .. } = *limits;
    let (graceful, places) = accept(listener, router, Bounds { header_bytes, connections, write }, shutdown).await;
    tracing::info!("Shutting down; requests in flight have {} s", limits.shutdown_grace.as_secs());
    // hyper closes a connection without a request at once, and loses a request that is on its way.
    tokio::time::sleep(FIRST_BYTES.min(limits.shutdown_grace)).await;
    let ended = async {
        tokio::select! { () = graceful.shutdown() => {}, () = places.end_heads() => {} }
    };
    if timeout(limits.shutdown_grace, ended).await.is_err() {
        tracing::warn!("Some requests did not finish in time and were cut");
    }
}

/// Serves metrics and probes until it is dropped: it has nothing to finish, so no shutdown waits for it. Small bounds of its
/// own keep its clients from taking the callers' connections and memory.
pub async fn serve_admin(listener: TcpListener, router: Router) {
    let bounds = Bounds { header_bytes: 8 * 1024, connections: 32, write: Duration::from_secs(10) };
    accept(listener, router, bounds, std::future::pending()).await;
}

/// The limits of a listener's connections.
struct Bounds {
    header_bytes: usize,
    connections: usize,
    /// Time for a client to take a part of its answer.
    write: Duration,
}

/// Accepts connections until `shutdown` resolves, and gives those that are open then.
async fn accept(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    shutdown: impl Future<Output = ()>,
) -> (GracefulShutdown, Arc<Places>) {
    let mut http = http1::Builder::new();
    // hyper's one time for heads would count between requests as well: `Patient` distinguishes the two.
    http.header_read_timeout(None).max_buf_size(bounds.header_bytes);
    let times = Times { write: bounds.write, ..Times::default() };
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let places = Places::new(bounds.connections);
    // One connection more than there are places, which is not read from: others have to leave only while it waits.
    let mut waiting: Option<TcpStream> = None;
    let accept = async |waiting: &mut Option<TcpStream>| {
        if waiting.is_none() {
            *waiting = Some(listener.accept().await?.0);
        }
        let place = places.take().await;
        Ok::<_, std::io::Error>(waiting.take().map(|stream| (stream, place)))
    };
    let ending = Arc::new(AtomicBool::new(false));
    let take = |stream: TcpStream, place: Place| {
        // Answers are small and must not wait for more (Nagle's algorithm).
        let _ = stream.set_nodelay(true);
        let phases = place.phases().clone();
        let connection = connection(&http, stream, times, phases, router.clone(), Arc::clone(&ending));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                // First, because a request that has just arrived is on no idle connection.
                biased;
                ended = connection => if let Err(error) = ended {
                    tracing::debug!("Connection ended: {error}");
                },
                () = place.asked_to_leave() => tracing::debug!("Connection ended: its place is wanted"),
            }
            drop(place);
        });
    };
    loop {
        tokio::select! {
            accepted = accept(&mut waiting) => match accepted {
                Ok(next) => next.into_iter().for_each(|(stream, place)| take(stream, place)),
                // Out of file descriptors, most likely: wait for some to come back rather than spin.
                Err(error) => {
                    tracing::error!("Cannot accept connections: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            () = &mut shutdown => break,
        }
    }
    ending.store(true, Ordering::Relaxed);
    let last_call = Instant::now() + LAST_CALL;
    while let Ok(Ok(next)) = timeout_at(last_call, accept(&mut waiting)).await {
        next.into_iter().for_each(|(stream, place)| take(stream, place));
    }
    // Connections that came in between. The operating system is asked directly, as the runtime sees them later. The loop ends
    // once each place could have been filled.
    if let Ok(listener) = listener.into_std() {
        for _ in 0..bounds.connections {
            let Some(place) = places.try_take() else { break };
            if let Some(stream) = waiting.take() {
                take(stream, place);
                continue;
            }
            let Ok((stream, _)) = listener.accept() else { break };
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                take(stream, place);
            }
        }
    }
    (graceful, places)
}

/// Serves a connection with these times. It ends with its next answer once `ending` is set.
fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    http: &http1::Builder,
    stream: S,
    times: Times,
    phases: Phases,
    router: Router,
    ending: Arc<AtomicBool>,
) -> http1::Connection<TokioIo<Patient<S>>, Watched<Router>> {
    let stream = TokioIo::new(Patient::new(stream, times, phases.clone()));
    http.serve_connection(stream, Watched::new(router, phases, ending))
}

/// Resolves on SIGTERM (containers) or Ctrl-C.
pub async fn terminated() {
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!("Ctrl-C is not handled: {error}");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::error!("SIGTERM is not handled: {error}");
                std::future::pending::<()>().await;
            }
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! { () = interrupt => {}, () = terminate => {} }
}

/// Asks the server on this machine for `/health`. Needs neither a client library nor a shell in the image.
///
/// # Errors
/// Where nothing answers, or the answer is not 200.
pub fn probe(listen: SocketAddr) -> std::io::Result<()> {
    // 0.0.0.0 and [::] are addresses to listen on, not to connect to.
    let host = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let timeout = Duration::from_secs(3);
    let mut stream = std::net::TcpStream::connect_timeout(&SocketAddr::new(host, listen.port()), timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    if status == *b"HTTP/1.1 200" {
        Ok(())
    } else {
        Err(std::io::Error::other(format!("/health answered {}", String::from_utf8_lossy(&status))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::time::{Instant, sleep};

    const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

    fn client() -> DuplexStream {
        let (server, client) = tokio::io::duplex(64 * 1024);
        let mut http = http1::Builder::new();
        http.header_read_timeout(None);
        let router = Router::new().route("/health", axum::routing::get(|| async { "well" }));
        tokio::spawn(connection(&http, server, Times::default(), Phases::default(), router, Arc::default()));
        client
    }

    /// Sends these bytes, one each `pause`, and then nothing; the seconds from the first of them until the server ends.
    async fn ended(client: DuplexStream, bytes: impl Into<Vec<u8>>, pause: Duration) -> u64 {
        let (mut reader, mut writer) = tokio::io::split(client);
        let (start, bytes) = (Instant::now(), bytes.into());
        let sending = tokio::spawn(async move {
            for byte in bytes {
                if writer.write_all(&[byte]).await.is_err() {
                    break;
                }
                sleep(pause).await;
            }
            writer
        });
        // What the server says of a head that did not arrive is not looked at.
        let _ = reader.read_to_end(&mut Vec::new()).await;
        let seconds = start.elapsed().as_secs();
        drop(sending);
        seconds
    }

    async fn answered(client: &mut DuplexStream) {
        client.write_all(REQUEST).await.expect("sent");
        let mut answer = vec![0; 1024];
        let read = client.read(&mut answer).await.expect("answered");
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_half_a_minute_however_it_comes() {
        let endless = [b'x'; 1000];
        for pause in [0.5, 2.0, 5.0, 25.0].map(Duration::from_secs_f64) {
            assert_eq!(ended(client(), endless, pause).await, 30, "{pause:?}");
            // After an answer as well.
            let mut client = client();
            answered(&mut client).await;
            sleep(Duration::from_secs(50)).await;
            assert_eq!(ended(client, endless, pause).await, 30, "{pause:?}");
        }
        let mut half = client();
        answered(&mut half).await;
        assert_eq!(ended(half, b"GET /hea", Duration::ZERO).await, 30);
        assert_eq!(ended(client(), b"", Duration::ZERO).await, 30, "nothing at all");
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_what_a_client_sends_may_come_with_its_request() {
        let (server, mut client) = tokio::io::duplex(64 * 1024);
        let post = [&b"POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"[..], REQUEST].concat();
        client.write_all(&post).await.expect("sent");
        client.shutdown().await.expect("half closed");
        let slow = axum::routing::post(|body: String| async move {
            sleep(Duration::from_millis(500)).await;
            body
        });
        let router = Router::new().route("/slow", slow).route("/health", axum::routing::get(|| async { "well" }));
        let mut http = http1::Builder::new();
        http.header_read_timeout(None);
        // Everything is there by the time that the connection is first read from.
        tokio::spawn(connection(&http, server, Times::default(), Phases::default(), router, Arc::default()));
        let mut answers = String::new();
        client.read_to_string(&mut answers).await.expect("answers");
        assert!(answers.contains("\r\n\r\n{}HTTP/1.1 200") && answers.ends_with("\r\n\r\nwell"), "{answers:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_no_more_goes_after_any_proxy_would() {
        for pause in [0, 10, 20, 35, 100, 600] {
            let mut client = client();
            answered(&mut client).await;
            sleep(Duration::from_secs(pause)).await;
            answered(&mut client).await;
            assert_eq!(ended(client, b"", Duration::ZERO).await, 650, "after a pause of {pause} s");
        }
    }
}
