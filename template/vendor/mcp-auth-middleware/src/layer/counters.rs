//! How often requests passed, and how often each refusal happened.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::AuthError;

/// How often requests passed, and how often each refusal happened.
#[derive(Debug, Default)]
pub struct AuthCounters {
    pub(super) passed: AtomicU64,
    refused: [AtomicU64; AuthError::ALL.len()],
}

impl AuthCounters {
    /// Requests that passed.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Every kind of refusal with its count, in the order of the codes.
    pub fn refused(&self) -> impl Iterator<Item = (AuthError, u64)> + '_ {
        AuthError::ALL.into_iter().zip(self.refused.iter().map(|n| n.load(Ordering::Relaxed)))
    }

    pub(super) fn count(&self, error: AuthError) {
        if let Some(at) = AuthError::ALL.iter().position(|known| *known == error) {
            self.refused[at].fetch_add(1, Ordering::Relaxed);
        }
    }
}
