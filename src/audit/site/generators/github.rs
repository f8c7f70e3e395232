//! GitHub's pages of a repository, and what nothing else is said about.

use super::{Generator, never};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::{Links, Model};
use crate::markdown::slug::Dialect;

pub(super) const SYNTAX: Syntax = Syntax::new(Dialect::Github).with(&[C::Math, C::NodeText]);

pub(super) static MODEL: Model = Model { name: "GitHub", syntax: SYNTAX, links: Links::HOST };

pub(super) static GITHUB: Generator = Generator {
    name: "GitHub",
    word: Some(("github", "GitHub's pages of a repository, and everything that nothing else is said about")),
    model: &MODEL,
    marks: &[],
    read: never,
    complete: None,
};
