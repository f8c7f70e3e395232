//! Loads a template from the binary or from a folder. Out: its files in memory, and its parsed manifest.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::lockfile;
use super::manifest::{self, Manifest, ManifestError};
use crate::error::{Explain, USAGE};
use crate::fs::files::{self, File, FileTree, FilesError};
use crate::text::digest::{sha256, sha256_hex};

/// A template file embedded by build.rs.
#[derive(Debug)]
struct EmbeddedFile {
    path: &'static str,
    bytes: &'static [u8],
    executable: bool,
}

static EMBEDDED: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/template.rs"));

/// The source of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateSource {
    /// The template embedded in the binary.
    Embedded,
    /// A folder, as the user wrote it.
    Folder(PathBuf),
}

/// Which scripts of a template may run on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ScriptPolicy {
    /// None.
    #[default]
    Refuse,
    /// Those of the template with this digest, which somebody has read.
    Read(String),
    /// All.
    Allow,
}

/// A script of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateScript {
    /// The path in the template.
    pub path: String,
    /// The text.
    pub text: String,
}

/// A template: its files and its questions.
#[derive(Clone, Debug)]
pub struct Template {
    /// The source.
    pub source: TemplateSource,
    /// The files, including the manifest.
    pub files: FileTree,
    /// The parsed manifest.
    pub manifest: Manifest,
    /// `true` when the template has scripts, and they may run.
    pub runs_scripts: bool,
    digest: OnceLock<String>,
}

/// The reason that a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The argument is a URL, not a folder.
    #[error("--template {0:?} looks like an address, and is none that git is asked for")]
    Address(String),
    /// The folder does not exist.
    #[error("the template folder {} does not exist", .0.display())]
    Missing(PathBuf),
    /// The folder has nothing in it.
    #[error("the template folder {} is empty", .0.display())]
    Empty(PathBuf),
    /// The path is a file, not a folder.
    #[error("the template {} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// The library would change this file name.
    #[error("the template has a file named {0:?}, which not every system can have")]
    Unportable(String),
    /// The template has scripts, hooks and those that its files call, and nobody has allowed them.
    #[error("the template has hooks ({}), scripts that would run on this machine", paths(.scripts))]
    Hooks {
        /// The scripts.
        scripts: Vec<TemplateScript>,
        /// The digest of the template.
        digest: String,
    },
    /// The manifest names a script that is not in the template, and so could not be read before it runs.
    #[error("the template names the hook {0:?}, and does not have it")]
    HookElsewhere(String),
    /// The manifest is not valid.
    #[error("{}", .folder.join(error.to_string()).display())]
    Manifest {
        /// The template's folder as the user wrote it, or empty for the embedded one.
        folder: PathBuf,
        /// The error, which begins with the file's name.
        error: ManifestError,
    },
    /// The template cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl Template {
    /// Returns the embedded template of this version of mcp-kit.
    ///
    /// # Errors
    /// When the embedded manifest does not parse, which the tests exclude.
    pub fn embedded() -> Result<Self, TemplateError> {
        let file = |file: &EmbeddedFile| File { bytes: Cow::Borrowed(file.bytes), executable: file.executable };
        let files = EMBEDDED.iter().map(|embedded| (embedded.path.to_owned(), file(embedded))).collect();
        Self::new(TemplateSource::Embedded, files)
    }

    /// Returns the text of a file of the embedded template.
    #[must_use]
    pub fn embedded_text(path: &str) -> Option<String> {
        let file = EMBEDDED.iter().find(|file| file.path == path)?;
        Some(String::from_utf8_lossy(file.bytes).into_owned())
    }

    /// Reads a template from a folder.
    ///
    /// # Errors
    /// When `given` is not a folder with a template, or it has scripts that may not run.
    pub fn from_folder(given: &Path, policy: &ScriptPolicy) -> Result<Self, TemplateError> {
        let metadata = match fs::metadata(given) {
            Ok(metadata) => metadata,
            Err(_) if is_address(given) => return Err(TemplateError::Address(given.display().to_string())),
            Err(_) => return Err(TemplateError::Missing(given.to_owned())),
        };
        if !metadata.is_dir() {
            return Err(TemplateError::NotAFolder(given.to_owned()));
        }
        let files =
            files::read_tree(given, &|path| path.file_name().is_some_and(|name| name == ".git") || is_cache(path))?;
        if files.is_empty() {
            return Err(TemplateError::Empty(given.to_owned()));
        }
        if let Some(path) = files.keys().find(|path| !is_portable(path)) {
            return Err(TemplateError::Unportable(path.clone()));
        }
        let mut template = Self::new(TemplateSource::Folder(given.to_owned()), files)?;
        let scripts = template.scripts()?;
        let is_allowed = match policy {
            ScriptPolicy::Refuse => false,
            ScriptPolicy::Read(digest) => template.digest() == *digest,
            ScriptPolicy::Allow => true,
        };
        if !scripts.is_empty() && !is_allowed {
            return Err(TemplateError::Hooks { scripts, digest: template.digest() });
        }
        template.runs_scripts = !scripts.is_empty();
        Ok(template)
    }

    /// Returns the scripts: the hooks of the manifest, and those that a file could call.
    fn scripts(&self) -> Result<Vec<TemplateScript>, TemplateError> {
        let called = self.files.keys().filter(|path| path.ends_with(".rhai"));
        let paths: BTreeSet<&String> = self.manifest.hooks.iter().chain(called).collect();
        let script = |path: &String| match self.files.get(path) {
            Some(file) => {
                Ok(TemplateScript { path: path.clone(), text: String::from_utf8_lossy(&file.bytes).into_owned() })
            }
            None => Err(TemplateError::HookElsewhere(path.clone())),
        };
        paths.into_iter().map(script).collect()
    }

    fn new(source: TemplateSource, files: FileTree) -> Result<Self, TemplateError> {
        let manifest = match files.get(manifest::FILE) {
            Some(file) => Manifest::parse(&String::from_utf8_lossy(&file.bytes)).map_err(|error| {
                let folder = match &source {
                    TemplateSource::Embedded => PathBuf::new(),
                    TemplateSource::Folder(folder) => folder.clone(),
                };
                TemplateError::Manifest { folder, error }
            })?,
            None => Manifest::default(),
        };
        Ok(Self { source, files, manifest, runs_scripts: false, digest: OnceLock::new() })
    }

    /// Returns the names that the project cannot have: the packages that it contains or depends on.
    #[must_use]
    pub fn package_names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (path, file) in &self.files {
            let name = path.strip_suffix(".liquid").unwrap_or(path);
            let name = name.rsplit('/').next().unwrap_or(name);
            if name == "Cargo.lock" || (name == "Cargo.toml" && path.contains('/')) {
                names.extend(lockfile::package_names(&String::from_utf8_lossy(&file.bytes)));
            }
        }
        names
    }

    /// Returns the name for messages and records.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.source {
            TemplateSource::Embedded => "mcp-server".to_owned(),
            TemplateSource::Folder(path) => path.display().to_string(),
        }
    }

    /// Returns the version that its manifest has.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.manifest.rules.version.as_ref().map(ToString::to_string)
    }

    /// Returns a digest of all its files with their paths and modes, as 32 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let digest = || {
            let mut all = Vec::new();
            for (path, file) in &self.files {
                all.extend(path.as_bytes());
                all.extend([0, u8::from(file.executable)]);
                all.extend(sha256(&file.bytes));
            }
            sha256_hex(&all, 16)
        };
        self.digest.get_or_init(digest).clone()
    }
}

