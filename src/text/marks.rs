//! Letters without their marks.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Returns the text with letters that have marks as the letters alone: `Übung` becomes `Ubung`. For names that have to be ASCII.
#[must_use]
pub fn without_marks(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lose_their_marks_alone() {
        for (text, plain) in
            [("Übung föö", "Ubung foo"), ("straße 日本 a-b_1", "straße 日本 a-b_1"), ("e\u{301}ﬁ", "efi")]
        {
            assert_eq!(without_marks(text), plain);
        }
    }
}
