//! Finds out whether a server listens where the database should be.

use std::io::{Error, ErrorKind};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::net::TcpStream;

use super::failure::Failure;

/// A connection that is there, or can be made nearby, takes less. Only what takes longer is looked into.
const SOON: Duration = Duration::from_millis(100);

/// Begins an operation, and gives up as soon as it is known that nobody listens at the address.
///
/// The pool takes a refusal for a database that is just starting, and tries again until its time to get a connection is
/// over. A request is better served by the truth: the layer bridges an outage with the token it knows, and a command
/// can be repeated.
pub(super) async fn unless_refused<T>(
    address: Option<&(String, u16)>,
    begin: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some((host, port)) = address else { return begin.await };
    // The first is looked at first: a connection that is there counts.
    match select(pin!(begin), pin!(refused(host, *port))).await {
        Either::Left((begun, _)) => begun,
        Either::Right((refusal, _)) => Err(sqlx::Error::Io(refusal).into()),
    }
}

/// Comes back if the address refuses connections, and never otherwise: what else is wrong is for the pool to find out.
/// Nothing is sent, so that a database which does listen takes no notice.
async fn refused(host: &str, port: u16) -> Error {
    tokio::time::sleep(SOON).await;
    match TcpStream::connect((host, port)).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => error,
        _ => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn only_a_refusal_ends_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let wait = || tokio::time::timeout(SOON * 5, refused("127.0.0.1", port));
        assert!(wait().await.is_err(), "somebody listens");
        drop(listener);
        assert_eq!(wait().await.unwrap().kind(), ErrorKind::ConnectionRefused);
        let unknown = tokio::time::timeout(SOON * 5, refused("host.invalid", port));
        assert!(unknown.await.is_err(), "a name that is not known now may be in a moment");
    }
}
