//! Text from requests on its way into a log line.

use std::borrow::Cow;

/// Escapes what could end the line, colour the terminal or reorder the text: control characters and the Unicode
/// bidirectional controls (CVE-2021-42574). One log line stays one line, whatever a claim or header holds.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if hostile(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_forged_line_stays_one_line() {
        assert_eq!(printable("a@b.c\n[DEBUG] x"), "a@b.c\\u{a}[DEBUG] x");
        assert_eq!(printable("\u{1b}[31mred\u{202e}"), "\\u{1b}[31mred\\u{202e}");
        assert_eq!(printable("söö@example.com"), "söö@example.com");
    }
}
