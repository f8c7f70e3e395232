//! The command `mcp-kit new`, from what the user typed to a folder that is there whole or not at all.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::{Format, New};
use crate::commands::console::{Console, Status};
use crate::commands::first_pages::{self, DocumentsError};
use crate::error::{Explain, Failure, Message, UNFINISHED, USAGE};
use crate::fs::files::{self, Destination, FilesError, Tree};
use crate::fs::interrupt::{Interrupt, Interrupted};
use crate::fs::repository::{self as git, InitError, Repository};
use crate::fs::terminal::Paint;
use crate::scaffold::answers::{self, Answers, Given, Origin, Problem};
use crate::scaffold::manifest::Placeholder;
use crate::scaffold::name::{self, BadName};
use crate::scaffold::project::{self, ProjectError};
use crate::scaffold::render::{self, RenderError};
use crate::scaffold::report::Report;
use crate::scaffold::template::{Template, TemplateError};
use crate::text::date::today;

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

impl Request {
    /// Makes the request that the flags stand for, on a day as `2025-11-08`.
    #[must_use]
    pub fn from_flags(flags: New, today: String) -> Self {
        let named = [
            ("--auth-mode", "auth_mode", flags.auth_mode),
            ("--token-store", "token_store", flags.token_store),
            ("--example", "example", flags.example),
        ];
        Self {
            name: flags.name,
            path: flags.path,
            template: flags.template,
            flags: named.into_iter().filter_map(|(flag, key, value)| Some((flag, key, value?))).collect(),
            set: flags.set,
            answers: flags.answers,
            git: !flags.no_git,
            dry_run: flags.dry_run,
            today,
        }
    }
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
    Git(#[from] InitError),
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
    git: Repository,
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
    pub fn git(&self) -> Repository {
        self.git
    }
}

/// Runs the command.
///
/// # Errors
/// When there is no project.
pub fn run(command: New, console: &Console) -> Result<Status, Failure> {
    let format = command.format;
    let interrupt = Interrupt::listen().map_err(|error| Failure::output(&error))?;
    let made = make(Request::from_flags(command, today().to_string()), &interrupt, &|step| console.step(step))?;
    if made.git == Repository::Unavailable {
        console.note("git is not installed, so the project is not a repository");
    }
    match format {
        Format::Json => {
            let json = made.report().json().map_err(|error| Failure::output(&error.into()))?;
            console.print(format!("{json}\n").as_bytes())?;
        }
        Format::Human if console.is_quiet() => {}
        Format::Human => console.print(made.report().human(Paint::stdout()).as_bytes())?,
    }
    Ok(Status::Clean)
}

/// Makes the project. `progress` hears what is about to be done.
///
/// # Errors
/// When anything is wrong; then nothing is left behind.
pub fn make(request: Request, interrupt: &Interrupt, progress: &dyn Fn(&str)) -> Result<Made, NewError> {
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
        first_pages::add(&mut files, &request.today)?;
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
        if git == Repository::Initialized {
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

impl Explain for NewError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::AnswersFile { .. } => "give a readable TOML file with one `key = value` a line",
            Self::Destination(FilesError::NotEmpty(_)) => "choose another folder with --path, or empty this one",
            Self::Destination(FilesError::NotAFolder(_) | FilesError::Nameless(_)) => {
                "choose another folder with --path"
            }
            Self::Destination(FilesError::Io { source, .. }) => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "choose a folder that you may write to with --path"
                }
                io::ErrorKind::NotFound => "that folder cannot be created; choose another one with --path",
                io::ErrorKind::NotADirectory => "a part of the path is a file; choose another folder with --path",
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
                _ => return None,
            },
            Self::Destination(error) => return error.hint(),
            Self::Documents(error) => return error.hint(),
            Self::Git(_) => "add --no-git to go without a repository",
            Self::Template(error) => return error.hint(),
            Self::Project(error) => return error.hint(),
            Self::Wrong(_) | Self::Render(_) | Self::Interrupted(_) => return None,
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        match self {
            Self::Wrong(_) | Self::AnswersFile { .. } => USAGE,
            Self::Documents(error) => error.status(),
            Self::Template(error) => error.status(),
            Self::Destination(error) => error.status(),
            Self::Render(error) => error.status(),
            Self::Project(error) => error.status(),
            Self::Git(_) => UNFINISHED,
            Self::Interrupted(interrupted) => interrupted.status(),
        }
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Wrong(wrong) => wrong.iter().flat_map(Explain::messages).collect(),
            Self::Render(error) => error.messages(),
            Self::Documents(error) => error.messages(),
            Self::Interrupted(interrupted) => interrupted.messages(),
            _ => vec![Message { what: self.to_string(), hint: self.hint().map(Cow::into_owned) }],
        }
    }
}

impl Explain for Wrong {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Name(error) => error.hint(),
            Self::Answer(problem) => problem.hint(),
        }
    }
}
