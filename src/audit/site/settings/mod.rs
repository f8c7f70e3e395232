//! Settings files → values. In: a file of the tree. Out: what it says, by the maintained parser of its format; a script is read for what
//! stands there literally and never run. A file that is too large or does not parse is known to be there and not to be known.

mod script;
mod value;
mod yaml;

use std::fs;

pub(super) use value::SettingValue;
pub(super) use yaml::TAG;

use crate::audit::walk::Tree;
use crate::text::path::{file_name, lossy};

/// Settings files larger than this are not read.
const LARGEST: u64 = 4 << 20;

/// Returns the text of a file, or why it is not read: a clause behind "because".
///
/// # Errors
/// The reason.
pub(super) fn text(tree: &Tree, path: &[u8]) -> Result<String, &'static str> {
    const TOO_LARGE: &str = "is larger than 4 MB";
    if let Some(text) = tree.text(path) {
        let is_small = text.len() as u64 <= LARGEST;
        return if is_small { Ok(lossy(text).into_owned()) } else { Err(TOO_LARGE) };
    }
    let path = tree.on_disk(path);
    let metadata = fs::metadata(&path).map_err(|_| "cannot be read")?;
    if metadata.len() > LARGEST {
        return Err(TOO_LARGE);
    }
    let bytes = fs::read(&path).map_err(|_| "cannot be read")?;
    Ok(lossy(&bytes).into_owned())
}

/// Returns what a file says.
///
/// # Errors
/// Why it is not known, as in [`text`].
pub(super) fn read(tree: &Tree, path: &[u8]) -> Result<SettingValue, &'static str> {
    parse(file_name(path), &text(tree, path)?)
}

/// Returns what the text of a file of this name says.
///
/// # Errors
/// Why it is not known.
pub(super) fn parse(name: &[u8], text: &str) -> Result<SettingValue, &'static str> {
    let ending = &name[memchr::memrchr(b'.', name).map_or(0, |dot| dot + 1)..];
    match ending {
        b"toml" => text
            .parse::<toml::Table>()
            .ok()
            .map(|table| SettingValue::from(toml::Value::Table(table)))
            .ok_or("is no TOML"),
        b"yml" | b"yaml" => yaml::parse(text).ok_or("is no YAML, or too large a one"),
        // Comments and trailing commas are common in files that people write.
        b"json" | b"json5" | b"jsonc" => serde_json::from_str(text)
            .ok()
            .or_else(|| is_shallow(text).then(|| json5::from_str::<serde_json::Value>(text).ok()).flatten())
            .map(SettingValue::from)
            .ok_or("is no JSON"),
        _ => Ok(script::parse(text)),
    }
}

/// Returns whether brackets nest no deeper than serde_json allows: the parser of JSON5 has no bound of its own.
fn is_shallow(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest < 128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_gives_the_same() {
        for (name, text) in [
            ("a.toml", "[a]\nb = 'c'\n"),
            ("a.yaml", "a: {b: c}\n"),
            ("a.json", "{\"a\": {\"b\": \"c\"}}"),
            ("a.json", "// x\n{a: {'b': \"c\",},}"),
            ("a.mjs", "export default {a: {b: 'c'}}"),
        ] {
            let value = parse(name.as_bytes(), text).unwrap();
            assert_eq!(value.at(&["a", "b"]).text(), Some("c"), "{name}");
        }
        assert_eq!(parse(b"a.json", &"[".repeat(1_000_000)), Err("is no JSON"));
        assert_eq!(parse(b"a.toml", "= x"), Err("is no TOML"));
    }
}
