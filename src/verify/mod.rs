//! Servers of the fleet as their clients see them: addresses and credentials → requests → plain observations →
//! findings, and what the catalog is to record.
//!
//! Only the requests need the feature `online`. Nothing here writes, and no credential leaves for another origin than
//! that of its server.

mod certificate;
#[cfg(feature = "online")]
mod client;
pub mod compare;
pub mod credentials;
#[cfg(feature = "online")]
mod mcp;
mod metadata;
pub mod observation;
#[cfg(feature = "online")]
mod probe;
mod recognise;
pub mod record;

use std::borrow::Cow;
use std::time::Duration;

use crate::catalog::source::CatalogSource;
use crate::error::{Explain, UNFINISHED, USAGE};
use credentials::Credentials;
use observation::Observation;

/// The settings of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifySettings {
    /// The longest time for one answer.
    pub timeout: Duration,
    /// The number of servers that are asked at the same time.
    pub concurrency: usize,
}

/// One address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// The index of the entry in the catalog.
    pub index: usize,
    /// The id of the entry.
    pub id: String,
    /// The name of the entry, with the environment, if it has several.
    pub name: String,
    /// The URL.
    pub url: String,
    /// The version that is expected there.
    pub version: Option<String>,
    /// `true` for the address whose version and tools the entry has.
    pub is_main: bool,
}

/// The reason that no server was asked.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The program was built without the feature.
    #[error("this mcp-kit was built without requests to the web")]
    NotBuilt,
    /// The client or the runtime cannot be created.
    #[error("cannot send requests: {0}")]
    Client(String),
}

/// Returns the addresses to ask: those of entries that run and speak HTTP. `only` limits them to entries with one of
/// these names or ids.
#[must_use]
pub fn addresses(source: &CatalogSource, only: &[String]) -> Vec<ServerAddress> {
    let services = &source.catalog.services;
    let ids = crate::catalog::ids::ids(services);
    let mut addresses = Vec::new();
    for (index, (service, id)) in services.iter().zip(ids).enumerate() {
        let is_wanted = only.is_empty() || only.iter().any(|name| *name == id || *name == service.name);
        let is_local = service.transport == Some(crate::catalog::service::Transport::Stdio);
        if !is_wanted || is_local || !service.runs() {
            continue;
        }
        let main = service.main_url();
        for endpoint in service.endpoints() {
            let name = match endpoint.environment {
                Some(environment) => format!("{} ({environment})", service.name),
                None => service.name.clone(),
            };
            addresses.push(ServerAddress {
                index,
                id: id.clone(),
                name,
                url: endpoint.url.to_owned(),
                version: endpoint.version.map(str::to_owned),
                is_main: Some(endpoint.url) == main,
            });
        }
    }
    addresses
}

/// Asks all addresses. `progress` receives the number of finished addresses, and of all.
///
/// # Errors
/// When nothing can be asked. That a server does not answer is an observation.
#[cfg(feature = "online")]
pub fn ask(
    addresses: &[ServerAddress],
    credentials: &Credentials,
    settings: VerifySettings,
    progress: &dyn Fn(usize, usize),
) -> Result<Vec<Observation>, VerifyError> {
    probe::ask(addresses, credentials, settings, progress)
}

/// Fails, because the program was built without the feature.
///
/// # Errors
/// Always.
#[cfg(not(feature = "online"))]
pub fn ask(
    _: &[ServerAddress],
    _: &Credentials,
    _: VerifySettings,
    _: &dyn Fn(usize, usize),
) -> Result<Vec<Observation>, VerifyError> {
    Err(VerifyError::NotBuilt)
}

impl Explain for VerifyError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::NotBuilt => "build mcp-kit without --no-default-features".into(),
            Self::Client(_) => "check the certificates and the memory of this machine".into(),
        })
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::NotBuilt) { USAGE } else { UNFINISHED }
    }
}
