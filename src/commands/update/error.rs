//! The errors of `mcp-kit update`.

use std::borrow::Cow;
use std::path::PathBuf;

use semver::Version;

use crate::error::{Explain, Message, USAGE};
use crate::fs::clone::is_address;
use crate::fs::files::FilesError;
use crate::fs::interrupt::Interrupted;
use crate::fs::journal::JournalError;
use crate::scaffold::answers::AnswerError;
use crate::scaffold::project::ProjectError;
use crate::scaffold::render::RenderError;
use crate::scaffold::template::TemplateError;
use crate::text::plural::some;

/// The most names in one message.
const MOST_NAMES: usize = 5;

/// The reason that a project was not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// There is no such folder.
    #[error("{} is not a folder", .0.display())]
    NoFolder(PathBuf),
    /// The folder has no records of mcp-kit.
    #[error("{} has no .mcp-kit/answers.toml, so mcp-kit does not know what it was made from", .0.display())]
    NoRecord(PathBuf),
    /// A record cannot be used.
    #[error("{} cannot be used: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The fault.
        reason: String,
    },
    /// The records are complete, so there is nothing to adopt.
    #[error("{} has its records already", .0.display())]
    HasRecords(PathBuf),
    /// The folder is not a Rust project.
    #[error("{} has no Cargo.toml with the name of a package", .0.display())]
    NoPackage(PathBuf),
    /// The template of the project is a folder that is not there.
    #[error("the project was made from the template in {0}, and there is none")]
    TemplateGone(String),
    /// The project is of a newer template than this program has.
    #[error("the project is of template {from}, which is newer than {to}")]
    Newer {
        /// The version of the project's template.
        from: Version,
        /// The version to update to.
        to: Version,
    },
    /// A sparse checkout leaves out files that the update changes.
    #[error("{} not checked out: {}", if .0.len() == 1 { "a file of the update is" } else { "files of the update are" }, some(.0, MOST_NAMES))]
    Absent(Vec<String>),
    /// Files would be lost that git cannot bring back.
    #[error("{} uncommitted: {}", if .0.len() == 1 { "a change is" } else { "changes are" }, some(.0, MOST_NAMES))]
    Dirty(Vec<String>),
    /// Edits of a library would be lost, and there is no git.
    #[error("your edits of a library would be replaced, and no git repository has them: {}", some(.0, MOST_NAMES))]
    Unprotected(Vec<String>),
    /// The index of git cannot be read.
    #[error("cannot ask git's index about uncommitted changes: {0}")]
    Index(String),
    /// A run was interrupted after its commit.
    #[error("a run of mcp-kit in {} was interrupted", .0.display())]
    Pending(PathBuf),
    /// `--restore` of a path that the template does not have.
    #[error("the template has no file {0:?} for this project")]
    NotInTemplate(String),
    /// The answers do not fit the template.
    #[error("the answers have {} mistakes", .0.len())]
    Answers(Vec<AnswerError>),
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Rendering failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The rendered files are not a valid project.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A file cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The files cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A signal stopped the run.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Explain for UpdateError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::NoRecord(_) => {
                "give the folder of a project; `mcp-kit update --adopt` makes the records of one that has none"
            }
            Self::Damaged { .. } => {
                "bring it back (git restore), or add --adopt, which makes new records from what the project holds"
            }
            Self::HasRecords(_) => "run `mcp-kit update` without --adopt",
            Self::NoFolder(_) | Self::NoPackage(_) => "give the folder of a generated project",
            Self::TemplateGone(name) if is_address(name) => "clone it, and name that folder with --template",
            Self::TemplateGone(_) => "name its folder with --template",
            Self::Newer { .. } => "install the mcp-kit that has made the last update, or a newer one",
            Self::Absent(_) => "check them out first (git sparse-checkout disable, or git sparse-checkout add FOLDER)",
            Self::Dirty(_) => "commit them or put them aside (git stash), or add --allow-dirty",
            Self::Unprotected(_) => "bring the edits where they belong, or add --allow-dirty to give them up",
            Self::Index(_) => {
                "let git write it in one piece (git update-index --no-split-index, git sparse-checkout disable), or add --allow-dirty, if nothing in the project can be lost"
            }
            Self::Pending(_) => "run `mcp-kit update`, which finishes it first",
            Self::NotInTemplate(_) => "name a path below the project, as `mcp-kit update --check` lists it",
            Self::Answers(_) => return None,
            Self::Template(error) => return error.hint(),
            Self::Render(error) => return error.hint(),
            Self::Project(error) => return error.hint(),
            Self::Files(error) => return error.hint(),
            Self::Journal(error) => return error.hint(),
            Self::Interrupted(_) => return None,
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        match self {
            Self::Template(error) => error.status(),
            Self::Render(error) => error.status(),
            Self::Project(error) => error.status(),
            Self::Files(error) => error.status(),
            Self::Journal(error) => error.status(),
            Self::Interrupted(error) => error.status(),
            _ => USAGE,
        }
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Answers(problems) => problems.iter().flat_map(Explain::messages).collect(),
            Self::Render(error) => error.messages(),
            Self::Interrupted(error) => error.messages(),
            _ => vec![self.message()],
        }
    }
}
