//! The model of a site: what a page is called and what its links mean. In: the tree, the settings of its generators, the settings of the
//! audit. Out: for every folder a [`Site`]: its pages with their addresses, how a link resolves, which pages are published, what is not
//! known and why. The checks and `resolve` read the model; only `generators/` knows a generator by name.

mod addresses;
mod detect;
mod excluded;
mod flavor;
mod generators;
mod languages;
mod links;
pub mod open;
mod origin;
mod output;
mod redirects;
mod settings;
mod sites;

use regex::Regex;
use rustc_hash::FxHashSet;

use super::document::Syntax;
use crate::text::path::{display_path, file_name};

pub use addresses::{Index, Route, bare, below};
pub use detect::detect;
pub use excluded::Excluded;
pub use flavor::Flavor;
pub use languages::{LANGUAGES, is_language};
pub use links::{Addresses, ByName, Elsewhere, Links, PagesEnd};
pub use open::{Cause, Form, Forms, Open};
pub use origin::Origin;
pub use output::{Addressing, Files, Href, LinkPath, Outlet, Output, Part};
pub use redirects::Redirects;
pub use sites::{Sites, is_below};

/// The rules of a generator that do not depend on settings.
#[derive(Debug)]
pub struct Model {
    /// The generator, as people write it.
    pub name: &'static str,
    /// How it reads Markdown.
    pub syntax: Syntax,
    /// How it takes links.
    pub links: Links,
}

/// A page that navigation names: the file, the line there, the page's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The settings file.
    pub file: Vec<u8>,
    /// The line, from 1.
    pub line: u32,
    /// As destination.
    pub text: String,
    /// From the root of the tree.
    pub path: Vec<u8>,
}

/// The pages that a site shows, where that is not all of its documents.
#[derive(Clone, Debug)]
pub struct Published {
    /// The file that lists them.
    pub list: Vec<u8>,
    /// Their paths.
    pub pages: FxHashSet<Vec<u8>>,
}

/// A part of the tree with rules of its own.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder of its documents.
    pub folder: Vec<u8>,
    /// Why this generator.
    pub reason: String,
    /// The display name of the generator.
    pub generator: &'static str,
    /// How its generator reads Markdown.
    pub syntax: Syntax,
    /// How its generator takes links.
    pub links: &'static Links,
    /// `true` when there is a profile: the rules are its generator's.
    pub known: bool,
    /// `true` when nothing in the tree names it, and nobody has asked for it.
    pub assumed: bool,
    /// `true` when READMEs are its pages; otherwise they are for the repository's host.
    pub readmes: bool,
    /// Documents in its folder that are for the repository's host.
    pub for_host: Vec<Vec<u8>>,
    /// Folders that `/` stands for, the likeliest first.
    pub roots: Vec<Vec<u8>>,
    /// The prefix of all addresses, without `/` at either end.
    pub base: Vec<u8>,
    /// The generator leaves links as they are: without the base in front, one with `/` leaves the site.
    pub needs_base: bool,
    /// Folders below which pages have addresses.
    pub routes: Vec<Route>,
    /// The prefixes of addresses in other languages.
    pub locales: Vec<Vec<u8>>,
    /// The prefix of addresses in the default language.
    pub default_locale: Option<Vec<u8>>,
    /// Programs of the project's own change the text of pages.
    pub rewrites: bool,
    /// Names of files that the build makes, by its settings.
    pub made_files: Vec<String>,
    /// Addresses below which the generator makes pages, without `/` at either end.
    pub made: Vec<Vec<u8>>,
    /// Folders of documents: the path of a document may be meant from the one around the page.
    pub content: Vec<Vec<u8>>,
    /// Folders of pages that are no documents.
    pub pages: Vec<Vec<u8>>,
    /// Folders from which the path of a document may be meant on every page.
    pub project: Vec<Vec<u8>>,
    /// Folders that mirror others: what the first lacks is taken from the second.
    pub mirrors: Vec<(Vec<u8>, Vec<u8>)>,
    /// Folders from which included files are meant; the page's own where there are none.
    pub includes: Vec<Vec<u8>>,
    /// The folder of the program that builds the site: `/` in front of an import means it.
    pub program: Option<Vec<u8>>,
    /// Files that are appended to every page.
    pub appended: Vec<Vec<u8>>,
    /// Folders with the templates of shortcodes.
    pub shortcodes: Vec<Vec<u8>>,
    /// Documents that templates show on pages; which pages these are is not known.
    pub shown: Vec<Vec<u8>>,
    /// Destinations with `/` in front that the tree does not have.
    pub absolute: Elsewhere,
    /// The meaning of an address without a page.
    pub addresses: Addresses,
    /// The pages that are shown, where a file lists them.
    pub published: Option<Published>,
    /// Documents that the settings take out of the build.
    pub excluded: Option<Excluded>,
    /// Patterns of destinations that the settings tell the build to leave alone.
    pub left_alone: Vec<Regex>,
    /// Documents that navigation names: edges from nowhere.
    pub navigation: Vec<Vec<u8>>,
    /// Folders whose pages the generator lists itself, as those of a blog.
    pub listed: Vec<Vec<u8>>,
    /// Pages that must be there, because navigation names them.
    pub named: Vec<Named>,
    /// `true` when a list of everything is made, as no navigation is destination.
    pub lists_folders: bool,
    /// The unknown facts about the site.
    pub open: Vec<Open>,
    /// The settings that were read: file, name, value.
    pub settings: Vec<(String, String, String)>,
    /// Old addresses that lead to new ones.
    pub redirects: Redirects,
    /// The way its build publishes, where that is known.
    pub output: Option<Output>,
}

