//! `::: tip Title` … `:::`: the lines between are Markdown. VitePress, Docusaurus, Starlight, MyST, DocFX, Quarto.

use super::lines::{Fences, Line};
use super::map::Writer;

pub(super) fn rewrite(writer: &mut Writer<'_>) {
    let source = writer.source;
    let (mut at, mut fences) = (0, Fences::default());
    while at < source.len() {
        let line = Line::at(source, at, 4);
        at = line.next;
        match !fences.take(&line) && line.text.starts_with(":::") {
            true => mark(writer, &line),
            false => writer.copy(line.start..line.next),
        }
    }
}

/// The line becomes a blank one; its title is a paragraph.
fn mark(writer: &mut Writer<'_>, line: &Line<'_>) {
    let colons = line.text.bytes().take_while(|byte| *byte == b':').count();
    let rest = &line.text[colons..];
    let name = rest.trim_start().trim_start_matches(|c: char| !c.is_whitespace() && c != '[');
    let title = name.trim_start();
    if !title.is_empty() {
        let start = line.end - (writer.source[line.start..line.end].len() - (line.body - line.start)) + line.text.len()
            - title.len();
        writer.insert("\n", line.start);
        writer.copy(line.start..line.body);
        writer.copy(start..start + title.len());
        writer.insert("\n", start + title.len());
    }
    writer.insert("\n", line.next);
}
