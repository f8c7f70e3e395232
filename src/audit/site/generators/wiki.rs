//! Wikis: GitHub's (Gollum) finds a page by its name, GitLab's by its path or name, Azure DevOps' by its path with hyphens for blanks.

use super::Mark::File;
use super::{Generator, NOTHING, because, never};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::{ByName, Elsewhere, Links, Model, Origin, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;

const SYNTAX: Syntax = Syntax::new(Dialect::Github).with(&[C::WikiLinks, C::Math]);

const LINKS: Links = Links {
    endings: &[".md"],
    index: &["Home.md", "home.md", "README.md"],
    by_name: ByName::Hyphenated,
    // `/OWNER/NAME/issues` is the host's.
    absolute: Elsewhere::Site,
    leaving: Elsewhere::Site,
    html: Elsewhere::Site,
    lists_folders: true,
    ..Links::SITE
};

static GITHUB: Model = Model { name: "GitHub wiki", syntax: SYNTAX, links: Links { forgives_case: true, ..LINKS } };

static OTHER: Model = Model { name: "GitLab wiki", syntax: SYNTAX, links: Links { loose_anchors: true, ..LINKS } };

static IN_AZURE: Model = Model {
    name: "Azure DevOps wiki",
    syntax: SYNTAX.with(&[C::Diagrams]),
    links: Links { absolute: Elsewhere::Nothing, loose_anchors: true, ..LINKS },
};

pub(super) static WIKI: Generator = Generator {
    name: "GitHub wiki",
    word: Some(("github-wiki", "A GitHub wiki")),
    model: &GITHUB,
    marks: &[],
    read: never,
    complete: None,
};

pub(super) static GITLAB_WIKI: Generator = Generator {
    name: "GitLab wiki",
    word: Some(("gitlab-wiki", "A GitLab wiki")),
    model: &OTHER,
    marks: &[],
    read: never,
    complete: None,
};

pub(super) static AZURE: Generator = Generator {
    name: "Azure DevOps wiki",
    word: Some(("azure-wiki", "An Azure DevOps wiki")),
    model: &IN_AZURE,
    marks: &[File(".order")],
    read: azure,
    complete: None,
};

/// `.order` lists the pages of each folder: the topmost one is the wiki's.
fn azure(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let mut above = folder;
    while !above.is_empty() {
        above = crate::text::path::parent(above);
        if super::has(tree, above, ".order") {
            return Vec::new();
        }
    }
    vec![because(&IN_AZURE, folder.to_vec(), path)]
}

/// A clone of a wiki: its address ends so, or it has a wiki's pages.
pub(super) fn clone(tree: &Tree, origin: Option<&Origin>) -> Option<Site> {
    let has = |path: &str| tree.find(path.as_bytes()).is_some();
    let is_wiki = origin.is_some_and(|origin| origin.as_str().ends_with(".wiki"));
    if !is_wiki && !(has("Home.md") && (has("_Sidebar.md") || has("_Footer.md"))) {
        return None;
    }
    let is_gitlab = origin.is_some_and(|origin| origin.host().contains("gitlab"));
    let (model, reason) = (if is_gitlab { &OTHER } else { &GITHUB }, "it is a clone of a wiki".to_owned());
    let mut site = Site::new(model, Vec::new(), reason);
    if !is_wiki {
        // A folder of pages that is copied to a wiki: what else it is for is not known.
        let forms = Forms::new(&[Form::Bare, Form::Address, Form::Anchor]);
        site.leave_open(forms, "nothing says which wiki it is for".to_owned(), NOTHING);
    }
    Some(site)
}
