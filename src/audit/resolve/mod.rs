//! Where each link leads, by the rules of the renderer. In: the corpus. Out: for every link of a document what it points to.

mod address;
mod candidates;
mod component;
mod elsewhere;
mod fragment;
mod host;
mod malformed;
mod path;
mod post;
mod served;
mod shortcode;
mod variants;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

pub use host::GITHUB_SECTIONS;
pub(in crate::audit) use malformed::INVISIBLE;
pub use malformed::Malformed;
pub(in crate::audit) use shortcode::{ShortcodeTemplate, templates as shortcode_templates};

use super::corpus::Corpus;
use super::document::{Link, LinkKind, POST, Text};
use super::folders::in_parts;
use super::site::{Addresses, Cause, Form, Site};
use super::walk::Kind;
use crate::markdown::destination::{Parts, has_scheme};
use crate::text::path::{file_name, normalise, parent};

/// The target of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The web, or a page that is not made from this tree: not judged here.
    Elsewhere,
    /// The web, where the repository's host shows this page of some branch: a way for readers, and not judged either.
    Hosted(u32),
    /// Not judged: probably a part of the published site.
    Unjudged(Cause),
    /// Nothing: the destination has a typing mistake.
    Malformed(Malformed),
    /// Nothing.
    Missing,
    /// A place above the root.
    Outside,
    /// An entry whose name differs in the case of letters.
    Case(u32),
    /// A document that the site does not show: no list of its pages names it.
    Unpublished(u32),
    /// Nothing: an entry is there, and the published site has it at another address.
    Misaddressed(u32),
    /// A file that is no document, or a folder without a page.
    Entry(u32),
    /// A page, and whether the link named its folder.
    Page(u32),
    /// The page of a folder.
    FolderPage {
        /// The folder's entry.
        folder: u32,
        /// The page.
        page: u32,
    },
}

/// How a link's fragment fits its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// It does, or there is none, or it cannot be judged.
    Fine,
    /// Only but for the case of letters; this is how the page writes it.
    Case(Text),
    /// It does not.
    Missing,
    /// It cannot be judged.
    Unjudged(Cause),
}

/// The result for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The target.
    pub target: Target,
    /// Where in there.
    pub fragment: Fragment,
}

impl Resolved {
    const ELSEWHERE: Self = Self { target: Target::Elsewhere, fragment: Fragment::Fine };

    /// The page it leads to.
    #[must_use]
    pub const fn page(&self) -> Option<u32> {
        match self.target {
            Target::Page(page) | Target::FolderPage { page, .. } => Some(page),
            _ => None,
        }
    }
}

/// Resolves all links of a page, in order.
#[must_use]
pub fn resolve(corpus: &Corpus, page: u32) -> Box<[Resolved]> {
    let document = &corpus.pages[page as usize].document;
    let mut buffer = Vec::new();
    let one = |link: &Link| one(corpus, page, link, document.text(link.destination), &mut buffer);
    document.links.iter().map(one).collect()
}

/// Resolves the links of a page that is a part of another one, `place`.
#[must_use]
pub fn resolve_on(corpus: &Corpus, page: u32, place: u32) -> Box<[Resolved]> {
    let document = &corpus.pages[page as usize].document;
    let mut buffer = Vec::new();
    let one = |link: &Link| one(corpus, place, link, document.text(link.destination), &mut buffer);
    document.links.iter().map(one).collect()
}

fn one(corpus: &Corpus, page: u32, link: &Link, destination: &str, buffer: &mut Vec<u8>) -> Resolved {
    let resolved = destination_of(corpus, page, link.kind, destination, buffer);
    // `[](){#name}` is Python-Markdown's way to write an anchor.
    // A chapter of mdBook that is still to be written has an empty one in the summary.
    let is_draft = || {
        let name = file_name(corpus.path(page));
        corpus.site(page).links.drafts.iter().any(|draft| draft.as_bytes() == name)
    };
    let is_anchor = resolved.target == Target::Malformed(Malformed::Empty) && (link.is_anchor || is_draft());
    if is_anchor { Resolved { target: Target::Page(page), fragment: Fragment::Fine } } else { resolved }
}

