//! Documents → graph: the links between documents, and the documents that a reader can reach. It knows nothing of
//! findings.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::corpus::{Corpus, Page};
use super::doubt::{self, Doubt};
use super::included::Included;
use super::resolve::{Resolved, Target, resolve};
use super::site::is_below;
use super::walk::Kind;
use crate::text::path::{file_name, parent};

/// The links of all pages and the reachable pages.
#[derive(Debug)]
pub struct Graph {
    /// By page: the targets of its links, in order.
    pub links: Vec<Box<[Resolved]>>,
    /// By page: the pages that it links to, sorted, without itself.
    edges: Vec<Box<[u32]>>,
    /// By page: the linked folders without a page of their own, sorted.
    folders: Vec<Box<[u32]>>,
    /// By page: `true` when a reader can reach it from an entry point.
    pub reached: Vec<bool>,
    /// The entry points.
    pub entry_points: Vec<u32>,
    /// The pages that are parts of others.
    pub included: Included,
    /// The forms of links that the profile most likely judges wrongly.
    pub doubts: Vec<Doubt>,
}

impl Graph {
    /// Builds the graph. `is_entry` returns whether a path is a configured entry point.
    #[must_use]
    pub fn new(corpus: &Corpus, is_entry: &(dyn Fn(&[u8]) -> bool + Sync)) -> Self {
        let pages = u32::try_from(corpus.pages.len()).unwrap_or(u32::MAX);
        let mut links: Vec<_> = (0..pages).into_par_iter().map(|page| resolve(corpus, page)).collect();
        let included = Included::new(corpus, &links);
        let parts: Vec<_> = included.resolve(corpus, &links).collect();
        for (page, resolved) in parts {
            links[page as usize] = resolved;
        }
        let doubts = doubt::find(corpus, &mut links);
        let of_pages: Vec<_> = (0..pages)
            .into_par_iter()
            .zip(links)
            .map(|(page, links)| {
                let (edges, folders) = (edges(corpus, page, &links), folders(corpus, &links));
                (links, (edges, folders))
            })
            .collect();
        let (links, (edges, folders)) = of_pages.into_iter().unzip();
        let starts = |page: &u32| is_conventional(corpus, *page) || is_entry(corpus.path(*page));
        let entry_points: Vec<u32> = (0..pages).into_par_iter().filter(starts).collect();
        let mut graph =
            Self { included, doubts, links, edges, folders, reached: vec![false; pages as usize], entry_points };
        let starts = graph.entry_points.iter().copied().chain(navigated(corpus)).collect();
        let mut seen = FxHashSet::default();
        graph.reach(corpus, starts, &mut seen);
        graph.browse(corpus, &mut seen);
        graph
    }

    /// Returns the pages that a page links to.
    #[must_use]
    pub fn from(&self, page: u32) -> &[u32] {
        &self.edges[page as usize]
    }

    /// Returns all edges as pairs (from, to), sorted, without repetition.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0_u32..).zip(&self.edges).flat_map(|(from, to)| to.iter().map(move |to| (from, *to)))
    }

    /// A host shows the README of a folder, so a reader of any page in the folder can reach it.
    fn browse(&mut self, corpus: &Corpus, folders: &mut FxHashSet<u32>) {
        loop {
            let seen: FxHashSet<&[u8]> = (0_u32..)
                .zip(&self.reached)
                .filter(|(_, reached)| **reached)
                .map(|(page, _)| parent(corpus.path(page)))
                .collect();
            let listed: Vec<u32> = (0_u32..)
                .zip(&self.reached)
                .filter(|(_, reached)| !**reached)
                .map(|(page, _)| page)
                .filter(|page| {
                    let path = corpus.path(*page);
                    file_name(path).to_ascii_lowercase().starts_with(b"readme.") && seen.contains(parent(path))
                })
                .collect();
            if listed.is_empty() {
                return;
            }
            self.reach(corpus, listed, folders);
        }
    }

    /// Follows links from `waiting`. A folder without a page shows its contents, once.
    fn reach(&mut self, corpus: &Corpus, mut waiting: Vec<u32>, seen: &mut FxHashSet<u32>) {
        while let Some(page) = waiting.pop() {
            if std::mem::replace(&mut self.reached[page as usize], true) {
                continue;
            }
            waiting.extend(self.edges[page as usize].iter().filter(|to| !self.reached[**to as usize]));
            for folder in self.folders[page as usize].iter().filter(|folder| seen.insert(**folder)) {
                waiting.extend(listed(corpus, &corpus.tree.entries()[*folder as usize].path));
            }
        }
    }
}

