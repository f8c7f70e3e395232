//! Sphinx with MyST: `conf.py` beside the documents; documents by path with or without ending, labels on any page. The configuration is a
//! program; it is read for what stands there literally.

use super::Mark::File;
use super::{Generator, NOTHING, because};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings;
use crate::audit::site::{Addresses, Links, Model, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;

const SYNTAX: Syntax = Syntax::new(Dialect::Github).with(&[
    C::HeadingIds,
    C::AttributeLists,
    C::FootnoteIds,
    C::Directives,
    C::Containers,
    C::Math,
    C::DefinitionLists,
]);

static MODEL: Model = Model {
    name: "Sphinx",
    syntax: SYNTAX,
    links: Links {
        endings: &[".md", ".rst", ".ipynb", ".txt"],
        html_is_markdown: true,
        labels: true,
        addresses: Addresses::None,
        made: &["genindex.html", "genindex", "modindex", "py-modindex", "search", "search.html", "genindex.md"],
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
    if let Some(depth) = assigned(&text, "myst_heading_anchors") {
        site.note(path, "myst_heading_anchors", depth);
    }
    if is_plain(tree, folder, &text) && assigned(&text, "myst_heading_anchors").is_some() {
        return vec![site];
    }
    // A label may come from reStructuredText, from code, or from another project's inventory.
    let why = "a label may come from reStructuredText, from code or from another project".to_owned();
    site.leave_open(Forms::ADDRESSES_AND_ANCHORS.and(Form::Reference), why, NOTHING);
    vec![site]
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
    let is_other = |path: &[u8]| [".rst", ".ipynb", ".txt"].iter().any(|ending| path.ends_with(ending.as_bytes()));
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
