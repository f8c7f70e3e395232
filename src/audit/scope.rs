//! What is audited: from the paths that somebody gives to the root of the tree and the part of it whose findings are wanted.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use super::site::is_below;
use crate::error::Explain;
use crate::fs::repository::root_around;
use crate::text::path::{file_name, parent};

/// What an audit looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Files and folders whose findings are reported; at least one.
    pub paths: Vec<PathBuf>,
    /// What `/x` means in a link and where the tree ends; without it, the git repository around the paths, or their common folder.
    pub root: Option<PathBuf>,
}

/// Why there is nothing to audit.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// It is not there, or must not be looked at.
    #[error("cannot audit {}: {source}", path.display())]
    Path {
        /// What was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not below the root that was given.
    #[error("{} is not inside of the root {}", path.display(), root.display())]
    OutsideOfRoot {
        /// What was given.
        path: PathBuf,
        /// The root.
        root: PathBuf,
    },
    /// Nothing says what `/` means for all of them, and the folder that they share may be the whole disk.
    #[error("what is to be audited has nothing in common but {}", .0.display())]
    Apart(PathBuf),
    /// The root is a file.
    #[error("the root {} is not a folder", .0.display())]
    RootIsNoFolder(PathBuf),
}

/// A scope on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The root of the tree: absolute, without symbolic links.
    pub root: PathBuf,
    /// The root as people know it.
    pub display_root: String,
    /// Whether it is a part of a git repository.
    pub repository: bool,
    /// What is audited, relative to the root.
    pub covered: Vec<Vec<u8>>,
}

impl Located {
    /// Finds the tree around the paths: what `/` means and what links may lead to is all of the repository, not only what is audited.
    ///
    /// # Errors
    /// When a path does not exist or is not below the root.
    pub fn find(scope: &Scope) -> Result<Self, ScopeError> {
        let real =
            |path: &Path| path.canonicalize().map_err(|source| ScopeError::Path { path: path.to_owned(), source });
        let paths = scope.paths.iter().map(|path| real(path)).collect::<Result<Vec<_>, _>>()?;
        let common = common(&paths);
        let repository = root_around(&common).map(Path::to_owned);
        let root = match &scope.root {
            Some(given) => match real(given)? {
                root if root.is_dir() => root,
                _ => return Err(ScopeError::RootIsNoFolder(given.clone())),
            },
            None => match &repository {
                Some(repository) => repository.clone(),
                None if paths.len() == 1 || paths.contains(&common) || is_here(&common) => common,
                None => return Err(ScopeError::Apart(common)),
            },
        };
        let mut covered = Vec::new();
        for (path, given) in paths.iter().zip(&scope.paths) {
            let below = path.strip_prefix(&root).map_err(|_| ScopeError::OutsideOfRoot {
                path: given.clone(),
                root: scope.root.clone().unwrap_or_default(),
            })?;
            covered.push(portable(below));
        }
        let display_root = display_root(&root, scope, &paths);
        Ok(Self { display_root, repository: repository.is_some(), root, covered })
    }

    /// Whether a path of the tree is audited: it is below one of the paths that were given, and not below test data in there.
    #[must_use]
    pub fn covers(&self, path: &[u8]) -> bool {
        self.covered
            .iter()
            .any(|covered| is_below(path, covered) && !is_test_data(path.get(covered.len()..).unwrap_or_default()))
    }
}

/// Documents that are there to be wrong. Whoever wants them audited names their folder. In `tests` itself a README is for readers, and
/// everything else is what the tests read or compare with.
fn is_test_data(path: &[u8]) -> bool {
    let is_for_readers = file_name(path).get(..6).is_some_and(|name| name.eq_ignore_ascii_case(b"readme"));
    parent(path).split(|byte| *byte == b'/').any(|folder| match folder {
        b"fixtures" | b"__fixtures__" | b"testdata" | b"test-data" | b"__snapshots__" => true,
        b"tests" => !is_for_readers,
        _ => false,
    })
}

/// The folder that has all of them.
fn common(paths: &[PathBuf]) -> PathBuf {
    let folder = |path: &Path| if path.is_dir() { path.to_owned() } else { path.parent().unwrap_or(path).to_owned() };
    let mut common = paths.first().map_or_else(|| PathBuf::from("."), |path| folder(path));
    for path in paths {
        while !path.starts_with(&common) {
            if !common.pop() {
                break;
            }
        }
    }
    common
}

/// Whether a folder is the current one or below it, where one knows what there is.
fn is_here(folder: &Path) -> bool {
    let current = std::env::current_dir().and_then(|path| path.canonicalize());
    current.is_ok_and(|current| folder.starts_with(current))
}

/// The root as it was given, or as seen from the current folder.
fn display_root(root: &Path, scope: &Scope, paths: &[PathBuf]) -> String {
    let given = paths.iter().zip(&scope.paths).find(|(path, _)| *path == root).map(|(_, given)| given);
    if let Some(given) = given.or(scope.root.as_ref()) {
        let text = given.to_string_lossy();
        let text = text.trim_end_matches('/');
        return if text.is_empty() { given.to_string_lossy().into_owned() } else { text.to_owned() };
    }
    let current = std::env::current_dir().and_then(|path| path.canonicalize());
    let Ok(current) = current else { return root.to_string_lossy().into_owned() };
    if let Ok(below) = root.strip_prefix(&current) {
        let below = below.to_string_lossy();
        return if below.is_empty() { ".".to_owned() } else { below.into_owned() };
    }
    match current.strip_prefix(root) {
        Ok(up) => up.components().map(|_| "..").collect::<Vec<_>>().join("/"),
        Err(_) => root.to_string_lossy().into_owned(),
    }
}

fn portable(path: &Path) -> Vec<u8> {
    crate::text::path::portable(path.as_os_str()).into_vec()
}

impl Explain for ScopeError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Path { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "give files and folders that exist"
            }
            Self::Path { .. } => "give files and folders that you may read",
            Self::OutsideOfRoot { .. } => "give a --root that contains every path",
            Self::Apart(_) => "audit them one by one, or give the folder that links end in as --root",
            Self::RootIsNoFolder(_) => "give a folder as --root",
        };
        Some(hint.into())
    }
}
