//! What links and anchors mean, by renderer. In: the tree and the files that say which renderer it is for. Out: for every folder the
//! rules, and a sentence on why.

mod detect;
mod origin;
mod rules;

use clap::ValueEnum;
use rustc_hash::FxHashMap;

pub use detect::detect;
pub use origin::Origin;
pub use rules::{Elsewhere, Rules};

/// A renderer, or several that follow the same rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Flavor {
    /// GitHub's pages of a repository, and what else nobody has said anything about
    Github,
    /// mdBook
    Mdbook,
    /// MkDocs, Material for MkDocs, Zensical, TechDocs
    Mkdocs,
    /// Docusaurus
    Docusaurus,
    /// Mintlify
    Mintlify,
    /// DocFX, Microsoft Learn
    Docfx,
    /// Hugo
    Hugo,
}

impl Flavor {
    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "GitHub",
            Self::Mdbook => "mdBook",
            Self::Mkdocs => "MkDocs",
            Self::Docusaurus => "Docusaurus",
            Self::Mintlify => "Mintlify",
            Self::Docfx => "DocFX",
            Self::Hugo => "Hugo",
        }
    }
}

/// A part of the tree with rules of its own.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder of its documents.
    pub folder: Vec<u8>,
    /// Folders that `/` stands for, the likeliest first.
    pub roots: Vec<Vec<u8>>,
    /// The renderer.
    pub flavor: Flavor,
    /// Its rules.
    pub rules: &'static Rules,
    /// Why these.
    pub reason: String,
    /// Documents that its navigation files name: edges from nowhere.
    pub navigation: Vec<Vec<u8>>,
    /// Old addresses that lead to new ones, without `/` at either end; `true` for those that cover everything below.
    pub redirects: FxHashMap<Vec<u8>, bool>,
}

impl Site {
    /// A site whose `/` is its folder.
    #[must_use]
    pub fn new(flavor: Flavor, folder: Vec<u8>, reason: String) -> Self {
        let (roots, redirects) = (vec![folder.clone()], FxHashMap::default());
        Self { folder, roots, flavor, rules: Rules::of(flavor), reason, navigation: Vec::new(), redirects }
    }

    /// Whether an address is redirected.
    #[must_use]
    pub fn redirects(&self, path: &[u8]) -> bool {
        let path = path.trim_ascii().strip_prefix(b"/").unwrap_or(path);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if self.redirects.is_empty() {
            return false;
        }
        if self.redirects.contains_key(path) {
            return true;
        }
        memchr::memchr_iter(b'/', path).any(|end| self.redirects.get(&path[..end]) == Some(&true))
    }
}

/// The sites of a tree.
#[derive(Clone, Debug)]
pub struct Profiles {
    /// The deepest folders first; the last one is the whole tree.
    sites: Vec<Site>,
    /// Where its host shows the tree, if it is a repository that has one.
    pub origin: Option<Origin>,
}

impl Profiles {
    /// From sites in any order; the first one given for a folder counts.
    #[must_use]
    pub fn new(mut sites: Vec<Site>) -> Self {
        sites.sort_by(|one, other| other.folder.len().cmp(&one.folder.len()).then(one.folder.cmp(&other.folder)));
        sites.dedup_by(|later, first| later.folder == first.folder);
        Self { sites, origin: None }
    }

    /// The number of the site of a document.
    #[must_use]
    pub fn of(&self, path: &[u8]) -> u16 {
        let at = self.sites.iter().position(|site| is_below(path, &site.folder)).unwrap_or(self.sites.len() - 1);
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    /// A site by its number.
    #[must_use]
    pub fn site(&self, number: u16) -> &Site {
        &self.sites[usize::from(number).min(self.sites.len() - 1)]
    }

    /// All of them.
    #[must_use]
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// What the report says about those that `is_used` names by number.
    #[must_use]
    pub fn sentences(&self, is_used: &dyn Fn(u16) -> bool) -> Vec<String> {
        // The general one last, as it is about what is left.
        let sites: Vec<&Site> =
            (0_u16..).zip(&self.sites).filter(|(number, _)| is_used(*number)).map(|(_, site)| site).collect();
        let several = sites.len() > 1;
        sites
            .into_iter()
            .map(|site| {
                let folder = String::from_utf8_lossy(&site.folder);
                let place = match folder.is_empty() {
                    true if several => " elsewhere".to_owned(),
                    true => String::new(),
                    false => format!(" in {folder}"),
                };
                format!("{}'s rules{place}, because {}", site.flavor.name(), site.reason)
            })
            .collect()
    }
}

/// Whether `path` is in `folder` or the folder itself.
#[must_use]
pub fn is_below(path: &[u8], folder: &[u8]) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}
