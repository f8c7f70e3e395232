//! What a failed command says, and with which status it ends. The areas' own errors are converted here and nowhere else.

use std::fmt::Write as _;
use std::io;

use crate::audit::AuditError;
use crate::audit::baseline::BaselineError;
use crate::audit::command::CommandError;
use crate::audit::fix::FixError;
use crate::audit::fix::transaction::TransactionError;
use crate::audit::keep::KeepError;
use crate::audit::scope::ScopeError;
use crate::audit::web::WebError;
use crate::catalog::CatalogError;
use crate::catalog::add::AddError;
use crate::docs::build::BuildError;
use crate::docs::command::DocsError;
use crate::docs::serve::ServeError;
use crate::docs::site::SiteError;
use crate::files::FilesError;
use crate::interrupt::Interrupted;
use crate::scaffold::answers::Problem;
use crate::scaffold::manifest::ManifestError;
use crate::scaffold::new::{NewError, Wrong};
use crate::scaffold::project::ProjectError;
use crate::scaffold::render::RenderError;
use crate::scaffold::template::TemplateError;
use crate::terminal::{Paint, Role};

/// Wrong usage or unreadable input.
pub const USAGE: u8 = 2;
/// It could not finish.
pub const UNFINISHED: u8 = 3;

/// One sentence on what is wrong and where, and one on what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What is wrong, and where.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Everything there is to say, in order.
    pub messages: Vec<Message>,
    /// The exit status.
    pub status: u8,
}

impl Failure {
    fn new(status: u8, what: impl ToString, hint: &str) -> Self {
        let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
        Self { messages: vec![Message { what: what.to_string(), hint }], status }
    }

    /// A stream or file of the command itself that could not be written.
    #[must_use]
    pub fn output(error: &io::Error) -> Self {
        Self::new(UNFINISHED, format!("cannot write the output: {error}"), "")
    }

    /// As it stands on the terminal.
    #[must_use]
    pub fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        for message in &self.messages {
            let _ = writeln!(text, "{} {}", paint.paint(Role::Error, "error:"), message.what);
            if let Some(hint) = &message.hint {
                let _ = writeln!(text, "  {} {hint}", paint.paint(Role::Hint, "hint:"));
            }
        }
        text
    }
}

impl From<NewError> for Failure {
    fn from(error: NewError) -> Self {
        match error {
            NewError::Wrong(wrong) => Self { messages: wrong.iter().map(explain).collect(), status: USAGE },
            NewError::AnswersFile { .. } => {
                Self::new(USAGE, error, "give a readable TOML file with one `key = value` a line")
            }
            NewError::Template(error) => error.into(),
            NewError::Destination(error) => error.into(),
            NewError::Render(error) => error.into(),
            NewError::Project(ProjectError::Manifest { .. }) => Self::new(
                USAGE,
                error,
                "leave quotation marks, backslashes and line ends out of the answers that stand there",
            ),
            NewError::Project(ProjectError::Archive(_)) => Self::new(UNFINISHED, error, ""),
            NewError::Documents(_) => Self::new(USAGE, error, "the template has to be mended"),
            NewError::Git(_) => Self::new(UNFINISHED, error, "add --no-git to go without a repository"),
            NewError::Interrupted(interrupted) => interrupted.into(),
        }
    }
}

impl From<Interrupted> for Failure {
    fn from(interrupted: Interrupted) -> Self {
        // As a shell reports a process that died of the signal.
        Self::new(128 + interrupted.0, "interrupted; nothing was left behind", "")
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        let hint = match &error {
            AuditError::Scope(ScopeError::Path { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                "give files and folders that exist"
            }
            AuditError::Scope(ScopeError::Path { .. }) => "give files and folders that you may read",
            AuditError::Scope(ScopeError::OutsideOfRoot { .. }) => "give a --root that contains every path",
            AuditError::Scope(ScopeError::Apart(_)) => {
                "audit them one by one, or give the folder that links end in as --root"
            }
            AuditError::Scope(ScopeError::RootIsNoFolder(_)) => "give a folder as --root",
            AuditError::Patterns(_) | AuditError::Glob(_) => "correct the configuration",
        };
        Self::new(USAGE, error, hint)
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Io { ref source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Self::new(USAGE, error, "name the file with --catalog")
            }
            CatalogError::Write(error) => Self::new(UNFINISHED, error, ""),
            CatalogError::Add { ref reason, .. } => {
                let hint = match reason {
                    AddError::Flow(_) => "write each service on lines of its own, or add it by hand",
                    _ => "choose another name, or change that one",
                };
                Self::new(USAGE, error, hint)
            }
            CatalogError::Io { .. } => Self::new(UNFINISHED, error, ""),
            CatalogError::Problems(problems) => {
                let message = |(what, hint): (String, Option<&str>)| Message { what, hint: hint.map(str::to_owned) };
                Self { messages: problems.shown().map(message).collect(), status: USAGE }
            }
        }
    }
}

