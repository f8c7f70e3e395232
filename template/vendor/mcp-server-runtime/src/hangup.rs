//! Finds out whether the client of a request still waits for its answer.
//!
//! A tool runs in a task of its own, which goes on when the client is gone. Whatever waits for something scarce asks here.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Kept as long as somebody waits for the answer.
#[derive(Debug)]
pub struct Waiting(Arc<Semaphore>);

/// In the extensions of a request: tells when its client is gone. A semaphore without permits, which is closed then, is the
/// least that several can wait for: every request has one, and few ask.
#[derive(Debug, Clone)]
pub struct Hangup(Arc<Semaphore>);

/// Both ends for one request.
#[must_use]
pub fn pair() -> (Waiting, Hangup) {
    let ends = Arc::new(Semaphore::new(0));
    (Waiting(Arc::clone(&ends)), Hangup(ends))
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Hangup {
    /// Resolves when nobody waits for the answer any more.
    pub async fn wait(self) {
        // It never has a permit, so this is the error that it is closed.
        let _ = self.0.acquire().await;
    }
}
