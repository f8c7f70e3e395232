//! All documents of a tree, read and parsed on all cores.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::document::{self, Document, Evidence, Patterns, decode};
use super::resolve::{ShortcodeTemplate, shortcode_templates};
use super::settings::Settings;
use super::site::{Addresses, Files, Index, Site, Sites};
use super::walk::{Kind, Tree};
use crate::text::path::{file_name, join, parent};

/// A document in its tree.
#[derive(Debug)]
pub struct Page {
    /// The number of its entry in the tree.
    pub entry: u32,
    /// The number of its site.
    pub site: u16,
    /// `true` when its findings are reported.
    pub audited: bool,
    /// The parsed contents.
    pub document: Document,
}

/// A tree and its documents.
#[derive(Debug)]
pub struct Corpus {
    /// The index of all paths.
    pub tree: Tree,
    /// The sites and their rules.
    pub sites: Sites,
    /// The documents, sorted by path.
    pub pages: Vec<Page>,
    /// `true` when `/` is known to mean the root: it is a repository, or the user named it.
    pub rooted: bool,
    /// The page of each entry, if it has one.
    of_entry: Vec<u32>,
    /// By site: the addresses of its pages, if they have any.
    indexes: Vec<Option<Index>>,
    /// By site: the files that its build publishes, where that is known.
    files: Vec<Option<Files>>,
    /// By site: the page of each label, for sites whose labels apply to all pages.
    labels: Vec<Labels>,
    addresses: OnceLock<FxHashSet<Vec<u8>>>,
    submodules: OnceLock<Vec<Vec<u8>>>,
    templates: OnceLock<FxHashMap<Vec<u8>, ShortcodeTemplate>>,
}

const NO_PAGE: u32 = u32::MAX;

/// The rules by which a document is read, besides its site.
#[derive(Clone, Copy)]
pub struct ReadRules<'a> {
    /// The patterns that mark documents as deprecated.
    pub patterns: &'a Patterns,
    /// The settings.
    pub settings: &'a Settings,
    /// `true` when addresses in running text are links.
    pub addresses: bool,
}

/// Returns the entries of a tree that are documents.
fn documents(tree: &Tree) -> Vec<u32> {
    (0_u32..).zip(tree.entries()).filter(|(_, entry)| entry.kind == Kind::Document).map(|(at, _)| at).collect()
}

/// Returns whether a document reads the same in both sites.
fn reads_alike(path: &[u8], one: &Site, other: &Site) -> bool {
    one.syntax(path) == other.syntax(path)
}

