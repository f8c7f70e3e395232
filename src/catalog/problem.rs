//! What is wrong with a catalog, and how that looks.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which bytes of the text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Without a hint.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    /// With one.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Longer lines are cut around the place.
const AROUND: usize = 60;

impl Problems {
    /// `catalog.yaml:4:13: …` with the line and the place marked, for each.
    pub fn shown(&self) -> impl Iterator<Item = (String, Option<&str>)> {
        self.problems.iter().map(|problem| (self.one(problem), problem.hint.as_deref()))
    }

    fn one(&self, problem: &Problem) -> String {
        let start = self.text.floor_char_boundary(problem.span.start.min(self.text.len()));
        let end = self.text.floor_char_boundary(problem.span.end.clamp(start, self.text.len()));
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let number = self.text[..start].matches('\n').count() + 1;
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let before = &self.text[line_start..start];
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        let marked = self.text[start..end].lines().next().unwrap_or_default().trim_end();
        // What a terminal would take for a command is shown as one sign, so that the mark stands where it belongs.
        let shown = |text: &str| -> String { text.chars().map(|c| if c.is_control() { '�' } else { c }).collect() };
        let skipped = before.chars().count().saturating_sub(AROUND);
        let excerpt: String =
            shown(line).chars().skip(skipped).take(2 * AROUND + marked.chars().count().min(AROUND)).collect();
        let pad = " ".repeat(before.chars().count() - skipped);
        let mark = "^".repeat(marked.chars().count().clamp(1, 2 * AROUND));
        let gutter = " ".repeat(number.to_string().len());
        let place = format!("{}:{number}:{column}", self.path.display());
        format!("{place}: {}\n{gutter} |\n{number} | {excerpt}\n{gutter} | {pad}{mark}", problem.message)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (text, hint) in self.shown() {
            writeln!(formatter, "{text}")?;
            hint.map_or(Ok(()), |hint| writeln!(formatter, "{hint}"))?;
        }
        Ok(())
    }
}
