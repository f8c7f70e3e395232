//! How a renderer reads Markdown, one set of rules for each generator.

use crate::markdown::slug::Dialect;

/// How a renderer reads headings and blocks.
#[derive(Debug)]
pub struct Rules {
    /// How headings are named.
    pub dialect: Dialect,
    /// `## x {#id}` names the heading.
    pub heading_ids: bool,
    /// `{: #id }` and `{ #id }` name what they follow.
    pub attribute_lists: bool,
    /// Titles of components are anchors.
    pub component_titles: bool,
    /// Other files' text can be included.
    pub includes: bool,
    /// What stands in front of the name of a file that is included, besides links.
    pub include_marks: &'static [&'static str],
    /// What says that a build puts parts into a page that are not in its text.
    pub composed_marks: &'static [&'static str],
    /// How headings are named is known but for punctuation.
    pub loose_anchors: bool,
    /// The renderer is a repository's host.
    pub is_host: bool,
}

impl Rules {
    /// GitHub's.
    pub(super) const GITHUB: Self = Self {
        dialect: Dialect::Github,
        heading_ids: false,
        attribute_lists: false,
        component_titles: false,
        includes: false,
        include_marks: &[],
        composed_marks: &[],
        loose_anchors: false,
        is_host: true,
    };

    /// A site's: headings have ids.
    pub(super) const SITE: Self = Self { heading_ids: true, is_host: false, ..Self::GITHUB };

    /// A generator's without a profile.
    pub(super) const RECOGNISED: Self = Self { attribute_lists: true, ..Self::SITE };

    /// Whether the renderer is a repository's host.
    #[must_use]
    pub const fn is_hosts(&self) -> bool {
        self.is_host
    }
}
