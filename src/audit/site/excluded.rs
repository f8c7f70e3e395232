//! Documents that a site's settings take out of its build: a link to one of them leads nowhere there, and they are the repository host's to show.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::gitignore::GitignoreBuilder;
use rustc_hash::FxHashSet;

use super::Site;
use crate::audit::walk::{Kind, Tree};
use crate::text::path::lossy;

/// The documents that a file of settings excludes.
#[derive(Clone, Debug)]
pub struct Excluded {
    /// The file of settings.
    pub file: Vec<u8>,
    /// The paths of the documents.
    pub pages: FxHashSet<Vec<u8>>,
}

/// Excludes the documents below `folder` that any of these patterns fits, each with the names in `*` up to the next slash or, where `wide`, over
/// slashes. A pattern that does not parse fits nothing.
pub(super) fn by_globs(site: &mut Site, tree: &Tree, file: &[u8], folder: &[u8], patterns: &[&str], wide: bool) {
    // Without one, the documents need not be looked at.
    if patterns.is_empty() {
        return;
    }
    let globs = globs(patterns, wide);
    add(site, tree, file, folder, &|path| globs.is_match(path));
}

/// Excludes the documents below `folder` that any of these patterns fits, and all that is below what one fits.
pub(super) fn by_paths(site: &mut Site, tree: &Tree, file: &[u8], folder: &[u8], paths: &[&str]) {
    let below: Vec<String> = paths.iter().map(|path| format!("{}/**", path.trim_end_matches('/'))).collect();
    let patterns: Vec<&str> = paths.iter().copied().chain(below.iter().map(String::as_str)).collect();
    by_globs(site, tree, file, folder, &patterns, false);
}

/// Excludes what lines in the format of `.gitignore` fit.
pub(super) fn by_ignore_lines(site: &mut Site, tree: &Tree, file: &[u8], folder: &[u8], lines: &str) {
    let mut builder = GitignoreBuilder::new("");
    for line in lines.lines() {
        // One that does not parse fits nothing.
        let _ = builder.add_line(None, line);
    }
    let Ok(ignored) = builder.build() else { return };
    add(site, tree, file, folder, &|path| ignored.matched_path_or_any_parents(path, false).is_ignore());
}

fn globs(patterns: &[&str], wide: bool) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.trim_start_matches("./").trim_start_matches('/');
        set.add(match GlobBuilder::new(pattern).literal_separator(!wide).build() {
            Ok(glob) => glob,
            Err(_) => continue,
        });
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}

fn add(site: &mut Site, tree: &Tree, file: &[u8], folder: &[u8], fits: &dyn Fn(&str) -> bool) {
    // The source of a page may stand beside it in another markup: a notebook, most likely.
    let has_twin = |path: &[u8]| {
        let stem = &path[..memchr::memrchr(b'.', path).unwrap_or(path.len())];
        [".ipynb", ".rst"].iter().any(|ending| tree.find(&[stem, ending.as_bytes()].concat()).is_some())
    };
    let documents = tree.below(folder).filter(|(_, entry)| entry.kind == Kind::Document);
    let excluded = documents.filter(|(_, entry)| {
        super::below(&entry.path, folder).is_some_and(|path| fits(&lossy(path))) && !has_twin(&entry.path)
    });
    let mut excluded = excluded.map(|(_, entry)| entry.path.to_vec()).peekable();
    if excluded.peek().is_some() {
        let all = site.excluded.get_or_insert_with(|| Excluded { file: file.to_vec(), pages: FxHashSet::default() });
        all.pages.extend(excluded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_end_at_slashes_or_not() {
        let fits = |pattern: &str, path: &str| [false, true].map(|wide| globs(&[pattern], wide).is_match(path));
        assert_eq!(fits("drafts/**", "drafts/a/b.md"), [true, true]);
        assert_eq!(fits("*.md", "a/b.md"), [false, true]);
        assert_eq!(fits("**/README.md", "README.md"), [true, true]);
        assert_eq!(fits("a[", "a["), [false, false]);
    }
}
