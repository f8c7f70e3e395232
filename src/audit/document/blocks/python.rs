//! Python-Markdown and its extensions: admonitions, tabs, definitions in the middle of a paragraph, HTML up to its end
//! tag.

use memchr::memmem;

use super::lines::{Fence, Line, item};
use super::map::Writer;
use super::tags::{element_end, tag};
use crate::audit::document::{Construct, Syntax, TabNames, raw};
use crate::markdown::slug::{Dialect, Slugger};

/// Returns whether there is anything in a text that this pass changes.
pub(super) fn is_worth_it(text: &str) -> bool {
    let has = |mark: &str| memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    let blanks = || memmem::find_iter(text.as_bytes(), "](").any(|at| raw::blank(text, at + 2).is_some());
    has("!!!")
        || has("???")
        || has("\n===")
        || text.starts_with("===")
        || has("]:")
        || has("<")
        || blanks()
        || memchr::memchr_iter(b'#', text.as_bytes()).any(|at| is_tight(text.as_bytes(), at))
}

/// Returns whether the marks of a heading that begin at `at` have blanks in front or none behind.
fn is_tight(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    let blanks = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let begins = matches!(before.get(..at - blanks).and_then(<[u8]>::last), None | Some(b'\n'));
    let behind = text[at..].iter().find(|byte| **byte != b'#');
    begins && (blanks > 0 || !matches!(behind, None | Some(b' ' | b'\t' | b'\n' | b'\r')))
}

pub(super) fn rewrite<'w>(writer: &'w mut Writer<'_>, syntax: &'w Syntax) {
    let source = writer.source;
    let mut pass = PythonPass {
        writer,
        source,
        syntax,
        blocks: Vec::new(),
        lists: Vec::new(),
        is_blank: true,
        unclosed: 16,
        above: "",
    };
    let mut at = 0;
    while at < source.len() {
        at = pass.line(&Line::at(source, at, 4));
    }
}

struct PythonPass<'a, 'w> {
    writer: &'w mut Writer<'a>,
    source: &'a str,
    syntax: &'w Syntax,
    /// The column at which the text of each open admonition or tab begins, and how many items it stands in.
    blocks: Vec<(usize, usize)>,
    /// The columns of the items that a line may belong to, without those of the blocks.
    lists: Vec<usize>,
    /// The line before is blank.
    is_blank: bool,
    /// How many elements may still be without an end: each costs a search through the rest of the text.
    unclosed: u8,
    /// The text of the last heading, where tabs are named after it.
    above: &'a str,
}

