//! Bodies of answers of upstream APIs: as much of them as the memory has room for.

use std::sync::Arc;

use reqwest::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why the body of an answer was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It has more bytes than that.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Other answers take all the memory that there is for answers.
    #[error("other answers take all the memory that there is for them")]
    Busy,
    /// The connection broke, or the client's time was over. The error may hold the address: it is not for callers.
    #[error("the answer did not arrive whole")]
    Broken(#[source] reqwest::Error),
}

/// Returns the body of an answer, of at most so many bytes: an upstream API must not fill the memory.
///
/// # Errors
/// [`ReadError`]; what has come until then is dropped.
pub async fn read(answer: Response, most: usize) -> Result<Vec<u8>, ReadError> {
    chunks(answer, most, |_| Ok(())).await
}

/// The memory that there is for answers, which all calls share.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Semaphore>);

/// A part of the memory that there is for answers. It is free again when this is dropped.
#[derive(Debug, Default)]
pub struct Held(Option<OwnedSemaphorePermit>);

impl Memory {
    /// So many bytes, in whole KiB.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / 1024).min(Semaphore::MAX_PERMITS))))
    }

    /// Returns the body of an answer, of at most so many bytes, and the memory that it takes. The memory is taken as the
    /// bytes come, and never waited for: calls that hold some and wait for more would wait for each other.
    ///
    /// # Errors
    /// [`ReadError`]; what has come until then is dropped.
    pub async fn read(&self, answer: Response, most: usize) -> Result<(Vec<u8>, Held), ReadError> {
        let mut held = Held::default();
        let body = chunks(answer, most, |kibibytes| {
            held.merge(self.take(kibibytes)?);
            Ok(())
        });
        Ok((body.await?, held))
    }

    fn take(&self, kibibytes: usize) -> Result<Held, ReadError> {
        let kibibytes = u32::try_from(kibibytes).map_err(|_| ReadError::Busy)?;
        let permit = Arc::clone(&self.0).try_acquire_many_owned(kibibytes);
        permit.map(|permit| Held(Some(permit))).map_err(|_| ReadError::Busy)
    }
}

impl Held {
    /// Adds another part, to be free at the same time.
    pub fn merge(&mut self, more: Self) {
        match (&mut self.0, more.0) {
            (Some(permit), Some(more)) => permit.merge(more),
            (none, more) => *none = more.or(none.take()),
        }
    }
}

/// `take` is asked for the KiB that the next part needs more than what is there.
async fn chunks(
    mut answer: Response,
    most: usize,
    mut take: impl FnMut(usize) -> Result<(), ReadError>,
) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(ReadError::Broken)? {
        let length = body.len() + chunk.len();
        if length > most {
            return Err(ReadError::TooLarge(most));
        }
        take(length.div_ceil(1024) - body.len().div_ceil(1024))?;
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> Response {
        axum::http::Response::new(vec![0_u8; bytes]).into()
    }

    #[tokio::test]
    async fn an_answer_is_as_large_as_it_may_be_and_no_larger() {
        assert_eq!(read(answer(5000), 5000).await.unwrap().len(), 5000);
        assert!(matches!(read(answer(5001), 5000).await, Err(ReadError::TooLarge(5000))));
    }

    #[tokio::test]
    async fn memory_is_shared_and_comes_back() {
        let memory = Memory::new(8 * 1024);
        let (_, mut first) = memory.read(answer(3 * 1024), 10_000).await.unwrap();
        let (_, second) = memory.read(answer(4 * 1024 + 1), 10_000).await.unwrap();
        assert!(matches!(memory.read(answer(1), 10_000).await, Err(ReadError::Busy)), "a KiB is the least");
        first.merge(second);
        drop(first);
        assert!(memory.read(answer(8 * 1024), 10_000).await.is_ok());
        assert!(matches!(memory.read(answer(8 * 1024 + 1), 10_000).await, Err(ReadError::Busy)));
        assert!(memory.read(answer(8 * 1024), 10_000).await.is_ok(), "what was refused keeps nothing");
    }
}
