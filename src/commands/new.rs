//! The command `mcp-kit new`: from the flags to a complete folder, or none.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::{New, OutputFormat};
use crate::commands::ask;
use crate::commands::console::{Console, Status};
use crate::commands::first_pages::{self, DocumentsError};
use crate::error::{Explain, Failure, Message, UNFINISHED, USAGE};
use crate::fs::clone::{self, CloneError};
use crate::fs::files::{self, FileTree, FilesError};
use crate::fs::interrupt::{Interrupt, Interrupted};
use crate::fs::prompt::Prompt;
use crate::fs::repository::{self as git, InitError, Repository};
use crate::fs::stage::Destination;
use crate::fs::terminal::Paint;
use crate::fs::workspace::Workspace;
use crate::scaffold::answers::{self, AnswerError, AnswerOrigin, Answers, GivenAnswer};
use crate::scaffold::manifest::Placeholder;
use crate::scaffold::name::{self, BadName};
use crate::scaffold::project::{self, ProjectError};
use crate::scaffold::render::{self, RenderError};
use crate::scaffold::report::ProjectReport;
use crate::scaffold::template::{ScriptPolicy, Template, TemplateError, TemplateSource};
use crate::text::date::today;

/// The user's request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The project's name.
    pub name: String,
    /// The folder to create. `None` means `./NAME`.
    pub path: Option<PathBuf>,
    /// A template's folder. `None` means the embedded template.
    pub template: Option<PathBuf>,
    /// Which scripts of the template may run.
    pub hooks: ScriptPolicy,
    /// Flags that answer a question: flag, placeholder, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
    /// `--set KEY=VALUE`, as typed.
    pub set: Vec<String>,
    /// The path of an answers file.
    pub answers: Option<PathBuf>,
    /// `true` to create a git repository.
    pub git: bool,
    /// `true` to report only and write nothing.
    pub dry_run: bool,
    /// The date of the documents, as `2025-11-08`.
    pub today: String,
}

impl Request {
    /// Makes the request from the flags and a day as `2025-11-08`.
    #[must_use]
    pub fn from_flags(flags: New, today: String) -> Self {
        let named = [
            ("--auth-mode", "auth_mode", flags.auth_mode),
            ("--token-store", "token_store", flags.token_store),
            ("--example", "example", flags.example),
        ];
        Self {
            name: flags.name.unwrap_or_default(),
            path: flags.path,
            template: flags.template,
            hooks: if flags.allow_hooks { ScriptPolicy::Allow } else { ScriptPolicy::Refuse },
            flags: named.into_iter().filter_map(|(flag, key, value)| Some((flag, key, value?))).collect(),
            set: flags.set,
            answers: flags.answers,
            git: !flags.no_git,
            dry_run: flags.dry_run,
            today,
        }
    }
}

