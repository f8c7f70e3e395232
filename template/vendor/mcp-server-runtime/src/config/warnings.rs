//! Warnings about settings that are allowed but probably not meant.

use super::{Config, TelemetryConfig};

impl Config {
    /// Returns the warnings, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.auth.bearer.is_some() && self.auth.mode.takes_bearer() && !self.listen.ip().is_loopback() {
            warnings.push(format!(
                "A Bearer token for development is accepted on {}, which is not loopback: every holder gets in. \
                 Use AUTH_MODE=cloudflare in production",
                self.listen
            ));
        }
        // With a tunnel on the same machine the address is loopback, and the server public all the same.
        let mut names = self.allowed_hosts.iter().chain(self.public_url.as_ref().map(|url| &url.host));
        if let (true, true, Some(name)) = (self.auth.bearer.is_some(), self.listen.ip().is_loopback(), names.next()) {
            warnings.push(format!(
                "A Bearer token for development is accepted under {name}, too (ALLOWED_HOSTS, PUBLIC_URL): every \
                 holder gets in. Use AUTH_MODE=cloudflare in production"
            ));
        }
        let named = !self.allowed_hosts.is_empty() || self.public_url.is_some();
        let by_token = self.auth.cloudflare.is_some() || !self.auth.oidc.is_empty();
        if by_token && !named {
            warnings.push(
                "ALLOWED_HOSTS is empty: requests under a public host name get 403. Set it to the name clients use"
                    .to_owned(),
            );
        }
        // Plain http is accepted for loopback alone: no team of Cloudflare's is there.
        if self.auth.cloudflare.as_ref().is_some_and(|access| access.issuer().starts_with("http://")) {
            warnings.push(
                "CF_ACCESS_TEAM_DOMAIN is an emulator on this machine, which lets in every caller: for development only"
                    .to_owned(),
            );
        }
        if let Some(name) = self.unused_issuer {
            let mode = self.auth.mode;
            warnings.push(format!("{name} is set but not used, as AUTH_MODE is {mode}: add oidc to it"));
        }
        if self.telemetry.as_ref().is_some_and(TelemetryConfig::exposes_headers) {
            warnings.push(
                "OTEL_EXPORTER_OTLP_HEADERS go to the collector in clear text: use https, or a collector on this machine"
                    .to_owned(),
            );
        }
        warnings.extend(self.store.warning());
        warnings.extend(self.unused_tokens.iter().map(|token| {
            format!(
                "{token} is set but not used, as TOKEN_STORE is {}: take it out once `{} migrate-env` has stored it",
                self.store.as_str(),
                self.service.name
            )
        }));
        warnings
    }
}
