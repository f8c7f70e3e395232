//! What is wrong with a catalog, and how that looks.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

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

/// Columns of a terminal; longer lines are cut around the place.
const WIDTH: usize = 120;

impl Problems {
    /// Renders each problem with its place and source line, the place marked; and its hint.
    pub fn rendered(&self) -> impl Iterator<Item = (String, Option<&str>)> {
        self.problems.iter().map(|problem| (self.render(problem), problem.hint.as_deref()))
    }

    fn render(&self, problem: &Problem) -> String {
        let start = self.text.floor_char_boundary(problem.span.start.min(self.text.len()));
        let end = self.text.floor_char_boundary(problem.span.end.clamp(start, self.text.len()));
        // The renderer looks at its whole source for each problem, and there may be thousands of both: it gets the line alone.
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let number = self.text[..start].matches('\n').count() + 1;
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        // A byte order mark takes no column.
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
