//! The scope of an audit. In: the paths that the user gives. Out: the root of the tree, and the part whose findings are
//! reported.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use super::folders::is_test_data;
use super::site::is_below;
use super::walk::is_markdown;
use crate::error::Explain;
use crate::fs::repository::root_around;
use crate::text::path::{native, normalise};

/// The requested scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The files and folders whose findings are reported, at least one.
    pub paths: Vec<PathBuf>,
    /// The root: the folder that `/` means in a link. `None` takes the git repository around the paths, or their common
    /// folder.
    pub root: Option<PathBuf>,
    /// The documents that are audited in place of the paths, with texts that are not on the disk.
    pub unsaved: Vec<Unsaved>,
}

/// The text that a document is about to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaved {
    /// Where it will be; nothing needs to be there.
    pub path: PathBuf,
    /// Its bytes.
    pub text: Vec<u8>,
}

/// The reason that nothing can be audited.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// The path does not exist or cannot be read.
    #[error("cannot audit {}: {source}", path.display())]
    Path {
        /// The path as given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The path is not below the given root.
    #[error("{} is not inside of the root {}", path.display(), root.display())]
    OutsideOfRoot {
        /// The path as given.
        path: PathBuf,
        /// The root.
        root: PathBuf,
    },
    /// The paths have no common repository, and their common folder may be the whole disk.
    #[error("what is to be audited has nothing in common but {}", .0.display())]
    Apart(PathBuf),
    /// The root is a file.
    #[error("the root {} is not a folder", .0.display())]
    RootIsNoFolder(PathBuf),
    /// A text is given for something that is no document.
    #[error("{} is not the path of a Markdown file", .0.display())]
    NoDocument(PathBuf),
}

/// A scope on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The root of the tree: absolute, without symbolic links.
    pub root: PathBuf,
    /// The root for display.
    pub display_root: String,
    /// `true` when it is in a git repository.
    pub repository: bool,
    /// The audited paths, relative to the root.
    pub covered: Vec<Vec<u8>>,
}

impl Located {
    /// Finds the tree around the paths. Links may lead anywhere in the repository, so the tree is all of it.
    ///
    /// # Errors
    /// When a path does not exist or is not below the root.
    pub fn find(scope: &Scope) -> Result<Self, ScopeError> {
        let real =
            |path: &Path| path.canonicalize().map_err(|source| ScopeError::Path { path: path.to_owned(), source });
        let unsaved: Vec<PathBuf> = scope.unsaved.iter().map(|unsaved| unsaved.path.clone()).collect();
        let (named, paths) = if unsaved.is_empty() {
            (scope.paths.clone(), scope.paths.iter().map(|path| real(path)).collect::<Result<Vec<_>, _>>()?)
        } else {
            let paths = unsaved.iter().map(|path| document(path)).collect::<Result<Vec<_>, _>>()?;
            (unsaved, paths)
        };
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
        for (path, given) in paths.iter().zip(&named) {
            let below = path.strip_prefix(&root).map_err(|_| ScopeError::OutsideOfRoot {
                path: given.clone(),
                root: scope.root.clone().unwrap_or_default(),
            })?;
            covered.push(portable(below));
        }
        let display_root = display_root(&root, scope, &paths);
        Ok(Self { display_root, repository: repository.is_some(), root, covered })
    }

    /// Returns whether a path of the tree is audited: it is below a given path, and not in test data below that path:
    /// test data is audited when the user names its folder.
    #[must_use]
    pub fn covers(&self, path: &[u8]) -> bool {
        self.covered
            .iter()
            .any(|covered| is_below(path, covered) && !is_test_data(path.get(covered.len()..).unwrap_or_default()))
    }
}

/// Where a document is or will be: absolute, without symbolic links.
fn document(path: &Path) -> Result<PathBuf, ScopeError> {
    let failed = |source| ScopeError::Path { path: path.to_owned(), source };
    let is_document = |path: &Path| is_markdown(&portable(path)) && !path.is_dir();
    if let Ok(real) = path.canonicalize() {
        return if is_document(&real) { Ok(real) } else { Err(ScopeError::NoDocument(path.to_owned())) };
    }
    let absolute = std::path::absolute(path).map_err(failed)?;
    let there = absolute.ancestors().skip(1).find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let Some((folder, real)) = there else { return Err(ScopeError::NoDocument(path.to_owned())) };
    let below = absolute.strip_prefix(folder).ok().and_then(|below| normalise(b"", &portable(below)));
    match below {
        Some(below) if real.is_dir() && is_markdown(&below) => Ok(real.join(native(&below))),
        _ => Err(ScopeError::NoDocument(path.to_owned())),
    }
}

/// Returns the common folder.
fn common(paths: &[PathBuf]) -> PathBuf {
    let folder = |path: &Path| {
        let around = path.ancestors().find(|folder| folder.is_dir());
        around.unwrap_or(path).to_owned()
    };
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

/// Returns whether a folder is the current one or below it.
fn is_here(folder: &Path) -> bool {
    let current = std::env::current_dir().and_then(|path| path.canonicalize());
    current.is_ok_and(|current| folder.starts_with(current))
}

/// Returns the root as given, or relative to the current folder.
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
            Self::NoDocument(_) => "give --path the path that the document has or will have, such as docs/guide.md",
        };
        Some(hint.into())
    }
}
