//! The alerts of the Kubernetes overlay, read from the template's own file when a page is made, and the sections of the
//! runbook that they lead to.

use serde::Serialize;

const MONITORING: &str = include_str!("../../template/deploy/kubernetes/overlays/production/monitoring.yaml");

/// The sections of the runbook that alerts lead to, with their titles.
pub const SECTIONS: &[(&str, &str)] = &[
    ("docker-network-issues", "Docker network issues"),
    ("index-by-error-code", "Index by error code"),
    ("jwt-validation-fails", "JWT validation fails"),
    ("the-server-answers-with-errors", "The server answers with errors"),
    ("the-server-restarts", "The server restarts"),
    ("the-token-store-is-unreachable", "The token store is unreachable"),
    ("the-tunnel-or-the-server-is-down", "The tunnel or the server is down"),
    ("the-upstream-api-is-down", "The upstream API is down"),
];

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// The name.
    pub name: String,
    /// `critical` or `warning`.
    pub severity: String,
    /// The document that it names, with the heading.
    pub place: String,
    /// The heading, or an empty text when it names a whole document.
    pub section: String,
    /// The title of the heading, or an empty text.
    pub title: &'static str,
}

/// Returns all alerts, in the order of the file.
#[must_use]
pub fn alerts() -> Vec<Alert> {
    let rules = MONITORING.split("- alert: ").skip(1);
    rules.filter_map(alert).collect()
}

fn alert(rule: &str) -> Option<Alert> {
    let (name, rest) = rule.split_once('\n')?;
    let value =
        |key: &str| rest.lines().find_map(|line| line.trim().strip_prefix(key)).map(|text| text.trim().to_owned());
    let place = value("runbook:")?;
    let section = place.split_once('#').map(|(_, section)| section.to_owned()).unwrap_or_default();
    let title = SECTIONS.iter().find(|(known, _)| *known == section).map(|(_, title)| *title).unwrap_or_default();
    Some(Alert { name: name.trim().to_owned(), severity: value("severity:")?, place, section, title })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alert_is_understood_and_leads_somewhere() {
        let alerts = alerts();
        assert_eq!(alerts.len(), MONITORING.matches("- alert: ").count());
        for alert in &alerts {
            assert!(matches!(alert.severity.as_str(), "critical" | "warning"), "{alert:?}");
            assert_eq!(alert.title.is_empty(), alert.section.is_empty(), "{alert:?}");
            assert!(!alert.place.contains('{'), "{alert:?}");
        }
    }
}
