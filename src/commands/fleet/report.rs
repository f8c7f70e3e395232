//! The table of a fleet: text, JSON, HTML. Pure.

use std::fmt::Write as _;

use serde::Serialize;

use crate::text::steps::next_steps;

/// The state of one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProjectState {
    /// There is nothing to do.
    UpToDate,
    /// There is an update without conflicts.
    Available,
    /// The update is on a branch.
    Updated,
    /// The update has conflicts. Nothing was written.
    Conflicts,
    /// The tests fail with the update, which is on a branch.
    TestsFail,
    /// It could not be looked at or updated.
    Failed,
}

impl ProjectState {
    const fn word(self) -> &'static str {
        match self {
            Self::UpToDate => "up to date",
            Self::Available => "update available",
            Self::Updated => "updated",
            Self::Conflicts => "conflicts",
            Self::TestsFail => "tests fail",
            Self::Failed => "failed",
        }
    }
}

/// One project of a fleet.
#[derive(Clone, Debug, Serialize)]
pub struct FleetRow {
    /// As the list names it.
    pub repository: String,
    /// Its name.
    pub name: Option<String>,
    /// The version of its template.
    pub from: Option<String>,
    /// The version of the template of today.
    pub to: Option<String>,
    /// The state.
    pub state: ProjectState,
    /// `true` when a note of the step is about security.
    pub security: bool,
    /// The files in conflict.
    pub conflicts: Vec<String>,
    /// The branch with the update.
    pub branch: Option<String>,
    /// The title and the text of a pull request.
    pub title: Option<String>,
    /// See `title`.
    pub body: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
}

impl FleetRow {
    /// Returns the row of a project that could not be looked at.
    #[must_use]
    pub fn failed(repository: String, reason: String) -> Self {
        Self {
            repository,
            name: None,
            from: None,
            to: None,
            state: ProjectState::Failed,
            security: false,
            conflicts: Vec::new(),
            branch: None,
            title: None,
            body: None,
            reason: Some(reason),
        }
    }

    fn cells(&self) -> [String; 5] {
        let step = match (&self.from, &self.to) {
            (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
            (Some(version), _) | (None, Some(version)) => version.clone(),
            (None, None) => String::new(),
        };
        let security = if self.security { ", security" } else { "" };
        let detail = match (&self.reason, &self.branch) {
            (Some(reason), _) => reason.replace('\n', " "),
            (None, Some(branch)) => branch.clone(),
            (None, None) => self.conflicts.join(", "),
        };
        [
            self.repository.clone(),
            self.name.clone().unwrap_or_default(),
            step,
            format!("{}{security}", self.state.word()),
            detail,
        ]
    }
}

const HEAD: [&str; 5] = ["repository", "project", "template", "state", "detail"];

/// Returns the table as text.
#[must_use]
pub fn text(rows: &[FleetRow]) -> String {
    let cells: Vec<[String; 5]> = rows.iter().map(FleetRow::cells).collect();
    let head = HEAD.map(str::to_owned);
    let all = || std::iter::once(&head).chain(&cells);
    let widths: [usize; 5] =
        std::array::from_fn(|column| all().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in all() {
        let line: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
    }
    let _ = writeln!(text, "\n{}", summary(rows));
    text.push_str(&next_steps(&next(rows)));
    text
}

/// Returns what is left to the user.
fn next(rows: &[FleetRow]) -> Vec<&'static str> {
    let steps = [
        (ProjectState::Available, "mcp-kit fleet update, which makes each update on a branch of its own"),
        (ProjectState::Updated, "look at each branch, and merge it"),
        (ProjectState::Conflicts, "mcp-kit update in each project with conflicts, which marks the places to settle"),
    ];
    steps.into_iter().filter(|(state, _)| rows.iter().any(|row| row.state == *state)).map(|(_, step)| step).collect()
}

/// Returns how many projects are in each state.
fn summary(rows: &[FleetRow]) -> String {
    use ProjectState::{Available, Conflicts, Failed, TestsFail, UpToDate, Updated};
    let count = |state: ProjectState| {
        let count = rows.iter().filter(|row| row.state == state).count();
        (count > 0).then(|| format!("{count} {}", state.word()))
    };
    let parts: Vec<String> =
        [UpToDate, Available, Updated, Conflicts, TestsFail, Failed].into_iter().filter_map(count).collect();
    format!("{} projects: {}", rows.len(), parts.join(", "))
}

#[derive(Serialize)]
struct FleetJson<'a> {
    schema: &'static str,
    projects: &'a [FleetRow],
}

/// Returns the JSON object of schema `mcp-kit/fleet/1`.
///
/// # Errors
/// Never: all of its text is UTF-8.
pub fn json(rows: &[FleetRow]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&FleetJson { schema: "mcp-kit/fleet/1", projects: rows })
}

/// Returns a page with the table.
#[must_use]
pub fn html(rows: &[FleetRow]) -> String {
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
    };
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Fleet</title>\n<style>body{font:16px/1.4 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}th,td{text-align:left;padding:.3rem .8rem;border-bottom:1px solid #ccc}</style>\n<h1>Fleet</h1>\n",
    );
    let _ = writeln!(
        page,
        "<p>{}</p>\n<table>\n<tr>{}</tr>",
        escape(&summary(rows)),
        HEAD.map(|name| format!("<th>{name}</th>")).concat()
    );
    for row in rows {
        let cells: String = row.cells().iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
        let _ = writeln!(page, "<tr>{cells}</tr>");
    }
    page.push_str("</table>\n</html>\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_no_markup_of_others() {
        let row = FleetRow::failed("<script>alert('1')</script>".to_owned(), "\"&".to_owned());
        let page = html(&[row]);
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)") && page.contains("&quot;&amp;"), "{page}");
        assert!(!page.contains("<script"));
    }
}
