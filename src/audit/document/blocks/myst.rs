//! MyST's directives, targets and comments. The text of an admonition or a tab is Markdown, the lines of a `toctree` are links, the
//! argument of a `figure` is an image. The text of a directive which is not known is left as code, and the page may have more names of
//! places than are seen here.

use super::lines::{Fence, Line};
use super::map::Writer;
use crate::markdown::slug::docutils;

/// Directives whose text is Markdown.
const MARKDOWN: &[&str] = &[
    "admonition",
    "attention",
    "caution",
    "danger",
    "error",
    "hint",
    "important",
    "note",
    "seealso",
    "tip",
    "warning",
    "todo",
    "versionadded",
    "versionchanged",
    "deprecated",
    "topic",
    "sidebar",
    "margin",
    "epigraph",
    "dropdown",
    "card",
    "grid",
    "grid-item",
    "grid-item-card",
    "tab-set",
    "tab-item",
    "div",
    "container",
    "figure",
    "table",
    "list-table",
    "aside",
    "rubric",
];

/// Directives whose text is none, and that name no places but by their option `name`.
const CODE: &[&str] = &[
    "code",
    "code-block",
    "sourcecode",
    "literalinclude",
    "image",
    "include",
    "math",
    "raw",
    "toctree",
    "highlight",
    "csv-table",
    "parsed-literal",
    "mermaid",
    "graphviz",
    "only",
    "iframe",
    "video",
    "youtube",
    "button-ref",
    "button-link",
    "tabularcolumns",
];

/// A fence for code whose own fence are colons.
const TILDES: &str = "~~~~~~~~\n";

/// The text that a line is a part of.
enum DirectiveText {
    /// Markdown.
    Text,
    /// Code, up to the end of a fence.
    Code(Fence),
    /// The list of documents of a `toctree`.
    Toctree { fence: Fence, is_glob: bool },
}

pub(super) fn rewrite(writer: &mut Writer<'_>) {
    let source = writer.source;
    let mut state = MystState { open: Vec::new(), region: DirectiveText::Text, is_head: false, is_math: false };
    let mut at = 0;
    while at < source.len() {
        let line = Line::at(source, at, 4);
        at = line.next;
        state.option(writer, &line);
        // Each step takes the line, or leaves it to the next one.
        let is_taken = state.in_region(writer, &line)
            || state.closes(writer, &line)
            || state.opens(writer, &line)
            || target_or_comment(writer, &line);
        if !is_taken {
            equation(writer, &line);
            writer.copy(line.start..line.next);
        }
    }
}

/// The state of the rewriting before a line: all that the lines before it decide.
struct MystState {
    /// Fences whose text is Markdown; one that is code has no others inside.
    open: Vec<Fence>,
    region: DirectiveText,
    /// The line may be an option of a directive.
    is_head: bool,
    /// The options are those of `math`.
    is_math: bool,
}

impl MystState {
    /// Takes in an option of a directive, and notes where the options end.
    fn option(&mut self, writer: &mut Writer<'_>, line: &Line<'_>) {
        if !self.is_head {
            return;
        }
        let option = line.text.strip_prefix(':').and_then(|text| text.split_once(':'));
        if let Some((name, value)) = option {
            named(writer, name, value.trim(), self.is_math);
        }
        self.is_head = option.is_some();
        if line.text == "---" {
            // Options as YAML; the name may be one of them.
            writer.compose();
            self.is_head = true;
        }
    }

    /// Takes a line of code, of a `toctree`, or of options.
    fn in_region(&mut self, writer: &mut Writer<'_>, line: &Line<'_>) -> bool {
        match &mut self.region {
            DirectiveText::Code(fence) => {
                let (is_end, is_colons) = (fence.is_closed_by(line.text), fence.is_colons());
                if is_end {
                    self.region = DirectiveText::Text;
                }
                match is_end && is_colons {
                    true => writer.insert(TILDES, line.next),
                    false => writer.copy(line.start..line.next),
                }
            }
            DirectiveText::Toctree { fence, is_glob } => {
                if fence.is_closed_by(line.text) {
                    self.region = DirectiveText::Text;
                } else if self.is_head {
                    *is_glob |= line.text.starts_with(":glob:");
                } else {
                    entry(writer, line, *is_glob);
                }
                writer.insert("\n", line.next);
            }
            DirectiveText::Text if self.is_head => writer.insert("\n", line.next),
            DirectiveText::Text => return false,
        }
        true
    }

    /// Takes the end of a fence whose text is Markdown.
    fn closes(&mut self, writer: &mut Writer<'_>, line: &Line<'_>) -> bool {
        let is_end = self.open.last().is_some_and(|fence| fence.is_closed_by(line.text));
        if is_end {
            self.open.pop();
            writer.insert("\n", line.next);
        }
        is_end
    }

