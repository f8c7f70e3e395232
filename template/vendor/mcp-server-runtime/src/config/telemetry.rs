//! OpenTelemetry's own variables: <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::Reader;
use crate::server::Service;

/// Where traces and metrics go, and which.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "telemetry"), expect(dead_code, reason = "nothing is sent without the feature"))]
pub struct TelemetryConfig {
    /// The collector, without `/v1/traces`.
    pub(crate) endpoint: Url,
    /// The headers of requests to it; sensitive.
    pub(crate) headers: HeaderMap,
    /// Time for one request to it.
    pub(crate) timeout: Duration,
    /// The attributes of this process: `service.name`, `service.version`, and what `OTEL_RESOURCE_ATTRIBUTES` has.
    pub(crate) resource: Vec<(String, String)>,
    /// Which requests are traced.
    pub(crate) sampler: Sampler,
    /// `true` when traces are sent.
    pub(crate) traces: bool,
    /// `true` when metrics are sent.
    pub(crate) metrics: bool,
    /// Time between two batches of spans.
    pub(crate) schedule_delay: Duration,
    /// Time between two exports of metrics.
    pub(crate) export_interval: Duration,
}

/// Which requests are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// The share of those that no caller has decided upon.
    pub(crate) ratio: f64,
    /// The caller's decision counts, where there is one.
    pub(crate) parent_based: bool,
}

impl TelemetryConfig {
    /// Returns whether a credential goes to the collector in clear text, past this machine.
    pub(crate) fn exposes_headers(&self) -> bool {
        let loopback = matches!(self.endpoint.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        self.endpoint.scheme() == "http" && !loopback && !self.headers.is_empty()
    }
}

impl Reader<'_> {
    /// Reads `OTEL_*`. Returns `None` while there is no endpoint.
    pub(super) fn telemetry(&mut self, service: Service) -> Option<TelemetryConfig> {
        let disabled = self.bool("OTEL_SDK_DISABLED");
        let endpoint = self.otlp_endpoint();
        let headers = self.otlp_headers();
        self.word("OTEL_EXPORTER_OTLP_PROTOCOL", &["http/protobuf"]);
        let resource = self.resource(service);
        let sampler = self.sampler();
        let traces = self.word("OTEL_TRACES_EXPORTER", &["otlp", "none"]) == "otlp";
        let metrics = self.word("OTEL_METRICS_EXPORTER", &["otlp", "none"]) == "otlp";
        let timeout = self.milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT");
        let schedule_delay = self.milliseconds("OTEL_BSP_SCHEDULE_DELAY");
        let export_interval = self.milliseconds("OTEL_METRIC_EXPORT_INTERVAL");
        let endpoint = endpoint.filter(|_| !disabled)?;
        if cfg!(not(feature = "telemetry")) {
            let text = "is set, but this server was built without the feature `telemetry` of mcp-server-runtime";
            self.problems.add("OTEL_EXPORTER_OTLP_ENDPOINT", text);
        }
        Some(TelemetryConfig {
            endpoint,
            headers,
            timeout,
            resource,
            sampler,
            traces,
            metrics,
            schedule_delay,
            export_interval,
        })
    }

