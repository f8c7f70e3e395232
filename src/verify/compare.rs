//! Observations × catalog → findings. Pure.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::ServerAddress;
use super::metadata::is_loopback;
use super::observation::{Health, Observation, Seen, Session, Silence};
use crate::audit::finding::{Code, Finding, Severity};
use crate::catalog::advice::finding;
use crate::catalog::service::{AuthMethod, Service, TokenStorage, Tool, label};
use crate::catalog::source::CatalogSource;
use crate::scaffold::template::Template;
use crate::text::plural::some;

/// A certificate of today is renewed a month or more before its end.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// The number of tools that a message names.
const NAMED: usize = 5;

const CLIENT: &str = "a client with a credential";
const FAILS: &str = "the server has too much to do, or fails";

/// Findings about one address.
struct Comparison<'a> {
    source: &'a CatalogSource,
    address: &'a ServerAddress,
    service: &'a Service,
    found: Vec<Finding>,
}

/// Returns the findings about all addresses, as of `now`.
#[must_use]
pub fn compare(
    source: &CatalogSource,
    addresses: &[ServerAddress],
    observations: &[Observation],
    now: SystemTime,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for observation in observations {
        let Some(address) = addresses.get(observation.address) else { continue };
        let service = &source.catalog.services[address.index];
        let mut comparison = Comparison { source, address, service, found: Vec::new() };
        comparison.all(observation, now);
        found.append(&mut comparison.found);
    }
    found
}

