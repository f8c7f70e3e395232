//! The clock of this machine beside that of a server whose answers have a `Date` (RFC 9110 §6.6.1).

use std::time::{Duration, SystemTime};

use super::report::Report;
use super::runbook::JWT;

/// Tokens are accepted this long after their end and before their begin: beyond it, good ones are refused.
const LEEWAY: i64 = 60;
/// A clock that is kept by NTP is never off by so much.
const ODD: i64 = 20;

/// `asked` and `waited`: when the question went out, and how long the answer took.
pub(super) fn check(report: &mut Report, who: &str, date: &str, asked: SystemTime, waited: Duration) {
    const ADVICE: &str =
        "Set the clock of the host by NTP: `timedatectl set-ntp true`. A container has its host's clock.";
    let Ok(theirs) = chrono::DateTime::parse_from_rfc2822(date) else {
        let advice = "Compare the clock of this machine with another one.";
        report.warn("clock", format!("{who} does not say what time it has"), advice, JWT);
        return;
    };
    let ours = chrono::DateTime::<chrono::Utc>::from(asked + waited / 2);
    let ahead = (ours - theirs.to_utc()).num_seconds();
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let text = format!("this machine is {} s {side} {who}", ahead.abs());
    match ahead.abs() {
        off if off > LEEWAY => report.fail("clock", text, ADVICE, JWT),
        off if off > ODD => report.warn("clock", text, ADVICE, JWT),
        _ => report.ok("clock", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(date: &str) -> (String, bool) {
        let mut report = Report::default();
        // Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
        let asked = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        check(&mut report, "the key server", date, asked, Duration::ZERO);
        (report.text(), report.failed())
    }

    #[test]
    fn a_clock_that_refuses_good_tokens_fails() {
        assert!(text("Sun, 06 Nov 1994 08:49:37 GMT").0.starts_with("ok    clock  this machine is 0 s behind"));
        assert!(text("Sun, 06 Nov 1994 08:49:07 GMT").0.starts_with("warn  clock  this machine is 30 s ahead of"));
        let (said, failed) = text("Sun, 06 Nov 1994 08:59:37 GMT");
        assert!(failed && said.starts_with("fail  clock  this machine is 600 s behind the key server\n"), "{said}");
        assert!(text("yesterday").0.starts_with("warn"));
    }
}
