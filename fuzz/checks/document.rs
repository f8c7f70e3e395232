//! What holds of any bytes that are taken for a document, under the rules of every renderer.

use mcp_kit::audit::Settings;
use mcp_kit::audit::document::{Construct, Document, LinkKind, Match, Patterns, Span, Syntax, decode, parse};
use mcp_kit::audit::site::Flavor;

/// Offsets are places in the text, names are found, and a destination that is replaced where it is said to stand is the new one.
pub(crate) fn document(bytes: &[u8]) {
    let config = Settings::default();
    let Ok(patterns) = Patterns::new(&config.deprecated, &config.common_words) else { panic!("the default pattern") };
    let decoded = decode(bytes);
    assert_eq!(decoded.text.len(), bytes.len());
    for syntax in syntaxes() {
        let document = parse(&decoded, &syntax, &patterns, true);
        places(&decoded.text, &document);
        for name in document.anchors.iter(&document.strings) {
            assert_eq!(document.anchors.find(name, &document.strings), Match::Exact, "{name:?}");
        }
        named(&decoded.text, &document);
        if syntax == github() {
            replaced(&decoded.text, &document, &patterns);
        }
    }
}

/// The syntax of every renderer, and of those that no flavor has yet.
fn syntaxes() -> impl Iterator<Item = Syntax> {
    use Construct::{Containers, DefinitionLists, Directives, Liquid, Math, TermIds, WikiLinks};
    let others = [&[Liquid, DefinitionLists] as &[_], &[Directives, Containers, Math], &[WikiLinks, TermIds]];
    let known = Flavor::names().iter().map(|(_, flavor)| flavor.syntax());
    known.chain(others.into_iter().map(|more| github().with(more)))
}

/// A destination without anything to unescape stands where it is said to.
fn named(text: &str, document: &Document) {
    let is_plain = |destination: &str| destination.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    for link in document.links.iter().filter(|link| matches!(link.kind, LinkKind::Link | LinkKind::Image)) {
        let destination = document.text(link.destination);
        if is_plain(destination) && link.destination_span.start < link.destination_span.end {
            assert_eq!(&text[link.destination_span.range()], destination, "{text:?}");
        }
    }
}

fn places(text: &str, document: &Document) {
    let inside = |span: Span| assert!(text.get(span.range()).is_some(), "{span:?} of {text:?}");
    for link in &document.links {
        inside(link.span);
        inside(link.destination_span);
    }
    assert!(document.links.is_sorted_by_key(|link| link.span));
    for raw in &document.raw {
        inside(raw.span);
        inside(raw.destination_span);
    }
    document.undefined.iter().for_each(|undefined| inside(undefined.span));
    for definition in &document.definitions {
        inside(definition.span);
        inside(definition.destination_span);
    }
    for suppression in &document.suppressions {
        inside(suppression.span);
        inside(suppression.covers);
    }
    document.evidence.mentions.iter().for_each(|mention| inside(mention.span));
    document.secrets.iter().for_each(|secret| inside(secret.span));
}

fn replaced(text: &str, document: &Document, patterns: &Patterns) {
    // One link of each document; the fuzzer has many documents.
    let editable = document.links.iter().find(|link| {
        matches!(link.kind, LinkKind::Link | LinkKind::Image)
            && link.definition.is_none()
            && link.destination_span.start < link.destination_span.end
    });
    let Some(link) = editable else { return };
    let mut edited = text.to_owned();
    edited.replace_range(link.destination_span.range(), "replaced.md");
    let again = parse(&decode(edited.as_bytes()), &github(), patterns, true);
    let here = again.links.iter().find(|other| other.span.start == link.span.start && other.kind == link.kind);
    assert_eq!(here.map(|other| again.text(other.destination)), Some("replaced.md"), "{text:?}");
}

fn github() -> Syntax {
    let word = |(word, _): &&(&str, Flavor)| *word == "github";
    Flavor::names().iter().find(word).map(|(_, flavor)| flavor.syntax()).expect("GitHub is the first row")
}