impl Comparison<'_> {
    fn add(&mut self, code: Code, severity: Severity, fields: &[&str], what: &str) {
        let place = self.source.field(self.address.index, fields);
        let message = format!("{} {what}", self.address.name);
        self.found.extend(finding(self.source, place, code, severity, message));
    }

    fn error(&mut self, code: Code, fields: &[&str], what: &str) {
        self.add(code, Severity::Error, fields, what);
    }

    fn warn(&mut self, code: Code, fields: &[&str], what: &str) {
        self.add(code, Severity::Warning, fields, what);
    }

    fn all(&mut self, observation: &Observation, now: SystemTime) {
        self.challenge(observation);
        self.clients(observation);
        self.certificate(observation, now);
        if let Some(health) = &observation.health {
            self.health(health, observation);
        }
        self.session(observation);
        self.version(observation);
        self.template(observation);
        if self.address.is_main {
            self.tools(observation);
        }
    }

    /// Compares the answer to a client without credentials with `auth_method`.
    fn challenge(&mut self, observation: &Observation) {
        const URL: &[&str] = &["url", "environments"];
        const AUTH: &[&str] = &["auth_method"];
        let expected = self.service.auth_method;
        let wanted = expected.map_or("nothing", |method| label(method.as_str()));
        let local = url::Url::parse(&self.address.url).is_ok_and(|url| is_loopback(&url));
        let is_access = expected == Some(AuthMethod::CloudflareAccess);
        match &observation.stranger {
            Seen::NotAsked => {}
            Seen::Silence(Silence::Tls(_)) if expected == Some(AuthMethod::Mtls) => {}
            Seen::Silence(silence @ Silence::Certificate(_)) => {
                self.error(Code::CertificateEnds, URL, &silence.sentence());
            }
            Seen::Silence(silence) => self.error(Code::Unreachable, URL, &silence.sentence()),
            Seen::NoServer(status) => {
                let what = format!("answers {status}: the edge or a proxy does not reach the server");
                self.error(Code::Unreachable, URL, &what);
            }
            Seen::ServerFails(status) => {
                self.error(Code::Unhealthy, URL, &format!("answers {status}: {FAILS}"));
            }
            Seen::Open(_) if expected == Some(AuthMethod::None) => {}
            Seen::Open(_) => {
                let what = format!("answers everybody without credentials, and the catalog says {wanted}");
                self.error(Code::OpenServer, AUTH, &what);
            }
            Seen::AccessChallenge if is_access => {}
            Seen::AccessLogin if is_access => {
                let what = "answers with the login page of Cloudflare Access, which no MCP client can follow: Managed OAuth is off";
                self.warn(Code::BadMetadata, URL, what);
            }
            Seen::AccessChallenge | Seen::AccessLogin => {
                self.error(
                    Code::AuthDrift,
                    AUTH,
                    &format!("is behind Cloudflare Access, and the catalog says {wanted}"),
                );
            }
            Seen::ServerRefuses(code) if is_access && !local => {
                let what = format!("answers {code} itself: Cloudflare Access is not in front of it");
                self.error(Code::AuthDrift, AUTH, &what);
            }
            Seen::ServerRefuses(_) | Seen::Challenge if expected == Some(AuthMethod::None) => {
                self.error(Code::AuthDrift, AUTH, "asks for credentials, and the catalog says None");
            }
            Seen::Challenge if is_access => {
                self.error(Code::AuthDrift, AUTH, "answers 401, but not that of Cloudflare Access");
            }
            Seen::ServerRefuses(_) | Seen::Challenge => self.metadata(observation, expected),
            Seen::Block => {
                let what = "answers 403 \"blocked\" in plain text to every client: a rule of the edge";
                self.error(Code::BlockedClient, URL, what);
            }
            Seen::Forbidden => {
                self.error(Code::Unreachable, URL, "answers 403 to a client without credentials, before any challenge")
            }
            Seen::UnknownHost => {
                self.error(Code::Unreachable, URL, "answers 403: the host name of its url is not in ALLOWED_HOSTS");
            }
            Seen::Elsewhere(to) => {
                let what = format!("redirects to {to:?}, and clients of MCP do not follow");
                self.error(Code::NotMcp, URL, &what);
            }
            Seen::Page => self.error(Code::NotMcp, URL, "answers 200 with a web page, which is no MCP"),
            Seen::TooLarge => self.error(Code::NotMcp, URL, "answers with more than 4 MB, which was not read"),
            Seen::Other(status) => self.error(Code::NotMcp, URL, &format!("answers {status}, which is no MCP")),
        }
        if is_access && matches!(observation.stranger, Seen::AccessChallenge) {
            self.metadata(observation, expected);
        }
    }

    /// Reports what keeps clients from the login.
    fn metadata(&mut self, observation: &Observation, expected: Option<AuthMethod>) {
        match &observation.login {
            Some(problems) => problems.iter().for_each(|problem| {
                self.warn(
                    Code::BadMetadata,
                    &["url", "environments"],
                    &format!("leads no client to a login: {problem}"),
                );
            }),
            None if matches!(expected, Some(AuthMethod::Oauth | AuthMethod::Oidc)) => {
                let what = "asks for credentials, and WWW-Authenticate names no resource_metadata: clients cannot find the login";
                self.warn(Code::BadMetadata, &["url", "environments"], what);
            }
            None => {}
        }
    }

    /// Compares the answer to AI clients with that to others.
    fn clients(&mut self, observation: &Observation) {
        if matches!(observation.claude, Some(Seen::Block | Seen::Forbidden))
            && !matches!(observation.stranger, Seen::Block | Seen::Forbidden | Seen::UnknownHost)
        {
            let what = "blocks Claude-User with 403 and lets other clients pass: \"Block AI bots\" or AI Crawl Control";
            self.error(Code::BlockedClient, &["url", "environments"], what);
        }
    }

    fn certificate(&mut self, observation: &Observation, now: SystemTime) {
        let Some(ends) = observation.certificate_ends else { return };
        let date = DateTime::<Utc>::from(ends).format("%Y-%m-%d");
        match ends.duration_since(now) {
            Ok(left) if left > SOON => {}
            Ok(left) => {
                let days = left.as_secs() / (24 * 60 * 60);
                let what = format!("has a certificate that ends on {date}, in {days} days");
                self.warn(Code::CertificateEnds, &["url", "environments"], &what);
            }
            Err(_) => {
                self.error(
                    Code::CertificateEnds,
                    &["url", "environments"],
                    &format!("has a certificate that ended on {date}"),
                );
            }
        }
    }

    fn health(&mut self, health: &Health, observation: &Observation) {
        let is_well = health.word.as_deref().is_none_or(|word| matches!(word, "ok" | "healthy" | "up" | "pass"));
        if health.is_unreached {
            // A client with a credential has met it as well.
            if !matches!(observation.session, Some(Session::Answered { seen: Seen::NoServer(_), .. })) {
                let what =
                    format!("answers {} at /health: the edge or a proxy does not reach the server", health.status);
                self.error(Code::Unreachable, &["url", "environments"], &what);
            }
        } else if health.status >= 400 || !is_well {
            let word = health.word.as_deref().map(|word| format!(", status {word:?}")).unwrap_or_default();
            self.error(
                Code::Unhealthy,
                &["url", "environments"],
                &format!("answers {} at /health{word}", health.status),
            );
        }
        if let (Some(mode), Some(expected)) = (&health.auth_mode, self.service.auth_method)
            && let Some(modes) = methods(mode)
            && !modes.contains(&expected)
        {
            // One fact, once: the challenge may have shown it.
            match self.found.iter_mut().find(|finding| matches!(finding.code, Code::AuthDrift | Code::OpenServer)) {
                Some(shown) => shown.message += &format!("; it says that its auth mode is {mode}"),
                None => {
                    let says = label(expected.as_str());
                    let what = format!("says that its auth mode is {mode}, and the catalog says {says}");
                    self.error(Code::AuthDrift, &["auth_method"], &what);
                }
            }
        }
        if let (Some(word), Some(expected)) = (&health.token_storage, self.service.token_storage)
            && let Some(storage) = storage(word)
            && storage != expected
        {
            let (is, says) = (label(storage.as_str()), label(expected.as_str()));
            let what = format!("says that its tokens are in {is}, and the catalog says {says}");
            self.error(Code::StorageDrift, &["token_storage"], &what);
        }
    }

    /// Reports what keeps a client with the credential out. What every client meets was said of the one without.
    fn session(&mut self, observation: &Observation) {
        const URL: &[&str] = &["url", "environments"];
        let before = &observation.stranger;
        match &observation.session {
            Some(Session::Silence(silence)) => {
                self.error(Code::Unreachable, URL, &format!("{}, when asked by {CLIENT}", silence.sentence()));
            }
            Some(Session::Slow(seconds)) => {
                self.error(Code::Unreachable, URL, &format!("took more than {seconds} s for all answers"));
            }
            Some(Session::Answered { status, seen }) => self.answer(*status, seen, before),
            Some(Session::Failed(why)) => {
                self.error(Code::NotMcp, URL, &format!("does not speak MCP with its credential: it {why}"));
            }
            Some(Session::Accepted(_)) | None => {}
        }
    }

    /// Reports an answer to the client with the credential: whose it is, as the edge and the server refuse for different reasons.
    fn answer(&mut self, status: u16, seen: &Seen, before: &Seen) {
        const URL: &[&str] = &["url", "environments"];
        if seen == before && !seen.wants_credentials() {
            return;
        }
        let past_the_edge = matches!(before, Seen::AccessChallenge | Seen::AccessLogin);
        let (code, fields, what) = match seen {
            Seen::NoServer(_) => (
                Code::Unreachable,
                URL,
                format!("answers {status} to {CLIENT}: the edge or a proxy does not reach the server"),
            ),
            Seen::ServerRefuses(code) if status < 500 && past_the_edge => (
                Code::RefusedCredential,
                &[][..],
                format!("refuses its credential with {status} and {code}, though Cloudflare Access lets it pass"),
            ),
            Seen::ServerRefuses(code) if status < 500 => {
                (Code::RefusedCredential, &[][..], format!("refuses its credential with {status} and {code}"))
            }
            Seen::ServerRefuses(code) => (Code::Unhealthy, URL, format!("answers {status} and {code} to {CLIENT}")),
            Seen::ServerFails(_) => (Code::Unhealthy, URL, format!("answers {status} to {CLIENT}: {FAILS}")),
            Seen::AccessChallenge | Seen::AccessLogin | Seen::Challenge | Seen::Forbidden if past_the_edge => (
                Code::RefusedCredential,
                &[][..],
                format!("has a credential that Cloudflare Access refuses with {status}"),
            ),
            Seen::UnknownHost => (
                Code::Unreachable,
                URL,
                format!("answers 403 to {CLIENT}: the host name of its url is not in ALLOWED_HOSTS"),
            ),
            Seen::AccessChallenge | Seen::AccessLogin | Seen::Challenge | Seen::Block | Seen::Forbidden => {
                (Code::RefusedCredential, &[][..], format!("refuses its credential with {status}"))
            }
            Seen::Elsewhere(to) => {
                (Code::NotMcp, URL, format!("redirects {CLIENT} to {to:?}, and clients of MCP do not follow"))
            }
            Seen::TooLarge => (Code::NotMcp, URL, format!("answers {CLIENT} with more than 4 MB, which was not read")),
            Seen::Page => (Code::NotMcp, URL, format!("answers {status} with a web page to {CLIENT}")),
            _ => (Code::NotMcp, URL, format!("answers {status} and no JSON-RPC to {CLIENT}")),
        };
        self.error(code, fields, &what);
    }

    fn version(&mut self, observation: &Observation) {
        let by_mcp = observation.server().and_then(|server| server.version.as_deref());
        let by_health = observation.health.as_ref().and_then(|health| health.version.as_deref());
        if let (Some(one), Some(other)) = (by_mcp, by_health)
            && one != other
        {
            let what = format!(
                "says {one:?} by MCP and {other:?} at /health: two servers answer there, or one of them is wrong"
            );
            self.error(Code::VersionDrift, &["version"], &what);
        }
        if let (Some(runs), Some(expected)) = (observation.version(), self.address.version.as_deref())
            && runs != expected
        {
            let what = format!("runs version {runs:?}, and the catalog says {expected:?}");
            self.warn(Code::VersionDrift, &["version", "environments"], &what);
        }
    }

    fn template(&mut self, observation: &Observation) {
        let Some(expected) = &self.service.template else { return };
        if let Some(says) = observation.template().filter(|says| *says != expected.version) {
            let what = format!("was made from template {says:?}, and the catalog says {:?}", expected.version);
            self.warn(Code::TemplateDrift, &["template"], &what);
        }
        // Read where an entry asks for it only.
        let Some(ours) = Template::embedded().ok().and_then(|template| template.version()) else { return };
        let older = |text: &str| semver::Version::parse(text).ok().zip(semver::Version::parse(&ours).ok());
        let theirs = observation.template().unwrap_or(&expected.version);
        if older(theirs).is_some_and(|(theirs, ours)| theirs < ours) {
            let what = format!("was made from template {theirs:?}, and this mcp-kit has {ours:?}");
            self.add(Code::TemplateDrift, Severity::Note, &["template"], &what);
        }
    }

    fn tools(&mut self, observation: &Observation) {
        if let Some(Err(why)) = observation.server().and_then(|server| server.tools.as_ref()) {
            self.error(Code::NotMcp, &["tools"], why);
        }
        let Some(tools) = observation.tools() else { return };
        let known = &self.service.tools;
        if known.is_empty() {
            return;
        }
        let missing = |of: &[Tool], other: &[Tool]| -> Vec<String> {
            let gone = |tool: &&Tool| other.iter().all(|one| one.name != tool.name);
            of.iter().filter(gone).map(|tool| tool.name.clone()).collect()
        };
        let (new, gone) = (missing(tools, known), missing(known, tools));
        let changed: Vec<String> = known.iter().filter_map(|tool| change(tool, tools)).collect();
        for (what, names) in [("has new tools", new), ("lacks tools of the catalog", gone), ("changed tools", changed)]
        {
            if !names.is_empty() {
                self.warn(Code::ToolsDrift, &["tools"], &format!("{what}: {}", some(&names, NAMED)));
            }
        }
    }
}

