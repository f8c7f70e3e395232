//! Documents that no reader gets to: nobody links to them, starting from a README, index or SUMMARY at the root, in `docs/` and where a
//! site begins, and from what navigation files name. A link to a folder leads to its README, or without one to what is listed there.
//!
//! What is reported is an island: the page by which one would enter it, with how many documents it has, and the page that ought to link
//! to it. Archives, translations, changelogs, licences, templates, `.github`, and pages that say that they have moved need no link.
//!
//! # Why it matters
//!
//! A page that readers cannot find is not read, and its errors are not noticed.
//!
//! # Example
//!
//! `docs/faq.md` is there, and neither `README.md` nor any page that it leads to has a link to it.
//!
//! # How to fix it
//!
//! Link it from the page that the message names, delete it, or list it under `audit:` in `catalog.yaml` as an entry point.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Check, Code, Context, PendingFinding, Run, Severity};
use crate::audit::document::Span;
use crate::text::path::{display_path, file_name, native, parent};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Documents that no entry point reaches",
    run: Run::Tree(run),
    source: include_str!("orphan.rs"),
};
const CODE: Code = Code::Orphan;

/// More lonely documents of one folder than this are one finding.
const ALONE: usize = 5;

fn run(context: Context<'_>, pending: &mut Vec<PendingFinding>) {
    let corpus = context.corpus;
    // Where nobody starts, nobody is lost: a folder of notes without a README is no site.
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
        islands.retain(|island| !super::super::profile::is_below(corpus.path(island.entry), folder));
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

/// The nearest page above that readers get to.
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

/// An island, by the page that leads to all of it.
struct Island {
    entry: u32,
    size: usize,
}

/// Pages that nothing lost leads to, each with what hangs on it; and of circles the first page.
fn islands(context: Context<'_>, lost: &[bool]) -> Vec<Island> {
    let mut entered = vec![false; lost.len()];
    for (from, to) in context.graph.pairs() {
        // Whatever is lost and linked to from anywhere hangs on something else.
        entered[to as usize] |= from != to;
    }
    let mut seen = vec![false; lost.len()];
    let mut islands = Vec::new();
    let all = (0_u32..).zip(lost).filter(|(_, lost)| **lost).map(|(page, _)| page);
    let (mut first, rest): (Vec<u32>, Vec<u32>) = all.partition(|page| !entered[*page as usize]);
    first.extend(rest);
    for entry in first {
        if seen[entry as usize] {
            continue;
        }
        let (mut size, mut waiting) = (0, vec![entry]);
        while let Some(page) = waiting.pop() {
            if std::mem::replace(&mut seen[page as usize], true) {
                continue;
            }
            size += usize::from(lost[page as usize]);
            waiting.extend(context.graph.from(page).iter().filter(|to| lost[**to as usize] && !seen[**to as usize]));
        }
        islands.push(Island { entry, size });
    }
    islands
}

/// The topmost folders whose documents are all lost, at least two of them, with the documents.
fn forgotten_folders<'a>(context: Context<'a>, lost: &[bool]) -> Vec<(&'a [u8], Vec<u32>)> {
    let corpus = context.corpus;
    let mut counts: FxHashMap<&[u8], (usize, usize)> = FxHashMap::default();
    for (page, lost) in (0_u32..).zip(lost) {
        // Pages that need no link say nothing about their folder.
        if !lost && !context.graph.reached[page as usize] {
            continue;
        }
        let mut folder = parent(corpus.path(page));
        while !folder.is_empty() {
            let (of_lost, all) = counts.entry(folder).or_default();
            *of_lost += usize::from(*lost);
            *all += 1;
            folder = parent(folder);
        }
    }
    let is_forgotten = |folder: &[u8]| counts.get(folder).is_some_and(|(of_lost, all)| of_lost == all && *all > 1);
    let mut members: FxHashMap<&[u8], Vec<u32>> = FxHashMap::default();
    for (page, _) in (0_u32..).zip(lost).filter(|(_, lost)| **lost) {
        let (mut folder, mut topmost) = (parent(corpus.path(page)), None);
        while !folder.is_empty() {
            topmost = if is_forgotten(folder) { Some(folder) } else { topmost };
            folder = parent(folder);
        }
        if let Some(folder) = topmost {
            members.entry(folder).or_default().push(page);
        }
    }
    let mut folders: Vec<_> = members.into_iter().collect();
    folders.sort_unstable_by_key(|(folder, _)| *folder);
    folders
}

/// The page by which one would enter a folder.
fn entry_of(context: Context<'_>, members: &[u32]) -> u32 {
    let depth = |page: &u32| context.corpus.path(*page).iter().filter(|byte| **byte == b'/').count();
    let is_index = |page: &u32| {
        let name = file_name(context.corpus.path(*page)).to_ascii_lowercase();
        name.starts_with(b"readme.") || name.starts_with(b"index.") || name.starts_with(b"_index.")
    };
    members.iter().copied().min_by_key(|page| (depth(page), !is_index(page), *page)).unwrap_or_default()
}

