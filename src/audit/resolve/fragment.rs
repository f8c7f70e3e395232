//! Fragments: the place on a page that a fragment names.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{Fragment, Target, component, path, shortcode};
use crate::audit::corpus::Corpus;
use crate::audit::document::{Construct, Document, LinkKind, Match, Reading};
use crate::audit::site::{ByName, Cause, Form};
use crate::text::casefold::alphanumerics;
use crate::text::path::file_name;

/// Files that include each other go no deeper than this.
const DEEPEST: usize = 4;

/// Fragments that every page has: none, `top` (HTML §7.4.6.4), lines of the source, text directives.
pub(super) fn is_universal(fragment: &str) -> bool {
    let line = |text: &str| {
        let number = text.strip_prefix('L').unwrap_or_default();
        let number = number.split_once('C').map_or(number, |(line, _)| line);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    // GitLab leaves the second `L` out.
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let last = |text: &str| line(text) || is_number(text);
    let lines = fragment.split_once('-').map_or_else(|| line(fragment), |(from, to)| line(from) && last(to));
    fragment.is_empty() || fragment.eq_ignore_ascii_case("top") || fragment.starts_with(":~:") || lines
}

/// How `fragment`, as written, fits a page; `is_alone` where the link has no path: then it may be a label on any page,
/// where a site has those.
pub(super) fn find(corpus: &Corpus, page: u32, fragment: &str, is_alone: bool) -> Fragment {
    let fragment = fragment.split(":~:").next().unwrap_or(fragment);
    let fragment: Cow<'_, str> = percent_decode_str(fragment).decode_utf8_lossy();
    let site = corpus.site(page);
    let is_no_place = site.links.fragments.iter().any(|start| fragment.starts_with(start));
    if is_universal(&fragment) || is_no_place || site.links.is_host && is_readme(&fragment, corpus.path(page)) {
        return Fragment::Fine;
    }
    // GitHub puts this in front of every name.
    let name = fragment.strip_prefix("user-content-").unwrap_or(&fragment);
    let mut found = in_page(corpus, page, name, DEEPEST);
    if found != Match::Exact && name.len() < fragment.len() && in_page(corpus, page, &fragment, DEEPEST) == Match::Exact
    {
        // The page itself may write it so: `<a name="user-content-x">`.
        found = Match::Exact;
    }
    if found == Match::Exact {
        return Fragment::Fine;
    }
    if is_alone && corpus.label(page, name.as_bytes()).is_some() || site.links.labels && is_numbered(name) {
        return Fragment::Fine;
    }
    let document = &corpus.pages[page as usize].document;
    let is_composed = document.composed
        || is_alone && corpus.composes_labels(page)
        || is_shown(corpus, page, name)
        || found == Match::None && shortcode::may_have(corpus, page, name);
    let composed = is_composed.then_some(Cause::Composed);
    let label = || site.cause(Form::Label).filter(|_| is_alone && site.links.labels);
    let is_braced = || document.braced.find(name, &document.strings) == Match::Exact;
    let braced = || (site.assumed && is_braced()).then_some(Cause::Braced);
    let other =
        || (site.assumed && found == Match::None && is_otherwise_named(document, name)).then_some(Cause::Published);
    if let Some(cause) = composed.or_else(|| site.cause(Form::Anchor)).or_else(label).or_else(braced).or_else(other) {
        return Fragment::Unjudged(cause);
    }
    match found {
        Match::Exact => Fragment::Fine,
        Match::Case(text) => Fragment::Case(text),
        Match::None => Fragment::Missing,
    }
}

/// Returns whether a page that is written for some site names a heading so but for punctuation: a slugger that is not GitHub's would.
fn is_otherwise_named(document: &Document, name: &str) -> bool {
    document.front_matter.is_of_a_site()
        && document.anchors.iter(&document.strings).any(|anchor| alphanumerics(anchor).eq(alphanumerics(name)))
}

/// Returns whether a document that templates of the site show on pages has the place.
fn is_shown(corpus: &Corpus, page: u32, name: &str) -> bool {
    let shown = corpus.site(page).shown.iter().filter_map(|path| corpus.page_of(corpus.tree.find(path)?));
    shown.into_iter().any(|shown| shown != page && in_page(corpus, shown, name, DEEPEST) != Match::None)
}

/// `packages/a#readme`: hosts give the box around a README this name.
fn is_readme(fragment: &str, path: &[u8]) -> bool {
    fragment == "readme" && file_name(path).get(..7).is_some_and(|stem| stem.eq_ignore_ascii_case(b"readme."))
}

/// `id3`: docutils numbers elements without a name, and those whose name is taken.
fn is_numbered(name: &str) -> bool {
    name.strip_prefix("id").is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns whether the page itself has the place, by exactly this name.
pub(super) fn is_there(corpus: &Corpus, page: u32, fragment: &str) -> bool {
    let document = &corpus.pages[page as usize].document;
    let fragment: Cow<'_, str> = percent_decode_str(fragment).decode_utf8_lossy();
    document.anchors.find(&fragment, &document.strings) == Match::Exact
}

fn in_page(corpus: &Corpus, page: u32, name: &str, depth: usize) -> Match {
    let document = &corpus.pages[page as usize].document;
    if matches!(document.reading, Reading::Failed(_)) {
        return Match::Exact;
    }
    let own = document.anchors.find(name, &document.strings);
    // `#Heading#Heading below` names the last one.
    let last = name.rsplit('#').next().unwrap_or(name);
    let links = corpus.site(page).links;
    // Docsify names headings by their HTML: `Foo's` is `foo39s`, `A & B` is `a-amp-b`.
    let unescaped = links
        .is_routed
        .then(|| ["39", "amp", "quot", "lt", "gt"].iter().fold(last.to_owned(), |text, mark| text.replace(mark, "")));
    let is_meant = |anchor: &str| {
        let is = |name: &str| alphanumerics(anchor).eq(alphanumerics(name));
        is(last) || unescaped.as_deref().is_some_and(is)
    };
    // A note's heading is named by its text, whatever the case.
    let is_loose = links.loose_anchors && (own == Match::None || links.by_name == ByName::Anywhere);
    if is_loose && document.anchors.iter(&document.strings).any(is_meant) {
        return Match::Exact;
    }
    if own != Match::None || !corpus.site(page).syntax.has(Construct::Includes) {
        return own;
    }
    if component::may_have(corpus, page, name) {
        return Match::Exact;
    }
    for link in document.links.iter().filter(|link| link.kind == LinkKind::Include) {
        let file = document.text(link.destination);
        let target = path::locate(corpus, page, corpus.site(page), file.as_bytes(), link.kind, &mut Vec::new());
        let found = match target {
            Target::Page(included) if depth > 0 && included != page => in_page(corpus, included, name, depth - 1),
            // The included file is not known, so neither are its places.
            _ => Match::Exact,
        };
        match found {
            Match::None => {}
            // Its text is another document's; the page cannot show it.
            Match::Case(_) | Match::Exact => return Match::Exact,
        }
    }
    Match::None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn universal_fragments() {
        for yes in ["", "top", "Top", "L10", "L1-L20", "L1-20", "L1C2-L3C4", ":~:text=x"] {
            assert!(is_universal(yes), "{yes}");
        }
        for no in ["l10", "L", "L1-", "L1-x", "top-level", "Lorem"] {
            assert!(!is_universal(no), "{no}");
        }
    }
}
