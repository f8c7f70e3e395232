//! The probable target of a broken link. A suggestion is a guess for people. Each says whether it is certain enough for
//! a fix.

mod render_link;

use super::corpus::Corpus;
use super::document::{Link, LinkKind, Match};
use super::folders::{TestFolderKind, in_tests};
use super::resolve::{Target, is_certain};
use super::walk::{Kind, is_markdown};
use crate::markdown::destination::{Parts, has_scheme};
use crate::text::casefold::alphanumerics;
use crate::text::path::{display_path, file_name, normalise, parent};

pub use render_link::{by_address, recased, render_link, rewritten};

/// The maximum number of candidates for an edit distance.
const MANY: usize = 2_000;

/// A guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The new destination.
    pub destination: String,
    /// `true` when nothing else can be meant.
    pub certain: bool,
}

/// Returns the probable target of a link that leads to nothing in the tree.
#[must_use]
pub fn target(corpus: &Corpus, page: u32, link: &Link) -> Option<Guess> {
    let guess = likely(corpus, page, link)?;
    // `/x` means this folder only in a repository or with a given root.
    let destination = corpus.pages[page as usize].document.text(link.destination);
    let is_rooted = !destination.starts_with('/') || corpus.rooted;
    // What is there, and is no target, is no better target.
    if guess.destination == destination {
        return None;
    }
    Some(Guess { certain: guess.certain && is_rooted, ..guess }.checked(corpus, page, link.kind))
}

/// Returns how a link is to be written whose target the published site has at another address: by the path of the file where the generator
/// takes that, else by the address.
#[must_use]
pub fn address(corpus: &Corpus, page: u32, link: &Link, entry: u32) -> Option<Guess> {
    let found = &corpus.tree.entries()[entry as usize];
    let index = || corpus.index_of(&found.path, corpus.site(page));
    let entry = match found.kind {
        Kind::Folder => corpus.pages[index()? as usize].entry,
        _ => entry,
    };
    let parts = Parts::new(corpus.pages[page as usize].document.text(link.destination));
    let by_path = rewritten(corpus, corpus.path(page), entry, &Parts { path: "", ..parts });
    let destination = match is_certain(corpus, page, link.kind, &by_path) {
        true => by_path,
        false => by_address(corpus, page, entry, &parts)?,
    };
    Some(Guess { destination, certain: true }.checked(corpus, page, link.kind))
}

impl Guess {
    /// Returns the guess. It stays certain only if its destination resolves to one target under the page's renderer,
    /// including the fragment.
    #[must_use]
    pub fn checked(self, corpus: &Corpus, page: u32, kind: LinkKind) -> Self {
        let certain =
            self.certain && (has_scheme(&self.destination) || is_certain(corpus, page, kind, &self.destination));
        Self { certain, ..self }
    }
}

fn likely(corpus: &Corpus, page: u32, link: &Link) -> Option<Guess> {
    let document = &corpus.pages[page as usize].document;
    let destination = document.text(link.destination);
    let parts = Parts::new(destination);
    let path = parts.decoded();
    let own = corpus.path(page);
    // The `#` is missing: the page itself has that heading.
    if parts.fragment.is_none()
        && !parts.path.contains(['/', '.'])
        && document.anchors.find(parts.path, &document.strings) == Match::Exact
    {
        return Some(Guess { destination: format!("#{destination}"), certain: true });
    }
    // A Windows path, which no renderer accepts.
    if let Some(entry) = with_slashes(&path).and_then(|path| corpus.tree.find(&normalise(parent(own), &path)?)) {
        return Some(Guess { destination: rewritten(corpus, own, entry, &parts), certain: true });
    }
    let wanted = normalise(if path.starts_with(b"/") { b"" } else { parent(own) }, &path);
    // The ending is missing.
    if let Some(wanted) = &wanted
        && !is_markdown(wanted)
        && let Some(entry) = corpus.tree.find(&[wanted, b".md".as_slice()].concat())
    {
        return Some(Guess { destination: rewritten(corpus, own, entry, &parts), certain: true });
    }
    // The path starts at the root instead of this document.
    if let Some(entry) = normalise(b"", &path).filter(|path| !path.is_empty()).and_then(|path| corpus.tree.find(&path))
    {
        let certain = is_only_end(corpus, &corpus.tree.entries()[entry as usize].path);
        return Some(Guess { destination: rewritten(corpus, own, entry, &parts), certain });
    }
    moved(corpus, own, &path, &parts).or_else(|| similar(corpus, own, wanted.as_deref()?, &parts))
}

