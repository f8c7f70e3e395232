//! Documents → graph: who leads to whom, and what a reader can reach. Nothing here knows what a finding is.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::corpus::Corpus;
use super::doubt::{self, Doubt};
use super::included::Included;
use super::resolve::{Resolved, Target, resolve};
use super::site::is_below;
use super::walk::Kind;
use crate::text::path::{file_name, parent};

/// The links of all pages and what follows from them.
#[derive(Debug)]
pub struct Graph {
    /// By page: where its links lead, in order.
    pub links: Vec<Box<[Resolved]>>,
    /// By page: the pages it leads to, sorted, without itself.
    edges: Vec<Box<[u32]>>,
    /// By page: the folders that it leads to and that have no page of their own, sorted.
    folders: Vec<Box<[u32]>>,
    /// By page: whether a reader who starts at an entry point gets there.
    pub reached: Vec<bool>,
    /// Where readers start.
    pub entry_points: Vec<u32>,
    /// Which pages are parts of others.
    pub included: Included,
    /// Forms of links that the profile most likely takes wrongly.
    pub doubts: Vec<Doubt>,
}

impl Graph {
    /// From the corpus; `is_entry` knows the configured entry points.
    #[must_use]
    pub fn new(corpus: &Corpus, is_entry: &(dyn Fn(&[u8]) -> bool + Sync)) -> Self {
        let pages = u32::try_from(corpus.pages.len()).unwrap_or(u32::MAX);
        let mut links: Vec<_> = (0..pages).into_par_iter().map(|page| resolve(corpus, page)).collect();
        let included = Included::new(corpus, &links);
        let parts: Vec<_> = included.resolve(corpus).collect();
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

    /// The pages that a page leads to.
    #[must_use]
    pub fn from(&self, page: u32) -> &[u32] {
        &self.edges[page as usize]
    }

    /// From, to: sorted, without repetition.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0_u32..).zip(&self.edges).flat_map(|(from, to)| to.iter().map(move |to| (from, *to)))
    }

    /// Hosts show a folder's README to whoever looks at the folder, and whoever reads a page of it is one click away.
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

    /// Follows links from `waiting`; a folder without a page of its own shows what is in it, once.
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

/// The pages that a page's links lead to.
fn edges(corpus: &Corpus, page: u32, links: &[Resolved]) -> Box<[u32]> {
    let leads = |link: &Resolved| match link.target {
        // With the wrong letter case it is still linked to: mending the link is enough.
        Target::Case(entry) => corpus.page_of(entry),
        Target::Hosted(page) | Target::Unpublished(page) => Some(page),
        _ => link.page(),
    };
    let mut to: Vec<u32> = links.iter().filter_map(leads).filter(|to| *to != page).collect();
    to.sort_unstable();
    to.dedup();
    to.into()
}

/// The folders that a page's links lead to.
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

/// The pages that one sees when a folder is listed, with the pages of its folders.
fn listed(corpus: &Corpus, folder: &[u8]) -> Vec<u32> {
    let site = corpus.sites.site(corpus.sites.number(folder));
    let page_of_entry = |(at, entry): (u32, &super::walk::Entry)| match entry.kind {
        Kind::Folder => corpus.index_of(&entry.path, site),
        _ => corpus.page_of(at),
    };
    corpus.tree.children(folder).filter_map(page_of_entry).collect()
}

/// README, index, SUMMARY and side bars, at the root, in its documentation folder, and where a site begins.
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

/// What navigation files name, with what stands beside it where a site's generator orders pages by itself.
fn navigated(corpus: &Corpus) -> Vec<u32> {
    let listed = (0_u32..).zip(&corpus.pages).filter(|(_, page)| page.document.front_matter.listed);
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
        // Some make lists of what is in a folder, some only where no navigation is written.
        let automatic = site.lists_folders;
        if automatic {
            let all = (0_u32..).zip(&corpus.pages).filter(|(number, _)| is_below(corpus.path(*number), &site.folder));
            pages.extend(all.map(|(number, _)| number));
        }
    }
    pages
}
