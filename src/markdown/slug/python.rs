//! The functions that Python-Markdown's `toc` is given to name headings.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// A function that makes a name of a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slugify {
    /// `markdown.extensions.toc.slugify`, the default: only ASCII stays.
    Ascii,
    /// `markdown.extensions.toc.slugify_unicode`.
    Unicode,
    /// `pymdownx.slugs.slugify`, and `uslugify` before it.
    Pymdownx(Case),
}

/// The argument `case` of `pymdownx.slugs.slugify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `none`: it stays.
    Keep,
    /// `lower`.
    Lower,
    /// `lower-ascii`: other letters stay.
    LowerAscii,
}

impl Slugify {
    /// Appends the name of a heading to `names`.
    pub(super) fn write(self, text: &str, separator: char, names: &mut String) {
        match self {
            Self::Ascii => toc(text.nfkd().filter(char::is_ascii), separator, names),
            Self::Unicode => toc(text.chars(), separator, names),
            Self::Pymdownx(case) => pymdownx(text, case, separator, names),
        }
    }
}

/// Python's `\w`: letters and numbers without marks, and `_`.
fn is_word(c: char) -> bool {
    c == '_' || is_alphanumeric(c)
}

/// Python's `str.isalnum` for one character.
pub(super) fn is_alphanumeric(c: char) -> bool {
    use GeneralCategory as G;
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    matches!(
        c.general_category(),
        G::UppercaseLetter
            | G::LowercaseLetter
            | G::TitlecaseLetter
            | G::ModifierLetter
            | G::OtherLetter
            | G::DecimalNumber
            | G::LetterNumber
            | G::OtherNumber
    )
}

/// Python-Markdown's rule. Word characters, hyphens and white space stay, trimmed and in lower case; runs of white space
/// and of the separator become one separator, also at the ends.
fn toc(text: impl Iterator<Item = char>, separator: char, names: &mut String) {
    let kept: String = text.filter(|c| is_word(*c) || c.is_whitespace() || *c == '-').collect();
    let start = names.len();
    for c in kept.trim().chars() {
        if !c.is_whitespace() && c != separator {
            names.extend(c.to_lowercase());
        } else if names.len() == start || !names.ends_with(separator) {
            names.push(separator);
        }
    }
}

/// The rule of pymdownx: what looks like a tag goes, each blank becomes a separator, other white space goes. Python-Markdown has made one
/// blank of all white space before.
fn pymdownx(text: &str, case: Case, separator: char, names: &mut String) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = without_tags(&text).nfc().collect();
    let text = match case {
        Case::Keep => text,
        Case::Lower => text.to_lowercase(),
        Case::LowerAscii => text.to_ascii_lowercase(),
    };
    names.extend(text.trim().chars().filter_map(|c| match c {
        ' ' => Some(separator),
        c if is_word(c) || c == '-' => Some(c),
        _ => None,
    }));
}

/// Leaves out what `</?[^>]*>` matches.
fn without_tags(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once('<') {
        let Some((_, after)) = behind.split_once('>') else { break };
        kept.push_str(before);
        rest = after;
    }
    kept + rest
}
