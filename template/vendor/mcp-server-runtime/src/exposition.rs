//! Metrics as text: OpenMetrics 1.0, or the format that Prometheus had before it, for a scraper that asks for that alone.
//!
//! Source: <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>,
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::{Display, Write as _};

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Prometheus,
}

impl Format {
    /// The format that `Accept` names; `None` where it names neither.
    #[must_use]
    pub fn asked_for(headers: &HeaderMap) -> Option<Self> {
        let accept = || headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let names = |kind: &str| accept().any(|value| value.contains(kind));
        match (names("application/openmetrics-text"), names("text/plain")) {
            (true, _) => Some(Self::OpenMetrics),
            (false, true) => Some(Self::Prometheus),
            (false, false) => None,
        }
    }

    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        })
    }
}

/// The type of a family of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows only. Its samples end in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Labels that say what the process is, with the value 1. Its sample ends in `_info`.
    Info,
}

/// The labels of a sample: names and values.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// A page of metrics as it is written.
#[derive(Debug)]
pub struct Page {
    format: Format,
    text: String,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub const fn new(format: Format) -> Self {
        Self { format, text: String::new() }
    }

    /// Writes a family and its samples. A name that ends in `_seconds` or `_bytes` has that unit.
    pub fn family<'a, V: Display>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'a>, V)>,
    ) {
        let suffix = match kind {
            Kind::Counter => "_total",
            Kind::Gauge => "",
            Kind::Info => "_info",
        };
        let help = escape(help);
        // Writing to a string does not fail.
        let _ = match (self.format, kind) {
            (Format::OpenMetrics, _) => {
                let word = match kind {
                    Kind::Counter => "counter",
                    Kind::Gauge => "gauge",
                    Kind::Info => "info",
                };
                let unit = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(unit));
                let unit = unit.map(|unit| format!("# UNIT {name} {unit}\n")).unwrap_or_default();
                write!(self.text, "# TYPE {name} {word}\n{unit}# HELP {name} {help}\n")
            }
            // Here the name is that of the samples, and there is no kind for what never changes.
            (Format::Prometheus, Kind::Counter) => {
                write!(self.text, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} counter\n")
            }
            (Format::Prometheus, Kind::Gauge | Kind::Info) => {
                write!(self.text, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} gauge\n")
            }
        };
        for (labels, value) in samples {
            self.text.push_str(name);
            self.text.push_str(suffix);
            for (n, (label, text)) in labels.iter().enumerate() {
                let before = if n == 0 { '{' } else { ',' };
                let _ = write!(self.text, "{before}{label}=\"{}\"", escape(text));
            }
            if !labels.is_empty() {
                self.text.push('}');
            }
            let _ = writeln!(self.text, " {value}");
        }
    }

    /// A family without labels.
    pub fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help, [(&[] as Labels<'_>, value)]);
    }

    /// A family with one label.
    pub fn labelled<'a, V: Display>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        label: &str,
        samples: impl IntoIterator<Item = (&'a str, V)>,
    ) {
        let samples: Vec<_> = samples.into_iter().map(|(text, value)| ([(label, text)], value)).collect();
        self.family(name, kind, help, samples.iter().map(|(labels, value)| (labels.as_slice(), value)));
    }
}

impl IntoResponse for Page {
    fn into_response(mut self) -> Response {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        ([(CONTENT_TYPE, self.format.content_type())], self.text).into_response()
    }
}

/// Backslash, quotation mark and line feed, as both formats escape them in labels.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(format: Format) -> String {
        let mut page = Page::new(format);
        page.single("up_seconds", Kind::Gauge, "How long.", 7);
        page.labelled("calls", Kind::Counter, "Calls.", "by", [("a\"\\\nb", 1), ("c", 2)]);
        page.family("me", Kind::Info, "Which.", [(&[("name", "x"), ("version", "1")] as Labels<'_>, 1)]);
        page.labelled("none", Kind::Counter, "Nothing yet.", "by", [] as [(&str, u64); 0]);
        page.text
    }

    #[test]
    fn both_formats_name_their_families_as_they_should() {
        assert_eq!(
            page(Format::OpenMetrics),
            "# TYPE up_seconds gauge\n# UNIT up_seconds seconds\n# HELP up_seconds How long.\nup_seconds 7\n\
             # TYPE calls counter\n# HELP calls Calls.\ncalls_total{by=\"a\\\"\\\\\\nb\"} 1\ncalls_total{by=\"c\"} 2\n\
             # TYPE me info\n# HELP me Which.\nme_info{name=\"x\",version=\"1\"} 1\n\
             # TYPE none counter\n# HELP none Nothing yet.\n"
        );
        assert_eq!(
            page(Format::Prometheus),
            "# HELP up_seconds How long.\n# TYPE up_seconds gauge\nup_seconds 7\n\
             # HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{by=\"a\\\"\\\\\\nb\"} 1\n\
             calls_total{by=\"c\"} 2\n\
             # HELP me_info Which.\n# TYPE me_info gauge\nme_info{name=\"x\",version=\"1\"} 1\n\
             # HELP none_total Nothing yet.\n# TYPE none_total counter\n"
        );
    }

    #[test]
    fn a_scraper_gets_the_format_that_it_asks_for() {
        let asked = |accept: &'static str| {
            Format::asked_for(&[(ACCEPT, HeaderValue::from_static(accept))].into_iter().collect())
        };
        let scraper = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
        assert_eq!(asked(scraper), Some(Format::OpenMetrics));
        assert_eq!(asked("text/plain"), Some(Format::Prometheus));
        assert_eq!((asked("*/*"), asked("application/json")), (None, None));
    }
}
