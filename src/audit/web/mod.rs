//! Web addresses: documents → addresses → answers of hosts or the cache → plain data for the checks.
//!
//! Only the requests themselves need the feature `online`.

mod address;
mod answer;
mod cache;
#[cfg(feature = "online")]
mod client;
#[cfg(all(test, feature = "online"))]
mod local;
mod private;
#[cfg(feature = "online")]
mod vendor_output;
#[cfg(feature = "online")]
mod verdict;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy as _;
use regex::RegexSet;

pub use answer::{UrlAnswer, UrlAnswers};

use super::corpus::Corpus;
use crate::error::{Explain, UNFINISHED, USAGE};
use address::Address;
use cache::Cache;

/// The settings of the web requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineSettings {
    /// Regular expressions of addresses to skip.
    pub exclude: Vec<String>,
    /// `true` to request addresses of private networks too.
    pub private: bool,
    /// The timeout of one request.
    pub timeout: Duration,
    /// The time for which a good answer is cached.
    pub cache_ttl: Duration,
    /// The number of retries.
    pub retries: u32,
    /// The pause before the first retry. Each further pause is twice as long.
    pub pause: Duration,
}

impl Default for OnlineSettings {
    fn default() -> Self {
        Self {
            exclude: Vec::new(),
            private: false,
            timeout: Duration::from_secs(20),
            cache_ttl: Duration::from_secs(24 * 60 * 60),
            retries: 2,
            pause: Duration::from_secs(1),
        }
    }
}

/// The reason that no request was sent.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The program was built without the feature.
    #[error("this mcp-kit was built without --online")]
    NotBuilt,
    /// An exclusion is not a valid regular expression.
    #[error("audit.online.exclude: {0}")]
    Exclude(#[from] regex::Error),
    /// The client or the runtime cannot be created.
    #[error("cannot send web requests: {0}")]
    Client(String),
}

/// Returns the web addresses in the audited documents, as written, sorted.
#[must_use]
pub fn addresses(corpus: &Corpus) -> Vec<String> {
    let pages = corpus.pages.iter().filter(|page| page.audited);
    let links = pages.flat_map(|page| page.document.links.iter().map(|link| page.document.text(link.destination)));
    let mut all: Vec<String> = links.map(str::trim).filter(|text| address::is_web(text)).map(str::to_owned).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Returns the answers for `addresses`, from the cache or from their hosts, and notes for the user.
///
/// # Errors
/// When nothing can be asked. That no host answers is an answer, and a cache that cannot be used only costs time.
pub fn look_up(
    addresses: &[String],
    settings: &OnlineSettings,
    file: Option<&Path>,
    progress: &dyn Fn(usize, usize),
) -> Result<(UrlAnswers, Vec<String>), WebError> {
    let excluded = RegexSet::new(&settings.exclude)?;
    let mut notes = Vec::new();
    let mut cache = match file.map(Cache::load).transpose() {
        Ok(cache) => cache.unwrap_or_default(),
        // A broken cache is only a note, because it only saves time.
        Err(error) => {
            notes.push(format!("{error}; every address is requested again"));
            Cache::default()
        }
    };
    let now = SystemTime::now();
    cache.forget(now, settings.cache_ttl);
    // Several spellings are one address.
    let mut requested: BTreeMap<&str, String> = BTreeMap::new();
    let (mut answers, mut open) = (UrlAnswers::default(), BTreeMap::new());
    for destination in addresses {
        match Address::read(destination, &excluded, settings.private) {
            Address::Skipped => {}
            Address::Malformed(why) => answers.insert(destination, UrlAnswer::Broken { why }),
            Address::Requested(url) => {
                requested.insert(destination, url.as_str().to_owned());
                if cache.get(url.as_str()).is_none() {
                    open.insert(url.as_str().to_owned(), url);
                }
            }
        }
    }
    if !open.is_empty() {
        let (fresh, unreachable) = request_all(open.into_values().collect(), settings, progress)?;
        if unreachable {
            notes.push("no host has answered at all: is this machine online?".to_owned());
        }
        cache.learn(now, fresh);
        if let Some(Err(error)) = file.map(|file| cache.save(file)) {
            notes.push(format!("cannot cache the answers of the web: {error}"));
        }
    }
    for (destination, url) in requested {
        if let Some(answer) = cache.get(&url) {
            answers.insert(destination, answer.clone());
        }
    }
    Ok((answers, notes))
}

/// Requests the addresses. Returns the answers, and `true` when every host is unreachable.
#[cfg(feature = "online")]
fn request_all(
    urls: Vec<url::Url>,
    settings: &OnlineSettings,
    progress: &dyn Fn(usize, usize),
) -> Result<(Vec<(String, UrlAnswer)>, bool), WebError> {
    client::request_all(urls, settings, progress)
}

#[cfg(not(feature = "online"))]
fn request_all(
    _: Vec<url::Url>,
    _: &OnlineSettings,
    _: &dyn Fn(usize, usize),
) -> Result<(Vec<(String, UrlAnswer)>, bool), WebError> {
    Err(WebError::NotBuilt)
}

/// Returns whether this program can send requests.
#[must_use]
pub const fn is_built() -> bool {
    cfg!(feature = "online")
}

/// Returns the default cache file, in the user's cache folder, or `None` when the user has no home.
#[must_use]
pub fn default_file() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.cache_dir().join("mcp-kit").join("web.json"))
}

impl Explain for WebError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::NotBuilt => Some("build it with its default features: without --no-default-features".into()),
            Self::Exclude(_) => Some("correct `audit.online.exclude` in the catalog".into()),
            Self::Client(_) => None,
        }
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::Client(_)) { UNFINISHED } else { USAGE }
    }
}
