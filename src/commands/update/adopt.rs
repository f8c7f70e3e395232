//! `--adopt`: the answers that a project was made with, found in its files.
//!
//! A question with choices is answered by the choice whose rendering is most like the project. A question of free text is
//! answered by what stands in the project where the rendering has the answer.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::UpdateError;
use super::project::{self, Records, read_record};
use super::records::{likeness, text};
use crate::cli::Update;
use crate::fs::files::FileTree;
use crate::fs::interrupt::Interrupt;
use crate::scaffold::answers::{Answer, Answers};
use crate::scaffold::manifest::{Placeholder, PlaceholderKind};
use crate::scaffold::template::{ScriptPolicy, Template};

/// A project with the records that it will have.
#[derive(Debug)]
pub(super) struct Adopted {
    /// The name of the project.
    pub(super) name: String,
    /// The template.
    pub(super) template: Template,
    /// The answers.
    pub(super) answers: Answers,
    /// The rendering.
    pub(super) base: FileTree,
    /// The number of its files that the project has as they are.
    equal: usize,
}

impl Adopted {
    /// Returns the lines for people.
    #[must_use]
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec!["with these answers; another one is given with --set:".to_owned()];
        for (key, answer) in &self.answers.0 {
            lines.push(match answer {
                Answer::Bool(flag) => format!("  {key} = {flag}"),
                Answer::Text(text) => format!("  {key} = {text:?}"),
            });
        }
        let (equal, all) = (self.equal, self.base.len());
        lines.push(format!(
            "{equal} of the template's {all} files are as they are there; `mcp-kit update --check` lists the others"
        ));
        lines
    }
}

/// Finds the answers of a project without records.
///
/// # Errors
/// When it has complete records, or is no project.
pub(super) fn adopt(command: &Update, root: &Path, interrupt: &Interrupt) -> Result<Adopted, UpdateError> {
    if Records::read(root).is_ok() {
        return Err(UpdateError::HasRecords(root.to_owned()));
    }
    let record = read_record(root).ok();
    let name = match &record {
        Some(record) => record.name.clone(),
        None => package(root).ok_or_else(|| UpdateError::NoPackage(root.to_owned()))?,
    };
    let hooks = if command.allow_hooks { ScriptPolicy::Allow } else { ScriptPolicy::Refuse };
    let template = project::template(command.template.as_deref(), record.as_ref(), &hooks)?;
    let recorded = record.map(|record| record.answers).unwrap_or_default();
    let mut answers = project::answers(&template, &command.set, &recorded)?;
    let given = |key: &str| {
        recorded.iter().any(|answer| answer.key == key)
            || command.set.iter().any(|pair| pair.split_once('=').is_some_and(|(other, _)| other.trim() == key))
    };
    let open: Vec<&Placeholder> = template
        .manifest
        .placeholders
        .iter()
        .filter(|placeholder| !placeholder.conditional && !given(&placeholder.key))
        .collect();
    let render = |answers: &Answers| project::rendering(&template, &name, answers, interrupt);

    let texts: Vec<&Placeholder> = open.iter().filter(|placeholder| choices(placeholder).is_empty()).copied().collect();
    // The texts first, because a wrong one makes every file with it different; and again with the right choices.
    fill_in(&mut answers, &texts, root, &render)?;
    // Twice: some files depend on two answers, and show the first one only once the second is right.
    let with_choices = open.iter().filter(|placeholder| !choices(placeholder).is_empty());
    for placeholder in with_choices.clone().chain(with_choices) {
        let mut best: Option<((usize, bool), Answers)> = None;
        for choice in choices(placeholder) {
            let mut trial = answers.clone();
            set(&mut trial, &placeholder.key, choice);
            let like = likeness(&render(&trial)?, root)?;
            // The default wins where nothing tells the choices apart.
            let is_default = get(&answers, &placeholder.key) == get(&trial, &placeholder.key);
            if best.as_ref().is_none_or(|(most, ..)| (like, is_default) > *most) {
                best = Some(((like, is_default), trial));
            }
        }
        if let Some((_, trial)) = best {
            answers = trial;
        }
    }
    fill_in(&mut answers, &texts, root, &render)?;
    let base = render(&answers)?;
    let ours = crate::fs::paths::read(root, base.keys())?;
    let different = crate::scaffold::update::drift::drift(&base, &ours, &template.manifest.rules).len();
    Ok(Adopted { equal: base.len() - different, name, template, answers, base })
}

/// Answers the questions of free text by what stands in the project.
fn fill_in(
    answers: &mut Answers,
    texts: &[&Placeholder],
    root: &Path,
    render: &dyn Fn(&Answers) -> Result<FileTree, UpdateError>,
) -> Result<(), UpdateError> {
    let mark = |number: usize| format!("x{number}mark{number}x");
    let mut marked = answers.clone();
    for (number, placeholder) in texts.iter().enumerate() {
        if placeholder.kind == PlaceholderKind::Text && placeholder.accepts(&mark(number)).is_ok() {
            set(&mut marked, &placeholder.key, Answer::Text(mark(number)));
        }
    }
    let rendering = render(&marked)?;
    for (number, placeholder) in texts.iter().enumerate() {
        let found = found(&rendering, root, &mark(number));
        if let Some(value) = found.filter(|value| placeholder.accepts(value).is_ok()) {
            set(answers, &placeholder.key, Answer::Text(value));
        }
    }
    Ok(())
}

fn choices(placeholder: &Placeholder) -> Vec<Answer> {
    match placeholder.kind {
        PlaceholderKind::Bool => vec![Answer::Bool(true), Answer::Bool(false)],
        PlaceholderKind::Text => placeholder.choices.iter().cloned().map(Answer::Text).collect(),
        PlaceholderKind::List => Vec::new(),
    }
}

fn set(answers: &mut Answers, key: &str, value: Answer) {
    match answers.0.iter_mut().find(|(other, _)| other == key) {
        Some((_, answer)) => *answer = value,
        None => answers.0.push((key.to_owned(), value)),
    }
}

fn get<'a>(answers: &'a Answers, key: &str) -> Option<&'a Answer> {
    answers.0.iter().find(|(other, _)| other == key).map(|(_, answer)| answer)
}

/// Returns what most often stands in the project where the rendering has the mark.
fn found(rendering: &FileTree, root: &Path, mark: &str) -> Option<String> {
    let mut votes: BTreeMap<String, usize> = BTreeMap::new();
    for (path, file) in rendering {
        let Ok(rendered) = std::str::from_utf8(&file.bytes) else { continue };
        if !rendered.contains(mark) {
            continue;
        }
        let Some(own) = text(root, path) else { continue };
        for line in rendered.lines() {
            let Some((before, after)) = line
                .split_once(mark)
                .filter(|(before, after)| !after.contains(mark) && before.trim().len() + after.trim().len() > 2)
            else {
                continue;
            };
            let value = |line: &str| Some(line.strip_prefix(before)?.strip_suffix(after)?.to_owned());
            for value in own.lines().filter_map(value).filter(|value| !value.is_empty()) {
                *votes.entry(value).or_default() += 1;
            }
        }
    }
    votes.into_iter().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

/// Returns the name of the package in the project's Cargo.toml.
fn package(root: &Path) -> Option<String> {
    let table: toml::Table = text(root, "Cargo.toml")?.parse().ok()?;
    table.get("package")?.get("name")?.as_str().map(str::to_owned)
}
