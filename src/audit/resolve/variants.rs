//! The files that a path stands for by a renderer's rules: other endings, README.md for index.md, a source for its page.

use crate::audit::site::Site;
use crate::audit::walk::{Kind, Tree};
use crate::text::path::{file_name, join, parent};

/// The entry for a path, or for what the renderer makes of it.
pub(super) fn variants(tree: &Tree, site: &Site, path: &[u8]) -> Option<u32> {
    let rules = site.links;
    let found = tree.find(path).filter(|entry| rules.folders || !is_folder(tree, *entry));
    // `guide` is `guide.md` and not the folder `guide` beside it, unless that has a page of its own.
    let has_page = |folder: &[u8]| rules.index.iter().any(|name| tree.find(&join(folder, name.as_bytes())).is_some());
    let is_final = |entry: &u32| !is_folder(tree, *entry) || rules.endings.is_empty() || has_page(path);
    if let Some(entry) = found.filter(is_final) {
        return Some(entry);
    }
    for ending in rules.endings {
        if let Some(entry) = tree.find(&[path, ending.as_bytes()].concat()) {
            return Some(entry);
        }
    }
    if found.is_some() {
        return found;
    }
    // Mintlify serves the source of `x.mdx` as `x.md`, Docusaurus takes one for the other.
    let bare = path.strip_suffix(b".md").filter(|_| rules.md_is_mdx);
    if let Some(entry) = bare.and_then(|bare| tree.find(&[bare, b".mdx"].concat())) {
        return Some(entry);
    }
    // mdBook makes index.html of README.md, and takes a link to index.md for one to it.
    let is_book = rules.readme_is_index && matches!(file_name(path), b"index.md" | b"index");
    if let Some(entry) = is_book.then(|| tree.find(&join(parent(path), b"README.md"))).flatten() {
        return Some(entry);
    }
    let is_readme = rules.index_is_readme && file_name(path).eq_ignore_ascii_case(b"README.md");
    if let Some(entry) = is_readme.then(|| tree.find(&join(parent(path), b"index.md"))).flatten() {
        return Some(entry);
    }
    let stem = path.strip_suffix(b".html").filter(|_| rules.html_is_markdown)?;
    if let Some(folder) = stem.strip_suffix(b"index").filter(|folder| folder.is_empty() || folder.ends_with(b"/")) {
        let folder = folder.strip_suffix(b"/").unwrap_or(folder);
        if let Some(entry) = rules.index.iter().find_map(|name| tree.find(&join(folder, name.as_bytes()))) {
            return Some(entry);
        }
    }
    // mdBook makes print.html, toc.html and 404.html itself.
    tree.find(&[stem, b".md"].concat()).or_else(|| tree.find(&[stem, b".mdx"].concat()))
}

pub(super) fn is_folder(tree: &Tree, entry: u32) -> bool {
    tree.entries()[entry as usize].kind == Kind::Folder
}