/// Returns whether a destination, written on a page, surely leads to one place by the rules of the page's renderer, fragment included.
#[must_use]
pub fn is_certain(corpus: &Corpus, page: u32, kind: LinkKind, destination: &str) -> bool {
    let resolved = destination_of(corpus, page, kind, destination, &mut Vec::new());
    let named = Parts::new(destination).fragment.filter(|fragment| !fragment::is_universal(fragment));
    if resolved.fragment != Fragment::Fine || !corpus.site(page).known {
        return false;
    }
    match resolved.target {
        Target::Page(to) | Target::FolderPage { page: to, .. } => {
            corpus.site(to).known && named.is_none_or(|fragment| fragment::is_there(corpus, to, fragment))
        }
        Target::Entry(entry) => {
            named.is_none() && corpus.site(page).is_within(&corpus.tree.entries()[entry as usize].path)
        }
        _ => false,
    }
}

/// Returns the address to which a link leads on the published site, from the site's root; nothing where it leads to something or is not known.
#[must_use]
pub fn nowhere(corpus: &Corpus, page: u32, kind: LinkKind, destination: &str) -> Option<Vec<u8>> {
    let path = Parts::new(destination.trim()).decoded().into_owned();
    match served::find(corpus, page, corpus.site(page), &path, kind) {
        served::Served::Nowhere(addresses) => {
            let end: &[u8] = if path.ends_with(b"/") { b"/" } else { b"" };
            addresses.first().map(|address| [b"/", address.as_slice(), end].concat())
        }
        _ => None,
    }
}

fn destination_of(corpus: &Corpus, page: u32, kind: LinkKind, destination: &str, buffer: &mut Vec<u8>) -> Resolved {
    let site = corpus.site(page);
    let destination = destination.trim();
    let malformed = |kind| Resolved { target: Target::Malformed(kind), fragment: Fragment::Fine };
    if kind == LinkKind::Autolink {
        return on_the_web(corpus, site, destination);
    }
    // A note may be named `TODO`.
    let is_path = kind != LinkKind::Wiki;
    if let Some(kind) = malformed::at_sight(destination, kind).filter(|_| is_path) {
        return meant_otherwise(site, kind).unwrap_or_else(|| malformed(kind));
    }
    if has_scheme(destination) || is_template(destination) {
        return on_the_web(corpus, site, destination);
    }
    if let Some(name) = destination.strip_prefix(POST) {
        return post::resolve(corpus, page, site, name);
    }
    let parts = routed(site, Parts::new(destination));
    if parts.path.is_empty() && is_frame(corpus, page, site) {
        return Resolved::ELSEWHERE;
    }
    let target = if parts.path.is_empty() {
        // `?query` alone and `#fragment` alone are about the page itself.
        Target::Page(page)
    } else {
        path::locate(corpus, page, site, &parts.decoded(), kind, buffer)
    };
    let resolved = resolve_target(corpus, site, destination, &parts, kind, target);
    let is_lost = resolved.fragment == Fragment::Missing && !parts.path.is_empty();
    let resolved = match is_lost.then(|| elsewhere_named(corpus, page, site, &parts, kind, resolved)).flatten() {
        Some(other) => other,
        None => resolved,
    };
    let is_broken =
        matches!(resolved.target, Target::Missing | Target::Case(_)) || resolved.fragment == Fragment::Missing;
    // A script of the page may fill one in.
    let is_filled = resolved.target == Target::Malformed(Malformed::Placeholder) && is_part(site, corpus.path(page));
    let is_for_others = || {
        is_for_site(corpus, page, site, parts.path)
            || is_by_address(corpus, page, site, &parts)
            || is_part(site, corpus.path(page))
            || site.leaves_alone(destination)
    };
    if is_filled || is_broken && is_for_others() {
        return Resolved { target: Target::Unjudged(Cause::Published), fragment: Fragment::Fine };
    }
    resolved
}

/// Returns what a link with a fragment that its page lacks means otherwise: `../#x` is a folder of files or one of addresses, and where the site's
/// root is not known, a README of the host has nothing to say about `/#x`.
fn elsewhere_named(
    corpus: &Corpus,
    page: u32,
    site: &Site,
    parts: &Parts<'_>,
    kind: LinkKind,
    resolved: Resolved,
) -> Option<Resolved> {
    let fragment = parts.fragment?;
    if parts.path.starts_with('/') {
        let is_hosts = !site.links.is_host && corpus.site(resolved.page()?).links.is_host;
        let cause = site.cause(Form::Absolute).filter(|_| is_hosts)?;
        return Some(Resolved { target: Target::Unjudged(cause), fragment: Fragment::Fine });
    }
    // Where the addresses of all pages are known, a link leads to one place only.
    if !site.links.pages_are_folders || site.output.is_some() {
        return None;
    }
    let others = path::all(corpus, page, site, &parts.decoded(), kind);
    others.into_iter().find_map(|target| match target {
        Target::Page(of) | Target::FolderPage { page: of, .. } => {
            let is_there = fragment::find(corpus, of, fragment, false) == Fragment::Fine;
            is_there.then_some(Resolved { target, fragment: Fragment::Fine })
        }
        _ => None,
    })
}

