//! Upstream APIs: the probe of each, with its token.

use mcp_auth_middleware::TokenStore;
use rmcp::ServerHandler;

use super::report::Report;
use super::runbook::{CODES, SETTINGS, TOKENS};
use crate::config::Config;
use crate::probe::Probe;
use crate::server::Server;

/// Who reads a token, for the audit log.
const ACTOR: &str = "doctor";

pub(super) async fn check<H: ServerHandler + Clone + Sync>(
    report: &mut Report,
    server: &Server<H>,
    config: &Config,
    store: Option<&TokenStore>,
) {
    let handlers = match server.handlers(&config.settings) {
        Ok(handlers) => handlers,
        Err(error) => {
            report.fail("server", error.to_string(), "The server does not start like this.", SETTINGS);
            return;
        }
    };
    for probe in handlers.probes() {
        ask(report, probe, config, store).await;
    }
}

async fn ask(report: &mut Report, probe: &Probe, config: &Config, store: Option<&TokenStore>) {
    const CHECK: &str = "upstream";
    let name = probe.name();
    let token = match (probe.token(), store) {
        (None, _) => None,
        (Some(_), None) => {
            report.warn(CHECK, format!("{name}: not asked"), "Fix the token store first.", TOKENS);
            return;
        }
        (Some(key), Some(store)) => match store.get_token(config.service.name, key, ACTOR).await {
            // The settings say what is missing of a token in the environment.
            Ok(Some(token)) if !token.expose().is_empty() => Some(token),
            Ok(_) => {
                let advice = match store {
                    TokenStore::Env(_) => format!("Set {key} in the server's environment."),
                    _ => format!(
                        "Store it: `{} tokens set {key}`, with the token on standard input.",
                        config.service.name
                    ),
                };
                report.fail(CHECK, format!("{name}: there is no {key}"), advice, CODES);
                return;
            }
            Err(error) => {
                report.fail(CHECK, format!("{name}: {key}: {error}"), "Fix the token store first.", CODES);
                return;
            }
        },
    };
    match probe.ask(token).await {
        Ok(()) => report.ok(CHECK, format!("{name} answers, and takes the token")),
        Err(error) => {
            let advice = match probe.token() {
                Some(key) => format!("Where {name} refuses the token, replace {key}. Else look at its own status."),
                None => format!("Look at the status of {name}, and let this machine out to it."),
            };
            report.fail(CHECK, format!("{name}: {error}"), advice, TOKENS);
        }
    }
}
