//! No reader can reach these documents by links from an entry point: a README, index or SUMMARY at the root, in `docs/`
//! and at the start of a site, or a navigation file. A link to a folder leads to its README, or to its listing.
//!
//! The check reports islands: the first page of each, the number of its documents, and the page that should link to it.
//! Archives, translations, changelogs, licences, templates, `.github`, and pages that say that they moved need no link.
//!
//! # Why it matters
//!
//! Readers cannot find the page, and its errors stay unnoticed.
//!
//! # Example
//!
//! `docs/faq.md` exists, and neither `README.md` nor any page that it leads to has a link to it.
//!
//! # How to fix it
//!
//! Link it from the page that the message names, delete it, or list it as an entry point under `audit:` in
//! `catalog.yaml`.

mod exemptions;
mod islands;
mod languages;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use self::exemptions::needs_no_link;
use self::islands::{Island, entry_of, forgotten_folders, islands};
use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::Span;
use crate::text::path::{display_path, file_name, native, parent};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Documents that no entry point reaches",
    run: CheckRun::Tree(run),
    source: include_str!("orphan.rs"),
};
const CODE: Code = Code::Orphan;

/// The maximum number of single documents of one folder. More of them become one finding.
const ALONE: usize = 5;

fn run(context: Context<'_>, pending: &mut Vec<PendingFinding>) {
    let corpus = context.corpus;
    // Without an entry point there are no orphans: a folder of notes without a README is no site.
    if context.graph.entry_points.is_empty() {
        return;
    }
    let exempt = super::super::globs(&context.settings.orphans_allowed).unwrap_or_default();
    let is_lost = |page: u32| {
        !context.graph.reached[page as usize]
            && !needs_no_link(context, page)
            && !exempt.is_match(native(corpus.path(page)))
    };
    let pages = 0..u32::try_from(corpus.pages.len()).unwrap_or(u32::MAX);
    let lost: Vec<bool> = pages.into_par_iter().map(is_lost).collect();
    let mut islands = islands(context, &lost);
    let folders = forgotten_folders(context, &lost);
    for (folder, members) in &folders {
        islands.retain(|island| !super::super::site::is_below(corpus.path(island.entry), folder));
        let entry = entry_of(context, members);
        let size = members.len();
        let what = format!("nothing outside leads into {}/, which has {size} documents", display_path(folder));
        pending.push(draft(context, entry, &what));
    }
    let mut of_folder: FxHashMap<&[u8], Vec<&Island>> = FxHashMap::default();
    for island in &islands {
        of_folder.entry(parent(corpus.path(island.entry))).or_default().push(island);
    }
    for mut islands in of_folder.into_values() {
        if islands.len() > ALONE {
            islands.sort_by_key(|island| corpus.path(island.entry));
            let names = islands[1..4].iter().map(|island| display_path(file_name(corpus.path(island.entry))));
            let names: Vec<String> = names.collect();
            let others = islands.len() - 1;
            let what =
                format!("nothing leads to this document and {others} others of its folder ({}, …)", names.join(", "));
            pending.push(draft(context, islands[0].entry, &what));
            continue;
        }
        for island in islands {
            let what = match island.size {
                1 => "nothing leads to this document".to_owned(),
                2 => "nothing leads to this document and one that hangs on it".to_owned(),
                size => format!("nothing leads to this document and {} that hang on it", size - 1),
            };
            pending.push(draft(context, island.entry, &what));
        }
    }
}

fn draft(context: Context<'_>, page: u32, what: &str) -> PendingFinding {
    let message = match index_for(context, page) {
        Some(index) => format!("{what}; {} ought to link to it", display_path(context.corpus.path(index))),
        None => what.to_owned(),
    };
    PendingFinding::new(CODE, Severity::Warning, page, Span::default(), message)
}

