//! `mcp-kit init`: catalog, first pages and CI in a repository that exists. Nothing is written over.

mod find;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::catalog::problem::Problems;
use crate::catalog::{Catalog, CatalogError, FILE};
use crate::cli::{Init, OutputFormat};
use crate::commands::console::{Console, Status};
use crate::docs::build::{BuildError, ByHand, join_errors, plan};
use crate::error::{Explain, Failure, Message, USAGE};
use crate::fs::change::Change;
use crate::fs::diff::unified;
use crate::fs::journal::{self, Journal};
use crate::fs::prompt::Prompt;
use crate::scaffold::origin;
use crate::scaffold::template::{Template, TemplateError};
use crate::text::date::today;
use crate::text::escape::escape_control;
use crate::text::plural::plural;
use crate::text::steps::next_steps;
use find::FoundServer;

/// The head of a new catalog.
const HEAD: &str = "# The MCP servers of this repository. From this file `mcp-kit docs build` makes the documents, and `--check` in CI says when one is\n\
                    # stale. `mcp-kit catalog schema` is for editors, `mcp-kit catalog add` adds a server.\n\
                    catalog: 2\n\n\
                    services:\n";

/// The reason that nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The folder does not exist.
    #[error("{} is not a folder", .0.display())]
    NoFolder(PathBuf),
    /// There is a catalog.
    #[error("{} exists, and nothing is written over", .0.display())]
    Catalog(PathBuf),
    /// A server does not fit into a catalog.
    #[error(transparent)]
    Service(#[from] CatalogError),
    /// A page cannot be made.
    #[error("the documents cannot be made: {}", join_errors(.0))]
    Pages(Vec<BuildError>),
    /// The workflow cannot be made.
    #[error(transparent)]
    Workflow(#[from] TemplateError),
}

impl Explain for BeginError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::NoFolder(_) => Some("name the folder of a repository".into()),
            Self::Catalog(_) => {
                Some("mcp-kit catalog add adds a server to it, and mcp-kit docs build makes its pages".into())
            }
            Self::Service(error) => error.hint(),
            Self::Pages(_) => Some("move what is in the way, or make the pages later: --no-pages".into()),
            Self::Workflow(error) => error.hint(),
        }
    }

    fn status(&self) -> u8 {
        match self {
            Self::Service(error) => error.status(),
            _ => USAGE,
        }
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Service(error) => error.messages(),
            _ => vec![self.message()],
        }
    }
}

#[derive(Serialize)]
struct InitJson<'a> {
    schema: &'static str,
    dry_run: bool,
    servers: Vec<JsonServer<'a>>,
    files: Vec<&'a str>,
}

#[derive(Serialize)]
struct JsonServer<'a> {
    name: &'a str,
    found_in: &'a str,
}

/// Runs the command.
///
/// # Errors
/// When something is in the way, or cannot be written. Nothing is half written.
pub fn run(command: &Init, console: &Console) -> Result<Status, Failure> {
    let root = command.dir.canonicalize().ok().filter(|root| root.is_dir());
    let root = root.ok_or_else(|| BeginError::NoFolder(command.dir.clone()))?;
    let catalog = root.join(FILE);
    if catalog.symlink_metadata().is_ok() {
        return Err(BeginError::Catalog(command.dir.join(FILE)).into());
    }
    Journal::open(&root)?.finish()?;
    let found = find::servers(&root);
    let changes = changes(&root, &found, command)?;
    if !command.dry_run && !is_wanted(command, &found, &changes)? {
        console.note("nothing was written");
        return Ok(Status::Clean);
    }
    if !command.dry_run {
        journal::write_changes(&root, &changes)?;
    }
    match command.format {
        OutputFormat::Json => {
            let json = InitJson {
                schema: "mcp-kit/init/1",
                dry_run: command.dry_run,
                servers: found
                    .iter()
                    .map(|found| JsonServer { name: &found.service.name, found_in: &found.place })
                    .collect(),
                files: changes.iter().map(|change| change.path.as_str()).collect(),
            };
            console.print((serde_json::to_string_pretty(&json).unwrap_or_default() + "\n").as_bytes())?;
        }
        OutputFormat::Human if command.dry_run => console.print(unified(&changes).as_bytes())?,
        OutputFormat::Human if console.is_quiet() => {}
        OutputFormat::Human => console.print(summary(&found, &changes).as_bytes())?,
    }
    Ok(Status::Clean)
}

/// Asks on a terminal, and takes the flags for an answer elsewhere.
fn is_wanted(command: &Init, found: &[FoundServer], changes: &[Change]) -> Result<bool, Failure> {
    let Some(prompt) = Prompt::open().filter(|_| !command.defaults) else { return Ok(true) };
    let mut text = format!("Found {}:\n", plural(found.len(), "server"));
    for FoundServer { place, service } in found {
        let _ = writeln!(text, "  {} in {}", escape_control(&service.name), escape_control(place));
    }
    let _ = write!(text, "Write {} to this repository, {FILE} among them?", plural(changes.len(), "file"));
    Ok(prompt.confirm(&text, true)?)
}

fn changes(root: &Path, found: &[FoundServer], command: &Init) -> Result<Vec<Change>, BeginError> {
    let entries: String = found.iter().map(|one| one.service.lines()).collect();
    let text = format!("{HEAD}{entries}");
    let wrong = |(text, problems)| CatalogError::Problems(Problems { path: PathBuf::from(FILE), text, problems });
    let catalog = Catalog::parse(text.as_bytes()).map_err(wrong)?;
    let new = |path: &str, text: String| Change { path: path.to_owned(), before: None, after: text.into_bytes() };
    let mut changes = vec![new(FILE, text)];
    if !command.no_pages {
        let pages = plan(root, &catalog, &today().to_string(), ByHand::Keep).map_err(BeginError::Pages)?;
        changes.extend(pages.changes);
    }
    if !command.no_ci && root.join(origin::DOCS_WORKFLOW).symlink_metadata().is_err() {
        let template = Template::embedded()?;
        if let Some(file) = template.files.get(origin::DOCS_WORKFLOW) {
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            changes.push(new(origin::DOCS_WORKFLOW, origin::fill_in(&text, origin::THIS_BUILD)));
        }
    }
    Ok(changes)
}

fn summary(found: &[FoundServer], changes: &[Change]) -> String {
    let mut text = String::new();
    for FoundServer { place, service } in found {
        let _ = writeln!(text, "found {} in {}", escape_control(&service.name), escape_control(place));
    }
    for change in changes {
        let what = if change.before.is_some() { "updated" } else { "created" };
        let _ = writeln!(text, "{what} {}", change.path);
    }
    let mut next = vec![if found.is_empty() {
        "mcp-kit catalog add, which adds a server (--help says with what), then mcp-kit docs build"
    } else {
        "look through catalog.yaml, then mcp-kit docs build"
    }];
    let is_incomplete = |change: &Change| {
        change.path == origin::DOCS_WORKFLOW
            && String::from_utf8_lossy(&change.after).contains("MCP_KIT_REPOSITORY: \"\"")
    };
    if changes.iter().any(is_incomplete) {
        next.push(
            "fill in MCP_KIT_REPOSITORY and MCP_KIT_COMMIT in .github/workflows/docs.yml: where CI gets mcp-kit from",
        );
    }
    text.push_str(&next_steps(&next));
    text
}
