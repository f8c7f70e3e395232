//! Hugo's shortcodes, which are expanded before Goldmark reads the text: `{{< ref "page" >}}` is an address, others are
//! something that is not known and that holds no link of this text.

use super::map::Writer;
use super::values::{LONGEST, is_alone, quoted};

/// Paired shortcodes whose text is no Markdown.
const RAW: &[&str] = &["highlight", "mermaid", "math", "katex", "chem", "goat", "plantuml", "readfile", "code", "raw"];

pub(super) fn rewrite(writer: &mut Writer<'_>) {
    let source = writer.source;
    let (mut done, mut unclosed) = (0, Vec::new());
    while let Some(tag) = next(source, done) {
        writer.copy(done..tag.start);
        done = tag.end;
        let name = tag.inner.split_whitespace().next().unwrap_or_default();
        let is_reference = matches!(name, "ref" | "relref");
        let other_page = ["lang", "outputFormat"].iter().any(|setting| tag.inner.contains(setting));
        if let (true, false, Some((at, page))) = (is_reference, other_page, quoted(tag.inner))
            && !page.contains(char::is_whitespace)
        {
            writer.copy(tag.inner_start + at..tag.inner_start + at + page.len());
        } else if !is_alone(source, tag.start, tag.end) {
            // The marks alone say that a destination is made by a program.
            writer.copy(tag.start..tag.start + 2);
            writer.copy(tag.end - 2..tag.end);
        }
        if RAW.contains(&name) && !unclosed.contains(&name) {
            match closing(source, tag.end, name) {
                Some(end) => done = end,
                None => unclosed.push(name),
            }
        }
    }
    writer.copy(done..source.len());
}

struct Shortcode<'a> {
    start: usize,
    end: usize,
    inner: &'a str,
    inner_start: usize,
}

fn next(source: &str, from: usize) -> Option<Shortcode<'_>> {
    let bytes = source.as_bytes();
    memchr::memmem::find_iter(&bytes[from..], "{{").map(|at| from + at).find_map(|start| {
        let close = match bytes.get(start + 2)? {
            b'<' => ">}}",
            b'%' => "%}}",
            _ => return None,
        };
        let inner_start = start + 3;
        let limit = bytes.len().min(inner_start + LONGEST);
        let length = memchr::memmem::find(&bytes[inner_start..limit], close.as_bytes())?;
        let inner = &source[inner_start..inner_start + length];
        Some(Shortcode { start, end: inner_start + length + 3, inner, inner_start })
    })
}

/// Returns where `{{< /name >}}` ends.
fn closing(source: &str, from: usize, name: &str) -> Option<usize> {
    let mut at = from;
    while let Some(tag) = next(source, at) {
        at = tag.end;
        if tag.inner.trim_start().strip_prefix('/').is_some_and(|inner| inner.trim() == name) {
            return Some(at);
        }
    }
    None
}
