//! Generators that are recognised and have no profile: where a link's meaning depends on them, it is not judged.

use super::Mark::{File, Folder, Script};
use super::{Generator, NOTHING, because, has, settings};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::{ByName, Links, Model, Site, is_below};
use crate::audit::walk::{Kind, Tree};
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join, parent};

/// Names of any generator.
const SYNTAX: Syntax = Syntax::new(Dialect::Github).with(&[C::HeadingIds, C::AttributeLists, C::FootnoteIds]);

pub(super) static MODEL: Model = Model { name: "", syntax: SYNTAX, links: Links::RECOGNISED };

static OF_VUEPRESS: Model = Model {
    name: "VuePress",
    syntax: SYNTAX,
    links: Links {
        // `@[code](@snippets/x.sh)`: where an alias leads, only the settings say.
        aliases: &["@", "~"],
        // A link to either of them is one to the folder's page.
        readme_is_index: true,
        index_is_readme: true,
        ..Links::RECOGNISED
    },
};

static OF_FOAM: Model = of_notes("Foam");
static OF_LOGSEQ: Model = of_notes("Logseq");

/// An editor of notes, which finds them by their names.
const fn of_notes(name: &'static str) -> Model {
    let links = Links { by_name: ByName::Anywhere, lists_folders: true, ..Links::RECOGNISED };
    Model { name, syntax: SYNTAX.with(&[C::WikiLinks, C::Math]), links }
}

/// The remedy that makes the audit judge the links of a recognised site.
pub(super) const REMEDY: &str = "name a renderer whose rules it follows: audit.flavors in catalog.yaml, or --flavor";

/// A framework makes pages by a program, so even the path of another document can mean anything.
const BY_PROGRAM: Forms = Forms::ADDRESSES_AND_ANCHORS.and(Form::Page);

/// Pages are found by name, wherever they lie.
const BY_NAME: Forms = BY_PROGRAM.and(Form::File);

/// A site of which only the generator is known.
pub(super) fn bare(generator: &'static str, folder: Vec<u8>, reason: String) -> Site {
    Site { generator, known: false, ..Site::new(&MODEL, folder, reason) }
}

/// The same, because of a file, with what is not judged.
pub(super) fn site(generator: &'static str, folder: Vec<u8>, path: &[u8], forms: Forms) -> Site {
    without_profile(bare(generator, folder, format!("{} is there", display_path(path))), forms)
}

fn without_profile(mut site: Site, forms: Forms) -> Site {
    let why = format!("there is no profile of {} yet", site.generator);
    site.leave_open(forms, why, REMEDY);
    site
}

/// A folder of templates: its Markdown is a program's input, and no link in it leads from where it lies.
pub(super) fn templates(generator: &'static str, folder: Vec<u8>) -> Site {
    let reason = format!("{} has templates", display_path(&folder));
    let mut site = bare(generator, folder, reason);
    site.leave_open(Forms::LINKS.and(Form::Reference), "pages are made of these templates".to_owned(), NOTHING);
    site
}

/// Pages by address, all Markdown below the mark's folder.
macro_rules! documents {
    ($id:ident, $name:literal, [$($mark:expr),+], $forms:expr, $proof:expr) => {
        pub(super) static $id: Generator = Generator {
            name: $name,
            word: None,
            model: &MODEL,
            marks: &[$($mark),+],
            read: |tree, path, folder| {
                let proof: fn(&Tree, &[u8], &[u8]) -> bool = $proof;
                let is_one = proof(tree, path, folder);
                is_one.then(|| site($name, folder.to_vec(), path, $forms)).into_iter().collect()
            },
            complete: None,
        };
    };
}

/// Pages by a program, in those of these folders that exist, else beside the mark; READMEs are for the host.
macro_rules! framework {
    ($id:ident, $name:literal, [$($mark:expr),+], [$($folder:literal),*]) => {
        framework!($id, $name, [$($mark),+], [$($folder),*], BY_PROGRAM, always);
    };
    ($id:ident, $name:literal, [$($mark:expr),+], [$($folder:literal),*], $forms:expr, $proof:expr) => {
        pub(super) static $id: Generator = Generator {
            name: $name,
            word: None,
            model: &MODEL,
            marks: &[$($mark),+],
            read: |tree, path, folder| {
                let proof: fn(&Tree, &[u8], &[u8]) -> bool = $proof;
                match proof(tree, path, folder) {
                    true => framework($name, tree, path, folder, &[$($folder),*], $forms),
                    false => Vec::new(),
                }
            },
            complete: None,
        };
    };
}

