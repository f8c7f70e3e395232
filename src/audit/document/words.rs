//! Fixed words whatever their case. Deprecation patterns are hardly ever more than that, and compiling and running a regular expression
//! for them took a twentieth of the time of an audit.

use std::ops::Range;

use super::literals::Literals;

/// A few words that are looked for together.
pub(super) struct Words {
    words: Vec<Word>,
    parts: Literals,
}

struct Word {
    word: String,
    /// Where the part of it begins that is looked for in every spelling; the rest is compared.
    part: usize,
}

/// Shorter words, or parts of them, are in every text.
const SHORTEST: usize = 3;

/// How much of a word makes a difference for the search.
const LONGEST_PART: usize = 4;

/// How many spellings are looked for at once without loss: more need vectors of twice the width.
const SPELLINGS: usize = 32;

impl Words {
    /// Returns the words of `pattern` if it is `word|word`, or `None` if it is more than that or has too many words.
    pub(super) fn from_pattern(pattern: &str) -> Option<Self> {
        let words: Vec<&str> = pattern.split('|').collect();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
        if !words.iter().all(|word| word.len() >= SHORTEST && word.bytes().all(is_plain)) {
            return None;
        }
        let longest = words.iter().map(|word| word.len()).min()?.min(LONGEST_PART);
        (SHORTEST..=longest).rev().find_map(|length| Self::by_parts(&words, length))
    }

    fn by_parts(words: &[&str], length: usize) -> Option<Self> {
        let of = |word: &&str| Word { word: (*word).to_owned(), part: rarest(word, length) };
        let words: Vec<Word> = words.iter().map(of).collect();
        let mut spellings: Vec<_> =
            words.iter().flat_map(|Word { word, part }| spellings(&word[*part..part + length])).collect();
        spellings.sort();
        spellings.dedup();
        if spellings.len() > SPELLINGS {
            return None;
        }
        let parts = Literals::new(spellings.iter().map(String::as_str))?;
        Some(Self { words, parts })
    }

    /// Where they stand in `text`, in order; of several in one place, the first.
    pub(super) fn places(&self, text: &str) -> Vec<Range<usize>> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        for hit in self.parts.places(bytes) {
            found.extend(self.words.iter().enumerate().filter_map(|(number, Word { word, part })| {
                let start = hit.start().checked_sub(*part)?;
                let here = bytes.get(start..start + word.len())?;
                here.eq_ignore_ascii_case(word.as_bytes()).then_some((start, number, start + word.len()))
            }));
        }
        // One whose part stands further behind is met later.
        found.sort_unstable();
        let mut places: Vec<Range<usize>> = Vec::new();
        for (start, _, end) in found {
            if places.last().is_none_or(|last| last.end <= start) {
                places.push(start..end);
            }
        }
        places
    }
}

/// Where in `word` the part of this length begins that has the fewest spellings: letters have two.
fn rarest(word: &str, length: usize) -> usize {
    let letters = |part: &[u8]| part.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let parts = word.as_bytes().windows(length).map(letters).zip(0..);
    parts.min().map_or(0, |(_, start)| start)
}

/// Every way to write it in capitals and small letters.
fn spellings(part: &str) -> Vec<String> {
    part.chars().fold(vec![String::new()], |so_far, letter| {
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
            assert!(Words::from_pattern(pattern).is_none(), "{pattern}");
        }
        for pattern in
            ["abc", "phase_1_mcp|deprecated|old_setup", "no longer|end-of-life", "deprecated|obsolete|legacy|archived"]
        {
            assert!(Words::from_pattern(pattern).is_some(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn words_are_where_the_regular_expression_finds_them(
            text in "([oOlLdD_ ü-]|old|OLD_|Setup|abc|ABCD|abcde|set_1x|t_1){0,40}",
            pattern in prop::sample::select(vec!["old_setup|abc", "abc|abcd", "abcd|abc", "old|old_", "old-old|old ", "_ol|ldo", "set_1x|et_|t_1", "dset_1|old"]),
        ) {
            let expression = RegexBuilder::new(pattern).case_insensitive(true).build().unwrap();
            let expected: Vec<_> = expression.find_iter(&text).map(|hit| hit.range()).collect();
            prop_assert_eq!(Words::from_pattern(pattern).unwrap().places(&text), expected);
        }
    }
}
