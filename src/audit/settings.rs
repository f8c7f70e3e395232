//! The settings of an audit. Everything has a default. Plain data: the reader of `catalog.yaml` fills it in.

use chrono::NaiveDate;

use super::finding::{Code, Severity};
use super::site::Flavor;
use super::web;

/// The settings of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The renderer of the whole tree. `None` detects it from the tree's files.
    pub flavor: Option<Flavor>,
    /// The renderer of a folder, which overrides detection. The folder is relative to the root, with `/` between the
    /// parts.
    pub flavors: Vec<(String, Flavor)>,
    /// The site's settings that its own files do not say.
    pub site: Option<OwnSite>,
    /// Globs of documents that are not audited. Links to them are still good.
    pub exclude: Vec<String>,
    /// Globs of entry points, in addition to README, index and SUMMARY of the root and of sites.
    pub entry_points: Vec<String>,
    /// Globs of documents that need no link, in addition to the built-in exemptions.
    pub orphans_allowed: Vec<String>,
    /// The regular expression that marks a document as deprecated, without regard to case.
    pub deprecated: String,
    /// Words of `deprecated` that healthy documents use too. In running text they prove little.
    pub common_words: Vec<String>,
    /// Severities that replace a check's own. `None` turns the check off.
    pub severities: Vec<(Code, Option<Severity>)>,
    /// Review dates, in addition to those in front matter: path and date.
    pub reviews: Vec<(String, NaiveDate)>,
    /// The settings of the web requests.
    pub online: web::OnlineSettings,
    /// The size of the largest document to read, in bytes.
    pub largest: u64,
}

/// The settings of sites whose own files do not contain them, or only as programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSite {
    /// The folder whose sites it is about; without it, all.
    pub folder: Option<String>,
    /// The prefix of all addresses.
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
    /// Returns the severity of `code`, whose own is `default`, or `None` when the check is off.
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