/// Returns the change of a tool's hints. A tool without hints in the catalog has nothing to compare.
fn change(tool: &Tool, tools: &[Tool]) -> Option<String> {
    let now = tools.iter().find(|now| now.name == tool.name)?;
    let word = |hint: Option<bool>| hint.map_or("nothing", |hint| if hint { "true" } else { "false" });
    let differs = |was: Option<bool>, is: Option<bool>| was.is_some() && was != is;
    if differs(tool.read_only, now.read_only) {
        let (was, is) = (word(tool.read_only), word(now.read_only));
        return Some(format!("{} (read_only was {was}, is {is})", tool.name));
    }
    differs(tool.destructive, now.destructive).then(|| {
        let (was, is) = (word(tool.destructive), word(now.destructive));
        format!("{} (destructive was {was}, is {is})", tool.name)
    })
}

/// Returns the methods of a mode of generated servers, which can be a list. `None` for a word that is not known.
fn methods(mode: &str) -> Option<Vec<AuthMethod>> {
    let one = |word: &str| match word.trim() {
        "cloudflare" => Some(vec![AuthMethod::CloudflareAccess]),
        "bearer" => Some(vec![AuthMethod::Bearer]),
        "both" => Some(vec![AuthMethod::CloudflareAccess, AuthMethod::Bearer]),
        "oidc" => Some(vec![AuthMethod::Oidc]),
        "none" => Some(vec![AuthMethod::None]),
        _ => None,
    };
    let all: Option<Vec<Vec<AuthMethod>>> = mode.split([',', '+']).map(one).collect();
    all.map(|all| all.concat())
}

/// Returns the storage of a word of generated servers.
fn storage(word: &str) -> Option<TokenStorage> {
    match word {
        "postgres" => Some(TokenStorage::Postgresql),
        word => TokenStorage::ALL.iter().find(|(known, _)| *known == word).map(|(_, storage)| *storage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_generated_servers() {
        use AuthMethod::{Bearer, CloudflareAccess, Oidc};
        assert_eq!(methods("both"), Some(vec![CloudflareAccess, Bearer]));
        assert_eq!(methods("oidc,bearer"), Some(vec![Oidc, Bearer]));
        assert_eq!(methods("something"), None);
        assert_eq!(
            (storage("postgres"), storage("kv"), storage("?")),
            (Some(TokenStorage::Postgresql), Some(TokenStorage::Kv), None)
        );
    }
}
