//! Converts a document of the repository into a chapter of a book: it draws diagrams, keeps only links within the site,
//! and gives headings the same anchors as GitHub.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::SiteDocument;
use super::diagram::{draw, escape};
use crate::markdown::destination::{Parts, has_scheme, relative_link};
use crate::markdown::slug::{Dialect, Slugger};
use crate::text::path::{display_path, normalise, parent};

/// A chapter.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The first heading, or the file's name.
    pub title: String,
    /// The Markdown text.
    pub text: String,
    /// The images that it shows, as files below the catalog's folder.
    pub images: Vec<String>,
    /// Problems, by line.
    pub notes: Vec<(usize, String)>,
}

/// A change to the text.
type TextEdit = (Range<usize>, String);

struct Preparation<'a> {
    document: &'a SiteDocument,
    here: &'a BTreeSet<&'a str>,
    edits: Vec<TextEdit>,
    images: Vec<String>,
    notes: Vec<(usize, String)>,
    title: Option<String>,
    /// The text of the last heading.
    section: String,
    anchors: Slugger,
    diagrams: usize,
}

/// Converts the document. `here` holds the paths of all documents of the site.
#[must_use]
pub fn prepare(document: &SiteDocument, here: &BTreeSet<&str>) -> Prepared {
    let mut preparation = Preparation {
        document,
        here,
        edits: Vec::new(),
        images: Vec::new(),
        notes: Vec::new(),
        title: None,
        section: String::new(),
        anchors: Slugger::new(Dialect::GithubSlugger),
        diagrams: 0,
    };
    preparation.run();
    let Preparation { mut edits, images, notes, title, .. } = preparation;
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut text, mut at) = (String::with_capacity(document.text.len()), 0);
    for (range, new) in edits {
        // Skip nested edits, such as a diagram within a link: the outer edit covers them.
        if range.start >= at {
            text.push_str(&document.text[at..range.start]);
            text.push_str(&new);
            at = range.end;
        }
    }
    text.push_str(&document.text[at..]);
    let title = title.unwrap_or_else(|| document.path.rsplit('/').next().unwrap_or_default().to_owned());
    Prepared { title, text, images, notes }
}

