//! Findings → a proposal for each whole document, with reasons. Pure. A person decides.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::corpus::Corpus;
use super::document::{Document, Place};
use super::finding::{Code, Decision, Finding, Severity, Verdict};
use super::graph::Graph;
use crate::text::path::{display_path, lossy};

/// The maximum number of linking documents in a reason.
const NAMED: usize = 3;

/// Returns a proposal for each document that is an orphan or refers to something deprecated, sorted by path.
#[must_use]
pub fn decide(corpus: &Corpus, graph: &Graph, findings: &[Finding]) -> Vec<Decision> {
    let about = |finding: &&Finding| matches!(finding.code, Code::Orphan | Code::DeprecatedReference);
    let concerned: Vec<&Finding> = findings.iter().filter(about).collect();
    if concerned.is_empty() {
        return Vec::new();
    }
    let paths: FxHashSet<&str> = concerned.iter().map(|finding| finding.path.as_str()).collect();
    let pages = (0_u32..).zip(&corpus.pages).map(|(number, page)| (lossy(corpus.path_of(page)), number));
    let pages: FxHashMap<Cow<'_, str>, u32> = pages.filter(|(path, _)| paths.contains(&**path)).collect();
    let mut linked: FxHashMap<u32, Vec<u32>> = pages.values().map(|page| (*page, Vec::new())).collect();
    let mut is_concerned = vec![false; corpus.pages.len()];
    pages.values().for_each(|page| is_concerned[*page as usize] = true);
    for (from, to) in graph.pairs().filter(|(_, to)| is_concerned[*to as usize]) {
        linked.entry(to).or_default().push(from);
    }
    // Findings are sorted by path, so the findings of one document are adjacent.
    let documents = concerned.chunk_by(|one, other| one.path == other.path);
    let decision = |findings: &[&Finding]| {
        let page = *pages.get(findings.first()?.path.as_str())?;
        Some(proposal(corpus, page, findings, &linked[&page]))
    };
    documents.filter_map(decision).collect()
}

fn proposal(corpus: &Corpus, page: u32, findings: &[&Finding], linked: &[u32]) -> Decision {
    let document = &corpus.pages[page as usize].document;
    let orphan = findings.iter().any(|finding| finding.code == Code::Orphan);
    let speaks = findings.iter().find(|finding| finding.code == Code::DeprecatedReference);
    let replacement = replacement(document);
    let verdict = match speaks {
        Some(_) if is_about_the_page(document) => Verdict::Archive,
        Some(finding) if finding.severity >= Severity::Warning => Verdict::Update,
        _ if orphan => Verdict::Fix,
        _ => Verdict::Keep,
    };
    let mut reasons: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
    if document.evidence.notice.is_some_and(|notice| !notice.updated) {
        reasons.push("a notice at its head says so".to_owned());
    }
    if verdict == Verdict::Keep {
        reasons.push("healthy documents use these words, too".to_owned());
    }
    if !orphan {
        reasons.push(links_to_it(corpus, linked));
    }
    reasons.extend(replacement.map(|path| format!("it sends its readers to {path}")));
    Decision { path: findings[0].path.clone(), verdict, reasons }
}

/// Returns whether its name, title or status, or a notice at its head, marks the page itself as deprecated.
fn is_about_the_page(document: &Document) -> bool {
    let evidence = &document.evidence;
    let named = evidence.mentions.iter().any(|mention| !mention.common && mention.place >= Place::Title);
    named || evidence.notice.is_some_and(|notice| !notice.updated)
}

/// Returns the replacement that its front matter or a notice at its head names.
fn replacement(document: &Document) -> Option<&str> {
    let from_notice = || document.evidence.notice?.replacement;
    document.front_matter.replacement.or_else(from_notice).map(|replacement| document.text(replacement))
}

fn links_to_it(corpus: &Corpus, linked: &[u32]) -> String {
    let name = |page: &u32| display_path(corpus.path(*page));
    let names: Vec<String> = linked.iter().take(NAMED).map(name).collect();
    match linked.len() {
        0 => "no document links to it".to_owned(),
        1 => format!("{} links to it", names[0]),
        count if count <= NAMED => format!("{count} documents link to it: {}", names.join(", ")),
        count => format!("{count} documents link to it: {}, …", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;

    use crate::audit::audit;
    use crate::audit::{Facts, Scope, Settings};

    fn decisions(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let scope =
            Scope { paths: vec![folder.path().to_owned()], root: Some(folder.path().to_owned()), unsaved: Vec::new() };
        let (report, _) = audit(&scope, &Settings::default(), &Facts::default()).unwrap();
        let mut text = String::new();
        for decision in report.decisions {
            let _ = writeln!(text, "{} {}", decision.verdict.as_str(), decision.path);
            for reason in decision.reasons {
                let _ = writeln!(text, "  {reason}");
            }
        }
        text
    }

    #[test]
    fn each_kind_with_its_reasons() {
        let tree = [
            ("README.md", "[a](a.md) [b](b.md) [c](c.md) [o](old_setup.md)\n"),
            ("a.md", "# A\n\nThis page is deprecated, see [B](b.md). [o](old_setup.md)\n\n## Deprecated\n"),
            ("b.md", "# B\n\nFirst do phase_1_mcp. [o](old_setup.md) [a](a.md)\n"),
            ("c.md", "# C\n\nThe deprecated flags. [o](old_setup.md)\n"),
            ("lonely.md", "# Lonely\n"),
            ("old_setup.md", "# O\n"),
        ];
        insta::assert_snapshot!(decisions(&tree), @r"
        archive a.md
          `Deprecated` in a heading is a sign of something that is gone (weight 2 of 6, 2 places in all)
          a notice at its head says so
          2 documents link to it: README.md, b.md
          it sends its readers to b.md
        update b.md
          `phase_1_mcp` in running text is a sign of something that is gone (weight 3 of 6)
          2 documents link to it: README.md, a.md
        keep c.md
          `deprecated` in running text is a sign of something that is gone (weight 1 of 6)
          healthy documents use these words, too
          README.md links to it
        fix lonely.md
          nothing leads to this document; README.md ought to link to it
        archive old_setup.md
          the file name `old_setup.md` is a sign of something that is gone (weight 6 of 6)
          4 documents link to it: README.md, a.md, b.md, …
        ");
    }

    #[test]
    fn a_healthy_tree_needs_none() {
        assert_eq!(decisions(&[("README.md", "[a](a.md)\n"), ("a.md", "# A\n")]), "");
        // A finding that is suppressed with a reason causes no proposal.
        let accepted = "<!-- mcp-kit-ignore orphan: it is found by search -->\n# Lonely\n";
        assert_eq!(decisions(&[("README.md", ""), ("lonely.md", accepted)]), "");
    }
}
