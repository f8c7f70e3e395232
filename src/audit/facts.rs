//! The facts of the day of an audit. The command collects them. The audit itself reads no clock, no web page and no
//! catalog.

use chrono::NaiveDate;

use super::finding::Code;
use super::stale_page::StalePage;
use super::web::UrlAnswers;

/// The facts of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Today, for review dates.
    pub today: NaiveDate,
    /// Documents that were reviewed and have not changed since, as paths relative to the root. They get no proposal.
    pub unchanged_reviews: Vec<String>,
    /// Generated pages that a build would change.
    pub stale_pages: Vec<StalePage>,
    /// The answers of the web, or `None` without `--online`. Then the audit judges no web address, and addresses in
    /// running text are not links.
    pub answers: Option<UrlAnswers>,
}

impl Facts {
    /// Returns whether an audit with these facts looks for findings of this code.
    #[must_use]
    pub fn looks_for(&self, code: Code) -> bool {
        self.answers.is_some() || !code.is_of_the_web()
    }
}
