//! A connection with deadlines for its client: to send a head, to send the next request, and to take its answer, for which
//! hyper waits for ever (<https://github.com/hyperium/hyper/issues/1628>).
//!
//! It ends in stages (RFC 9112 §9.6): a client that is still sending a body when it is refused would be cut off before it
//! could read the answer, so what it sends is dropped for a while.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::phase::{Phase, Phases, Times};

/// The most bytes of a refused body that are read and dropped.
const DRAINED: usize = 64 * 1024 * 1024;
/// A client that is silent for so long has nothing more to send.
const SILENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct Draining {
    /// Runs until the client has been silent for too long, or its time is over.
    time: Pin<Box<Sleep>>,
    end: Instant,
    bytes: usize,
}

/// Fails with [`io::ErrorKind::TimedOut`] where the client takes too long, and ends where it asks no more.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    times: Times,
    phases: Phases,
    /// Runs while a read waits.
    reading: Option<Pin<Box<Sleep>>>,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// While the rest of a body is dropped.
    draining: Option<Draining>,
    /// Runs while a client that sends no more has its answer coming.
    half_closed: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, times: Times, phases: Phases) -> Self {
        Self { stream, times, phases, reading: None, waiting: None, draining: None, half_closed: None }
    }

    /// When the client's time for the phase is over.
    fn deadline(&self) -> Option<Instant> {
        let time = match self.phases.get() {
            Phase::New | Phase::Head => self.times.head,
            Phase::Idle => self.times.idle,
            // How long an answer takes is up to the server, not to the client.
            Phase::Request => return None,
        };
        Some(self.phases.since() + time)
    }

    /// Resolves when the client's time for the phase is over.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.deadline();
            // While a request is worked on there is no deadline, and nothing polls when it is answered: the timer asks again.
            let next = deadline.unwrap_or_else(|| Instant::now() + self.times.head);
            let reading = self.reading.get_or_insert_with(|| Box::pin(sleep_until(next)));
            // A timer that would fire too late is reset; one that fires too early is checked then.
            if reading.deadline() > next {
                reading.as_mut().reset(next);
            }
            ready!(reading.as_mut().poll(context));
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Poll::Ready(());
            }
            reading.as_mut().reset(next);
        }
    }
}

impl<S: AsyncWrite + Unpin> Patient<S> {
    /// Some bytes of an answer have gone.
    fn sent(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        // A connection with an answer in pieces over hours is not idle. Only bytes that go out give the client more time: hyper
        // flushes at each poll, so whenever the client sends a byte.
        if matches!(written, Poll::Ready(Ok(1..))) && self.phases.get() == Phase::Idle {
            self.phases.touch();
        }
        self.in_time(context, written)
    }

    fn in_time<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.times.write;
        ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answers")))
    }
}

