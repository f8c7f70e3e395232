//! The text of a journal: a line of JSON, the head, and after it all new contents, one behind the other. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::FileStep;
use crate::fs::files::File;
use crate::fs::git::stages::Conflict;
use crate::text::digest::sha256_hex;

const SCHEMA: &str = "mcp-kit/journal/1";

#[derive(Serialize, Deserialize)]
struct JournalHead {
    schema: String,
    steps: Vec<HeadStep>,
    conflicts: Vec<HeadConflict>,
    /// The lengths of the contents after the head, in order.
    contents: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct HeadStep {
    path: String,
    /// The digest, or `None` for no file.
    before: Option<String>,
    /// The number of the content, and the executable bit.
    after: Option<(usize, bool)>,
}

#[derive(Serialize, Deserialize)]
struct HeadConflict {
    path: String,
    stages: [Option<(usize, bool)>; 3],
}

/// A step as a journal has it.
#[derive(Debug)]
pub(super) struct ReadStep<'a> {
    pub(super) path: String,
    /// The digest of the old contents, or `None` for a new file.
    pub(super) before: Option<String>,
    /// The new contents with the executable bit, or `None` for a file that goes.
    pub(super) after: Option<(&'a [u8], bool)>,
}

/// Returns the digest by which a journal knows contents.
pub(super) fn digest(bytes: &[u8]) -> String {
    sha256_hex(bytes, 32)
}

/// Returns the journal of these steps and conflicts.
///
/// # Errors
/// The fault of a path that JSON cannot have.
pub(super) fn encode(steps: &[FileStep], conflicts: &[Conflict]) -> Result<Vec<u8>, serde_json::Error> {
    let mut contents = Contents(Vec::new());
    let head = JournalHead {
        schema: SCHEMA.to_owned(),
        steps: steps
            .iter()
            .map(|step| HeadStep {
                path: step.path.clone(),
                before: step.before.as_ref().map(|file| digest(&file.bytes)),
                after: step.after.as_ref().map(|file| contents.add(file)),
            })
            .collect(),
        conflicts: conflicts
            .iter()
            .map(|conflict| HeadConflict {
                path: conflict.path.clone(),
                stages: conflict.stages.each_ref().map(|file| file.as_ref().map(|file| contents.add(file))),
            })
            .collect(),
        contents: contents.0.iter().map(|content| content.len()).collect(),
    };
    let mut bytes = serde_json::to_vec(&head)?;
    bytes.push(b'\n');
    contents.0.iter().for_each(|content| bytes.extend(*content));
    Ok(bytes)
}

/// The contents behind the head, in the order in which the head names them.
struct Contents<'a>(Vec<&'a [u8]>);

impl<'a> Contents<'a> {
    fn add(&mut self, file: &'a File) -> (usize, bool) {
        self.0.push(&file.bytes);
        (self.0.len() - 1, file.executable)
    }
}

/// Splits a journal into its steps and its conflicts.
///
/// # Errors
/// The reason that it is none.
pub(super) fn parse(bytes: &[u8]) -> Result<(Vec<ReadStep<'_>>, Vec<Conflict>), String> {
    let end = memchr::memchr(b'\n', bytes).ok_or("it has no head")?;
    let head: JournalHead = serde_json::from_slice(&bytes[..end]).map_err(|error| error.to_string())?;
    if head.schema != SCHEMA {
        return Err(format!("its schema is {:?}", head.schema));
    }
    let (mut rest, mut contents) = (&bytes[end + 1..], Vec::with_capacity(head.contents.len()));
    for length in &head.contents {
        let (content, after) = rest.split_at_checked(*length).ok_or("it is too short")?;
        contents.push(content);
        rest = after;
    }
    // In the order of the head and each once, as they are written: a stranger's short journal cannot become a large one.
    let mut next = (0..).zip(contents);
    let mut content = |(number, executable): (usize, bool)| match next.next() {
        Some((this, bytes)) if this == number => Ok((bytes, executable)),
        Some(_) => Err("its contents are in another order".to_owned()),
        None => Err("it lacks a content".to_owned()),
    };
    let mut paths = BTreeSet::new();
    let mut steps = Vec::with_capacity(head.steps.len());
    for step in head.steps {
        if !paths.insert(step.path.clone()) {
            return Err(format!("it has two steps for {:?}", step.path));
        }
        steps.push(ReadStep { path: step.path, before: step.before, after: step.after.map(&mut content).transpose()? });
    }
    let mut file = |stage: Option<(usize, bool)>| -> Result<Option<File>, String> {
        let file = stage.map(&mut content).transpose()?;
        Ok(file.map(|(bytes, executable)| File { bytes: Cow::Owned(bytes.to_vec()), executable }))
    };
    let mut conflicts = Vec::with_capacity(head.conflicts.len());
    for conflict in head.conflicts {
        let [base, ours, theirs] = conflict.stages;
        conflicts.push(Conflict { path: conflict.path, stages: [file(base)?, file(ours)?, file(theirs)?] });
    }
    Ok((steps, conflicts))
}