impl From<FixError> for Failure {
    fn from(error: FixError) -> Self {
        match error {
            FixError::NoRepository(_) => {
                Self::new(USAGE, error, "--allow-dirty goes on without; --dry-run only shows what would change")
            }
            FixError::Uncommitted(_) => Self::new(USAGE, error, "commit or stash them, or add --allow-dirty"),
            FixError::Git(_) => Self::new(UNFINISHED, error, "--allow-dirty goes on without git"),
            FixError::Transaction(TransactionError::InTheWay(_)) => {
                Self::new(UNFINISHED, error, "move it away, or archive by hand; nothing has changed")
            }
            FixError::Transaction(TransactionError::Changed(_)) => Self::new(
                UNFINISHED,
                error,
                "run it again; if an earlier --fix or docs build was interrupted, remove .mcp-kit-fix when you have looked at the document",
            ),
            FixError::Transaction(TransactionError::Journal { .. }) => {
                Self::new(UNFINISHED, error, "remove .mcp-kit-fix, if it is not yours")
            }
            FixError::Transaction(_) => {
                Self::new(UNFINISHED, error, "no document is half written; run it again once the disk allows it")
            }
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Docs(error) => error.into(),
            ServeError::Listen { .. } => {
                Self::new(UNFINISHED, error, "choose another port with --port, or 0 for a free one")
            }
            ServeError::Io(_) => Self::new(UNFINISHED, error, ""),
        }
    }
}

impl From<DocsError> for Failure {
    fn from(error: DocsError) -> Self {
        match error {
            DocsError::Catalog(error) => error.into(),
            DocsError::Write(error) => Self::new(UNFINISHED, error, ""),
            DocsError::Site(SiteError::Foreign(_)) => Self::new(USAGE, error, "give a folder that is not there yet"),
            DocsError::Site(_) => Self::new(UNFINISHED, error, ""),
            DocsError::Build(errors) => {
                let hint = |error: &BuildError| match error {
                    BuildError::Read { .. } | BuildError::NotUtf8(_) => {
                        "give a file or folder of text that you may read"
                    }
                    BuildError::Template(_) => "correct the template",
                    BuildError::NoPage(_) => {
                        "name it after the page that it is for, as servers.md, or say in `docs.pages` where it goes"
                    }
                    BuildError::NoTemplate { .. } => "write it, or correct the name of the page in `docs.pages`",
                    BuildError::Markers { .. } => "correct the markers; nothing was written",
                    BuildError::ByHand { .. } => {
                        "bring the change into the catalog or a template of your own, or give it up with --overwrite"
                    }
                };
                let unreadable = errors.iter().any(|error| matches!(error, BuildError::Read { .. }));
                let message =
                    |error: &BuildError| Message { what: error.to_string(), hint: Some(hint(error).to_owned()) };
                Self {
                    messages: errors.iter().map(message).collect(),
                    status: if unreadable { UNFINISHED } else { USAGE },
                }
            }
        }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Audit(error) => error.into(),
            CommandError::Fix(error) => error.into(),
            CommandError::Keep(KeepError::Read { .. } | KeepError::Outside { .. }) => {
                Self::new(USAGE, error, "give documents of text below the root of the audit")
            }
            CommandError::Keep(KeepError::Add { ref reason, .. }) => {
                let hint = match reason {
                    AddError::Flow(_) => "write each entry on lines of its own, or add it by hand",
                    _ => "`mcp-kit catalog check` says what is wrong with it",
                };
                Self::new(USAGE, error, hint)
            }
            CommandError::Keep(KeepError::Write(error)) => error.into(),
            CommandError::Catalog(error) => error.into(),
            CommandError::Baseline(error) => error.into(),
            CommandError::WriteBaseline(error) => error.into(),
            CommandError::Output(error) => Self::output(&error),
            CommandError::Web(WebError::NotBuilt) => {
                Self::new(USAGE, error, "install it with it: cargo install --locked --path . --features online")
            }
            CommandError::Web(WebError::Exclude(_)) => Self::new(USAGE, error, "correct the configuration"),
            CommandError::Web(WebError::Client(_)) => Self::new(UNFINISHED, error, ""),
        }
    }
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        let hint = match &error {
            BaselineError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "add --update-baseline to make it of what is found now"
            }
            BaselineError::Read { .. } => "give a readable file, or add --update-baseline to make a new one elsewhere",
            BaselineError::Invalid { .. } => {
                "mend the line, or delete the file and make a new one with --update-baseline"
            }
        };
        Self::new(USAGE, error, hint)
    }
}