pub(super) static VUEPRESS: Generator = Generator {
    name: OF_VUEPRESS.name,
    word: None,
    model: &OF_VUEPRESS,
    marks: &[Folder(".vuepress")],
    read: |tree, path, folder| {
        let is_one = has_settings(tree, path, folder);
        let site = || Site { known: false, ..because(&OF_VUEPRESS, folder.to_vec(), path) };
        is_one.then(|| without_profile(site(), Forms::ADDRESSES_AND_ANCHORS)).into_iter().collect()
    },
    complete: None,
};

/// Notes that are found by their names, in an editor that writes definitions for other renderers below them.
pub(super) static FOAM: Generator = Generator {
    name: OF_FOAM.name,
    word: None,
    model: &OF_FOAM,
    marks: &[Folder(".foam")],
    read: |_, path, folder| {
        let site = Site { known: false, readmes: false, ..because(&OF_FOAM, folder.to_vec(), path) };
        vec![without_profile(site, BY_NAME.and(Form::Reference))]
    },
    complete: None,
};

/// Notes in outlines, whose links are pages, blocks and labels: `[a]([[page]])`, `[b](((block)))`.
pub(super) static LOGSEQ: Generator = Generator {
    name: OF_LOGSEQ.name,
    word: None,
    model: &OF_LOGSEQ,
    marks: &[Folder("logseq")],
    read: |tree, path, folder| {
        let is_one = has(tree, path, "config.edn");
        let site = || Site { known: false, readmes: false, ..because(&OF_LOGSEQ, folder.to_vec(), path) };
        is_one.then(|| without_profile(site(), BY_NAME.and(Form::Reference))).into_iter().collect()
    },
    complete: None,
};

documents!(WRITERSIDE, "Writerside", [File("writerside.cfg")], BY_NAME.and(Form::Reference), always);
documents!(LUME, "Lume", [Script("_config")], Forms::ADDRESSES_AND_ANCHORS, imports_lume);
documents!(RSPRESS, "Rspress", [Script("rspress.config")], Forms::ADDRESSES_AND_ANCHORS, always);
documents!(JUPYTER_BOOK, "Jupyter Book", [File("_toc.yml"), File("myst.yml")], BY_NAME, is_jupyter_book);
documents!(QUARTO, "Quarto", [File("_quarto.yml"), File("_quarto.yaml")], Forms::ADDRESSES_AND_ANCHORS, always);
documents!(DOCTAVE, "Doctave", [File("doctave.yaml"), File("doctave.yml")], Forms::ADDRESSES_AND_ANCHORS, always);
documents!(ANTORA, "Antora", [File("antora.yml")], BY_NAME, always);
documents!(RETYPE, "Retype", [File("retype.yml"), File("retype.json")], Forms::ADDRESSES_AND_ANCHORS, always);
framework!(NEXT, "Next.js", [Script("next.config")], []);
framework!(FUMADOCS, "Fumadocs", [Script("source.config")], ["content"]);
framework!(NUXT, "Nuxt Content", [Script("nuxt.config")], ["content"]);
framework!(ELEVENTY, "Eleventy", [File(".eleventy.js"), Script("eleventy.config"), Script(".eleventy")], []);
framework!(GATSBY, "Gatsby", [Script("gatsby-config")], ["content", "src", "docs", "blog"]);
framework!(SVELTE, "SvelteKit", [Script("svelte.config")], ["src", "content"]);
framework!(BRIDGETOWN, "Bridgetown", [File("bridgetown.config.yml")], ["src"]);
framework!(PELICAN, "Pelican", [File("pelicanconf.py")], ["content"]);
framework!(VOCS, "Vocs", [Script("vocs.config"), File("vocs.config.tsx")], ["pages", "docs", "src"]);
framework!(DUMI, "dumi", [Script(".dumirc")], ["docs", "src"], BY_NAME, always);
// Data loaders make files: `us-map.png.js` is `us-map.png`.
framework!(OBSERVABLE, "Observable Framework", [Script("observablehq.config")], ["src", "docs"], BY_NAME, always);
// Lessons are published in one folder, whatever the one that they lie in.
framework!(CARPENTRIES, "The Carpentries Workbench", [File("config.yaml")], [], BY_NAME, is_lesson);
framework!(MARKBIND, "MarkBind", [File("site.json")], [], BY_NAME.and(Form::Reference), is_markbind);

fn framework(
    generator: &'static str,
    tree: &Tree,
    path: &[u8],
    folder: &[u8],
    folders: &[&str],
    forms: Forms,
) -> Vec<Site> {
    let mut governed: Vec<Vec<u8>> = folders.iter().map(|name| join(folder, name.as_bytes())).collect();
    governed.retain(|folder| tree.find(folder).is_some());
    if governed.is_empty() {
        governed.push(folder.to_vec());
    }
    let site = |governed: Vec<u8>| {
        let roots = [governed.clone(), join(folder, b"public")].to_vec();
        Site { readmes: false, roots, ..site(generator, governed, path, forms) }
    };
    governed.into_iter().map(site).collect()
}

