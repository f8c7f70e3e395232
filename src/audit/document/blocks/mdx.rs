//! MDX: components are containers of Markdown, `{…}` is code, `import` and `export` are a program, and nothing is code
//! for its indentation (micromark-extension-mdx-md turns that off).

use std::ops::Range;

use super::TAG;
use super::lines::{Fence, Line, Lists};
use super::map::Writer;
use super::tags::{Tag, tag};
use super::values::{LONGEST, expression_end, string_end};
use crate::audit::document::{Construct, Syntax};

pub(super) fn rewrite<'w>(writer: &'w mut Writer<'_>, syntax: &'w Syntax) {
    let source = writer.source;
    let mut pass = MdxPass { writer, source, syntax, lists: Lists::default(), is_program: true, mistakes: 1_000 };
    let (mut at, mut is_new) = (0, true);
    let mut unwrapped: Option<Fence> = None;
    while at < source.len() {
        let line = Line::at(source, at, 4);
        if line.is_blank() {
            pass.writer.copy(line.start..line.next);
            (at, is_new) = (line.next, true);
            continue;
        }
        if is_new && line.indent == 0 && (line.text.starts_with("import ") || line.text.starts_with("export ")) {
            at = program_end(source, line.start);
            if let Some(fence) = unwrapped {
                // No blank line need stand between a program and the end of its block.
                let mut lines = std::iter::successors(Some(Line::at(source, line.start, 4)), |line| {
                    (line.next < at).then(|| Line::at(source, line.next, 4))
                });
                at = lines.find(|line| fence.is_closed_by(line.text)).map_or(at, |end| end.start);
            }
            pass.writer.insert("\n", at);
            continue;
        }
        // Docusaurus's way to write components that other renderers show as code: the block is its text.
        let opened = Fence::open(line.text).filter(|_| unwrapped.is_none() && is_unwrapped(line.text));
        if opened.is_some() || unwrapped.is_some_and(|fence| fence.is_closed_by(line.text)) {
            unwrapped = opened;
            pass.writer.insert("\n", line.next);
            (at, is_new) = (line.next, true);
            continue;
        }
        is_new = false;
        let place = pass.lists.place(line.indent);
        pass.lists.items(&line, place);
        if line.indent != place {
            pass.writer.indent(place, line.body);
        } else {
            pass.writer.copy(line.start..line.body);
        }
        at = match Fence::open(line.text) {
            Some(fence) => pass.fence(fence, &line, place),
            None => pass.text(&line, place),
        };
    }
}

/// Returns whether a fence begins a block whose text counts.
fn is_unwrapped(text: &str) -> bool {
    text.trim_matches(['`', '~', ' ', '\t', '\r', '\n']) == "mdx-code-block"
}