    /// `true` in whatever case; everything else is false, as OpenTelemetry has it for booleans, but not in silence.
    fn bool(&mut self, name: &'static str) -> bool {
        match self.env.text(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.problems.add(name, format!("{other:?} is neither true nor false"));
                false
            }
        }
    }

    /// One of these words; the first is the default.
    fn word(&mut self, name: &'static str, words: &[&'static str]) -> &'static str {
        let text = self.env.text(name);
        let found = text.as_deref().map_or(words.first(), |text| words.iter().find(|word| **word == text));
        if found.is_none() {
            let text = text.unwrap_or_default();
            self.problems.add(name, format!("{text:?} is not supported here: {}", words.join(", ")));
        }
        found.or(words.first()).copied().unwrap_or_default()
    }

    fn milliseconds(&mut self, name: &'static str) -> Duration {
        Duration::from_millis(self.number(name) as u64)
    }

    fn otlp_endpoint(&mut self) -> Option<Url> {
        let text = self.env.text("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        // A credential in the address would be in error texts.
        let url = url.filter(|url| url.username().is_empty() && url.password().is_none() && url.query().is_none());
        if url.is_none() {
            // Not quoted: it may hold a credential.
            let text = "is not the address of a collector such as http://127.0.0.1:4318; credentials go into \
                        OTEL_EXPORTER_OTLP_HEADERS";
            self.problems.add("OTEL_EXPORTER_OTLP_ENDPOINT", text);
        }
        url
    }

    fn otlp_headers(&mut self) -> HeaderMap {
        let secret = self.secret("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        parse_headers(&secret).unwrap_or_else(|problem| {
            self.problems.add("OTEL_EXPORTER_OTLP_HEADERS", problem);
            HeaderMap::new()
        })
    }

    /// `key=value,key=value`, percent-encoded; `OTEL_SERVICE_NAME` goes before a `service.name` there.
    fn resource(&mut self, service: Service) -> Vec<(String, String)> {
        let mut resource = vec![
            ("service.name".to_owned(), service.name.to_owned()),
            ("service.version".to_owned(), service.version.to_owned()),
        ];
        let mut set = |key: String, value: String| match resource.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => resource.push((key, value)),
        };
        for pair in self.list("OTEL_RESOURCE_ATTRIBUTES") {
            let attribute = pair
                .split_once('=')
                .and_then(|(key, value)| Some((percent_decoded(key.trim())?, percent_decoded(value.trim())?)));
            match attribute {
                Some((key, value)) if !key.is_empty() => set(key, value),
                _ => {
                    let text = format!("{pair:?} is not key=value, with percent-encoded values");
                    self.problems.add("OTEL_RESOURCE_ATTRIBUTES", text);
                }
            }
        }
        if let Some(name) = self.env.text("OTEL_SERVICE_NAME") {
            set("service.name".to_owned(), name);
        }
        resource
    }

    fn sampler(&mut self) -> Sampler {
        const SAMPLERS: [&str; 6] = [
            "parentbased_always_on",
            "parentbased_always_off",
            "parentbased_traceidratio",
            "always_on",
            "always_off",
            "traceidratio",
        ];
        let name = self.word("OTEL_TRACES_SAMPLER", &SAMPLERS);
        let ratio = self.parsed("OTEL_TRACES_SAMPLER_ARG", 1.0_f64, "a number from 0 to 1");
        if !(0.0..=1.0).contains(&ratio) {
            self.problems.add("OTEL_TRACES_SAMPLER_ARG", format!("{ratio} is not a number from 0 to 1"));
        }
        let parent_based = name.starts_with("parentbased_");
        let ratio = if name.ends_with("always_on") {
            1.0
        } else if name.ends_with("always_off") {
            0.0
        } else {
            ratio
        };
        Sampler { ratio, parent_based }
    }
}

/// `name=value,name=value`, percent-encoded.
///
/// # Errors
/// A sentence that quotes nothing of it.
pub(super) fn parse_headers(text: &SecretString) -> Result<HeaderMap, &'static str> {
    let mut headers = HeaderMap::new();
    for pair in text.expose_secret().split(',').filter(|pair| !pair.trim().is_empty()) {
        let header = pair.split_once('=').and_then(|(name, value)| {
            let name: HeaderName = name.trim().parse().ok()?;
            let mut value: HeaderValue = percent_decoded(value.trim())?.parse().ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        let (name, value) =
            header.ok_or("is not a list such as api-key=VALUE,other=VALUE, with percent-encoded values")?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Text with `%20` and the like taken back; nothing where that is no text.
fn percent_decoded(text: &str) -> Option<String> {
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let hexadecimal = after.get(..2).filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        match hexadecimal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                rest = &after[2..];
            }
            None => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_percent_decoded() {
        for (text, expected) in [
            ("Basic%20YTpi", Some("Basic YTpi")),
            ("100%", Some("100%")),
            ("%zz%2", Some("%zz%2")),
            ("%C3%BC", Some("\u{fc}")),
            ("%ff", None),
        ] {
            assert_eq!(percent_decoded(text).as_deref(), expected, "{text}");
        }
    }
}