/// Returns what a target means for a link, with the place that its fragment names.
fn resolve_target(
    corpus: &Corpus,
    site: &Site,
    destination: &str,
    parts: &Parts<'_>,
    kind: LinkKind,
    target: Target,
) -> Resolved {
    let malformed = |kind| Resolved { target: Target::Malformed(kind), fragment: Fragment::Fine };
    match target {
        Target::Missing | Target::Outside => {
            // A destination that was never meant as a path deserves better than "no such file".
            let is_file = |malformed: &Malformed| {
                // `LICENSE-MIT` of another folder is a path.
                *malformed == Malformed::Placeholder && corpus.tree.find_name(destination.as_bytes()).next().is_some()
            };
            match malformed::in_hindsight(destination).filter(|found| kind != LinkKind::Wiki && !is_file(found)) {
                Some(kind) => meant_otherwise(site, kind).unwrap_or_else(|| malformed(kind)),
                None => open(corpus, site, &parts.decoded(), target),
            }
        }
        Target::Case(_) | Target::Misaddressed(_) => open(corpus, site, &parts.decoded(), target),
        Target::Page(of) | Target::FolderPage { page: of, .. } => {
            let fragment = parts
                .fragment
                .map_or(Fragment::Fine, |fragment| fragment::find(corpus, of, fragment, parts.path.is_empty()));
            Resolved { target, fragment }
        }
        Target::Entry(entry) => {
            let folder = corpus.tree.entries()[entry as usize].kind == Kind::Folder;
            let named = parts.fragment.is_some_and(|fragment| !fragment::is_universal(fragment));
            Resolved {
                target,
                fragment: match folder && named && !site.links.pages_are_folders {
                    true if has_other_readme(corpus, entry) => Fragment::Unjudged(Cause::Markup),
                    true => Fragment::Missing,
                    false => Fragment::Fine,
                },
            }
        }
        _ => Resolved { target, fragment: Fragment::Fine },
    }
}

/// A placeholder, or brackets around a destination, where a program may give them a meaning: pages that are templates, notes whose blocks
/// are `((so))`, hooks that replace words.
fn meant_otherwise(site: &Site, malformed: Malformed) -> Option<Resolved> {
    // Nothing is known about such a site, so no form of link is judged, references included.
    let is_unknown = || site.cause(Form::Page).is_some() && site.cause(Form::Reference).is_some();
    let may_be = match malformed {
        Malformed::Wrapped => !site.known && is_unknown(),
        Malformed::Placeholder => is_unknown() || site.rewrites,
        _ => false,
    };
    let cause = site.cause(Form::Page).or_else(|| site.cause(Form::Reference)).filter(|_| may_be)?;
    Some(Resolved { target: Target::Unjudged(cause), fragment: Fragment::Fine })
}

/// Returns whether an address from the root stands in a document that only becomes a page of one of the tree's sites: it has the front matter
/// of one and lies outside of them, as drafts and templates do.
fn is_for_site(corpus: &Corpus, page: u32, site: &Site, path: &str) -> bool {
    site.links.is_host
        && path.starts_with('/')
        && corpus.pages[page as usize].document.front_matter.is_there
        && corpus.sites.all().iter().any(|site| !site.links.is_host && site.links.addresses != Addresses::None)
}

/// Returns whether a page that is written for some site, by its front matter, names the document beside it without its ending, as addresses do.
fn is_by_address(corpus: &Corpus, page: u32, site: &Site, parts: &Parts<'_>) -> bool {
    let beside = || normalise(parent(corpus.path(page)), &parts.decoded()).map(|path| [&*path, b".md"].concat());
    site.assumed
        && corpus.pages[page as usize].document.front_matter.is_of_a_site()
        // `entry.client.tsx` may be the page `entry.client.tsx.md`.
        && matches!(Form::from_path(parts.path.as_bytes()), Form::Bare | Form::File)
        && beside().is_some_and(|path| corpus.tree.find(&path).is_some())
}