fn paths(scripts: &[TemplateScript]) -> String {
    scripts.iter().map(|script| script.path.as_str()).collect::<Vec<_>>().join(", ")
}

fn is_address(given: &Path) -> bool {
    let given = given.to_string_lossy();
    // https://…, git@host:path, gh:owner/name
    given.contains("://")
        || given.contains('@')
        || ["gh:", "gl:", "bb:", "sr:"].iter().any(|host| given.starts_with(host))
}

/// Returns whether a tool marked the folder as a cache (<https://bford.info/cachedir/>), as cargo does with `target/`.
fn is_cache(path: &Path) -> bool {
    const SIGNATURE: &[u8; 43] = b"Signature: 8a477f597d28d172789f06886806bc55";
    let mut start = [0; SIGNATURE.len()];
    fs::File::open(path.join("CACHEDIR.TAG"))
        .is_ok_and(|mut tag| tag.read_exact(&mut start).is_ok() && start == *SIGNATURE)
}

/// Returns whether the library keeps the file name. It silently replaces these characters by `_`. A `|` or `:` inside
/// `{{ }}` belongs to Liquid.
fn is_portable(path: &str) -> bool {
    path.split('/').all(|part| {
        let literal = part.split("{{").map(|piece| piece.rsplit("}}").next().unwrap_or(piece));
        literal.into_iter().all(|piece| {
            !piece.contains(['?', '<', '>', '\\', ':', '*', '|', '"']) && !piece.chars().any(char::is_control)
        })
    })
}

impl Explain for TemplateError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Address(_) => {
                "write the whole address: https://host/owner/template.git or git@host:owner/template.git"
            }
            Self::Missing(_) | Self::Empty(_) | Self::NotAFolder(_) => {
                "give a folder with a cargo-generate template, or leave --template out"
            }
            Self::Unportable(_) => "rename the file in the template",
            Self::Hooks { .. } => "read them, and add --allow-hooks if you trust them",
            Self::HookElsewhere(_) => "correct the template",
            Self::Manifest { error: ManifestError::SubTemplates(_), .. } => "give the folder of one of them",
            Self::Manifest { .. } => "correct the template",
            Self::Files(error) => return error.hint(),
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        if let Self::Files(error) = self { error.status() } else { USAGE }
    }
}
