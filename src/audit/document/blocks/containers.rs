//! `::: tip Title` … `:::`: the lines between are Markdown. VitePress, Docusaurus, Starlight, MyST, DocFX, Quarto.

use super::lines::{Fence, Line};
use super::map::Writer;

pub(super) fn rewrite(writer: &mut Writer<'_>) {
    let source = writer.source;
    let (mut at, mut fence): (usize, Option<Fence>) = (0, None);
    while at < source.len() {
        let line = Line::at(source, at, 4);
        at = line.next;
        match fence {
            Some(open) if open.is_closed_by(line.text) => fence = None,
            Some(_) => {}
            None if line.text.starts_with(":::") => {
                mark(writer, &line);
                continue;
            }
            None => fence = Fence::open(line.text),
        }
        writer.copy(line.start..line.next);
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
