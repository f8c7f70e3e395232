//! Log lines on standard error: `2026-01-31T12:00:00.000Z [DEBUG] Bearer token authenticated for: …`, or JSON.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

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

/// Sends log lines to standard error from now on. A second call changes nothing.
pub fn init(format: LogFormat, filter: Targets) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let filtered = tracing_subscriber::registry().with(filter);
    let _ = match format {
        LogFormat::Text => filtered.with(lines.event_format(TextLine)).try_init(),
        LogFormat::Json => filtered.with(lines.json().flatten_event(true).with_current_span(false)).try_init(),
    };
}

struct TextLine;

impl<S, N> FormatEvent<S, N> for TextLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let now = chrono::Utc::now();
        write!(writer, "{} [{}] ", now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true), event.metadata().level())?;
        ctx.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_filter_is_what_is_documented() {
        assert_eq!(DEFAULT_FILTER.parse::<Targets>().ok(), Some(default_filter()));
    }
}
