//! Documents whose text becomes a part of others. Those outside of every site are no pages: their links count from the
//! pages that they are included in.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::corpus::Corpus;
use super::document::{Document, LinkKind};
use super::resolve::{Fragment, Resolved, Target, resolve_on};
use super::site::{Cause, Site, is_below};
use crate::text::casefold;
use crate::text::path::file_name;

/// More of them are not tried for each link.
const MANY: usize = 8;

/// Which pages include which.
#[derive(Clone, Debug, Default)]
pub struct Included {
    /// By the page that is included: the pages that include it.
    by: FxHashMap<u32, Vec<u32>>,
}

impl Included {
    /// Reads it off the links of all pages.
    #[must_use]
    pub fn new(corpus: &Corpus, links: &[Box<[Resolved]>]) -> Self {
        let mut by: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        let pages = 0..u32::try_from(links.len()).unwrap_or(u32::MAX);
        let of_page = |number: u32| {
            let links = corpus.pages[number as usize].document.links.iter().zip(&links[number as usize]);
            let includes = links.filter(|(link, _)| link.kind == LinkKind::Include);
            includes.filter_map(move |(_, resolved)| {
                resolved.page().filter(|target| *target != number).map(|target| (target, number))
            })
        };
        let found: Vec<_> = pages.into_par_iter().flat_map_iter(of_page).collect();
        for (target, number) in found {
            by.entry(target).or_default().push(number);
        }
        for site in corpus.sites.all() {
            for path in &site.appended {
                if let Some(page) = corpus.tree.find(path).and_then(|entry| corpus.page_of(entry)) {
                    by.entry(page).or_default();
                }
            }
        }
        Self { by }
    }

    /// Returns whether a page is a part of another one.
    #[must_use]
    pub fn has(&self, page: u32) -> bool {
        self.by.contains_key(&page)
    }

    /// The links of pages that are only parts of others: those that lead nowhere from there, as they resolve where the
    /// others stand. One that leads nowhere from any of them is not judged: no suggestion would hold for all.
    pub fn resolve<'a>(
        &'a self,
        corpus: &'a Corpus,
        links: &'a [Box<[Resolved]>],
    ) -> impl Iterator<Item = (u32, Box<[Resolved]>)> + 'a {
        let parts = self.by.iter().filter(|(page, places)| {
            let path = corpus.path(**page);
            places.first().is_some_and(|place| is_part(corpus.site(*place), path))
        });
        parts.map(|(page, places)| {
            let mut links = links[*page as usize].clone();
            if is_for_host(corpus.path(*page)) {
                labels(corpus, *page, places, &mut links);
                return (*page, links);
            }
            for place in places.iter().take(MANY) {
                if links.iter().all(is_good) {
                    break;
                }
                let others = resolve_on(corpus, *page, *place);
                links.iter_mut().zip(others).filter(|(link, _)| !is_good(link)).for_each(|(link, other)| *link = other);
            }
            for link in links.iter_mut().filter(|link| !is_good(link)) {
                *link = Resolved { target: Target::Unjudged(Cause::Composed), fragment: Fragment::Fine };
            }
            (*page, links)
        })
    }
}

/// Returns whether a document that pages of a site include is no page of it: it lies elsewhere or in a folder within it that is for
/// parts, or the settings exclude it.
fn is_part(site: &Site, path: &[u8]) -> bool {
    let is_for_parts = |folder: &Vec<u8>| folder.len() > site.folder.len() && is_below(folder, &site.folder);
    !is_below(path, &site.folder)
        || site.excludes(path)
        || site.includes.iter().any(|folder| is_for_parts(folder) && is_below(path, folder))
}

/// Resolves the links of a page of the host that can only be meant where it is included: a label of the site there is no path of a file.
fn labels(corpus: &Corpus, page: u32, places: &[u32], links: &mut [Resolved]) {
    let document = &corpus.pages[page as usize].document;
    for (link, resolved) in document.links.iter().zip(links).filter(|(_, resolved)| !is_good(resolved)) {
        let label = document.text(link.destination).trim().trim_start_matches('#').as_bytes();
        let found = places.iter().take(MANY).find_map(|place| corpus.label(*place, label));
        if let Some(to) = found {
            *resolved = Resolved { target: Target::Page(to), fragment: Fragment::Fine };
        }
    }
}

/// Returns whether a document is a page of the repository's host even if another one includes it: README, CONTRIBUTING,
/// CHANGELOG.
fn is_for_host(path: &[u8]) -> bool {
    let name = file_name(path);
    let stem = &name[..memchr::memchr(b'.', name).unwrap_or(name.len())];
    !stem.iter().any(u8::is_ascii_lowercase)
}

fn is_good(link: &Resolved) -> bool {
    !matches!(link.target, Target::Missing | Target::Outside | Target::Case(_) | Target::Misaddressed(_))
        && !matches!(link.fragment, Fragment::Missing | Fragment::Case(_))
}

/// Returns whether a label is defined in a file that becomes a part of a page.
#[must_use]
pub fn defines(corpus: &Corpus, links: &[Box<[Resolved]>], page: u32, label: &str) -> bool {
    let appended = &corpus.site(page).appended;
    let mut waiting: Vec<u32> = appended.iter().filter_map(|path| corpus.page_of(corpus.tree.find(path)?)).collect();
    let mut seen = Vec::new();
    waiting.push(page);
    while let Some(part) = waiting.pop() {
        if seen.contains(&part) || seen.len() > 4 * MANY {
            continue;
        }
        seen.push(part);
        let document = &corpus.pages[part as usize].document;
        if part != page && has_label(document, label) {
            return true;
        }
        let of = document.links.iter().zip(&links[part as usize]);
        waiting
            .extend(of.filter(|(link, _)| link.kind == LinkKind::Include).filter_map(|(_, resolved)| resolved.page()));
    }
    false
}

fn has_label(document: &Document, label: &str) -> bool {
    let normal = |label: &str| label.split_whitespace().collect::<Vec<_>>().join(" ");
    let label = normal(label);
    let mut labels = document.definitions.iter().map(|definition| document.text(definition.label));
    labels.any(|other| casefold::same(normal(other).as_bytes(), label.as_bytes()))
}
