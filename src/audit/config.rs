//! What an audit may be told; without being told anything it uses the defaults. Plain data: whoever reads `catalog.yaml` fills it in.

use crate::docs::stale::Stale;
use std::path::PathBuf;

use super::finding::{Code, Severity};
use super::profile::Flavor;
use super::web::{self, Answers};

/// The settings of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The renderer whose rules count for the whole tree; without it, the tree's own files say.
    pub flavor: Option<Flavor>,
    /// The renderer of a folder (relative to the root, `/` between the parts), before everything that is detected.
    pub flavors: Vec<(String, Flavor)>,
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
    /// When documents have to be looked at again, besides what their front matter says: path and date (year, month, day).
    pub reviews: Vec<(String, Date)>,
    /// Documents that somebody has looked at and that have not changed since: nothing is proposed for them.
    pub settled: Vec<String>,
    /// Generated pages that a build would write otherwise, by paths relative to the root.
    pub stale: Vec<Stale>,
    /// How the web is asked.
    pub online: web::Settings,
    /// What the web has answered; without it, nothing is said of it, and addresses in running text are no links.
    pub answers: Option<Answers>,
    /// What "today" is for review dates.
    pub today: Date,
    /// Documents larger than this are not read.
    pub largest: u64,
}

/// A day as year, month, day.
pub type Date = (i32, u8, u8);

/// What an audit looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Files and folders whose findings are reported; at least one.
    pub paths: Vec<PathBuf>,
    /// What `/x` means in a link and where the tree ends; without it, the git repository around the paths, or their common folder.
    pub root: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            flavor: None,
            flavors: Vec::new(),
            exclude: Vec::new(),
            entry_points: Vec::new(),
            orphans_allowed: Vec::new(),
            deprecated: "phase_1_mcp|deprecated|old_setup".to_owned(),
            common_words: vec!["deprecated".to_owned()],
            severities: Vec::new(),
            reviews: Vec::new(),
            settled: Vec::new(),
            stale: Vec::new(),
            online: web::Settings::default(),
            answers: None,
            today: (1970, 1, 1),
            largest: 64 << 20,
        }
    }
}

impl Config {
    /// Whether this audit would find what a code is about: of the web it knows only what it was told.
    #[must_use]
    pub fn looks_for(&self, code: Code) -> bool {
        self.answers.is_some() || !code.is_of_the_web()
    }

    /// The severity of `code`, whose own is `default`; `None` when it is switched off.
    #[must_use]
    pub fn severity(&self, code: Code, default: Severity) -> Option<Severity> {
        self.severities.iter().rev().find(|(of, _)| *of == code).map_or(Some(default), |(_, severity)| *severity)
    }
}

/// A day as `2025-11-08`.
#[must_use]
pub fn written((year, month, day): Date) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// The day of a Unix time in UTC, by Howard Hinnant's `civil_from_days`.
#[must_use]
pub fn date_of(unix_seconds: i64) -> Date {
    let days = unix_seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let small = |number: i64| u8::try_from(number).unwrap_or(0);
    (i32::try_from(year).unwrap_or(i32::MAX), small(month), small(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_unix_times() {
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(951_782_400), (2000, 2, 29));
        assert_eq!(date_of(1_762_560_000), (2025, 11, 8));
        assert_eq!(date_of(-1), (1969, 12, 31));
    }

    #[test]
    fn the_last_severity_counts() {
        let severities = vec![(Code::Orphan, None), (Code::Orphan, Some(Severity::Error))];
        let config = Config { severities, ..Config::default() };
        assert_eq!(config.severity(Code::Orphan, Severity::Warning), Some(Severity::Error));
        assert_eq!(config.severity(Code::BrokenLink, Severity::Error), Some(Severity::Error));
    }
}
