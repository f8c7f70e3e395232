//! Addresses on the web: documents → addresses → what their hosts answer, or have answered lately → plain data for the checks.
//!
//! Everything but the asking itself is here whether or not the program was built to ask (feature `online`).

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

/// How the web is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineSettings {
    /// Regular expressions of addresses that are not asked.
    pub exclude: Vec<String>,
    /// Whether addresses of private networks are asked, too.
    pub private: bool,
    /// How long a host has to answer once.
    pub timeout: Duration,
    /// The time for which a good answer is cached.
    pub cache_ttl: Duration,
    /// How often it is asked when it is busy, after the first time.
    pub retries: u32,
    /// How long it is left alone before it is asked again, the first time; then twice as long each time.
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

/// Why the web was not asked.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The program was built without it.
    #[error("this mcp-kit was built without --online")]
    NotBuilt,
    /// What is not to be asked is no regular expression.
    #[error("audit.online.exclude: {0}")]
    Exclude(#[from] regex::Error),
    /// There is no client or no runtime to ask with.
    #[error("the web cannot be asked: {0}")]
    Client(String),
}

/// The addresses that the audited documents link to, as written, sorted.
#[must_use]
pub fn addresses(corpus: &Corpus) -> Vec<String> {
    let pages = corpus.pages.iter().filter(|page| page.audited);
    let links = pages.flat_map(|page| page.document.links.iter().map(|link| page.document.text(link.destination)));
    let mut all: Vec<String> = links.map(str::trim).filter(|text| address::is_web(text)).map(str::to_owned).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What became of `addresses`: from the cache where it knows, from their hosts otherwise; and what there is to say about the asking.
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
        // Worth a word, not an end: it only saves time.
        Err(error) => {
            notes.push(format!("{error}; everything is asked again"));
            Cache::default()
        }
    };
    let now = SystemTime::now();
    cache.forget(now, settings.cache_ttl);
    // Several ways to write it are one address.
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
            notes.push(format!("the answers of the web are not kept: {error}"));
        }
    }
    for (destination, url) in requested {
        if let Some(answer) = cache.get(&url) {
            answers.insert(destination, answer.clone());
        }
    }
    Ok((answers, notes))
}

/// What the hosts say, and whether all of them are unreachable.
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

/// Whether this program can ask at all.
#[must_use]
pub const fn is_built() -> bool {
    cfg!(feature = "online")
}

/// Returns the file in which answers are kept by default, in the user's cache folder; `None` where the user has no home.
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
