//! `--since` and `--since-merge-base`: what git says of an older state becomes data, the audit of that state becomes findings, and those
//! that are older leave the report.

use std::panic::resume_unwind;
use std::path::Path;
use std::thread::{self, JoinHandle};

use chrono::NaiveDate;
use rustc_hash::{FxHashMap, FxHashSet};

use super::failure::AuditDocsError;
use super::fix::to_fix;
use super::inputs::stale_in;
use crate::audit::baseline::Baseline;
use crate::audit::finding::{Code, Report, Since};
use crate::audit::since::{ChangedDocuments, are_older};
use crate::audit::stale_page::StalePage;
use crate::audit::walk::{Past, Was, is_markdown};
use crate::audit::{Audit, Facts};
use crate::catalog::Catalog;
use crate::cli::AuditDocs;
use crate::commands::docs::build::root_of;
use crate::docs::build::{BuildError, Folder};
use crate::fs::git::GitError;
use crate::fs::git::changes::{self, GitMode, Side};
use crate::fs::git::revision::{Revision, RevisionError, resolve};
use crate::text::path::{display_path, file_name, join, portable};

/// Returns the older state that the flags name.
pub(super) fn revision(command: &AuditDocs) -> Option<Revision> {
    let of = command.since.clone().map(Revision::Commit);
    of.or_else(|| command.since_merge_base.clone().map(Revision::MergeBase))
}

/// The reason that there is nothing to compare with.
#[derive(Debug)]
enum SinceError {
    Revision(RevisionError),
    Git(GitError),
}

impl From<SinceError> for AuditDocsError {
    fn from(error: SinceError) -> Self {
        match error {
            SinceError::Revision(error) => Self::Revision(error),
            SinceError::Git(error) => Self::Git(error),
        }
    }
}

impl From<GitError> for SinceError {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// An older state, which git is asked for while the tree is audited.
pub(super) struct Query {
    name: String,
    answer: JoinHandle<Result<(String, Past), SinceError>>,
}

/// The answers of git.
pub(super) struct Older {
    name: String,
    commit: String,
    past: Past,
}

impl Query {
    /// Starts to ask git about the tree below `root`.
    pub(super) fn start(root: &Path, revision: Revision) -> Self {
        let (name, root) = (revision.name().to_owned(), root.to_owned());
        let answer = thread::spawn(move || {
            let commit = resolve(&root, &revision).map_err(SinceError::Revision)?;
            let past = past(&root, &commit)?;
            Ok((commit, past))
        });
        Self { name, answer }
    }

