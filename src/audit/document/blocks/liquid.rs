//! Jekyll's Liquid, which runs before the Markdown: tags and outputs are something that is not known, comments are
//! nothing, and `{% raw %}` keeps what looks like one of them.

use super::map::Writer;
use super::values::{LONGEST, is_alone, quoted};

/// Stands in front of the name of a post. No address begins so: a scheme has no `_`.
pub(in crate::audit) const POST: &str = "post_url:";

pub(super) fn rewrite(writer: &mut Writer<'_>) {
    let source = writer.source;
    let (mut done, mut unclosed) = (0, Vec::new());
    while let Some(tag) = next(source, done) {
        writer.copy(done..tag.start);
        done = tag.end;
        let name = tag.inner.split_whitespace().next().unwrap_or_default();
        match (tag.is_output, name) {
            (false, "comment" | "highlight" | "raw") if !unclosed.contains(&name) => {
                match ending(source, tag.end, name) {
                    Some(end) => {
                        if name == "raw" {
                            writer.copy(tag.end..end.start);
                        }
                        done = end.end;
                    }
                    None => unclosed.push(name),
                }
            }
            (true, _) if is_address(tag.inner) => {
                if let Some((at, address)) = quoted(tag.inner) {
                    let start = tag.inner_start + at;
                    // Jekyll's filter (`ensure_leading_slash`) puts one in front.
                    if !address.starts_with('/') && !address.contains("://") {
                        writer.insert("/", start);
                    }
                    writer.copy(start..start + address.len());
                }
            }
            (false, "link") if is_path(tag.inner) => {
                // Jekyll looks the file up from the root of its sources.
                let path = tag.inner.trim().trim_start_matches("link").trim();
                let start = tag.inner_start + tag.inner.rfind(path).unwrap_or_default();
                if !path.starts_with('/') {
                    writer.insert("/", start);
                }
                writer.copy(start..start + path.len());
            }
            (false, "post_url") if is_post(tag.inner) => {
                let name = tag.inner.trim().trim_start_matches("post_url").trim();
                let start = tag.inner_start + tag.inner.rfind(name).unwrap_or_default();
                writer.insert(POST, start);
                writer.copy(start..start + name.len());
            }
            _ if is_alone(source, tag.start, tag.end) => {}
            // The marks alone say that a destination is made by a program.
            _ => {
                writer.copy(tag.start..tag.start + 2);
                writer.copy(tag.end - 2..tag.end);
            }
        }
    }
    writer.copy(done..source.len());
}

/// `link _posts/2024-03-05-hello.md`.
fn is_path(inner: &str) -> bool {
    let mut words = inner.split_whitespace().skip(1);
    words.next().is_some_and(|path| path.contains('.') && !path.contains(['{', '"', '\'', '|']))
        && words.next().is_none()
}

/// `post_url 2024-03-05-hello`, `post_url folder/2024-03-05-hello`.
fn is_post(inner: &str) -> bool {
    let mut words = inner.split_whitespace().skip(1);
    let is_dated =
        |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit()));
    let is_name = |name: &str| is_dated(name) && !name.contains(['{', '"', '\'', '|', ':']);
    words.next().is_some_and(is_name) && words.next().is_none()
}

/// `"/address" | relative_url`.
fn is_address(inner: &str) -> bool {
    let mut parts = inner.split('|').map(str::trim);
    let first = parts.next().unwrap_or_default();
    first.starts_with(['"', '\''])
        && quoted(first).is_some_and(|(_, address)| !address.contains(char::is_whitespace))
        && parts.next() == Some("relative_url")
        && parts.next().is_none()
}

struct LiquidTag<'a> {
    start: usize,
    end: usize,
    inner: &'a str,
    inner_start: usize,
    is_output: bool,
}

fn next(source: &str, from: usize) -> Option<LiquidTag<'_>> {
    let bytes = source.as_bytes();
    memchr::memchr_iter(b'{', &bytes[from..]).map(|at| from + at).find_map(|start| {
        let (close, is_output) = match bytes.get(start + 1)? {
            b'%' => ("%}", false),
            b'{' => ("}}", true),
            _ => return None,
        };
        let inner_start = start + 2;
        let limit = bytes.len().min(inner_start + LONGEST);
        let length = memchr::memmem::find(&bytes[inner_start..limit], close.as_bytes())?;
        let end = inner_start + length + 2;
        let inner = source[inner_start..inner_start + length].trim_matches('-');
        let inner_start =
            inner_start + source[inner_start..].len() - source[inner_start..].trim_start_matches('-').len();
        Some(LiquidTag { start, end, inner, inner_start, is_output })
    })
}

/// Returns `{% endname %}`.
fn ending<'a>(source: &'a str, from: usize, name: &str) -> Option<LiquidTag<'a>> {
    let mut at = from;
    while let Some(tag) = next(source, at) {
        at = tag.end;
        if !tag.is_output && tag.inner.trim().strip_prefix("end") == Some(name) {
            return Some(tag);
        }
        // What is in there may only look like one: go on behind its first bracket.
        if tag.is_output {
            at = tag.start + 1;
        }
    }
    None
}