    /// Takes the beginning of a fence: of code, or of a directive.
    fn opens(&mut self, writer: &mut Writer<'_>, line: &Line<'_>) -> bool {
        let colons = Fence::colons(line.text).filter(|fence| directive(*fence, line.text).is_some());
        let Some(fence) = Fence::open(line.text).or(colons) else { return false };
        let Some((name, argument)) = directive(fence, line.text) else {
            self.region = DirectiveText::Code(fence);
            writer.copy(line.start..line.next);
            return true;
        };
        self.is_head = true;
        self.is_math = name == "math";
        if MARKDOWN.contains(&name) || name == "image" {
            title(writer, line, name, argument);
            self.open.push(fence);
        } else if name == "toctree" {
            writer.insert("\n", line.next);
            self.region = DirectiveText::Toctree { fence, is_glob: false };
        } else {
            match fence.is_colons() {
                true => writer.insert(TILDES, line.next),
                false => writer.copy(line.start..line.next),
            }
            if !CODE.contains(&name) {
                writer.compose();
            }
            self.region = DirectiveText::Code(fence);
        }
        true
    }
}

/// Writes the argument of a directive whose text is Markdown: a title, or the address of an image.
fn title(writer: &mut Writer<'_>, line: &Line<'_>, name: &str, argument: &str) {
    writer.insert("\n", line.start);
    let start = line.body + line.text.len() - argument.len();
    let range = start..start + argument.len();
    // `x.*` is the best of several formats.
    let is_image = matches!(name, "figure" | "image") && !argument.is_empty() && !argument.contains(['*', '<', '>']);
    if is_image {
        writer.insert("![](<", range.start);
        writer.copy(range.clone());
        writer.insert(">)", range.end);
    } else {
        writer.copy(range);
    }
    writer.insert("\n\n", line.next);
}

/// Takes a target `(label)=`, a comment, or the attributes of the block below: none is text.
fn target_or_comment(writer: &mut Writer<'_>, line: &Line<'_>) -> bool {
    if line.indent != 0 {
        return false;
    }
    let target = line.text.strip_prefix('(').and_then(|text| text.strip_suffix(")="));
    if let Some(name) = target {
        label(writer, name);
    }
    let is_attributes = (line.text.starts_with("{#") || line.text.starts_with("{."))
        && line.text.find('}') == Some(line.text.len() - 1);
    let is_taken = target.is_some() || line.text.starts_with('%') || is_attributes;
    if is_taken {
        writer.insert("\n", line.next);
    }
    is_taken
}

/// Takes in the label of a block of math, which `$$ (label)` ends.
fn equation(writer: &mut Writer<'_>, line: &Line<'_>) {
    let label = line.text.strip_prefix("$$").and_then(|text| text.trim().strip_prefix('(')?.strip_suffix(')'));
    if let Some(name) = label {
        named(writer, "label", name, true);
    }
}

/// Returns the name and the argument of a directive.
fn directive(fence: Fence, text: &str) -> Option<(&str, &str)> {
    let (_, rest) = fence.marks(text);
    let (name, argument) = rest.trim_start().strip_prefix('{')?.split_once('}')?;
    Some((name.trim(), argument.trim_start()))
}

/// Takes in an option that names the directive.
fn named(writer: &mut Writer<'_>, option: &str, value: &str, is_math: bool) {
    match option {
        "name" => label(writer, value),
        "label" if is_math => {
            label(writer, value);
            writer.name(&docutils(&format!("equation-{value}")));
        }
        _ => {}
    }
}

/// A label: its name, as docutils normalises it (`fully_normalize_name`), and the id that the page has for it.
fn label(writer: &mut Writer<'_>, text: &str) {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let id = docutils(&name);
    writer.name(&name);
    if id != name {
        writer.name(&id);
    }
}

/// A line of a `toctree`: a document, or a title and the document in angle brackets. Each becomes a link.
fn entry(writer: &mut Writer<'_>, line: &Line<'_>, is_glob: bool) {
    let text = line.text;
    let titled = text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<'));
    let target = titled.map_or(text, |(_, target)| target).trim();
    let is_pattern = is_glob && target.contains(['*', '?', '[']);
    if target.is_empty() || target == "self" || is_pattern || target.contains(['<', '>']) {
        return;
    }
    let Some(at) = text.rfind(target) else { return };
    let start = line.body + at;
    writer.insert("[](<", start);
    writer.copy(start..start + target.len());
    writer.insert(">)\n", start + target.len());
}
