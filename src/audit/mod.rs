//! `mcp-kit audit-docs`, in the order of its data flow: walk → documents → graph → checks → findings → report, or
//! fixes. With `--online`, a first pass collects the web addresses, and the second pass judges them.

pub mod baseline;
pub mod checks;
pub mod corpus;
pub mod decide;
pub mod document;
pub mod doubt;
#[cfg(test)]
mod examples;
pub mod facts;
pub mod finding;
pub mod fix;
pub mod fleet;
pub mod folders;
pub mod graph;
pub mod included;
pub mod locate;
pub mod navigation;
pub mod repeated;
pub mod report;
pub mod resolve;
pub mod scope;
pub mod settings;
pub mod since;
pub mod site;
pub mod stale_page;
pub mod suggest;
pub mod unjudged;
pub mod walk;
pub mod web;

use std::borrow::Cow;
use std::time::Instant;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

pub use facts::Facts;
pub use scope::Scope;
pub use settings::Settings;

use crate::error::Explain;
use crate::text::path::{display_path, native};
use checks::{CheckRun, Context, PendingFinding};
use corpus::{Corpus, ReadRules};
use document::Patterns;
use finding::{Finding, Report};
use graph::Graph;
use scope::{Located, ScopeError};
use walk::{Kind, Past, Tree};

/// The reason that there is no report.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The scope does not exist.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The deprecation pattern is not a regular expression.
    #[error("the deprecation patterns are no regular expression, or too large a one: {0}")]
    Patterns(#[from] regex::Error),
    /// A glob of the configuration is not valid.
    #[error("the globs are none, or too long together: {0}")]
    Glob(#[from] globset::Error),
}

/// A tree that was read, with the links between its documents.
#[derive(Debug)]
pub struct Audit<'a> {
    /// The scope on the disk.
    pub located: Located,
    corpus: Corpus,
    graph: Graph,
    settings: &'a Settings,
    facts: &'a Facts,
    start: Instant,
}

impl<'a> Audit<'a> {
    /// Reads the tree around `scope`. `progress` receives the number of documents that are read, and of all.
    ///
    /// # Errors
    /// When the scope does not exist or the settings do not make sense. Whatever is wrong with single files is a finding.
    pub fn read(
        scope: &Scope,
        settings: &'a Settings,
        facts: &'a Facts,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self, AuditError> {
        let start = Instant::now();
        let entries = globs(&settings.entry_points)?;
        let (located, corpus) = read(scope, settings, facts, progress)?;
        let graph = Graph::new(&corpus, &|path| entries.is_match(native(path)));
        Ok(Self { located, corpus, graph, settings, facts, start })
    }

    /// Returns the input of the checks.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context { corpus: &self.corpus, graph: &self.graph, settings: self.settings, facts: self.facts }
    }

    /// Runs all checks.
    #[must_use]
    pub fn report(&self) -> Report {
        let corpus = &self.corpus;
        let judged = || {
            let (findings, hidden) = findings(self.context(), &|path| self.located.covers(path));
            let decisions = decide::decide(corpus, &self.graph, &findings);
            (findings, hidden, decisions)
        };
        let ((findings, hidden, decisions), unjudged) = rayon::join(judged, || unjudged::count(corpus, &self.graph));
        let pages = corpus.pages.iter().filter(|page| page.audited);
        let mut links: FxHashMap<u16, usize> = FxHashMap::default();
        pages.clone().for_each(|page| *links.entry(page.site).or_default() += page.document.links.len());
        Report {
            fleet: None,
            root: self.located.display_root.clone(),
            profiles: corpus.sites.sentences(&|site| links.get(&site).copied(), &unjudged),
            sites: unjudged::sites(corpus, &|site| links.contains_key(&site), &unjudged),
            not_judged: unjudged.iter().map(|unjudged| unjudged.count).sum(),
            documents: pages.clone().count(),
            links: links.values().sum(),
            findings,
            hidden,
            since: None,
            links_to: None,
            graph: finding::DocumentGraph {
                documents: corpus.pages.par_iter().map(|page| display_path(corpus.path_of(page))).collect(),
                edges: self.graph.pairs().collect(),
            },
            decisions,
            duration: self.start.elapsed(),
        }
    }

    /// Returns whether the tree is the same as in an older state.
    #[must_use]
    pub fn is_as_in(&self, past: &Past) -> bool {
        let entries = self.corpus.tree.entries().iter().filter(|entry| entry.kind != Kind::Folder);
        past.is_unchanged() && entries.into_iter().all(|entry| past.has_kept(&entry.path))
    }

    /// Returns the findings that an older state of the tree has, of the documents that are audited now, whatever they were called then.
    ///
    /// # Errors
    /// As [`Audit::read`].
    pub fn findings_before(self, past: Past, facts: &Facts) -> Result<Vec<Finding>, AuditError> {
        let Self { located, corpus, graph, settings, .. } = self;
        // Only memory: nothing waits for it.
        rayon::spawn(move || drop(graph));
        let (patterns, entries) =
            (Patterns::new(&settings.deprecated, &settings.common_words)?, globs(&settings.entry_points)?);
        let renamed = past.renamed.clone();
        let tree = corpus.tree.past(past);
        let sites = site::detect(&tree, settings);
        let audited = audited(&tree, &located, settings)?;
        let audited = |path: &[u8]| audited(path) || renamed.get(path).is_some_and(|now| audited(now));
        let reading = reading(&patterns, settings, facts);
        let corpus = corpus.reread(tree, sites, &reading, &audited);
        let graph = Graph::new(&corpus, &|path| entries.is_match(native(path)));
        let context = Context { corpus: &corpus, graph: &graph, settings, facts };
        let (findings, _) = findings(context, &audited);
        rayon::spawn(move || drop((corpus, graph)));
        Ok(findings)
    }

    /// Frees the memory in the background. For a large tree that takes a while, and nothing waits for it.
    pub fn discard(self) -> Located {
        let Self { located, corpus, graph, .. } = self;
        rayon::spawn(move || drop((corpus, graph)));
        located
    }
}

