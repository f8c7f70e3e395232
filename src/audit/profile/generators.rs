//! The generators that are recognised, one row each: the files that tell them, the folder that they govern, and what is not judged there.
//! A generator with a profile of its own has a function that reads its settings; the others are recognised so that nobody takes GitHub's
//! rules for theirs.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::open::{Form, Forms, Open};
use super::{Flavor, Site, detect};
use crate::audit::walk::{Kind, Tree};
use crate::text::path::{display_path, file_name, join, parent};

/// What tells a generator.
enum Mark {
    /// A file of this name.
    File(&'static str),
    /// A JavaScript or TypeScript file: `NAME.js`, `NAME.mjs`, `NAME.cjs`, `NAME.ts`, `NAME.mts`, `NAME.cts`.
    Script(&'static str),
    /// A folder of this name; it governs the folder around it.
    Folder(&'static str),
}

/// How a site is made of its mark.
enum Reading {
    /// A profile: the settings say what every link means.
    Profile(fn(&Tree, &[u8], &[u8]) -> Vec<Site>),
    /// Recognised, without a profile.
    Recognised {
        /// Those of these folders beside the mark that exist; the mark's own where there is none of them.
        folders: &'static [&'static str],
        /// What else must be so; the tree, the mark, the folder around it.
        proof: fn(&Tree, &[u8], &[u8]) -> bool,
        /// What is not judged.
        open: Forms,
        /// READMEs are pages of the site as well; otherwise they are for the repository's host.
        readmes: bool,
    },
}

/// A generator.
pub(super) struct Generator {
    /// As people write it.
    pub(super) name: &'static str,
    marks: &'static [Mark],
    reading: Reading,
}

use Mark::{File, Folder, Script};

const fn profile(name: &'static str, marks: &'static [Mark], read: fn(&Tree, &[u8], &[u8]) -> Vec<Site>) -> Generator {
    Generator { name, marks, reading: Reading::Profile(read) }
}

/// What a framework makes of its files is a program of its own: not even the path of another document means the same everywhere.
const BY_PROGRAM: Forms = Forms::ADDRESSES_AND_ANCHORS.and(Form::Page);

/// Pages by a program, READMEs for the host.
const fn framework(name: &'static str, marks: &'static [Mark], folders: &'static [&'static str]) -> Generator {
    Generator { name, marks, reading: Reading::Recognised { folders, proof: always, open: BY_PROGRAM, readmes: false } }
}

/// Pages by address, all Markdown below its folder.
const fn documents(
    name: &'static str,
    marks: &'static [Mark],
    open: Forms,
    proof: fn(&Tree, &[u8], &[u8]) -> bool,
) -> Generator {
    Generator { name, marks, reading: Reading::Recognised { folders: &[], proof, open, readmes: true } }
}

/// Pages are found by name, wherever they lie.
const BY_NAME: Forms = Forms::ADDRESSES_AND_ANCHORS.and(Form::File).and(Form::Page);

/// In this order: of two generators that a folder may be for, the first one counts.
pub(super) static GENERATORS: &[Generator] = &[
    profile("mdBook", &[File("book.toml")], detect::mdbook),
    profile("MkDocs", &[File("mkdocs.yml"), File("mkdocs.yaml")], detect::mkdocs),
    profile("Zensical", &[File("zensical.toml")], detect::zensical),
    profile("TechDocs", &[File("catalog-info.yaml")], detect::techdocs),
    profile("Docusaurus", &[Script("docusaurus.config")], detect::docusaurus),
    profile("Mintlify", &[File("docs.json"), File("mint.json")], detect::mintlify),
    profile("DocFX", &[File("docfx.json")], detect::docfx),
    profile(
        "Hugo",
        &[
            File("hugo.toml"),
            File("hugo.yaml"),
            File("hugo.yml"),
            File("hugo.json"),
            File("config.toml"),
            File("config.yaml"),
            File("config.yml"),
            Folder("_default"),
        ],
        detect::hugo,
    ),
    framework("Astro", &[Script("astro.config")], &["src/content", "src/pages"]),
    documents("VitePress", &[Folder(".vitepress")], Forms::ADDRESSES_AND_ANCHORS, has_settings),
    documents("VuePress", &[Folder(".vuepress")], Forms::ADDRESSES_AND_ANCHORS, has_settings),
    documents("Rspress", &[Script("rspress.config")], Forms::ADDRESSES_AND_ANCHORS, always),
    documents("Jupyter Book", &[File("_toc.yml"), File("myst.yml")], BY_NAME, is_jupyter_book),
    documents("Quarto", &[File("_quarto.yml"), File("_quarto.yaml")], Forms::ADDRESSES_AND_ANCHORS, always),
    documents("Sphinx", &[File("conf.py")], Forms::ADDRESSES_AND_ANCHORS.and(Form::Reference), is_sphinx),
    documents("Docsify", &[File("index.html")], Forms::ADDRESSES_AND_ANCHORS, is_docsify),
    documents("Docsify", &[File("_sidebar.md")], Forms::ADDRESSES_AND_ANCHORS, is_below_root),
    documents(
        "Jekyll",
        &[File("_config.yml"), File("_config.yaml")],
        Forms::ADDRESSES_AND_ANCHORS.and(Form::Reference),
        is_jekyll,
    ),
    documents("Zola", &[File("zola.toml")], Forms::ADDRESSES_AND_ANCHORS, always),
    documents("Antora", &[File("antora.yml")], BY_NAME, always),
    framework("GitBook", &[File(".gitbook.yaml")], &["docs"]),
    documents("Retype", &[File("retype.yml"), File("retype.json")], Forms::ADDRESSES_AND_ANCHORS, always),
    documents("Obsidian", &[Folder(".obsidian")], BY_NAME.and(Form::Reference), always),
    documents("Azure DevOps wiki", &[File(".order")], Forms::ADDRESSES_AND_ANCHORS, always),
    framework("Next.js", &[Script("next.config")], &[]),
    framework("Fumadocs", &[Script("source.config")], &["content"]),
    framework("Nuxt Content", &[Script("nuxt.config")], &["content"]),
    framework("Eleventy", &[File(".eleventy.js"), Script("eleventy.config"), Script(".eleventy")], &[]),
    framework("Gatsby", &[Script("gatsby-config")], &["content", "src", "docs", "blog"]),
    framework("SvelteKit", &[Script("svelte.config")], &["src", "content"]),
];

const SCRIPTS: [&str; 6] = ["js", "mjs", "cjs", "ts", "mts", "cts"];

/// By the name of a mark: which generators it may tell. One look-up for each path of a tree.
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

/// The sites that a path of the tree tells, with the number of their generator.
pub(super) fn sites(tree: &Tree, path: &[u8], kind: &Kind) -> Vec<(usize, Site)> {
    let Some(numbers) = BY_MARK.get(file_name(path)) else { return Vec::new() };
    let is_folder = *kind == Kind::Folder;
    let fits = |generator: &Generator| {
        generator.marks.iter().any(|mark| match mark {
            Folder(name) => is_folder && name.as_bytes() == file_name(path),
            File(_) | Script(_) => !is_folder,
        })
    };
    let generators = numbers.iter().map(|number| (*number, &GENERATORS[*number])).filter(|(_, of)| fits(of));
    generators.flat_map(|(number, of)| of.sites(tree, path).into_iter().map(move |site| (number, site))).collect()
}

impl Generator {
    fn sites(&self, tree: &Tree, path: &[u8]) -> Vec<Site> {
        let folder = parent(path);
        let (folders, proof, open, readmes) = match &self.reading {
            Reading::Profile(read) => {
                let sites = read(tree, path, folder);
                return sites.into_iter().map(|site| Site { generator: self.name, ..site }).collect();
            }
            Reading::Recognised { folders, proof, open, readmes } => (folders, proof, *open, *readmes),
        };
        if !proof(tree, path, folder) {
            return Vec::new();
        }
        let mut governed: Vec<Vec<u8>> = folders.iter().map(|name| join(folder, name.as_bytes())).collect();
        governed.retain(|folder| tree.find(folder).is_some());
        if governed.is_empty() {
            governed.push(folder.to_vec());
        }
        let site = |governed| self.recognised(path, governed, open, readmes);
        governed.into_iter().map(site).collect()
    }