impl Corpus {
    /// Reads every document of `tree`. `audited` returns whether the findings of a document are reported. `progress`
    /// receives the number of documents that are read, and of all.
    #[must_use]
    pub fn read(
        tree: Tree,
        sites: Sites,
        reading: &ReadRules<'_>,
        audited: &(dyn Fn(&[u8]) -> bool + Sync),
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Self {
        let read_so_far = AtomicUsize::new(0);
        let documents = documents(&tree);
        let pages: Vec<Page> = documents
            .par_iter()
            .map(|&entry| {
                let path = &tree.entries()[entry as usize].path;
                let site = sites.number(path);
                let document = read(&tree, path, sites.site(site), reading);
                let so_far = read_so_far.fetch_add(1, Ordering::Relaxed);
                if so_far.is_multiple_of(256) {
                    progress(so_far, documents.len());
                }
                Page { entry, site, audited: audited(path), document }
            })
            .collect();
        Self::from_pages(tree, sites, pages)
    }

    /// Reads the documents of another state of the tree. Those that are the same in both, and are read by the same rules, are taken over.
    #[must_use]
    pub fn reread(
        self,
        tree: Tree,
        sites: Sites,
        reading: &ReadRules<'_>,
        audited: &(dyn Fn(&[u8]) -> bool + Sync),
    ) -> Self {
        let Self { tree: old, sites: old_sites, pages, of_entry, rooted, .. } = self;
        let mut documents_of: Vec<Option<(u16, Document)>> =
            pages.into_iter().map(|page| Some((page.site, page.document))).collect();
        let mut taken = |path: &[u8], site: u16| {
            if tree.text(path).is_some() || old.text(path).is_some() {
                return None;
            }
            let entry = old.exact(path)?;
            let slot = documents_of.get_mut(*of_entry.get(entry as usize)? as usize)?;
            let is_same = |of: u16| reads_alike(path, old_sites.site(of), sites.site(site));
            slot.take_if(|(of, _)| is_same(*of)).map(|(_, document)| document)
        };
        let taken: Vec<(u32, u16, Option<Document>)> = documents(&tree)
            .into_iter()
            .map(|entry| {
                let path = &tree.entries()[entry as usize].path;
                let site = sites.number(path);
                (entry, site, taken(path, site))
            })
            .collect();
        let pages: Vec<Page> = taken
            .into_par_iter()
            .map(|(entry, site, document)| {
                let path = &tree.entries()[entry as usize].path;
                let document = document.unwrap_or_else(|| read(&tree, path, sites.site(site), reading));
                Page { entry, site, audited: audited(path), document }
            })
            .collect();
        Self { rooted, ..Self::from_pages(tree, sites, pages) }
    }

    fn from_pages(tree: Tree, sites: Sites, pages: Vec<Page>) -> Self {
        let mut of_entry = vec![NO_PAGE; tree.entries().len()];
        for (at, page) in (0_u32..).zip(&pages) {
            of_entry[page.entry as usize] = at;
        }
        let indexes = indexes(&tree, &sites, &pages, &of_entry);
        let files = files(&tree, &sites, &pages, &of_entry);
        let labels = labels(&sites, &pages);
        Self {
            tree,
            sites,
            pages,
            rooted: true,
            of_entry,
            indexes,
            files,
            labels,
            addresses: OnceLock::new(),
            submodules: OnceLock::new(),
            templates: OnceLock::new(),
        }
    }

    /// Returns the page of an entry.
    #[must_use]
    pub fn page_of(&self, entry: u32) -> Option<u32> {
        self.of_entry.get(entry as usize).copied().filter(|page| *page != NO_PAGE)
    }

    /// Returns the path of a page.
    #[must_use]
    pub fn path(&self, page: u32) -> &[u8] {
        self.path_of(&self.pages[page as usize])
    }

    /// Returns the path of a page, by its number.
    #[must_use]
    pub fn path_of(&self, page: &Page) -> &[u8] {
        &self.tree.entries()[page.entry as usize].path
    }

    /// Returns the site of a page.
    #[must_use]
    pub fn site(&self, page: u32) -> &Site {
        self.sites.site(self.pages[page as usize].site)
    }

    /// Returns the addresses of the site of a page, if its pages have any.
    #[must_use]
    pub fn index(&self, page: u32) -> Option<&Index> {
        self.indexes.get(usize::from(self.pages[page as usize].site))?.as_ref()
    }

    /// Returns what the build of the site of a page publishes, where that is known.
    #[must_use]
    pub fn files(&self, page: u32) -> Option<&Files> {
        self.files.get(usize::from(self.pages[page as usize].site))?.as_ref()
    }

    /// Returns the page with a label that destinations on a page may name, if the site of the page has labels.
    #[must_use]
    pub fn label(&self, page: u32, label: &[u8]) -> Option<u32> {
        let labels = &self.labels_of(page).filter(|labels| !labels.pages.is_empty())?.pages;
        labels.get(&*std::str::from_utf8(label).ok()?.to_lowercase()).copied()
    }

    /// Returns whether the site of a page may have labels that only a build knows: some page of it is composed.
    #[must_use]
    pub fn composes_labels(&self, page: u32) -> bool {
        self.labels_of(page).is_some_and(|labels| labels.is_composed)
    }

    fn labels_of(&self, page: u32) -> Option<&Labels> {
        self.labels.get(usize::from(self.pages[page as usize].site))
    }

    /// Returns whether some page of a site with its own addresses may have this address. Only the generator understands
    /// the configuration that decides it, so this compares only the last part of the address.
    #[must_use]
    pub fn has_address(&self, path: &[u8]) -> bool {
        let addresses = self.addresses.get_or_init(|| {
            let mut addresses = FxHashSet::default();
            for (number, page) in
                (0_u32..).zip(&self.pages).filter(|(_, page)| self.sites.site(page.site).addresses != Addresses::None)
            {
                let document = &page.document;
                for address in &document.front_matter.addresses {
                    addresses.insert(last_part(document.text(*address).as_bytes()).to_vec());
                }
                let name = file_name(self.path(number));
                let stem = &name[..memchr::memrchr(b'.', name).unwrap_or(name.len())];
                // Docusaurus orders pages by a number in front of the name. Hugo uses a date.
                let bare = stem
                    .trim_ascii_start()
                    .iter()
                    .position(|byte| !byte.is_ascii_digit() && *byte != b'-' && *byte != b'_');
                addresses.insert(stem.to_ascii_lowercase());
                addresses.insert(stem[bare.unwrap_or(0)..].to_ascii_lowercase());
                if matches!(stem, b"index" | b"_index" | b"README") {
                    addresses.insert(file_name(parent(self.path(number))).to_ascii_lowercase());
                }
            }
            addresses
        });
        let last = last_part(path).to_ascii_lowercase();
        last.is_empty() || addresses.contains(&last)
    }

    /// Returns the template of a shortcode at a path; all of them are read when the first one is asked for.
    pub(in crate::audit) fn template(&self, path: &[u8]) -> Option<&ShortcodeTemplate> {
        let all = self.templates.get_or_init(|| {
            let mut folders: Vec<Vec<u8>> = self.sites.all().iter().flat_map(|site| site.shortcodes.clone()).collect();
            folders.sort_unstable();
            folders.dedup();
            shortcode_templates(&self.tree, &folders)
        });
        all.get(path)
    }

    /// Returns the folders of other repositories, by `.gitmodules`.
    pub fn submodules(&self) -> &[Vec<u8>] {
        self.submodules.get_or_init(|| {
            let mut buffer = Vec::new();
            let Ok(text) = bytes(&self.tree, b".gitmodules", 1 << 20, &mut buffer) else { return Vec::new() };
            let text = String::from_utf8_lossy(text);
            let path = |line: &str| line.trim().strip_prefix("path")?.trim_start().strip_prefix('=').map(str::to_owned);
            let paths = text.lines().filter_map(path);
            paths
                .map(|path| path.trim().trim_matches(['/', '"']).as_bytes().to_vec())
                .filter(|path| !path.is_empty())
                .collect()
        })
    }

    /// Returns the page that a link to a folder opens.
    #[must_use]
    pub fn index_of(&self, folder: &[u8], site: &Site) -> Option<u32> {
        let page = |name: &&str| self.page_of(self.tree.find(&join(folder, name.as_bytes()))?);
        site.links.index.iter().filter_map(page).find(|page| !site.excludes(self.path(*page)))
    }
}

/// The addresses of each site that has pages; sites without routes cost nothing.
fn indexes(tree: &Tree, sites: &Sites, pages: &[Page], of_entry: &[u32]) -> Vec<Option<Index>> {
    if sites.all().iter().all(|site| site.routes.is_empty()) {
        return Vec::new();
    }
    let mut has_pages = vec![false; sites.all().len()];
    pages.iter().for_each(|page| has_pages[usize::from(page.site).min(sites.all().len() - 1)] = true);
    let document = |entry: u32| {
        let page = of_entry.get(entry as usize).copied().filter(|page| *page != NO_PAGE)?;
        Some(&pages[page as usize].document)
    };
    let of_site = |(site, has_pages): (&Site, bool)| if has_pages { Index::new(site, tree, &document) } else { None };
    sites.all().iter().zip(has_pages).map(of_site).collect()
}

/// Returns the files that the build of each site publishes; sites without an output cost nothing.
fn files(tree: &Tree, sites: &Sites, pages: &[Page], of_entry: &[u32]) -> Vec<Option<Files>> {
    if sites.all().iter().all(|site| site.output.is_none()) {
        return Vec::new();
    }
    let document = |entry: u32| {
        let page = of_entry.get(entry as usize).copied().filter(|page| *page != NO_PAGE)?;
        Some(&pages[page as usize].document)
    };
    sites.all().par_iter().map(|site| Files::new(site, tree, &document)).collect()
}

/// The labels of a site that finds them on all pages.
#[derive(Clone, Debug, Default)]
struct Labels {
    /// In lower case; the first page that has one counts.
    pages: FxHashMap<Box<str>, u32>,
    /// A build puts something into some page, which may have others.
    is_composed: bool,
}

fn labels(sites: &Sites, pages: &[Page]) -> Vec<Labels> {
    if !sites.all().iter().any(|site| site.links.labels) {
        return Vec::new();
    }
    let mut labels = vec![Labels::default(); sites.all().len()];
    for (number, page) in (0_u32..).zip(pages).filter(|(_, page)| sites.site(page.site).links.labels) {
        let labels = &mut labels[usize::from(page.site)];
        labels.is_composed |= page.document.composed;
        for name in &page.document.labels {
            labels.pages.entry(page.document.text(*name).to_lowercase().into()).or_insert(number);
        }
    }
    labels
}

thread_local! {
    /// A thread reuses it for every file. Fresh memory for each file took a sixth of the time of a whole audit.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The largest buffer to keep between two files.
const KEPT: usize = 1 << 20;

/// Reads one document. Every failure becomes a document with an error.
fn read(tree: &Tree, path: &[u8], site: &Site, reading: &ReadRules<'_>) -> Document {
    BUFFER.with_borrow_mut(|buffer| {
        let document = read_into(buffer, tree, path, site, reading);
        if buffer.capacity() > KEPT {
            *buffer = Vec::new();
        }
        document
    })
}

fn read_into(buffer: &mut Vec<u8>, tree: &Tree, path: &[u8], site: &Site, reading: &ReadRules<'_>) -> Document {
    let ReadRules { patterns, settings, addresses } = *reading;
    let bytes = match bytes(tree, path, settings.largest, buffer) {
        Ok(bytes) => bytes,
        Err(reason) => return Document::unread(reason),
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Document::unread("it is UTF-16, which Markdown renderers do not read; save it as UTF-8".to_owned());
    }
    // One bad file must not cost the report on all others, even if a parser panics.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let mut document = document::parse(&decode(bytes), &site.syntax(path), patterns, addresses);
        add_file_name(&mut document.evidence, path, patterns);
        document
    }));
    parsed.unwrap_or_else(|_| {
        Document::unread("the parser gave up on it; this is a mistake of mcp-kit, please report it".to_owned())
    })
}

