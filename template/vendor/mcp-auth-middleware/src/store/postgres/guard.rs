//! A relay on this machine for connections to another one of which nobody checks which one it is, as the configuration says in so
//! many words: it ends a connection whose other side asks for the password in clear text, or as MD5, before it gets one.
//!
//! The driver sends the password in whatever form it is asked for, and a machine between here and the database can ask, with any
//! certificate at all. What is left, SCRAM (RFC 5802), does not give the password away. So the relay encrypts, where that is
//! wanted, and reads what comes until the connection is ready, as the driver answers questions until then. With the modes `verify-ca` and `verify-full` there is none.

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{PostgresConfig, unverified};

/// SQLSTATEs of our own, for the driver's errors: the wrong question, nobody there, no TLS, and a question that takes too long.
pub(super) const ASKED_FOR_THE_PASSWORD: &str = "MA002";
pub(super) const NOBODY_THERE: &str = "MA003";
pub(super) const NO_TLS: &str = "MA004";
pub(super) const TOO_MUCH_WORK: &str = "MA005";

/// SSLRequest (PostgreSQL documentation, 55.7).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The driver hashes the password as often as the server asks (RFC 5802 §5.1, `i`), four thousand million times at the most, which
/// takes a core for half an hour. PostgreSQL asks for 4,096 unless `scram_iterations` says otherwise.
const MOST_ITERATIONS: u64 = 1_000_000;

/// How long the other side may take for its part of TLS's end, before it is left.
const GOODBYE: Duration = Duration::from_secs(1);

/// Messages before a connection is ready are short.
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
        let (Some((host, port)), true) = (config.address(), config.is_unverified()) else { return Ok(None) };
        let mode = config.options.get_ssl_mode();
        let tls = match mode {
            PgSslMode::Disable | PgSslMode::Allow => None,
            _ => Some(unverified::connector().map_err(Error::other)?),
        };
        let required = matches!(mode, PgSslMode::Require);
        let target = Target { host, port, tls, required, limit: config.acquire_timeout };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let (address, listener) = (listener.local_addr()?, TcpListener::from_std(listener)?);
        let relay = tokio::spawn(accept(listener, Arc::new(target))).abort_handle();
        Ok(Some(Self { address, relay }))
    }

    /// The same options by way of the relay, which encrypts in the driver's place.
    pub(super) fn lead(&self, options: PgConnectOptions) -> PgConnectOptions {
        options.host(&self.address.ip().to_string()).port(self.address.port()).ssl_mode(PgSslMode::Disable)
    }
}

/// Where the relay leads.
struct Target {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
    /// `true` when it leads there by TLS only.
    required: bool,
    /// How long it takes at most until the connection is ready. The driver waits no longer for it, and does not say when it leaves.
    limit: Duration,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

impl PostgresConfig {
    /// Returns whether nothing checks which machine it is. With a certificate of its own the driver has to encrypt itself; then the
    /// database knows it by that, and has no reason to ask for a password.
    fn is_unverified(&self) -> bool {
        let verified = match self.options.get_ssl_mode() {
            PgSslMode::VerifyCa | PgSslMode::VerifyFull => true,
            PgSslMode::Require => self.client_certificate,
            _ => false,
        };
        !verified && !self.is_local()
    }
}

async fn accept(listener: TcpListener, target: Arc<Target>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Out of file descriptors, mostly.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let target = Arc::clone(&target);
        tokio::spawn(async move {
            // Whatever ends it, the driver sees a connection that was closed.
            let _ = relay(client, &target).await;
        });
    }
}

async fn relay(mut client: TcpStream, target: &Target) -> Result<(), Error> {
    client.set_nodelay(true)?;
    let slow = || Error::from(ErrorKind::TimedOut);
    let server = timeout(target.limit, begin(&mut client, target)).await.map_err(|_| slow())??;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = split(server);
    {
        let asked = pin!(copy(&mut from_client, &mut to_server));
        let answered = pin!(copy(&mut from_server, &mut to_client));
        // Neither side has anything to say to one that has left.
        select(asked, answered).await;
    }
    timeout(GOODBYE, to_server.shutdown()).await.map_err(|_| slow())?
}

