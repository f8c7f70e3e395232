//! What a user sets for an audit. Everything has a default. Plain data: the reader of `catalog.yaml` fills it in.

use chrono::NaiveDate;

use super::finding::{Code, Severity};
use super::site::Flavor;
use super::web;

/// The settings of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The renderer whose rules count for the whole tree; without it, the tree's own files say.
    pub flavor: Option<Flavor>,
    /// The renderer of a folder (relative to the root, `/` between the parts), before everything that is detected.
    pub flavors: Vec<(String, Flavor)>,
    /// What cannot be read from a site's own files.
    pub site: Option<OwnSite>,
    /// Globs of documents that are not audited. They exist all the same: links to them are good.
    pub exclude: Vec<String>,
    /// Globs of documents from which a reader starts, besides README, index and SUMMARY of the root and of sites.
    pub entry_points: Vec<String>,
    /// Globs of documents that nothing needs to link to, besides the usual ones.
    pub orphans_allowed: Vec<String>,
    /// What marks a document as deprecated: a regular expression, whatever the case.
    pub deprecated: String,
    /// Words of `deprecated` that healthy documents use, too: in running text they prove little.
    pub common_words: Vec<String>,
    /// Severities other than a check's own; `None` switches it off.
    pub severities: Vec<(Code, Option<Severity>)>,
    /// When documents have to be looked at again, besides what their front matter says: path and date.
    pub reviews: Vec<(String, NaiveDate)>,
    /// How the web is asked.
    pub online: web::OnlineSettings,
    /// Documents larger than this are not read.
    pub largest: u64,
}

/// What a user says of the sites whose own files do not say it, or only by running them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSite {
    /// The folder whose sites it is about; without it, all.
    pub folder: Option<String>,
    /// What stands in front of all addresses.
    pub base: Option<String>,
    /// The folders that `/` means, the likeliest first.
    pub roots: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            flavor: None,
            flavors: Vec::new(),
            site: None,
            exclude: Vec::new(),
            entry_points: Vec::new(),
            orphans_allowed: Vec::new(),
            deprecated: "phase_1_mcp|deprecated|old_setup".to_owned(),
            common_words: vec!["deprecated".to_owned()],
            severities: Vec::new(),
            reviews: Vec::new(),
            online: web::OnlineSettings::default(),
            largest: 64 << 20,
        }
    }
}

impl Settings {
    /// The severity of `code`, whose own is `default`; `None` when it is switched off.
    #[must_use]
    pub fn severity(&self, code: Code, default: Severity) -> Option<Severity> {
        self.severities.iter().rev().find(|(of, _)| *of == code).map_or(Some(default), |(_, severity)| *severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_severity_counts() {
        let severities = vec![(Code::Orphan, None), (Code::Orphan, Some(Severity::Error))];
        let settings = Settings { severities, ..Settings::default() };
        assert_eq!(settings.severity(Code::Orphan, Severity::Warning), Some(Severity::Error));
        assert_eq!(settings.severity(Code::BrokenLink, Severity::Error), Some(Severity::Error));
    }
}
