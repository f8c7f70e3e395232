//! `mcp-kit catalog export`.

use std::borrow::Cow;
use std::path::Path;

use crate::catalog::CatalogError;
use crate::catalog::export::{self, ExportedFile};
use crate::catalog::ids::ids;
use crate::catalog::source::CatalogSource;
use crate::cli::CatalogExport;
use crate::commands::console::{Console, Status};
use crate::error::{Explain, Failure};
use crate::fs::files;
use crate::text::escape::escape_control;
use crate::text::plural::plural;

/// The reason that nothing was exported.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// No entry has this name or id.
    #[error("the catalog has no service {0:?}")]
    NoService(String),
    /// There are several files for standard output.
    #[error("{0} has {1} files, and standard output takes one")]
    Several(String, usize),
}

/// Runs the command.
///
/// # Errors
/// When the catalog cannot be used, or the files cannot be written.
pub(super) fn run(command: &CatalogExport, console: &Console) -> Result<Status, Failure> {
    let source = CatalogSource::load(&command.file.path)?;
    if let Some(name) = &command.service {
        is_known(&source, name)?;
    }
    let exported = export::export(&source, command.to, command.service.as_deref());
    match (&command.out, exported.files.as_slice()) {
        (Some(folder), files) => console.print(write(folder, files)?.as_bytes())?,
        (None, [file]) => console.print(file.text.as_bytes())?,
        (None, []) => {}
        (None, files) => return Err(ExportError::Several(command.to.name(), files.len()).into()),
    }
    let path = command.file.path.display();
    for missing in &exported.missing {
        console.note(&format!("{path}:{}: {}", missing.place.line, escape_control(&missing.what)));
    }
    if exported.missing.is_empty() {
        return Ok(Status::Clean);
    }
    console.note(&format!("{} missing, and what needs it was left out", plural(exported.missing.len(), "thing")));
    Ok(Status::Found)
}

/// Checks that an entry has this name or id.
///
/// # Errors
/// When none has.
pub(super) fn is_known(source: &CatalogSource, name: &str) -> Result<(), ExportError> {
    let services = &source.catalog.services;
    let known = services.iter().any(|service| service.name == name) || ids(services).iter().any(|id| id == name);
    if known { Ok(()) } else { Err(ExportError::NoService(name.to_owned())) }
}

/// Writes the files below a folder. Returns a line for each.
fn write(folder: &Path, exported: &[ExportedFile]) -> Result<String, CatalogError> {
    let mut text = String::new();
    for file in exported {
        let path = folder.join(&file.path);
        files::make_folder_of(&path)?;
        files::replace(&path, file.text.as_bytes())?;
        text += &format!("wrote {}\n", path.display());
    }
    Ok(text)
}

impl Explain for ExportError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::NoService(_) => "`mcp-kit catalog list` has their names".into(),
            Self::Several(..) => "give a folder with --out, or one server with --service".into(),
        })
    }
}
