//! Ctrl-C and SIGTERM as a question that long work asks between two steps, so that everything is cleaned up on the way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Explain, Message};

/// Which signal has arrived, if one has.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

/// The work was told to stop by this signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted(pub u8);

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on instead of dying of them.
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

    /// # Errors
    /// When a signal has arrived: the caller passes it up and everything on the way is undone.
    pub fn check(&self) -> Result<(), Interrupted> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(Interrupted(u8::try_from(signal).unwrap_or(2))),
        }
    }
}

impl Explain for Interrupted {
    /// As a shell reports a process that died of the signal.
    fn status(&self) -> u8 {
        128 + self.0
    }

    fn messages(&self) -> Vec<Message> {
        vec![Message { what: "interrupted; nothing was left behind".to_owned(), hint: None }]
    }
}
