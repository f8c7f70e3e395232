//! The Cargo workspace that takes in a new project by a pattern of its `members`. The project is a workspace of its own,
//! and cargo refuses one inside of another: every command in the outer one fails from then on.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::terminal::shell_word;

/// The outer workspace.
#[derive(Debug, PartialEq, Eq)]
pub struct Workspace {
    manifest: PathBuf,
    pattern: String,
    project: String,
}

impl Workspace {
    /// Returns the nearest workspace around this folder, when its members take the folder in. Reads the manifests above.
    #[must_use]
    pub fn around(project: &Path) -> Option<Self> {
        project.ancestors().skip(1).find_map(|folder| {
            let manifest = folder.join("Cargo.toml");
            let table: toml::Table = fs::read_to_string(&manifest).ok()?.parse().ok()?;
            let workspace = table.get("workspace")?.as_table()?;
            let path = project.strip_prefix(folder).ok()?.to_str()?.replace('\\', "/");
            Some(member(workspace, &path).map(|pattern| Self { manifest, pattern, project: path }))
        })?
    }
}

impl fmt::Display for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { manifest, pattern, project } = self;
        write!(
            f,
            "the workspace of {} takes this project in by members = [{pattern:?}], and cargo fails there until its \
             [workspace] has exclude = [{project:?}]",
            shell_word(&manifest.display().to_string())
        )
    }
}

/// Returns the pattern of `members` that takes in this path, when no line of `exclude` takes it out.
fn member(workspace: &toml::Table, path: &str) -> Option<String> {
    let list = |name: &str| {
        let values = workspace.get(name).and_then(toml::Value::as_array).into_iter().flatten();
        values.filter_map(toml::Value::as_str).map(|value| value.trim_end_matches('/')).collect::<Vec<_>>()
    };
    let beneath = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if list("exclude").into_iter().any(beneath) {
        return None;
    }
    list("members").into_iter().find(|pattern| matches(pattern, path)).map(str::to_owned)
}

/// Returns whether a pattern with `*`, `?` and `**` matches the path.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('/') {
        Some(("**", rest)) => {
            matches(rest, path) || path.split_once('/').is_some_and(|(_, deeper)| matches(pattern, deeper))
        }
        Some((first, rest)) => {
            path.split_once('/').is_some_and(|(own, deeper)| part(first, own) && matches(rest, deeper))
        }
        None => pattern == "**" || (!path.contains('/') && part(pattern, path)),
    }
}

/// The same for one part of a path.
fn part(pattern: &str, name: &str) -> bool {
    let mut pattern_rest = pattern.chars();
    match pattern_rest.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = pattern_rest.as_str();
            (0..=name.len()).filter_map(|at| name.get(at..)).any(|name| part(rest, name))
        }
        Some(wanted) => {
            let mut name_rest = name.chars();
            name_rest.next().is_some_and(|own| wanted == '?' || wanted == own)
                && part(pattern_rest.as_str(), name_rest.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_matched_as_cargo_does() {
        for (members, path, taken) in [
            ("members = ['crates/*']", "crates/x", true),
            ("members = ['crates/*']", "crates/x/y", false),
            ("members = ['crates/*/']", "crates/x", true),
            ("members = ['**']", "a/b/c", true),
            ("members = ['tools/**/x-?']", "tools/a/b/x-1", true),
            ("members = ['crates/my-*']", "crates/your-x", false),
            ("members = ['crates/x']", "crates/x", true),
            ("members = ['crates/*']\nexclude = ['crates/x']", "crates/x", false),
            ("members = ['crates/*']\nexclude = ['crates']", "crates/x", false),
            ("exclude = []", "crates/x", false),
        ] {
            let workspace: toml::Table = members.parse().expect("TOML");
            assert_eq!(member(&workspace, path).is_some(), taken, "{members}: {path}");
        }
    }
}
