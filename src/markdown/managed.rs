//! Generated sections in hand-written files, between `<!-- mcp-kit:begin NAME -->` and `<!-- mcp-kit:end NAME -->`,
//! each on its own line. The rest of the file stays unchanged, byte for byte.

use std::ops::Range;

use pulldown_cmark::{Event, Parser};

use crate::markdown::checksum::digest;

/// A section of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The name of the section.
    pub name: String,
    /// The checksum in the first marker, or `None` when the markers were just added by hand.
    pub checksum: Option<String>,
    /// The bytes from the first marker to the end of the last one.
    pub whole: Range<usize>,
    /// The bytes between the markers.
    pub inside: Range<usize>,
}

/// An error in the markers of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct MarkerError {
    /// The line, from 1.
    pub line: usize,
    /// The fault on that line.
    pub what: String,
}

enum Marker<'a> {
    Begin { name: &'a str, checksum: Option<&'a str> },
    End { name: &'a str },
}

/// Returns the sections of a Markdown file in order. Markers in code are examples and are ignored.
///
/// # Errors
/// When a marker is unknown, unclosed, unopened, nested, repeated, or not on its own line.
pub fn sections(text: &str) -> Result<Vec<Section>, MarkerError> {
    let error = |at: usize, what: String| MarkerError { line: text[..at].matches('\n').count() + 1, what };
    let mut found: Vec<Section> = Vec::new();
    let mut open: Option<(usize, Section)> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        let inline = matches!(event, Event::InlineHtml(_));
        if !inline && !matches!(event, Event::Html(_)) {
            continue;
        }
        let Some(start) = text[range.clone()].find("<!-- mcp-kit:").map(|at| range.start + at) else { continue };
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[line_start..line_end].trim();
        let arguments = line.strip_prefix("<!-- mcp-kit:").and_then(|rest| rest.strip_suffix(" -->"));
        let marker = match arguments.map(|arguments| arguments.split(' ').collect::<Vec<_>>()).as_deref() {
            // The header of a generated page.
            Some(["page", ..]) => continue,
            Some(["begin", name]) => Marker::Begin { name, checksum: None },
            Some(["begin", name, checksum]) if checksum.starts_with("sha256=") => {
                Marker::Begin { name, checksum: checksum.strip_prefix("sha256=") }
            }
            Some(["end", name]) => Marker::End { name },
            Some(_) => return Err(error(start, format!("{line} is no marker of a section"))),
            None => return Err(error(start, "a marker needs a line of its own".to_owned())),
        };
        if inline {
            return Err(error(start, "a marker needs a line of its own, and an empty one before it".to_owned()));
        }
        let end = line_start + text[line_start..line_end].trim_end().len();
        match (marker, open.take()) {
            (Marker::Begin { name, checksum }, None) => {
                if found.iter().any(|section| section.name == name) {
                    return Err(error(start, format!("the section {name} is here a second time")));
                }
                let (name, checksum) = (name.to_owned(), checksum.map(str::to_owned));
                open = Some((start, Section { name, checksum, whole: start..end, inside: end..end }));
            }
            (Marker::Begin { name, .. }, Some((_, outer))) => {
                return Err(error(start, format!("{name} begins within {}, which has no end yet", outer.name)));
            }
            (Marker::End { name }, Some((_, mut section))) if section.name == name => {
                section.inside.end = start;
                section.whole.end = end;
                found.push(section);
            }
            (Marker::End { name }, Some((_, section))) => {
                return Err(error(start, format!("{name} ends here, where {} is open", section.name)));
            }
            (Marker::End { name }, None) => return Err(error(start, format!("{name} ends here without a beginning"))),
        }
    }
    match open {
        Some((at, section)) => Err(error(at, format!("{} has no end", section.name))),
        None => Ok(found),
    }
}

impl Section {
    /// Returns whether the generated text has been edited.
    #[must_use]
    pub fn is_edited(&self, file: &str) -> bool {
        let inside = &file[self.inside.clone()];
        match &self.checksum {
            Some(checksum) => *checksum != digest(inside.trim()),
            // Markers that were just added by hand enclose no generated text yet.
            None => !inside.trim().is_empty(),
        }
    }
}

