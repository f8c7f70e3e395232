//! `mcp-kit catalog`.

use std::path::Path;

use serde::Serialize;

use crate::catalog::add::{self, AddError};
use crate::catalog::problem::Problems;
use crate::catalog::{Catalog, CatalogError, Service, schema};
use crate::cli::{CatalogAdd, CatalogCommand, OutputFormat};
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::change::Change;
use crate::fs::diff::unified;
use crate::text::escape::escape_control;

/// Runs the command.
///
/// # Errors
/// When the catalog cannot be used, or written.
pub fn run(command: &CatalogCommand, console: &Console) -> Result<Status, Failure> {
    let text = match command {
        CatalogCommand::Add(command) => add(&command.file.path, &service(command), command.dry_run)?,
        CatalogCommand::Check { file } => check(&file.path)?,
        CatalogCommand::List { file, format } => list(&file.path, *format)?,
        CatalogCommand::Schema => schema(),
    };
    console.print(text.as_bytes())?;
    Ok(Status::Clean)
}

/// Returns the service that the flags describe.
fn service(command: &CatalogAdd) -> Service {
    Service {
        name: command.name.trim().to_owned(),
        kind: command.kind,
        status: command.status,
        location: command.location,
        auth_method: command.auth_method,
        token_storage: command.token_storage,
        url: command.url.clone(),
        repository: command.repository.clone(),
        owner: command.owner.clone(),
        sop: None,
        runbook: None,
        last_verified: None,
        notes: command.notes.clone(),
    }
}

/// Returns the output of `catalog check` for a valid catalog.
///
/// # Errors
/// Every error in it.
fn check(path: &Path) -> Result<String, CatalogError> {
    let catalog = Catalog::load(path)?;
    let count = crate::text::plural::plural;
    let (services, deprecations) = (catalog.services.len(), catalog.deprecations.len());
    Ok(format!(
        "{}: {} and {}, no problems\n",
        path.display(),
        count(services, "service"),
        count(deprecations, "deprecation")
    ))
}

/// Adds a service to the file. Returns a message, or the diff of a dry run.
///
/// # Errors
/// When the catalog or the service is not valid, the name is taken, or the file cannot be written.
fn add(path: &Path, service: &Service, dry: bool) -> Result<String, CatalogError> {
    let text = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(CatalogError::Io { path: path.to_owned(), source }),
    };
    let wrong = |text: String, problems| CatalogError::Problems(Problems { path: path.to_owned(), text, problems });
    let text = match String::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let (text, problems) = Catalog::parse(error.as_bytes()).err().unwrap_or_default();
            return Err(wrong(text, problems));
        }
    };
    let after = add::add(&text, service).map_err(|error| match error {
        AddError::Problems(text, problems) => wrong(text, problems),
        reason => CatalogError::Add { path: path.to_owned(), reason },
    })?;
    if dry {
        let before = Some(text.into_bytes()).filter(|_| path.exists());
        let change = Change { path: path.display().to_string(), before, after: after.into_bytes() };
        return Ok(unified(&[change]));
    }
    crate::fs::files::replace(path, after.as_bytes())?;
    Ok(format!("{}: added {}\n", path.display(), service.name))
}

#[derive(Serialize)]
struct List<'a> {
    schema: &'static str,
    services: &'a [Service],
}

/// Returns the services as a table or as JSON.
///
/// # Errors
/// Every error in the catalog.
fn list(path: &Path, format: OutputFormat) -> Result<String, CatalogError> {
    let catalog = Catalog::load(path)?;
    Ok(match format {
        OutputFormat::Json => {
            let list = List { schema: "mcp-kit/catalog-list/1", services: &catalog.services };
            serde_json::to_string_pretty(&list).unwrap_or_default() + "\n"
        }
        OutputFormat::Human => table(&catalog.services),
    })
}

const COLUMNS: [&str; 5] = ["NAME", "STATUS", "LOCATION", "AUTH", "TOKENS"];

fn table(services: &[Service]) -> String {
    let row = |service: &Service| {
        let values = [
            service.status.as_str(),
            service.location.as_str(),
            service.auth_method.as_str(),
            service.token_storage.as_str(),
        ];
        // A name is text from outside and must not control the terminal.
        let name = escape_control(&service.name).into_owned();
        [name, values[0].to_owned(), values[1].to_owned(), values[2].to_owned(), values[3].to_owned()]
    };
    let rows: Vec<[String; 5]> = std::iter::once(COLUMNS.map(str::to_owned)).chain(services.iter().map(row)).collect();
    let wide = |text: &str| unicode_width::UnicodeWidthStr::width(text);
    let width = |column: usize| rows.iter().map(|row| wide(&row[column])).max().unwrap_or_default();
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - wide(cell))));
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}
