//! Log lines on standard error: `2026-01-31T12:00:00.000Z 5f0c1a2b-00002a [DEBUG] Bearer token authenticated for: …`,
//! or JSON. The id of the request stands in front of the level, or in the member `request_id`.

mod stderr;

use std::cell::RefCell;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{Format, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::request_id;
pub use stderr::flush;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One line of text for people.
    #[default]
    Text,
    /// One JSON object a line for machines.
    Json,
}

/// What is logged unless `RUST_LOG` says otherwise; [`default_filter`] in the syntax of `RUST_LOG`.
pub const DEFAULT_FILTER: &str = "info,rmcp=error,mcp_auth_middleware=debug";

/// Who was let in and who was not, and whatever else is worth knowing. rmcp warns of every mistake that a client makes,
/// which is no news to the operator.
#[must_use]
pub fn default_filter() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("rmcp", LevelFilter::ERROR)
        .with_target("mcp_auth_middleware", LevelFilter::DEBUG)
}

/// The filter with rmcp at `info` at the most: from `debug` on it logs the arguments and results of tools, which are no
/// operator's business.
fn without_bodies(filter: Targets) -> Targets {
    let of_rmcp = |target: &str| target == "rmcp" || target.starts_with("rmcp::");
    let named: Vec<_> = filter.iter().filter(|(target, _)| of_rmcp(target)).map(|(name, _)| name.to_owned()).collect();
    named.into_iter().chain(["rmcp".to_owned()]).fold(filter, |filter, target| {
        if filter.would_enable(&target, &Level::DEBUG) { filter.with_target(target, LevelFilter::INFO) } else { filter }
    })
}

/// Sends log lines to standard error from now on; [`flush`] them before the process ends. A second call changes nothing.
pub fn init(format: LogFormat, filter: Targets) {
    let filter = without_bodies(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr::Stderr::start());
    let filtered = tracing_subscriber::registry().with(filter);
    let _ = match format {
        LogFormat::Text => filtered.with(lines.event_format(TextLine)).try_init(),
        LogFormat::Json => {
            let json = tracing_subscriber::fmt::format().json().flatten_event(true).with_current_span(false);
            filtered.with(lines.json().event_format(JsonLine(json))).try_init()
        }
    };
}

/// The time in UTC with milliseconds (RFC 3339). The text is kept for its millisecond: where it matters, dozens of lines
/// share it.
fn write_now(writer: &mut impl fmt::Write) -> fmt::Result {
    thread_local! {
        static LATEST: RefCell<(u128, String)> = const { RefCell::new((u128::MAX, String::new())) };
    }
    let now = SystemTime::now();
    let millisecond = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    LATEST.with_borrow_mut(|(latest, text)| {
        if *latest != millisecond {
            *text = chrono::DateTime::<chrono::Utc>::from(now).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            *latest = millisecond;
        }
        writer.write_str(text)
    })
}

/// The level as it stands in a line of text.
const fn bracketed(level: Level) -> &'static str {
    match level {
        Level::ERROR => " [ERROR] ",
        Level::WARN => " [WARN] ",
        Level::INFO => " [INFO] ",
        Level::DEBUG => " [DEBUG] ",
        Level::TRACE => " [TRACE] ",
    }
}

struct TextLine;

impl<S, N> FormatEvent<S, N> for TextLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        // Few pieces, and no `write!`: every request has such a line.
        write_now(&mut writer)?;
        if let Some(id) = request_id::current() {
            writer.write_str(" ")?;
            writer.write_str(id.to_str().unwrap_or_default())?;
        }
        writer.write_str(bracketed(*event.metadata().level()))?;
        ctx.format_fields(writer.by_ref(), event)?;
        writer.write_str("\n")
    }
}

/// The line of tracing-subscriber, with the request's id as the first member.
struct JsonLine(Format<Json>);

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(id) = request_id::current() else { return self.0.format_event(ctx, writer, event) };
        let mut line = String::new();
        self.0.format_event(ctx, Writer::new(&mut line), event)?;
        match line.strip_prefix('{') {
            // The id is plain: nothing in it needs an escape.
            Some(members) => write!(writer, "{{\"request_id\":\"{}\",{members}", id.to_str().unwrap_or_default()),
            None => writer.write_str(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_line_is_that_of_now() {
        let mut text = String::new();
        let before = chrono::Utc::now();
        write_now(&mut text).expect("written");
        let now = chrono::DateTime::parse_from_rfc3339(&text).expect("RFC 3339");
        assert!(text.len() == 24 && (now.to_utc() - before).num_seconds().abs() < 2, "{text}");
    }

    #[test]
    fn rmcp_never_logs_bodies() {
        for filter in ["trace", "debug,rmcp=trace", "rmcp::service=trace", "rmcp::service=debug,rmcp=error", "rm=trace"]
        {
            let filter = without_bodies(filter.parse().expect("a filter"));
            for target in ["rmcp", "rmcp::service", "rmcp::transport::streamable_http_server"] {
                assert!(!filter.would_enable(target, &Level::DEBUG), "{target} in {filter}");
            }
        }
        let quiet = without_bodies(default_filter());
        assert_eq!(quiet, default_filter());
        assert!(without_bodies("trace".parse().expect("a filter")).would_enable("hyper", &Level::TRACE));
    }

    #[test]
    fn the_default_filter_is_what_is_documented() {
        assert_eq!(DEFAULT_FILTER.parse::<Targets>().ok(), Some(default_filter()));
    }
}
