//! Generators that are recognised and have no profile: where a link's meaning depends on them, it is not judged.

use super::Mark::{File, Folder, Script};
use super::{Generator, has};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::{Links, Model, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join};

/// Names of any generator.
const SYNTAX: Syntax = Syntax::new(Dialect::Github).with(&[C::HeadingIds, C::AttributeLists, C::FootnoteIds]);

static MODEL: Model = Model { name: "", syntax: SYNTAX, links: Links::RECOGNISED };

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
    let mut site = bare(generator, folder, format!("{} is there", display_path(path)));
    site.leave_open(forms, format!("there is no profile of {generator} yet"), REMEDY);
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
        pub(super) static $id: Generator = Generator {
            name: $name,
            word: None,
            model: &MODEL,
            marks: &[$($mark),+],
            read: |tree, path, folder| framework($name, tree, path, folder, &[$($folder),*]),
            complete: None,
        };
    };
}

documents!(VUEPRESS, "VuePress", [Folder(".vuepress")], Forms::ADDRESSES_AND_ANCHORS, has_settings);
documents!(RSPRESS, "Rspress", [Script("rspress.config")], Forms::ADDRESSES_AND_ANCHORS, always);
documents!(JUPYTER_BOOK, "Jupyter Book", [File("_toc.yml"), File("myst.yml")], BY_NAME, is_jupyter_book);
documents!(QUARTO, "Quarto", [File("_quarto.yml"), File("_quarto.yaml")], Forms::ADDRESSES_AND_ANCHORS, always);
documents!(ZOLA, "Zola", [File("zola.toml")], Forms::ADDRESSES_AND_ANCHORS, always);
documents!(ANTORA, "Antora", [File("antora.yml")], BY_NAME, always);
documents!(RETYPE, "Retype", [File("retype.yml"), File("retype.json")], Forms::ADDRESSES_AND_ANCHORS, always);
framework!(GITBOOK, "GitBook", [File(".gitbook.yaml")], ["docs"]);
framework!(NEXT, "Next.js", [Script("next.config")], []);
framework!(FUMADOCS, "Fumadocs", [Script("source.config")], ["content"]);
framework!(NUXT, "Nuxt Content", [Script("nuxt.config")], ["content"]);
framework!(ELEVENTY, "Eleventy", [File(".eleventy.js"), Script("eleventy.config"), Script(".eleventy")], []);
framework!(GATSBY, "Gatsby", [Script("gatsby-config")], ["content", "src", "docs", "blog"]);
framework!(SVELTE, "SvelteKit", [Script("svelte.config")], ["src", "content"]);

fn framework(generator: &'static str, tree: &Tree, path: &[u8], folder: &[u8], folders: &[&str]) -> Vec<Site> {
    let mut governed: Vec<Vec<u8>> = folders.iter().map(|name| join(folder, name.as_bytes())).collect();
    governed.retain(|folder| tree.find(folder).is_some());
    if governed.is_empty() {
        governed.push(folder.to_vec());
    }
    let site = |governed: Vec<u8>| {
        let roots = [governed.clone(), join(folder, b"public")].to_vec();
        Site { readmes: false, roots, ..site(generator, governed, path, BY_PROGRAM) }
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

fn is_jupyter_book(tree: &Tree, path: &[u8], folder: &[u8]) -> bool {
    file_name(path) == b"myst.yml" || has(tree, folder, "_config.yml")
}
