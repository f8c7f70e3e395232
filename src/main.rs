//! Parse, dispatch, exit status.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use mcp_kit::audit::command as audit;
use mcp_kit::audit::config::written;
use mcp_kit::catalog::command as catalog;
use mcp_kit::cli::{AuditDocs, CatalogCommand, Cli, Command, DocsBuild, DocsCommand, DocsServe, Format, New};
use mcp_kit::docs::build::ByHand;
use mcp_kit::docs::command as docs;
use mcp_kit::docs::serve::{self, Event};
use mcp_kit::error::Failure;
use mcp_kit::interrupt::Interrupt;
use mcp_kit::scaffold::report::Git;
use mcp_kit::scaffold::{new, render};
use mcp_kit::terminal::{Paint, Progress, Role};

fn main() -> ExitCode {
    // Before clap: no help, completion or error message may know of it.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() == Some(OsStr::new(render::BOXED_COMMAND)) {
        let name = arguments.next().unwrap_or_default();
        return if render::boxed_main(&name.to_string_lossy()) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let colour = if mcp_kit::terminal::wanted() { clap::ColorChoice::Auto } else { clap::ColorChoice::Never };
    let matches = Cli::command().color(colour).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match dispatch(cli) {
        Ok(status) => status,
        Err(failure) => {
            let _ = write!(io::stderr(), "{}", failure.text(Paint::stderr()));
            ExitCode::from(failure.status)
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::AuditDocs(audit) => return audit_docs(&audit, cli.quiet),
        Command::Docs(DocsCommand::Build(build)) => return docs_build(&build, cli.quiet),
        Command::Docs(DocsCommand::Serve(serve)) => docs_serve(&serve, cli.quiet),
        Command::Catalog(catalog) => print(
            match catalog {
                CatalogCommand::Add(add) => catalog::add(&add.file.path, &add.service(), add.dry_run)?,
                CatalogCommand::Check { file } => catalog::check(&file.path)?,
                CatalogCommand::List { file, format } => catalog::list(&file.path, format)?,
                CatalogCommand::Schema => mcp_kit::catalog::schema(),
            }
            .as_bytes(),
        ),
        Command::New(new) => create(new, cli.quiet, cli.verbose),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "mcp-kit", &mut script);
            print(&script)
        }
        Command::Man { out: Some(folder) } => man_pages(&folder),
        Command::Man { out: None } => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| Failure::output(&error))?;
            print(&page)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

fn create(command: New, quiet: bool, verbose: bool) -> Result<(), Failure> {
    let paint = Paint::stderr();
    let note = |text: &str| {
        let _ = writeln!(io::stderr(), "{} {text}", paint.paint(Role::Hint, "note:"));
    };
    let format = command.format;
    let interrupt = Interrupt::listen().map_err(|error| Failure::output(&error))?;
    let made = new::run(command.request(today()), &interrupt, &|step| {
        if verbose {
            note(step);
        }
    })?;
    if made.git() == Git::Unavailable && !quiet {
        note("git is not installed, so the project is not a repository");
    }
    match format {
        Format::Json => {
            print(format!("{}\n", made.report().json().map_err(|error| Failure::output(&error.into()))?).as_bytes())
        }
        Format::Human if quiet => Ok(()),
        Format::Human => print(made.report().human(Paint::stdout()).as_bytes()),
    }
}

fn audit_docs(command: &AuditDocs, quiet: bool) -> Result<ExitCode, Failure> {
    let (paint, mut out) = (Paint::stdout(), BufWriter::with_capacity(1 << 16, io::stdout().lock()));
    let progress = Progress::stderr();
    let listener = audit::Listener {
        note: &|note| {
            progress.clear();
            if !quiet {
                let _ = writeln!(io::stderr(), "{} {note}", Paint::stderr().paint(Role::Hint, "note:"));
            }
        },
        progress: &|what, done, all| {
            if !quiet {
                progress.say(what, done, all);
            }
        },
        done: &|| progress.clear(),
    };
    let status = audit::run(command, paint, mcp_kit::terminal::width(), &mut out, listener)?;
    heard(out.flush())?;
    Ok(ExitCode::from(status))
}

fn docs_build(command: &DocsBuild, quiet: bool) -> Result<ExitCode, Failure> {
    let mode = match (command.check, command.dry_run) {
        (true, _) => docs::Mode::Check,
        (false, true) => docs::Mode::DryRun,
        (false, false) => docs::Mode::Write,
    };
    let by_hand = if command.overwrite { ByHand::Overwrite } else { ByHand::Keep };
    let built = docs::build(&command.file.path, &today(), mode, by_hand, command.html.as_deref())?;
    if !quiet || !built.good {
        print(built.text.as_bytes())?;
    }
    if !quiet {
        for note in built.notes {
            let _ = writeln!(io::stderr(), "{} {note}", Paint::stderr().paint(Role::Hint, "note:"));
        }
    }
    Ok(if built.good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn docs_serve(command: &DocsServe, quiet: bool) -> Result<(), Failure> {
    let paint = Paint::stderr();
    serve::run(&command.file.path, command.port, today, |event| {
        let note = |text: &str| {
            if !quiet {
                let _ = writeln!(io::stderr(), "{} {text}", paint.paint(Role::Hint, "note:"));
            }
        };
        match event {
            Event::Listening(address) => {
                // The result of this command: programs wait for it.
                let _ = print(format!("http://{address}/ shows the pages; Ctrl-C ends it\n").as_bytes());
            }
            Event::Rebuilt(time) => note(&format!("made anew in {} ms", time.as_millis())),
            Event::Note(text) => note(text),
            Event::Failed(error) => {
                let _ = write!(io::stderr(), "{}", Failure::from(error).text(paint));
            }
        }
    })?;
    Ok(())
}

/// The day in UTC, as `2025-11-08`.
fn today() -> String {
    written(audit::today())
}

fn man_pages(folder: &Path) -> Result<(), Failure> {
    clap_mangen::generate_to(Cli::command(), folder).map_err(|error| Failure::output(&error))
}

/// A reader that has seen enough (`| head`) is no failure.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    heard(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

fn heard(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::output(&error)),
        _ => Ok(()),
    }
}
