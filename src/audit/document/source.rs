//! Facts that only the source has and not the parser's events.

use std::borrow::Cow;
use std::ops::Range;

use linkify::{LinkFinder, LinkKind};
use rustc_hash::FxHashSet;

use crate::audit::walk::is_markdown;

/// The ids of `{ #id }` and `{ id=name }` behind anything, as Python-Markdown's `attr_list` has it.
pub(super) fn attribute_ids(text: &str) -> impl Iterator<Item = &str> {
    let lists =
        memchr::memchr_iter(b'{', text.as_bytes()).filter_map(|start| text[start + 1..].split(['}', '\n']).next());
    lists.flat_map(|list| list.split_whitespace().filter_map(attribute_id))
}

/// The id that a word of an attribute list gives: `#name`, `id=name`, `id="name"`.
pub(super) fn attribute_id(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(':');
    word.strip_prefix('#').or_else(|| word.strip_prefix("id=").map(|value| value.trim_matches(['"', '\''])))
}

/// Files whose text becomes a part of this one, by the `marks` in front of their names: `{{#include file}}` of mdBook, `--8<-- "file"` of
/// MkDocs, `import X from 'file'` of MDX.
pub(super) fn includes<'a>(text: &'a str, marks: &[&str]) -> Vec<(Range<usize>, Cow<'a, str>)> {
    let mut found = Vec::new();
    for mark in marks {
        if *mark == IMPORT {
            found.extend(imports(text));
            continue;
        }
        if *mark == COMMENT {
            found.extend(in_comments(text));
            continue;
        }
        let ends: &[char] = if mark.starts_with("{{") { &['}', ':'] } else { &['\n'] };
        for start in memchr::memmem::find_iter(text.as_bytes(), mark) {
            let from = start + mark.len();
            let Some(rest) = text[from..].split(ends).next() else { continue };
            if !is_include(text, mark, start, rest) {
                continue;
            }
            let file = match rest.split_once(['"', '\'']) {
                Some((_, file)) => file.split(['"', '\'']).next().unwrap_or_default(),
                None => rest.trim(),
            };
            let file = part_of(mark, file);
            if is_markdown(file.as_bytes()) {
                found.push((start..from + rest.len(), file.into()));
            }
        }
        if *mark == SNIPPET {
            found.extend(snippets(text).into_iter().map(|(range, file)| (range, file.into())));
        }
    }
    found
}

/// The mark in front of a file that VitePress includes.
const COMMENT: &str = "<!--@include: ";

/// Files in comments: `<!-- @include: ./a.md#part{1,3} -->`.
fn in_comments(text: &str) -> impl Iterator<Item = (Range<usize>, Cow<'_, str>)> {
    memchr::memmem::find_iter(text.as_bytes(), "@include:").filter_map(move |at| {
        let start = text[..at].trim_end_matches([' ', '\t']).len().checked_sub("<!--".len())?;
        let from = at + "@include:".len();
        // A longer one is none: long lines cost no more than this at each mark.
        let near = &text[from..text.floor_char_boundary(from + 1_024)];
        let inner = &near[..near.find("-->")?];
        if inner.contains('\n') {
            return None;
        }
        let file = inner.trim().split(['{', '#']).next().unwrap_or_default();
        let is_one = text.get(start..).is_some_and(|text| text.starts_with("<!--")) && is_markdown(file.as_bytes());
        is_one.then(|| (start..from + inner.len() + "-->".len(), file.into()))
    })
}

/// Returns whether a mark at `start` is one, which `rest` follows: a snippet of MkDocs has its line to itself, and a backslash in front of
/// a tag of mdBook shows it.
fn is_include(text: &str, mark: &str, start: usize, rest: &str) -> bool {
    if mark != SNIPPET {
        return !mark.starts_with("{{") || !text[..start].ends_with('\\');
    }
    let before = text[..start].trim_end_matches([' ', '\t']);
    (before.is_empty() || before.ends_with('\n')) && rest.trim_end().ends_with(['"', '\''])
}

/// The mark in front of an import of MDX.
const IMPORT: &str = "import ";

/// Returns whether an include is a part of the syntax of blocks: what a block of code shows of it is an example.
pub(super) fn is_read_in_blocks(include: &str) -> bool {
    include.starts_with(IMPORT.trim_end()) || include.starts_with("{include}")
}

