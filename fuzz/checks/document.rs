//! What holds of any bytes that are taken for a document, under the rules of every renderer.

use mcp_kit::audit::Settings;
use mcp_kit::audit::document::{Document, LinkKind, Match, Patterns, Span, Syntax, decode, parse};
use mcp_kit::audit::site::Flavor;

/// Offsets are places in the text, names are found, and a destination that is replaced where it is said to stand is the new one.
pub(crate) fn document(bytes: &[u8]) {
    let config = Settings::default();
    let Ok(patterns) = Patterns::new(&config.deprecated, &config.common_words) else { panic!("the default pattern") };
    let decoded = decode(bytes);
    assert_eq!(decoded.text.len(), bytes.len());
    for (word, flavor) in Flavor::words() {
        let document = parse(&decoded, &flavor.syntax(), &patterns, true);
        places(&decoded.text, &document);
        for name in document.anchors.iter(&document.strings) {
            assert_eq!(document.anchors.find(name, &document.strings), Match::Exact, "{name:?}");
        }
        if *word == "github" {
            replaced(&decoded.text, &document, &patterns);
        }
    }
}

fn syntax(flavor: Flavor) -> Syntax {
    Site::new(flavor, Vec::new(), String::new()).syntax
}

fn places(text: &str, document: &Document) {
    let inside = |span: Span| assert!(text.get(span.range()).is_some(), "{span:?} of {text:?}");
    for link in &document.links {
        inside(link.span);
        inside(link.written);
    }
    assert!(document.links.is_sorted_by_key(|link| link.span));
    document.undefined.iter().for_each(|undefined| inside(undefined.span));
    for definition in &document.definitions {
        inside(definition.span);
        inside(definition.written);
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
            && link.written.start < link.written.end
    });
    let Some(link) = editable else { return };
    let mut edited = text.to_owned();
    edited.replace_range(link.written.range(), "replaced.md");
    let again = parse(&decode(edited.as_bytes()), &github(), patterns, true);
    let here = again.links.iter().find(|other| other.span.start == link.span.start && other.kind == link.kind);
    assert_eq!(here.map(|other| again.text(other.destination)), Some("replaced.md"), "{text:?}");
}

fn github() -> Syntax {
    let word = |(word, _): &&(&str, Flavor)| *word == "github";
    Flavor::words().iter().find(word).map(|(_, flavor)| flavor.syntax()).expect("GitHub is the first row")
}
