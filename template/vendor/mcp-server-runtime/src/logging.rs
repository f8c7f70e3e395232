//! Log lines on standard error: `2026-01-31T12:00:00.000Z 5f0c1a2b-00002a [DEBUG] Bearer token authenticated for: …`,
//! or JSON. The id of the request stands in front of the level, or in the member `request_id`.

mod fields;
mod stderr;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{Format, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::listen::places;
use crate::middleware::host;
use crate::request_id;
use fields::Fields;
pub use stderr::{dropped, flush};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One line of text for people.
    #[default]
    Text,
    /// One JSON object a line for machines.
    Json,
}

/// The events that are logged unless `RUST_LOG` says otherwise; [`default_filter`] in the syntax of `RUST_LOG`.
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

/// The filter with rmcp at `error` at the most: its other lines have arguments and results of tools in them, which are no
/// operator's business: warnings the text of errors, `info` whole notifications, `debug` everything.
fn without_bodies(filter: Targets) -> Targets {
    let of_rmcp = |target: &str| target == "rmcp" || target.starts_with("rmcp::");
    let named: Vec<_> = filter.iter().filter(|(target, _)| of_rmcp(target)).map(|(name, _)| name.to_owned()).collect();
    named.into_iter().chain(["rmcp".to_owned()]).fold(filter, |filter, target| {
        if filter.would_enable(&target, &Level::WARN) { filter.with_target(target, LevelFilter::ERROR) } else { filter }
    })
}

/// Lets one line a kind and second through of those about refused requests: strangers can cause as many as they like. The
/// next line of the kind says how many were left out; `/status` counts them all.
#[derive(Debug, Default)]
struct Throttle {
    kinds: Mutex<HashMap<(Identifier, String), Kind>>,
}

#[derive(Debug)]
struct Kind {
    since: Instant,
    left_out: u64,
}

thread_local! {
    /// How many lines were left out before the one that is being written.
    static LEFT_OUT: Cell<u64> = const { Cell::new(0) };
}

impl Throttle {
    /// How many lines were left out before this one; none where it is to be left out, too.
    fn admit(&self, kind: (Identifier, String), now: Instant) -> Option<u64> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        match kinds.entry(kind) {
            Entry::Vacant(first) => {
                first.insert(Kind { since: now, left_out: 0 });
                Some(0)
            }
            Entry::Occupied(mut known) if now.duration_since(known.get().since) >= Duration::from_secs(1) => {
                Some(known.insert(Kind { since: now, left_out: 0 }).left_out)
            }
            Entry::Occupied(mut known) => {
                known.get_mut().left_out += 1;
                None
            }
        }
    }
}

impl<S: Subscriber> Layer<S> for Throttle {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let target = metadata.target();
        let refusal = target == host::TARGET || target == places::TARGET || target.starts_with("mcp_auth_middleware");
        if *metadata.level() != Level::WARN || !refusal {
            return true;
        }
        let mut beginning = Beginning(String::new());
        event.record(&mut beginning);
        let left_out = self.admit((metadata.callsite(), beginning.0), Instant::now());
        LEFT_OUT.set(left_out.unwrap_or_default());
        left_out.is_some()
    }
}

/// The message up to the first value in quotation marks, which is the caller's choice.
struct Beginning(String);

impl Visit for Beginning {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
            self.0.truncate(self.0.find('"').unwrap_or(self.0.len()));
        }
    }
}

/// Sends log lines to standard error from now on; [`flush`] them before the process ends. A second call changes nothing.
pub fn init(format: LogFormat, filter: Targets) {
    let filter = without_bodies(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr::Stderr::start());
    let filtered = tracing_subscriber::registry().with(filter).with(Throttle::default());
    let _ = match format {
        LogFormat::Text => filtered.with(lines.event_format(TextLine)).try_init(),
        LogFormat::Json => {
            let json = tracing_subscriber::fmt::format().json().flatten_event(true).with_current_span(false);
            filtered.with(lines.json().event_format(JsonLine(json))).try_init()
        }
    };
}

