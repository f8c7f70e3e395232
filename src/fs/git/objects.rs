//! Objects of a repository, read without git: loose ones, and those in packs with their deltas (gitformat-pack). A repository can be a
//! stranger's: every number is checked, every size has a limit, and what cannot be read is `None`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;

/// The most bytes of one object, and of the deltas that it is made of. Commits and trees are far smaller.
const MOST_BYTES: u64 = 64 << 20;
/// The most deltas that one object is made of. `git gc --aggressive` makes 250.
const MOST_DELTAS: usize = 4_096;
/// The most folders of a tree, and the depth of them.
const MOST_TREES: usize = 100_000;
/// The magic number of a pack's index.
const INDEX: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
const NAMES: u64 = 8 + 256 * 4;
const TREE: u32 = 0o040_000;

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ObjectKind {
    Commit,
    Tree,
    Other,
}

/// The files of a commit: by path, the mode and the name of the object.
pub(super) type CommittedFiles = BTreeMap<Vec<u8>, (u32, Vec<u8>)>;

/// The objects of one repository.
#[derive(Debug)]
pub(super) struct ObjectStore {
    folders: Vec<PathBuf>,
    /// The index and the pack of each pair.
    packs: Vec<(PathBuf, PathBuf)>,
    /// The bytes of an object's name.
    width: usize,
}

impl ObjectStore {
    /// Opens the folder `objects`, and those that it borrows from.
    pub(super) fn open(folder: &Path, width: usize) -> Self {
        let mut folders = vec![folder.to_owned()];
        let mut at = 0;
        while let Some(folder) = folders.get(at).cloned().filter(|_| at < 8) {
            let borrowed = fs::read_to_string(folder.join("info/alternates")).unwrap_or_default();
            for line in borrowed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let other = folder.join(line);
                if !folders.contains(&other) {
                    folders.push(other);
                }
            }
            at += 1;
        }
        let mut packs = Vec::new();
        for folder in &folders {
            for entry in fs::read_dir(folder.join("pack")).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.extension().is_some_and(|ending| ending == "idx") {
                    packs.push((path.clone(), path.with_extension("pack")));
                }
            }
        }
        Self { folders, packs, width }
    }

    /// Returns the mode and the name of every file in a commit below a folder, by its path there; none, when the commit does not have
    /// the folder.
    pub(super) fn files(&self, commit: &[u8], folder: &str) -> Option<CommittedFiles> {
        let (kind, text) = self.read(commit)?;
        let line = text.split(|byte| *byte == b'\n').next()?;
        let mut tree = from_hex(line.strip_prefix(b"tree ").filter(|_| kind == ObjectKind::Commit)?)?;
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            match self.tree(&tree)?.into_iter().find(|entry| entry.name == name.as_bytes()) {
                Some(entry) if entry.mode == TREE => tree = entry.id,
                _ => return Some(BTreeMap::new()),
            }
        }
        let mut files = BTreeMap::new();
        let (mut open, mut trees) = (vec![(Vec::new(), tree)], 0);
        while let Some((prefix, id)) = open.pop() {
            trees += 1;
            // A tree that is in itself many times over would never end.
            if trees > MOST_TREES {
                return None;
            }
            for entry in self.tree(&id)? {
                let path = [&prefix[..], &entry.name].concat();
                if entry.mode == TREE {
                    open.push(([&path[..], b"/"].concat(), entry.id));
                } else {
                    files.insert(path, (entry.mode, entry.id));
                }
            }
        }
        Some(files)
    }

    fn tree(&self, id: &[u8]) -> Option<Vec<TreeEntry>> {
        let (kind, bytes) = self.read(id)?;
        let (mut entries, mut rest) = (Vec::new(), &bytes[..]);
        while kind == ObjectKind::Tree && !rest.is_empty() {
            // `MODE NAME\0ID`
            let end = memchr::memchr(0, rest)?;
            let space = memchr::memchr(b' ', &rest[..end])?;
            let mode = u32::from_str_radix(std::str::from_utf8(&rest[..space]).ok()?, 8).ok()?;
            let id = rest.get(end + 1..end + 1 + self.width)?.to_vec();
            entries.push(TreeEntry { mode, name: rest[space + 1..end].to_vec(), id });
            rest = &rest[end + 1 + self.width..];
        }
        (kind == ObjectKind::Tree).then_some(entries)
    }

    fn read(&self, id: &[u8]) -> Option<(ObjectKind, Vec<u8>)> {
        (id.len() == self.width).then(|| self.loose(id).or_else(|| self.packed(id)))?
    }

    fn loose(&self, id: &[u8]) -> Option<(ObjectKind, Vec<u8>)> {
        let name: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = self.folders.iter().find_map(|folder| File::open(folder.join(&name[..2]).join(&name[2..])).ok())?;
        let mut bytes = Vec::new();
        ZlibDecoder::new(BufReader::new(file)).take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        // `KIND SIZE\0`
        let end = memchr::memchr(0, &bytes)?;
        let kind = match bytes.get(..end)?.split(|byte| *byte == b' ').next()? {
            b"commit" => ObjectKind::Commit,
            b"tree" => ObjectKind::Tree,
            _ => ObjectKind::Other,
        };
        bytes.drain(..=end);
        Some((kind, bytes))
    }

    fn packed(&self, id: &[u8]) -> Option<(ObjectKind, Vec<u8>)> {
        let (mut pack, mut at) = self.find(id)?;
        let (mut deltas, mut held) = (Vec::new(), 0);
        // From the wanted object down to one that is whole, and with the deltas on it up again.
        let (kind, mut bytes) = loop {
            let PackEntry { kind, base, bytes } = entry(&mut pack, at, self.width)?;
            match base {
                None => break (kind, bytes),
                Some(DeltaBase::Offset(back)) => at = at.checked_sub(back)?,
                Some(DeltaBase::Name(id)) => (pack, at) = self.find(&id)?,
            }
            held += bytes.len() as u64;
            deltas.push(bytes);
            if deltas.len() > MOST_DELTAS || held > MOST_BYTES {
                return None;
            }
        };
        while let Some(delta) = deltas.pop() {
            bytes = apply(&bytes, &delta)?;
        }
        Some((kind, bytes))
    }

    /// Returns the pack that has an object, and where in it.
    fn find(&self, id: &[u8]) -> Option<(File, u64)> {
        self.packs.iter().find_map(|(index, pack)| Some((File::open(pack).ok()?, offset(index, id)?)))
    }
}

