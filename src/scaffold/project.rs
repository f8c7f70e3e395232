//! The files that a generated project has beyond its template: `.mcp-kit/`, a Cargo.lock in cargo's order, and the
//! source of mcp-kit for its CI. Pure.
//!
//! `.mcp-kit/answers.toml` records the questions and answers. `.mcp-kit/pristine.tar.gz` holds the project as
//! generated, the base of the three-way merge of `mcp-kit update`. With both, an update needs neither the network nor
//! the old version of mcp-kit.

use std::borrow::Cow;
use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};

use super::answers::Answers;
use super::manifest::position;
use super::template::{Template, TemplateSource};
use super::{lockfile, origin};
use crate::error::{Explain, UNFINISHED, USAGE};
use crate::fs::files::{File, FileTree};
use crate::text::path::is_below_root;

/// The folder of mcp-kit's records in a project.
pub const FOLDER: &str = ".mcp-kit";
/// The record of the questions and answers.
pub const RECORD: &str = ".mcp-kit/answers.toml";
/// The archive of the project as generated.
pub const ARCHIVE: &str = ".mcp-kit/pristine.tar.gz";

/// The reason that rendered files are not a valid project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// An answer has broken the manifest, for example with a quotation mark that the template does not escape.
    #[error("the rendered Cargo.toml is broken in line {line}, column {column}: {message}")]
    Manifest {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The parser's message.
        message: String,
    },
    /// A template makes a file that belongs to git, or lies outside of the project.
    #[error("the template makes the file {0:?}, which no project may have")]
    Path(String),
    /// The archive could not be written. This does not happen in memory.
    #[error("cannot make the archive of the pristine project: {0}")]
    Archive(#[from] io::Error),
}

/// Completes a rendered project with a Cargo.lock in cargo's order and the source of mcp-kit.
///
/// # Errors
/// When its Cargo.toml is not TOML, or it has a file of git's.
pub fn complete(mut files: FileTree) -> Result<FileTree, ProjectError> {
    // A name with Liquid in it can become `.git`, which git would read commands from.
    if let Some(path) = files.keys().find(|path| !is_below_root(path)) {
        return Err(ProjectError::Path(path.clone()));
    }
    if let Some(manifest) = files.get("Cargo.toml") {
        let text = String::from_utf8_lossy(&manifest.bytes);
        if let Err(error) = toml::de::DeTable::parse(&text) {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            return Err(ProjectError::Manifest { line, column, message: error.message().to_owned() });
        }
    }
    // The template must not fill this folder.
    files.retain(|path, _| !path.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(FOLDER)));
    if let Some(lock) = files.get_mut("Cargo.lock")
        && let Ok(text) = std::str::from_utf8(&lock.bytes)
    {
        lock.bytes = Cow::Owned(lockfile::sort_packages(text).into_bytes());
    }
    for path in origin::WORKFLOWS {
        if let Some(workflow) = files.get_mut(path)
            && let Ok(text) = std::str::from_utf8(&workflow.bytes)
        {
            workflow.bytes = Cow::Owned(origin::fill_in(text, origin::THIS_BUILD).into_bytes());
        }
    }
    Ok(files)
}

/// Returns the files of [`FOLDER`] for a project that begins from `pristine`.
///
/// # Errors
/// When the archive cannot be made.
pub fn records(
    pristine: &FileTree,
    template: &Template,
    name: &str,
    answers: &Answers,
) -> Result<FileTree, ProjectError> {
    let mut records = record(template, name, answers);
    records.extend(archive(pristine)?);
    Ok(records)
}

/// Returns the archive of the project as generated, below its path.
///
/// # Errors
/// When it cannot be made.
pub fn archive(pristine: &FileTree) -> Result<FileTree, ProjectError> {
    let archive = File { bytes: Cow::Owned(pack(pristine)?), executable: false };
    Ok(FileTree::from([(ARCHIVE.to_owned(), archive)]))
}

/// Returns the record of the questions and answers, below its path.
#[must_use]
pub fn record(template: &Template, name: &str, answers: &Answers) -> FileTree {
    FileTree::from([(RECORD.to_owned(), File::text(record_text(template, name, answers)))])
}

/// Returns a tar.gz that depends on the files only: sorted, without times and owners, with modes 644 and 755.
fn pack(files: &FileTree) -> io::Result<Vec<u8>> {
    // Level 4 takes half the time of level 6 for 5 % more bytes (450 KB of sources: 6 ms, 121 KB).
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(4));
    let mut tar = tar::Builder::new(gzip);
    for (path, file) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.bytes.len() as u64);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_mode(if file.executable { 0o755 } else { 0o644 });
        tar.append_data(&mut header, path, &*file.bytes)?;
    }
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    gzip.finish()
}

fn record_text(template: &Template, name: &str, answers: &Answers) -> String {
    let mut origin = toml::Table::new();
    origin.insert("name".to_owned(), template.name().into());
    let source = match template.source {
        TemplateSource::Embedded => "embedded",
        TemplateSource::Folder(_) => "folder",
    };
    origin.insert("source".to_owned(), source.into());
    if let Some(version) = template.version() {
        origin.insert("version".to_owned(), version.into());
    }
    origin.insert("digest".to_owned(), template.digest().into());
    let mut given = toml::Table::new();
    for (key, answer) in &answers.0 {
        let value = match answer {
            super::answers::Answer::Bool(flag) => toml::Value::Boolean(*flag),
            super::answers::Answer::Text(text) => toml::Value::String(text.clone()),
        };
        given.insert(key.clone(), value);
    }
    let mut record = toml::Table::new();
    record.insert("schema".to_owned(), 1.into());
    record.insert("mcp_kit".to_owned(), env!("CARGO_PKG_VERSION").into());
    record.insert("name".to_owned(), name.into());
    record.insert("template".to_owned(), origin.into());
    record.insert("answers".to_owned(), given.into());
    format!(
        "# Written by mcp-kit: what this project was made from. `mcp-kit update` needs it and the archive beside it; commit both.\n{record}"
    )
}

impl Explain for ProjectError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Manifest { .. } => {
                Some("leave quotation marks, backslashes and line ends out of the answers that stand there".into())
            }
            Self::Path(_) => Some("correct the template".into()),
            Self::Archive(_) => None,
        }
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::Archive(_)) { UNFINISHED } else { USAGE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_depends_on_the_files_alone() {
        let long = format!("a/{}/b", "x".repeat(150));
        let files = FileTree::from([
            ("run.sh".to_owned(), File { bytes: Cow::Borrowed(b"#!/bin/sh\n"), executable: true }),
            (long.clone(), File::text("deep")),
        ]);
        let bytes = pack(&files).expect("in memory");
        assert_eq!(bytes, pack(&files).expect("in memory"));
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let entries: Vec<_> = tar
            .entries()
            .expect("a tar")
            .map(|entry| {
                let entry = entry.expect("an entry");
                let header = entry.header();
                let path = entry.path().expect("a path").display().to_string();
                (path, header.mode().expect("a mode"), header.mtime().expect("a time"), header.uid().expect("an owner"))
            })
            .collect();
        assert_eq!(entries, [(long, 0o644, 0, 0), ("run.sh".to_owned(), 0o755, 0, 0)]);
    }
}