impl<'a> PythonPass<'a, '_> {
    /// Writes a line and what begins on it and ends later. Returns where the next one begins.
    fn line(&mut self, line: &Line<'a>) -> usize {
        if line.is_blank() {
            self.writer.copy(line.start..line.next);
            self.is_blank = true;
            return line.next;
        }
        while let Some((_, lists)) = self.blocks.pop_if(|(column, _)| line.indent < *column) {
            // Items inside of the block end with it.
            self.lists.truncate(lists);
        }
        let column = line.indent - 4 * self.blocks.len().min(line.indent / 4);
        if self.is_blank && item(line.text).is_none() {
            while self.lists.pop_if(|open| column <= *open).is_some() {}
        }
        let is_code = column >= 4 && self.lists.last().is_none_or(|open| column >= open + 8);
        if is_code {
            self.copy(line, column);
        } else if let Some(title) = self.header(line.text) {
            return self.open(line, column, title);
        } else if let Some(fence) = Fence::open(line.text) {
            return self.fence(fence, line);
        } else if self.syntax.has(Construct::RawHtml) && line.text.starts_with('<') && column < 4 {
            return self.html(line, column);
        } else if self.syntax.has(Construct::LooseDefinitions) && is_definition(line.text) && column < 4 {
            if !self.is_blank {
                self.writer.insert("\n", line.start);
            }
            self.copy(line, column);
            self.writer.insert("\n", line.next);
            self.is_blank = true;
            return line.next;
        } else {
            if item(line.text).is_some() {
                while self.lists.pop_if(|open| column <= *open).is_some() {}
                self.lists.push(column);
            }
            if self.syntax.tab_names.is_some() && line.text.starts_with('#') {
                self.above = line.text.trim_matches(['#', ' ', '\t', '\r', '\n']);
            }
            if !self.heading(line, column) {
                self.copy(line, column);
            }
        }
        self.is_blank = false;
        line.next
    }

    /// Writes a heading as CommonMark has it. Python-Markdown needs no blank behind the marks, and takes a line with blanks in front for
    /// text.
    fn heading(&mut self, line: &Line<'_>, column: usize) -> bool {
        let marks = line.text.bytes().take_while(|byte| *byte == b'#').count();
        let is_tight = !matches!(line.text.as_bytes().get(marks), None | Some(b' ' | b'\t'));
        let has_blanks = !column.is_multiple_of(4);
        if !(1..=6).contains(&marks) || !self.syntax.has(Construct::TightHeadings) || !(is_tight || has_blanks) {
            return false;
        }
        if column == line.indent {
            self.writer.copy(line.start..line.body);
        } else {
            self.writer.indent(column, line.start);
        }
        if has_blanks {
            self.writer.insert("\\", line.body);
            self.writer.copy(line.body..line.next);
        } else {
            self.writer.copy(line.body..line.body + marks);
            self.writer.insert(" ", line.body + marks);
            self.writer.copy(line.body + marks..line.next);
        }
        true
    }

    /// Returns the title of a block that a line's text begins.
    fn header<'t>(&self, text: &'t str) -> Option<&'t str> {
        let is_admonition = self.syntax.has(Construct::Admonitions);
        let admonition = ["!!!", "???+", "???"].into_iter().find_map(|mark| text.strip_prefix(mark));
        if let Some(rest) = admonition.filter(|_| is_admonition) {
            let is_one = rest.starts_with([' ', '"']) || rest.starts_with(char::is_alphanumeric) || rest.is_empty();
            return is_one.then(|| title(rest));
        }
        let tab = ["===!", "===+", "==="].into_iter().find_map(|mark| text.strip_prefix(mark))?;
        (self.syntax.has(Construct::Tabs) && tab.trim_start().starts_with(['"', '\'', '!', '+'])).then(|| title(tab))
    }

    /// Writes the head of a block: its title is a paragraph.
    fn open(&mut self, line: &Line<'_>, column: usize, title: &str) -> usize {
        self.writer.insert("\n", line.start);
        if let Some(names) = self.syntax.tab_names.filter(|_| line.text.starts_with('=')) {
            self.name_tab(names, title);
        }
        if !title.is_empty() {
            let start = line.body + title.as_ptr() as usize - line.text.as_ptr() as usize;
            self.writer.indent(column, start);
            self.writer.copy(start..start + title.len());
            self.writer.insert("\n\n", start + title.len());
        }
        self.blocks.push((line.indent + 4, self.lists.len()));
        self.is_blank = true;
        line.next
    }

    /// Notes the name of a tab, as `pymdownx.tabbed` makes it of the title and, if so set, of the heading above.
    fn name_tab(&mut self, names: TabNames, title: &str) {
        let plain = |text: &str| text.replace(['`', '*'], "");
        let named = |dialect: Dialect, text: &str| Slugger::new(dialect).next(&plain(text)).to_owned();
        let own = named(Dialect::PythonMarkdown { slugify: names.slugify, separator: '-' }, title);
        if !names.combined || self.above.is_empty() {
            self.writer.name(&own);
            return;
        }
        let (text, list) = self.above.rsplit_once('{').unwrap_or((self.above, ""));
        let id = list.split([' ', ':', '}']).find_map(|word| word.strip_prefix('#'));
        let above = id.map_or_else(|| named(self.syntax.dialect, text.trim()), str::to_owned);
        self.writer.name(&format!("{above}-{own}"));
    }

    /// Writes a line at another column.
    fn copy(&mut self, line: &Line<'_>, column: usize) {
        let mut from = line.start;
        if column != line.indent {
            self.writer.indent(column, line.start);
            from = line.body;
        }
        if self.syntax.has(Construct::LooseDestinations) && line.text.contains("](") {
            for at in memmem::find_iter(&self.source.as_bytes()[line.start..line.end], "](") {
                let Some(destination) = raw::blank(self.source, line.start + at + 2) else { continue };
                self.writer.copy(from..destination.start);
                self.writer.insert("<", destination.start);
                self.writer.copy(destination.clone());
                self.writer.insert(">", destination.end);
                from = destination.end;
            }
        }
        self.writer.copy(from..line.next);
    }

    /// Writes a block of code; without an end, only its first line.
    fn fence(&mut self, fence: Fence, first: &Line<'_>) -> usize {
        let removed = 4 * self.blocks.len();
        let least = self.blocks.last().map_or(0, |(column, _)| *column);
        self.is_blank = false;
        let column = |line: &Line<'_>| line.indent - removed.min(line.indent);
        self.copy(first, column(first));
        let mut at = first.next;
        while at < self.source.len() {
            let line = Line::at(self.source, at, 4);
            // The block around it ends, and so does its code.
            if !line.is_blank() && line.indent < least {
                break;
            }
            at = line.next;
            self.copy(&line, column(&line));
            if fence.is_closed_by(line.text) {
                break;
            }
        }
        at
    }

    /// Writes HTML. An element of blocks goes on to its end tag, blank lines and all; with the attribute `markdown`, only
    /// its tag is HTML.
    fn html(&mut self, line: &Line<'_>, column: usize) -> usize {
        self.is_blank = false;
        let found = tag(self.source, line.body).filter(|tag| is_block(tag.name));
        let Some(tag) = found else {
            self.copy(line, column);
            return line.next;
        };
        let is_markdown = memmem::find(&self.source.as_bytes()[line.body..tag.end], b"markdown").is_some();
        let end = if tag.closes || tag.is_empty || is_markdown || is_void(tag.name) || self.unclosed == 0 {
            None
        } else {
            let end = element_end(self.source, tag.end, tag.name);
            self.unclosed -= u8::from(end.is_none());
            end
        };
        if tag.closes || is_markdown {
            self.writer.insert("\n", line.start);
            self.writer.indent(column, line.start);
            self.writer.copy(line.body..tag.end);
            self.writer.insert("\n\n", tag.end);
            self.is_blank = true;
            let rest = Line::at(self.source, tag.end, 4);
            if rest.is_blank() {
                return rest.next;
            }
            // Markdown behind the tag.
            self.writer.copy(rest.body..rest.next);
            return rest.next;
        }
        let Some(end) = end else {
            self.copy(line, column);
            return line.next;
        };
        // A blank line would end the block.
        let mut at = line.body;
        self.writer.indent(column, at);
        while at < end {
            let here = Line::at(self.source, at, 4);
            if !here.is_blank() {
                self.writer.copy(at..here.next.min(end));
            }
            at = here.next.max(at + 1);
        }
        self.writer.insert("\n\n", end);
        self.is_blank = true;
        let rest = Line::at(self.source, end, 4);
        if rest.is_blank() {
            return rest.next;
        }
        self.writer.copy(rest.body..rest.next);
        rest.next
    }
}

