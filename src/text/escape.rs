//! Makes text from outside safe for a terminal or a log line.

use std::borrow::Cow;

/// Replaces control characters and bidirectional controls, so that a terminal or log shows the text as it is.
#[must_use]
pub fn escape_control(text: &str) -> Cow<'_, str> {
    let bad = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let show = |c: char| match c {
        '\t' => ' ',
        // The pictures of control characters have the same order as the characters.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        c if bad(c) => '\u{fffd}',
        c => c,
    };
    Cow::Owned(text.chars().map(show).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_commanded() {
        assert_eq!(escape_control("\u{1b}[31mred\u{7}\u{9b}\u{202e}\t\u{7f}"), "␛[31mred␇\u{fffd}\u{fffd} ␡");
    }
}
