//! The functions that Python-Markdown's `toc` is given to name headings.

use unicode_normalization::UnicodeNormalization as _;

/// A function that makes a name of a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slugify {
    /// `markdown.extensions.toc.slugify`, the default: only ASCII stays.
    Ascii,
    /// `markdown.extensions.toc.slugify_unicode`.
    Unicode,
    /// `pymdownx.slugs.slugify(case="lower")`, and `uslugify` before it.
    PymdownxLower,
    /// `pymdownx.slugs.slugify()`: the case of letters stays.
    Pymdownx,
}

impl Slugify {
    /// Appends the name of a heading to `names`.
    pub(super) fn write(self, text: &str, separator: char, names: &mut String) {
        match self {
            Self::Ascii => toc(text.nfkd().filter(char::is_ascii), separator, names),
            Self::Unicode => toc(text.chars(), separator, names),
            Self::PymdownxLower => pymdownx(&text.nfc().collect::<String>().to_lowercase(), separator, names),
            Self::Pymdownx => pymdownx(&text.nfc().collect::<String>(), separator, names),
        }
    }
}

/// Python's `\w`.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
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

/// The rule of pymdownx: each blank becomes a separator, other white space goes.
fn pymdownx(text: &str, separator: char, names: &mut String) {
    names.extend(text.trim().chars().filter_map(|c| match c {
        ' ' => Some(separator),
        c if is_word(c) || c == '-' => Some(c),
        _ => None,
    }));
}
