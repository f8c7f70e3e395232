//! A source line with the span marked, no wider than the terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::audit::finding::Excerpt;
use crate::text::escape::escape_control;

/// The context before the span, in columns.
const BEFORE: usize = 30;

/// The line, and the marks below it: a prefix of blanks and the number of `^`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    pub(crate) line: String,
    pub(crate) blanks: usize,
    pub(crate) marks: usize,
}

/// Returns `None` when there is no source line, as for a finding about a whole document.
pub(crate) fn snippet(excerpt: &Excerpt, room: usize) -> Option<Snippet> {
    if excerpt.text.trim().is_empty() {
        return None;
    }
    let characters: Vec<char> = escape_control(&excerpt.text).chars().collect();
    let end = excerpt.marked.end.min(characters.len());
    let start = excerpt.marked.start.min(end);
    let width = |characters: &[char]| characters.iter().map(|c| c.width().unwrap_or(0)).sum::<usize>();

    // Indentation and distant text are cut off.
    let indentation = characters.iter().take_while(|c| c.is_whitespace()).count().min(start);
    let from = if width(&characters[indentation..]) > room && width(&characters[indentation..start]) > BEFORE {
        let before = characters[..start].iter().rev().scan(0, |sum, c| {
            *sum += c.width().unwrap_or(0);
            (*sum <= BEFORE).then_some(())
        });
        start - before.count()
    } else {
        indentation
    };
    let cut = if from > indentation { "…" } else { "" };
    let mut line = format!("{cut}{}", characters[from..].iter().collect::<String>().trim_end());
    if line.width() > room {
        // Binary search. The width of each prefix of each long line took nine tenths of the time of a whole report.
        let ends: Vec<usize> = line.char_indices().map(|(at, _)| at).collect();
        let fitting = ends.partition_point(|end| line[..*end].width() < room.max(2));
        line.truncate(ends.get(fitting.saturating_sub(1)).copied().unwrap_or_default());
        while line.width() >= room.max(2) {
            line.pop();
        }
        line.push('…');
    }
    let blanks = cut.width() + width(&characters[from..start]);
    // An empty span still gets one mark.
    let marks = width(&characters[start..end]).clamp(1, line.width().saturating_sub(blanks).max(1));
    Some(Snippet { line, blanks, marks })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renders `text`, whose span is between `‹` and `›`.
    fn rendered(text: &str, room: usize) -> String {
        let start = text.chars().position(|c| c == '‹').unwrap();
        let end = text.chars().position(|c| c == '›').unwrap() - 1;
        let excerpt = Excerpt { text: text.replace(['‹', '›'], ""), marked: start..end };
        let snippet = snippet(&excerpt, room).unwrap();
        assert!(snippet.line.width() <= room, "{snippet:?}");
        format!("{}\n{}{}", snippet.line, " ".repeat(snippet.blanks), "^".repeat(snippet.marks))
    }

    #[test]
    fn marks_the_place() {
        assert_eq!(rendered("\tsee ‹[b](b.md)›.", 80), "see [b](b.md).\n    ^^^^^^^^^");
        assert_eq!(rendered("‹›x", 80), "x\n^");
    }

    #[test]
    fn wide_and_combining_characters_keep_the_marks_in_place() {
        assert_eq!(rendered("日本 e\u{301} ‹語›", 80), "日本 e\u{301} 語\n       ^^");
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let far = format!("{}‹[link](target.md)›{}", "word ".repeat(100), " word".repeat(100));
        assert_eq!(
            rendered(&far, 60),
            "…word word word word word word [link](target.md) word word …\n                               ^^^^^^^^^^^^^^^^^"
        );
        assert_eq!(rendered(&format!("a ‹{}›", "x".repeat(90)), 20), "a xxxxxxxxxxxxxxxxx…\n  ^^^^^^^^^^^^^^^^^^");
    }

    #[test]
    fn a_span_outside_of_the_line_is_no_accident() {
        let excerpt = Excerpt { text: "short".to_owned(), marked: 7..9 };
        assert_eq!(snippet(&excerpt, 80), Some(Snippet { line: "short".to_owned(), blanks: 5, marks: 1 }));
        assert_eq!(snippet(&Excerpt::default(), 80), None);
    }
}
