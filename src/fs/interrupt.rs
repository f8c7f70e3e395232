//! Ctrl-C and SIGTERM as a flag that long work checks between two steps, so that cleanup always runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Explain, Message};

/// The number of the signal that has arrived, or 0.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

/// An interruption by the signal with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted(pub u8);

impl Interrupt {
    /// Starts to catch SIGINT, SIGTERM and SIGHUP, which would otherwise end the process.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen() -> std::io::Result<Self> {
        let seen = Arc::new(AtomicUsize::new(0));
        let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
        for signal in signals {
            signal_hook::flag::register_usize(signal, Arc::clone(&seen), usize::try_from(signal).unwrap_or(2))?;
        }
        #[cfg(unix)]
        signal_hook::flag::register_usize(signal_hook::consts::SIGHUP, Arc::clone(&seen), 1)?;
        Ok(Self(seen))
    }

    /// Checks whether a signal has arrived.
    ///
    /// # Errors
    /// When one has. The caller returns the error, and every step on the way is undone.
    pub fn check(&self) -> Result<(), Interrupted> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(Interrupted(u8::try_from(signal).unwrap_or(2))),
        }
    }
}

impl Explain for Interrupted {
    /// The status that a shell reports for a process killed by the signal.
    fn status(&self) -> u8 {
        128 + self.0
    }

    fn messages(&self) -> Vec<Message> {
        vec![Message { what: "interrupted; nothing was left behind".to_owned(), hint: None }]
    }
}