impl<S: AsyncRead + Unpin> Patient<S> {
    /// Reads what the client still sends until it ends, or enough time or bytes have gone.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let end = Instant::now() + self.times.drain;
        let Draining { time, end, bytes } =
            self.draining.get_or_insert_with(|| Draining { time: Box::pin(sleep(SILENCE)), end, bytes: 0 });
        let mut scrap = [0; 16 * 1024];
        let before = *bytes;
        while *bytes < DRAINED {
            let mut buf = ReadBuf::new(&mut scrap);
            match Pin::new(&mut self.stream).poll_read(context, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => *bytes += buf.filled().len(),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    if *bytes > before {
                        time.as_mut().reset((*end).min(Instant::now() + SILENCE));
                    }
                    return time.as_mut().poll(context);
                }
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buf) {
            // The client sends no more.
            Poll::Ready(Ok(())) if buf.filled().len() == before && self.phases.get() == Phase::Request => {
                let patience = self.times.half_closed;
                ready!(self.half_closed.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(context));
                Poll::Ready(Ok(()))
            }
            Poll::Ready(read) => {
                // The first bytes after an answer, or of all, begin a head.
                if buf.filled().len() > before && matches!(self.phases.get(), Phase::New | Phase::Idle) {
                    self.phases.set(Phase::Head);
                }
                Poll::Ready(read)
            }
            Poll::Pending => {
                ready!(self.poll_late(context));
                match self.phases.get() {
                    // Ends as if the client had gone: no request is in progress.
                    Phase::New | Phase::Idle => Poll::Ready(Ok(())),
                    _ => Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the head did not arrive in time"))),
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.sent(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.sent(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.in_time(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.draining.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        if self.phases.has_unread() {
            ready!(self.poll_drain(context));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn patient<S>(stream: S) -> (Patient<S>, Phases) {
        let phases = Phases::default();
        let times = Times { write: Duration::from_secs(30), ..Times::default() };
        (Patient::new(stream, times, phases.clone()), phases)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_is_served_and_one_that_does_not_is_not() {
        let (server, mut client) = tokio::io::duplex(16);
        let (mut server, _) = patient(server);
        let sending = tokio::spawn(async move { server.write_all(&[7; 64]).await.map_err(|error| error.kind()) });
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(29)).await;
            client.read_exact(&mut [0; 16]).await.expect("sent");
        }
        assert_eq!(sending.await.expect("joined"), Ok(()));

        let (server, client) = tokio::io::duplex(16);
        let (mut server, _) = patient(server);
        let start = Instant::now();
        assert_eq!(server.write_all(&[7; 64]).await.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        assert_eq!(start.elapsed().as_secs(), 30);
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_reads_is_dropped_for_a_while() {
        // A client that sends in pieces for 10 s and then reads; one that is silent; one that never stops.
        for (pieces, expected) in [(10, 10), (0, 3), (1000, 30)] {
            let (server, mut client) = tokio::io::duplex(1 << 16);
            let (mut server, phases) = patient(server);
            phases.set(Phase::Head);
            let sending = tokio::spawn(async move {
                for _ in 0..pieces {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if client.write_all(&[7; 1000]).await.is_err() {
                        return;
                    }
                }
                if pieces == 0 {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            });
            let start = Instant::now();
            server.shutdown().await.expect("shut down");
            assert_eq!(start.elapsed().as_secs(), expected);
            drop(server);
            sending.await.expect("joined");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_no_more_waits_for_its_answer_for_a_second() {
        let (server, client) = tokio::io::duplex(16);
        let (mut server, phases) = patient(server);
        phases.set(Phase::Request);
        drop(client);
        let (start, mut buf) = (Instant::now(), [0; 16]);
        assert_eq!((server.read(&mut buf).await.ok(), start.elapsed()), (Some(0), Duration::from_secs(1)));
        // Between requests it is gone at once.
        let (server, client) = tokio::io::duplex(16);
        let (mut server, _) = patient(server);
        drop(client);
        let start = Instant::now();
        assert_eq!((server.read(&mut buf).await.ok(), start.elapsed()), (Some(0), Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn heads_and_idle_connections_have_times_of_their_own() {
        let (server, mut client) = tokio::io::duplex(16);
        let (mut server, phases) = patient(server);
        let mut buf = [0; 16];
        // Nothing at all: 30 s.
        let start = Instant::now();
        assert_eq!((server.read(&mut buf).await.ok(), start.elapsed().as_secs()), (Some(0), 30));
        // An answered client that comes back after 649 s is served, and then has 30 s for the rest of its head.
        phases.set(Phase::Request);
        phases.set(Phase::Idle);
        let later = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(649)).await;
            client.write_all(b"GET").await.expect("sent");
            client
        });
        assert_eq!(server.read(&mut buf).await.ok(), Some(3));
        let client = later.await.expect("joined");
        let start = Instant::now();
        let late = server.read(&mut buf).await.map_err(|error| error.kind());
        assert_eq!((late, start.elapsed().as_secs()), (Err(io::ErrorKind::TimedOut), 30));
        // One that asks no more is let go after 650 s.
        phases.set(Phase::Idle);
        let start = Instant::now();
        assert_eq!((server.read(&mut buf).await.ok(), start.elapsed().as_secs()), (Some(0), 650));
        drop(client);
    }
}