/// Returns whether a document is a part of pages, by its usual name or that of its folder, and no profile says which pages these are.
fn is_part(site: &Site, path: &[u8]) -> bool {
    let name = file_name(path);
    // `_part.md` of Quarto and others is shown on pages; in a folder of Hugo's, `_index.md` is one.
    let is_named = || !site.known && name.starts_with(b"_") && !name.starts_with(b"_index.");
    (site.assumed || !site.known) && (in_parts(path) || is_named())
}

/// Returns whether a page is the frame around others, such as a navigation bar.
fn is_frame(corpus: &Corpus, page: u32, site: &Site) -> bool {
    !site.links.frames.is_empty()
        && site.links.frames.iter().any(|frame| frame.as_bytes() == file_name(corpus.path(page)))
}

/// Returns the fragment of a destination on a page of a site, as it stands there.
#[must_use]
pub fn fragment_of<'a>(site: &Site, destination: &'a str) -> Option<&'a str> {
    routed(site, Parts::new(destination)).fragment
}

/// Where pages are shown by a script: `?id=name` is the fragment, and `#/page?id=name` the page.
fn routed<'a>(site: &Site, parts: Parts<'a>) -> Parts<'a> {
    if !site.links.is_routed {
        return parts;
    }
    let parts = match parts.fragment {
        Some(route) if parts.path.is_empty() && route.starts_with('/') => Parts::new(route),
        _ => parts,
    };
    let id = parts.query.and_then(|query| query.split('&').find_map(|part| part.strip_prefix("id=")));
    Parts { fragment: parts.fragment.or(id), ..parts }
}

/// A target that is not there, unless something unknown about the site may be why.
fn open(corpus: &Corpus, site: &Site, path: &[u8], target: Target) -> Resolved {
    let form = site.form(path);
    let is_named = |name: &[u8]| corpus.tree.find_name(name).next().is_some();
    // Code that moves pages may also take one ending of Markdown for the other.
    let is_there = |name: &[u8]| match name.strip_suffix(b".mdx") {
        Some(stem) => is_named(name) || is_named(&[stem, b".md"].concat()),
        None => is_named(name) || (name.ends_with(b".md") && is_named(&[name, b"x"].concat())),
    };
    let is_nowhere = || target == Target::Missing && site.keeps_names(form) && !is_there(file_name(path));
    let cause = if site.open.is_empty() { None } else { site.cause(form).filter(|_| !is_nowhere()) };
    Resolved { target: cause.map_or(target, Target::Unjudged), fragment: Fragment::Fine }
}

/// Returns whether a folder's README is in a markup that is not read here: GitHub shows it, too, and names its headings.
fn has_other_readme(corpus: &Corpus, folder: u32) -> bool {
    const ENDINGS: [&[u8]; 9] = [b"rst", b"adoc", b"asciidoc", b"asc", b"org", b"textile", b"rdoc", b"creole", b"pod"];
    let folder = &corpus.tree.entries()[folder as usize].path;
    corpus.tree.children(folder).any(|(_, entry)| {
        let name = file_name(&entry.path);
        let ending = name.get(7..).unwrap_or_default();
        name.get(..7).is_some_and(|stem| stem.eq_ignore_ascii_case(b"readme."))
            && ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
    })
}

/// An address leads elsewhere, if need be to where the repository's host shows one of our pages.
fn on_the_web(corpus: &Corpus, site: &Site, address: &str) -> Resolved {
    let origin = corpus.sites.origin.as_ref();
    let path = origin.and_then(|origin| origin.path_of(address)).map(|path| Cow::from(percent_decode_str(path)));
    let entry = path.and_then(|path| corpus.tree.find(&path));
    let here = entry.map(|entry| Resolved { target: path::reached(corpus, site, entry), fragment: Fragment::Fine });
    match here.and_then(|here| here.page()) {
        Some(page) => Resolved { target: Target::Hosted(page), fragment: Fragment::Fine },
        None => Resolved::ELSEWHERE,
    }
}

/// Returns whether a destination is computed by the site's generator: `{{ url }}`, `{% link %}`, `${x}`, `<%= x %>`, JSX's `{x}`,
/// `|filename|x` of Pelican.
pub(in crate::audit) fn is_template(destination: &str) -> bool {
    if destination.starts_with("|filename|") {
        return true;
    }
    memchr::memchr2(b'{', b'<', destination.as_bytes()).is_some()
        && (["{{", "{%", "${", "<%"].iter().any(|mark| destination.contains(mark)) || destination.starts_with('{'))
}