/// Returns the file with the new text of this section, in place, or at the end when the section does not exist yet.
#[must_use]
pub fn splice(file: &str, section: Option<&Section>, name: &str, body: &str) -> String {
    let end = if file.contains("\r\n") { "\r\n" } else { "\n" };
    let body = body.trim();
    let text =
        format!("<!-- mcp-kit:begin {name} sha256={} -->\n\n{body}\n\n<!-- mcp-kit:end {name} -->", digest(body))
            .replace('\n', end);
    let Some(section) = section else {
        let gap = match file {
            "" => "",
            _ if file.ends_with("\n\n") || file.ends_with("\n\r\n") => "",
            _ if file.ends_with('\n') => end,
            _ => &end.repeat(2),
        };
        return format!("{file}{gap}{text}{end}");
    };
    format!("{}{text}{}", &file[..section.whole.start], &file[section.whole.end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_outside_stays_byte_for_byte() {
        let file =
            "# Ours\r\n\r\n\ttext  \r\n\r\n  <!-- mcp-kit:begin a -->\r\n<!-- mcp-kit:end a -->  \r\n\r\nlast line";
        let found = sections(file).unwrap();
        assert!(!found[0].is_edited(file));
        let built = splice(file, Some(&found[0]), "a", "## New\n\ntext");
        let (before, after) = ("# Ours\r\n\r\n\ttext  \r\n\r\n  ", "  \r\n\r\nlast line");
        assert!(built.starts_with(before) && built.ends_with(after), "{built:?}");
        assert!(built.contains("-->\r\n\r\n## New\r\n\r\ntext\r\n\r\n<!-- mcp-kit:end a -->"), "{built:?}");
        let again = sections(&built).unwrap();
        assert!(!again[0].is_edited(&built));
        assert_eq!(splice(&built, Some(&again[0]), "a", "## New\n\ntext"), built);
        let edited = built.replace("## New", "## Newer");
        assert!(sections(&edited).unwrap()[0].is_edited(&edited));
    }

    #[test]
    fn a_new_section_goes_to_the_end() {
        for (file, gap) in [("", ""), ("# A", "\n\n"), ("# A\n", "\n"), ("# A\n\n", ""), ("# A\r\nb", "\r\n\r\n")] {
            let built = splice(file, None, "a", "text");
            assert!(built.starts_with(&format!("{file}{gap}<!-- mcp-kit:begin a ")), "{built:?}");
            assert_eq!(sections(&built).unwrap().len(), 1);
        }
    }

    #[test]
    fn examples_in_code_are_no_markers() {
        let file = "```\n<!-- mcp-kit:begin a -->\n```\n\n`<!-- mcp-kit:end a -->`\n\n    <!-- mcp-kit:begin b -->\n";
        assert_eq!(sections(file), Ok(Vec::new()));
    }

    #[test]
    fn broken_markers_are_said_with_their_line() {
        for (file, line, what) in [
            ("\n<!-- mcp-kit:begin a -->\n", 2, "a has no end"),
            ("x\n\n<!-- mcp-kit:end a -->\n", 3, "a ends here without a beginning"),
            ("<!-- mcp-kit:begin a -->\n\n<!-- mcp-kit:begin b -->\n", 3, "b begins within a, which has no end yet"),
            ("<!-- mcp-kit:begin a -->\n\n<!-- mcp-kit:end b -->\n", 3, "b ends here, where a is open"),
            ("<!-- mcp-kit:begin -->\n", 1, "<!-- mcp-kit:begin --> is no marker of a section"),
            ("<!-- mcp-kit:start a -->\n", 1, "<!-- mcp-kit:start a --> is no marker of a section"),
            ("text <!-- mcp-kit:begin a -->\n", 1, "a marker needs a line of its own"),
            ("text\n<!-- mcp-kit:begin a --> x\n", 2, "a marker needs a line of its own"),
        ] {
            assert_eq!(sections(file), Err(MarkerError { line, what: what.to_owned() }), "{file:?}");
        }
        let twice = "<!-- mcp-kit:begin a -->\n<!-- mcp-kit:end a -->\n".repeat(2);
        assert_eq!(sections(&twice).unwrap_err().line, 3);
    }
}
