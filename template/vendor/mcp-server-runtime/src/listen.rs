//! Connections: accepted, bounded, and finished in peace at shutdown.

mod patient;
mod phase;

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::Limits;
use patient::Patient;
use phase::{Phases, Times};

/// How long connections are accepted after the signal. Who has connected meanwhile, or was about to, is answered rather than
/// reset: the operating system takes connections that nobody has accepted yet.
const LAST_CALL: Duration = Duration::from_millis(250);

/// How long a connection that has just been accepted has for its request to begin, and for one that is idle to be asked again.
const FIRST_BYTES: Duration = Duration::from_millis(250);

/// Serves until `shutdown` resolves; then each connection ends with its next answer, soon none is accepted any more, requests in
/// flight have the grace period to finish, and what is left is cut.
///
/// This is `axum::serve` with the bounds that it does not offer: the size of a request's head (431 above it), the time it
/// may take, the time between requests, the time in which a client must take a part of its answer, the age of a connection,
/// and the number of connections. Above that number they wait in the queue of the operating system, and one that ends makes
/// room.
pub async fn serve(listener: TcpListener, router: Router, limits: &Limits, shutdown: impl Future<Output = ()>) {
    let Limits { header_bytes, connections, request_timeout: write, .. } = *limits;
    let graceful = accept(listener, router, Bounds { header_bytes, connections, write }, shutdown).await;
    tracing::info!("Shutting down; requests in flight have {} s", limits.shutdown_grace.as_secs());
    // hyper closes at once what has sent nothing yet, and loses what is on its way.
    tokio::time::sleep(FIRST_BYTES.min(limits.shutdown_grace)).await;
    if timeout(limits.shutdown_grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("Some requests did not finish in time and were cut");
    }
}

/// Serves metrics and probes until it is dropped: it has nothing to finish, so no shutdown waits for it. Bounds of its own,
/// small ones, keep its clients from what there is for callers.
pub async fn serve_admin(listener: TcpListener, router: Router) {
    let bounds = Bounds { header_bytes: 8 * 1024, connections: 32, write: Duration::from_secs(10) };
    accept(listener, router, bounds, std::future::pending()).await;
}

/// What the connections of a listener may take.
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
) -> GracefulShutdown {
    let mut http = hyper::server::conn::http1::Builder::new();
    // Its one time for heads would count between requests as well: `Patient` tells the two apart.
    http.header_read_timeout(None).max_buf_size(bounds.header_bytes);
    let times = Times { write: bounds.write, ..Times::default() };
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let places = Arc::new(Semaphore::new(bounds.connections));
    let accept = async || {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        listener.accept().await.map(|(stream, _)| (stream, place))
    };
    let ending = Arc::new(AtomicBool::new(false));
    let take = |stream: tokio::net::TcpStream, place| {
        // Answers are small and must not wait for more (Nagle's algorithm).
        let _ = stream.set_nodelay(true);
        let phases = Phases::default();
        let stream = TokioIo::new(Patient::new(stream, times, phases.clone()));
        let service = phase::Watched::new(router.clone(), phases, Arc::clone(&ending));
        let connection = http.serve_connection(stream, TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("Connection ended: {error}");
            }
            drop(place);
        });
    };
    loop {
        tokio::select! {
            accepted = accept() => match accepted {
                Ok((stream, place)) => take(stream, place),
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
    while let Ok(Ok((stream, place))) = timeout_at(last_call, accept()).await {
        take(stream, place);
    }
    // Those that came in between: asked of the operating system, as the runtime hears of them later.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, _)) = listener.accept() {
            let stream = stream.set_nonblocking(true).and_then(|()| tokio::net::TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                take(stream, Arc::clone(&places).try_acquire_owned().ok());
            }
        }
    }
    graceful
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
    let mut stream = TcpStream::connect_timeout(&SocketAddr::new(host, listen.port()), timeout)?;
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
