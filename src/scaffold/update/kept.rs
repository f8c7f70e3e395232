//! Dependencies that the template no longer has and the owner's own code names: they stay, in Cargo.toml and in Cargo.lock. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::action::Action;
use super::dependencies::{self, Gone};
use super::lock;
use super::plan::PlanInputs;
use super::rules::FileClass;
use crate::fs::files::{File, FileTree};
use crate::fs::paths::PathState;

const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";

/// Returns whether the template has lost a dependency. Then the plan needs the owner's own sources among the other files.
#[must_use]
pub fn has_fewer(base: &FileTree, theirs: &FileTree) -> bool {
    match (text(base.get(MANIFEST)), text(theirs.get(MANIFEST))) {
        (Some(base), Some(theirs)) => !dependencies::gone(base, base, theirs).is_empty(),
        _ => false,
    }
}

/// Puts back what the owner's code names.
pub(super) fn put_back(inputs: &PlanInputs<'_>, actions: &mut [Action]) {
    let ours = |path| match inputs.ours.get(path) {
        Some(PathState::File(file)) => text(Some(file)),
        _ => None,
    };
    let all = |path| Some((text(inputs.base.get(path))?, ours(path)?, text(inputs.theirs.get(path))?));
    let Some((base, mine, theirs)) = all(MANIFEST) else { return };
    let gone = dependencies::gone(base, mine, theirs);
    if gone.is_empty() {
        return;
    }
    let code = own_code(inputs);
    let is_named = |gone: &Gone| {
        code.iter().any(|(path, text)| (!gone.is_for_tests || path.starts_with("src/")) && names(text, &gone.name))
    };
    let kept: Vec<Gone> = gone.into_iter().filter(is_named).collect();
    if kept.is_empty() {
        return;
    }
    let mut replace = |path: &str, new: &dyn Fn(&File) -> Vec<u8>| {
        if let Some(file) =
            actions.iter_mut().find(|action| action.path == path).and_then(|action| action.after.as_mut())
        {
            file.bytes = Cow::Owned(new(file));
        }
    };
    let lines = kept.iter().map(|gone| (gone.section.clone(), gone.line.clone())).collect();
    replace(MANIFEST, &|file| dependencies::put_added(&file.bytes, &lines));
    if let Some((base, mine, theirs)) = all(LOCK) {
        let names: BTreeSet<&str> = kept.iter().map(|gone| gone.name.as_str()).collect();
        replace(LOCK, &|_| lock::merge_keeping(base, mine, theirs, &names).into_bytes());
    }
}

fn text(file: Option<&File>) -> Option<&str> {
    file.and_then(|file| std::str::from_utf8(&file.bytes).ok())
}

/// Returns the Rust that is the owner's: files that the template does not know, and the lines that the owner has added to its files.
fn own_code<'a>(inputs: &PlanInputs<'a>) -> Vec<(&'a str, String)> {
    let is_code = |path: &str| path.ends_with(".rs") && inputs.rules.class(path) != FileClass::Vendored;
    let mut code: Vec<(&str, String)> = Vec::new();
    for (path, file) in inputs.others.iter().filter(|(path, _)| is_code(path)) {
        code.extend(text(Some(file)).map(|text| (path.as_str(), text.to_owned())));
    }
    for (path, state) in inputs.ours.iter().filter(|(path, _)| is_code(path)) {
        let PathState::File(file) = state else { continue };
        let (Some(now), before) = (text(Some(file)), inputs.base.get(path)) else { continue };
        if before == Some(file) {
            continue;
        }
        let known: BTreeSet<&str> = text(before).unwrap_or_default().lines().map(str::trim).collect();
        let added: Vec<&str> = now.lines().filter(|line| !known.contains(line.trim())).collect();
        code.push((path.as_str(), added.join("\n")));
    }
    code
}

/// Returns whether code names a crate: `name::…`, or `use name`.
fn names(code: &str, package: &str) -> bool {
    let name = package.replace('-', "_");
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(&name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let stands_alone = !before.ends_with(|c: char| is_part(c) || c == '.') && !before.ends_with("crate::");
        let is_used = before.trim_end().ends_with("use") && !after.starts_with(is_part);
        stands_alone && (after.starts_with("::") || is_used)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_by_its_paths() {
        for code in
            ["use futures_util::StreamExt as _;", "  ::futures_util::x()", "use futures_util;", "(futures_util::x)"]
        {
            assert!(names(code, "futures-util"), "{code}");
        }
        for code in [
            "futures_util_x::y",
            "my_futures_util::y",
            "a.futures_util",
            "crate::futures_util::x",
            "// futures-util",
            "",
        ] {
            assert!(!names(code, "futures-util"), "{code}");
        }
    }
}
