//! Sphinx with MyST: `conf.py` beside the documents; documents by path with or without ending, labels on any page. The configuration is a
//! program; it is read for what stands there literally.

use super::Mark::File;
use super::{Generator, NOTHING, because};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::excluded;
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings;
use crate::audit::site::{Addresses, Elsewhere, Links, Model, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::display_path;

const SYNTAX: Syntax = Syntax {
    include_marks: &["{include} "],
    ..Syntax::new(Dialect::Myst { depth: u8::MAX }).with(&[
        C::AttributeLists,
        C::Directives,
        C::Containers,
        C::Includes,
        C::Math,
        C::DefinitionLists,
    ])
};

static MODEL: Model = Model {
    name: "Sphinx",
    syntax: SYNTAX,
    links: Links {
        endings: &[".md", ".rst", ".ipynb", ".txt"],
        labels: true,
        folders: false,
        html: Elsewhere::Site,
        addresses: Addresses::None,
        fragments: &["genindex", "modindex", "py-modindex", "search"],
        made: &[
            "genindex.html",
            "genindex",
            "modindex",
            "py-modindex",
            "search",
            "search.html",
            "genindex.md",
            // Of extensions, for language models.
            "llms.txt",
            "llms-full.txt",
        ],
        ..Links::SITE
    },
};

pub(super) static SPHINX: Generator = Generator {
    name: "Sphinx",
    word: Some(("myst", "Sphinx with MyST")),
    model: &MODEL,
    marks: &[File("conf.py")],
    read,
    complete: None,
};

/// A `conf.py` may be anything's.
fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let Ok(text) = settings::text(tree, path) else { return Vec::new() };
    if !text.contains("extensions") && !text.contains("sphinx") {
        return Vec::new();
    }
    let mut site = because(&MODEL, folder.to_vec(), path);
    anchors(&mut site, path, &text);
    if !is_plain(tree, folder, &text) {
        // A label may come from reStructuredText, from code, or from another project's inventory.
        let why = "a label may come from reStructuredText, from code or from another project".to_owned();
        site.leave_open(Forms::ADDRESSES.and(Form::Label).and(Form::Reference), why, NOTHING);
    }
    excluded::by_paths(&mut site, tree, path, folder, &texts(&text, "exclude_patterns"));
    vec![site]
}

/// The texts of a list that is assigned at the beginning of a line of Python: `NAME = ["a", "b"]`.
fn texts<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let lists = memchr::memmem::find_iter(text.as_bytes(), name).filter_map(|at| {
        let is_begun = at == 0 || text[..at].ends_with('\n');
        let rest = text[at + name.len()..].trim_start().strip_prefix('=')?.trim_start().strip_prefix('[')?;
        is_begun.then_some(rest)
    });
    let mut found = Vec::new();
    for list in lists {
        let lines = list.split(']').next().unwrap_or_default().lines();
        for line in lines.filter(|line| !line.trim_start().starts_with('#')) {
            found.extend(line.split(['"', '\'']).skip(1).step_by(2));
        }
    }
    found
}

/// How headings are named: to which depth by slugs, and whether only by what is known here.
fn anchors(site: &mut Site, path: &[u8], text: &str) {
    let anchors = "myst_heading_anchors";
    let depth = assigned(text, anchors);
    if let Some(depth) = depth {
        site.note(path, anchors, depth);
    }
    match depth.map_or(Ok(0), str::parse) {
        Ok(depth) => site.syntax.dialect = Dialect::Myst { depth },
        Err(_) => {
            // Deeper than any heading: each may have a slug.
            site.syntax.dialect = Dialect::Myst { depth: u8::MAX };
            let why = format!("{} computes {anchors}", display_path(path));
            site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
        }
    }
    // `--` is a dash before the heading is named.
    if text.contains("\"replacements\"") || text.contains("'replacements'") {
        site.syntax = site.syntax.with(&[C::SmartPunctuation]);
    }
    let is_default = |value: &str| matches!(value, "github" | "None");
    let other = match () {
        () if !text.contains("myst") => Some("does not name MyST"),
        () if text.contains("autosectionlabel") => Some("makes a label of every heading"),
        () if assigned(text, "myst_heading_slug_func").is_some_and(|value| !is_default(value)) => {
            Some("sets myst_heading_slug_func")
        }
        () => None,
    };
    if let Some(what) = other {
        let why = format!("{} {what}, which changes anchors", display_path(path));
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
}

/// Extensions that bring no labels.
const HARMLESS: &[&str] = &[
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_inline_tabs",
    "sphinx.ext.githubpages",
    "sphinx_tabs.tabs",
    "sphinx_togglebutton",
    "sphinxext.opengraph",
    "sphinx.ext.mathjax",
    "sphinx_sitemap",
    "notfound.extension",
];

/// Returns whether all labels stand in Markdown: no reStructuredText, no extension that brings others.
fn is_plain(tree: &Tree, folder: &[u8], text: &str) -> bool {
    let Some(start) = text.find("extensions = [").filter(|start| *start == 0 || text[..*start].ends_with('\n')) else {
        return false;
    };
    let list = text[start..].split(']').next().unwrap_or_default();
    let names: Vec<&str> = list.split(['"', '\'']).skip(1).step_by(2).collect();
    let is_changed = text.contains("extensions.")
        || text.contains("extensions +=")
        || text.contains("import myst")
        || text.contains("def setup");
    // A text file is a source only where the configuration says so.
    let endings: &[&str] = if text.contains(".txt") { &[".rst", ".ipynb", ".txt"] } else { &[".rst", ".ipynb"] };
    let is_other = |path: &[u8]| endings.iter().any(|ending| path.ends_with(ending.as_bytes()));
    !is_changed
        && names.iter().all(|name| HARMLESS.contains(name))
        && !tree.below(folder).any(|(_, entry)| is_other(&entry.path))
}

/// The literal value of `NAME = VALUE` at the beginning of a line of Python.
fn assigned<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='))?;
    let value = line.split('#').next().unwrap_or(line).trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_values_of_python() {
        assert_eq!(assigned("x = 1\nmyst_heading_anchors = 3  # deep\n", "myst_heading_anchors"), Some("3"));
        assert_eq!(assigned("  a = 1\n", "a"), None);
    }
}
