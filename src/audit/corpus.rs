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
use super::facts::Facts;
use super::settings::Settings;
use super::site::{Addresses, Index, Site, Sites};
use super::walk::{Kind, Tree};
use crate::text::path::{file_name, join, parent};

/// A document in its tree.
#[derive(Debug)]
pub struct Page {
    /// Which entry of the tree.
    pub entry: u32,
    /// Which site.
    pub site: u16,
    /// Whether its findings are reported.
    pub audited: bool,
    /// What is in it.
    pub document: Document,
}

/// A tree and its documents.
#[derive(Debug)]
pub struct Corpus {
    /// Every path.
    pub tree: Tree,
    /// Whose rules.
    pub sites: Sites,
    /// The documents, sorted by path.
    pub pages: Vec<Page>,
    /// Whether the root is known to be what `/` means: it is a repository's, or somebody named it.
    pub rooted: bool,
    /// By entry: which page, if it is one.
    of_entry: Vec<u32>,
    /// By site: the addresses of its pages, if they have any.
    indexes: Vec<Option<Index>>,
    /// By site: which page has a label, where labels are found on all pages.
    labels: Vec<FxHashMap<Box<str>, u32>>,
    addresses: OnceLock<FxHashSet<Vec<u8>>>,
}

const NO_PAGE: u32 = u32::MAX;

