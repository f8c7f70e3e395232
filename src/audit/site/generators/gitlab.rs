//! A repository on GitLab: paths mean what they mean on GitHub, headings are named otherwise.

use super::{Generator, never};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::{Links, Model, Origin, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;

const SYNTAX: Syntax = Syntax::new(Dialect::Github).with(&[C::Math]);

static MODEL: Model =
    Model { name: "GitLab", syntax: SYNTAX, links: Links { loose_anchors: true, forgives_case: false, ..Links::HOST } };

pub(super) static GITLAB: Generator = Generator {
    name: "GitLab",
    word: Some(("gitlab", "GitLab's pages of a repository")),
    model: &MODEL,
    marks: &[],
    read: never,
    complete: None,
};

/// Known by the repository's own address, or by its pipeline where nothing speaks for GitHub.
pub(super) fn repository(tree: &Tree, origin: Option<&Origin>) -> Option<Site> {
    let host = origin.map(Origin::host).unwrap_or_default();
    let has = |path: &str| tree.find(path.as_bytes()).is_some();
    let is_one = host.contains("gitlab") || has(".gitlab-ci.yml") && !has(".github") && !host.contains("github");
    is_one.then(|| Site::new(&MODEL, Vec::new(), "it is a repository on GitLab".to_owned()))
}