/// Returns the last part of an address.
fn last_part(address: &[u8]) -> &[u8] {
    file_name(address.strip_suffix(b"/").unwrap_or(address))
}

fn add_file_name(evidence: &mut Evidence, path: &[u8], patterns: &Patterns) {
    let name = String::from_utf8_lossy(file_name(path));
    for mention in patterns.mentions(&name, 0, document::Place::FileName) {
        evidence.mentions.push(document::Mention { span: document::Span::default(), ..mention });
    }
}

/// Returns the bytes of a document. They replace the contents of `buffer`.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn bytes<'a>(tree: &'a Tree, path: &[u8], largest: u64, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    let unreadable = |error: io::Error| format!("it cannot be read: {error}");
    let too_large = || format!("it is larger than {} MB", largest >> 20);
    if let Some(text) = tree.text(path) {
        return if text.len() as u64 > largest { Err(too_large()) } else { Ok(text) };
    }
    let mut file = File::open(tree.on_disk(path)).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > largest {
        return Err(too_large());
    }
    if length == 0 {
        // Some file systems report no size.
        buffer.clear();
        file.take(largest + 1).read_to_end(buffer).map_err(unreadable)?;
        return if buffer.len() as u64 > largest { Err(too_large()) } else { Ok(buffer) };
    }
    let length = usize::try_from(length).map_err(|_| too_large())?;
    // The buffer only grows. Its old contents are overwritten, so it needs no fill with zeros.
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    // Text that was appended since belongs to the next audit. Another read at the end would cost one more system call
    // per file.
    let mut read = 0;
    while read < length {
        match file.read(&mut buffer[read..length]) {
            Ok(0) => break,
            Ok(bytes) => read += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    Ok(&buffer[..read])
}