/// Returns whether no other path of the tree ends like the written one.
fn is_only_end(corpus: &Corpus, path: &[u8]) -> bool {
    let ends = |entry: &u32| {
        let other = &corpus.tree.entries()[*entry as usize].path;
        other.len() > path.len() && other.ends_with(path) && other[other.len() - path.len() - 1] == b'/'
    };
    !corpus.tree.find_name(file_name(path)).any(|entry| ends(&entry))
}

fn with_slashes(path: &[u8]) -> Option<Vec<u8>> {
    path.contains(&b'\\').then(|| path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect())
}

/// Returns the only file with this name, or the one that shares most of the end of the path.
fn moved(corpus: &Corpus, own: &[u8], path: &[u8], parts: &Parts<'_>) -> Option<Guess> {
    let name = file_name(path);
    // Every folder has such a file.
    let common = matches!(name.to_ascii_lowercase().as_slice(), b"readme.md" | b"index.md" | b"" | b"." | b"..");
    let is_here = |entry: &u32| !matches!(corpus.tree.entries()[*entry as usize].kind, Kind::Outside);
    let entries: Vec<u32> = corpus.tree.find_name(name).filter(is_here).collect();
    let shared = |entry: &u32| {
        let other = &corpus.tree.entries()[*entry as usize].path;
        let mine = path.rsplit(|byte| *byte == b'/');
        mine.zip(other.rsplit(|byte| *byte == b'/')).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
    };
    // A page that links to another of its own name has not moved to itself.
    let entries: Vec<u32> =
        entries.into_iter().filter(|entry| *corpus.tree.entries()[*entry as usize].path != *own).collect();
    let best = entries.iter().map(shared).max()?;
    let mut fitting = entries.iter().filter(|entry| shared(entry) == best);
    let (first, second) = (fitting.next()?, fitting.next());
    if second.is_some() || common && best < 2 {
        return None;
    }
    // `OWNERS.md` and a distant `owners.md` are rarely the same document.
    let other = &corpus.tree.entries()[*first as usize].path;
    let same = file_name(other) == name;
    // What tests need is rarely what readers are sent to.
    let is_for_tests = |path: &[u8]| in_tests(path, TestFolderKind::OrChapter);
    let certain = entries.len() == 1
        && !common
        && same
        && memchr::memchr(b'.', name).is_some()
        // A fixture may lack on purpose what is somewhere else.
        && is_for_tests(other) == is_for_tests(own);
    Some(Guess { destination: rewritten(corpus, own, *first, parts), certain })
}

/// Returns a name in the same folder that differs in a few letters.
fn similar(corpus: &Corpus, own: &[u8], wanted: &[u8], parts: &Parts<'_>) -> Option<Guess> {
    let folder = parent(wanted);
    let name = std::str::from_utf8(file_name(wanted)).ok()?;
    corpus.tree.find(folder)?;
    let candidates = corpus.tree.children(folder).take(MANY);
    let named = candidates.filter_map(|(at, entry)| Some((at, std::str::from_utf8(file_name(&entry.path)).ok()?)));
    let (entry, _) = nearest(name, named)?;
    Some(Guess { destination: rewritten(corpus, own, entry, parts), certain: false })
}

/// Returns the candidate nearest to `wanted`, if it is near enough.
fn nearest<'a, T>(wanted: &str, candidates: impl Iterator<Item = (T, &'a str)>) -> Option<(T, &'a str)> {
    // A shared ending proves nothing.
    let stem = wanted.rsplit_once('.').map_or(wanted, |(stem, _)| stem);
    let mut limit = (stem.chars().count() / 4).min(6);
    let mut best: Option<(T, &str)> = None;
    for (key, candidate) in candidates {
        // A character has at most four bytes.
        let most = if wanted.is_ascii() && candidate.is_ascii() { limit } else { limit * 4 };
        let (one, other) = (wanted.as_bytes(), candidate.as_bytes());
        if one.len().abs_diff(other.len()) > most || least_edits(one, other) > most {
            continue;
        }
        let distance = strsim::osa_distance(wanted, candidate);
        if distance > limit {
            continue;
        }
        best = Some((key, candidate));
        // Only a nearer candidate replaces it.
        match distance.checked_sub(1) {
            Some(nearer) => limit = nearer,
            None => break,
        }
    }
    best
}

