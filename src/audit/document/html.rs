//! HTML (and JSX) inside of Markdown: what points somewhere, what can be pointed to, and where headings begin and end.

use html5gum::{DefaultEmitter, Token, Tokenizer};

/// The contents of a piece of HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HtmlPiece {
    /// A destination, the bytes of the piece in which it stands, and those of its tag.
    Destination { text: String, start: usize, end: usize, tag: usize },
    /// A name that a fragment can give.
    Anchor(String),
    /// The title of a component, from which some renderers make an anchor.
    Named(String),
    /// The name of a parameter or field that a component describes.
    Field(String),
    /// `<h1>` and so on.
    HeadingStart,
    /// `</h1>` and so on.
    HeadingEnd,
    /// Text outside of tags.
    Text(String),
}

/// Returns whether `html` can hold anything that [`pieces`] finds. Most pieces are `<br>`, `</a>` and comments.
pub(super) fn is_worth_it(html: &str) -> bool {
    let bytes = html.as_bytes();
    memchr::memchr(b'=', bytes).is_some()
        || memchr::memchr2_iter(b'h', b'H', bytes).any(|at| {
            bytes.get(at + 1).is_some_and(|digit| (b'1'..=b'6').contains(digit))
                && matches!(bytes[..at].last(), Some(b'<' | b'/'))
        })
}

/// Attributes that name a file or a page.
const DESTINATIONS: &[&[u8]] = &[b"href", b"src", b"poster", b"srcset"];

/// Elements whose destination is for programs, not for readers.
const UNREAD: &[&[u8]] = &[b"base", b"link", b"script", b"meta", b"use"];

/// Components of Docusaurus whose destination is `to`.
const ROUTED: &[&[u8]] = &[b"link", b"redirect", b"navlink"];

/// Components of Mintlify that describe a parameter or a field, and the attributes that name it.
const FIELDS: &[&[u8]] = &[b"paramfield", b"responsefield"];
const FIELD_NAMES: &[&[u8]] = &[b"name", b"path", b"query", b"body", b"header"];

/// Elements of HTML whose title is a tooltip; everything else with a title is a component.
const STANDARD: &[&[u8]] =
    &[b"a", b"abbr", b"img", b"span", b"div", b"p", b"td", b"th", b"iframe", b"input", b"track", b"option"];

/// Calls `sink` for everything of interest in `html`, in order.
pub(super) fn pieces(html: &str, sink: &mut dyn FnMut(HtmlPiece)) {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                if is_heading(&tag.name) {
                    sink(HtmlPiece::HeadingStart);
                }
                for (name, value) in &tag.attributes {
                    let text = String::from_utf8_lossy(value);
                    let is_name = **name == *b"id" || **name == *b"name" && *tag.name == *b"a";
                    if is_name && !text.is_empty() {
                        sink(HtmlPiece::Anchor(text.into_owned()));
                    } else if (**name == *b"title" || **name == *b"label") && !STANDARD.contains(&tag.name.as_slice()) {
                        sink(HtmlPiece::Named(text.into_owned()));
                    } else if FIELD_NAMES.contains(&name.as_slice()) && FIELDS.contains(&tag.name.as_slice()) {
                        sink(HtmlPiece::Field(text.into_owned()));
                    } else if DESTINATIONS.contains(&name.as_slice()) && !is_unread(html, &tag.name, tag.span.start)
                        || **name == *b"to" && ROUTED.contains(&tag.name.as_slice())
                    {
                        let mut to = |text: String, start, end| {
                            sink(HtmlPiece::Destination { text, start, end, tag: tag.span.start });
                        };
                        let within = value.span.start..value.span.end;
                        destinations(html, name.as_slice() == b"srcset", &text, within, &mut to);
                    }
                }
            }
            Token::EndTag(tag) if is_heading(&tag.name) => sink(HtmlPiece::HeadingEnd),
            Token::String(text) => sink(HtmlPiece::Text(String::from_utf8_lossy(&text).into_owned())),
            _ => {}
        }
    }
}

/// Returns whether the destination of an element is for programs. `<Link>` is a component of JSX.
fn is_unread(html: &str, name: &[u8], start: usize) -> bool {
    UNREAD.contains(&name) && !html.get(start..).is_some_and(|tag| tag.starts_with("<Link"))
}