/// Markdown files that MDX imports.
fn imports(text: &str) -> impl Iterator<Item = (Range<usize>, Cow<'_, str>)> {
    let files = statements(text).filter(|import| is_markdown(import.file.as_bytes()));
    files.map(|import| (import.range, unescaped(import.file)))
}

/// Returns whether a component of MDX is the project's own: what it makes of its attributes only its code says.
pub(super) fn is_own_component(text: &str, name: &str) -> bool {
    own_components(text).any(|import| import.has_name(name))
}

/// The files of the project's own components that a page of MDX shows, and where they are imported: what they put into the page only their code
/// says.
pub(super) fn components<'a>(text: &'a str, marks: &[&str]) -> Vec<(Range<usize>, &'a str)> {
    let mut own = match marks.contains(&IMPORT) {
        true => own_components(text).peekable(),
        false => return Vec::new(),
    };
    if own.peek().is_none() {
        return Vec::new();
    }
    let tags = memchr::memchr_iter(b'<', text.as_bytes());
    let shown: FxHashSet<&str> =
        tags.map(|at| text[at + 1..].split(|c| !is_name(c)).next().unwrap_or_default()).collect();
    let shown = own.filter(|import| import.names().any(|name| shown.contains(name)));
    shown.map(|import| (import.range, import.file)).collect()
}

/// The names of the shortcodes in a text, each once: `{{< name … >}}`, `{{% name %}}`.
pub(super) fn shortcodes(text: &str) -> Vec<&str> {
    let opens = memchr::memmem::find_iter(text.as_bytes(), "{{");
    let names = opens.filter_map(|at| {
        let rest = text[at + 2..].strip_prefix(['<', '%'])?.trim_start_matches([' ', '\n', '\t']);
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
        let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
        (!name.is_empty() && !name.starts_with(['/', '.']) && !name.contains("..")).then_some(name)
    });
    let names: FxHashSet<&str> = names.collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names
}

/// Components of Docusaurus's own themes, which give nothing a name.
const OF_THEME: &[&str] = &[
    "Admonition",
    "CodeBlock",
    "Details",
    "DocCard",
    "DocCardList",
    "Heading",
    "IdealImage",
    "Mermaid",
    "TabItem",
    "Tabs",
    "ThemedImage",
    "TOCInline",
];

fn own_components(text: &str) -> impl Iterator<Item = Import<'_>> {
    statements(text).filter(|import| {
        let is_own = import.file.starts_with(['.', '/', '~'])
            || import.file.starts_with("@site/")
            || import.file.strip_prefix("@theme/").is_some_and(|name| !OF_THEME.contains(&name))
            || import.file.starts_with("@/");
        is_own && !is_markdown(import.file.as_bytes())
    })
}

/// Returns whether a character may be in a name of JavaScript.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// An `import` of MDX.
struct Import<'a> {
    /// The names in front of its path: `a, {b as c} from`.
    names: &'a str,
    range: Range<usize>,
    /// Its path, as JavaScript has it.
    file: &'a str,
}

impl<'a> Import<'a> {
    /// The components that it brings, which begin with a capital letter.
    fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.names.split(|c| !is_name(c)).filter(|name| name.starts_with(char::is_uppercase))
    }

    fn has_name(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }
}

/// The imports of MDX. A statement may take two lines; its path is a string of JavaScript, in which `\_` is `_`.
fn statements(text: &str) -> impl Iterator<Item = Import<'_>> {
    let word = IMPORT.trim_end();
    memchr::memmem::find_iter(text.as_bytes(), word).filter_map(move |start| {
        let from = start + word.len();
        let before = text[..start].trim_end_matches(' ');
        let is_begun = before.is_empty() || before.ends_with(['\n', ';']);
        let rest = text[from..].strip_prefix(|c: char| c == ' ' || is_begun && c == '\n')?;
        let from = text.len() - rest.len();
        // The names may stand on the next line, or the path.
        let lines = if is_begun { 2 } else { 1 };
        let statement = &rest[..memchr::memchr_iter(b'\n', rest.as_bytes()).nth(lines - 1).unwrap_or(rest.len())];
        let (names, file) = statement.split_once(['"', '\''])?;
        let file = file.split(['"', '\'', '\n']).next().unwrap_or_default();
        let is_whole = !names.contains("\n\n") && !names.contains(';');
        let end = from + names.len() + 1 + file.len();
        is_whole.then_some(Import { names, range: start..end, file })
    })
}

