//! `--stdin-batch`: lines of JSON → the documents of an audit that are not on the disk. Pure.

use std::borrow::Cow;
use std::path::PathBuf;

use rustc_hash::FxHashSet;
use serde::Deserialize;

use crate::audit::scope::Unsaved;
use crate::error::Explain;

/// One line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchLine {
    path: PathBuf,
    text: String,
}

/// The reason that the lines are no documents.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchError {
    /// There is no line.
    #[error("standard input has no document")]
    Empty,
    /// A line is something else.
    #[error("line {line} of standard input is no document: {reason}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// The reason, without a place.
        reason: String,
    },
    /// A path has two texts.
    #[error("standard input has {} twice, in line {line} again", path.display())]
    Twice {
        /// The path as given.
        path: PathBuf,
        /// The number of the second line, from 1.
        line: usize,
    },
}

/// Reads one document a line; empty lines are passed over.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Unsaved>, BatchError> {
    let mut documents = Vec::new();
    let mut paths = FxHashSet::default();
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let BatchLine { path, text } =
            serde_json::from_slice(bytes).map_err(|error| BatchError::Line { line, reason: reason(&error) })?;
        if !paths.insert(path.clone()) {
            return Err(BatchError::Twice { path, line });
        }
        documents.push(Unsaved { path, text: text.into_bytes() });
    }
    if documents.is_empty() { Err(BatchError::Empty) } else { Ok(documents) }
}

/// The error of one line: serde counts it as the first.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line 1 column ").next().unwrap_or(&text).to_owned()
}

impl Explain for BatchError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Empty | Self::Line { .. } => {
                r##"give a line for each document, such as {"path": "docs/guide.md", "text": "# Guide\n"}"##
            }
            Self::Twice { .. } => "give each document once",
        };
        Some(hint.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_document() {
        let lines = b"{\"path\": \"a.md\", \"text\": \"# A\\n\"}\n\n{\"text\": \"\", \"path\": \"b.md\"}\r\n";
        let documents = parse(lines).unwrap();
        let found: Vec<(&str, &[u8])> =
            documents.iter().map(|document| (document.path.to_str().unwrap(), &*document.text)).collect();
        assert_eq!(found, [("a.md", &b"# A\n"[..]), ("b.md", b"")]);
    }
}
