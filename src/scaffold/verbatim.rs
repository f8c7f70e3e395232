//! Files of a template that cargo-generate would only copy, by the lists of its manifest: two thirds of the built-in template. They skip
//! the sandbox, where each file is written, copied twice and read again. Pure.
//!
//! All files go through the sandbox when a list has more than plain names, or when a hook or a file changes how cargo-generate reads the
//! template.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::fs::files::FileTree;
use crate::scaffold::manifest;

/// Files that change what cargo-generate does with others.
const SPECIAL: &[&str] = &[".genignore", ".liquidignore", ".cargo-ok", ".cargo_vcs_info.json", "CACHEDIR.TAG"];

/// Returns whether cargo-generate itself reads a file, besides rendering it.
pub(super) fn is_read_by_the_library(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    SPECIAL.contains(&name)
        || matches!(name, manifest::FILE | "Cargo.toml" | "Cargo.toml.liquid")
        || name.ends_with(".rhai")
}

/// Files that the same entries of `ignore` name: either all of them are in the project, or none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CopiedFiles {
    /// The file that is rendered for all of them.
    pub(super) sample: String,
    /// The others.
    pub(super) paths: Vec<String>,
}

/// Returns the groups of the files that cargo-generate copies byte for byte.
pub(super) fn groups(manifest: &Table, files: &FileTree) -> Vec<CopiedFiles> {
    let Some(lists) = PlainLists::new(manifest) else { return Vec::new() };
    if files.keys().any(|path| path.split('/').any(|name| SPECIAL.contains(&name) || name == ".git")) {
        return Vec::new();
    }
    let mut groups: BTreeMap<Vec<bool>, CopiedFiles> = BTreeMap::new();
    for path in files.keys() {
        let is_copied = is_plain(path)
            && !path.ends_with(".liquid")
            // It would take the other's name.
            && !files.contains_key(&format!("{path}.liquid"))
            && !matches!(path.as_str(), manifest::FILE | "Cargo.toml" | "Cargo.lock")
            && !lists.include.iter().any(|pattern| is_matched(pattern, path));
        if !is_copied {
            continue;
        }
        let ignored = lists.ignore.iter().map(|entry| is_at_or_below(path, entry)).collect();
        let group = groups.entry(ignored).or_insert_with(|| CopiedFiles { sample: path.clone(), paths: Vec::new() });
        if group.sample != *path {
            group.paths.push(path.clone());
        }
    }
    groups.into_values().collect()
}

/// The lists of a manifest, when they are plain.
struct PlainLists {
    include: Vec<String>,
    ignore: Vec<String>,
}

impl PlainLists {
    fn new(manifest: &Table) -> Option<Self> {
        let template = manifest.get("template")?.as_table()?;
        let is_empty = |value: &Value| value.as_table().is_some_and(Table::is_empty);
        if !manifest.get("hooks").is_none_or(is_empty) || template.contains_key("exclude") {
            return None;
        }
        let include = plain_list(template.get("include")?)?;
        let mut ignore = template.get("ignore").map_or(Some(Vec::new()), plain_list)?;
        if let Some(conditional) = manifest.get("conditional") {
            for (_, block) in conditional.as_table()? {
                for (key, value) in block.as_table()? {
                    match key.as_str() {
                        "ignore" => ignore.extend(plain_list(value)?),
                        "placeholders" => {}
                        // Lists that a condition makes longer.
                        _ => return None,
                    }
                }
            }
        }
        Some(Self { include, ignore })
    }
}

fn plain_list(value: &Value) -> Option<Vec<String>> {
    let plain = |value: &Value| value.as_str().filter(|text| is_plain(text)).map(str::to_owned);
    value.as_array()?.iter().map(plain).collect()
}

/// Returns whether a path is its own pattern: names of letters, digits, `.`, `_` and `-`, with a slash between them.
fn is_plain(path: &str) -> bool {
    let is_name = |name: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !matches!(name, "" | "." | "..") && name.chars().all(is_plain)
    };
    path.split('/').all(is_name)
}

/// Returns whether a plain pattern of `.gitignore` matches a path or a folder around it: anchored when it has a slash, else by any name.
fn is_matched(pattern: &str, path: &str) -> bool {
    if pattern.contains('/') { is_at_or_below(path, pattern) } else { path.split('/').any(|name| name == pattern) }
}

fn is_at_or_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::files::File;

    fn found(manifest: &str, paths: &[&str]) -> Vec<(String, Vec<String>)> {
        let files: FileTree = paths.iter().map(|path| ((*path).to_owned(), File::text("x"))).collect();
        let groups = groups(&manifest.parse().expect("TOML"), &files);
        groups.into_iter().map(|group| (group.sample, group.paths)).collect()
    }

    const FILES: &[&str] = &[
        "Cargo.toml",
        "a.rs",
        "b.rs",
        "c",
        "c.liquid",
        "d/a.rs",
        "lib/x.rs",
        "lib/y.rs",
        "lib/z/w.rs",
        "libs",
        "{{p}}",
        "ü",
    ];

    #[test]
    fn files_of_the_same_fate_are_together() {
        let manifest = "[template]\ninclude = ['a.rs', 'lib/z']\n[conditional.'x'.placeholders]\n[conditional.'y']\nignore = ['lib']";
        let both = |sample: &str, other: &str| (sample.to_owned(), vec![other.to_owned()]);
        assert_eq!(found(manifest, FILES), [both("b.rs", "libs"), both("lib/x.rs", "lib/y.rs")]);
    }

    #[test]
    fn what_is_not_certain_goes_the_long_way() {
        for manifest in [
            "",
            "[template]",
            "[template]\nexclude = ['a.rs']",
            "[template]\ninclude = ['*.md']",
            "[template]\ninclude = ['!a.rs']",
            "[template]\ninclude = []\nignore = ['../x']",
            "[template]\ninclude = []\n[hooks]\npre = ['a.rhai']",
            "[template]\ninclude = []\n[conditional.'x']\ninclude = ['b.rs']",
            "[template]\ninclude = []\n[conditional.'x']\nexclude = ['b.rs']",
        ] {
            assert_eq!(found(manifest, FILES), [], "{manifest}");
        }
        for special in SPECIAL.iter().chain(&[".git"]) {
            assert_eq!(found("[template]\ninclude = []", &["a", "b", &format!("x/{special}")]), [], "{special}");
        }
    }
}
