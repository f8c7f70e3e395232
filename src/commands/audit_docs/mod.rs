//! `mcp-kit audit-docs`. The catalog and the flags become settings, documents and the web become facts. The command
//! prints the audit's report or applies its fixes.

mod archive;
mod batch;
mod failure;
mod fix;
mod inputs;
mod review;
mod since;
mod stale;

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use crate::audit::baseline::Baseline;
use crate::audit::checks::Check;
use crate::audit::finding::{Code, Report, Severity};
use crate::audit::report::Format;
use crate::audit::scope::Located;
use crate::audit::{Audit, AuditError, Facts, Scope, Settings, repeated, report};
use crate::catalog;
use crate::cli::AuditDocs;
use crate::commands::console::{Console, Status, ignore_broken_pipe};
use crate::error::Failure;
use crate::fs::terminal::{self, Paint};
use crate::fs::{files, git, journal};
use crate::text::date::today;
use crate::text::plural::plural;
use failure::AuditDocsError;
use fix::Inputs;
use inputs::DOCUMENTS;

/// Runs the command.
///
/// # Errors
/// When there is no report, or it cannot be written.
pub fn run(command: &AuditDocs, console: &Console) -> Result<Status, Failure> {
    if let Some(check) = command.explain.and_then(Check::for_code) {
        let text = report::explain(check.code, &check.documentation(), Paint::stdout());
        console.print(text.as_bytes())?;
        return Ok(Status::Clean);
    }
    let scope = inputs::scope(command)?;
    let located = Located::find(&scope).map_err(AuditError::from)?;
    let (root, repository) = (located.root.clone(), located.repository);
    record_reviews(command, &root, console)?;
    let catalog = inputs::catalog(command, &root)?;
    let settings = inputs::settings(command, catalog.as_ref());
    let mut facts = inputs::facts(&located, &scope, catalog.as_ref(), console);
    // Load it before the work, so that a mistyped name fails at once.
    let baseline = match &command.baseline {
        Some(path) if !command.update_baseline || path.exists() => Some(Baseline::load(path)?),
        _ => None,
    };
    if command.online {
        facts.answers = Some(inputs::web_answers(command, &scope, &settings, console)?);
    }
    if let Some(what) = command.fix {
        let inputs = Inputs { command, scope: &scope, settings: &settings, facts: &facts, baseline: baseline.as_ref() };
        if command.dry_run {
            fix::dry_run(what, &inputs, console)?;
            return Ok(Status::Clean);
        }
        fix::carry_out(what, &root, &inputs, console)?;
        // The fixes may have changed the list of archived documents.
        let catalog = inputs::catalog(command, &root)?;
        facts.stale_pages = inputs::stale_pages(&root, catalog.as_ref(), facts.today, &|_| ());
    }
    let older = since::revision(command).map(|revision| since::Query::start(&root, revision));
    let (mut report, audit) = audit(&scope, &settings, &facts, repository.then_some(root.as_path()), console)?;
    remark(&report, &located, console);
    // `true` when this audit would find such a finding of the baseline.
    let looked = |code: Code, path: &str| facts.looks_for(code) && located.covers(path.as_bytes());
    accept(command, baseline.as_ref(), &mut report, &looked, console)?;
    match older {
        Some(query) => {
            let file = catalog.as_ref().map(|(file, _)| file.as_path());
            since::hide(query.answer()?, audit, &mut report, &facts, baseline.as_ref(), file)?;
        }
        None => drop(audit.discard()),
    }
    report.findings = repeated::merge(report.findings);
    if command.format == Format::Markdown {
        report.links_to = inputs::links_to(&root);
    }
    print(command, &report)?;
    let least = if command.strict { Severity::Warning } else { Severity::Error };
    let found = !command.explain_profile && report.findings.iter().any(|finding| finding.severity >= least);
    let doubtful = command.strict_profile && is_doubtful(&report);
    if doubtful && !command.explain_profile {
        console.note(&format!(
            "{} not judged, and --strict-profile fails on that; --explain-profile says why",
            plural(report.not_judged, "link")
        ));
    }
    Ok(if found || doubtful { Status::Found } else { Status::Clean })
}

/// Returns whether the audit left links unjudged, or found its profile doubtful.
fn is_doubtful(report: &Report) -> bool {
    report.not_judged > 0 || report.findings.iter().any(|finding| finding.code == Code::DoubtfulProfile)
}

/// Records the documents of `--keep` as reviewed.
fn record_reviews(command: &AuditDocs, root: &Path, console: &Console) -> Result<(), AuditDocsError> {
    if command.keep.is_empty() {
        return Ok(());
    }
    let file = command.catalog.clone().unwrap_or_else(|| root.join(catalog::FILE));
    let reviewed = review::record(root, &file, &command.keep, &today().to_string())?;
    console.note(&format!("recorded as good as it is: {}", reviewed.join(", ")));
    Ok(())
}

/// Runs the audit. In parallel, git looks up the last change of each document that needs a decision.
fn audit<'a>(
    scope: &Scope,
    settings: &'a Settings,
    facts: &'a Facts,
    repository: Option<&Path>,
    console: &Console,
) -> Result<(Report, Audit<'a>), AuditDocsError> {
    let history = repository.map(git::History::ask);
    let audit = console.during(DOCUMENTS, |progress| Audit::read(scope, settings, facts, progress))?;
    let mut report = audit.report();
    let documents: Vec<&str> = report.decisions.iter().map(|decision| decision.path.as_str()).collect();
    let changes = history.map(|history| history.last_changes(&documents)).unwrap_or_default();
    for decision in &mut report.decisions {
        decision.reasons.extend(changes.get(&decision.path).cloned());
    }
    Ok((report, audit))
}

/// Prints notes on the report.
fn remark(report: &Report, located: &Located, console: &Console) {
    if journal::is_interrupted(&located.root) {
        console.note("an interrupted run has not changed all files yet; the next one that writes finishes it");
    }
    if report.documents == 0 {
        console.note(
            "there is no Markdown file to audit, or ignore files hide all of them; what they hide is audited when it is named",
        );
    }
}

/// Removes the findings that the baseline accepts. Updates the baseline first with `--update-baseline`.
fn accept(
    command: &AuditDocs,
    baseline: Option<&Baseline>,
    report: &mut Report,
    looked: &dyn Fn(Code, &str) -> bool,
    console: &Console,
) -> Result<(), AuditDocsError> {
    if let (true, Some(path)) = (command.update_baseline, &command.baseline) {
        let updated = baseline.cloned().unwrap_or_default().updated(&report.findings, looked);
        let mut bytes = Vec::new();
        updated.write(&mut bytes)?;
        files::replace(path, &bytes)?;
        console.note(&format!("{} accepted in {}", plural(updated.len(), "finding"), path.display()));
        updated.hide(report, looked);
    } else if let Some(baseline) = baseline {
        let stale: u32 = baseline.hide(report, looked).iter().map(|stale| stale.count).sum();
        if stale > 0 {
            let findings = plural(stale as usize, "finding");
            let (are, them) = if stale == 1 { ("is", "it") } else { ("are", "them") };
            console.note(&format!("{findings} of the baseline {are} gone; --update-baseline forgets {them}"));
        }
    }
    Ok(())
}

fn print(command: &AuditDocs, report: &Report) -> Result<(), AuditDocsError> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let result = if command.explain_profile && command.format == Format::Human {
        report::explain_profile(report, Paint::stdout(), &mut out)
    } else {
        report::write(report, command.format, Paint::stdout(), terminal::width(), &mut out)
    };
    Ok(ignore_broken_pipe(result.and_then(|()| out.flush()))?)
}