impl From<FilesError> for Failure {
    fn from(error: FilesError) -> Self {
        let (status, hint) = match &error {
            FilesError::NotEmpty(_) => (USAGE, "choose another folder with --path, or empty this one"),
            FilesError::NotAFolder(_) | FilesError::Nameless(_) => (USAGE, "choose another folder with --path"),
            FilesError::NotUtf8(_) => (USAGE, "rename it"),
            FilesError::Special(_) => {
                (USAGE, "put a plain file in its place: links are not followed out of a template")
            }
            FilesError::Io { source, .. } => (
                UNFINISHED,
                match source.kind() {
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        "choose a folder that you may write to with --path"
                    }
                    io::ErrorKind::NotFound => "that folder cannot be created; choose another one with --path",
                    io::ErrorKind::NotADirectory => "a part of the path is a file; choose another folder with --path",
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
                    _ => "",
                },
            ),
        };
        Self::new(status, error, hint)
    }
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        let hint = match &error {
            TemplateError::Address(_) => "this version takes folders only: clone it first, then give the folder",
            TemplateError::Missing(_) | TemplateError::NotAFolder(_) => {
                "give a folder with a cargo-generate template, or leave --template out"
            }
            TemplateError::Unportable(_) => "rename the file in the template",
            TemplateError::Script(_) | TemplateError::Manifest { error: ManifestError::Hooks(_), .. } => {
                "mcp-kit runs nothing from a template; take the scripts out, or use cargo-generate itself if you trust them"
            }
            TemplateError::Manifest { error: ManifestError::SubTemplates(_), .. } => "give the folder of one of them",
            TemplateError::Manifest { .. } => "correct the template",
            TemplateError::Files(_) => "",
        };
        match error {
            TemplateError::Files(error) => error.into(),
            _ => Self::new(USAGE, error, hint),
        }
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Syntax(files) => Self {
                messages: files
                    .into_iter()
                    .map(|file| Message {
                        what: format!("the template's file {} cannot be rendered: {}", file.path, file.reason),
                        hint: Some(
                            "correct it, or list it under `exclude` in cargo-generate.toml to have it copied as it is"
                                .to_owned(),
                        ),
                    })
                    .collect(),
                status: USAGE,
            },
            RenderError::Refused(_) => Self::new(USAGE, error, "correct the template"),
            RenderError::Crashed(_) => Self::new(UNFINISHED, error, "this is a mistake of mcp-kit; please report it"),
            RenderError::Sandbox(_) => {
                Self::new(UNFINISHED, error, "set TMPDIR to a folder with a plain name, such as /tmp")
            }
            RenderError::Start(_) => {
                Self::new(UNFINISHED, error, "mcp-kit needs a writable folder for temporary files (TMPDIR)")
            }
            RenderError::Files(error) => error.into(),
            RenderError::Interrupted(interrupted) => interrupted.into(),
        }
    }
}

fn explain(wrong: &Wrong) -> Message {
    let hint = match wrong {
        Wrong::Name(bad) => Some(format!("try {}", bad.suggestion)),
        Wrong::Answer(problem) => hint(problem),
    };
    Message { what: wrong.to_string(), hint }
}

fn hint(problem: &Problem) -> Option<String> {
    match problem {
        Problem::NotAPair(_) => Some("write --set KEY=VALUE".to_owned()),
        Problem::File { .. } => None,
        Problem::Unknown { nearest: Some(nearest), .. } | Problem::Rejected { nearest: Some(nearest), .. } => {
            Some(format!("did you mean {nearest}?"))
        }
        Problem::Unknown { known, .. } if known.is_empty() => Some("it has none at all".to_owned()),
        Problem::Unknown { known, .. } => Some(format!("it has {}", known.join(", "))),
        Problem::Rejected { .. } => None,
        Problem::Disagree { .. } => Some("leave one of them out".to_owned()),
        Problem::Missing { key, .. } => Some(format!("add --set {key}=…")),
    }
}
