//! What is true on the day of an audit. The command finds it out; the audit itself asks neither the clock nor the web nor the catalog.

use chrono::NaiveDate;

use super::finding::Code;
use super::stale_page::StalePage;
use super::web::UrlAnswers;

/// The facts of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Today, for review dates.
    pub today: NaiveDate,
    /// Documents that were reviewed and have not changed since, by paths relative to the root: nothing is proposed for them.
    pub unchanged_reviews: Vec<String>,
    /// Generated pages that a build would write otherwise.
    pub stale_pages: Vec<StalePage>,
    /// The web's answers. `None` when it was not asked: then addresses are not judged, and those in running text are no links.
    pub answers: Option<UrlAnswers>,
}

impl Facts {
    /// Returns whether an audit with these facts looks for findings of this code.
    #[must_use]
    pub fn looks_for(&self, code: Code) -> bool {
        self.answers.is_some() || !code.is_of_the_web()
    }
}