/// Returns the nearest reachable page in the folders above.
fn index_for(context: Context<'_>, page: u32) -> Option<u32> {
    let corpus = context.corpus;
    let mut folder = parent(corpus.path(page));
    loop {
        let index = corpus.index_of(folder, corpus.site(page)).filter(|index| *index != page);
        match index.filter(|index| context.graph.reached[*index as usize]) {
            Some(index) => return Some(index),
            None if folder.is_empty() => return None,
            None => folder = parent(folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::{findings, findings_with};
    use crate::audit::{Facts, Settings};

    #[test]
    fn islands_are_reported_by_their_entry() {
        let tree = [
            ("README.md", "[a](docs/a.md) [folder](listed)\n"),
            ("docs/a.md", ""),
            ("docs/faq.md", "[more](more.md)\n"),
            ("docs/more.md", "[faq](faq.md) [last](last.md)\n"),
            ("docs/last.md", ""),
            ("docs/lonely.md", "[a](a.md)\n"),
            ("listed/one.md", ""),
            ("listed/two/README.md", ""),
            ("forgotten/README.md", ""),
            ("forgotten/x.md", ""),
            ("forgotten/deep/y.md", ""),
            ("README-de.md", ""),
            ("docs/archive/old.md", ""),
            (".github/x.md", ""),
            ("CHANGELOG.md", ""),
            ("docs/moved.md", "# A\n\nThis page has moved to [a](a.md).\n"),
            ("docs/redirect.md", "---\nredirect_to: a.md\n---\n"),
            ("docs/listed.md", "<!-- Front matter of the site:\nlinkTitle: B\n-->\n"),
        ];
        insta::assert_snapshot!(findings("orphan", &tree), @r"
        docs/faq.md:1:1 warning: nothing leads to this document and 2 that hang on it; README.md ought to link to it
        docs/lonely.md:1:1 warning: nothing leads to this document; README.md ought to link to it
        forgotten/README.md:1:1 warning: nothing outside leads into forgotten/, which has 3 documents; README.md ought to link to it
        ");
    }

    #[test]
    fn links_by_the_address_of_the_host_count() {
        let tree = [
            (".git/config", "[remote \"origin\"]\n\turl = git@github.com:acme/docs.git\n"),
            (
                "README.md",
                "<https://github.com/acme/docs/blob/main/a%20b.md#x> [f](https://github.com/acme/docs/tree/main/f)\n",
            ),
            ("a b.md", ""),
            ("f/README.md", "[c](https://github.com/acme/other/blob/main/c.md)\n"),
            ("c.md", ""),
        ];
        insta::assert_snapshot!(findings("orphan", &tree), @"c.md:1:1 warning: nothing leads to this document; README.md ought to link to it");
    }

    /// The plug-in of Material for MkDocs has a list of them, and Sphinx' word for a page without a link is `orphan`.
    #[test]
    fn posts_of_a_blog_and_pages_that_say_so_need_no_link() {
        let mkdocs = "site_name: X\nnav: [index.md]\nplugins:\n  - blog:\n      blog_dir: news\n";
        let tree = [
            ("mkdocs.yml", mkdocs),
            ("docs/index.md", ""),
            ("docs/news/index.md", "[home](../index.md)\n"),
            ("docs/news/posts/2026/a.md", ""),
            ("docs/blog/posts/b.md", ""),
            ("docs/apart.md", "---\norphan: true\n---\n"),
            ("docs/lost.md", "---\norphan: false\n---\n"),
        ];
        insta::assert_snapshot!(findings("orphan", &tree), @r"
        docs/blog/posts/b.md:1:1 warning: nothing leads to this document; docs/index.md ought to link to it
        docs/lost.md:1:1 warning: nothing leads to this document; docs/index.md ought to link to it
        docs/news/index.md:1:1 warning: nothing leads to this document; docs/index.md ought to link to it
        ");
    }

    #[test]
    fn entry_points_and_exemptions_can_be_configured() {
        let tree = [("README.md", ""), ("a.md", "[b](b.md)\n"), ("b.md", ""), ("notes/x.md", "")];
        let settings = Settings {
            entry_points: vec!["a.md".to_owned()],
            orphans_allowed: vec!["notes/**".to_owned()],
            ..Settings::default()
        };
        assert_eq!(findings_with("orphan", &tree, &settings, &Facts::default()), "");
    }
}