impl Corpus {
    /// Reads every document of `tree`; `audited` says whose findings are wanted, `progress` hears how many of how many are read.
    #[must_use]
    pub fn read(
        tree: Tree,
        sites: Sites,
        patterns: &Patterns,
        settings: &Settings,
        facts: &Facts,
        audited: &(dyn Fn(&[u8]) -> bool + Sync),
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Self {
        let read_so_far = AtomicUsize::new(0);
        let documents: Vec<u32> =
            (0_u32..).zip(tree.entries()).filter(|(_, entry)| entry.kind == Kind::Document).map(|(at, _)| at).collect();
        let pages: Vec<Page> = documents
            .par_iter()
            .map(|&entry| {
                let path = &tree.entries()[entry as usize].path;
                let site = sites.number(path);
                let document = read(&tree, path, sites.site(site), patterns, settings, facts);
                let so_far = read_so_far.fetch_add(1, Ordering::Relaxed);
                if so_far.is_multiple_of(256) {
                    progress(so_far, documents.len());
                }
                Page { entry, site, audited: audited(path), document }
            })
            .collect();
        let mut of_entry = vec![NO_PAGE; tree.entries().len()];
        for (at, page) in (0_u32..).zip(&pages) {
            of_entry[page.entry as usize] = at;
        }
        let indexes = indexes(&tree, &sites, &pages, &of_entry);
        let labels = labels(&sites, &pages);
        Self { tree, sites, pages, rooted: true, of_entry, indexes, labels, addresses: OnceLock::new() }
    }

    /// The page that an entry is.
    #[must_use]
    pub fn page_of(&self, entry: u32) -> Option<u32> {
        self.of_entry.get(entry as usize).copied().filter(|page| *page != NO_PAGE)
    }

    /// The path of a page.
    #[must_use]
    pub fn path(&self, page: u32) -> &[u8] {
        self.path_of(&self.pages[page as usize])
    }

    /// The path of one of the pages.
    #[must_use]
    pub fn path_of(&self, page: &Page) -> &[u8] {
        &self.tree.entries()[page.entry as usize].path
    }

    /// The site of a page.
    #[must_use]
    pub fn site(&self, page: u32) -> &Site {
        self.sites.site(self.pages[page as usize].site)
    }

    /// The addresses of the site of a page, if its pages have any.
    #[must_use]
    pub fn index(&self, page: u32) -> Option<&Index> {
        self.indexes.get(usize::from(self.pages[page as usize].site))?.as_ref()
    }

    /// The page that has a label which destinations on a page may name, if the page's site has labels.
    #[must_use]
    pub fn label(&self, page: u32, label: &[u8]) -> Option<u32> {
        let labels = self.labels.get(usize::from(self.pages[page as usize].site))?;
        labels.get(std::str::from_utf8(label).ok()?).copied()
    }

    /// Whether some page of a site with addresses of its own may have this one. Where a page appears is settled by configuration that
    /// only the generator understands, so only the last part of the address is compared.
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
                // Docusaurus orders pages by numbers in front of their names, Hugo dates them.
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

    /// The page that stands for a folder.
    #[must_use]
    pub fn index_of(&self, folder: &[u8], site: &Site) -> Option<u32> {
        let entry = |name: &&str| self.tree.find(&join(folder, name.as_bytes()));
        site.links.index.iter().find_map(|name| self.page_of(entry(name)?))
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

/// The labels of each site that finds them on all pages; the first page that has one counts.
fn labels(sites: &Sites, pages: &[Page]) -> Vec<FxHashMap<Box<str>, u32>> {
    if !sites.all().iter().any(|site| site.links.labels) {
        return Vec::new();
    }
    let mut labels = vec![FxHashMap::default(); sites.all().len()];
    for (number, page) in (0_u32..).zip(pages).filter(|(_, page)| sites.site(page.site).links.labels) {
        for name in page.document.anchors.iter(&page.document.strings) {
            labels[usize::from(page.site)].entry(name.into()).or_insert(number);
        }
    }
    labels
}

thread_local! {
    /// Reused for every file that a thread reads: fresh memory for each cost a sixth of the time of a whole audit.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A buffer that has become larger than this is given back.
const KEPT: usize = 1 << 20;

/// One document, whatever becomes of it.
fn read(tree: &Tree, path: &[u8], site: &Site, patterns: &Patterns, settings: &Settings, facts: &Facts) -> Document {
    BUFFER.with_borrow_mut(|buffer| {
        let document = read_into(buffer, tree, path, site, patterns, settings, facts);
        if buffer.capacity() > KEPT {
            *buffer = Vec::new();
        }
        document
    })
}

fn read_into(
    buffer: &mut Vec<u8>,
    tree: &Tree,
    path: &[u8],
    site: &Site,
    patterns: &Patterns,
    settings: &Settings,
    facts: &Facts,
) -> Document {
    let bytes = match bytes(tree, path, settings.largest, buffer) {
        Ok(bytes) => bytes,
        Err(reason) => return Document::unread(reason),
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Document::unread("it is UTF-16, which Markdown renderers do not read; save it as UTF-8".to_owned());
    }
    // The parsers are fuzzed by their authors, and one bad file must not cost the report of all others.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let mut document = document::parse(&decode(bytes), &site.syntax(path), patterns, facts.answers.is_some());
        add_file_name(&mut document.evidence, path, patterns);
        document
    }));
    parsed.unwrap_or_else(|_| {
        Document::unread("the parser gave up on it; this is a mistake of mcp-kit, please report it".to_owned())
    })
}

/// The last part of an address that has one.
fn last_part(address: &[u8]) -> &[u8] {
    file_name(address.strip_suffix(b"/").unwrap_or(address))
}

fn add_file_name(evidence: &mut Evidence, path: &[u8], patterns: &Patterns) {
    let name = String::from_utf8_lossy(file_name(path));
    for mention in patterns.mentions(&name, 0, document::Place::FileName) {
        evidence.mentions.push(document::Mention { span: document::Span::default(), ..mention });
    }
}

/// A document's bytes, which are put into `buffer` in place of what is there.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn bytes<'a>(tree: &Tree, path: &[u8], largest: u64, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    let unreadable = |error: io::Error| format!("it cannot be read: {error}");
    let mut file = File::open(tree.on_disk(path)).map_err(unreadable)?;
    let too_large = || format!("it is larger than {} MB", largest >> 20);
    let length = file.metadata().map_err(unreadable)?.len();
    if length > largest {
        return Err(too_large());
    }
    if length == 0 {
        // Some file systems do not say how much there is.
        buffer.clear();
        file.take(largest + 1).read_to_end(buffer).map_err(unreadable)?;
        return if buffer.len() as u64 > largest { Err(too_large()) } else { Ok(buffer) };
    }
    let length = usize::try_from(length).map_err(|_| too_large())?;
    // It only grows: what is there is overwritten, and need not be filled with zeros before.
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    // What has been written to it since is for the next audit; asking for the end once more would cost every file a system call.
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
