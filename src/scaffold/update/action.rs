//! The action of an update for one file.

use serde::Serialize;

use super::rules::FileClass;
use crate::fs::files::File;

/// The kind of an action: a change of a file, or a notice about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// Both changed the same lines; the file has markers.
    Conflict,
    /// Both have a file of this name, which the template did not have before.
    BothAdded,
    /// Both changed a file that is no text; the owner's stays.
    Binary,
    /// The owner changed a file that the template no longer has; it stays.
    RemovedInTemplate,
    /// The owner changed a file of a library; the template's takes its place.
    VendoredEdited,
    /// A link or a folder is in the place of a file; it stays.
    InTheWay,
    /// The owner deleted a file that the template changed; it stays deleted.
    Deleted,
    /// The template has moved on from a file that is written once; the owner's stays.
    Seeded,
    /// A generated file has the template's text again; its command makes it of the owner's sources.
    Regenerate,
    /// Both changed it, in different places.
    Merged,
    /// New in the template.
    Added,
    /// Only the template changed it.
    Updated,
    /// The template no longer has it, and the owner had not changed it.
    Removed,
}

impl ActionKind {
    /// Returns whether the owner has to settle it.
    #[must_use]
    pub const fn is_conflict(self) -> bool {
        matches!(
            self,
            Self::Conflict
                | Self::BothAdded
                | Self::Binary
                | Self::RemovedInTemplate
                | Self::VendoredEdited
                | Self::InTheWay
        )
    }

    /// Returns whether it only tells something.
    #[must_use]
    pub const fn is_notice(self) -> bool {
        matches!(self, Self::Deleted | Self::Seeded | Self::Regenerate)
    }
}

/// The three versions of a file in conflict, as git keeps them in its index.
pub type Stages = [Option<File>; 3];

/// The action of an update for one file.
#[derive(Clone, Debug)]
pub struct Action {
    /// The path in the project.
    pub path: String,
    /// The old path, when the template or the owner has renamed the file.
    pub from: Option<String>,
    /// The class.
    pub class: FileClass,
    /// The kind.
    pub kind: ActionKind,
    /// The number of places with markers.
    pub places: usize,
    /// The next step for the owner, or the reason.
    pub hint: Option<String>,
    /// The file now, below `from` or `path`.
    pub before: Option<File>,
    /// The file after the update. Equal to `before` when nothing is written.
    pub after: Option<File>,
    /// Base, ours, theirs, for conflicts and seeded files.
    pub stages: Stages,
}

impl Action {
    /// Returns whether the update writes or removes something.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.before != self.after || self.from.is_some()
    }
}
