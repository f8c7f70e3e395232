//! What somebody probably meant. A suggestion is a guess for people; whether it is certain enough for a repair is said with it.

use super::corpus::Corpus;
use super::document::{Link, Match};
use super::resolve::{Parts, Target, has_scheme, normalise};
use super::walk::{Kind, file_name, is_markdown, parent};

/// More candidates than this are not compared letter by letter.
const MANY: usize = 2_000;

/// A guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// What to write in place of the destination.
    pub destination: String,
    /// Whether nothing else can be meant.
    pub certain: bool,
}

/// What a link to nothing in the tree may have meant.
#[must_use]
pub fn target(corpus: &Corpus, page: u32, link: &Link) -> Option<Guess> {
    let document = &corpus.pages[page as usize].document;
    let destination = document.text(link.destination);
    let parts = Parts::of(destination);
    let path = parts.decoded();
    let own = corpus.path(page);
    // `#` forgotten: the page has such a heading itself.
    if parts.fragment.is_none()
        && !parts.path.contains(['/', '.'])
        && document.anchors.find(parts.path, &document.strings) == Match::Exact
    {
        return Some(Guess { destination: format!("#{destination}"), certain: true });
    }
    // Windows' way of writing paths, which no renderer takes.
    if let Some(entry) = with_slashes(&path).and_then(|path| corpus.tree.find(&normalise(parent(own), &path)?)) {
        return Some(Guess { destination: rewritten(corpus, own, entry, &parts), certain: true });
    }
    let wanted = normalise(if path.starts_with(b"/") { b"" } else { parent(own) }, &path);
    // The ending forgotten.
    if let Some(wanted) = &wanted
        && !is_markdown(wanted)
        && let Some(entry) = corpus.tree.find(&[wanted, b".md".as_slice()].concat())
    {
        return Some(Guess { destination: rewritten(corpus, own, entry, &parts), certain: true });
    }
    // Counted from the root instead of from this document.
    if let Some(entry) = normalise(b"", &path).filter(|path| !path.is_empty()).and_then(|path| corpus.tree.find(&path))
    {
        return Some(Guess { destination: rewritten(corpus, own, entry, &parts), certain: true });
    }
    moved(corpus, own, &path, &parts).or_else(|| similar(corpus, own, wanted.as_deref()?, &parts))
}

fn with_slashes(path: &[u8]) -> Option<Vec<u8>> {
    path.contains(&b'\\').then(|| path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect())
}

/// The only file of this name, or the one that shares most of the end of the path.
fn moved(corpus: &Corpus, own: &[u8], path: &[u8], parts: &Parts<'_>) -> Option<Guess> {
    let name = file_name(path);
    // Every folder has one of those.
    let common = matches!(name.to_ascii_lowercase().as_slice(), b"readme.md" | b"index.md" | b"" | b"." | b"..");
    let entries = corpus.tree.find_name(name);
    let entries: Vec<u32> = entries
        .iter()
        .copied()
        .filter(|entry| !matches!(corpus.tree.entries()[*entry as usize].kind, Kind::Outside))
        .collect();
    let shared = |entry: &u32| {
        let other = &corpus.tree.entries()[*entry as usize].path;
        let mine = path.rsplit(|byte| *byte == b'/');
        mine.zip(other.rsplit(|byte| *byte == b'/')).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
    };
    let best = entries.iter().map(shared).max()?;
    let mut fitting = entries.iter().filter(|entry| shared(entry) == best);
    let (first, second) = (fitting.next()?, fitting.next());
    if second.is_some() || common && best < 2 {
        return None;
    }
    // `OWNERS.md` and `owners.md` far away are hardly one document.
    let same = file_name(&corpus.tree.entries()[*first as usize].path) == name;
    let certain = entries.len() == 1 && !common && same && memchr::memchr(b'.', name).is_some();
    Some(Guess { destination: rewritten(corpus, own, *first, parts), certain })
}

