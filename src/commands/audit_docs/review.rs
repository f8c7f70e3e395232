//! `--keep`: documents that somebody has looked at, recorded in the catalog with their text's digest; and which of those are still
//! what they were.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalog::add::{self, AddError};
use crate::catalog::reviewed::{Kept, Reviewed};
use crate::error::{Explain, USAGE};
use crate::fs::files::{self, FilesError};
use crate::markdown::checksum::digest;

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReviewError {
    /// The document cannot be read as text.
    #[error("cannot keep {}: {source}", path.display())]
    Read {
        /// As given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not part of the tree.
    #[error("cannot keep {}: it is not below {}", path.display(), root.display())]
    Outside {
        /// As given.
        path: PathBuf,
        /// The root of the audit.
        root: PathBuf,
    },
    /// The catalog cannot be read as text.
    #[error("cannot record it in {}: {source}", path.display())]
    Catalog {
        /// The catalog.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The catalog takes no entry.
    #[error("cannot record it in {}: {reason}", path.display())]
    Add {
        /// The catalog.
        path: PathBuf,
        /// Why.
        reason: AddError,
    },
    /// The catalog cannot be written.
    #[error(transparent)]
    Write(#[from] FilesError),
}

/// Records that these documents are good as they are; gives their paths from the root on. Where there is no catalog, it is made.
///
/// # Errors
/// When one of them cannot be recorded. Then none is.
pub(super) fn record(root: &Path, catalog: &Path, paths: &[PathBuf], today: &str) -> Result<Vec<String>, ReviewError> {
    let reviewed: Vec<Reviewed> = paths.iter().map(|path| of(root, path, today)).collect::<Result<_, ReviewError>>()?;
    let before = match fs::read_to_string(catalog) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(ReviewError::Catalog { path: catalog.to_owned(), source }),
    };
    let failed = |reason| ReviewError::Add { path: catalog.to_owned(), reason };
    let after = add::reviewed(&before, &reviewed).map_err(failed)?;
    if after != before {
        files::replace(catalog, after.as_bytes())?;
    }
    Ok(reviewed.into_iter().map(|reviewed| reviewed.path).collect())
}

fn of(root: &Path, path: &Path, today: &str) -> Result<Reviewed, ReviewError> {
    let failed = |source| ReviewError::Read { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(failed)?;
    let real = path.canonicalize().map_err(failed)?;
    let outside = || ReviewError::Outside { path: path.to_owned(), root: root.to_owned() };
    let below = real.strip_prefix(root).ok().and_then(Path::to_str).ok_or_else(outside)?;
    let below = below.replace(std::path::MAIN_SEPARATOR, "/");
    Ok(Reviewed { path: below, decision: Kept::Keep, date: today.to_owned(), sha256: digest(&text) })
}

/// The documents whose text is still the one that was looked at.
#[must_use]
pub(super) fn unchanged(root: &Path, reviewed: &[Reviewed]) -> Vec<String> {
    let same = |one: &&Reviewed| fs::read_to_string(root.join(&one.path)).is_ok_and(|text| digest(&text) == one.sha256);
    reviewed.iter().filter(same).map(|one| one.path.clone()).collect()
}

impl Explain for ReviewError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Read { .. } | Self::Outside { .. } => {
                Some("give documents of text below the root of the audit".into())
            }
            Self::Add { reason: AddError::Flow(_), .. } => {
                Some("write each entry on lines of its own, or add it by hand".into())
            }
            Self::Catalog { .. } | Self::Add { .. } => {
                Some("`mcp-kit catalog check` says what is wrong with it".into())
            }
            Self::Write(error) => error.hint(),
        }
    }

    fn status(&self) -> u8 {
        if let Self::Write(error) = self { error.status() } else { USAGE }
    }
}
