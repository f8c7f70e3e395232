//! `--fix`: shows or applies the plan of the audit and the changes to the catalog.

use std::path::PathBuf;

use super::archive;
use super::failure::AuditDocsError;
use super::inputs::DOCUMENTS;
use crate::audit::baseline::Baseline;
use crate::audit::finding::{Finding, Report};
use crate::audit::fix::documents::HeaderSettings;
use crate::audit::fix::plan::FixPlan;
use crate::audit::fix::{self, FixError};
use crate::audit::{Audit, Facts, Scope, Settings};
use crate::cli::{AuditDocs, FixScope};
use crate::commands::console::Console;
use crate::error::Failure;
use crate::fs::diff;
use crate::fs::journal::Journal;
use crate::text::plural::plural;

/// The input of a plan.
pub(super) struct Inputs<'a> {
    pub(super) command: &'a AuditDocs,
    pub(super) scope: &'a Scope,
    pub(super) settings: &'a Settings,
    pub(super) facts: &'a Facts,
    pub(super) baseline: Option<&'a Baseline>,
}

/// Shows the plan as a diff and changes nothing.
pub(super) fn dry_run(what: FixScope, inputs: &Inputs<'_>, console: &Console) -> Result<(), Failure> {
    let (_, plan) = plan(what, inputs, console)?;
    console.print(diff::unified(&plan.changes).as_bytes())?;
    print_summary(&plan, what, ["would fix", "would change"], console);
    Ok(())
}

/// Finishes an interrupted plan, if there is one, and applies the new one.
pub(super) fn carry_out(
    what: FixScope,
    root: &std::path::Path,
    inputs: &Inputs<'_>,
    console: &Console,
) -> Result<(), AuditDocsError> {
    let finished = Journal::open(root).and_then(|journal| journal.finish()).map_err(FixError::from)?;
    if let Some(finished) = finished {
        console.note(&format!("an interrupted run is finished; it had {} to write", plural(finished.steps, "file")));
    }
    let (root, plan) = plan(what, inputs, console)?;
    fix::carry_out(&root, &plan, inputs.command.allow_dirty)?;
    print_summary(&plan, what, ["fixed", "changed"], console);
    Ok(())
}

/// Makes the plan. Returns the root of the tree with it.
fn plan(what: FixScope, inputs: &Inputs<'_>, console: &Console) -> Result<(PathBuf, FixPlan), AuditDocsError> {
    let Inputs { command, scope, settings, facts, baseline } = inputs;
    let audit = console.during(DOCUMENTS, |progress| Audit::read(scope, settings, facts, progress))?;
    let report = audit.report();
    let findings = to_fix(&report.findings, *baseline);
    let mut plan = match what {
        FixScope::Links => fix::fixes(&audit.located.root, &findings),
        FixScope::Documents => {
            let settings = HeaderSettings { date: facts.today, current: Some(command.current.clone()) };
            let still = |path: &str| findings.iter().any(|finding| finding.path == path);
            let decisions: Vec<_> = report.decisions.into_iter().filter(|decision| still(&decision.path)).collect();
            fix::documents::plan(audit.context(), &decisions, &settings)
        }
    };
    let root = audit.discard().root;
    archive::enter(&root, &mut plan, &facts.today.to_string());
    Ok((root, plan))
}

/// Returns the findings to fix: all but those that a baseline accepts.
pub(super) fn to_fix(findings: &[Finding], baseline: Option<&Baseline>) -> Vec<Finding> {
    let mut report = Report { findings: findings.to_vec(), ..Report::default() };
    if let Some(baseline) = baseline {
        let _ = baseline.hide(&mut report, &|_, _| true);
    }
    report.findings
}

/// Prints a summary of a plan.
fn print_summary(plan: &FixPlan, what: FixScope, [fixed, changed]: [&str; 2], console: &Console) {
    plan.remarks.iter().for_each(|remark| console.note(remark));
    let left = match plan.left {
        0 => String::new(),
        left => format!("; {} that contradict another or no longer fit are left", plural(left, "fix")),
    };
    let noun = if what == FixScope::Links { "finding" } else { "document" };
    let files = plural(plan.changes.len(), "file");
    console.note(&match plan.fixed {
        0 => format!("there is nothing that --fix could fix{left}"),
        n => format!("{fixed} {}, {changed} {files}{left}", plural(n, noun)),
    });
}