/// A name in the same folder that differs in a few letters.
fn similar(corpus: &Corpus, own: &[u8], wanted: &[u8], parts: &Parts<'_>) -> Option<Guess> {
    let folder = parent(wanted);
    let name = std::str::from_utf8(file_name(wanted)).ok()?;
    corpus.tree.find(folder)?;
    let candidates = corpus.tree.children(folder).take(MANY);
    let named = candidates.filter_map(|(at, entry)| Some((at, std::str::from_utf8(file_name(&entry.path)).ok()?)));
    let (entry, _) = nearest(name, named)?;
    Some(Guess { destination: rewritten(corpus, own, entry, parts), certain: false })
}

/// The candidate that is nearest to `wanted`, if it is near.
fn nearest<'a, T>(wanted: &str, candidates: impl Iterator<Item = (T, &'a str)>) -> Option<(T, &'a str)> {
    // An ending that all share says nothing.
    let stem = wanted.rsplit_once('.').map_or(wanted, |(stem, _)| stem);
    let limit = (stem.chars().count() / 4).min(6);
    let mut best: Option<(usize, T, &str)> = None;
    for (key, candidate) in candidates {
        if candidate.len().abs_diff(wanted.len()) > limit * 3 {
            continue;
        }
        let distance = strsim::osa_distance(wanted, candidate);
        if distance <= limit && best.as_ref().is_none_or(|(least, ..)| distance < *least) {
            best = Some((distance, key, candidate));
        }
    }
    best.map(|(_, key, candidate)| (key, candidate))
}

/// The anchor of a page that `fragment` may have meant.
#[must_use]
pub fn anchor(corpus: &Corpus, page: u32, fragment: &str) -> Option<Guess> {
    let document = &corpus.pages[page as usize].document;
    if document.anchors.len() > MANY {
        return None;
    }
    let wanted = letters(fragment);
    if wanted.is_empty() {
        return None;
    }
    let guess = |name: &str, certain| Some(Guess { destination: name.to_owned(), certain });
    let mut same = document.anchors.iter(&document.strings).filter(|name| letters(name) == wanted);
    if let Some(name) = same.next() {
        return guess(name, same.next().is_none());
    }
    if let Some((name, _)) = nearest(fragment, document.anchors.iter(&document.strings).map(|name| (name, name))) {
        return guess(name, false);
    }
    // A heading that has grown or shrunk, or lost its number.
    let bare = |text: &str| text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned();
    let wanted = bare(fragment);
    let mut grown = document.anchors.iter(&document.strings).filter(|name| {
        let name = bare(name);
        let (short, long) = if name.len() < wanted.len() { (&name, &wanted) } else { (&wanted, &name) };
        let (begins, ends) = (long.starts_with(short.as_str()), long.ends_with(short.as_str()));
        short.len() >= 8 && (begins && short.len() * 4 >= long.len() || ends && short.len() * 2 >= long.len())
    });
    let first = grown.next()?;
    if grown.next().is_some() { None } else { guess(first, false) }
}

/// A destination that was found in another way, such as between parentheses, as a guess. It is certain only where it is good as it
/// stands: a repair that needs another one is a guess about a guess.
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

/// What is left of an anchor without punctuation and letter case: two that agree in this can hardly mean different things.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A fragment as the page calls it that it is now to lead to, so that one repair makes the whole link good.
fn fitting<'a>(corpus: &'a Corpus, page: u32, fragment: &'a str) -> &'a str {
    let document = &corpus.pages[page as usize].document;
    let decoded = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
    match document.anchors.find(&decoded, &document.strings) {
        Match::Exact => fragment,
        Match::Case(name) => document.text(name),
        Match::None => {
            let wanted = letters(&decoded);
            let mut same = document.anchors.iter(&document.strings).filter(|name| letters(name) == wanted);
            match (same.next(), same.next()) {
                (Some(name), None) if !wanted.is_empty() => name,
                _ => fragment,
            }
        }
    }
}

