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
    // Fences whose text is Markdown; one that is code has no others inside.
    let mut open: Vec<Fence> = Vec::new();
    let mut region = DirectiveText::Text;
    let (mut is_head, mut is_math) = (false, false);
    let mut at = 0;
    while at < source.len() {
        let line = Line::at(source, at, 4);
        at = line.next;
        if is_head {
            let option = line.text.strip_prefix(':').and_then(|text| text.split_once(':'));
            if let Some((name, value)) = option {
                named(writer, name, value.trim(), is_math);
            }
            is_head = option.is_some();
            if line.text == "---" {
                // Options as YAML; the name may be one of them.
                writer.compose();
                is_head = true;
            }
        }
        match &mut region {
            DirectiveText::Code(fence) => {
                let (is_end, is_colons) = (fence.is_closed_by(line.text), fence.is_colons());
                if is_end {
                    region = DirectiveText::Text;
                }
                match is_end && is_colons {
                    true => writer.insert(TILDES, line.next),
                    false => writer.copy(line.start..line.next),
                }
                continue;
            }
            DirectiveText::Toctree { fence, is_glob } => {
                if fence.is_closed_by(line.text) {
                    region = DirectiveText::Text;
                } else if is_head {
                    *is_glob |= line.text.starts_with(":glob:");
                } else {
                    entry(writer, &line, *is_glob);
                }
                writer.insert("\n", line.next);
                continue;
            }
            DirectiveText::Text if is_head => {
                writer.insert("\n", line.next);
                continue;
            }
            DirectiveText::Text => {}
        }
        if open.last().is_some_and(|fence| fence.is_closed_by(line.text)) {
            open.pop();
            writer.insert("\n", line.next);
            continue;
        }
        let colons = Fence::colons(line.text).filter(|fence| directive(*fence, line.text).is_some());
        if let Some(fence) = Fence::open(line.text).or(colons) {
            let Some((name, argument)) = directive(fence, line.text) else {
                region = DirectiveText::Code(fence);
                writer.copy(line.start..line.next);
                continue;
            };
            is_head = true;
            is_math = name == "math";
            let is_image = matches!(name, "figure" | "image");
            if MARKDOWN.contains(&name) || name == "image" {
                writer.insert("\n", line.start);
                let start = line.body + line.text.len() - argument.len();
                let image = start..start + argument.len();
                // `x.*` is the best of several formats.
                if is_image && !argument.is_empty() && !argument.contains(['*', '<', '>']) {
                    writer.insert("![](<", image.start);
                    writer.copy(image.clone());
                    writer.insert(">)", image.end);
                } else {
                    writer.copy(image);
                }
                writer.insert("\n\n", line.next);
            } else if name == "toctree" {
                writer.insert("\n", line.next);
            } else if fence.is_colons() {
                writer.insert(TILDES, line.next);
            } else {
                writer.copy(line.start..line.next);
            }
            match name {
                "toctree" => region = DirectiveText::Toctree { fence, is_glob: false },
                _ if MARKDOWN.contains(&name) || name == "image" => open.push(fence),
                _ => {
                    if !CODE.contains(&name) {
                        writer.compose();
                    }
                    region = DirectiveText::Code(fence);
                }
            }
            continue;
        }
        if line.indent == 0 {
            if let Some(name) = line.text.strip_prefix('(').and_then(|text| text.strip_suffix(")=")) {
                label(writer, name);
                writer.insert("\n", line.next);
                continue;
            }
            // The attributes of the block below: no text of it.
            let is_attributes = (line.text.starts_with("{#") || line.text.starts_with("{."))
                && line.text.find('}') == Some(line.text.len() - 1);
            if line.text.starts_with('%') || is_attributes {
                writer.insert("\n", line.next);
                continue;
            }
        }
        // `$$ (label)` ends a block of math.
        if let Some(name) =
            line.text.strip_prefix("$$").and_then(|text| text.trim().strip_prefix('(')?.strip_suffix(')'))
        {
            named(writer, "label", name, true);
        }
        writer.copy(line.start..line.next);
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