/// Returns where a program ends that begins with `import` or `export`: at a blank line outside of brackets.
fn program_end(source: &str, start: usize) -> usize {
    let bytes = source.as_bytes();
    let (mut at, mut is_balanced) = (start, true);
    while at < bytes.len() {
        match bytes[at] {
            b'{' if is_balanced => {
                let end = expression_end(source, at);
                is_balanced = end.is_some();
                at = end.unwrap_or(at + 1);
            }
            b'\n' => {
                let line = Line::at(source, at + 1, 4);
                if line.is_blank() {
                    return at + 1;
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

struct MdxPass<'a, 'w> {
    writer: &'w mut Writer<'a>,
    source: &'a str,
    syntax: &'w Syntax,
    lists: Lists,
    /// The braces have been balanced so far; otherwise this is no MDX, and none of them means anything.
    is_program: bool,
    /// How many tags may still turn out to be none: each costs a search.
    mistakes: u16,
}

impl<'a> MdxPass<'a, '_> {
    /// Copies a block of code, each line as far in as its fence. Returns where the next line begins.
    fn fence(&mut self, fence: Fence, first: &Line<'_>, place: usize) -> usize {
        self.writer.copy(first.body..first.next);
        let mut at = first.next;
        while at < self.source.len() {
            let line = Line::at(self.source, at, 4);
            at = line.next;
            let is_end = fence.is_closed_by(line.text);
            if line.indent >= first.indent && first.indent != place || is_end && line.indent != place {
                self.writer.indent(place, line.start);
                let extra = if is_end { 0 } else { line.indent.saturating_sub(first.indent) };
                self.writer.indent(extra, line.start);
                self.writer.copy(line.body..line.next);
            } else {
                self.writer.copy(line.start..line.next);
            }
            if is_end {
                break;
            }
        }
        at
    }

    /// Writes a line of text and what begins on it and ends later. Returns where the rest of the text begins.
    fn text(&mut self, line: &Line<'_>, place: usize) -> usize {
        let is_heading = line.text.starts_with('#');
        let from = self.tags(line, place);
        if from >= line.next {
            return from;
        }
        // A tag may have ended on a later line.
        let end = Line::at(self.source, from, 4).next;
        self.inline(from, end, is_heading)
    }

    /// Returns the tag at `at`.
    fn tag(&mut self, at: usize) -> Option<Tag<'a>> {
        let found = if self.mistakes > 0 { tag(self.source, at) } else { None };
        self.mistakes = self.mistakes.saturating_sub(u16::from(found.is_none()));
        found
    }

    /// Writes the tags at the beginning of a line, each on a line of its own. Returns where the rest begins.
    fn tags(&mut self, line: &Line<'_>, place: usize) -> usize {
        let bytes = self.source.as_bytes();
        let mut at = line.body;
        while bytes.get(at) == Some(&b'<')
            && let Some(tag) = self.tag(at)
        {
            if !self.writer.is_at_line_start() && at != line.body {
                self.writer.insert("\n", at);
                self.writer.indent(place, at);
            }
            self.writer.insert(TAG.0, at);
            self.attributes(at..tag.end);
            self.writer.insert(TAG.1, tag.end);
            let rest = &self.source[tag.end..];
            at = tag.end + rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
            if bytes.get(at) == Some(&b'\n') {
                self.writer.copy(at..at + 1);
                return at + 1;
            }
        }
        if at != line.body && at < bytes.len() {
            self.writer.insert("\n\n", at);
            self.writer.indent(place, at);
        }
        at
    }

    /// Writes a tag. What a template of JavaScript shows of HTML is a text, and a comment in there must not end the one around the tag.
    fn attributes(&mut self, tag: Range<usize>) {
        let bytes = &self.source.as_bytes()[..tag.end];
        let (mut from, mut at) = (tag.start, tag.start);
        while let Some(next) = memchr::memchr2(b'`', b'-', &bytes[at..]) {
            at += next;
            let text = if bytes[at] == b'`' { string_end(bytes, at, b'`') } else { None };
            let hidden = match text {
                Some(end) if memchr::memchr(b'<', &bytes[at..end]).is_some() => Some(at + 1..end),
                None if bytes[at..].starts_with(TAG.1.as_bytes()) => Some(at..at + TAG.1.len()),
                _ => None,
            };
            at = text.map_or(at + 1, |end| end + 1);
            if let Some(hidden) = hidden {
                self.writer.copy(from..hidden.start);
                from = hidden.end;
                at = at.max(hidden.end);
            }
        }
        self.writer.copy(from..tag.end);
    }

    /// Writes text without its expressions. Returns where the rest of the text begins, behind `end` if something that
    /// begins before it ends there.
    fn inline(&mut self, start: usize, end: usize, is_heading: bool) -> usize {
        let bytes = self.source.as_bytes();
        let (mut from, mut at) = (start, start);
        while at < end {
            match bytes[at] {
                b'\\' => at += 2,
                b'`' => at = code_end(bytes, at),
                b'{' if self.is_program => match expression_end(self.source, at) {
                    Some(close) => {
                        self.writer.copy(from..at);
                        self.expression(at, close, is_heading);
                        (from, at) = (close, close);
                    }
                    None => {
                        self.is_program = false;
                        at += 1;
                    }
                },
                b'<' if self.source[at..].starts_with("<!--") => {
                    let length = memchr::memmem::find(&bytes[at..], b"-->");
                    let close = length.map_or(bytes.len(), |length| at + length + 3);
                    // A comment without an end has no name in it.
                    if is_heading
                        && let Some(id) = self.source.get(at + 4..close.saturating_sub(3)).and_then(comment_id)
                        && length.is_some()
                    {
                        self.writer.copy(from..at);
                        self.heading_id(id.0 + at + 4, id.1);
                        from = close;
                    }
                    at = close;
                }
                b'<' => at = self.tag(at).map_or(at + 1, |tag| tag.end),
                _ => at += 1,
            }
        }
        let at = at.min(bytes.len());
        self.writer.copy(from..at);
        at
    }

    fn expression(&mut self, start: usize, end: usize, is_heading: bool) {
        let inner = &self.source[start + 1..end - 1];
        if inner.starts_with('#') {
            self.writer.copy(start..end);
            return;
        }
        let comment = inner.trim().strip_prefix("/*").and_then(|inner| inner.strip_suffix("*/"));
        if let Some(comment) = comment.filter(|_| is_heading)
            && let Some((_, id)) = comment_id(comment)
            && let Some(at) = inner.find(id)
        {
            self.heading_id(start + 1 + at, id);
        } else if is_heading && self.syntax.has(Construct::ImageText) {
            self.heading_text(start + 1, inner);
        }
    }

    /// The code of an expression as text of its heading: `mdast-util-to-string` takes it as it is written, comments included.
    fn heading_text(&mut self, start: usize, code: &str) {
        if code.contains(['\n', '\r']) {
            return;
        }
        let mut from = start;
        for (at, _) in code.char_indices().filter(|(_, c)| c.is_ascii_punctuation()) {
            self.writer.copy(from..start + at);
            self.writer.insert("\\", start + at);
            from = start + at;
        }
        self.writer.copy(from..start + code.len());
    }

    /// `{#id}`, from an id that stands at `start`.
    fn heading_id(&mut self, start: usize, id: &str) {
        if self.syntax.has(Construct::CommentIds) {
            self.writer.insert("{", start);
            self.writer.copy(start..start + id.len());
            self.writer.insert("}", start + id.len());
        }
    }
}

/// Returns the id in a comment and where it stands: `#id`.
fn comment_id(comment: &str) -> Option<(usize, &str)> {
    let id = comment.trim();
    let at = comment.find('#')?;
    (id.len() > 1 && id.starts_with('#') && !id.contains(char::is_whitespace)).then_some((at, id))
}

/// Returns where code in a line ends; without an end, the marks are text.
fn code_end(bytes: &[u8], start: usize) -> usize {
    let run = |at: usize| bytes[at..].iter().take_while(|byte| **byte == b'`').count();
    let length = run(start);
    let near = &bytes[..bytes.len().min(start + LONGEST)];
    let limit = memchr::memmem::find(&near[start..], b"\n\n").map_or(near.len(), |blank| start + blank);
    let mut at = start + length;
    while let Some(next) = bytes.get(at..limit).and_then(|rest| memchr::memchr(b'`', rest)) {
        at += next;
        let other = run(at);
        at += other;
        if other == length {
            return at;
        }
    }
    start + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::document::blocks::rewrite;
    use crate::markdown::slug::Dialect;

    fn rewritten(text: &str) -> String {
        let syntax = Syntax::new(Dialect::Github).with(&[Construct::Mdx, Construct::CommentIds]);
        rewrite(text, &syntax).map_or_else(|| text.to_owned(), |done| done.text.replace('\u{1}', ""))
    }

    #[test]
    fn components_are_containers() {
        let text = "<Tabs>\n  <Tab a={1}>\n  ```sh\n  a\n\n  b\n  ```\n  </Tab>\n</Tabs>\n\n## After\n";
        let expected =
            "<!--<Tabs>-->\n<!--<Tab a={1}>-->\n```sh\na\n\nb\n```\n<!--</Tab>-->\n<!--</Tabs>-->\n\n## After\n";
        assert_eq!(rewritten(text), expected);
        assert_eq!(rewritten("<p>[a](b) <b>c</b></p>\n"), "<!--<p>-->\n\n[a](b) <b>c</b></p>\n");
        assert_eq!(rewritten("        a\n\n    - b\n        c\n"), "a\n\n- b\n  c\n");
    }

    #[test]
    fn programs_are_hidden() {
        assert_eq!(rewritten("import a from './b.mdx'\nexport const c = {\n\n}\n\n# D\n"), "\n\n# D\n");
        assert_eq!(rewritten("{/* [a](b) */}c `{d}` \\{e} {f\n}\n"), "c `{d}` \\{e} \n");
        assert_eq!(rewritten("a { b\n\n[c](d)\n"), "a { b\n\n[c](d)\n");
    }

    #[test]
    fn components_in_blocks_of_code() {
        assert_eq!(
            rewritten("a\n\n```mdx-code-block\nimport A from 'a'\n\n<A x={1} />\n```\n\n# B\n"),
            "a\n\n\n\n\n<!--<A x={1} />-->\n\n\n# B\n"
        );
        assert_eq!(
            rewritten("```mdx-code-block\nimport A from 'a'\n```\n\n# B\n\n```\nc\n```\n"),
            "\n\n\n\n# B\n\n```\nc\n```\n"
        );
        assert_eq!(rewritten("<Code code={`<!-- [a](b) -->\n\nc`} />\n"), "<!--<Code code={``} />-->\n");
    }

    #[test]
    fn ids_of_headings() {
        assert_eq!(
            rewritten("## A {/* #b */}\n\n## C <!-- #d -->\n\n## E {#f}\n"),
            "## A {#b}\n\n## C {#d}\n\n## E {#f}\n"
        );
    }

    #[test]
    fn expressions_in_headings() {
        let text = "## a {b.c} {/* d */} `{e}`\n\n{f}\n";
        assert_eq!(rewritten(text), "## a   `{e}`\n\n\n");
        let syntax = Syntax::new(Dialect::Github).with(&[Construct::Mdx, Construct::ImageText]);
        let done = rewrite(text, &syntax).unwrap();
        assert_eq!(done.text, "## a b\\.c \\/\\* d \\*\\/ `{e}`\n\n\n");
    }
}