/// The text between the quotes behind the kind of a block.
fn title(rest: &str) -> &str {
    let quoted = rest.find('"').and_then(|start| {
        let inner = &rest[start + 1..];
        Some(&inner[..inner.rfind('"')?])
    });
    quoted.unwrap_or_else(|| &rest[..0])
}

/// `[label]: destination`, with a title at most.
fn is_definition(text: &str) -> bool {
    let Some((label, rest)) = text.strip_prefix('[').and_then(|text| text.split_once("]:")) else { return false };
    let rest = rest.trim();
    let behind = rest.find(char::is_whitespace).map_or("", |end| rest[end..].trim_start());
    !label.is_empty()
        && !label.starts_with('^')
        && !label.contains(['[', ']'])
        && !rest.is_empty()
        && (behind.is_empty() || behind.starts_with(['"', '\'', '(']))
}

/// Elements that Python-Markdown takes for blocks (`util.BLOCK_LEVEL_ELEMENTS`).
fn is_block(name: &str) -> bool {
    const BLOCKS: &[&str] = &[
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "colgroup",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "iframe",
        "li",
        "main",
        "map",
        "math",
        "menu",
        "nav",
        "ol",
        "p",
        "picture",
        "pre",
        "section",
        "style",
        "summary",
        "table",
        "tbody",
        "td",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "video",
    ];
    BLOCKS.iter().any(|block| block.eq_ignore_ascii_case(name))
}

fn is_void(name: &str) -> bool {
    name.eq_ignore_ascii_case("hr")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::document::blocks::rewrite;
    use crate::markdown::slug::Dialect;

    fn rewritten(text: &str) -> String {
        let syntax = Syntax::new(Dialect::MKDOCS).with(&[
            Construct::Admonitions,
            Construct::Tabs,
            Construct::LooseDefinitions,
            Construct::RawHtml,
            Construct::TightHeadings,
        ]);
        rewrite(text, &syntax).map_or_else(|| text.to_owned(), |done| done.text)
    }

    #[test]
    fn blocks_are_markdown() {
        let text = "!!! note \"See [a](b)\"\n\n    c\n\n    === \"T\"\n\n        ```\n        d\n        ```\n\n            code\n\ne\n";
        assert_eq!(rewritten(text), "\nSee [a](b)\n\n\nc\n\n\nT\n\n\n```\nd\n```\n\n    code\n\ne\n");
        let text = "- item\n\n    ??? tip\n        a\n\n    b\n";
        assert_eq!(rewritten(text), "- item\n\n\n    a\n\n    b\n");
        let code = "a\n\n    !!! note\n        b\n";
        assert_eq!(rewritten(code), code);
        let fenced = "```\n!!! note\n    a\n```\n";
        assert_eq!(rewritten(fenced), fenced);
    }

    #[test]
    fn headings_need_no_blank_and_have_none_in_front() {
        let text = "##a\n\n- b\n\n  ## c\n\n    ## d\n\n# e\n";
        assert_eq!(rewritten(text), "## a\n\n- b\n\n  \\## c\n\n    ## d\n\n# e\n");
        let code = "    ##a\n";
        assert_eq!(rewritten(code), code);
    }

    #[test]
    fn definitions_anywhere() {
        assert_eq!(rewritten("a [b][c]\n[c]: d\n[e]: f \"t\"\ng\n"), "a [b][c]\n\n[c]: d\n\n[e]: f \"t\"\n\ng\n");
        let prose = "a\n[b]: c d e\n";
        assert_eq!(rewritten(prose), prose);
    }

    #[test]
    fn html_goes_on_to_its_end_tag() {
        assert_eq!(rewritten("<details>\n\n[a](b)\n\n</details>\nc\n"), "<details>\n[a](b)\n</details>\n\nc\n");
        assert_eq!(rewritten("<div markdown>\n[a](b)\n</div>\n"), "\n<div markdown>\n\n[a](b)\n\n</div>\n\n");
        let open = "<div>\n\n[a](b)\n";
        assert_eq!(rewritten(open), open);
    }
}
