//! `--explain CODE`: the documentation of a check on a terminal. The text is Markdown, the same as on the reference
//! page.

use super::messages::summary;
use crate::audit::finding::Code;
use crate::fs::terminal::{Paint, Role};
use crate::text::escape::escape_control;

/// Writes the documentation with highlighted headings and examples. It changes and omits no word.
#[must_use]
pub fn explain(code: Code, documentation: &str, paint: Paint) -> String {
    let mut text = format!("{}: {}\n\n", paint.paint(Role::Strong, code.as_str()), summary(code));
    let mut fence = None;
    for line in documentation.trim().lines() {
        let line = escape_control(line);
        let ticks = line.trim_start().chars().take_while(|c| *c == '`').count();
        let closes = fence.is_some_and(|length| ticks >= length) && line.trim().len() == ticks;
        // The lines of a fence are not shown.
        if closes || fence.is_none() && ticks >= 3 {
            fence = (!closes).then_some(ticks);
            continue;
        }
        let heading = line.trim_start_matches('#');
        let line = match fence {
            Some(_) => format!("    {line}"),
            None if heading.len() < line.len() && heading.starts_with(' ') => {
                paint.paint(Role::Strong, heading.trim_start())
            }
            None => line.into_owned(),
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_examples_are_set_off() {
        let documentation = "A link to nothing.\n\n# Example\n\n````markdown\nSee [a](b.md)\n```\n# not a heading\n```\n````\n\nUse `--fix`.\n";
        insta::assert_snapshot!(explain(Code::BrokenLink, documentation, Paint::plain()), @r"
        broken-link: Link to a file that does not exist

        A link to nothing.

        Example

            See [a](b.md)
            ```
            # not a heading
            ```

        Use `--fix`.
        ");
    }
}
