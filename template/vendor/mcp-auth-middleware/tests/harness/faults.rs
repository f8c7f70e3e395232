//! Servers that answer as they should not, for the clients of secret managers; and what anybody in this process says.

#![allow(dead_code, reason = "each test file uses its part")]

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER};

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Fault {
    None,
    /// Answers with this status and body.
    Answers(u16, String),
    /// 429, with this `Retry-After`.
    Busy(Option<&'static str>),
    /// Likewise for one request.
    BusyOnce(&'static str),
    RedirectsTo(String),
    /// Answers 200 and sends so many bytes.
    Sends(usize),
    /// Answers 200 and goes on sending a byte now and then.
    Drips,
    /// Says nothing.
    KeepsSilent,
    /// Closes the connection in the middle of the answer.
    CutsOff,
    /// Closes the connection instead of an answer.
    HangsUp,
    /// Of Infisical alone: the identity may see that there is a secret, but not its value.
    Hides,
    /// Changes wait for another user's approval.
    WantsApproval,
    /// The project writes the names of new secrets in capitals.
    Capitalises,
    /// Does not take a new secret, for whatever reason.
    RefusesNew,
}

/// The faults that do not depend on the request.
pub async fn go_wrong(fault: &Fault, bytes_sent: &Arc<AtomicUsize>) -> Option<Response> {
    let response = Response::builder();
    let response = match fault {
        Fault::None | Fault::Hides | Fault::WantsApproval | Fault::Capitalises | Fault::RefusesNew => return None,
        Fault::Answers(status, body) => response.status(*status).body(Body::from(body.clone())),
        Fault::Busy(None) => response.status(429).body(Body::from("{}")),
        Fault::Busy(Some(pause)) | Fault::BusyOnce(pause) => response
            .status(429)
            .header(RETRY_AFTER, *pause)
            .body(Body::from(r#"{"error":"RateLimitExceeded","message":"Rate limit exceeded"}"#)),
        Fault::RedirectsTo(base) => {
            response.status(307).header(LOCATION, format!("{base}/elsewhere")).body(Body::empty())
        }
        Fault::Sends(length) => {
            let sent = Arc::clone(bytes_sent);
            let chunks = (0..length / 16_384).map(move |_| {
                sent.fetch_add(16_384, Ordering::SeqCst);
                Ok::<_, Infallible>(vec![b' '; 16_384])
            });
            response.body(Body::from_stream(futures_util::stream::iter(chunks)))
        }
        Fault::Drips => {
            let drops = futures_util::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Some((Ok::<_, Infallible>(" "), ()))
            });
            response.body(Body::from_stream(drops))
        }
        Fault::KeepsSilent => std::future::pending().await,
        Fault::CutsOff => {
            let begun = [Ok("{\"secret\":"), Err(std::io::Error::other("cut off"))];
            response.header(CONTENT_LENGTH, 1000).body(Body::from_stream(futures_util::stream::iter(begun)))
        }
        // The connection's task ends with it, without an answer and without a word.
        Fault::HangsUp => std::panic::resume_unwind(Box::new("hangs up")),
    };
    Some(response.unwrap())
}

static LINES: Mutex<String> = Mutex::new(String::new());

/// Takes down what anybody in this process says from now on, at every level, through `tracing` and `log`.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Capture).unwrap();
        log::set_boxed_logger(Box::new(Capture)).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

pub fn everything() -> String {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn take_down(text: &str) {
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.push_str(text);
    lines.push('\n');
}

struct Capture;

struct Fields;

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        take_down(&format!("{}={value:?}", field.name()));
    }
}

impl tracing::Subscriber for Capture {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut Fields);
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Fields);
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Fields);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        take_down(&record.args().to_string());
    }

    fn flush(&self) {}
}
