//! MyST's directives, targets and comments. The text of an admonition or a tab is Markdown; that of a directive which is
//! not known is left as code.

use super::lines::{Fence, Line};
use super::map::Writer;

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

pub(super) fn rewrite(writer: &mut Writer<'_>) {
    let source = writer.source;
    // Fences whose text is Markdown; one that is code has no others inside.
    let mut open: Vec<Fence> = Vec::new();
    let mut code: Option<Fence> = None;
    let mut is_head = false;
    let mut at = 0;
    while at < source.len() {
        let line = Line::at(source, at, 4);
        at = line.next;
        if let Some(fence) = code {
            if fence.is_closed_by(line.text) {
                code = None;
            }
            writer.copy(line.start..line.next);
            continue;
        }
        if is_head && (line.text.starts_with(':') || line.text == "---") {
            writer.insert("\n", line.next);
            continue;
        }
        is_head = false;
        if open.last().is_some_and(|fence| fence.is_closed_by(line.text)) {
            open.pop();
            writer.insert("\n", line.next);
            continue;
        }
        if let Some(fence) = Fence::open(line.text) {
            match directive(fence, line.text) {
                Some(title) => {
                    open.push(fence);
                    is_head = true;
                    writer.insert("\n", line.start);
                    let start = line.body + line.text.len() - title.len();
                    writer.copy(start..start + title.len());
                    writer.insert("\n\n", line.next);
                    continue;
                }
                None => code = Some(fence),
            }
        } else if line.indent == 0 {
            if let Some(name) = line.text.strip_prefix('(').and_then(|text| text.strip_suffix(")=")) {
                writer.name(name);
                writer.insert("\n", line.next);
                continue;
            }
            if line.text.starts_with('%') {
                writer.insert("\n", line.next);
                continue;
            }
        }
        writer.copy(line.start..line.next);
    }
}

/// Returns the title of a directive whose text is Markdown.
fn directive(fence: Fence, text: &str) -> Option<&str> {
    let (_, rest) = fence.marks(text);
    let (name, title) = rest.trim_start().strip_prefix('{')?.split_once('}')?;
    MARKDOWN.contains(&name.trim()).then(|| title.trim_start())
}
