//! How each renderer makes a name of a heading's text, but for Python-Markdown.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use super::python;

/// GitHub's rule. Letters, marks, digits, connectors, hyphens and spaces stay, in lower case. Each space becomes a
/// hyphen.
pub(super) fn github(text: &str, names: &mut String) {
    names.reserve(text.len());
    if text.is_ascii() {
        names.extend(text.bytes().filter_map(|byte| match byte {
            b' ' => Some('-'),
            b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Some(char::from(byte.to_ascii_lowercase())),
            _ => None,
        }));
        return;
    }
    for c in text.chars() {
        match c {
            ' ' => names.push('-'),
            '-' => names.push('-'),
            c if c.is_ascii() => {
                if c.is_ascii_alphanumeric() || c == '_' {
                    names.push(c.to_ascii_lowercase());
                }
            }
            c => names.extend(c.to_lowercase().filter(|c| stays(*c))),
        }
    }
}

/// The package's rule, which is GitHub's but for the emoji joiner.
pub(super) fn github_slugger(text: &str, names: &mut String) {
    if text.contains(JOINER) {
        github(&text.replace(JOINER, ""), names);
    } else {
        github(text, names);
    }
}

const JOINER: char = '\u{200d}';

/// Ruby's `\p{Word}`, which GitHub keeps: letters, marks, decimal and letter numbers, connector punctuation, and the
/// emoji joiner (U+200D), which belongs to `Join_Control`. github-slugger drops the other character of that class. No
/// page was found that shows GitHub's choice.
fn stays(c: char) -> bool {
    use GeneralCategory as G;
    if c == JOINER {
        return true;
    }
    matches!(
        c.general_category(),
        G::UppercaseLetter
            | G::LowercaseLetter
            | G::TitlecaseLetter
            | G::ModifierLetter
            | G::OtherLetter
            | G::NonspacingMark
            | G::SpacingMark
            | G::EnclosingMark
            | G::DecimalNumber
            | G::LetterNumber
            | G::ConnectorPunctuation
    )
}

/// MyST's rule. What Python's `\w` matches stays, in lower case: letters and numbers of all kinds and `_`, but no marks.
/// Each space becomes a hyphen.
pub(super) fn myst(text: &str, names: &mut String) {
    names.extend(text.to_lowercase().chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if python::is_alphanumeric(c) => Some(c),
        _ => None,
    }));
}

/// The id that docutils makes of a name (`nodes.make_id`): ASCII letters and digits in lower case, anything else a single
/// hyphen, none at the ends, no digit in front. It may be empty; then the element gets a number.
#[must_use]
pub fn docutils(text: &str) -> String {
    /// Letters that decomposition does not take apart.
    const LETTERS: &[(char, &str)] = &[
        ('ß', "sz"),
        ('æ', "ae"),
        ('œ', "oe"),
        ('ȸ', "db"),
        ('ȹ', "qp"),
        ('ø', "o"),
        ('đ', "d"),
        ('ħ', "h"),
        ('ı', "i"),
        ('ł', "l"),
        ('ŧ', "t"),
        ('ƀ', "b"),
        ('ƃ', "b"),
        ('ƈ', "c"),
        ('ƌ', "d"),
        ('ƒ', "f"),
        ('ƙ', "k"),
        ('ƚ', "l"),
        ('ƞ', "n"),
        ('ƥ', "p"),
        ('ƫ', "t"),
        ('ƭ', "t"),
        ('ƴ', "y"),
        ('ƶ', "z"),
        ('ǥ', "g"),
        ('ȥ', "z"),
        ('ȴ', "l"),
        ('ȵ', "n"),
        ('ȶ', "t"),
        ('ȷ', "j"),
        ('ȼ', "c"),
        ('ȿ', "s"),
        ('ɀ', "z"),
        ('ɇ', "e"),
        ('ɉ', "j"),
        ('ɋ', "q"),
        ('ɍ', "r"),
        ('ɏ', "y"),
    ];
    let mut plain = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        match LETTERS.iter().find(|(letter, _)| *letter == c) {
            Some((_, ascii)) => plain.push_str(ascii),
            None => plain.push(c),
        }
    }
    let mut id = String::with_capacity(plain.len());
    for c in plain.nfkd().filter(char::is_ascii) {
        match c {
            'a'..='z' => id.push(c),
            '0'..='9' if !id.is_empty() => id.push(c),
            '0'..='9' => {}
            _ if !id.is_empty() && !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    id.truncate(id.trim_end_matches('-').len());
    id
}

/// mdBook's `normalize_id`. Alphanumerics, `_` and `-` stay, and white space becomes a hyphen. Old versions lower-case
/// ASCII only, new versions all letters.
pub(super) fn mdbook(text: &str, names: &mut String) {
    // What a capital letter is made of may be a mark, which goes.
    let lower = text.trim().chars().flat_map(char::to_lowercase);
    names.extend(lower.filter_map(|c| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    }));
}

/// Hugo's `sanitizeAnchorName`. Letters, decimal digits, `_`, hyphens and blanks stay, each character in lower case by itself; marks go.
/// What nothing is left of is named `heading`.
pub(super) fn hugo(text: &str, ascii: bool, names: &mut String) {
    use GeneralCategory as G;
    let start = names.len();
    let is_letter = |c: char| {
        matches!(
            c.general_category(),
            G::UppercaseLetter
                | G::LowercaseLetter
                | G::TitlecaseLetter
                | G::ModifierLetter
                | G::OtherLetter
                | G::DecimalNumber
        )
    };
    let mut write = |c: char| match c {
        '-' | ' ' => names.push('-'),
        c if ascii && !c.is_ascii() => {}
        c if c == '_' || is_letter(c) => names.extend(c.to_lowercase().next()),
        _ => {}
    };
    match ascii {
        // Accents go before what is not ASCII does.
        true => text.trim().nfd().for_each(&mut write),
        false => text.trim().chars().for_each(&mut write),
    }
    if names.len() == start {
        names.push_str("heading");
    }
}

/// The `slugify` of `@mdit-vue/shared`. Accents go, runs of punctuation and white space become one hyphen, and a digit in
/// front gets an underscore.
pub(super) fn mdit_vue(text: &str, names: &mut String) {
    const SPECIAL: &[char] = &[
        '~', '`', '!', '@', '#', '$', '%', '^', '&', '*', '(', ')', '-', '_', '+', '=', '[', ']', '{', '}', '|', '\\',
        ';', ':', '"', '\'', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '<', '>', ',', '.', '?', '/',
    ];
    let start = names.len();
    for c in text.nfkd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')) {
        // Line breaks are control characters, which go before white space counts.
        if c.is_ascii_control() && c != '\u{7f}' {
            continue;
        }
        if !(c.is_whitespace() || c == '\u{feff}' || SPECIAL.contains(&c)) {
            if names.len() == start && c.is_ascii_digit() {
                names.push('_');
            }
            names.extend(c.to_lowercase());
        } else if names.len() > start && !names.ends_with('-') {
            names.push('-');
        }
    }
    if names.len() > start && names.ends_with('-') {
        names.pop();
    }
}