    /// A site of which is known what made it, and no more.
    fn recognised(&self, path: &[u8], folder: Vec<u8>, open: Forms, readmes: bool) -> Site {
        let mut site = Site::recognised(self.name, folder, format!("{} is there", display_path(path)));
        site.readmes = readmes;
        site.open.push(Open { forms: open, why: format!("there is no profile of {} yet", self.name), remedy: REMEDY });
        site
    }
}

/// What makes the links of a recognised site judged.
pub(super) const REMEDY: &str = "name a renderer whose rules it follows: audit.flavors in catalog.yaml, or --flavor";

fn always(_: &Tree, _: &[u8], _: &[u8]) -> bool {
    true
}

/// A side bar at the root of a repository is a wiki's.
fn is_below_root(_: &Tree, _: &[u8], folder: &[u8]) -> bool {
    !folder.is_empty()
}

/// A folder that holds only a cache tells nothing.
fn has_settings(tree: &Tree, path: &[u8], _: &[u8]) -> bool {
    tree.children(path).any(|(_, entry)| {
        let name = file_name(&entry.path);
        name.starts_with(b"config") || matches!(name, b"theme" | b"components" | b"public" | b"client.js" | b"styles")
    })
}

fn is_jupyter_book(tree: &Tree, path: &[u8], folder: &[u8]) -> bool {
    file_name(path) == b"myst.yml" || tree.find(&join(folder, b"_config.yml")).is_some()
}

/// A `conf.py` may be anything's.
fn is_sphinx(tree: &Tree, path: &[u8], _: &[u8]) -> bool {
    detect::read(tree, path).is_some_and(|text| text.contains("extensions") || text.contains("sphinx"))
}

/// Read only where Markdown lies beside it: pages that a build has made are many.
fn is_docsify(tree: &Tree, path: &[u8], folder: &[u8]) -> bool {
    let beside = ["README.md", "_sidebar.md", "_coverpage.md", "_navbar.md"];
    beside.iter().any(|name| tree.find(&join(folder, name.as_bytes())).is_some())
        && detect::read(tree, path).is_some_and(|text| text.contains("docsify"))
}

/// At the root, the file alone is how a repository takes a theme for its README.
fn is_jekyll(tree: &Tree, _: &[u8], folder: &[u8]) -> bool {
    if tree.find(&join(folder, b"_toc.yml")).is_some() {
        return false;
    }
    let parts = ["_layouts", "_includes", "_posts", "_data", "_sass", "_docs", "_pages", "Gemfile", "_drafts"];
    !folder.is_empty() || parts.iter().any(|part| tree.find(part.as_bytes()).is_some())
}

/// Wikis and hosts, which no file but the repository's own address tells.
pub(super) fn of_origin(tree: &Tree, origin: Option<&str>) -> Option<Site> {
    let has = |path: &str| tree.find(path.as_bytes()).is_some();
    let wiki = origin.is_some_and(|origin| origin.ends_with(".wiki"))
        || has("Home.md") && (has("_Sidebar.md") || has("_Footer.md"));
    let host = origin.and_then(|origin| origin.split('/').next()).unwrap_or_default();
    let gitlab = host.contains("gitlab") || has(".gitlab-ci.yml") && !has(".github") && !host.contains("github");
    let (name, forms, reason) = match (wiki, gitlab) {
        (true, _) => ("Wiki", Forms::ADDRESSES_AND_ANCHORS, "it is a clone of a wiki"),
        (_, true) => ("GitLab", Forms::of(&[Form::Anchor]), "it is a repository on GitLab"),
        _ => return None,
    };
    let mut site = Site::recognised(name, Vec::new(), reason.to_owned());
    if !wiki {
        // A repository's files: paths mean what they mean on GitHub, only headings are named otherwise.
        site = Site { rules: super::Rules::of(Flavor::Github), ..site };
    }
    site.open.push(Open { forms, why: format!("there is no profile of {name} yet"), remedy: REMEDY });
    Some(site)
}

/// A vault of Obsidian whose settings are each writer's own: git ignores them, and notes are named as people speak.
pub(super) fn vault(tree: &Tree) -> Option<Site> {
    tree.find(b".gitignore")?;
    let text = detect::read(tree, b".gitignore")?;
    if !text.lines().any(|line| matches!(line.trim().trim_matches('/'), ".obsidian")) {
        return None;
    }
    let documents = || tree.entries().iter().filter(|entry| entry.kind == Kind::Document);
    let spoken = documents().filter(|entry| file_name(&entry.path).contains(&b' ')).count();
    if spoken * 4 < documents().count() || spoken == 0 {
        return None;
    }
    let reason = ".gitignore names .obsidian, and notes have blanks in their names".to_owned();
    let mut site = Site::recognised("Obsidian", Vec::new(), reason);
    let forms = BY_NAME.and(Form::Reference);
    site.open.push(Open { forms, why: "there is no profile of Obsidian yet".to_owned(), remedy: REMEDY });
    Some(site)
}

/// Documents of a Hugo site without its configuration: a central site takes them from here (`_index.md` is Hugo's alone).
pub(super) fn imported(tree: &Tree, sites: &[Site]) -> Vec<Site> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for entry in tree.entries().iter().filter(|entry| entry.kind == Kind::Document) {
        let folder = parent(&entry.path);
        let is_index = file_name(&entry.path) == b"_index.md";
        // Sorted by path: what lies above comes first, but for the root's own.
        if is_index
            && !found.iter().any(|above| super::is_below(folder, above))
            && !sites.iter().any(|site| super::is_below(folder, &site.folder))
        {
            found.push(folder.to_vec());
        }
    }
    // `docs/sources/a/_index.md` and `docs/sources/b/_index.md` are parts of one tree.
    let site = |folder: Vec<u8>| {
        let reason = format!("{} is there and no configuration of Hugo", display_path(&join(&folder, b"_index.md")));
        let mut site = Site::recognised("Hugo", folder, reason);
        site.open.push(Open {
            forms: Forms::ADDRESSES_AND_ANCHORS,
            why: "a Hugo site elsewhere takes these documents, and its settings are not here".to_owned(),
            remedy: REMEDY,
        });
        site
    };
    found.into_iter().map(site).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_told_by_its_name() {
        for name in ["astro.config.mjs", ".vitepress", "conf.py", "next.config.ts", ".eleventy.js", "mkdocs.yml"] {
            assert!(BY_MARK.contains_key(name.as_bytes()), "{name}");
        }
        assert!(!BY_MARK.contains_key(b"README.md".as_slice()));
    }

    #[test]
    fn names_are_there_once_but_for_those_with_two_marks() {
        let mut names: Vec<_> = GENERATORS.iter().map(|generator| generator.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), GENERATORS.len() - 1, "Docsify has two rows");
    }
}
