//! Text from requests on its way into a log line.

use std::borrow::Cow;

/// Escapes what could end the line, colour the terminal, or reorder or hide text: control characters, the Unicode
/// bidirectional controls (CVE-2021-42574) and characters of no width. One log line stays one line, whatever a claim
/// or header holds.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    // Nearly all texts are plain, and this costs a few instructions.
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(text);
    }
    let hostile = |c: char| {
        let direction =
            matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let no_width_or_line_end = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
        c.is_control() || direction || no_width_or_line_end
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
