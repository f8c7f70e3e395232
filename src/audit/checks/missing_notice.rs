//! An archived document (`archive/2025-11-08-setup.md`, the name that `audit-docs --fix` gives) is not linked: no index
//! lists it, or its old path has no notice with a link.
//!
//! # Why it matters
//!
//! Links and bookmarks to the old path are dead, and readers cannot find the archived page.
//!
//! # Example
//!
//! `archive/2025-11-08-setup.md` exists, and neither a `setup.md` nor `docs/DEPRECATION_NOTICES.md` links to it.
//!
//! # How to fix it
//!
//! Leave a short page at the old path with a link to the archived one, and list it in `docs/DEPRECATION_NOTICES.md`.
//! `mcp-kit docs build` writes that list.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::Span;
use crate::text::path::{display_path, file_name, parent};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Archived document without a notice or an index entry",
    run: CheckRun::Tree(run),
    source: include_str!("missing_notice.rs"),
};
const CODE: Code = Code::MissingNotice;

fn run(context: Context<'_>, pending: &mut Vec<PendingFinding>) {
    let corpus = context.corpus;
    let pages = 0..u32::try_from(corpus.pages.len()).unwrap_or(u32::MAX);
    let archived: Vec<(u32, &[u8])> =
        pages.filter_map(|page| archived_name(corpus.path(page)).map(|name| (page, name))).collect();
    if archived.is_empty() {
        return;
    }
    let mut from: rustc_hash::FxHashMap<u32, Vec<u32>> = rustc_hash::FxHashMap::default();
    for (source, target) in context.graph.pairs() {
        from.entry(target).or_default().push(source);
    }
    for (page, name) in archived {
        let sources = from.get(&page).map_or(&[][..], Vec::as_slice);
        let any_source = |test: &dyn Fn(&[u8]) -> bool| sources.iter().any(|source| test(corpus.path(*source)));
        let noticed = any_source(&|path| file_name(path) == name && archived_name(path).is_none());
        let listed = any_source(&|path| is_index(path));
        let message = match (noticed, listed) {
            (true, true) => continue,
            (false, true) => format!("no {} at its old place says that it was archived here", display_path(name)),
            (true, false) => "no index lists this archived document".to_owned(),
            (false, false) => format!(
                "neither an index nor a {} at its old place leads to this archived document",
                display_path(name)
            ),
        };
        pending.push(PendingFinding::new(CODE, Severity::Warning, page, Span::default(), message));
    }
}

/// Returns the old name of `archive/YYYY-MM-DD-name.md`.
fn archived_name(path: &[u8]) -> Option<&[u8]> {
    let name = file_name(path);
    let date = name.get(..11)?;
    let is_date = date
        .iter()
        .enumerate()
        .all(|(at, byte)| if matches!(at, 4 | 7 | 10) { *byte == b'-' } else { byte.is_ascii_digit() });
    (is_date && file_name(parent(path)) == b"archive").then(|| &name[11..])
}

/// Returns whether a page is a README, an index, or the list of deprecated documents.
fn is_index(path: &[u8]) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    name.starts_with(b"deprecation") || name.starts_with(b"readme.") || name.starts_with(b"index.")
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn archived_documents_are_noticed_and_listed() {
        let tree = [
            ("README.md", "[n](docs/DEPRECATION_NOTICES.md)\n"),
            ("docs/DEPRECATION_NOTICES.md", "[a](../archive/2025-11-08-a.md) [b](../archive/2025-11-08-b.md)\n"),
            ("docs/a.md", "[moved](../archive/2025-11-08-a.md)\n"),
            ("docs/c.md", "[moved](../archive/2025-11-08-c.md)\n"),
            ("archive/2025-11-08-a.md", ""),
            ("archive/2025-11-08-b.md", ""),
            ("archive/2025-11-08-c.md", ""),
            ("archive/2025-11-08-d.md", ""),
            ("archive/e.md", ""),
        ];
        insta::assert_snapshot!(findings("missing-notice", &tree), @r"
        archive/2025-11-08-b.md:1:1 warning: no b.md at its old place says that it was archived here
        archive/2025-11-08-c.md:1:1 warning: no index lists this archived document
        archive/2025-11-08-d.md:1:1 warning: neither an index nor a d.md at its old place leads to this archived document
        ");
    }
}