/// One error in the request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is no name.
    #[error("the project needs a name")]
    NoName,
    /// The name is not valid.
    #[error(transparent)]
    Name(#[from] BadName),
    /// An answer is not valid.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// The reason that there is no project.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The request has errors. Lists all of them.
    #[error("the request has {} mistakes", .0.len())]
    Request(Vec<RequestError>),
    /// The answers file cannot be read.
    #[error("cannot read the answers in {}: {source}", path.display())]
    AnswersFile {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template's repository cannot be cloned.
    #[error(transparent)]
    Clone(#[from] CloneError),
    /// The destination cannot be used or written.
    #[error(transparent)]
    Destination(#[from] FilesError),
    /// Rendering failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The rendered files are not a valid project.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The first pages cannot be made.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// The git repository cannot be created.
    #[error(transparent)]
    Git(#[from] InitError),
    /// A signal stopped the run.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A generated project, or with `--dry-run` a planned one.
#[derive(Debug)]
pub struct GeneratedProject {
    name: String,
    path: PathBuf,
    display_path: PathBuf,
    template: Template,
    answers: Answers,
    files: FileTree,
    git: Repository,
    dry_run: bool,
}

impl GeneratedProject {
    /// Returns the report about it.
    #[must_use]
    pub fn report(&self) -> ProjectReport<'_> {
        ProjectReport {
            name: &self.name,
            path: &self.path,
            display_path: self.display_path.clone(),
            template: &self.template,
            answers: &self.answers,
            files: &self.files,
            git: self.git,
            dry_run: self.dry_run,
        }
    }

    /// Returns the state of the git repository.
    #[must_use]
    pub fn git(&self) -> Repository {
        self.git
    }
}

/// Runs the command.
///
/// # Errors
/// When the project cannot be made.
pub fn run(command: New, console: &Console) -> Result<Status, Failure> {
    let format = command.format;
    if command.answers_schema {
        // Nothing of it runs.
        let template = template(command.template.as_deref(), &ScriptPolicy::Allow)?;
        console.print(answers::schema(&template.manifest.placeholders).as_bytes())?;
        return Ok(Status::Clean);
    }
    // A program that reads JSON cannot answer.
    let is_asked = !command.defaults && !console.is_quiet() && format == OutputFormat::Human;
    let prompt = Prompt::open().filter(|_| is_asked);
    let mut request = Request::from_flags(command, today().to_string());
    if let Some(prompt) = prompt
        && !ask::complete(&prompt, &mut request)?
    {
        console.note("nothing was created");
        return Ok(Status::Clean);
    }
    // Only now: at a question, Ctrl-C ends the program at once.
    let interrupt = Interrupt::listen().map_err(|error| Failure::output(&error))?;
    let project = make(request, &interrupt, &|step| console.step(step))?;
    if project.git == Repository::Unavailable {
        console.note("git is not installed, so the project is not a repository");
    }
    if let Some(workspace) = Workspace::around(&project.path) {
        console.note(&workspace.to_string());
    }
    match format {
        OutputFormat::Json => {
            let json = project.report().json().map_err(|error| Failure::output(&error.into()))?;
            console.print(format!("{json}\n").as_bytes())?;
        }
        OutputFormat::Human if console.is_quiet() => {}
        OutputFormat::Human => console.print(project.report().human(Paint::stdout()).as_bytes())?,
    }
    Ok(Status::Clean)
}

/// Reads the template: the embedded one, one in a folder, or one in a git repository, which is cloned for the moment.
///
/// # Errors
/// When there is none, or it cannot be used.
pub(super) fn template(given: Option<&Path>, hooks: &ScriptPolicy) -> Result<Template, NewError> {
    let Some(given) = given else { return Ok(Template::embedded()?) };
    let address = given.to_str().filter(|address| clone::is_address(address) && !given.exists());
    let Some(address) = address else { return Ok(Template::from_folder(given, hooks)?) };
    let checkout = clone::shallow(address)?;
    let mut template = Template::from_folder(checkout.path(), hooks)?;
    template.source = TemplateSource::Folder(PathBuf::from(clone::without_secrets(address)));
    Ok(template)
}

/// Makes the project. Calls `progress` before each step.
///
/// # Errors
/// When anything fails. Nothing is left behind then.
pub fn make(request: Request, interrupt: &Interrupt, progress: &dyn Fn(&str)) -> Result<GeneratedProject, NewError> {
    let template = template(request.template.as_deref(), &request.hooks)?;
    let answers = check(&request, &template)?;
    let display_path = request.path.clone().unwrap_or_else(|| PathBuf::from(&request.name));
    let destination = Destination::check(&display_path)?;
    let path = destination.path().to_owned();
    let mut git = git::plan(destination.parent(), request.git);
    interrupt.check()?;

    let complete = || -> Result<FileTree, NewError> {
        progress(&format!("rendering {} files of template {}", template.files.len(), template.name()));
        let rendered = render::render(&template, &request.name, &answers, interrupt)?;
        let mut files = project::complete(rendered)?;
        let records = project::records(&files, &template, &request.name, &answers)?;
        first_pages::add(&mut files, &request.today)?;
        files.extend(records);
        Ok(files)
    };
    let files = if request.dry_run {
        complete()?
    } else {
        // Stage before rendering, so that an unwritable destination fails at once.
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
    Ok(GeneratedProject {
        name: request.name,
        path,
        display_path,
        template,
        answers,
        files,
        git,
        dry_run: request.dry_run,
    })
}

/// Collects every error in the request before it reports any.
fn check(request: &Request, template: &Template) -> Result<Answers, NewError> {
    let mut wrong: Vec<RequestError> = Vec::new();
    if request.name.is_empty() {
        wrong.push(RequestError::NoName);
    } else if let Err(bad) = name::check(&request.name, &template.package_names()) {
        wrong.push(bad.into());
    }
    let flags = request.flags.iter().map(|(flag, key, value)| GivenAnswer {
        key: (*key).to_owned(),
        value: value.clone(),
        origin: AnswerOrigin::Flag(flag),
    });
    let mut set = Vec::new();
    for pair in &request.set {
        match answers::parse_set(pair) {
            Some(given) => set.push(given),
            None => wrong.push(AnswerError::NotAPair(pair.clone()).into()),
        }
    }
    let mut file = Vec::new();
    if let Some(path) = &request.answers {
        let (given, problems) = read_answers(path)?;
        file = given;
        wrong.extend(problems.into_iter().map(RequestError::from));
    }
    let placeholders: &[Placeholder] = &template.manifest.placeholders;
    match answers::resolve(placeholders, &[flags.collect(), set, file]) {
        Ok(answers) if wrong.is_empty() => Ok(answers),
        Ok(_) => Err(NewError::Request(wrong)),
        Err(problems) => {
            wrong.extend(problems.into_iter().map(RequestError::from));
            Err(NewError::Request(wrong))
        }
    }
}

pub(super) fn read_answers(path: &Path) -> Result<(Vec<GivenAnswer>, Vec<AnswerError>), NewError> {
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
            Self::Destination(error) => {
                return error.hint().map(|hint| format!("{hint}; --path names the folder").into());
            }
            Self::Documents(error) => return error.hint(),
            Self::Git(_) => "add --no-git to go without a repository",
            Self::Template(error) => return error.hint(),
            Self::Clone(error) => return error.hint(),
            Self::Project(error) => return error.hint(),
            Self::Request(_) | Self::Render(_) | Self::Interrupted(_) => return None,
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        match self {
            Self::Request(_) | Self::AnswersFile { .. } => USAGE,
            Self::Documents(error) => error.status(),
            Self::Template(error) => error.status(),
            Self::Clone(error) => error.status(),
            Self::Destination(error) => error.status(),
            Self::Render(error) => error.status(),
            Self::Project(error) => error.status(),
            Self::Git(_) => UNFINISHED,
            Self::Interrupted(interrupted) => interrupted.status(),
        }
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Request(wrong) => wrong.iter().flat_map(Explain::messages).collect(),
            Self::Render(error) => error.messages(),
            Self::Documents(error) => error.messages(),
            Self::Interrupted(interrupted) => interrupted.messages(),
            _ => vec![self.message()],
        }
    }
}

impl Explain for RequestError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::NoName => Some("mcp-kit new my-server".into()),
            Self::Name(error) => error.hint(),
            Self::Answer(problem) => problem.hint(),
        }
    }
}
