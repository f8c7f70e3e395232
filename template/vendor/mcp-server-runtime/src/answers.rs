//! Bodies of answers of upstream APIs: as much of them as the memory has room for.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::middleware::content_coding;

/// Names of codings are cut here: they are the API's choice of words.
const LONGEST_CODING: usize = 64;

/// The beginning of a client for an upstream API. It follows no redirect, as the token must not travel to wherever it points, and
/// unpacks nothing, whatever features of reqwest there are: what is compressed is refused by [`read`] and [`Memory::read`].
pub fn client() -> ClientBuilder {
    let client = Client::builder().redirect(Policy::none()).connect_timeout(Duration::from_secs(5));
    client.no_gzip().no_brotli().no_deflate().no_zstd()
}

/// Why the body of an answer was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It has more bytes than that.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It is compressed, or coded otherwise, though it was asked for as it is (RFC 9110 §12.5.3): the name of the coding.
    #[error("it comes in the content coding {0:?}, which was not asked for")]
    Coded(String),
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
    // Before a byte of it is read. Nothing is unpacked here: what is small on the way may be large in memory.
    if let Some(coding) = content_coding(answer.headers()) {
        let coding = String::from_utf8_lossy(coding.as_bytes());
        return Err(ReadError::Coded(coding.chars().filter(|c| !c.is_control()).take(LONGEST_CODING).collect()));
    }
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
    async fn an_answer_that_is_coded_is_not_read() {
        let coded = |coding: &str| {
            let mut answer = axum::http::Response::new(vec![0x1f_u8, 0x8b, 8]);
            answer.headers_mut().insert("content-encoding", coding.parse().unwrap());
            answer.into()
        };
        let Err(ReadError::Coded(coding)) = read(coded("gzip"), 5000).await else { panic!("read") };
        assert_eq!(coding, "gzip");
        assert!(matches!(read(coded(&"x".repeat(999)), 9).await, Err(ReadError::Coded(coding)) if coding.len() == 64));
        assert_eq!(read(coded("identity"), 5000).await.unwrap().len(), 3);
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
