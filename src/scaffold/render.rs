//! Runs cargo-generate as a library in a sandbox. In: a template and answers. Out: files, without side effects.
//!
//! The library reads the environment (`USER`, `CARGO_GENERATE_VALUE_*`), the user's cargo-generate.toml and git
//! configuration. It prints progress even when asked not to, and sanitises paths through its own temporary folder. So
//! it runs in a separate process (this binary again, as [`SANDBOXED_COMMAND`]) with a fresh environment, inside a
//! temporary folder. The process returns only the folder it wrote or the text of its error.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, io, thread};

use super::answers::{Answer, Answers};
use super::literal::{self, LiteralTexts};
use super::manifest;
use super::template::Template;
use super::vendor_output::{self, GenerateError};
use super::verbatim;
use crate::error::{Explain, Message, UNFINISHED, USAGE};
use crate::fs::files::{self, FileTree, FilesError};
use crate::fs::interrupt::{Interrupt, Interrupted};
use crate::fs::scratch::Scratch;

/// The hidden first argument that turns this binary into the renderer.
pub const SANDBOXED_COMMAND: &str = "__render";
/// The argument after the name that lets the template's scripts call programs.
pub const WITH_COMMANDS: &str = "commands";

const TEMPLATE: &str = "template";
const OUT: &str = "out";
const HOME: &str = "home";
const TMP: &str = "tmp";
const VALUES: &str = "values.toml";
const ERROR: &str = "error.txt";

/// A template file with a Liquid error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFile {
    /// The path in the template.
    pub path: String,
    /// The error, with line and column when known.
    pub reason: String,
}

/// The reason that rendering failed.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The name is no name of a folder, which the library would take for a path.
    #[error("{0:?} cannot be the name of a project")]
    Name(String),
    /// Template files with Liquid errors.
    #[error("{} of the template cannot be rendered", if .0.len() == 1 { "a file" } else { "some files" })]
    Syntax(Vec<BadFile>),
    /// Any other error that cargo-generate reports.
    #[error("the template cannot be rendered: {0}")]
    Refused(String),
    /// The renderer exited without an error message.
    #[error("the renderer ended unexpectedly ({0})")]
    Crashed(String),
    /// The system or another program stopped the renderer.
    #[error("the renderer was stopped from outside ({0})")]
    Stopped(String),
    /// The library would change the path of the temporary folder.
    #[error("the folder for temporary files, {}, has characters in its path that the renderer cannot take", .0.display())]
    Sandbox(PathBuf),
    /// The renderer could not be started or watched.
    #[error("cannot start the renderer: {0}")]
    Start(#[source] io::Error),
    /// The temporary folder could not be read or written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A signal stopped the run.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Renders `template` for the project `name`. It writes only to a temporary folder, which it removes at the end.
///
/// # Errors
/// When the template cannot be rendered, or the system cannot run the renderer.
pub fn render(
    template: &Template,
    name: &str,
    answers: &Answers,
    interrupt: &Interrupt,
) -> Result<FileTree, RenderError> {
    // It can come from the records of somebody else's project.
    if !is_plain_name(name) {
        return Err(RenderError::Name(name.to_owned()));
    }
    let mut files = template.files.clone();
    // A script can do anything with any file.
    let groups = if template.runs_scripts { Vec::new() } else { verbatim::groups(&template.manifest.table, &files) };
    for path in groups.iter().flat_map(|group| &group.paths) {
        files.remove(path);
    }
    let literals =
        if template.runs_scripts { LiteralTexts::default() } else { take_out_literals(&mut files, name, answers) };
    let verbatim: Vec<String> = not_utf8(&files);
    let verbatim: Vec<&str> = verbatim.iter().map(String::as_str).collect();
    // Without this file, the library would search subfolders for a template.
    files.insert(manifest::FILE.to_owned(), files::File::text(template.manifest.for_library(&verbatim)));
    let mut rendered = render_tree(&files, template, name, answers, interrupt)?;
    literals.put_back(&mut rendered);

    // The library drops the mode of a rendered file with a new name, and keeps it for a copied one. So a second pass
    // copies the few executable files with a placeholder in their name.
    let renamed = |path: &str| path.contains("{{") || path.contains("{%");
    let mut copied: FileTree = files.into_iter().filter(|(path, file)| file.executable && renamed(path)).collect();
    if !copied.is_empty() {
        copied.insert(manifest::FILE.to_owned(), files::File::text(template.manifest.copying()));
        for path in render_tree(&copied, template, name, answers, interrupt)?.into_keys() {
            if let Some(file) = rendered.get_mut(&path) {
                file.executable = true;
            }
        }
    }
    for group in groups {
        if rendered.contains_key(&group.sample) {
            let copied = group.paths.iter().filter_map(|path| template.files.get_key_value(path));
            rendered.extend(copied.map(|(path, file)| (path.clone(), file.clone())));
        }
    }
    Ok(rendered)
}

/// Takes the literal text out of the files that the library does nothing with but to render them.
fn take_out_literals(files: &mut FileTree, name: &str, answers: &Answers) -> LiteralTexts {
    let mut literals = LiteralTexts::default();
    let answers = answers.0.iter().filter_map(|(_, answer)| match answer {
        Answer::Text(text) => Some(text.as_bytes()),
        Answer::Bool(_) => None,
    });
    // It could look like what was taken out.
    if files.values().map(|file| &*file.bytes).chain(answers).chain([name.as_bytes()]).any(literal::has_marks) {
        return literals;
    }
    for (_, file) in files.iter_mut().filter(|(path, _)| !verbatim::is_read_by_the_library(path)) {
        if let Some(short) = std::str::from_utf8(&file.bytes).ok().and_then(|text| literals.take_out(text)) {
            file.bytes = short.into_bytes().into();
        }
    }
    literals
}

/// Returns whether a name is one that `mcp-kit new` gives or cargo allows.
fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    (1..=200).contains(&name.len()) && name.chars().all(plain)
}