/// Audits a tree. Returns the report and the scope on the disk.
///
/// # Errors
/// As [`Audit::read`].
pub fn audit(scope: &Scope, settings: &Settings, facts: &Facts) -> Result<(Report, Located), AuditError> {
    let audit = Audit::read(scope, settings, facts, &|_, _| ())?;
    let report = audit.report();
    Ok((report, audit.discard()))
}

/// Returns the documents of a tree.
///
/// # Errors
/// As [`Audit::read`].
pub fn read(
    scope: &Scope,
    settings: &Settings,
    facts: &Facts,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(Located, Corpus), AuditError> {
    let located = Located::find(scope)?;
    // Nothing needs to be where a document will be.
    let named = if scope.unsaved.is_empty() { &*located.covered } else { &[] };
    let (patterns, tree) = rayon::join(
        || Patterns::new(&settings.deprecated, &settings.common_words),
        || Tree::walk(&located.root, located.repository, named),
    );
    let patterns = patterns?;
    let unsaved = scope.unsaved.iter().zip(&located.covered);
    let tree = tree.with_documents(unsaved.map(|(unsaved, path)| (&**path, unsaved.text.clone())));
    let sites = site::detect(&tree, settings);
    let mut corpus = {
        let audited = audited(&tree, &located, settings)?;
        Corpus::read(tree, sites, &reading(&patterns, settings, facts), &audited, progress)
    };
    corpus.rooted = located.repository || scope.root.is_some();
    Ok((located, corpus))
}

const fn reading<'a>(patterns: &'a Patterns, settings: &'a Settings, facts: &Facts) -> ReadRules<'a> {
    ReadRules { patterns, settings, addresses: facts.answers.is_some() }
}

/// Which documents' findings are wanted.
fn audited<'a>(
    tree: &Tree,
    located: &'a Located,
    settings: &Settings,
) -> Result<impl Fn(&[u8]) -> bool + Sync + use<'a>, AuditError> {
    let excluded = globs(&settings.exclude)?;
    // Documents of another repository are audited when the user names their folder.
    let foreign = tree.foreign(&located.covered);
    Ok(move |path: &[u8]| {
        located.covers(path)
            && !excluded.is_match(native(path))
            && !foreign.iter().any(|folder| site::is_below(path, folder))
    })
}

/// All findings in their order, and how many suppressions hide.
fn findings(context: Context<'_>, covers: &(dyn Fn(&[u8]) -> bool + Sync)) -> (Vec<Finding>, usize) {
    let (mut findings, hidden) = locate::locate(context, check(context));
    findings.extend(locate::unreadable(&context.corpus.tree, context.settings, covers));
    findings.extend(navigation::missing(context.corpus, context.settings));
    locate::sort(&mut findings);
    (findings, hidden)
}

/// Runs every check on every audited document.
fn check(context: Context<'_>) -> Vec<PendingFinding> {
    let pages = 0..u32::try_from(context.corpus.pages.len()).unwrap_or(u32::MAX);
    let audited = pages.into_par_iter().filter(|page| context.corpus.pages[*page as usize].audited);
    let of_pages = || -> Vec<PendingFinding> {
        let of_page = |page| {
            let mut pending = Vec::new();
            for check in checks::ALL {
                if let CheckRun::Page(run) = check.run {
                    run(context, page, &mut pending);
                }
            }
            pending
        };
        audited.flat_map_iter(of_page).collect()
    };
    let of_trees = || {
        let mut pending = Vec::new();
        for check in checks::ALL {
            if let CheckRun::Tree(run) = check.run {
                run(context, &mut pending);
            }
        }
        pending
    };
    let (of_trees, mut pending) = rayon::join(of_trees, of_pages);
    pending.extend(of_trees);
    pending
}

/// Compiles globs for paths: `*` stays within a folder, `**` does not.
fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob: Glob = GlobBuilder::new(pattern.trim_start_matches('/')).literal_separator(true).build()?;
        set.add(glob);
    }
    set.build()
}

impl Explain for AuditError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Scope(error) => error.hint(),
            Self::Patterns(_) | Self::Glob(_) => Some("correct it under `audit:` in the catalog".into()),
        }
    }
}