    /// Waits for the answer.
    pub(super) fn answer(self) -> Result<Older, AuditDocsError> {
        let (commit, past) = self.answer.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(Older { name: self.name, commit, past })
    }
}

/// Collects what differs from `commit`.
fn past(root: &Path, commit: &str) -> Result<Past, GitError> {
    let (changes, index) = thread::scope(|scope| {
        let index = scope.spawn(|| changes::index(root));
        let changes = changes::since(root, commit);
        let index = index.join().unwrap_or_else(|panic| resume_unwind(panic));
        changes.and_then(|changes| Ok((changes, index?)))
    })?;
    let mut past = Past { tracked: index.files, links: index.links, checkouts: index.submodules, ..Past::default() };
    past.changed = changes.iter().filter_map(|change| Some(change.after.as_ref()?.path.clone())).collect();
    let wanted = |side: &Side| match side.mode {
        GitMode::File => is_read(&side.path),
        GitMode::Link => true,
        GitMode::Submodule => false,
    };
    let before: Vec<&Side> = changes.iter().filter_map(|change| change.before.as_ref()).collect();
    let wanted_sides: Vec<&Side> = before.iter().copied().filter(|side| wanted(side)).collect();
    let texts = changes::texts(root, &wanted_sides)?;
    let mut texts: FxHashMap<&[u8], Vec<u8>> = wanted_sides.iter().map(|side| &*side.path).zip(texts).collect();
    for side in &before {
        let text = texts.remove(&*side.path).map(Vec::into_boxed_slice);
        let was = match (side.mode, text) {
            (GitMode::Submodule, _) => Was::Checkout,
            (GitMode::Link, Some(target)) => Was::Link(target),
            (_, text) => Was::File(text),
        };
        past.was.insert(side.path.clone(), was);
    }
    for change in &changes {
        if let (Some(before), Some(after)) = (&change.before, &change.after)
            && before.path != after.path
        {
            past.renamed.insert(before.path.clone(), after.path.clone());
        }
    }
    Ok(past)
}

/// Returns whether an audit may read a file: documents, ignore files, and settings of generators. Other files only have
/// to exist.
fn is_read(path: &[u8]) -> bool {
    const ENDINGS: &[&[u8]] = &[
        b"yml", b"yaml", b"toml", b"json", b"json5", b"jsonc", b"js", b"mjs", b"cjs", b"ts", b"mts", b"cts", b"py",
        b"jsx", b"tsx", b"astro", b"vue", b"svelte", b"rb", b"txt", b"cfg", b"ini", b"html", b"tera", b"rst", b"adoc",
        b"ipynb", b"sum", b"mod", b"lock",
    ];
    let name = file_name(path);
    let ending = memchr::memrchr(b'.', name).map_or(name, |dot| &name[dot + 1..]);
    is_markdown(path)
        || memchr::memchr(b'.', name).is_none_or(|dot| dot == 0)
        || ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Takes the findings out of `report` that the older state has, but for those that a baseline has accepted in both.
pub(super) fn hide(
    older: Older,
    audit: Audit<'_>,
    report: &mut Report,
    facts: &Facts,
    baseline: Option<&Baseline>,
    catalog: Option<&Path>,
) -> Result<(), AuditDocsError> {
    let Older { name, commit, past } = older;
    let shown = |path: &[u8]| display_path(path);
    let documents = ChangedDocuments {
        renamed: past.renamed.iter().map(|(old, new)| (shown(new), shown(old))).collect(),
        changed: report
            .findings
            .iter()
            .map(|finding| &finding.path)
            .filter(|path| !past.has_kept(path.as_bytes()))
            .cloned()
            .collect(),
    };
    let is_same = audit.is_as_in(&past);
    let before = if report.findings.is_empty() || is_same {
        Vec::new()
    } else {
        let stale_pages = if report.findings.iter().any(|finding| finding.code == Code::StalePage) {
            stale_before(&audit.located.root, &past, facts.today, catalog)
        } else {
            Vec::new()
        };
        let facts = Facts { stale_pages, ..facts.clone() };
        let before = audit.findings_before(past, &facts)?;
        to_fix(&before, baseline)
    };
    let mut older =
        if is_same { vec![true; report.findings.len()] } else { are_older(&report.findings, &before, &documents) };
    let all = report.findings.len();
    let mut at = older.drain(..);
    report.findings.retain(|_| !at.next().unwrap_or_default());
    report.since = Some(Since { name, commit, older: all - report.findings.len() });
    // A proposal rests on findings.
    let left: FxHashSet<&str> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.code, Code::Orphan | Code::DeprecatedReference))
        .map(|finding| finding.path.as_str())
        .collect();
    report.decisions.retain(|decision| left.contains(decision.path.as_str()));
    Ok(())
}

/// The stale generated pages of the older state, by the catalog that it had.
fn stale_before(root: &Path, past: &Past, today: NaiveDate, catalog: Option<&Path>) -> Vec<StalePage> {
    let Some((folder, name)) = catalog.and_then(|file| Some((root_of(file).ok()?, file.file_name()?))) else {
        return Vec::new();
    };
    let Ok(prefix) = folder.strip_prefix(root).map(|prefix| portable(prefix.as_os_str())) else { return Vec::new() };
    let before = Before { root, prefix, past };
    let bytes = before.read(&name.to_string_lossy()).ok().flatten();
    let Some(catalog) = bytes.and_then(|bytes| Catalog::parse(&bytes).ok()) else { return Vec::new() };
    stale_in(&before, &display_path(&before.prefix), &catalog, today).unwrap_or_default()
}

/// The folder of the catalog in the older state.
struct Before<'a> {
    root: &'a Path,
    prefix: Box<[u8]>,
    past: &'a Past,
}

impl Folder for Before<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BuildError> {
        let path = join(&self.prefix, path.as_bytes());
        match self.past.was.get(&*path) {
            Some(Was::File(Some(text))) => Ok(Some(text.to_vec())),
            None if self.past.has_kept(&path) => self.root.read(&display_path(&path)),
            _ => Ok(None),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, BuildError> {
        let folder = join(&self.prefix, path.as_bytes());
        let below = |path: &[u8]| {
            let name = path.strip_prefix(&*folder)?.strip_prefix(b"/")?;
            (!name.is_empty() && !name.contains(&b'/')).then(|| display_path(name))
        };
        let was = self.past.was.iter().filter(|(_, was)| matches!(was, Was::File(_))).map(|(path, _)| path);
        let kept = self.past.tracked.iter().filter(|path| self.past.has_kept(path));
        Ok(was.chain(kept).filter_map(|path| below(path)).collect())
    }
}
