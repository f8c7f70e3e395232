//! Whether the client of a request still waits for its answer.
//!
//! A tool runs in a task of its own, which goes on when the client is gone. Whatever waits for something scarce asks here.

use tokio::sync::watch;

/// Kept as long as somebody waits for the answer.
#[derive(Debug)]
pub struct Waiting(#[expect(dead_code, reason = "its end is what counts")] watch::Sender<()>);

/// In the extensions of a request: tells when its client is gone.
#[derive(Debug, Clone)]
pub struct Hangup(watch::Receiver<()>);

/// Both ends for one request.
#[must_use]
pub fn pair() -> (Waiting, Hangup) {
    let (sender, receiver) = watch::channel(());
    (Waiting(sender), Hangup(receiver))
}

impl Hangup {
    /// Resolves when nobody waits for the answer any more.
    pub async fn wait(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