#[derive(Debug)]
struct TreeEntry {
    mode: u32,
    name: Vec<u8>,
    id: Vec<u8>,
}

/// The object that a delta is made on.
enum DeltaBase {
    /// So many bytes before the delta.
    Offset(u64),
    Name(Vec<u8>),
}

/// An object in a pack. With a base, the bytes are a delta.
struct PackEntry {
    kind: ObjectKind,
    base: Option<DeltaBase>,
    bytes: Vec<u8>,
}

/// Returns where a pack has an object, by the pack's index of version 2.
fn offset(index: &Path, id: &[u8]) -> Option<u64> {
    let mut file = File::open(index).ok()?;
    let mut head = [0; NAMES as usize];
    file.read_exact(&mut head).ok()?;
    let table = head.strip_prefix(&INDEX)?;
    let fan = |at: usize| Some(u64::from(u32::from_be_bytes(table.get(at * 4..at * 4 + 4)?.try_into().ok()?)));
    let first = usize::from(*id.first()?);
    let (mut low, high, count) = (if first == 0 { 0 } else { fan(first - 1)? }, fan(first)?, fan(255)?);
    let mut high = high.min(count);
    let width = id.len() as u64;
    let mut at =
        |place: u64, bytes: &mut [u8]| file.seek(SeekFrom::Start(place)).and_then(|_| file.read_exact(bytes)).ok();
    let mut name = vec![0; id.len()];
    while low < high {
        let middle = low + (high - low) / 2;
        at(NAMES + middle * width, &mut name)?;
        match name[..].cmp(id) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                // Names, checksums of four bytes, offsets of four, offsets of eight.
                let offsets = NAMES + count * (width + 4);
                let (mut short, mut long) = ([0; 4], [0; 8]);
                at(offsets + middle * 4, &mut short)?;
                let short = u64::from(u32::from_be_bytes(short));
                if short < 1 << 31 {
                    return Some(short);
                }
                at(offsets + count * 4 + (short - (1 << 31)) * 8, &mut long)?;
                return Some(u64::from_be_bytes(long));
            }
        }
    }
    None
}

