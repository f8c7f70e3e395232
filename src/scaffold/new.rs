//! The command `mcp-kit new`, from what the user typed to a folder that is there whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use super::answers::{self, Answers, Given, Origin, Problem};
use super::documents::{self, DocumentsError};
use super::git::{self, GitError};
use super::manifest::Placeholder;
use super::name::{self, BadName};
use super::project::{self, ProjectError};
use super::render::{self, RenderError};
use super::report::{Git, Report};
use super::template::{Template, TemplateError};
use crate::files::{self, Destination, FilesError, Tree};
use crate::interrupt::{Interrupt, Interrupted};

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The project's name.
    pub name: String,
    /// The folder to create; `./NAME` when not given.
    pub path: Option<PathBuf>,
    /// A template's folder; the embedded template when not given.
    pub template: Option<PathBuf>,
    /// Flags that answer a question: flag, placeholder, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
    /// `--set KEY=VALUE`, as typed.
    pub set: Vec<String>,
    /// A file of answers.
    pub answers: Option<PathBuf>,
    /// Make a git repository.
    pub git: bool,
    /// Only say what would be made.
    pub dry_run: bool,
    /// The day that documents are dated with, as `2025-11-08`.
    pub today: String,
}

/// One thing wrong with the request.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// The name.
    #[error(transparent)]
    Name(#[from] BadName),
    /// An answer.
    #[error(transparent)]
    Answer(#[from] Problem),
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The request has mistakes, all of them listed.
    #[error("the request has {} mistakes", .0.len())]
    Wrong(Vec<Wrong>),
    /// The answers file cannot be read.
    #[error("cannot read the answers in {}: {source}", path.display())]
    AnswersFile {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The template is of no use.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The destination cannot be used or written.
    #[error(transparent)]
    Destination(#[from] FilesError),
    /// Rendering failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// What was rendered is no project.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// Its documents cannot be made.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// No repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Told to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A project that has been made, or with `--dry-run` would be.
#[derive(Debug)]
pub struct Made {
    name: String,
    path: PathBuf,
    shown: PathBuf,
    template: Template,
    answers: Answers,
    files: Tree,
    git: Git,
    dry_run: bool,
}

impl Made {
    /// What there is to say about it.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report {
            name: &self.name,
            path: &self.path,
            shown: self.shown.clone(),
            template: &self.template,
            answers: &self.answers,
            files: &self.files,
            git: self.git,
            dry_run: self.dry_run,
        }
    }

    /// What became of the repository.
    #[must_use]
    pub fn git(&self) -> Git {
        self.git
    }
}

/// Makes the project. `progress` hears what is about to be done.
///
/// # Errors
/// When anything is wrong; then nothing is left behind.
pub fn run(request: Request, interrupt: &Interrupt, progress: &dyn Fn(&str)) -> Result<Made, NewError> {
    let template = match &request.template {
        Some(folder) => Template::from_folder(folder)?,
        None => Template::embedded()?,
    };
    let answers = check(&request, &template)?;
    let shown = request.path.clone().unwrap_or_else(|| PathBuf::from(&request.name));
    let destination = Destination::check(&shown)?;
    let path = destination.path().to_owned();
    let mut git = git::plan(destination.parent(), request.git);
    interrupt.check()?;

    let complete = || -> Result<Tree, NewError> {
        progress(&format!("rendering {} files of template {}", template.files.len(), template.name()));
        let rendered = render::render(&template, &request.name, &answers, interrupt)?;
        let mut files = project::complete(rendered, &template, &request.name, &answers)?;
        documents::add(&mut files, &request.today)?;
        Ok(files)
    };
    let files = if request.dry_run {
        complete()?
    } else {
        // Before rendering: what cannot be written is said at once.
        let stage = destination.stage()?;
        let files = complete()?;
        progress(&format!("writing {} files to {}", files.len(), stage.path().display()));
        files::write_tree(stage.path(), &files, || Ok::<(), NewError>(interrupt.check()?))?;
        if git == Git::Initialized {
            progress("git init");
            git = git::init(stage.path())?;
        }
        interrupt.check()?;
        stage.commit()?;
        files
    };
    Ok(Made { name: request.name, path, shown, template, answers, files, git, dry_run: request.dry_run })
}

/// Everything that can be wrong with a request is found before any of it is reported.
fn check(request: &Request, template: &Template) -> Result<Answers, NewError> {
    let mut wrong: Vec<Wrong> = Vec::new();
    if let Err(bad) = name::check(&request.name, &template.package_names()) {
        wrong.push(bad.into());
    }
    let flags = request.flags.iter().map(|(flag, key, value)| Given {
        key: (*key).to_owned(),
        value: value.clone(),
        origin: Origin::Flag(flag),
    });
    let mut set = Vec::new();
    for pair in &request.set {
        match answers::parse_set(pair) {
            Some(given) => set.push(given),
            None => wrong.push(Problem::NotAPair(pair.clone()).into()),
        }
    }
    let mut file = Vec::new();
    if let Some(path) = &request.answers {
        let (given, problems) = read_answers(path)?;
        file = given;
        wrong.extend(problems.into_iter().map(Wrong::from));
    }
    let placeholders: &[Placeholder] = &template.manifest.placeholders;
    match answers::resolve(placeholders, &[flags.collect(), set, file]) {
        Ok(answers) if wrong.is_empty() => Ok(answers),
        Ok(_) => Err(NewError::Wrong(wrong)),
        Err(problems) => {
            wrong.extend(problems.into_iter().map(Wrong::from));
            Err(NewError::Wrong(wrong))
        }
    }
}

fn read_answers(path: &Path) -> Result<(Vec<Given>, Vec<Problem>), NewError> {
    let bytes = std::fs::read(path).map_err(|source| NewError::AnswersFile { path: path.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|error| NewError::AnswersFile {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })?;
    Ok(answers::parse_file(&path.display().to_string(), &text))
}