fn render_tree(
    files: &FileTree,
    template: &Template,
    name: &str,
    answers: &Answers,
    interrupt: &Interrupt,
) -> Result<FileTree, RenderError> {
    let bytes = files.values().map(|file| file.bytes.len()).sum();
    let sandbox = Scratch::for_bytes(bytes).map_err(RenderError::Start)?;
    // The library resolves paths, and on some systems the temporary folder is behind a symbolic link.
    let root = sandbox.path().canonicalize().map_err(RenderError::Start)?;
    if !survives_sanitising(&root) {
        return Err(RenderError::Sandbox(root));
    }
    for folder in [TEMPLATE, OUT, HOME, TMP] {
        sandbox.folder(folder).map_err(RenderError::Start)?;
    }
    files::write_tree(&root.join(TEMPLATE), files, || Ok::<(), RenderError>(interrupt.check()?))?;
    sandbox.write(VALUES, values(answers).as_bytes()).map_err(RenderError::Start)?;

    let program = env::current_exe().map_err(RenderError::Start)?;
    let mut command = Command::new(program);
    command.arg(SANDBOXED_COMMAND).arg(name).current_dir(&root).env_clear();
    if template.runs_scripts {
        command.arg(WITH_COMMANDS).envs(env::var_os("PATH").map(|path| ("PATH", path)));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (variable, folder) in [("HOME", HOME), ("CARGO_HOME", HOME), ("XDG_CONFIG_HOME", HOME), ("USERPROFILE", HOME)] {
        command.env(variable, root.join(folder));
    }
    for variable in ["TMPDIR", "TMP", "TEMP"] {
        command.env(variable, root.join(TMP));
    }
    // The value of a template's `{{ authors }}`, the same on every machine.
    command.env("USER", "user").env("CARGO_NAME", format!("The {name} authors"));
    #[cfg(windows)]
    if let Some(system) = env::var_os("SystemRoot") {
        command.env("SystemRoot", system);
    }

    let status = wait(command, interrupt)?;
    if status.success() {
        return Ok(files::read_tree(&root.join(OUT).join(name), &|_| false)?);
    }
    match fs::read_to_string(root.join(ERROR)) {
        Ok(message) => Err(explain(&message, template)),
        Err(_) if is_stopped(status) => Err(RenderError::Stopped(status.to_string())),
        Err(_) => Err(RenderError::Crashed(status.to_string())),
    }
}

/// Returns whether a signal from outside ended the process: `SIGKILL`, as from the system when memory runs out, `SIGTERM`,
/// or a limit of time or file size. A crash of the program itself has other signals.
fn is_stopped(status: std::process::ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGKILL, SIGTERM, SIGXCPU, SIGXFSZ};
        use std::os::unix::process::ExitStatusExt as _;
        matches!(status.signal(), Some(SIGHUP | SIGKILL | SIGTERM | SIGXCPU | SIGXFSZ))
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}

