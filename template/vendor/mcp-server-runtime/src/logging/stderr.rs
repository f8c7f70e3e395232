//! Standard error, written to by one thread for all: a request that says something pays for the text, and not for a system
//! call and for waiting until others have made theirs. Nor does it wait for the reader: lines that do not fit any
//! more are dropped and counted, and the server goes on.
//!
//! Lines appear some milliseconds late, in their order. Those of the last milliseconds before the process is killed without
//! warning are lost; [`flush`] is for every other end.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// So long lines gather before they are written together.
const GATHER: Duration = Duration::from_millis(5);
/// The most bytes that wait for the reader of standard error.
const LIMIT: usize = 1 << 20;
/// So long the end of the process waits for them.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Lines {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// Taken out, and not yet all written.
    writing: bool,
    /// Somebody wants to see everything written, at once.
    hurry: bool,
    /// Nobody has read for too long: there is no use in writing.
    given_up: bool,
    /// Lines that were dropped since the last line that said so.
    dropped: u64,
}

static LINES: OnceLock<Lines> = OnceLock::new();
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many lines were dropped since the start.
#[must_use]
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes lines as they come; never returns.
    fn write_forever(&self) {
        let mut spare = Vec::new();
        let mut waiting = self.lock();
        loop {
            while waiting.text.is_empty() {
                waiting = self.wait(waiting);
            }
            if !waiting.hurry {
                drop(waiting);
                std::thread::sleep(GATHER);
                waiting = self.lock();
            }
            std::mem::swap(&mut spare, &mut waiting.text);
            waiting.writing = true;
            drop(waiting);
            // A log that nobody takes must not end the server.
            let _ = io::stderr().write_all(&spare);
            spare.clear();
            waiting = self.lock();
            waiting.writing = false;
            self.changed.notify_all();
            let dropped = std::mem::take(&mut waiting.dropped);
            if dropped > 0 {
                drop(waiting);
                tracing::warn!("{dropped} log lines were dropped: standard error is not read fast enough");
                waiting = self.lock();
            }
        }
    }
}

/// Gives log lines to the thread that writes them. Where there is no such thread, they are written at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stderr;

impl Stderr {
    /// Starts the thread.
    pub(super) fn start() -> Self {
        if LINES.get().is_none() {
            let lines = LINES.get_or_init(Lines::default);
            let writer = std::thread::Builder::new().name("log".to_owned());
            if writer.spawn(|| lines.write_forever()).is_err() {
                // Without the thread every line hurries: see `write`.
                lines.lock().hurry = true;
            }
        }
        Self
    }
}

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Some(lines) = LINES.get() else { return io::stderr().write(line) };
        let mut waiting = lines.lock();
        if waiting.hurry && !waiting.given_up {
            drop(waiting);
            return io::stderr().write(line);
        }
        if waiting.text.len() + line.len() > LIMIT {
            waiting.dropped += 1;
            DROPPED.fetch_add(1, Ordering::Relaxed);
            return Ok(line.len());
        }
        // The thread sleeps only while there is nothing: most lines wake nobody.
        if waiting.text.is_empty() {
            lines.changed.notify_all();
        }
        waiting.text.extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Stderr {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

/// Waits until every line so far is written, but not for ever, and has those that follow written at once: for the end of
/// the process.
pub fn flush() {
    let Some(lines) = LINES.get() else { return };
    let mut waiting = lines.lock();
    waiting.hurry = true;
    lines.changed.notify_all();
    let end = Instant::now() + PATIENCE;
    while waiting.writing || !waiting.text.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            waiting.given_up = true;
            return;
        }
        (waiting, _) = lines.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner);
    }
}