fn is_heading(name: &[u8]) -> bool {
    matches!(name, [b'h', b'1'..=b'6'])
}

/// The destinations of one attribute: `srcset` has several, each followed by how large it is.
fn destinations(
    html: &str,
    set: bool,
    text: &str,
    within: std::ops::Range<usize>,
    sink: &mut dyn FnMut(String, usize, usize),
) {
    let source = html.get(within.start..within.end.min(html.len())).unwrap_or_default();
    let mut report = |text: &str| {
        // Written with entities, it cannot be found in the source: then there is no place to edit.
        let place = source.rfind(text).filter(|_| !text.is_empty()).map(|at| within.start + at);
        let start = place.unwrap_or(within.start);
        sink(text.to_owned(), start, place.map_or(start, |start| start + text.len()));
    };
    if set {
        candidates(text).for_each(&mut report);
    } else {
        report(text.trim());
    }
}

/// The addresses of a `srcset` (HTML, "parse a srcset attribute"): an address is a run without white space. A comma at
/// its end is none of it; without one, what follows up to a comma outside of parentheses says how large it is.
fn candidates(set: &str) -> impl Iterator<Item = &str> {
    let mut rest = set;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let address = word.trim_end_matches(',');
        rest = behind;
        if address.len() == word.len() {
            let mut depth = 0_i32;
            let comma = behind.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                c == ',' && depth <= 0
            });
            rest = comma.map_or("", |comma| &behind[comma..]);
        }
        (!address.is_empty()).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(html: &str) -> Vec<String> {
        let mut found = Vec::new();
        pieces(html, &mut |piece| {
            found.push(match piece {
                HtmlPiece::Destination { text, start, end, tag } => {
                    assert!(html[tag..].starts_with('<'), "{html}");
                    format!("{text} at {}", &html[start..end])
                }
                HtmlPiece::Anchor(name) => format!("#{name}"),
                HtmlPiece::Named(name) => format!("={name}"),
                HtmlPiece::Field(name) => format!(".{name}"),
                HtmlPiece::HeadingStart => "<h>".to_owned(),
                HtmlPiece::HeadingEnd => "</h>".to_owned(),
                HtmlPiece::Text(text) => text,
            });
        });
        found
    }

    #[test]
    fn attributes_by_the_rules_of_html() {
        assert_eq!(found("<a HREF = 'a.md#x' id=y>t</a>"), ["a.md#x at a.md#x", "#y", "t"]);
        assert_eq!(found("<img alt=\"src=no\" src=b.png>"), ["b.png at b.png"]);
        assert_eq!(found("<source srcset=\"a.png 1x, b.png 2x\">"), ["a.png at a.png", "b.png at b.png"]);
        assert_eq!(found("<a href=\"a?b&amp;c\">"), ["a?b&c at "]);
        assert_eq!(found("<!-- <a href=x> --><script>'<a href=x>'</script>"), ["'<a href=x>'"]);
        assert_eq!(found("<h2 id=a>A</h2>"), ["<h>", "#a", "A", "</h>"]);
        assert_eq!(found("<Card name=\"n\" href=\"/x\" />"), ["/x at /x"]);
        assert_eq!(found("<ParamField body=\"a.b\" type=\"c\">"), [".a.b"]);
        assert_eq!(found("<a href=\"unclosed"), Vec::<String>::new());
    }

    #[test]
    fn addresses_of_a_set() {
        for (set, expected) in [
            ("a.png 1x, b.png 2x", vec!["a.png", "b.png"]),
            ("https://x.io/f_auto,w_3/a.png 1x,b.png", vec!["https://x.io/f_auto,w_3/a.png", "b.png"]),
            ("data:image/png;base64,iV= 1x, b.png 2x", vec!["data:image/png;base64,iV=", "b.png"]),
            ("a.png, b.png,", vec!["a.png", "b.png"]),
            ("a.png (x,y) 2x, b.png", vec!["a.png", "b.png"]),
            (" , ", vec![]),
        ] {
            assert_eq!(candidates(set).collect::<Vec<_>>(), expected, "{set}");
        }
    }

    #[test]
    fn plain_tags_are_not_tokenised() {
        assert!(!is_worth_it("<br/>") && !is_worth_it("</a>") && !is_worth_it("<hr>"));
        assert!(is_worth_it("<h1>") && is_worth_it("</H2>") && is_worth_it("<a id=x>"));
    }
}