fn entry(pack: &mut File, at: u64, width: usize) -> Option<PackEntry> {
    pack.seek(SeekFrom::Start(at)).ok()?;
    let mut pack = BufReader::with_capacity(4096, pack);
    let mut byte = || {
        let mut one = [0];
        pack.read_exact(&mut one).ok().map(|()| one[0])
    };
    let first = byte()?;
    let (mut size, mut shift, mut more) = (u64::from(first & 0x0f), 4, first & 0x80 != 0);
    while more {
        let next = byte()?;
        size |= u64::from(next & 0x7f).checked_shl(shift).filter(|_| shift < 57)?;
        (shift, more) = (shift + 7, next & 0x80 != 0);
    }
    let (kind, base) = match first >> 4 & 7 {
        1 => (ObjectKind::Commit, None),
        2 => (ObjectKind::Tree, None),
        3 | 4 => (ObjectKind::Other, None),
        6 => {
            let mut next = byte()?;
            let mut back = u64::from(next & 0x7f);
            while next & 0x80 != 0 {
                next = byte()?;
                back = back.checked_add(1)?.checked_mul(128)? | u64::from(next & 0x7f);
            }
            (ObjectKind::Other, (back > 0).then_some(DeltaBase::Offset(back)))
        }
        7 => {
            let mut id = vec![0; width];
            pack.read_exact(&mut id).ok()?;
            (ObjectKind::Other, Some(DeltaBase::Name(id)))
        }
        _ => return None,
    };
    let is_delta = matches!(first >> 4 & 7, 6 | 7);
    let mut bytes = Vec::new();
    ZlibDecoder::new(pack).take(size.min(MOST_BYTES) + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == size && is_delta == base.is_some()).then_some(PackEntry { kind, base, bytes })
}

/// Makes an object of its base and a delta: pieces of the base, and new bytes.
fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta.iter().copied();
    let mut size = || {
        let (mut size, mut shift) = (0_u64, 0);
        loop {
            let byte = rest.next()?;
            size |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 57)?;
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(size);
            }
        }
    };
    let (before, after) = (size()?, size()?);
    if before != base.len() as u64 || after > MOST_BYTES {
        return None;
    }
    let mut made = Vec::new();
    while let Some(code) = rest.next() {
        if code & 0x80 == 0 {
            // Zero is kept for later versions of the format.
            let length = usize::from(code);
            let end = made.len() + length;
            made.extend(rest.by_ref().take(length));
            if length == 0 || made.len() != end {
                return None;
            }
            continue;
        }
        let mut number = |bits: std::ops::Range<u32>| {
            let mut number = 0_usize;
            for (at, bit) in bits.enumerate() {
                if code & (1 << bit) != 0 {
                    number |= usize::from(rest.next()?) << (8 * at);
                }
            }
            Some(number)
        };
        let (from, length) = (number(0..4)?, number(4..7)?);
        let length = if length == 0 { 0x10000 } else { length };
        made.extend(base.get(from..from.checked_add(length)?)?);
        if made.len() as u64 > after {
            return None;
        }
    }
    (made.len() as u64 == after).then_some(made)
}

/// Returns the bytes of a name in hexadecimal.
pub(super) fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    text.trim_ascii().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_is_copied_and_new_bytes() {
        let base = b"0123456789";
        // Sizes 10 and 7; three bytes from offset 2; "ab"; two bytes from offset 8.
        let delta = [10, 7, 0b1001_0001, 2, 3, 2, b'a', b'b', 0b1001_0001, 8, 2];
        assert_eq!(apply(base, &delta).as_deref(), Some(&b"234ab89"[..]));
        for end in 0..delta.len() {
            assert_eq!(apply(base, &delta[..end]), None, "{end} bytes");
        }
        for damaged in [&[9, 7][..], &[10, 1, 0], &[10, 3, 0b1001_0001, 8, 3], &[10, 1, 0b1000_0000], &[0x80; 12]] {
            assert_eq!(apply(base, damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn names_in_hexadecimal() {
        assert_eq!(from_hex(b"00fFa1\n"), Some(vec![0, 0xff, 0xa1]));
        assert_eq!((from_hex(b"0"), from_hex(b"0g")), (None, None));
    }
}
