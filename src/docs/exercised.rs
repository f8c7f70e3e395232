//! When each section of the runbook was last exercised. `tests/docs_exercised` runs the commands of a section as they
//! stand in the page, and is the only writer of the table.

use super::templates::escape_text;
use crate::catalog::Service;
use crate::catalog::service::ServiceKind;

/// One line for each section: its anchor, the date, and the version of mcp-kit.
const TABLE: &str = include_str!("exercised.txt");

/// Returns the table at the head of an issue: severity, impact, owner, and the last run of its commands.
#[must_use]
pub fn issue(section: &str, severity: &str, impact: &str, owner: &str) -> String {
    format!(
        "| Severity | Impact | Owner | Escalate | Last exercised |\n|---|---|---|---|---|\n\
         | {severity} | {impact} | {owner} | [Whom to call](#whom-to-call) | {} |",
        last(section)
    )
}

/// Returns the day and the version of the last run of a section's commands.
fn last(section: &str) -> String {
    let run = TABLE.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == section).then_some((words.next()?, words.next()?))
    });
    match run {
        Some((day, version)) => format!("{day}, mcp-kit {version}"),
        None => "Not by a test".to_owned(),
    }
}

/// Returns the owner of the only server, escaped for Markdown, or a link to the table of all owners.
#[must_use]
pub fn owner(services: &[Service]) -> String {
    let mut servers = services.iter().filter(|service| service.kind == ServiceKind::Server);
    match (servers.next().and_then(|only| only.owner.as_deref()), servers.next()) {
        (Some(owner), None) => escape_text(owner),
        _ => "[By server](#whom-to-call)".to_owned(),
    }
}
