//! Navigation → findings: a page that a settings file names, and that is not there, is a 404 on every page of the site.

use rustc_hash::FxHashSet;

use super::corpus::Corpus;
use super::finding::{Code, Excerpt, Finding, Severity};
use super::settings::Settings;
use super::site::{Named, Site};
use crate::text::path::display_path;

/// Returns a finding for each page that is named and neither there nor made by a build, on the sites of audited documents.
#[must_use]
pub fn missing(corpus: &Corpus, settings: &Settings) -> Vec<Finding> {
    if corpus.sites.all().iter().all(|site| site.named.is_empty()) {
        return Vec::new();
    }
    let Some(severity) = settings.severity(Code::BrokenLink, Severity::Error) else { return Vec::new() };
    let used: FxHashSet<u16> = corpus.pages.iter().filter(|page| page.audited).map(|page| page.site).collect();
    let sites = (0_u16..).zip(corpus.sites.all()).filter(|(number, _)| used.contains(number));
    let named = sites.flat_map(|(_, site)| site.named.iter().map(move |named| (site, named)));
    named
        .filter(|(_, named)| !is_there(corpus, &named.path))
        .map(|(site, named)| finding(site, named, severity))
        .collect()
}

fn is_there(corpus: &Corpus, path: &[u8]) -> bool {
    let tree = &corpus.tree;
    tree.find(path).is_some() || tree.is_ignored(path) || tree.exists_unseen(path)
}

fn finding(site: &Site, named: &Named, severity: Severity) -> Finding {
    Finding {
        code: Code::BrokenLink,
        severity,
        path: display_path(&named.file),
        line: named.line,
        column: 1,
        span: 0..0,
        excerpt: Excerpt::default(),
        target: Some(named.text.clone()),
        message: format!("the navigation names {}, and {} has no such page", display_path(&named.path), site.generator),
        suggestion: None,
        fix: None,
    }
}