/// Waits in short sleeps, so that a signal to this process alone stops a template that never finishes.
fn wait(mut command: Command, interrupt: &Interrupt) -> Result<std::process::ExitStatus, RenderError> {
    let mut child = command.spawn().map_err(RenderError::Start)?;
    loop {
        if let Some(status) = child.try_wait().map_err(RenderError::Start)? {
            // Ctrl-C reaches the whole process group. A child that it kills has not crashed.
            interrupt.check()?;
            return Ok(status);
        }
        if let Err(interrupted) = interrupt.check() {
            // Reap the child before removing the temporary folder, which it may still use.
            let _ = child.kill();
            let _ = child.wait();
            return Err(interrupted.into());
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs the renderer in its own process, with the sandbox as the current folder. Returns whether it succeeded.
#[must_use]
pub fn sandboxed_main(name: &str, allow_commands: bool) -> bool {
    let report = |message: &str| {
        // If writing fails, the parent reports the exit status instead.
        let _ = files::replace(Path::new(ERROR), message.as_bytes());
    };
    std::panic::set_hook(Box::new(move |panic| report(&format!("internal error of cargo-generate: {panic}"))));
    let generated = env::current_dir().map_err(Into::into).and_then(|sandbox| {
        cargo_generate::generate(cargo_generate::GenerateArgs {
            template_path: cargo_generate::TemplatePath {
                path: Some(sandbox.join(TEMPLATE).to_string_lossy().into_owned()),
                ..Default::default()
            },
            name: Some(name.to_owned()),
            // "Don't convert the name": it is already checked and must stay unchanged.
            force: true,
            quiet: true,
            silent: true,
            template_values_file: Some(sandbox.join(VALUES).to_string_lossy().into_owned()),
            vcs: Some(cargo_generate::Vcs::None),
            lib: false,
            bin: true,
            destination: Some(sandbox.join(OUT)),
            no_workspace: true,
            no_fmt: true,
            allow_commands,
            ..Default::default()
        })
    });
    generated.map_err(|error| report(&format!("{error:#}"))).is_ok()
}

fn values(answers: &Answers) -> String {
    let mut values = toml::Table::new();
    for (key, answer) in &answers.0 {
        let value = match answer {
            Answer::Bool(flag) => toml::Value::Boolean(*flag),
            Answer::Text(text) => toml::Value::String(text.clone()),
        };
        values.insert(key.clone(), value);
    }
    let mut document = toml::Table::new();
    document.insert("values".to_owned(), toml::Value::Table(values));
    document.to_string()
}

fn not_utf8(files: &FileTree) -> Vec<String> {
    let binary = files.iter().filter(|(_, file)| std::str::from_utf8(&file.bytes).is_err());
    binary.map(|(path, _)| path.strip_suffix(".liquid").unwrap_or(path).to_owned()).collect()
}

/// Returns whether the library keeps this path unchanged. It runs every component of its temporary folder's path
/// through Liquid and a sanitiser.
fn survives_sanitising(path: &Path) -> bool {
    let harmless = |text: &str| {
        let odd = |c: char| c.is_control() || matches!(c, '?' | '<' | '>' | ':' | '*' | '|' | '"' | '{' | '}');
        cfg!(windows) || !text.contains(odd)
    };
    path.to_str().is_some_and(harmless)
}

/// Parses the library's terminal output into an error with file and reason.
fn explain(message: &str, template: &Template) -> RenderError {
    match vendor_output::generate_error(message) {
        GenerateError::Syntax(files) => {
            RenderError::Syntax(files.iter().map(|path| bad_file(path, template)).collect())
        }
        GenerateError::Other(text) => RenderError::Refused(text),
    }
}

/// Parses the file with Liquid again, because the library drops the reason.
fn bad_file(path: &str, template: &Template) -> BadFile {
    let source = [format!("{path}.liquid"), path.to_owned()];
    let file = source.iter().find_map(|path| template.files.get_key_value(path));
    let (path, bytes) = file.map_or((path, &[][..]), |(path, file)| (path.as_str(), &file.bytes));
    let parser = liquid::ParserBuilder::with_stdlib().build();
    let reason = match parser.map(|parser| parser.parse(&String::from_utf8_lossy(bytes)).err()) {
        Ok(Some(error)) => vendor_output::liquid_reason(&error.to_string()),
        Ok(None) | Err(_) => "it is not valid Liquid".to_owned(),
    };
    BadFile { path: path.to_owned(), reason }
}

impl Explain for RenderError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Name(_) => {
                "correct it where it stands: in .mcp-kit/answers.toml, or in Cargo.toml for a project without records"
            }
            Self::Syntax(_) => {
                "correct it, or list it under `exclude` in cargo-generate.toml to have it copied as it is"
            }
            Self::Refused(_) => "correct the template",
            Self::Crashed(_) => "this is a mistake of mcp-kit; please report it",
            Self::Stopped(_) => "run it again with more memory and time; a template with an endless loop needs a fix",
            Self::Sandbox(_) => "set TMPDIR to a folder with a plain name, such as /tmp",
            Self::Start(_) => "mcp-kit needs a writable folder for temporary files (TMPDIR)",
            Self::Files(error) => return error.hint(),
            Self::Interrupted(_) => return None,
        };
        Some(hint.into())
    }

    fn status(&self) -> u8 {
        match self {
            Self::Name(_) | Self::Syntax(_) | Self::Refused(_) => USAGE,
            Self::Crashed(_) | Self::Stopped(_) | Self::Sandbox(_) | Self::Start(_) => UNFINISHED,
            Self::Files(error) => error.status(),
            Self::Interrupted(interrupted) => interrupted.status(),
        }
    }

    fn messages(&self) -> Vec<Message> {
        let hint = self.hint().map(Cow::into_owned);
        match self {
            Self::Syntax(files) => {
                let what =
                    |file: &BadFile| format!("the template's file {} cannot be rendered: {}", file.path, file.reason);
                files.iter().map(|file| Message { what: what(file), hint: hint.clone() }).collect()
            }
            Self::Interrupted(interrupted) => interrupted.messages(),
            _ => vec![self.message()],
        }
    }
}
