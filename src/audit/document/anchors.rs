//! The anchors of one document, looked up by hash, so that a hundred thousand headings and as many links to them are no
//! problem.

use super::{Strings, Text};
use crate::text::casefold;

/// How a fragment fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Exactly.
    Exact,
    /// Only but for the case of letters; this is how it is written.
    Case(Text),
    /// Not at all.
    None,
}

/// Names of places in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(Vec<(u32, Text)>);

impl Anchors {
    /// From names in any order.
    #[must_use]
    pub fn new(names: &[Text], strings: &Strings) -> Self {
        let mut anchors: Vec<_> = names.iter().map(|name| (hash(strings.get(*name)), *name)).collect();
        anchors.sort_by_key(|(hash, _)| *hash);
        Self(anchors)
    }

    /// Returns whether there is an anchor `fragment`.
    #[must_use]
    pub fn find(&self, fragment: &str, strings: &Strings) -> Match {
        let wanted = hash(fragment);
        let start = self.0.partition_point(|(hash, _)| *hash < wanted);
        let same = self.0[start..].iter().take_while(|(hash, _)| *hash == wanted).map(|(_, name)| *name);
        let mut close = Match::None;
        for name in same {
            let text = strings.get(name);
            if text == fragment {
                return Match::Exact;
            }
            if close == Match::None && casefold::same(text.as_bytes(), fragment.as_bytes()) {
                close = Match::Case(name);
            }
        }
        close
    }

    /// All of them, in the order of the document.
    pub fn iter<'a>(&self, strings: &'a Strings) -> impl Iterator<Item = &'a str> {
        let mut names: Vec<Text> = self.0.iter().map(|(_, name)| *name).collect();
        names.sort_unstable_by_key(|name| name.0.start);
        names.into_iter().map(|name| strings.get(name))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The same for names that differ in case only.
#[allow(clippy::cast_possible_truncation, reason = "a hash")]
fn hash(name: &str) -> u32 {
    let hash = casefold::hash(name.as_bytes());
    // Which half is the better one is the hasher's secret.
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_before_case() {
        let mut strings = Strings::default();
        let names = ["Setup", "setup", "ÜBER", "x"].map(|name| strings.add(name));
        let anchors = Anchors::new(&names, &strings);
        assert_eq!(anchors.find("setup", &strings), Match::Exact);
        assert_eq!(anchors.find("Setup", &strings), Match::Exact);
        assert!(matches!(anchors.find("SETUP", &strings), Match::Case(_)));
        assert_eq!(anchors.find("über", &strings), Match::Case(names[2]));
        assert_eq!(anchors.find("y", &strings), Match::None);
    }
}
