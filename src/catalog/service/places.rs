//! The addresses, hosts and folders of an entry, and what follows from them.

use super::{Environment, Service, ServiceStatus};

/// One place at which clients find a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// The environment, if the entry has several.
    pub environment: Option<&'a str>,
    /// The URL.
    pub url: &'a str,
    /// The version that is expected there.
    pub version: Option<&'a str>,
}

impl Service {
    /// Returns the environment of clients: that of production if it runs, else the first that runs, else the first.
    #[must_use]
    pub fn main_environment(&self) -> Option<&Environment> {
        let runs = |environment: &&Environment| environment.status.or(self.status).is_some_and(ServiceStatus::runs);
        let running = || self.environments.iter().filter(runs);
        let production = running().find(|environment| matches!(&*environment.name, "production" | "prod" | "live"));
        production.or_else(|| running().next()).or_else(|| self.environments.first())
    }

    /// Returns the URL for clients: that of the entry, else that of production.
    #[must_use]
    pub fn main_url(&self) -> Option<&str> {
        let environment = || self.main_environment().and_then(|environment| environment.url.as_deref());
        self.url.as_deref().or_else(environment)
    }

    /// Returns all URLs at which it runs.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint<'_>> {
        let own = self.url.as_deref().filter(|_| self.runs());
        let own = own.map(|url| Endpoint { environment: None, url, version: self.version.as_deref() });
        let environments = self.environments.iter().filter(|environment| {
            environment.status.or(self.status).is_some_and(ServiceStatus::runs) && environment.url != self.url
        });
        let endpoints = environments.filter_map(|environment| {
            Some(Endpoint {
                environment: Some(&environment.name),
                url: environment.url.as_deref()?,
                version: environment.version.as_deref().or(self.version.as_deref()),
            })
        });
        own.into_iter().chain(endpoints)
    }
}