/// The way to the other side, encrypted or not.
trait Way: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Way for T {}

/// The connection to the other side, which is ready.
async fn begin(client: &mut TcpStream, target: &Target) -> Result<Box<dyn Way>, Error> {
    // What a client begins with has no type: length, code, rest.
    let first = message(client, None).await?;
    let mut server = encrypted(client, target).await?;
    send(&mut server, &first).await?;
    authenticate(client, &mut server).await?;
    Ok(server)
}

async fn encrypted(client: &mut TcpStream, target: &Target) -> Result<Box<dyn Way>, Error> {
    let mut server = match TcpStream::connect((target.host.as_str(), target.port)).await {
        Ok(server) => server,
        Err(error) => {
            refuse(client, NOBODY_THERE, &error.kind().to_string()).await?;
            return Err(error);
        }
    };
    server.set_nodelay(true)?;
    let Some(tls) = &target.tls else { return Ok(Box::new(server)) };
    server.write_all(&SSL_REQUEST).await?;
    // Nothing comes after this byte before TLS begins: what did would be somebody else's (CVE-2021-23222).
    let error = match server.read_u8().await? {
        b'S' => match tls.connect(unverified::name(&target.host)?, server).await {
            Ok(server) => return Ok(Box::new(server)),
            Err(error) => error,
        },
        b'N' if !target.required => return Ok(Box::new(server)),
        _ => ErrorKind::ConnectionRefused.into(),
    };
    refuse(client, NO_TLS, "no TLS").await?;
    Err(error)
}

/// Sends at once what TLS has buffered.
async fn send(stream: &mut (impl AsyncWrite + Unpin), content: &[u8]) -> Result<(), Error> {
    stream.write_all(content).await?;
    stream.flush().await
}

/// Up to the word that the other side is ready, or that it lets nobody in.
async fn authenticate(client: &mut TcpStream, server: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), Error> {
    let mut let_in = false;
    loop {
        let kind = server.read_u8().await?;
        let content = message(server, Some(kind)).await?;
        let code = content.get(5..9).and_then(|code| code.try_into().ok()).map(u32::from_be_bytes);
        match (kind, code) {
            (b'R', Some(0)) if !let_in => {
                let_in = true;
                client.write_all(&content).await?;
            }
            (b'R', Some(11)) if !let_in && iterations(&content) > MOST_ITERATIONS => {
                refuse(client, TOO_MUCH_WORK, "too many iterations").await?;
                return Err(ErrorKind::PermissionDenied.into());
            }
            // SASL: what may be chosen, what comes next, what came last. The client answers all but the last.
            (b'R', Some(10 | 11)) if !let_in => {
                client.write_all(&content).await?;
                let kind = client.read_u8().await?;
                send(server, &message(client, Some(kind)).await?).await?;
            }
            (b'R', Some(12)) if !let_in => client.write_all(&content).await?,
            (b'N' | b'v', _) => client.write_all(&content).await?,
            // What the server has to say of itself once it has let somebody in.
            (b'S' | b'K', _) if let_in => client.write_all(&content).await?,
            (b'Z', _) if let_in => return client.write_all(&content).await,
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

/// How often a server's first message of SCRAM wants the password to be hashed: what cannot be read is for the driver to refuse.
fn iterations(message: &[u8]) -> u64 {
    let attributes = message.get(9..).unwrap_or_default().split(|byte| *byte == b',');
    let counts =
        attributes.filter_map(|attribute| std::str::from_utf8(attribute.strip_prefix(b"i=")?).ok()?.parse().ok());
    counts.max().unwrap_or_default()
}

/// A whole message, after its type if it has one.
async fn message(stream: &mut (impl AsyncRead + Unpin), kind: Option<u8>) -> Result<Vec<u8>, Error> {
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
