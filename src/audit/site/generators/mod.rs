//! The generators, one row each in [`GENERATORS`]: the files that name them and how their settings are read. To add one, write its file
//! beside this one and name it in the table. A generator without a profile is recognised, so that its documents are not judged by GitHub's
//! rules.

mod astro;
mod docfx;
mod docsify;
mod documenter;
mod docusaurus;
mod gitbook;
mod github;
mod gitlab;
mod hexo;
mod hugo;
mod jekyll;
mod layouts;
mod mdbook;
mod mintlify;
mod mkdocs;
mod obsidian;
mod recognised;
mod sphinx;
mod vitepress;
mod wiki;
mod zola;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::open::{Form, Forms};
use super::settings::{self, SettingValue};
use super::{Model, Origin, Site};
use crate::audit::walk::{Kind, Tree};
use crate::text::path::{display_path, file_name, join, normalise, parent};

/// A file or folder that names a generator.
#[derive(Debug)]
pub(super) enum Mark {
    /// A file of this name.
    File(&'static str),
    /// A JavaScript or TypeScript file: `NAME.js`, `NAME.mjs`, `NAME.cjs`, `NAME.ts`, `NAME.mts`, `NAME.cts`.
    Script(&'static str),
    /// A folder of this name; it governs the folder around it.
    Folder(&'static str),
}

use Mark::{File, Folder, Script};

/// The tree, the mark, the folder around it → the sites that it is the mark of.
type Read = fn(&Tree, &[u8], &[u8]) -> Vec<Site>;

/// A generator.
#[derive(Debug)]
pub(super) struct Generator {
    /// As people write it.
    pub(super) name: &'static str,
    /// The word for it in settings, and what it covers.
    pub(super) word: Option<(&'static str, &'static str)>,
    /// The rules for documents.
    pub(super) model: &'static Model,
    /// The marks of the generator.
    marks: &'static [Mark],
    /// Reads its settings.
    read: Read,
    /// Adds what a site has without settings.
    pub(super) complete: Option<fn(&mut Site)>,
}

/// In this order: of two generators that a folder may be for, the first one counts.
pub(super) static GENERATORS: &[&Generator] = &[
    &github::GITHUB,
    &mdbook::MDBOOK,
    &mkdocs::MKDOCS,
    &mkdocs::ZENSICAL,
    &mkdocs::TECHDOCS,
    &docusaurus::DOCUSAURUS,
    &mintlify::MINTLIFY,
    &docfx::DOCFX,
    &hugo::HUGO,
    &astro::STARLIGHT,
    &vitepress::VITEPRESS,
    &recognised::VUEPRESS,
    &recognised::RSPRESS,
    &recognised::JUPYTER_BOOK,
    &recognised::QUARTO,
    &sphinx::SPHINX,
    &docsify::DOCSIFY,
    &jekyll::JEKYLL,
    &recognised::LUME,
    &recognised::WRITERSIDE,
    &recognised::EX_DOC,
    &zola::ZOLA,
    &hexo::HEXO,
    &documenter::DOCUMENTER,
    &recognised::CARPENTRIES,
    &recognised::MARKBIND,
    &recognised::DOCTAVE,
    &recognised::PELICAN,
    &recognised::BRIDGETOWN,
    &recognised::OBSERVABLE,
    &recognised::DUMI,
    &recognised::VOCS,
    &recognised::ANTORA,
    &gitbook::GITBOOK,
    &recognised::RETYPE,
    &obsidian::OBSIDIAN,
    &recognised::LOGSEQ,
    &recognised::FOAM,
    &wiki::AZURE,
    &recognised::NEXT,
    &recognised::FUMADOCS,
    &recognised::NUXT,
    &recognised::ELEVENTY,
    &recognised::GATSBY,
    &recognised::SVELTE,
    &wiki::WIKI,
    &wiki::GITLAB_WIKI,
    &gitlab::GITLAB,
];

const SCRIPTS: [&str; 6] = ["js", "mjs", "cjs", "ts", "mts", "cts"];

/// By the name of a mark: which generators it may name. One look-up for each path of a tree.
static BY_MARK: LazyLock<FxHashMap<Vec<u8>, Vec<usize>>> = LazyLock::new(|| {
    let mut by_mark: FxHashMap<Vec<u8>, Vec<usize>> = FxHashMap::default();
    let mut add = |name: String, generator| by_mark.entry(name.into_bytes()).or_default().push(generator);
    for (number, generator) in GENERATORS.iter().enumerate() {
        for mark in generator.marks {
            match mark {
                File(name) | Folder(name) => add((*name).to_owned(), number),
                Script(name) => SCRIPTS.iter().for_each(|ending| add(format!("{name}.{ending}"), number)),
            }
        }
    }
    by_mark
});

/// Returns the sites that a path of the tree names, with the number of their generator.
pub(super) fn sites(tree: &Tree, path: &[u8], kind: &Kind) -> Vec<(usize, Site)> {
    let Some(numbers) = BY_MARK.get(file_name(path)) else { return Vec::new() };
    let is_folder = *kind == Kind::Folder;
    let fits = |generator: &Generator| {
        generator.marks.iter().any(|mark| match mark {
            Folder(name) => is_folder && name.as_bytes() == file_name(path),
            File(_) | Script(_) => !is_folder,
        })
    };
    let generators = numbers.iter().map(|number| (*number, GENERATORS[*number])).filter(|(_, one)| fits(one));
    generators
        .flat_map(|(number, one)| (one.read)(tree, path, parent(path)).into_iter().map(move |site| (number, site)))
        .collect()
}

/// Returns the sites that no single file names: parts of books, documents for a site elsewhere, vaults, wikis, hosts.
pub(super) fn unmarked(tree: &Tree, origin: Option<&Origin>, sites: &[Site]) -> Vec<Site> {
    let mut found = mdbook::parts(tree, sites);
    found.extend(mkdocs::translations(tree, sites));
    found.extend(hugo::imported(tree, sites));
    found.extend(obsidian::vault(tree));
    found.extend(wiki::clone(tree, origin));
    found.extend(gitlab::repository(tree, origin));
    found.extend(recognised::components(tree, sites));
    found
}

/// The site of the whole tree where nothing else says so.
pub(super) fn host(reason: &str) -> Site {
    Site { assumed: true, ..Site::new(&github::MODEL, Vec::new(), reason.to_owned()) }
}

/// Records the links that depend on unknown settings.
const NOTHING: &str = "";

/// A site because of a file.
fn because(model: &'static Model, folder: Vec<u8>, path: &[u8]) -> Site {
    Site::new(model, folder, format!("{} is there", display_path(path)))
}

/// The settings in `path`; where they are not known, the site has nothing judged that may depend on them.
fn settings_of(tree: &Tree, path: &[u8], site: &mut Site) -> SettingValue {
    settings_from(path, settings::text(tree, path).as_deref(), site)
}

/// The same for a file whose text, or why it has none, is at hand.
fn settings_from(path: &[u8], text: Result<&str, &&'static str>, site: &mut Site) -> SettingValue {
    match text.map_err(|why| *why).and_then(|text| settings::parse(file_name(path), text)) {
        Ok(value) => {
            if value == SettingValue::Computed {
                leave_computed(site, path, "the settings");
            }
            value
        }
        Err(why) => {
            let why = format!("{} {why}", display_path(path));
            site.leave_open(Forms::LINKS.and(Form::Reference), why, "make the file readable, or name audit.site");
            SettingValue::Computed
        }
    }
}

/// The remedy for a setting that only running a script would give.
const TELL: &str = "say it under audit.site in catalog.yaml: base and roots";

/// Leaves addresses open, because a setting is computed.
fn leave_computed(site: &mut Site, path: &[u8], setting: &str) {
    let why = format!("{} computes {setting}", display_path(path));
    site.leave_open(Forms::ADDRESSES, why, TELL);
}

/// The text of a setting, which is noted; where it is computed, addresses are left open.
fn text(site: &mut Site, file: &[u8], settings: &SettingValue, name: &str) -> Option<String> {
    match settings.get(name) {
        SettingValue::Text(text) => {
            site.note(file, name, text);
            Some(text.clone())
        }
        SettingValue::Computed | SettingValue::Call(..) | SettingValue::List(_) => {
            leave_computed(site, file, name);
            None
        }
        _ => None,
    }
}

/// The base path of addresses, without `/` at either end.
fn base(text: &str) -> Vec<u8> {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => text,
    };
    path.trim_matches('/').as_bytes().to_vec()
}

/// `path` as seen from `folder`.
fn normal(folder: &[u8], path: &str) -> Vec<u8> {
    normalise(folder, path.as_bytes()).unwrap_or_default()
}

/// Returns whether a folder has an entry of this path.
fn has(tree: &Tree, folder: &[u8], path: &str) -> bool {
    tree.find(&join(folder, path.as_bytes())).is_some()
}

/// Returns whether a path is a folder.
fn is_folder(tree: &Tree, path: &[u8]) -> bool {
    tree.find(path).is_some_and(|entry| tree.entries()[entry as usize].kind == Kind::Folder)
}

/// No file names it.
fn never(_: &Tree, _: &[u8], _: &[u8]) -> Vec<Site> {
    Vec::new()
}

/// Reads `_redirects` of a static host in each of these folders.
fn static_redirects(tree: &Tree, site: &mut Site, folders: &[Vec<u8>]) {
    for folder in folders {
        let path = join(folder, b"_redirects");
        if tree.find(&path).is_some()
            && let Ok(text) = settings::text(tree, &path)
        {
            site.redirects.add_file(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generator_is_named_by_its_mark() {
        for name in ["astro.config.mjs", ".vitepress", "conf.py", "next.config.ts", ".eleventy.js", "mkdocs.yml"] {
            assert!(BY_MARK.contains_key(name.as_bytes()), "{name}");
        }
        assert!(!BY_MARK.contains_key(b"README.md".as_slice()));
    }

    #[test]
    fn names_are_there_once() {
        let mut names: Vec<_> = GENERATORS.iter().map(|generator| generator.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn bases_of_addresses() {
        for (text, expected) in [("/a/b/", "a/b"), ("https://x.io/a/", "a"), ("https://x.io", ""), ("/", "")] {
            assert_eq!(base(text), expected.as_bytes(), "{text}");
        }
    }
}