const fn always(_: &Tree, _: &[u8], _: &[u8]) -> bool {
    true
}

/// A folder that holds only a cache says nothing.
fn has_settings(tree: &Tree, path: &[u8], _: &[u8]) -> bool {
    tree.children(path).any(|(_, entry)| {
        let name = file_name(&entry.path);
        name.starts_with(b"config") || matches!(name, b"theme" | b"components" | b"public" | b"client.js" | b"styles")
    })
}

fn imports_lume(tree: &Tree, path: &[u8], _: &[u8]) -> bool {
    settings::text(tree, path)
        .is_ok_and(|text| text.contains("\"lume/") || text.contains("/lume@") || text.contains("'lume/"))
}

/// The guides of an Elixir project beside its modules: `extras: ["guides/setup.md"]`, found by their names, with links to modules.
pub(super) static EX_DOC: Generator = Generator {
    name: "ExDoc",
    word: None,
    model: &MODEL,
    marks: &[File("mix.exs")],
    read: |tree, path, folder| {
        let text = settings::text(tree, path).unwrap_or_default();
        let Some((_, extras)) = text.split_once("extras").filter(|_| text.contains(":ex_doc")) else {
            return Vec::new();
        };
        let guides =
            extras.split('"').skip(1).step_by(2).filter(|name| name.contains(".md") || name.contains(".cheatmd"));
        let mut folders: Vec<Vec<u8>> =
            guides.filter_map(|name| name.split_once('/')).map(|(first, _)| join(folder, first.as_bytes())).collect();
        folders.sort_unstable();
        folders.dedup();
        let site = |folder| Site { readmes: false, ..site("ExDoc", folder, path, BY_NAME) };
        folders.into_iter().filter(|folder| super::is_folder(tree, folder)).map(site).collect()
    },
    complete: None,
};

/// Folders side by side are chapters of one site, which is in the folder around them.
fn around<'t>(folder: &'t [u8], folders: &[&[u8]], sites: &[Site]) -> &'t [u8] {
    let outer = parent(folder);
    let is_shared = folders.iter().any(|other| *other != folder && is_below(other, outer));
    let is_free = !outer.is_empty() && !sites.iter().any(|site| is_below(&site.folder, outer));
    if is_shared && is_free { outer } else { folder }
}

/// Documents with components whose generator is elsewhere: a site takes them from this repository. The host shows no MDX as it is meant.
pub(super) fn components(tree: &Tree, sites: &[Site]) -> Vec<Site> {
    let is_governed = |path: &[u8]| sites.iter().any(|site| is_below(path, &site.folder));
    let mut folders: Vec<&[u8]> = Vec::new();
    for entry in tree.entries().iter().filter(|entry| entry.kind == Kind::Document && entry.path.ends_with(b".mdx")) {
        let folder = parent(&entry.path);
        if !folder.is_empty() && !folders.contains(&folder) && !is_governed(&entry.path) {
            folders.push(folder);
        }
    }
    let mut folders: Vec<&[u8]> = folders.iter().map(|folder| around(folder, &folders, sites)).collect();
    folders.sort_unstable();
    folders.dedup_by(|later, first| is_below(later, first));
    let site = |folder: &[u8]| {
        let reason = "it has MDX, and nothing here says what makes pages of it".to_owned();
        let mut site = Site { readmes: false, ..bare("MDX", folder.to_vec(), reason) };
        site.leave_open(Forms::ADDRESSES_AND_ANCHORS, "the generator is not in this tree".to_owned(), REMEDY);
        site
    };
    folders.into_iter().map(site).collect()
}

fn is_lesson(tree: &Tree, path: &[u8], folder: &[u8]) -> bool {
    let has_episodes = has(tree, folder, "episodes") || has(tree, folder, "learners");
    has_episodes && settings::text(tree, path).is_ok_and(|text| text.lines().any(|line| line.starts_with("carpentry:")))
}

fn is_markbind(tree: &Tree, path: &[u8], _: &[u8]) -> bool {
    settings::text(tree, path).is_ok_and(|text| text.contains("\"baseUrl\"") && text.contains("\"pages\""))
}

fn is_jupyter_book(tree: &Tree, path: &[u8], folder: &[u8]) -> bool {
    file_name(path) == b"myst.yml" || has(tree, folder, "_config.yml")
}
