//! `mcp-kit audit-docs` from its flags to its exit status.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::baseline::{Baseline, BaselineError};
use super::checks::Check;
use super::config::{Config, Date, Scope, date_of, written};
use super::finding::{Code, Finding, Report, Severity};
use super::fix::documents::Words;
use super::fix::plan::Plan;
use super::fix::{self, FixError};
use super::keep::{self, KeepError};
use super::report::Format;
use super::scope::Located;
use super::walk::shown;
use super::web::{self, Answers, WebError};
use super::{AuditError, audit_and, git, read, report};
use crate::catalog::{self, Catalog, CatalogError};
use crate::cli::{AuditDocs, Mend};
use crate::docs::build;
use crate::docs::command::root_of;
use crate::docs::stale::{Stale, stale};
use crate::files::{self, FilesError};
use crate::terminal::Paint;

/// Errors were found, or warnings that are to count.
const FOUND: u8 = 1;

/// How the command fails.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no report.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The baseline cannot be used.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// The baseline cannot be written.
    #[error(transparent)]
    WriteBaseline(#[from] FilesError),
    /// The report cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// The settings cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Nothing was recorded.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// Nothing was mended.
    #[error(transparent)]
    Fix(#[from] FixError),
    /// The web was not asked.
    #[error(transparent)]
    Web(#[from] WebError),
}

/// Who hears what there is to say besides the report.
#[derive(Clone, Copy)]
pub struct Listener<'a> {
    /// A remark.
    pub note: &'a dyn Fn(&str),
    /// How many of how many are done, and of what.
    pub progress: &'a (dyn Fn(&str, usize, usize) + Sync),
    /// There is no more progress to come.
    pub done: &'a dyn Fn(),
}

impl Listener<'_> {
    /// Hears how far `work` is, which counts `what`.
    fn during<T>(self, what: &str, work: impl FnOnce(&(dyn Fn(usize, usize) + Sync)) -> T) -> T {
        let progress = self.progress;
        let result = work(&|done, all| progress(what, done, all));
        (self.done)();
        result
    }
}

/// What is counted while documents are read.
const DOCUMENTS: &str = "documents read";

