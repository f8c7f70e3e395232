//! What links and anchors mean, by renderer. In: the tree and the files that say which renderer it is for. Out: for every folder the
//! rules, and a sentence on why.

mod detect;
mod generators;
pub mod open;
mod origin;
mod rules;
mod settings;
mod syntax;

use clap::ValueEnum;
use rustc_hash::FxHashMap;

use super::document::Syntax;
use super::unjudged::Unjudged;
use crate::text::path::{display_path, file_name};
use crate::text::plural::grouped;

pub use detect::detect;
pub use open::{Cause, Form, Forms, Open};
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
    /// The syntax of its pages.
    pub syntax: Syntax,
    /// Why these.
    pub reason: String,
    /// Documents that its navigation files name: edges from nowhere.
    pub navigation: Vec<Vec<u8>>,
    /// What made it, as people write it.
    pub generator: &'static str,
    /// Whether there is a profile: the rules are its generator's.
    pub known: bool,
    /// Whether READMEs are its pages; otherwise they are for the repository's host.
    pub readmes: bool,
    /// Folders besides the document's own from which its generator takes the path of a document.
    pub content: Vec<Vec<u8>>,
    /// What is not known of it.
    pub open: Vec<Open>,
    /// The settings that were read: file, name, value.
    pub settings: Vec<(String, String, String)>,
    /// Old addresses that lead to new ones, without `/` at either end; `true` for those that cover everything below.
    pub redirects: FxHashMap<Vec<u8>, bool>,
}

impl Site {
    /// A site whose `/` is its folder.
    #[must_use]
    pub fn new(flavor: Flavor, folder: Vec<u8>, reason: String) -> Self {
        Self {
            roots: vec![folder.clone()],
            folder,
            flavor,
            rules: Rules::of(flavor),
            syntax: syntax::of_flavor(flavor),
            reason,
            navigation: Vec::new(),
            generator: flavor.name(),
            known: true,
            readmes: true,
            content: Vec::new(),
            open: Vec::new(),
            settings: Vec::new(),
            redirects: FxHashMap::default(),
        }
    }

    /// A site of which only the generator is known.
    #[must_use]
    pub fn recognised(generator: &'static str, folder: Vec<u8>, reason: String) -> Self {
        let rules = Rules::recognised();
        let syntax = syntax::of_generator(generator);
        Self { generator, known: false, rules, syntax, ..Self::new(Flavor::Github, folder, reason) }
    }

    /// Returns the syntax of one of its files.
    #[must_use]
    pub fn syntax(&self, path: &[u8]) -> Syntax {
        self.syntax.of_file(path)
    }

    /// Notes a setting that was read from a file.
    pub(super) fn note(&mut self, file: &[u8], name: &str, value: &str) {
        self.settings.push((display_path(file), name.to_owned(), value.to_owned()));
    }

    /// Why links of a form are not judged, if so.
    #[must_use]
    pub fn cause(&self, form: Form) -> Option<Cause> {
        let at = self.open.iter().position(|open| open.forms.has(form))?;
        Some(Cause::Open(u8::try_from(at).unwrap_or(u8::MAX)))
    }

    /// Why, in words: a clause behind "because".
    #[must_use]
    pub fn why(&self, cause: Cause) -> &str {
        self.of_cause(cause).map_or_else(|| cause.why(), |open| &open.why)
    }

    /// What would make it judged.
    #[must_use]
    pub fn remedy(&self, cause: Cause) -> &'static str {
        self.of_cause(cause).map_or_else(|| cause.remedy(), |open| open.remedy)
    }

    fn of_cause(&self, cause: Cause) -> Option<&Open> {
        match cause {
            Cause::Open(at) => self.open.get(usize::from(at)),
            _ => None,
        }
    }

    /// Whether a document of its folder is for the repository's host all the same.
    fn leaves_to_host(&self, path: &[u8]) -> bool {
        const HOST: [&[u8]; 9] = [
            b"README",
            b"CONTRIBUTING",
            b"CHANGELOG",
            b"CODE_OF_CONDUCT",
            b"SECURITY",
            b"LICENSE",
            b"GOVERNANCE",
            b"AGENTS",
            b"CLAUDE",
        ];
        let name = file_name(path);
        let stem = &name[..memchr::memchr(b'.', name).unwrap_or(name.len())];
        !self.known
            && (self.folder.is_empty() && path.starts_with(b".github/") || !self.readmes && HOST.contains(&stem))
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
        // The last one is the whole tree's, for what no other one governs.
        let rest = sites.iter().rposition(|site| site.folder.is_empty() && site.known).map(|at| sites.remove(at));
        sites.dedup_by(|later, first| later.folder == first.folder);
        if !sites.iter().any(|site| site.folder.is_empty() && site.known) {
            sites.extend(rest);
        }
        Self { sites, origin: None }
    }

    /// The number of the site of a document.
    #[must_use]
    pub fn of(&self, path: &[u8]) -> u16 {
        let at = self
            .sites
            .iter()
            .position(|site| is_below(path, &site.folder) && !site.leaves_to_host(path))
            .unwrap_or(self.sites.len() - 1);
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

    /// What the report says about those that `is_used` names by number, with what is not judged there.
    #[must_use]
    pub fn sentences(&self, is_used: &dyn Fn(u16) -> bool, unjudged: &[Unjudged]) -> Vec<String> {
        // The general one last, as it is about what is left.
        let sites: Vec<(u16, &Site)> = (0_u16..).zip(&self.sites).filter(|(number, _)| is_used(*number)).collect();
        let several = sites.len() > 1;
        sites
            .into_iter()
            .map(|(number, site)| {
                let folder = String::from_utf8_lossy(&site.folder);
                let place = match folder.is_empty() {
                    true if several => " elsewhere".to_owned(),
                    true => String::new(),
                    false => format!(" in {folder}"),
                };
                let what = if site.known || site.rules.is_hosts() { "'s rules" } else { "'s documents" };
                let own = unjudged.iter().filter(|of| of.site == number);
                let not_judged = not_judged(site, &own.collect::<Vec<_>>());
                format!("{}{what}{place}, because {}{not_judged}", site.generator, site.reason)
            })
            .collect()
    }
}

/// `; not judged: 12 links with / in front and 3 anchors, because …`: one clause for each reason.
fn not_judged(site: &Site, unjudged: &[&Unjudged]) -> String {
    let mut clauses: Vec<(Cause, Vec<String>)> = Vec::new();
    for of in unjudged {
        let counted = format!("{} {}", grouped(of.count), of.form.noun(of.count));
        match clauses.iter_mut().find(|(cause, _)| *cause == of.cause) {
            Some((_, counts)) => counts.push(counted),
            None => clauses.push((of.cause, vec![counted])),
        }
    }
    let clause = |(cause, counts): &(Cause, Vec<String>)| {
        let counts = match counts.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => counts.concat(),
        };
        format!("{counts}, because {}", site.why(*cause))
    };
    match clauses.is_empty() {
        true => String::new(),
        false => format!("; not judged: {}", clauses.iter().map(clause).collect::<Vec<_>>().join("; ")),
    }
}

/// Whether `path` is in `folder` or the folder itself.
#[must_use]
pub fn is_below(path: &[u8], folder: &[u8]) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}
