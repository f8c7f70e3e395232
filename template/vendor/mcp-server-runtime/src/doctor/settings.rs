//! The settings: what is wrong with them, all at once, and what is allowed but probably not meant.

use super::report::Report;
use super::runbook::SETTINGS;
use crate::config::{Config, Problems};

pub(super) fn check(report: &mut Report, config: &Config, problems: &Problems) {
    for problem in problems.iter() {
        let message = format!("{} {}", problem.variable, problem.text);
        report.fail("settings", message, "Correct it: the server does not start like this.", SETTINGS);
    }
    if problems.is_empty() {
        let (mode, store) = (config.auth.mode, config.store.as_str());
        report.ok("settings", format!("well-formed: AUTH_MODE={mode}, TOKEN_STORE={store}"));
    }
    for warning in config.warnings() {
        report.warn("settings", warning, "Change it, unless you mean it.", SETTINGS);
    }
}
