//! Standard error, written to by one thread for all: a request that says something pays for the text, and not for a system
//! call and for waiting until others have made theirs.
//!
//! Lines appear some milliseconds late, in their order. Those of the last milliseconds before the process is killed without
//! warning are lost; [`flush`] is for every other end.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// So long lines gather before they are written together.
const GATHER: Duration = Duration::from_millis(5);
/// Whoever reads standard error too slowly makes the server wait from here on, instead of filling its memory.
const LIMIT: usize = 1 << 20;

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
}

static LINES: OnceLock<Lines> = OnceLock::new();

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
        if waiting.hurry {
            drop(waiting);
            return io::stderr().write(line);
        }
        while waiting.text.len() > LIMIT {
            waiting = lines.wait(waiting);
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

/// Waits until every line so far is written, and has those that follow written at once: for the end of the process.
pub fn flush() {
    let Some(lines) = LINES.get() else { return };
    let mut waiting = lines.lock();
    waiting.hurry = true;
    lines.changed.notify_all();
    while waiting.writing || !waiting.text.is_empty() {
        waiting = lines.wait(waiting);
    }
}