/// A string of JavaScript without the backslashes in front of what needs none.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let is_escape = c == '\\' && characters.peek().is_some_and(|next| !next.is_ascii_alphanumeric());
        plain.push(if is_escape { characters.next().unwrap_or(c) } else { c });
    }
    plain.into()
}

/// The mark in front of a snippet of MkDocs.
const SNIPPET: &str = "--8<-- ";

/// The file of `file:section` and `file:3:5`.
fn part_of<'a>(mark: &str, file: &'a str) -> &'a str {
    let end = file.find(':').filter(|_| mark == SNIPPET && !file.contains("://"));
    &file[..end.unwrap_or(file.len())]
}

/// Files on lines of their own between two lines `--8<--`.
fn snippets(text: &str) -> Vec<(Range<usize>, &str)> {
    let (mut found, mut is_inside, mut start) = (Vec::new(), false, 0);
    if memchr::memmem::find(text.as_bytes(), b"--8<--").is_none() {
        return found;
    }
    for line in text.split_inclusive('\n') {
        let name = line.trim();
        if name == SNIPPET.trim_end() {
            is_inside = !is_inside;
        } else if is_inside && is_markdown(part_of(SNIPPET, name).as_bytes()) {
            let at = start + line.len() - line.trim_start().len();
            found.push((at..at + name.len(), part_of(SNIPPET, name)));
        }
        start += line.len();
    }
    found
}

/// Returns whether a build puts something into this text that is not in it: `marks` say so where they stand, those that begin with a line break at
/// the beginning of a line only.
pub(super) fn is_composed(text: &str, marks: &[&str]) -> bool {
    marks.iter().any(|mark| {
        memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some()
            || mark.strip_prefix('\n').is_some_and(|mark| text.starts_with(mark))
    })
}

/// The first address on the web that begins in `range` and that no letter or digit stands before, as in GFM's extended autolinks; it ends
/// where its line, a table's cell or an HTML tag does.
pub(super) fn bare_address(text: &str, range: Range<usize>) -> Option<(Range<usize>, &str)> {
    let within = text.get(range.clone())?;
    for start in memchr::memmem::find_iter(within.as_bytes(), "http").map(|at| range.start + at) {
        let rest = text[start..].split(['\n', '\r', ' ', '|', '<', '`']).next().unwrap_or_default();
        let inside_a_word = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        if inside_a_word || !(rest.starts_with("https://") || rest.starts_with("http://")) {
            continue;
        }
        let found = LinkFinder::new().kinds(&[LinkKind::Url]).links(rest).next().filter(|link| link.start() == 0);
        // Emphasis and strike-through around an address are none of it.
        let address = found.map_or("", |link| link.as_str().trim_end_matches(['*', '_', '~']));
        if !address.is_empty() {
            return Some((start..start + address.len(), address));
        }
    }
    None
}

