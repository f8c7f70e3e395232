//! GitHub's pages of a repository, and what nothing else is said about.

use super::{Generator, never};
use crate::audit::site::{Links, Model, Rules};

pub(super) static MODEL: Model = Model { name: "GitHub", rules: Rules::GITHUB, links: Links::HOST };

pub(super) static GITHUB: Generator = Generator {
    name: "GitHub",
    word: Some(("github", "GitHub's pages of a repository, and everything that nothing else is said about")),
    model: &MODEL,
    marks: &[],
    read: never,
    complete: None,
};
