//! Roles of MyST: `` {doc}`page` ``, `` {ref}`text <label>` ``, `` {download}`file` ``.

use std::ops::Range;

use super::DocumentReader;
use crate::audit::document::{Link, LinkKind, Span};

/// Names of roles are shorter.
const LONGEST: usize = 40;

impl DocumentReader<'_> {
    /// Takes in the role whose text is the code at `range`; `false` where that is code alone.
    pub(super) fn role(&mut self, text: &str, range: &Range<usize>) -> bool {
        let Some(name) = name(&self.text[..range.start]) else { return false };
        // A role is no text of a heading (`compute_unique_slug`).
        let length = name.len() + 2;
        if let Some(heading) = &mut self.headings.open
            && heading.text.ends_with('}')
        {
            heading.text.truncate(heading.text.len().saturating_sub(length));
        }
        let target = target(text);
        // `!` in front: no link.
        if target.is_empty() || text.starts_with('!') {
            return true;
        }
        let (destination, is_path) = match name.strip_prefix("std:").unwrap_or(name) {
            "doc" => (target.to_owned(), false),
            "download" => (target.to_owned(), true),
            "ref" | "numref" => (format!("#{target}"), false),
            _ => return true,
        };
        let whole = self.span(&(range.start - length..range.end));
        // The name of a document has no ending and a label no `#`: neither is written as a link would be, so that no fix can write it.
        let place = if is_path { self.text[range.clone()].rfind(target) } else { None };
        let destination_span = place.map_or_else(Span::default, |at| {
            let start = range.start + at;
            self.span(&(start..start + target.len()))
        });
        let destination = self.strings.add(&destination);
        self.links.push(Link::new(whole, destination_span, destination, LinkKind::Link));
        true
    }
}

/// Returns the name of the role in braces that a text ends with.
fn name(before: &str) -> Option<&str> {
    let before = before.strip_suffix('}')?;
    let start = before.rfind('{').filter(|start| before.len() - start <= LONGEST)?;
    let name = &before[start + 1..];
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b':' | b'.'));
    is_name.then_some(name)
}

/// Returns the target of `text <target>`, or all of the text.
fn target(text: &str) -> &str {
    let inner = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    inner.map_or(text, |(_, target)| target).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_targets() {
        assert_eq!(name("see {std:doc}"), Some("std:doc"));
        for text in ["{ doc}", "{}", "doc}", "{doc} ", "x"] {
            assert_eq!(name(text), None, "{text:?}");
        }
        assert_eq!(target("a page <../b c>"), "../b c");
        assert_eq!(target("setup"), "setup");
        assert_eq!(target("a > b"), "a > b");
    }
}
