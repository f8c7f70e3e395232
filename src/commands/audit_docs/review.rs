//! `--keep`: records reviewed documents in the catalog with the digest of their text, and finds those that are still
//! unchanged.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalog::add::{self, AddError};
use crate::catalog::reviewed::{ReviewDecision, Reviewed};
use crate::error::{Explain, USAGE};
use crate::fs::files::{self, FilesError};
use crate::markdown::checksum::digest;

/// The reason that no review was recorded.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReviewError {
    /// The document cannot be read as text.
    #[error("cannot keep {}: {source}", path.display())]
    Read {
        /// The path as given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The document is outside the tree.
    #[error("cannot keep {}: it is not below {}", path.display(), root.display())]
    Outside {
        /// The path as given.
        path: PathBuf,
        /// The root of the audit.
        root: PathBuf,
    },
    /// The catalog cannot be read as text.
    #[error("cannot record it in {}: {source}", path.display())]
    Catalog {
        /// The path of the catalog.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The entry does not fit into the catalog.
    #[error("cannot record it in {}: {reason}", path.display())]
    Add {
        /// The path of the catalog.
        path: PathBuf,
        /// The reason.
        reason: AddError,
    },
    /// The catalog cannot be written.
    #[error(transparent)]
    Write(#[from] FilesError),
}

/// Records these documents as reviewed. Returns their paths from the root. Creates the catalog when there is none.
///
/// # Errors
/// When a document cannot be recorded. None is recorded then.
pub(super) fn record(root: &Path, catalog: &Path, paths: &[PathBuf], today: &str) -> Result<Vec<String>, ReviewError> {
    let reviewed: Vec<Reviewed> =
        paths.iter().map(|path| review_of(root, path, today)).collect::<Result<_, ReviewError>>()?;
    let before = match fs::read_to_string(catalog) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => add::NEW.to_owned(),
        Err(source) => return Err(ReviewError::Catalog { path: catalog.to_owned(), source }),
    };
    let failed = |reason| ReviewError::Add { path: catalog.to_owned(), reason };
    let after = add::reviewed(&before, &reviewed).map_err(failed)?;
    if after != before {
        files::replace(catalog, after.as_bytes())?;
    }
    Ok(reviewed.into_iter().map(|reviewed| reviewed.path).collect())
}

fn review_of(root: &Path, path: &Path, today: &str) -> Result<Reviewed, ReviewError> {
    let failed = |source| ReviewError::Read { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(failed)?;
    let real = path.canonicalize().map_err(failed)?;
    let outside = || ReviewError::Outside { path: path.to_owned(), root: root.to_owned() };
    let below = real.strip_prefix(root).ok().and_then(Path::to_str).ok_or_else(outside)?;
    let below = below.replace(std::path::MAIN_SEPARATOR, "/");
    Ok(Reviewed { path: below, decision: ReviewDecision::Keep, date: today.to_owned(), sha256: digest(&text) })
}

/// Returns the documents whose text has not changed since the review.
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