/// Returns the pages that these links lead to.
fn edges(corpus: &Corpus, page: u32, links: &[Resolved]) -> Box<[u32]> {
    let leads = |link: &Resolved| match link.target {
        // A link with the wrong letter case still counts. Fixing the link is enough.
        Target::Case(entry) | Target::Misaddressed(entry) => corpus.page_of(entry),
        Target::Hosted(page) | Target::Unpublished(page) => Some(page),
        _ => link.page(),
    };
    let mut to: Vec<u32> = links.iter().filter_map(leads).filter(|to| *to != page).collect();
    to.sort_unstable();
    to.dedup();
    to.into()
}

/// Returns the folders that these links lead to.
fn folders(corpus: &Corpus, links: &[Resolved]) -> Box<[u32]> {
    let entries = links.iter().filter_map(|link| match link.target {
        Target::Entry(entry) => Some(entry),
        _ => None,
    });
    let mut folders: Vec<u32> =
        entries.filter(|entry| corpus.tree.entries()[*entry as usize].kind == Kind::Folder).collect();
    folders.sort_unstable();
    folders.dedup();
    folders.into()
}

/// Returns the pages in the listing of a folder, with the pages of its folders.
fn listed(corpus: &Corpus, folder: &[u8]) -> Vec<u32> {
    let site = corpus.sites.site(corpus.sites.number(folder));
    let page_of_entry = |(at, entry): (u32, &super::walk::Entry)| match entry.kind {
        Kind::Folder => corpus.index_of(&entry.path, site),
        _ => corpus.page_of(at),
    };
    corpus.tree.children(folder).filter_map(page_of_entry).collect()
}

/// Returns whether a page is a usual entry point: a README, index, SUMMARY or side bar at the root, in the
/// documentation folder, or at the start of a site.
fn is_conventional(corpus: &Corpus, page: u32) -> bool {
    let path = corpus.path(page);
    let name = file_name(path).to_ascii_lowercase();
    let stem = &name[..memchr::memrchr(b'.', &name).unwrap_or(name.len())];
    let folder = parent(path);
    let site = corpus.site(page);
    let is_navigation = matches!(stem, b"summary" | b"_sidebar" | b"_navbar" | b"_index");
    let is_start = matches!(stem, b"readme" | b"index" | b"home" | b"_index" | b"intro" | b"introduction");
    let at_start = folder.is_empty() || folder == &*site.folder || matches!(folder, b"docs" | b"doc" | b".github");
    is_navigation && is_below(path, &site.folder) || is_start && at_start
}

/// Returns the pages that navigation files name, with their neighbours where the site's generator orders pages itself.
fn navigated(corpus: &Corpus) -> Vec<u32> {
    // The navigation of a generator without a profile is in files that are not read: it has all of its pages.
    let is_listed = |number: u32, page: &Page| page.document.front_matter.listed || !corpus.site(number).known;
    let listed = (0_u32..).zip(&corpus.pages).filter(|(number, page)| is_listed(*number, page));
    let mut pages: Vec<u32> = listed.map(|(number, _)| number).collect();
    for site in corpus.sites.all() {
        for path in &site.navigation {
            let endings = site.links.endings.iter().copied();
            let found = [""]
                .into_iter()
                .chain(endings)
                .find_map(|ending| corpus.tree.find(&[path, ending.as_bytes()].concat()));
            let Some(entry) = found else { continue };
            match corpus.page_of(entry) {
                Some(page) => pages.push(page),
                None => pages.extend(corpus.index_of(path, site)),
            }
        }
        // Some generators list the pages of a folder, some only when the file has no navigation.
        let all = Some(&site.folder).filter(|_| site.lists_folders);
        for folder in site.listed.iter().chain(all) {
            let below = (0_u32..).zip(&corpus.pages).filter(|(number, _)| is_below(corpus.path(*number), folder));
            pages.extend(below.map(|(number, _)| number));
        }
    }
    pages
}
