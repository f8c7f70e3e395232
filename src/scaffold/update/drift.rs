//! The state of a project besides an update: where it differs from a rendering, and which conflicts are not settled. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::merge::MarkerLabels;
use super::plan::is_same;
use super::rules::{FileClass, Rules};
use crate::fs::files::{File, FileTree};
use crate::fs::paths::PathState;

/// One file of the project that is not as the template has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The path.
    pub path: String,
    /// The class.
    pub class: FileClass,
    /// `edited`, `deleted`, `mode` or `not-a-file`.
    pub state: &'static str,
}

/// Returns every file of the project that differs from a rendering, by class: from the pristine one, what its owner has changed.
#[must_use]
pub fn drift(rendering: &FileTree, ours: &BTreeMap<String, PathState>, rules: &Rules) -> Vec<Drift> {
    let state = |path: &String, file: &File| match ours.get(path) {
        None | Some(PathState::Missing) => Some("deleted"),
        Some(PathState::Other | PathState::Folder(_)) => Some("not-a-file"),
        Some(PathState::File(own)) if is_same(own, file) => None,
        Some(PathState::File(own)) if own.bytes == file.bytes => Some("mode"),
        Some(PathState::File(_)) => Some("edited"),
    };
    let mut drift: Vec<Drift> = rendering
        .iter()
        .filter_map(|(path, file)| {
            Some(Drift { path: path.clone(), class: rules.class(path), state: state(path, file)? })
        })
        .collect();
    drift.sort_by(|one, other| (one.class, &one.path).cmp(&(other.class, &other.path)));
    drift
}

/// Returns whether a file has markers of an update that nobody has settled.
#[must_use]
pub fn has_markers(bytes: &[u8], labels: &MarkerLabels) -> bool {
    let opens = format!("<<<<<<< {}", labels.ours);
    let mut is_open = false;
    bytes.split(|byte| *byte == b'\n').any(|line| {
        is_open |= line.trim_ascii_end() == opens.as_bytes();
        is_open && line.starts_with(b">>>>>>> template")
    })
}