impl Preparation<'_> {
    fn run(&mut self) {
        // The extensions that GitHub renders, because the pages are written for GitHub.
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS;
        let events: Vec<(Event<'_>, Range<usize>)> =
            Parser::new_ext(&self.document.text, options).into_offset_iter().collect();
        let (mut depth, mut filtered) = (0_usize, false);
        for (index, (event, range)) in events.iter().enumerate() {
            match event {
                Event::Start(tag) => {
                    match tag {
                        Tag::Heading { .. } => self.heading(&events[index + 1..]),
                        Tag::CodeBlock(CodeBlockKind::Fenced(info)) if depth == 0 && &**info == "mermaid" => {
                            self.diagram(&events[index + 1..], range);
                        }
                        Tag::Link { dest_url, .. } => self.link(dest_url, &events[index + 1..], range),
                        Tag::Image { dest_url, .. } => self.image(dest_url),
                        Tag::Table(_) if depth == 0 && self.document.is_catalog && !filtered => {
                            filtered = true;
                            self.edits.push((range.start..range.start, "<div class=\"filtered\">\n\n".to_owned()));
                            self.edits.push((range.end..range.end, "\n</div>\n\n".to_owned()));
                        }
                        _ => {}
                    }
                    depth += 1;
                }
                Event::End(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// Gives a heading its GitHub anchor. mdBook's own rule differs for punctuation and repetition.
    fn heading(&mut self, inside: &[(Event<'_>, Range<usize>)]) {
        let inside = until(inside, |end| matches!(end, TagEnd::Heading(_)));
        let (Some(text), Some(range)) = (Some(plain(inside)), extent(inside)) else { return };
        self.title.get_or_insert_with(|| text.clone());
        let anchor = self.anchors.next(&text).to_owned();
        self.section = text;
        if !anchor.is_empty() {
            self.edits.push((range.end..range.end, format!(" {{#{anchor}}}")));
        }
    }

    fn diagram(&mut self, inside: &[(Event<'_>, Range<usize>)], range: &Range<usize>) {
        let source = plain(until(inside, |end| matches!(end, TagEnd::CodeBlock)));
        let label = format!("Diagram: {}", self.section);
        match draw(&source, self.diagrams, &label) {
            Ok(svg) => {
                let text = escape(&source);
                let figure = format!(
                    "\n<figure class=\"diagram\">{svg}<details><summary>The diagram as text</summary><pre><code>{text}</code></pre></details></figure>\n"
                );
                self.diagrams += 1;
                self.edits.push((range.clone(), figure));
            }
            Err(reason) => self.notes.push((self.line(range.start), format!("the diagram is shown as text: {reason}"))),
        }
    }

    /// Removes the brackets of a link out of the site and keeps its text.
    fn link(&mut self, to: &str, inside: &[(Event<'_>, Range<usize>)], range: &Range<usize>) {
        let Some((path, fragment)) = self.local(to) else { return };
        let inside = until(inside, |end| matches!(end, TagEnd::Link));
        if self.here.contains(path.as_str()) {
            // mdBook does not support links from the root of the repository.
            if to.starts_with('/') {
                let text = extent(inside).map_or("", |range| &self.document.text[range]);
                let to = relative_link(&self.document.path, &path);
                self.edits.push((range.clone(), format!("[{text}]({to}{fragment})")));
            }
            return;
        }
        let kept = extent(inside).unwrap_or(range.start..range.start);
        self.edits.push((range.start..kept.start, String::new()));
        self.edits.push((kept.end..range.end, String::new()));
    }

    fn image(&mut self, to: &str) {
        if let Some((path, _)) = self.local(to) {
            self.images.push(path);
        }
    }

    /// Returns the path below the root and the fragment of a relative link, or `None` for any other link.
    fn local(&self, to: &str) -> Option<(String, String)> {
        let parts = Parts::new(to);
        if parts.path.is_empty() || has_scheme(to) {
            return None;
        }
        let folder = if to.starts_with('/') { b"" } else { parent(self.document.path.as_bytes()) };
        // No document lies outside the repository.
        let path = normalise(folder, &parts.decoded()).map_or_else(|| "..".to_owned(), |path| display_path(&path));
        Some((path, parts.fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default()))
    }

    fn line(&self, at: usize) -> usize {
        self.document.text[..at].matches('\n').count() + 1
    }
}

/// Returns the events before an end.
fn until<'a, 'b>(
    events: &'a [(Event<'b>, Range<usize>)],
    end: impl Fn(&TagEnd) -> bool,
) -> &'a [(Event<'b>, Range<usize>)] {
    let at = events.iter().position(|(event, _)| matches!(event, Event::End(tag) if end(tag)));
    &events[..at.unwrap_or(events.len())]
}

/// Returns the source range of these events.
fn extent(events: &[(Event<'_>, Range<usize>)]) -> Option<Range<usize>> {
    let start = events.iter().map(|(_, range)| range.start).min()?;
    let end = events.iter().map(|(_, range)| range.end).max()?;
    Some(start..end)
}

fn plain(events: &[(Event<'_>, Range<usize>)]) -> String {
    let mut text = String::new();
    for (event, _) in events {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Prepared {
        let document =
            SiteDocument { path: "docs/a.md".to_owned(), text: text.to_owned(), is_catalog: true, part: String::new() };
        prepare(&document, &BTreeSet::from(["docs/a.md", "docs/b.md", "README.md"]))
    }

    #[test]
    fn links_go_where_the_site_goes() {
        for (text, becomes) in [
            ("[b](b.md#x)", "[b](b.md#x)"),
            ("[b](/docs/b.md#x)", "[b](b.md#x)"),
            ("[top](../README.md)", "[top](../README.md)"),
            ("[**else**](c.md) where", "**else** where"),
            ("[out](../../x.md)", "out"),
            ("[web](https://example.com/b.md)", "[web](https://example.com/b.md)"),
            ("[here](#part)", "[here](#part)"),
            ("[code][c]\n\n[c]: src/main.rs", "code\n\n[c]: src/main.rs"),
            ("[](c.md)!", "!"),
            ("`[c](c.md)`", "`[c](c.md)`"),
            ("[b](b%2emd)", "[b](b%2emd)"),
        ] {
            assert_eq!(prepared(text).text, becomes, "{text}");
        }
    }

    #[test]
    fn headings_have_the_anchors_of_github() {
        let text = "# A & B: `c`\n\nTwice\n-----\n\n## Twice ##\n";
        let got = prepared(text);
        assert_eq!(got.text, "# A & B: `c` {#a--b-c}\n\nTwice {#twice}\n-----\n\n## Twice {#twice-1} ##\n");
        assert_eq!(got.title, "A & B: c");
    }

    #[test]
    fn diagrams_are_drawn_or_said() {
        let got = prepared("# Way\n\n```mermaid\nflowchart TD\n  a --> b\n```\n\ntext\n\n```mermaid\nno\n```\n");
        assert!(
            got.text.contains("<figure class=\"diagram\"><svg role=\"img\" aria-label=\"Diagram: Way\""),
            "{}",
            got.text
        );
        assert!(got.text.contains("</figure>\n\n\ntext\n\n```mermaid\nno\n```"), "{}", got.text);
        assert_eq!(got.notes.len(), 1);
        assert!(got.notes[0].0 == 10 && got.notes[0].1.starts_with("the diagram is shown as text"), "{:?}", got.notes);
    }

    #[test]
    fn the_table_of_the_catalog_is_marked() {
        let got = prepared("text\n\n| a |\n|---|\n| b |\n\nmore\n\n| c |\n|---|\n");
        assert_eq!(
            got.text,
            "text\n\n<div class=\"filtered\">\n\n| a |\n|---|\n| b |\n\n</div>\n\n\nmore\n\n| c |\n|---|\n"
        );
    }

    #[test]
    fn images_are_asked_for() {
        let got = prepared("![a](pictures/a%20b.png) ![b](https://example.com/b.png)");
        assert_eq!(got.images, ["docs/pictures/a b.png"]);
    }
}