/// Runs the command: the report goes to `out`, what else there is to say to the listener. Returns the exit status.
///
/// # Errors
/// When there is no report, or it cannot be written.
pub fn run(
    command: &AuditDocs,
    paint: Paint,
    width: usize,
    out: &mut dyn Write,
    listener: Listener<'_>,
) -> Result<u8, CommandError> {
    let note = listener.note;
    if let Some(check) = command.explain.and_then(Check::of) {
        readable(out.write_all(report::explain(check.code, &check.documentation(), paint).as_bytes()))?;
        return Ok(0);
    }
    let paths = if command.paths.is_empty() { vec![PathBuf::from(".")] } else { command.paths.clone() };
    let scope = Scope { paths, root: command.root.clone() };
    let Located { root, repository, .. } = Located::find(&scope).map_err(AuditError::from)?;
    if !command.keep.is_empty() {
        let file = command.catalog.clone().unwrap_or_else(|| root.join(catalog::FILE));
        let kept = keep::record(&root, &file, &command.keep, &written(today()))?;
        note(&format!("recorded as good as it is: {}", kept.join(", ")));
    }
    let catalog = catalog_of(command, &root)?;
    let mut config = settings(command, catalog.as_ref());
    config.stale = stale_pages(&root, catalog.as_ref(), &config, note);
    config.settled = catalog.as_ref().map(|(_, catalog)| keep::unchanged(&root, &catalog.reviewed)).unwrap_or_default();
    // Before the work, so that a mistyped name costs no time.
    let baseline = match &command.baseline {
        Some(path) if !command.update_baseline || path.exists() => Some(Baseline::load(path)?),
        _ => None,
    };
    if command.online {
        config.answers = Some(Answers::default());
        config.answers = Some(web_answers(command, &scope, &config, listener)?);
    }
    if let Some(what) = command.fix {
        let plan = || planned(what, command, &scope, &config, baseline.as_ref(), listener);
        if command.dry_run {
            let (_, plan) = plan()?;
            readable(out.write_all(fix::diff::unified(&plan.changes).as_bytes()))?;
            told(&plan, what, ["would mend", "would change"], note);
            return Ok(0);
        }
        if let Some(documents) = fix::transaction::finish(&root).map_err(FixError::from)? {
            note(&format!(
                "an interrupted --fix or docs build of {} is finished",
                report::plural(documents, "document")
            ));
        }
        let (root, plan) = plan()?;
        fix::carry_out(&root, &plan, command.allow_dirty)?;
        told(&plan, what, ["mended", "changed"], note);
        // It may have made the list of what was archived anew.
        let catalog = catalog_of(command, &root)?;
        config.stale = stale_pages(&root, catalog.as_ref(), &config, &|_| ());
    }
    let history = repository.then(|| git::History::ask(&root));
    let (mut found, covers, ()) =
        listener.during(DOCUMENTS, |progress| audit_and(&scope, &config, progress, |_, _| ()))?;
    let documents: Vec<&str> = found.decisions.iter().map(|decision| decision.path.as_str()).collect();
    let changes = history.map(|history| history.last_changes(&documents)).unwrap_or_default();
    for decision in &mut found.decisions {
        decision.reasons.extend(changes.get(&decision.path).cloned());
    }
    if fix::transaction::is_interrupted(&covers.root) {
        note("an interrupted --fix or docs build has not changed all documents yet; run it again to finish it");
    }
    if found.documents == 0 {
        note(
            "there is no Markdown file to audit, or ignore files hide all of them; what they hide is audited when it is named",
        );
    }
    // Whether this audit would have found what a baseline knows.
    let looked = |code: Code, path: &str| config.looks_for(code) && covers.covers(path.as_bytes());
    if let (true, Some(path)) = (command.update_baseline, &command.baseline) {
        let updated = baseline.clone().unwrap_or_default().updated(&found.findings, &looked);
        let mut bytes = Vec::new();
        updated.write(&mut bytes)?;
        files::replace(path, &bytes)?;
        note(&format!("{} accepted in {}", report::plural(updated.len(), "finding"), path.display()));
        updated.hide(&mut found, &looked);
    } else if let Some(baseline) = baseline {
        let stale: u32 = baseline.hide(&mut found, &looked).iter().map(|stale| stale.count).sum();
        if stale > 0 {
            let findings = report::plural(stale as usize, "finding");
            note(&format!("{findings} of the baseline are gone; --update-baseline forgets them"));
        }
    }
    if command.explain_profile && command.format == Format::Human {
        readable(report::explain_profile(&found, paint, out))?;
        return Ok(if command.strict_profile && is_doubtful(&found) { FOUND } else { 0 });
    }
    readable(report::write(&found, command.format, paint, width, out))?;
    if command.strict_profile && is_doubtful(&found) {
        note(&format!(
            "{} not judged, and --strict-profile fails on that; --explain-profile says why",
            report::plural(found.not_judged, "link")
        ));
        return Ok(FOUND);
    }
    let least = if command.strict { Severity::Warning } else { Severity::Error };
    Ok(if found.findings.iter().any(|finding| finding.severity >= least) { FOUND } else { 0 })
}

/// Whether something was not judged, or the profile itself is not to be trusted.
fn is_doubtful(report: &Report) -> bool {
    report.not_judged > 0 || report.findings.iter().any(|finding| finding.code == Code::DoubtfulProfile)
}

/// The catalog, where there is one, and its file.
fn catalog_of(command: &AuditDocs, root: &Path) -> Result<Option<(PathBuf, Catalog)>, CommandError> {
    let file = match &command.catalog {
        Some(file) => Some(file.clone()),
        None => Some(root.join(catalog::FILE)).filter(|file| file.is_file()),
    };
    // As one would write it here, for messages.
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let file = file.map(|file| file.strip_prefix(&here).map(Path::to_owned).unwrap_or(file));
    Ok(file.map(|file| Catalog::load(&file).map(|catalog| (file, catalog))).transpose()?)
}

/// What the catalog says, and what the command line says before it.
fn settings(command: &AuditDocs, catalog: Option<&(PathBuf, Catalog)>) -> Config {
    let config = catalog.map(|(_, catalog)| catalog.audit.config()).unwrap_or_default();
    Config { flavor: command.flavor.or(config.flavor), today: today(), ..config }
}

