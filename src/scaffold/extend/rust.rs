//! Finds places in Rust sources that their owner may have edited. It knows comments, strings and brackets, and nothing else of the
//! language: an edit looks for a few fixed words and says so where they are gone.

use std::ops::Range;

/// Returns the source with the contents of comments, strings and characters replaced by spaces, byte for byte in place.
#[must_use]
pub fn masked(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut mask = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = skip(source, at).unwrap_or(at);
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut mask[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8_lossy(&mask).into_owned()
}

/// Returns the end of the comment, string or character that begins here, or `None`.
fn skip(source: &str, at: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let rest = &bytes[at..];
    let found = |from: usize, end: &str| {
        source.get(from..).and_then(|rest| rest.find(end)).map_or(source.len(), |found| from + found + end.len())
    };
    match rest {
        [b'/', b'/', ..] => Some(found(at, "\n").saturating_sub(1).max(at + 2)),
        [b'/', b'*', ..] => Some(nested_comment(bytes, at)),
        [b'r', b'"' | b'#', ..] if at == 0 || !is_word(bytes[at - 1]) || bytes[at - 1] == b'b' => {
            let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
            (rest.get(1 + hashes) == Some(&b'"')).then(|| found(at + 2 + hashes, &format!("\"{}", "#".repeat(hashes))))
        }
        [b'"', ..] => {
            let mut escaped = false;
            let end = rest[1..].iter().position(|byte| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            Some(end.map_or(bytes.len(), |end| at + end + 2))
        }
        // A character, and not a lifetime.
        [b'\'', b'\\', ..] => Some(found(at + 3, "'")),
        [b'\'', ..] => {
            let mut characters = source.get(at + 1..)?.char_indices();
            characters.next()?;
            let (end, quote) = characters.next()?;
            (quote == '\'').then_some(at + end + 2)
        }
        _ => None,
    }
}

fn nested_comment(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    bytes.len()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns the place of the bracket that closes the one at `open`, in a masked source.
#[must_use]
pub fn closing(mask: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in mask.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns the block `{ … }` behind the first of these words, with its braces, in a masked source.
#[must_use]
pub fn block(mask: &str, words: &str) -> Option<Range<usize>> {
    let start = mask.find(words)?;
    let open = start + mask[start..].find('{')?;
    Some(open..closing(mask, open)? + 1)
}

/// Returns the place of a word that stands alone.
#[must_use]
pub fn word(mask: &str, word: &str) -> Option<usize> {
    let alone = |at: &usize| {
        let before = at.checked_sub(1).map(|before| mask.as_bytes()[before]);
        let after = mask.as_bytes().get(at + word.len());
        !before.is_some_and(is_word) && !after.copied().is_some_and(is_word)
    };
    mask.match_indices(word).map(|(at, _)| at).find(alone)
}

/// Returns the beginning of the line at `at`.
#[must_use]
pub fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Returns the beginning of the item at `at`: above its attributes and documentation.
#[must_use]
pub fn item_start(source: &str, at: usize) -> usize {
    let mut start = line_start(source, at);
    while start > 0 {
        let above = line_start(source, start - 1);
        let line = source[above..start].trim();
        if !(line.starts_with("///") || line.starts_with("#[") || line.starts_with("//")) {
            break;
        }
        start = above;
    }
    start
}

/// Inserts a text at a place.
#[must_use]
pub fn insert(source: &str, at: usize, text: &str) -> String {
    format!("{}{text}{}", &source[..at], &source[at..])
}

/// Returns the source with `use PREFIX::NAME`, if it does not have that.
#[must_use]
pub fn with_import(source: &str, prefix: &str, name: &str) -> String {
    let mask = masked(source);
    let uses: Vec<Range<usize>> = top_level_uses(&mask);
    let head = format!("use {prefix}::");
    let is_there =
        |range: &Range<usize>| mask[range.clone()].starts_with(&head) && word(&mask[range.clone()], name).is_some();
    if uses.iter().any(is_there) {
        return source.to_owned();
    }
    // One more name in a list of plain names.
    let tail =
        |range: &Range<usize>| mask[range.clone()].strip_prefix(&head).map(|tail| tail.trim_end_matches(';').trim());
    for range in &uses {
        let Some(tail) = tail(range) else { continue };
        let list = tail.strip_prefix('{').and_then(|tail| tail.strip_suffix('}')).unwrap_or(tail);
        if list.contains(['{', ':', '*']) || word(list, "as").is_some() {
            continue;
        }
        let mut names: Vec<&str> =
            list.split(',').map(str::trim).filter(|name| !name.is_empty()).chain([name]).collect();
        names.sort_by_key(|name| (!name.starts_with(char::is_lowercase), *name));
        let line = format!("{head}{{{}}};", names.join(", "));
        return format!("{}{line}{}", &source[..range.start], &source[range.end..]);
    }
    let line = format!("{head}{name};\n");
    let place = uses.iter().find(|range| mask[range.start..range.end] > *line.trim_end()).or(uses.last());
    match place {
        Some(range) if mask[range.clone()] > *line.trim_end() => insert(source, range.start, &line),
        Some(range) => insert(source, (range.end + 1).min(source.len()), &line),
        None => insert(source, 0, &line),
    }
}

/// Returns the `use` items at the beginnings of lines, with their semicolons.
fn top_level_uses(mask: &str) -> Vec<Range<usize>> {
    let starts = mask.match_indices("use ").map(|(at, _)| at);
    let starts = starts.filter(|at| *at == 0 || mask.as_bytes()[at - 1] == b'\n');
    starts.filter_map(|start| mask[start..].find(';').map(|end| start..start + end + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_comments_and_strings_do_not_count() {
        let source = "// impl Tools {\n/* impl /* x */ Tools { */ r#\"impl Tools { \"# \"\\\"impl Tools {\" '{' '\\'' 'a fn<'a>() { b }\nimpl Tools { x }";
        let mask = masked(source);
        assert_eq!(mask.len(), source.len());
        assert_eq!(block(&mask, "impl Tools").map(|range| &source[range]), Some("{ x }"));
        assert_eq!(block(&mask, "fn").map(|range| &source[range]), Some("{ b }"));
        assert_eq!(closing("{ ( }", 0), None, "brackets that do not match end nowhere");
    }

    #[test]
    fn an_import_is_added_once_in_its_place() {
        let source = "//! A.\n\nuse a::b;\nuse serde::Serialize;\n\nfn f() {}\n";
        let more = with_import(source, "serde", "Deserialize");
        assert_eq!(more, "//! A.\n\nuse a::b;\nuse serde::{Deserialize, Serialize};\n\nfn f() {}\n");
        assert_eq!(with_import(&more, "serde", "Deserialize"), more);
        let more = with_import(source, "c", "d");
        assert_eq!(more, "//! A.\n\nuse a::b;\nuse c::d;\nuse serde::Serialize;\n\nfn f() {}\n");
        assert!(with_import(source, "z", "Y").contains("use serde::Serialize;\nuse z::Y;\n"));
        assert_eq!(with_import("", "a", "b"), "use a::b;\n");
    }

    #[test]
    fn documentation_and_attributes_belong_to_their_item() {
        let source = "fn a() {}\n\n/// B.\n#[test]\nfn b() {}\n";
        let at = source.find("fn b").unwrap();
        assert_eq!(&source[item_start(source, at)..], "/// B.\n#[test]\nfn b() {}\n");
    }
}
