//! The rules themselves, one row for each renderer.

use super::Flavor;

/// What a link that leads to nothing in the tree may still be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Nothing: it is broken.
    Nothing,
    /// A page of the published site that is made elsewhere; it cannot be judged.
    Site,
}

/// How a renderer takes links and headings.
#[derive(Debug)]
pub struct Rules {
    /// Endings that may be left out.
    pub endings: &'static [&'static str],
    /// `x.html` is made of `x.md`.
    pub html_is_markdown: bool,
    /// Files that stand for their folder, the first one found.
    pub index: &'static [&'static str],
    /// Relative destinations may be meant from the page's address, which is a folder: `../x` beside `a/b.md` is `a/x`.
    pub pages_are_folders: bool,
    /// Pages have addresses which front matter or configuration give.
    pub addresses: bool,
    /// A page is told by its fragment whatever the case.
    pub forgives_case: bool,
    /// How headings are named is known but for punctuation.
    pub loose_anchors: bool,
    /// Destinations with `/` in front that the tree does not have.
    pub absolute: Elsewhere,
    /// Relative destinations that leave the site's folder and that the tree does not have.
    pub leaving: Elsewhere,
    /// Attributes of HTML are left as they are: addresses of the published site.
    pub html: Elsewhere,
}

const INDEX: &[&str] =
    &["README.md", "readme.md", "Readme.md", "index.md", "README.mdx", "index.mdx", "README.markdown"];
const SITE_INDEX: &[&str] = &["index.md", "index.mdx", "_index.md", "README.md", "index.html"];

const GITHUB: Rules = Rules {
    endings: &[],
    html_is_markdown: false,
    index: INDEX,
    pages_are_folders: false,
    addresses: false,
    forgives_case: true,
    loose_anchors: false,
    absolute: Elsewhere::Nothing,
    leaving: Elsewhere::Nothing,
    html: Elsewhere::Nothing,
};

const MDBOOK: Rules = Rules {
    html_is_markdown: true,
    index: SITE_INDEX,
    forgives_case: false,
    absolute: Elsewhere::Site,
    leaving: Elsewhere::Site,
    ..GITHUB
};

const MKDOCS: Rules = Rules {
    endings: &[".md"],
    html_is_markdown: true,
    index: SITE_INDEX,
    pages_are_folders: true,
    forgives_case: false,
    absolute: Elsewhere::Site,
    html: Elsewhere::Site,
    ..GITHUB
};

const DOCUSAURUS: Rules = Rules {
    endings: &[".md", ".mdx"],
    html_is_markdown: true,
    index: SITE_INDEX,
    pages_are_folders: true,
    addresses: true,
    forgives_case: false,
    ..GITHUB
};

const MINTLIFY: Rules = Rules {
    // It drops underscores at least in front.
    loose_anchors: true,
    endings: &[".mdx", ".md"],
    index: SITE_INDEX,
    pages_are_folders: true,
    addresses: true,
    forgives_case: false,
    ..GITHUB
};

const DOCFX: Rules = Rules {
    endings: &[".yml"],
    index: &["index.md", "index.yml", "README.md"],
    forgives_case: false,
    absolute: Elsewhere::Site,
    leaving: Elsewhere::Site,
    html: Elsewhere::Site,
    ..GITHUB
};

const HUGO: Rules = Rules {
    endings: &[".md"],
    html_is_markdown: true,
    index: &["_index.md", "index.md", "index.html", "README.md"],
    pages_are_folders: true,
    addresses: true,
    forgives_case: false,
    ..GITHUB
};

/// A generator without a profile: whatever any of them would find is there, and nothing else is judged where it matters.
const RECOGNISED: Rules = Rules {
    endings: &[".md", ".mdx"],
    html_is_markdown: true,
    index: SITE_INDEX,
    pages_are_folders: true,
    forgives_case: false,
    ..GITHUB
};

impl Rules {
    /// The rules of a generator that has no profile.
    #[must_use]
    pub const fn recognised() -> &'static Self {
        &RECOGNISED
    }

    /// Whether a repository's host follows them.
    #[must_use]
    pub const fn is_hosts(&self) -> bool {
        self.forgives_case
    }

    /// The rules of a renderer.
    #[must_use]
    pub const fn of(flavor: Flavor) -> &'static Self {
        match flavor {
            Flavor::Github => &GITHUB,
            Flavor::Mdbook => &MDBOOK,
            Flavor::Mkdocs => &MKDOCS,
            Flavor::Docusaurus => &DOCUSAURUS,
            Flavor::Mintlify => &MINTLIFY,
            Flavor::Docfx => &DOCFX,
            Flavor::Hugo => &HUGO,
        }
    }
}
