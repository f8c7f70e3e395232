//! The syntax that readers of notes and wikis have beside Markdown: comments of Obsidian, diagrams of Azure DevOps, names of headings of Docsify.

use super::lines::{Fences, Line};
use super::map::Writer;

/// `%% text %%` is left out, over lines as well; without an end, all the rest is.
pub(super) fn comments(writer: &mut Writer<'_>) {
    let source = writer.source;
    let (mut at, mut fences, mut is_hidden) = (0, Fences::default(), false);
    while at < source.len() {
        let line = Line::at(source, at, 4);
        at = line.next;
        if !is_hidden && fences.take(&line) {
            writer.copy(line.start..line.next);
            continue;
        }
        let mut from = line.start;
        for mark in marks(&source[line.start..line.end], is_hidden) {
            let mark = line.start + mark;
            if !is_hidden {
                writer.copy(from..mark);
            }
            (from, is_hidden) = (mark + 2, !is_hidden);
        }
        match is_hidden {
            true => writer.insert("\n", line.next),
            false => writer.copy(from..line.next),
        }
    }
}

/// Returns where comments begin and end on a line: marks in code are none, unless a comment goes on from the line before.
fn marks(line: &str, is_hidden: bool) -> Vec<usize> {
    let (bytes, mut found, mut at) = (line.as_bytes(), Vec::new(), 0);
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'%', b'`', rest)) {
        at += next;
        let is_comment = is_hidden == found.len().is_multiple_of(2);
        if bytes[at] == b'`' {
            let run = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
            let code = &line[at + run..];
            let length = if is_comment { None } else { code.find(&line[at..at + run]) };
            at += length.map_or(run, |length| run + length + run);
        } else if bytes.get(at + 1) == Some(&b'%') {
            found.push(at);
            at += 2;
        } else {
            at += 1;
        }
    }
    found
}

/// `::: mermaid` … `:::` is left out.
pub(super) fn diagrams(writer: &mut Writer<'_>) {
    let source = writer.source;
    let (mut at, mut is_hidden) = (0, false);
    while at < source.len() {
        let line = Line::at(source, at, 4);
        at = line.next;
        let name = line.text.strip_prefix(":::").map(|name| name.trim_start_matches(':').trim());
        match name {
            Some("mermaid") => is_hidden = true,
            Some("") if is_hidden => is_hidden = false,
            _ if is_hidden => {}
            _ => {
                writer.copy(line.start..line.next);
                continue;
            }
        }
        writer.insert("\n", line.next);
    }
}

/// `## x :id=y` is `## x {#y}`.
pub(super) fn ids(writer: &mut Writer<'_>) {
    let source = writer.source;
    let (mut at, mut fences) = (0, Fences::default());
    while at < source.len() {
        let line = Line::at(source, at, 4);
        at = line.next;
        let is_heading = !fences.take(&line) && line.text.starts_with('#');
        let named = line.text.rsplit_once(" :id=").filter(|(_, id)| is_heading && is_id(id));
        let Some((text, id)) = named else {
            writer.copy(line.start..line.next);
            continue;
        };
        let start = line.body + text.len() + " :id=".len();
        writer.copy(line.start..line.body + text.len() + 1);
        writer.insert("{#", start);
        writer.copy(start..start + id.len());
        writer.insert("}\n", start + id.len());
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | '#'))
}

#[cfg(test)]
mod tests {
    use super::super::rewrite;
    use crate::audit::document::{Construct, Syntax};
    use crate::markdown::slug::Dialect;

    fn rewritten(construct: Construct, text: &str) -> String {
        let syntax = Syntax::new(Dialect::Github).with(&[construct]);
        rewrite(text, &syntax).map_or_else(|| text.to_owned(), |done| done.text)
    }

    #[test]
    fn comments_of_notes() {
        let of = |text| rewritten(Construct::PercentComments, text);
        assert_eq!(of("a %% [b](c) %% d\n"), "a  d\n");
        assert_eq!(of("a\n%%\n[b](c)\n%%\nd\n"), "a\n\n\n\nd\n");
        assert_eq!(of("`%%` a `%%`\n```\n%% b\n```\n5 % c\n"), "`%%` a `%%`\n```\n%% b\n```\n5 % c\n");
        assert_eq!(of("a %% ` %% b ` c\n"), "a  b ` c\n");
        assert_eq!(of("a %% b"), "a \n");
    }

    #[test]
    fn diagrams_of_a_wiki() {
        let of = |text| rewritten(Construct::Diagrams, text);
        assert_eq!(of("a\n::: mermaid\nA[x](y)\n:::\nb\n"), "a\n\n\n\nb\n");
        assert_eq!(of("::: note\n[a](b)\n:::\n"), "::: note\n[a](b)\n:::\n");
    }

    #[test]
    fn names_of_headings() {
        let of = |text| rewritten(Construct::ColonIds, text);
        assert_eq!(of("## A :id=b\n\n[c](d :id=e)\n"), "## A {#b}\n\n[c](d :id=e)\n");
        assert_eq!(of("```\n# A :id=b\n```\n# A :id=b c\n"), "```\n# A :id=b\n```\n# A :id=b c\n");
    }
}
