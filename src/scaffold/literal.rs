//! Text that rendering leaves as it is: most of a template. The library's parser of Liquid takes each character of it in turn, which is
//! half the time of an update, so the inside of a long text is taken out before and put back after. Pure.
//!
//! Only what is certain counts. A tag that does more with text than to print it or not, and the file goes the long way.

use std::fmt::Write as _;
use std::ops::Range;

use crate::fs::files::FileTree;

/// Around the number of a text that was taken out: characters for private use.
const BEGIN: char = '\u{E000}';
const END: char = '\u{E001}';
/// Shorter ones are parsed as fast as they are taken out.
const LEAST: usize = 128;
/// The tags between which text is printed as it is, or not at all.
const TAGS: &[&str] = &["if", "elsif", "else", "endif", "unless", "endunless", "case", "when", "endcase", "assign"];

/// The texts that were taken out, by their numbers.
#[derive(Debug, Default)]
pub(super) struct LiteralTexts(Vec<String>);

impl LiteralTexts {
    /// Returns a file's text without its literal text, or `None` where nothing can be taken out.
    pub(super) fn take_out(&mut self, text: &str) -> Option<String> {
        let mut short = String::new();
        let mut at = 0;
        for literal in literals(text)?.into_iter().filter_map(|literal| inside(text, literal)) {
            let _ = write!(short, "{}{BEGIN}{}{END}", &text[at..literal.start], self.0.len());
            at = literal.end;
            self.0.push(text[literal].to_owned());
        }
        short.push_str(&text[at..]);
        (at > 0).then_some(short)
    }

    /// Puts back what was taken out.
    pub(super) fn put_back(&self, files: &mut FileTree) {
        for file in files.values_mut() {
            if let Ok(text) = std::str::from_utf8(&file.bytes)
                && text.contains(BEGIN)
            {
                file.bytes = self.whole(text).into_bytes().into();
            }
        }
    }

    fn whole(&self, text: &str) -> String {
        let mut parts = text.split(BEGIN);
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let literal = |(number, rest): (&str, _)| Some((self.0.get(number.parse::<usize>().ok()?)?.as_str(), rest));
            // A mark of somebody else.
            let (literal, rest) = part.split_once(END).and_then(literal).unwrap_or(("\u{E000}", part));
            whole.push_str(literal);
            whole.push_str(rest);
        }
        whole
    }
}

/// Returns whether there is a character in it that stands around a number.
pub(super) fn has_marks(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains([BEGIN, END]))
}

/// Returns the texts outside of Liquid, or `None` where their ends, or what is done with them, are not certain.
fn literals(text: &str) -> Option<Vec<Range<usize>>> {
    let mut literals = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(begin) = text[at..].find('{').map(|found| at + found) {
        let end = match text.as_bytes().get(begin + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            // A brace of the text itself.
            _ => {
                at = begin + 1;
                continue;
            }
        };
        // Without an end, the library says what is wrong.
        let (code, _) = text[begin + 2..].split_once(end)?;
        // The end could stand in a string.
        if code.matches('"').count() % 2 != 0 || code.matches('\'').count() % 2 != 0 {
            return None;
        }
        let tag = code.trim_start_matches('-').split_whitespace().next()?.trim_end_matches('-');
        if end == "%}" && !TAGS.contains(&tag) {
            return None;
        }
        literals.push(start..begin);
        start = begin + 2 + code.len() + end.len();
        at = start;
    }
    literals.push(start..text.len());
    Some(literals)
}

/// Returns the inside of a text, if it is long. White space at the ends can be trimmed (`{%-`), so it stays, with a character behind it.
fn inside(text: &str, literal: Range<usize>) -> Option<Range<usize>> {
    let part = &text[literal.clone()];
    let (head, tail) = (part.trim_start(), part.trim_end());
    let from = literal.end - head.len() + head.chars().next()?.len_utf8();
    let to = literal.start + tail.len() - tail.chars().next_back()?.len_utf8();
    (from + LEAST <= to).then_some(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::files::File;

    const LONG: &str = "A long text with a brace { and a \"quotation mark\", of which there are far too many characters to be parsed for nothing, each of them by itself, one by one.";

    fn short(text: &str) -> Option<String> {
        LiteralTexts::default().take_out(text)
    }

    #[test]
    fn the_inside_of_long_text_is_taken_out() {
        let text = format!("{LONG}\n{{{{ name }}}}\n  {LONG}  {{%- if a == \"}}\" -%}} {LONG}{{% endif %}}short");
        let taken = "A\u{E000}0\u{E001}.\n{{ name }}\n  A\u{E000}1\u{E001}.  {%- if a == \"}\" -%} A\u{E000}2\u{E001}.{% endif %}short";
        assert_eq!(short(&text).as_deref(), Some(taken));
    }

    #[test]
    fn what_is_not_certain_goes_the_long_way() {
        for text in [
            "short".to_owned(),
            format!("{LONG}{{{{ name"),
            format!("{LONG}{{{{ \"}}}}\" }}}}"),
            format!("{{% capture x %}}{LONG}{{% endcapture %}}"),
            format!("{{% raw %}}{LONG}{{% endraw %}}"),
            format!("{{%- comment -%}}{LONG}{{%- endcomment -%}}"),
            format!("{LONG}{{%%}}"),
        ] {
            assert_eq!(short(&text), None, "{text}");
        }
    }

    #[test]
    fn what_was_taken_out_comes_back() {
        let mut literals = LiteralTexts::default();
        let text = format!("{LONG}{{% if a %}}{LONG}{{% endif %}}");
        let short = literals.take_out(&text).expect("it is long");
        let mut files =
            FileTree::from([("a".to_owned(), File::text(format!("{short}{short}\u{E000}7\u{E001}\u{E000}")))]);
        literals.put_back(&mut files);
        assert_eq!(files["a"].bytes, format!("{text}{text}\u{E000}7\u{E001}\u{E000}").as_bytes());
    }
}
