//! Compares names without regard to letter case, as some file systems and renderers do. Pure.

use std::borrow::Cow;
use std::hash::Hasher as _;

use rustc_hash::FxHasher;

/// Returns the name in lower case.
#[must_use]
pub fn casefold(name: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(name) {
        Ok(text) if !text.is_ascii() => Cow::Owned(text.to_lowercase().into_bytes()),
        _ if name.iter().any(u8::is_ascii_uppercase) => Cow::Owned(name.to_ascii_lowercase()),
        _ => Cow::Borrowed(name),
    }
}

/// Returns whether two names are equal without regard to case.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    if one.is_ascii() && other.is_ascii() { one.eq_ignore_ascii_case(other) } else { casefold(one) == casefold(other) }
}

/// Returns the letters and digits of an anchor in lower case. Two anchors that agree in these almost certainly mean the
/// same thing.
pub fn alphanumerics(anchor: &str) -> impl Iterator<Item = char> {
    anchor.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// Returns the same hash for names that are equal without regard to case.
#[must_use]
pub fn hash(name: &[u8]) -> u64 {
    if name.is_ascii() { hash_ascii(name) } else { hash_ascii(&casefold(name)) }
}

/// Hashes eight bytes at a time. It sets the case bit in every byte, which also makes some punctuation equal, so a
/// lookup must compare the names it finds.
fn hash_ascii(name: &[u8]) -> u64 {
    const LOWER: u64 = 0x2020_2020_2020_2020;
    let mut hasher = FxHasher::default();
    let (words, rest) = name.as_chunks::<8>();
    for word in words {
        hasher.write_u64(u64::from_le_bytes(*word) | LOWER);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    hasher.write_u64(u64::from_le_bytes(last) | LOWER);
    hasher.write_usize(name.len());
    hasher.finish()
}

/// An index that finds the numbers of names by name.
#[derive(Clone, Debug, Default)]
pub struct CasefoldIndex(Vec<(u64, u32)>);

impl CasefoldIndex {
    /// Builds the index from names in the order of their numbers.
    #[must_use]
    pub fn new<'a>(names: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut index: Vec<_> = (0_u32..).zip(names).map(|(at, name)| (hash(name), at)).collect();
        index.sort_unstable();
        Self(index)
    }

    /// Returns the numbers of the names that equal `wanted`, in order. `name` maps a number to its name.
    pub fn find<'a>(&'a self, wanted: &'a [u8], name: impl Fn(u32) -> &'a [u8] + 'a) -> impl Iterator<Item = u32> + 'a {
        let hash = hash(wanted);
        let start = self.0.partition_point(|(other, _)| *other < hash);
        let equal = self.0[start..].iter().take_while(move |(other, _)| *other == hash).map(|(_, at)| *at);
        equal.filter(move |at| same(name(*at), wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = ["docs/Setup.md", "docs/setup.md", "ÜBER.md", "über.md", "a_b", "a\u{7f}b"];

    #[test]
    fn the_same_names_have_the_same_hash() {
        for (one, other) in
            [("Docs/SETUP-guide.md", "docs/setup-Guide.MD"), ("Größe", "GRÖßE"), ("\u{212a}elvin", "kelvin"), ("", "")]
        {
            assert!(same(one.as_bytes(), other.as_bytes()), "{one} {other}");
            assert_eq!(hash(one.as_bytes()), hash(other.as_bytes()), "{one} {other}");
        }
        assert!(!same(b"a", b"b") && !same("ü".as_bytes(), b"u"));
        assert!(same(b"\xffA", b"\xffa") && hash(b"\xffA") == hash(b"\xffa"));
    }

    #[test]
    fn all_of_them_are_found_in_order() {
        let index = CasefoldIndex::new(NAMES.iter().map(|name| name.as_bytes()));
        let find = |wanted: &str| index.find(wanted.as_bytes(), |at| NAMES[at as usize].as_bytes()).collect::<Vec<_>>();
        assert_eq!(find("DOCS/SETUP.md"), [0, 1]);
        assert_eq!(find("Über.md"), [2, 3]);
        // Equal in all but the case bit.
        assert_eq!(find("a_b"), [4]);
        assert_eq!(find("docs/"), Vec::<u32>::new());
    }
}