impl Site {
    /// A site whose `/` is its folder.
    #[must_use]
    pub fn new(model: &'static Model, folder: Vec<u8>, reason: String) -> Self {
        Self {
            roots: vec![folder.clone()],
            folder,
            reason,
            generator: model.name,
            syntax: model.syntax,
            links: &model.links,
            known: true,
            assumed: false,
            readmes: true,
            for_host: Vec::new(),
            base: Vec::new(),
            needs_base: false,
            routes: Vec::new(),
            locales: Vec::new(),
            default_locale: None,
            rewrites: false,
            made_files: Vec::new(),
            made: Vec::new(),
            content: Vec::new(),
            pages: Vec::new(),
            project: Vec::new(),
            mirrors: Vec::new(),
            includes: Vec::new(),
            program: None,
            appended: Vec::new(),
            shortcodes: Vec::new(),
            shown: Vec::new(),
            absolute: model.links.absolute,
            addresses: model.links.addresses,
            published: None,
            excluded: None,
            left_alone: Vec::new(),
            navigation: Vec::new(),
            listed: Vec::new(),
            named: Vec::new(),
            lists_folders: model.links.lists_folders,
            open: Vec::new(),
            settings: Vec::new(),
            redirects: Redirects::default(),
            output: None,
        }
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

    /// Leaves links of some forms open.
    pub(super) fn leave_open(&mut self, forms: Forms, why: String, remedy: &'static str) {
        self.open.push(Open { forms, why, remedy, keeps_names: false });
    }

    /// Leaves it open where links of some forms lead to among the files that are there.
    pub(super) fn leave_places_open(&mut self, forms: Forms, why: String, remedy: &'static str) {
        self.open.push(Open { forms, why, remedy, keeps_names: true });
    }

    /// Returns the form of a path, which is not empty, on its pages.
    #[must_use]
    pub fn form(&self, path: &[u8]) -> Form {
        match Form::from_path(path) {
            Form::File if self.links.labels && open::may_be_label(path) => Form::Bare,
            form => form,
        }
    }

    /// Returns why links of a form are not judged, if so.
    #[must_use]
    pub fn cause(&self, form: Form) -> Option<Cause> {
        let at = self.open.iter().position(|open| open.forms.has(form))?;
        Some(Cause::Open(u8::try_from(at).unwrap_or(u8::MAX)))
    }

    /// Returns whether links of a form lead to files that are there, wherever they are looked for.
    #[must_use]
    pub fn keeps_names(&self, form: Form) -> bool {
        matches!(form, Form::Page | Form::File)
            && self.open.iter().filter(|open| open.forms.has(form)).all(|open| open.keeps_names)
    }

    /// Returns why, in words: a clause behind "because".
    #[must_use]
    pub fn why(&self, cause: Cause) -> &str {
        self.open_of(cause).map_or_else(|| cause.why(), |open| &open.why)
    }

    /// Returns what would make it judged.
    #[must_use]
    pub fn remedy(&self, cause: Cause) -> &'static str {
        self.open_of(cause).map_or_else(|| cause.remedy(), |open| open.remedy)
    }

    fn open_of(&self, cause: Cause) -> Option<&Open> {
        match cause {
            Cause::Open(at) => self.open.get(usize::from(at)),
            _ => None,
        }
    }

    /// Returns whether a document of its folder is for the repository's host all the same.
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
        self.folder.is_empty() && !self.links.is_host && path.starts_with(b".github/")
            || !self.readmes && HOST.contains(&stem)
            || self.excludes(path)
            || self.for_host.iter().any(|document| document == path)
    }

    /// Returns whether a file is one of the site's: its build need not publish others.
    #[must_use]
    pub fn is_within(&self, path: &[u8]) -> bool {
        let folders = || [&self.folder].into_iter().chain(&self.roots).chain(&self.content).chain(&self.project);
        self.links.is_host || folders().any(|folder| is_below(path, folder))
    }

    /// Returns whether a document lies where the site makes no pages, so that a link to it leads nowhere there.
    #[must_use]
    pub fn is_beside(&self, path: &[u8]) -> bool {
        // A summary may list one from elsewhere.
        let is_listed = || self.published.as_ref().is_some_and(|published| published.pages.contains(path));
        match self.links.pages_end {
            PagesEnd::Unknown => false,
            PagesEnd::Folder => !is_below(path, &self.folder) && !is_listed(),
            // Computed settings may name further folders.
            PagesEnd::Content => {
                self.open.is_empty()
                    && !self.content.is_empty()
                    && !self.content.iter().chain(&self.pages).any(|folder| is_below(path, folder))
            }
        }
    }

    /// Returns whether the settings take a document out of the build.
    #[must_use]
    pub fn excludes(&self, path: &[u8]) -> bool {
        self.excluded.as_ref().is_some_and(|excluded| excluded.pages.contains(path))
    }

    /// Returns whether the site shows a document: a file lists those that it does, or none does.
    #[must_use]
    pub fn publishes(&self, path: &[u8]) -> bool {
        !self.excludes(path)
            && self.published.as_ref().is_none_or(|published| {
                published.pages.contains(path) || !is_below(path, &self.folder) || published.list == path
            })
    }

    /// Returns whether the settings tell the build to leave a destination alone.
    #[must_use]
    pub fn leaves_alone(&self, destination: &str) -> bool {
        self.left_alone.iter().any(|pattern| pattern.is_match(destination))
    }

    /// Returns whether the generator makes what is at an address.
    #[must_use]
    pub fn makes(&self, address: &[u8]) -> bool {
        let address = bare(address);
        let in_base = below(address, &self.base).unwrap_or(address);
        let makes = |address: &[u8]| self.made.iter().any(|made| is_below(address, made));
        !self.made.is_empty() && (makes(address) || makes(in_base))
    }
}
