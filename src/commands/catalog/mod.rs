//! `mcp-kit catalog`.

mod check;
mod export;
mod migrate;
mod verify;

use std::path::Path;

use serde::Serialize;

use crate::audit::fleet;
use crate::audit::report::explain;
use crate::catalog::add::{self, AddError};
use crate::catalog::problem::Problems;
use crate::catalog::service::{AuthMethod, Location, ServiceStatus, TokenStorage};
use crate::catalog::{Catalog, CatalogError, Service, schema};
use crate::cli::{CatalogAdd, CatalogCommand, OutputFormat};
use crate::commands::console::{Console, Status};
use crate::error::Failure;
use crate::fs::change::Change;
use crate::fs::diff::unified;
use crate::fs::terminal::Paint;
use crate::text::escape::escape_control;

/// Runs the command.
///
/// # Errors
/// When the catalog cannot be used, or written.
pub fn run(command: &CatalogCommand, console: &Console) -> Result<Status, Failure> {
    let text = match command {
        CatalogCommand::Add(command) => add(&command.file.path, &service(command), command.dry_run)?,
        CatalogCommand::Check(command) => return check::run(command, console),
        CatalogCommand::Verify(command) => return verify::run(command, console),
        CatalogCommand::Export(command) => return export::run(command, console),
        CatalogCommand::Migrate { file, dry_run } => migrate::run(&file.path, *dry_run)?,
        CatalogCommand::List { file, format } => list(&file.path, *format)?,
        CatalogCommand::Explain { code } => {
            let documentation = fleet::for_code(*code).map(fleet::explanation).unwrap_or_default();
            explain(*code, &documentation, Paint::stdout())
        }
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
        description: command.description.clone(),
        status: Some(command.status),
        location: Some(command.location),
        auth_method: Some(command.auth_method),
        token_storage: Some(command.token_storage),
        url: command.url.clone(),
        repository: command.repository.clone(),
        owner: command.owner.clone(),
        notes: command.notes.clone(),
        ..Service::default()
    }
}

/// Adds a service to the file. Returns a message, or the diff of a dry run.
///
/// # Errors
/// When the catalog or the service is not valid, the name is taken, or the file cannot be written.
fn add(path: &Path, service: &Service, dry: bool) -> Result<String, CatalogError> {
    let text = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => add::NEW.as_bytes().to_vec(),
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
    let word = |word: Option<&'static str>| word.unwrap_or("-");
    let row = |service: &Service| {
        let values = [
            if service.is_server() { word(service.status.map(ServiceStatus::as_str)) } else { service.kind.as_str() },
            word(service.location.map(Location::as_str)),
            word(service.auth_method.map(AuthMethod::as_str)),
            word(service.token_storage.map(TokenStorage::as_str)),
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
