//! Errors in a catalog, and their display.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the text with the error.
    pub span: Range<usize>,
    /// The error message.
    pub message: String,
    /// The fix.
    pub hint: Option<String>,
}

impl Problem {
    /// Creates a problem without a hint.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All errors of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The path of the file.
    pub path: PathBuf,
    /// The contents of the file.
    pub text: String,
    /// The errors, in the order of the file.
    pub problems: Vec<Problem>,
}

/// The columns of a terminal. Longer lines are cut around the position.
const WIDTH: usize = 120;

impl Problems {
    /// Renders each problem with its position, its source line with the position marked, and its hint.
    pub fn rendered(&self) -> impl Iterator<Item = (String, Option<&str>)> {
        self.problems.iter().map(|problem| (self.render(problem), problem.hint.as_deref()))
    }

    fn render(&self, problem: &Problem) -> String {
        let start = self.text.floor_char_boundary(problem.span.start.min(self.text.len()));
        let end = self.text.floor_char_boundary(problem.span.end.clamp(start, self.text.len()));
        // The renderer scans its whole source for each problem, and there may be thousands of lines and problems. So it
        // gets one line.
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let number = self.text[..start].matches('\n').count() + 1;
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        // A byte order mark has no width.
        let (line, line_start) =
            line.strip_prefix('\u{feff}').map_or((line, line_start), |rest| (rest, line_start + 3));
        let marked = self.text[start..end].lines().next().unwrap_or_default().trim_end().len();
        let from = start.saturating_sub(line_start).min(line.len());
        let to = (from + marked).min(line.len());
        let path = self.path.display().to_string();
        let snippet =
            Snippet::source(line).line_start(number).path(path).annotation(AnnotationKind::Primary.span(from..to));
        let title = Level::ERROR.no_name().primary_title(&problem.message).element(snippet);
        Renderer::plain().term_width(WIDTH).render(&[title])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (text, hint) in self.rendered() {
            writeln!(formatter, "{text}")?;
            hint.map_or(Ok(()), |hint| writeln!(formatter, "{hint}"))?;
        }
        Ok(())
    }
}