/// Generated pages that are not what a build would write, below the root of the audit.
fn stale_pages(root: &Path, catalog: Option<&(PathBuf, Catalog)>, config: &Config, note: &dyn Fn(&str)) -> Vec<Stale> {
    let Some((file, catalog)) = catalog else { return Vec::new() };
    let Ok(folder) = root_of(file) else { return Vec::new() };
    let Ok(prefix) = folder.strip_prefix(root).map(|prefix| shown(prefix.as_os_str().as_encoded_bytes())) else {
        return Vec::new();
    };
    match stale(&folder, catalog, &written(config.today)) {
        Ok(stale) if prefix.is_empty() => stale,
        Ok(stale) => stale.into_iter().map(|page| Stale { path: format!("{prefix}/{}", page.path), ..page }).collect(),
        Err(errors) => {
            note(&format!("generated pages were not compared: {}", build::told(&errors)));
            Vec::new()
        }
    }
}

/// What the web says of the addresses in the audited documents.
fn web_answers(
    command: &AuditDocs,
    scope: &Scope,
    config: &Config,
    listener: Listener<'_>,
) -> Result<Answers, CommandError> {
    if !web::is_built() {
        return Err(WebError::NotBuilt.into());
    }
    let (_, corpus) = listener.during(DOCUMENTS, |progress| read(scope, config, progress))?;
    let addresses = web::addresses(&corpus);
    let file = command.web_cache.clone().or_else(web::default_file);
    let (answers, notes) = listener.during("web addresses asked", |progress| {
        web::look_up(&addresses, &config.online, file.as_deref(), progress)
    })?;
    notes.iter().for_each(|note| (listener.note)(note));
    Ok(answers)
}

/// What `--fix` is to do, and in which tree.
fn planned(
    what: Mend,
    command: &AuditDocs,
    scope: &Scope,
    config: &Config,
    baseline: Option<&Baseline>,
    listener: Listener<'_>,
) -> Result<(PathBuf, Plan), CommandError> {
    let (_, covers, (findings, documents)) = listener.during(DOCUMENTS, |progress| {
        audit_and(scope, config, progress, |world, report| {
            let findings = to_mend(&report.findings, baseline);
            let words = Words { date: config.today, current: Some(command.current.clone()) };
            let still = |path: &str| findings.iter().any(|finding| finding.path == path);
            let decisions: Vec<_> = report.decisions.iter().filter(|decision| still(&decision.path)).cloned().collect();
            let plan = (what == Mend::Documents).then(|| fix::documents::plan(world, &decisions, &words));
            (findings, plan)
        })
    })?;
    let mut plan = documents.unwrap_or_else(|| fix::repairs(&covers.root, &findings));
    fix::catalogued::enter(&covers.root, &mut plan, &written(config.today));
    Ok((covers.root, plan))
}

/// The findings that are to be mended: what a baseline accepts stays as it is.
fn to_mend(findings: &[Finding], baseline: Option<&Baseline>) -> Vec<Finding> {
    let mut report = Report { findings: findings.to_vec(), ..Report::default() };
    if let Some(baseline) = baseline {
        let _ = baseline.hide(&mut report, &|_, _| true);
    }
    report.findings
}

/// Says what became of a plan.
fn told(plan: &Plan, what: Mend, [mended, changed]: [&str; 2], note: &dyn Fn(&str)) {
    plan.remarks.iter().for_each(|remark| note(remark));
    let left = match plan.left {
        0 => String::new(),
        left => format!("; {} that contradict another or no longer fit are left", report::plural(left, "repair")),
    };
    let of = if what == Mend::Links { "finding" } else { "document" };
    let files = report::plural(plan.changes.len(), "file");
    note(&match plan.mended {
        0 => format!("there is nothing that --fix could mend{left}"),
        n => format!("{mended} {}, {changed} {files}{left}", report::plural(n, of)),
    });
}

/// A reader that has seen enough (`| head`) is no failure.
fn readable(written: io::Result<()>) -> Result<(), io::Error> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Today in UTC; `SOURCE_DATE_EPOCH` settles it for builds that must not differ.
#[must_use]
pub fn today() -> Date {
    let told = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse::<i64>().ok());
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    };
    date_of(told.unwrap_or_else(now))
}