/// The time in UTC with milliseconds (RFC 3339). The text up to the second is kept: many lines share it.
fn write_now(writer: &mut impl fmt::Write) -> fmt::Result {
    thread_local! {
        static LATEST: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
    }
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    LATEST.with_borrow_mut(|(latest, text)| {
        if *latest != since.as_secs() {
            *text = chrono::DateTime::<chrono::Utc>::from(now).format("%Y-%m-%dT%H:%M:%S.").to_string();
            *latest = since.as_secs();
        }
        writer.write_str(text)?;
        write!(writer, "{:03}Z", since.subsec_millis())
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
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        // Few pieces, and no `write!`: every request has such a line.
        write_now(&mut writer)?;
        if let Some(id) = request_id::current() {
            writer.write_str(" ")?;
            writer.write_str(id.to_str().unwrap_or_default())?;
        }
        writer.write_str(bracketed(*event.metadata().level()))?;
        let mut fields = Fields::new(&mut writer);
        event.record(&mut fields);
        fields.result?;
        match LEFT_OUT.take() {
            0 => writer.write_str("\n"),
            more => writeln!(writer, " ({more} more like this were left out)"),
        }
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
        let (id, left_out) = (request_id::current(), LEFT_OUT.take());
        if id.is_none() && left_out == 0 {
            return self.0.format_event(ctx, writer, event);
        }
        let mut line = String::new();
        self.0.format_event(ctx, Writer::new(&mut line), event)?;
        let Some(members) = line.strip_prefix('{') else { return writer.write_str(&line) };
        writer.write_char('{')?;
        // The id is plain: nothing in it needs an escape.
        if let Some(id) = id {
            write!(writer, "\"request_id\":\"{}\",", id.to_str().unwrap_or_default())?;
        }
        if left_out > 0 {
            write!(writer, "\"left_out\":{left_out},")?;
        }
        writer.write_str(members)
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
    fn one_line_a_second_of_each_kind_of_refusal() {
        let lines = std::sync::Arc::new(Mutex::new(Vec::<u8>::new()));
        struct To(std::sync::Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for To {
            fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
                self.0.lock().expect("not poisoned").extend_from_slice(text);
                Ok(text.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let shared = std::sync::Arc::clone(&lines);
        let writer = tracing_subscriber::fmt::layer().event_format(TextLine).with_writer(move || To(shared.clone()));
        let subscriber = tracing_subscriber::registry().with(Throttle::default()).with(writer);
        tracing::subscriber::with_default(subscriber, || {
            let refuse = |host: &str| tracing::warn!(target: host::TARGET, "Host {host:?} refused");
            (0..50).for_each(|n| refuse(&format!("a{n}")));
            tracing::warn!(target: host::TARGET, "another kind");
            (0..3).for_each(|_| tracing::warn!("one of ours"));
            std::thread::sleep(Duration::from_secs(1));
            refuse("later");
        });
        let text = String::from_utf8(lines.lock().expect("not poisoned").clone()).expect("UTF-8");
        let lines: Vec<_> = text.lines().map(|line| &line["2026-01-31T12:00:00.000Z [WARN] ".len()..]).collect();
        let ours = "one of ours";
        let later = "Host \"later\" refused (49 more like this were left out)";
        assert_eq!(lines, ["Host \"a0\" refused", "another kind", ours, ours, ours, later]);
    }

    #[test]
    fn rmcp_never_logs_bodies() {
        for filter in
            ["trace", "info", "debug,rmcp=trace", "rmcp::service=trace", "rmcp::service=warn,rmcp=error", "rm=trace"]
        {
            let filter = without_bodies(filter.parse().expect("a filter"));
            for target in ["rmcp", "rmcp::service", "rmcp::transport::streamable_http_server"] {
                assert!(!filter.would_enable(target, &Level::WARN), "{target} in {filter}");
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