/// What stands by itself: archives, translations, change logs, licences, templates, files for tools.
fn needs_no_link(context: Context<'_>, page: u32) -> bool {
    let path = context.corpus.path(page).to_ascii_lowercase();
    let name = file_name(&path);
    let stem = &name[..memchr::memchr(b'.', name).unwrap_or(name.len())];
    let own_folder = |part: &[u8]| {
        part.starts_with(b".")
            || matches!(
                part,
                b"archive"
                    | b"archives"
                    | b"archived"
                    | b"_archive"
                    | b"i18n"
                    | b"translations"
                    | b"locale"
                    | b"locales"
                    | b"l10n"
                    | b"includes"
                    | b"_includes"
                    | b"snippets"
                    | b"partials"
                    | b"_partials"
                    | b"templates"
                    | b"testdata"
                    | b"fixtures"
                    | b"tests"
                    | b"test"
                    | b"vendor"
                    | b"third_party"
                    | b"meeting-notes"
                    | b"changelogs"
                    | b"releases"
            )
            || memchr::memmem::find(part, b"archive").is_some()
            || memchr::memmem::find(part, b"template").is_some()
    };
    let folders = parent(&path).split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    let in_own = folders.into_iter().any(own_folder);
    let alone = matches!(
        stem,
        b"changelog"
            | b"changes"
            | b"history"
            | b"news"
            | b"license"
            | b"licence"
            | b"copying"
            | b"notice"
            | b"authors"
            | b"contributors"
            | b"maintainers"
            | b"owners"
            | b"code_of_conduct"
            | b"code-of-conduct"
            | b"contributing"
            | b"security"
            | b"support"
            | b"governance"
            | b"agents"
            | b"claude"
            | b"gemini"
            | b"copilot-instructions"
            | b"skill"
            | b"pull_request_template"
            | b"issue_template"
            | b"404"
            | b"_sidebar"
            | b"_navbar"
            | b"_footer"
            | b"_coverpage"
            | b"release-notes"
            | b"thirdpartynotices"
            | b"third-party-notices"
    );
    let document = context.document(page);
    // For those who come by an old link from elsewhere.
    let sends_on =
        document.evidence.moved || document.front_matter.redirects || document.front_matter.replacement.is_some();
    in_own || alone || sends_on || memchr::memmem::find(stem, b"template").is_some() || is_translation(context, &path)
}

/// `README-de.md`, `guide.zh-CN.md`, `pages.ko/…`, `docs/ja/…` beside the same without the language.
fn is_translation(context: Context<'_>, path: &[u8]) -> bool {
    let name = file_name(path);
    let stem = &name[..memchr::memrchr(b'.', name).unwrap_or(name.len())];
    if let Some(at) = memchr::memrchr2(b'-', b'.', stem).or_else(|| memchr::memrchr(b'_', stem))
        && is_language(&stem[at + 1..])
    {
        let original = [parent(path), if parent(path).is_empty() { b"" } else { b"/" }, &stem[..at], b".md"].concat();
        if context.corpus.tree.find_folded(&original).next().is_some() {
            return true;
        }
    }
    parent(path).split(|byte| *byte == b'/').any(|part| {
        let language = memchr::memrchr(b'.', part).map_or(part, |dot| &part[dot + 1..]);
        is_language(language) && (language.len() < part.len() || is_folder_of_translations(language))
    })
}

/// Folders with two letters are often something else (`go`, `vm`); these are languages that documentation is translated to.
fn is_folder_of_translations(name: &[u8]) -> bool {
    const LANGUAGES: &[&[u8]] = &[
        b"ar", b"bn", b"cs", b"de", b"el", b"es", b"fa", b"fr", b"he", b"hi", b"hu", b"id", b"it", b"ja", b"ko", b"nl",
        b"pl", b"pt", b"ro", b"ru", b"sv", b"th", b"tr", b"uk", b"vi", b"zh",
    ];
    LANGUAGES.contains(&&name[..2.min(name.len())])
}

/// `de`, `pt_br`, `zh-cn`.
fn is_language(text: &[u8]) -> bool {
    let letters = |text: &[u8]| text.iter().all(u8::is_ascii_lowercase);
    match text.len() {
        2 => letters(text),
        5 => letters(&text[..2]) && matches!(text[2], b'-' | b'_') && letters(&text[3..]),
        _ => false,
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

    #[test]
    fn entry_points_and_exemptions_can_be_told() {
        let tree = [("README.md", ""), ("a.md", "[b](b.md)\n"), ("b.md", ""), ("notes/x.md", "")];
        let settings = Settings {
            entry_points: vec!["a.md".to_owned()],
            orphans_allowed: vec!["notes/**".to_owned()],
            ..Settings::default()
        };
        assert_eq!(findings_with("orphan", &tree, &settings, &Facts::default()), "");
    }
}
