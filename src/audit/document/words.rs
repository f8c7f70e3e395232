//! Fixed words whatever their case. Deprecation patterns are hardly ever more than that, and compiling and running a regular expression
//! for them took a twentieth of the time of an audit.

use std::ops::Range;

use super::literals::Literals;

/// A few words that are looked for together.
pub(super) struct Words {
    words: Vec<String>,
    beginnings: Literals,
}

/// How much of each word is looked for, in every spelling; the rest is compared.
const BEGINNING: usize = 3;

/// How many spellings are looked for at once without loss: more need vectors of twice the width.
const SPELLINGS: usize = 32;

impl Words {
    /// What the regular expression `pattern` means if it is `word|word`. `None` if it is more than that, or if there are too many of them.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let words: Vec<_> = pattern.split('|').map(str::to_owned).collect();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
        if !words.iter().all(|word| word.len() >= BEGINNING && word.bytes().all(is_plain)) {
            return None;
        }
        let mut spellings: Vec<_> = words.iter().flat_map(|word| spellings(&word[..BEGINNING])).collect();
        spellings.sort();
        spellings.dedup();
        if spellings.len() > SPELLINGS {
            return None;
        }
        let beginnings = Literals::new(spellings.iter().map(String::as_str))?;
        Some(Self { words, beginnings })
    }

    /// Where they stand in `text`, in order; of several in one place, the first.
    pub(super) fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let bytes = text.as_bytes();
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let start = self.beginnings.next(bytes, from)?.start();
                let is_here = |word: &&String| {
                    bytes.get(start..start + word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
                };
                if let Some(word) = self.words.iter().find(is_here) {
                    from = start + word.len();
                    return Some(start..from);
                }
                from = start + 1;
            }
        })
    }
}

/// Every way to write it in capitals and small letters.
fn spellings(beginning: &str) -> Vec<String> {
    beginning.chars().fold(vec![String::new()], |so_far, letter| {
        let [small, capital] = [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()];
        let letters = if small == capital { vec![small] } else { vec![small, capital] };
        so_far.iter().flat_map(|before| letters.iter().map(move |letter| format!("{before}{letter}"))).collect()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::RegexBuilder;

    use super::*;

    #[test]
    fn what_is_more_than_words_is_left_to_regular_expressions() {
        for pattern in ["", "ab", "abc|", "abc|a.c", "a(bc|bd)", "^abc", "über", "abc|def|ghi|jkl|mno"] {
            assert!(Words::of(pattern).is_none(), "{pattern}");
        }
        for pattern in ["abc", "phase_1_mcp|deprecated|old_setup", "no longer|end-of-life"] {
            assert!(Words::of(pattern).is_some(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn words_are_where_the_regular_expression_finds_them(
            text in "([oOlLdD_ ü-]|old|OLD_|Setup|abc|ABCD|abcde){0,40}",
            pattern in prop::sample::select(vec!["old_setup|abc", "abc|abcd", "abcd|abc", "old|old_", "old-old|old ", "_ol|ldo"]),
        ) {
            let expression = RegexBuilder::new(pattern).case_insensitive(true).build().unwrap();
            let expected: Vec<_> = expression.find_iter(&text).map(|hit| hit.range()).collect();
            prop_assert_eq!(Words::of(pattern).unwrap().places(&text).collect::<Vec<_>>(), expected);
        }
    }
}
