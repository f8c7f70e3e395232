//! A project with its records, and the template of today with the recorded answers.

use std::path::{Path, PathBuf};

use super::error::UpdateError;
use crate::fs::files::FileTree;
use crate::fs::interrupt::Interrupt;
use crate::scaffold::answers::{self, AnswerError, Answers, GivenAnswer};
use crate::scaffold::manifest;
use crate::scaffold::project::{self, ARCHIVE, RECORD};
use crate::scaffold::render;
use crate::scaffold::template::{ScriptPolicy, Template};
use crate::scaffold::update::base::{Record, read_archive};

/// The records of a project.
#[derive(Debug)]
pub(super) struct Records {
    /// The record of its questions and answers.
    pub(super) record: Record,
    /// The project as generated.
    pub(super) base: FileTree,
}

impl Records {
    /// Reads the records of the project at `root`.
    ///
    /// # Errors
    /// When one of them is missing or damaged.
    pub(super) fn read(root: &Path) -> Result<Self, UpdateError> {
        Ok(Self { record: read_record(root)?, base: read_base(root)? })
    }
}

/// Reads the project as generated.
///
/// # Errors
/// When its archive is missing or damaged.
pub(super) fn read_base(root: &Path) -> Result<FileTree, UpdateError> {
    let path = root.join(ARCHIVE);
    let damaged = |reason: String| UpdateError::Damaged { path: path.clone(), reason };
    let bytes = std::fs::read(&path).map_err(|error| damaged(error.to_string()))?;
    read_archive(&bytes).map_err(damaged)
}

/// Reads the record of the questions and answers.
///
/// # Errors
/// When it is missing or damaged.
pub(super) fn read_record(root: &Path) -> Result<Record, UpdateError> {
    let path = root.join(RECORD);
    if !path.exists() {
        return Err(UpdateError::NoRecord(root.to_owned()));
    }
    let damaged = |reason: String| UpdateError::Damaged { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(|error| damaged(error.to_string()))?;
    Record::parse(&text).map_err(damaged)
}

/// Returns the template to update to: the given one, or the one that the project was made from.
///
/// # Errors
/// When it is not there, has mistakes, or is older than the one that the project has.
pub(super) fn template(
    given: Option<&Path>,
    record: Option<&Record>,
    hooks: &ScriptPolicy,
) -> Result<Template, UpdateError> {
    let template = match (given, record) {
        (Some(folder), _) => Template::from_folder(folder, hooks)?,
        (None, Some(record)) if !record.embedded => {
            let folder = PathBuf::from(&record.template);
            // Records can be somebody else's: a folder that is no template, say of keys, is not copied into the project.
            if !folder.join(manifest::FILE).is_file() {
                return Err(UpdateError::TemplateGone(record.template.clone()));
            }
            Template::from_folder(&folder, hooks)?
        }
        (None, _) => Template::embedded()?,
    };
    // An older mcp-kit would take back what a newer one has brought.
    match (record.and_then(|record| record.version.as_ref()), template.manifest.rules.version.as_ref()) {
        (Some(from), Some(to)) if to < from => Err(UpdateError::Newer { from: from.clone(), to: to.clone() }),
        _ => Ok(template),
    }
}

/// Returns the answers: the given ones first, then the recorded ones, and the default only for a new question. An answer to
/// a question that the template no longer has is dropped.
///
/// # Errors
/// When an answer does not fit the template.
pub(super) fn answers(template: &Template, set: &[String], recorded: &[GivenAnswer]) -> Result<Answers, UpdateError> {
    let placeholders = &template.manifest.placeholders;
    let (mut given, mut wrong) = (Vec::new(), Vec::new());
    for pair in set {
        match answers::parse_set(pair) {
            Some(answer) => given.push(answer),
            None => wrong.push(AnswerError::NotAPair(pair.clone())),
        }
    }
    let is_asked = |answer: &&GivenAnswer| placeholders.iter().any(|placeholder| placeholder.key == answer.key);
    // What is answered otherwise now need not be valid any more.
    let is_settled = |answer: &&GivenAnswer| !given.iter().any(|other| other.key == answer.key);
    let recorded = recorded.iter().filter(is_asked).filter(is_settled).cloned().collect();
    match answers::resolve(placeholders, &[given, recorded]) {
        Ok(answers) if wrong.is_empty() => Ok(answers),
        Ok(_) => Err(UpdateError::Answers(wrong)),
        Err(problems) => Err(UpdateError::Answers(wrong.into_iter().chain(problems).collect())),
    }
}

/// Renders the template as `mcp-kit new` would, without the records.
///
/// # Errors
/// When the template cannot be rendered.
pub(super) fn rendering(
    template: &Template,
    name: &str,
    answers: &Answers,
    interrupt: &Interrupt,
) -> Result<FileTree, UpdateError> {
    Ok(project::complete(render::render(template, name, answers, interrupt)?)?)
}
