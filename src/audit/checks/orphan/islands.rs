//! Unreachable documents → islands, and whole folders without a link into them.

use rustc_hash::FxHashMap;

use crate::audit::checks::Context;
use crate::text::path::{file_name, parent};

/// An island, by the page that leads to all of it.
pub(super) struct Island {
    /// The first page.
    pub(super) entry: u32,
    /// The number of its documents.
    pub(super) size: usize,
}

/// Returns the unreachable pages that no other unreachable page links to, each with the pages that hang on it. A circle
/// counts by its first page.
pub(super) fn islands(context: Context<'_>, lost: &[bool]) -> Vec<Island> {
    let mut entered = vec![false; lost.len()];
    for (from, to) in context.graph.pairs() {
        // An unreachable page with a link from another one belongs to that island.
        entered[to as usize] |= from != to;
    }
    let mut seen = vec![false; lost.len()];
    let mut islands = Vec::new();
    let all = (0_u32..).zip(lost).filter(|(_, lost)| **lost).map(|(page, _)| page);
    let (mut first, rest): (Vec<u32>, Vec<u32>) = all.partition(|page| !entered[*page as usize]);
    first.extend(rest);
    for entry in first {
        if seen[entry as usize] {
            continue;
        }
        let (mut size, mut waiting) = (0, vec![entry]);
        while let Some(page) = waiting.pop() {
            if std::mem::replace(&mut seen[page as usize], true) {
                continue;
            }
            size += usize::from(lost[page as usize]);
            waiting.extend(context.graph.from(page).iter().filter(|to| lost[**to as usize] && !seen[**to as usize]));
        }
        islands.push(Island { entry, size });
    }
    islands
}

/// Returns the topmost folders with at least two documents, all unreachable.
pub(super) fn forgotten_folders<'a>(context: Context<'a>, lost: &[bool]) -> Vec<(&'a [u8], Vec<u32>)> {
    let corpus = context.corpus;
    let mut counts: FxHashMap<&[u8], (usize, usize)> = FxHashMap::default();
    for (page, lost) in (0_u32..).zip(lost) {
        // Pages that need no link say nothing about their folder, nor do those of which it is not known what leads to them.
        if !lost && (!context.graph.reached[page as usize] || !corpus.site(page).known) {
            continue;
        }
        let mut folder = parent(corpus.path(page));
        while !folder.is_empty() {
            let (of_lost, all) = counts.entry(folder).or_default();
            *of_lost += usize::from(*lost);
            *all += 1;
            folder = parent(folder);
        }
    }
    let is_forgotten = |folder: &[u8]| counts.get(folder).is_some_and(|(of_lost, all)| of_lost == all && *all > 1);
    let mut members: FxHashMap<&[u8], Vec<u32>> = FxHashMap::default();
    for (page, _) in (0_u32..).zip(lost).filter(|(_, lost)| **lost) {
        let (mut folder, mut topmost) = (parent(corpus.path(page)), None);
        while !folder.is_empty() {
            topmost = if is_forgotten(folder) { Some(folder) } else { topmost };
            folder = parent(folder);
        }
        if let Some(folder) = topmost {
            members.entry(folder).or_default().push(page);
        }
    }
    let mut folders: Vec<_> = members.into_iter().collect();
    folders.sort_unstable_by_key(|(folder, _)| *folder);
    folders
}

/// The page by which one would enter a folder.
pub(super) fn entry_of(context: Context<'_>, members: &[u32]) -> u32 {
    let depth = |page: &u32| context.corpus.path(*page).iter().filter(|byte| **byte == b'/').count();
    let is_index = |page: &u32| {
        let name = file_name(context.corpus.path(*page)).to_ascii_lowercase();
        name.starts_with(b"readme.") || name.starts_with(b"index.") || name.starts_with(b"_index.")
    };
    members.iter().copied().min_by_key(|page| (depth(page), !is_index(page), *page)).unwrap_or_default()
}
