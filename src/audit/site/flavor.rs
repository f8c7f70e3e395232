//! The renderers that a user can name: `--flavor`, `audit.flavor`, `audit.flavors`. They are the rows of the table of generators that have
//! a word for it.

use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::Model;
use super::generators::{GENERATORS, Generator};
use crate::audit::document::Syntax;

/// A renderer, or several that follow the same rules: the number of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flavor(usize);

static ALL: LazyLock<Vec<Flavor>> = LazyLock::new(|| {
    let named = GENERATORS.iter().enumerate().filter(|(_, generator)| generator.word.is_some());
    named.map(|(row, _)| Flavor(row)).collect()
});

static NAMES: LazyLock<Vec<(&'static str, Flavor)>> =
    LazyLock::new(|| ALL.iter().map(|flavor| (flavor.word(), *flavor)).collect());

impl Flavor {
    /// Returns each with the word for it, as it stands in settings.
    #[must_use]
    pub fn names() -> &'static [(&'static str, Self)] {
        &NAMES
    }

    fn generator(self) -> &'static Generator {
        GENERATORS[self.0]
    }

    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.generator().word.map_or("", |(word, _)| word)
    }

    /// Returns what it makes of documents.
    pub(super) fn model(self) -> &'static Model {
        self.generator().model
    }

    /// Returns how it reads Markdown.
    #[must_use]
    pub fn syntax(self) -> Syntax {
        self.model().syntax
    }

    /// Returns the folder's site without settings.
    pub(super) fn site(self, folder: Vec<u8>, reason: String) -> super::Site {
        let mut site = super::Site::new(self.model(), folder, reason);
        if let Some(complete) = self.generator().complete {
            complete(&mut site);
        }
        site
    }
}

impl ValueEnum for Flavor {
    fn value_variants<'a>() -> &'a [Self] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        self.generator().word.map(|(word, about)| PossibleValue::new(word).help(about))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_there_once() {
        let mut words: Vec<_> = Flavor::names().iter().map(|(word, _)| *word).collect();
        assert!(words.contains(&"github") && words.contains(&"starlight"), "{words:?}");
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}
