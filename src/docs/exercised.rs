//! When each section of the runbook was last exercised, and where. Tests run the commands of a section as they stand in
//! the page and are the only writers of the tables: `tests/docs_exercised` with stand-ins for docker and ssh, and
//! `tests/e2e/deploy` on a host with Docker Engine, reached by ssh.

use super::templates::escape_text;
use crate::catalog::Service;
use crate::catalog::service::ServiceKind;

/// One line for each section: its anchor, the date, and the version of mcp-kit. The table that says more comes first.
const TABLES: [(&str, &str); 2] =
    [("in a deployment", include_str!("deployed.txt")), ("with stand-ins", include_str!("exercised.txt"))];

/// Returns the table at the head of an issue: severity, impact, owner, and the last run of its commands.
#[must_use]
pub fn issue(section: &str, severity: &str, impact: &str, owner: &str) -> String {
    format!(
        "| Severity | Impact | Owner | Escalate | Last exercised |\n|---|---|---|---|---|\n\
         | {severity} | {impact} | {owner} | [Whom to call](#whom-to-call) | {} |",
        last(section)
    )
}

/// Returns the day, the version and the environment of the last run of a section's commands.
#[must_use]
pub fn last(section: &str) -> String {
    let run = |(environment, table): (&str, &str)| {
        table.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let (name, day, version) = (words.next()?, words.next()?, words.next()?);
            (name == section).then(|| format!("{day}, mcp-kit {version}, {environment}"))
        })
    };
    TABLES.into_iter().find_map(run).unwrap_or_else(|| "Not by a test".to_owned())
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