/// Returns a lower bound of the byte edit distance: each byte that one text has more often than the other needs an
/// edit. Bytes that agree in their last six bits count as equal.
fn least_edits(one: &[u8], other: &[u8]) -> usize {
    let mut surplus = [0_i32; 64];
    one.iter().for_each(|byte| surplus[usize::from(byte & 63)] += 1);
    other.iter().for_each(|byte| surplus[usize::from(byte & 63)] -= 1);
    let (more, less) =
        surplus.iter().fold((0, 0), |(more, less), surplus| (more + surplus.max(&0), less - surplus.min(&0)));
    usize::try_from(more.max(less)).unwrap_or(usize::MAX)
}

/// Returns the anchor of a page that `fragment` probably means.
#[must_use]
pub fn anchor(corpus: &Corpus, page: u32, fragment: &str) -> Option<Guess> {
    let document = &corpus.pages[page as usize].document;
    if document.anchors.len() > MANY {
        return None;
    }
    alphanumerics(fragment).next()?;
    let names: Vec<&str> = document.anchors.iter(&document.strings).collect();
    let guess = |name: &str, certain| Some(Guess { destination: name.to_owned(), certain });
    let mut same = names.iter().filter(|name| alphanumerics(name).eq(alphanumerics(fragment)));
    if let Some(name) = same.next() {
        return guess(name, same.next().is_none());
    }
    if let Some((name, _)) = nearest(fragment, names.iter().map(|name| (*name, *name))) {
        return guess(name, false);
    }
    // A heading that became longer or shorter, or lost its number.
    let wanted = bare(fragment);
    let mut grown = names.iter().filter(|name| {
        let name = bare(name);
        let (short, long) = if name.len() < wanted.len() { (name, wanted) } else { (wanted, name) };
        let (begins, ends) = (long.starts_with(short), long.ends_with(short));
        short.len() >= 8 && (begins && short.len() * 4 >= long.len() || ends && short.len() * 2 >= long.len())
    });
    let first = grown.next()?;
    if grown.next().is_some() { None } else { guess(first, false) }
}

/// Returns a guess for a destination that was found another way, such as in parentheses. It is certain only if the
/// destination is good as it stands.
#[must_use]
pub fn found(corpus: &Corpus, page: u32, destination: String) -> Guess {
    let certain = match destination.strip_prefix('#') {
        Some(fragment) => {
            let document = &corpus.pages[page as usize].document;
            document.anchors.find(fragment, &document.strings) == Match::Exact
        }
        None => has_scheme(&destination),
    };
    Guess { destination, certain }
}

/// Returns an anchor without a leading number.
fn bare(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-')
}

/// Returns the name of a link's target for messages.
#[must_use]
pub fn target_name(corpus: &Corpus, page: u32, destination: &str, target: Target) -> String {
    let parts = Parts::new(destination);
    let path = parts.decoded();
    match target {
        Target::Case(entry) | Target::Entry(entry) | Target::Misaddressed(entry) => {
            display_path(&corpus.tree.entries()[entry as usize].path)
        }
        Target::Page(page) | Target::Unpublished(page) | Target::FolderPage { page, .. } => {
            display_path(corpus.path(page))
        }
        _ => {
            let site = corpus.site(page);
            let folder = if path.starts_with(b"/") { site.folder.as_slice() } else { parent(corpus.path(page)) };
            normalise(folder, &path).map_or_else(|| display_path(&path), |path| display_path(&path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names() {
        let nearest_name = |wanted, names: &[&'static str]| {
            nearest(wanted, names.iter().map(|name| (*name, *name))).map(|(name, _)| name)
        };
        assert_eq!(nearest_name("instal.md", &["readme.md", "install.md"]), Some("install.md"));
        assert_eq!(nearest_name("a.md", &["b.md"]), None);
    }
}
