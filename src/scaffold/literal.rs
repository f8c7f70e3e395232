//! Literal text of a template, which is most of it. cargo-generate's parser of Liquid reads it character by character, which takes
//! half the time of an update, so the inside of long text is taken out before rendering and put back after it. Pure.
//!
//! A file is rendered whole unless all of its tags only print text or leave it out.

use std::fmt::Write as _;
use std::ops::Range;

use crate::fs::files::FileTree;

/// The characters around the number of a text that was taken out, from Unicode's private use area.
const BEGIN: char = '\u{E000}';
const END: char = '\u{E001}';
/// The shortest text that is taken out, in bytes. Shorter ones are parsed as fast.
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
            // A mark of the template itself.
            let (literal, rest) = part.split_once(END).and_then(literal).unwrap_or(("\u{E000}", part));
            whole.push_str(literal);
            whole.push_str(rest);
        }
        whole
    }
}

/// Returns whether a text has a character that would be taken for a mark.
pub(super) fn has_marks(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains([BEGIN, END]))
}

/// Returns the texts outside of Liquid, or `None` where their ends or the effect of a tag are not certain.
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
        // Without an end it is a mistake, which cargo-generate reports.
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

/// Returns the inside of a text, if it is long. Liquid can trim white space at the ends (`{%-`), so that stays, with the first and last
/// character.
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
    fn files_whose_tags_are_not_certain_are_rendered_whole() {
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
