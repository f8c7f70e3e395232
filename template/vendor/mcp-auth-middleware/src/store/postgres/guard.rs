//! A relay on this machine for connections that are not encrypted and go to another one, as the configuration says in so
//! many words: it ends a connection whose other side asks for the password in clear text, or as MD5, before it gets one.
//!
//! The driver sends the password in whatever form it is asked for, and whoever is between here and the database can ask.
//! What is left, SCRAM (RFC 5802), does not give the password away. A connection that turns to TLS is not looked into: with
//! the modes `verify-ca` and `verify-full` it leads to the database, with `require` and `prefer` to whoever has any certificate.

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::PostgresConfig;

/// SQLSTATEs of our own, for the driver's errors: the wrong question, and nobody there.
pub(super) const ASKED_FOR_THE_PASSWORD: &str = "MA002";
pub(super) const NOBODY_THERE: &str = "MA003";

/// SSLRequest and GSSENCRequest (PostgreSQL documentation, 55.7).
const REQUESTS: [[u8; 4]; 2] = [80_877_103_u32.to_be_bytes(), 80_877_104_u32.to_be_bytes()];

/// Messages before a connection is authenticated are short.
const LONGEST: usize = 16 * 1024;

/// A relay for as long as it is held.
#[derive(Debug)]
pub(super) struct Guard {
    address: SocketAddr,
    relay: AbortHandle,
}

impl Guard {
    /// The relay that this configuration needs, if it needs one. Inside of a runtime.
    ///
    /// # Errors
    /// Where this machine has no port to listen on: without the relay there is no connection.
    pub(super) fn new(config: &PostgresConfig) -> Result<Option<Self>, Error> {
        let (Some(target), true) = (config.address(), config.may_be_plain()) else { return Ok(None) };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let (address, listener) = (listener.local_addr()?, TcpListener::from_std(listener)?);
        let relay = tokio::spawn(accept(listener, Arc::new(target))).abort_handle();
        Ok(Some(Self { address, relay }))
    }

    /// The same options by way of the relay.
    pub(super) fn lead(&self, options: PgConnectOptions) -> PgConnectOptions {
        options.host(&self.address.ip().to_string()).port(self.address.port())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

impl PostgresConfig {
    /// Whether connections to another machine may be without encryption.
    fn may_be_plain(&self) -> bool {
        !self.is_local()
            && matches!(self.options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer)
    }
}

async fn accept(listener: TcpListener, target: Arc<(String, u16)>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Out of file descriptors, mostly.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let target = Arc::clone(&target);
        tokio::spawn(async move {
            // Whatever ends it, the driver sees a connection that was closed.
            let _ = relay(client, &target).await;
        });
    }
}

async fn relay(mut client: TcpStream, target: &(String, u16)) -> Result<(), Error> {
    client.set_nodelay(true)?;
    let mut server = match TcpStream::connect((target.0.as_str(), target.1)).await {
        Ok(server) => server,
        Err(error) => {
            refuse(&mut client, NOBODY_THERE, &error.kind().to_string()).await?;
            return Err(error);
        }
    };
    server.set_nodelay(true)?;
    loop {
        // What a client begins with has no type: length, code, rest.
        let first = message(&mut client, None).await?;
        server.write_all(&first).await?;
        let code: [u8; 4] = first.get(4..8).and_then(|code| code.try_into().ok()).unwrap_or_default();
        if !REQUESTS.contains(&code) {
            break;
        }
        let answer = server.read_u8().await?;
        client.write_u8(answer).await?;
        if answer != b'N' {
            copy_bidirectional(&mut client, &mut server).await?;
            return Ok(());
        }
    }
    authenticate(&mut client, &mut server).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Up to the word that the client is let in, or not.
async fn authenticate(client: &mut TcpStream, server: &mut TcpStream) -> Result<(), Error> {
    loop {
        let kind = server.read_u8().await?;
        let content = message(server, Some(kind)).await?;
        let code = content.get(5..9).and_then(|code| code.try_into().ok()).map(u32::from_be_bytes);
        match (kind, code) {
            (b'R', Some(0)) => {
                client.write_all(&content).await?;
                return Ok(());
            }
            // SASL: what may be chosen, what comes next, what came last. The client answers all but the last.
            (b'R', Some(10 | 11)) => {
                client.write_all(&content).await?;
                let kind = client.read_u8().await?;
                server.write_all(&message(client, Some(kind)).await?).await?;
            }
            (b'R', Some(12)) | (b'N' | b'v', _) => client.write_all(&content).await?,
            (b'E', _) => {
                client.write_all(&content).await?;
                return Err(ErrorKind::ConnectionRefused.into());
            }
            _ => {
                refuse(client, ASKED_FOR_THE_PASSWORD, "asks for the password").await?;
                return Err(ErrorKind::PermissionDenied.into());
            }
        }
    }
}

/// A whole message, after its type if it has one.
async fn message(stream: &mut TcpStream, kind: Option<u8>) -> Result<Vec<u8>, Error> {
    let length = stream.read_u32().await?;
    let whole = usize::try_from(length).ok().filter(|length| (4..=LONGEST).contains(length));
    let whole = whole.ok_or(ErrorKind::InvalidData)?;
    let mut content: Vec<u8> = kind.into_iter().collect();
    content.extend(length.to_be_bytes());
    let begins = content.len();
    content.resize(begins + whole - 4, 0);
    stream.read_exact(&mut content[begins..]).await?;
    Ok(content)
}

/// An ErrorResponse.
async fn refuse(client: &mut TcpStream, code: &str, text: &str) -> Result<(), Error> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0");
    let mut response = vec![b'E'];
    response.extend(u32::try_from(fields.len() + 4).unwrap_or(u32::MAX).to_be_bytes());
    response.extend(fields.as_bytes());
    client.write_all(&response).await?;
    client.shutdown().await
}