/// Where the destination of an inline link stands, whose text ends at `from`.
pub(super) fn destination(text: &str, from: usize, end: usize) -> Option<Range<usize>> {
    let inner = text.get(from..end)?;
    let close = memchr::memchr_iter(b']', inner.as_bytes()).find(|at| inner.as_bytes().get(at + 1) == Some(&b'('))?;
    let start = from + close + 2;
    let rest = &text[start..end];
    let start = start + rest.len() - rest.trim_start().len();
    let bytes = &text.as_bytes()[start..end];
    if bytes.first() == Some(&b'<') {
        let close = bytes.iter().position(|byte| *byte == b'>')?;
        return Some(start + 1..start + close);
    }
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(start..start + at),
            b')' => depth -= 1,
            b' ' | b'\t' | b'\n' | b'\r' => return Some(start..start + at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_found_in_their_links() {
        for (link, text_end, expected) in [
            ("[a](b.md)", 2, Some("b.md")),
            ("[a]( b.md \"t\")", 2, Some("b.md")),
            ("[a](<b c.md>)", 2, Some("b c.md")),
            ("[a](b(c)\\).md)", 2, Some("b(c)\\).md")),
            ("[]()", 1, Some("")),
            ("[a][b]", 2, None),
        ] {
            let found = destination(link, text_end, link.len()).map(|range| &link[range]);
            assert_eq!(found, expected, "{link}");
        }
    }

    #[test]
    fn addresses_in_running_text() {
        for (text, expected) in [
            ("see https://a.io/b_c_d.", Some("https://a.io/b_c_d")),
            ("(http://a.io/b_(c)) x", Some("http://a.io/b_(c)")),
            ("**https://a.io/b**, x", Some("https://a.io/b")),
            ("| https://a.io|b |", Some("https://a.io")),
            ("https://a.io/b<br>", Some("https://a.io/b")),
            ("xhttps://a.io http and https:// https://b.io", Some("https://b.io")),
            ("https is https:/a", None),
        ] {
            assert_eq!(bare_address(text, 0..text.len()).map(|(_, address)| address), expected, "{text}");
        }
    }

    #[test]
    fn names_of_shortcodes() {
        let text = "{{< a x >}} {{% b/c %}}{{</* d */>}} {{< /a >}} {{ e }} {{<f>}} {{< ../g >}} {{< a >}} {{";
        assert_eq!(shortcodes(text), ["a", "b/c", "f"]);
    }

    #[test]
    fn ids_and_includes() {
        assert_eq!(attribute_ids("## A {: #a .b }\n[x]{#c}\n{ d").collect::<Vec<_>>(), ["a", "c"]);
        let text =
            "<!--@include: ./a.md-->\n<!-- @include: @/b.md#part{1,3} -->\n@include: c.md\n<!--@include: d.ts-->\n";
        let found = includes(text, &["<!--@include: "]);
        assert_eq!(found.iter().map(|(_, file)| &**file).collect::<Vec<_>>(), ["./a.md", "@/b.md"]);
        for shown in ["`--8<-- \"c.md\"`\n", ";--8<-- \"c.md\"\n", "--8<-- \"c.md\" x\n", "\\{{#include a.md}}\n"] {
            assert!(includes(shown, &["{{#include ", "--8<-- "]).is_empty(), "{shown}");
        }
        let text = "{{#include a.md:3}} {{#include b.rs}}\n--8<-- \"c.md\"\nimport D from './d.mdx'\n";
        let marks = ["{{#include ", "--8<-- ", "import "];
        assert_eq!(
            includes(text, &marks).into_iter().map(|(_, file)| file).collect::<Vec<_>>(),
            ["a.md", "c.md", "./d.mdx"]
        );
        let text = "```{include} ../e.md\n:start-after: x\n```\n";
        assert_eq!(includes(text, &["{include} "]).into_iter().map(|(_, file)| file).collect::<Vec<_>>(), ["../e.md"]);
        let text = "--8<-- \"a.md:part\"\n\n  --8<--\n  b.md\n  c.md:2:3\n  --8<--\nd.md\n";
        let found = includes(text, &marks);
        let files: Vec<_> = found.iter().map(|(range, file)| (&text[range.clone()], &**file)).collect();
        assert_eq!(files, [("--8<-- \"a.md:part\"", "a.md"), ("b.md", "b.md"), ("c.md:2:3", "c.md")]);
    }

    #[test]
    fn components_of_the_project() {
        let text = "import Own, {Other as Third} from '@site/src/x';\nimport {Card} from '@astrojs/starlight/components';\n\
                    import Part from './part.mdx';\nimport {\n  A} from '~/a';\n";
        for (name, expected) in [
            ("Own", true),
            ("Third", true),
            ("A", true),
            ("Card", false),
            ("Part", false),
            ("Ow", false),
            ("Link", false),
        ] {
            assert_eq!(is_own_component(text, name), expected, "{name}");
        }
        let shown = format!("{text}<Own/> and <A>x</A>, <Card/>, <Part/>, < Third");
        let files: Vec<_> = components(&shown, &[IMPORT]).into_iter().map(|(_, file)| file).collect();
        assert_eq!(files, ["@site/src/x", "~/a"]);
        assert!(components(text, &[IMPORT]).is_empty() && components(&shown, &[]).is_empty());
    }

    #[test]
    fn imports_of_mdx() {
        for (text, expected) in [
            ("import A from './_a.mdx';\n", &["./_a.mdx"][..]),
            (r"import A from './\_a.mdx';", &["./_a.mdx"]),
            ("import\nA from \"./a.mdx\"\nimport B from 'b.md'\n", &["./a.mdx", "b.md"]),
            ("import A from\n  './a.md'\n", &["./a.md"]),
            ("import A from 'a.js'\nimport B from 'b.md'\n", &["b.md"]),
            ("import A from 'a.md'; import\nB from 'b.md';\n", &["a.md", "b.md"]),
            ("We import\n\n'a.md'\n", &[]),
            ("important 'a.md'\n", &[]),
        ] {
            let found: Vec<_> = imports(text).map(|(_, file)| file.into_owned()).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
