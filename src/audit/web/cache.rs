//! The cache of good answers, so that a run does not repeat the requests of the last one.
//!
//! The file has one line per address, sorted, so that a committed cache makes small diffs. It holds only good answers:
//! a broken page is requested again, because it may have been fixed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::UrlAnswer;
use crate::fs::files::{self, FilesError};

const SCHEMA: &str = "mcp-kit/web-cache/1";

/// The reason that a cache file is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    /// The file cannot be read.
    #[error("the cache {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not a cache.
    #[error("{} is no cache of web addresses: {why}", path.display())]
    NotACache {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
}

/// The answers by normalised address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cache(BTreeMap<String, CacheEntry>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CacheEntry {
    /// The time of the request, in seconds since 1970.
    asked: u64,
    #[serde(flatten)]
    answer: UrlAnswer,
}

#[derive(Deserialize)]
struct CacheFile {
    schema: String,
    answers: BTreeMap<String, CacheEntry>,
}

impl Cache {
    /// Reads a cache file. A missing file is an empty cache.
    ///
    /// # Errors
    /// When it cannot be read or is something else.
    pub(super) fn load(path: &Path) -> Result<Self, CacheError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(CacheError::Read { path: path.to_owned(), source }),
        };
        let not_a_cache = |why: String| CacheError::NotACache { path: path.to_owned(), why };
        let whole: CacheFile = serde_json::from_slice(&bytes).map_err(|error| not_a_cache(error.to_string()))?;
        if whole.schema != SCHEMA {
            return Err(not_a_cache(format!("its schema is {:?}, not {SCHEMA:?}", whole.schema)));
        }
        Ok(Self(whole.answers))
    }

    /// Writes the good answers.
    ///
    /// # Errors
    /// When the file or its folder cannot be written.
    pub(super) fn save(&self, path: &Path) -> Result<(), FilesError> {
        let good = self.0.iter().filter(|(_, entry)| entry.answer.is_good());
        let mut text = format!("{{\"schema\":\"{SCHEMA}\",\"answers\":{{");
        for (at, (address, entry)) in good.enumerate() {
            let (address, entry) = (serde_json::Value::from(address.as_str()), serde_json::json!(entry));
            let _ = write!(text, "{}\n{address}:{entry}", if at == 0 { "" } else { "," });
        }
        text.push_str("\n}}\n");
        files::make_folder_of(path)?;
        files::replace(path, text.as_bytes())
    }

    /// Removes the answers older than `cache_ttl`, and those that a wrong clock dated in the future.
    pub(super) fn forget(&mut self, now: SystemTime, cache_ttl: Duration) {
        let now = seconds(now);
        self.0.retain(|_, entry| now.checked_sub(entry.asked).is_some_and(|age| age < cache_ttl.as_secs()));
    }

    /// Stores the answers of this run.
    pub(super) fn learn(&mut self, now: SystemTime, fresh: impl IntoIterator<Item = (String, UrlAnswer)>) {
        let asked = seconds(now);
        self.0.extend(fresh.into_iter().map(|(address, answer)| (address, CacheEntry { asked, answer })));
    }

    /// Returns the answer for an address.
    #[must_use]
    pub(super) fn get(&self, address: &str) -> Option<&UrlAnswer> {
        self.0.get(address).map(|entry| &entry.answer)
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn good_answers_are_kept_for_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep").join("web.json");
        let mut cache = Cache::load(&file).unwrap();
        let moved = UrlAnswer::Moved { to: "https://b.io/".to_owned(), same: true };
        cache.learn(
            at(1_000),
            [
                ("https://b.io/\"".to_owned(), UrlAnswer::Fine),
                ("https://a.io/".to_owned(), moved.clone()),
                ("https://c.io/".to_owned(), UrlAnswer::Broken { why: "gone".to_owned() }),
                ("https://d.io/".to_owned(), UrlAnswer::Undecided { why: "busy".to_owned() }),
                ("https://e.io/#x".to_owned(), UrlAnswer::NoAnchor),
            ],
        );
        assert_eq!(cache.get("https://c.io/"), Some(&UrlAnswer::Broken { why: "gone".to_owned() }));
        cache.save(&file).unwrap();
        insta::assert_snapshot!(std::fs::read_to_string(&file).unwrap(), @r#"
        {"schema":"mcp-kit/web-cache/1","answers":{
        "https://a.io/":{"asked":1000,"is":"moved","same":true,"to":"https://b.io/"},
        "https://b.io/\"":{"asked":1000,"is":"fine"}
        }}
        "#);
        let mut again = Cache::load(&file).unwrap();
        assert_eq!(again.get("https://a.io/"), Some(&moved));
        assert_eq!(again.get("https://c.io/"), None);
        again.forget(at(1_000 + 86_399), DAY);
        assert_eq!(again.get("https://a.io/"), Some(&moved));
        again.forget(at(1_000 + 86_400), DAY);
        assert_eq!(again, Cache::default());
        let mut ahead = Cache::load(&file).unwrap();
        ahead.forget(at(999), DAY);
        assert_eq!(ahead, Cache::default());
    }

    #[test]
    fn other_files_are_refused_with_their_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.json");
        for (text, why) in [
            ("", "EOF while parsing"),
            ("{\"schema\":\"mcp-kit/web-cache/2\",\"answers\":{}}", "its schema is \"mcp-kit/web-cache/2\""),
            ("{\"schema\":\"mcp-kit/web-cache/1\",\"answers\":{\"a\":{\"asked\":-1,\"is\":\"fine\"}}}", "expected u64"),
            ("\u{0}\u{1}", "expected value"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Cache::load(&file).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("is no cache of web addresses"), "{error}");
        }
        assert!(Cache::load(folder.path()).unwrap_err().to_string().contains("cannot be read"));
    }
}
