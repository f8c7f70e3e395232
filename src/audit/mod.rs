//! `mcp-kit audit-docs`, in the order in which data flows: walk → documents → graph → checks → findings → report, or repairs.
//! On request, the web is asked between a first reading, which says what there is to ask, and the run that counts.

pub mod baseline;
pub mod checks;
pub mod command;
pub mod config;
pub mod corpus;
pub mod decide;
pub mod document;
pub mod doubt;
#[cfg(test)]
mod examples;
pub mod finding;
pub mod finish;
pub mod fix;
pub mod folded;
pub mod git;
pub mod graph;
pub mod keep;
pub mod profile;
pub mod report;
pub mod resolve;
pub mod scope;
pub mod slug;
pub mod suggest;
pub mod unjudged;
pub mod walk;
pub mod web;

use std::time::Instant;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use checks::{Draft, Run, World};
use config::{Config, Scope};
use corpus::Corpus;
use document::Patterns;
use finding::Report;
use graph::Graph;
use scope::{Located, ScopeError};
use walk::{Tree, native, shown};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// What to audit is not there.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The deprecation patterns are no regular expression.
    #[error("the deprecation patterns are no regular expression: {0}")]
    Patterns(#[from] regex::Error),
    /// A glob of the configuration is none.
    #[error("{0}")]
    Glob(#[from] globset::Error),
}

/// Audits a tree. Returns what it says, and what was looked at.
///
/// # Errors
/// When what is asked for does not exist or the configuration does not make sense. Whatever is wrong with single files is a finding.
pub fn audit(scope: &Scope, config: &Config) -> Result<(Report, Located), AuditError> {
    audit_and(scope, config, &|_, _| (), |_, _| ()).map(|(report, located, ())| (report, located))
}

/// The same, and asks something while the documents are still known. `progress` hears how many of how many documents are read.
///
/// # Errors
/// As [`audit`].
pub fn audit_and<T>(
    scope: &Scope,
    config: &Config,
    progress: &(dyn Fn(usize, usize) + Sync),
    ask: impl FnOnce(World<'_>, &Report) -> T,
) -> Result<(Report, Located, T), AuditError> {
    let start = Instant::now();
    let entries = globs(&config.entry_points)?;
    let (located, corpus) = read(scope, config, progress)?;
    let graph = Graph::new(&corpus, &|path| entries.is_match(native(path)));
    let drafts = check(World { corpus: &corpus, graph: &graph, config });
    let (mut findings, hidden) = finish::finish(&corpus, config, drafts);
    findings.extend(finish::unreadable(&corpus.tree, config, &|path| located.covers(path)));
    finish::sort(&mut findings);
    let decisions = decide::decide(&corpus, &graph, &findings);
    let pages = corpus.pages.iter().filter(|page| page.audited);
    let used: FxHashSet<u16> = pages.clone().map(|page| page.site).collect();
    let unjudged = unjudged::count(&corpus, &graph);
    let report = Report {
        root: located.shown.clone(),
        profiles: corpus.profiles.sentences(&|site| used.contains(&site), &unjudged),
        sites: unjudged::sites(&corpus, &used, &unjudged),
        not_judged: unjudged.iter().map(|unjudged| unjudged.count).sum(),
        documents: pages.clone().count(),
        links: pages.map(|page| page.document.links.len()).sum(),
        findings,
        hidden,
        graph: finding::Graph {
            documents: corpus.pages.par_iter().map(|page| shown(corpus.path_of(page))).collect(),
            edges: graph.pairs().collect(),
        },
        decisions,
        duration: start.elapsed(),
    };
    let answer = ask(World { corpus: &corpus, graph: &graph, config }, &report);
    // Giving back the memory of a large tree takes a while, and nobody needs to wait for it.
    rayon::spawn(move || drop((corpus, graph)));
    Ok((report, located, answer))
}

/// The documents of a tree.
///
/// # Errors
/// As [`audit`].
pub fn read(
    scope: &Scope,
    config: &Config,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(Located, Corpus), AuditError> {
    let located = Located::find(scope)?;
    let (patterns, tree) = rayon::join(
        || Patterns::new(&config.deprecated, &config.common_words),
        || Tree::walk(&located.root, located.repository, &located.covered),
    );
    let (patterns, excluded) = (patterns?, globs(&config.exclude)?);
    let profiles = profile::detect(&tree, config);
    // What is another repository's is audited where somebody names it.
    let foreign = tree.foreign(&located.covered);
    let audited = |path: &[u8]| {
        located.covers(path)
            && !excluded.is_match(native(path))
            && !foreign.iter().any(|folder| profile::is_below(path, folder))
    };
    let mut corpus = Corpus::read(tree, profiles, &patterns, config, &audited, progress);
    corpus.rooted = located.repository || scope.root.is_some();
    Ok((located, corpus))
}

/// Runs every check over every document whose findings are wanted.
fn check(world: World<'_>) -> Vec<Draft> {
    let pages = 0..u32::try_from(world.corpus.pages.len()).unwrap_or(u32::MAX);
    let audited = pages.into_par_iter().filter(|page| world.corpus.pages[*page as usize].audited);
    let mut drafts: Vec<Draft> = audited
        .flat_map_iter(|page| {
            let mut drafts = Vec::new();
            for check in checks::ALL {
                if let Run::Page(run) = check.run {
                    run(world, page, &mut drafts);
                }
            }
            drafts
        })
        .collect();
    for check in checks::ALL {
        if let Run::Tree(run) = check.run {
            run(world, &mut drafts);
        }
    }
    drafts
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