/// `entry` as a destination on the page `own`, in the manner and with the query and fragment of the one it replaces.
#[must_use]
pub fn rewritten(corpus: &Corpus, own: &[u8], entry: u32, parts: &Parts<'_>) -> String {
    let fragment = parts.fragment.map(|fragment| match corpus.page_of(entry) {
        Some(page) => fitting(corpus, page, fragment),
        None => fragment,
    });
    written(own, &corpus.tree.entries()[entry as usize].path, parts, fragment)
}

/// The path `to` as a destination in the document `own`, in the manner of the one it replaces.
#[must_use]
pub fn written(own: &[u8], to: &[u8], parts: &Parts<'_>, fragment: Option<&str>) -> String {
    let path = if parts.path.starts_with('/') { [b"/", to].concat() } else { relative(parent(own), to) };
    let mut destination = encode(&path);
    if parts.path.starts_with("./") && !destination.starts_with('.') {
        destination.insert_str(0, "./");
    }
    if parts.path.ends_with('/') && !destination.ends_with('/') {
        destination.push('/');
    }
    if let Some(fragment) = fragment {
        destination.push('#');
        destination.push_str(fragment);
    }
    destination
}

/// The way from a folder to a path.
fn relative(from: &[u8], to: &[u8]) -> Vec<u8> {
    let split = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (from, to) = (split(from), split(to));
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from[shared..].iter().map(|_| b"..".to_vec());
    let parts: Vec<Vec<u8>> = up.chain(to[shared..].iter().cloned()).collect();
    if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') }
}

/// What a Markdown destination cannot hold as it is, by percent signs.
fn encode(path: &[u8]) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
    const SET: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'%')
        .add(b'#')
        .add(b'?')
        .add(b'(')
        .add(b')')
        .add(b'<')
        .add(b'>')
        .add(b'\\')
        .add(b'"')
        .add(b'*');
    match std::str::from_utf8(path) {
        // Letters of other alphabets are readable as they are.
        Ok(text) => text
            .chars()
            .map(|c| if c.is_ascii() { percent_encode(&[c as u8], SET).to_string() } else { c.to_string() })
            .collect(),
        Err(_) => percent_encode(path, SET).to_string(),
    }
}

/// What a resolved link's target is called in messages.
#[must_use]
pub fn meant(corpus: &Corpus, page: u32, destination: &str, target: Target) -> String {
    let parts = Parts::of(destination);
    let path = parts.decoded();
    let shown = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    match target {
        Target::Case(entry) | Target::Entry(entry) => shown(&corpus.tree.entries()[entry as usize].path),
        Target::Page(page) | Target::FolderPage { page, .. } => shown(corpus.path(page)),
        _ => {
            let site = corpus.site(page);
            let folder = if path.starts_with(b"/") { site.folder.as_slice() } else { parent(corpus.path(page)) };
            normalise(folder, &path).map_or_else(|| shown(&path), |path| shown(&path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_between_folders() {
        let of = |from: &str, to: &str| String::from_utf8(relative(from.as_bytes(), to.as_bytes())).unwrap();
        assert_eq!(of("a/b", "a/c/d.md"), "../c/d.md");
        assert_eq!(of("", "a.md"), "a.md");
        assert_eq!(of("a", "a"), ".");
        assert_eq!(encode("a b/(ü)#.md".as_bytes()), "a%20b/%28ü%29%23.md");
    }

    #[test]
    fn near_names() {
        let of = |wanted, names: &[&'static str]| {
            nearest(wanted, names.iter().map(|name| (*name, *name))).map(|(name, _)| name)
        };
        assert_eq!(of("instal.md", &["readme.md", "install.md"]), Some("install.md"));
        assert_eq!(of("a.md", &["b.md"]), None);
    }
}
