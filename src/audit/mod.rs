//! `mcp-kit audit-docs`, in the order in which data flows: walk → documents → graph → checks → findings → report, or repairs.
//! On request, the web is asked between a first reading, which says what there is to ask, and the run that counts.

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
pub mod graph;
pub mod included;
pub mod locate;
pub mod report;
pub mod resolve;
pub mod scope;
pub mod settings;
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
use rustc_hash::FxHashSet;

pub use facts::Facts;
pub use scope::Scope;
pub use settings::Settings;

use crate::error::Explain;
use crate::text::path::{display_path, native};
use checks::{CheckRun, Context, PendingFinding};
use corpus::Corpus;
use document::Patterns;
use finding::Report;
use graph::Graph;
use scope::{Located, ScopeError};
use walk::Tree;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// What to audit is not there.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The deprecation patterns are no regular expression.
    #[error("the deprecation patterns are no regular expression, or too large a one: {0}")]
    Patterns(#[from] regex::Error),
    /// A glob of the configuration is none.
    #[error("the globs are none, or too long together: {0}")]
    Glob(#[from] globset::Error),
}

/// A tree that was read, with the links between its documents: what the checks run on.
#[derive(Debug)]
pub struct Audit<'a> {
    /// Where it is, and which part of it is audited.
    pub located: Located,
    corpus: Corpus,
    graph: Graph,
    settings: &'a Settings,
    facts: &'a Facts,
    start: Instant,
}

impl<'a> Audit<'a> {
    /// Reads the tree around `scope`. `progress` is told how many of how many documents are read.
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

    /// Returns everything that a check may look at.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context { corpus: &self.corpus, graph: &self.graph, settings: self.settings, facts: self.facts }
    }

    /// Runs all checks.
    #[must_use]
    pub fn report(&self) -> Report {
        let (corpus, context) = (&self.corpus, self.context());
        let (mut findings, hidden) = locate::locate(context, check(context));
        findings.extend(locate::unreadable(&corpus.tree, self.settings, &|path| self.located.covers(path)));
        locate::sort(&mut findings);
        let decisions = decide::decide(corpus, &self.graph, &findings);
        let pages = corpus.pages.iter().filter(|page| page.audited);
        let used: FxHashSet<u16> = pages.clone().map(|page| page.site).collect();
        let unjudged = unjudged::count(corpus, &self.graph);
        Report {
            root: self.located.display_root.clone(),
            profiles: corpus.sites.sentences(&|site| used.contains(&site), &unjudged),
            sites: unjudged::sites(corpus, &used, &unjudged),
            not_judged: unjudged.iter().map(|unjudged| unjudged.count).sum(),
            documents: pages.clone().count(),
            links: pages.map(|page| page.document.links.len()).sum(),
            findings,
            hidden,
            graph: finding::DocumentGraph {
                documents: corpus.pages.par_iter().map(|page| display_path(corpus.path_of(page))).collect(),
                edges: self.graph.pairs().collect(),
            },
            decisions,
            duration: self.start.elapsed(),
        }
    }

    /// Gives the memory back in the background. For a large tree that takes a while, and nobody needs to wait for it.
    pub fn discard(self) -> Located {
        let Self { located, corpus, graph, .. } = self;
        rayon::spawn(move || drop((corpus, graph)));
        located
    }
}

/// Audits a tree. Returns the report, and what was audited.
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
    let (patterns, tree) = rayon::join(
        || Patterns::new(&settings.deprecated, &settings.common_words),
        || Tree::walk(&located.root, located.repository, &located.covered),
    );
    let (patterns, excluded) = (patterns?, globs(&settings.exclude)?);
    let sites = site::detect(&tree, settings);
    // What is another repository's is audited where somebody names it.
    let foreign = tree.foreign(&located.covered);
    let audited = |path: &[u8]| {
        located.covers(path)
            && !excluded.is_match(native(path))
            && !foreign.iter().any(|folder| site::is_below(path, folder))
    };
    let mut corpus = Corpus::read(tree, sites, &patterns, settings, facts, &audited, progress);
    corpus.rooted = located.repository || scope.root.is_some();
    Ok((located, corpus))
}

/// Runs every check over every document whose findings are wanted.
fn check(context: Context<'_>) -> Vec<PendingFinding> {
    let pages = 0..u32::try_from(context.corpus.pages.len()).unwrap_or(u32::MAX);
    let audited = pages.into_par_iter().filter(|page| context.corpus.pages[*page as usize].audited);
    let mut pending: Vec<PendingFinding> = audited
        .flat_map_iter(|page| {
            let mut pending = Vec::new();
            for check in checks::ALL {
                if let CheckRun::Page(run) = check.run {
                    run(context, page, &mut pending);
                }
            }
            pending
        })
        .collect();
    for check in checks::ALL {
        if let CheckRun::Tree(run) = check.run {
            run(context, &mut pending);
        }
    }
    pending
}

/// Globs as people write them for paths: `*` stays within a folder, `**` does not.
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
