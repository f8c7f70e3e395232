//! The message and the fields of a line of text: `Tool call tool="list_docs" milliseconds=12`. In place of the ones of
//! tracing-subscriber, which look at a message letter by letter: every request has such a line.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing_subscriber::fmt::format::Writer;

/// Writes the fields of an event in their order.
pub(super) struct Fields<'a, 'w> {
    pub(super) writer: &'a mut Writer<'w>,
    pub(super) is_first: bool,
    pub(super) result: fmt::Result,
}

impl<'a, 'w> Fields<'a, 'w> {
    pub(super) const fn new(writer: &'a mut Writer<'w>) -> Self {
        Self { writer, is_first: true, result: Ok(()) }
    }

    fn write(
        &mut self,
        field: &Field,
        message: fmt::Arguments<'_>,
        text: Option<&str>,
        value: &dyn fmt::Debug,
    ) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_str(" ")?;
        }
        if field.name() == "message" {
            return Plain(self.writer).write_fmt(message);
        }
        self.writer.write_str(field.name())?;
        self.writer.write_str("=")?;
        if let Some(text) = text.filter(|text| needs_no_escape(text)) {
            self.writer.write_str("\"")?;
            self.writer.write_str(text)?;
            return self.writer.write_str("\"");
        }
        // Texts are written with escapes by their own format; the names of others are those of the code.
        write!(self.writer, "{value:?}")
    }
}

impl Visit for Fields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.result.is_ok() {
            self.result = self.write(field, format_args!("{value}"), Some(value), &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.result.is_ok() {
            self.result = self.write(field, format_args!("{value:?}"), None, value);
        }
    }
}

/// Returns whether the text is the same in quotation marks: nearly all names are.
fn needs_no_escape(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\')
}

/// Writes text with control characters escaped: one line stays one line, and no terminal gets a command.
struct Plain<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Plain<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Control characters are below a blank, DEL, or two bytes of which the first is 0xC2.
        if text.bytes().all(|byte| byte >= b' ' && byte != 0x7f && byte != 0xc2) {
            return self.0.write_str(text);
        }
        for character in text.chars() {
            if character.is_control() {
                write!(self.0, "{}", character.escape_default())?;
            } else {
                self.0.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else_is() {
        for (text, expected) in [
            ("a \u{1b}[31m\nb", "a \\u{1b}[31m\\nb"),
            ("\u{7f}\u{9b}\t", "\\u{7f}\\u{9b}\\t"),
            ("Größe: 5 \u{a0}µs \"x\"", "Größe: 5 \u{a0}µs \"x\""),
        ] {
            let mut written = String::new();
            Plain(&mut Writer::new(&mut written)).write_str(text).expect("written");
            assert_eq!(written, expected);
        }
    }
}
