//! The questions of `mcp-kit new` on a terminal: what flags, `--set` and `--answers` leave open.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::commands::new::{self, NewError, Request};
use crate::error::{Explain as _, Failure};
use crate::fs::prompt::Prompt;
use crate::scaffold::answers;
use crate::scaffold::manifest::{Placeholder, PlaceholderKind};
use crate::scaffold::name;
use crate::scaffold::template::{ScriptPolicy, TemplateError, TemplateScript};
use crate::text::escape::escape_control;
use crate::text::plural::plural;

/// Asks, and adds the answers to the request. Returns `false` where the user does not want the project after all.
///
/// # Errors
/// When the template cannot be used, or a question is not answered.
pub(super) fn complete(prompt: &Prompt, request: &mut Request) -> Result<bool, Failure> {
    let template = match new::template(request.template.as_deref(), &request.hooks) {
        Err(NewError::Template(TemplateError::Hooks { scripts, digest })) => {
            if !prompt.confirm(&hooks(request, &scripts), false)? {
                return Ok(false);
            }
            // Read again, because an address is cloned for each: the scripts that run are those that were shown.
            request.hooks = ScriptPolicy::Read(digest);
            new::template(request.template.as_deref(), &request.hooks)?
        }
        other => other?,
    };
    if request.name.is_empty() {
        let taken = template.package_names();
        let check = |name: &str| {
            name::check(name, &taken).map_err(|bad| match bad.hint() {
                Some(hint) => format!("{bad}; {hint}"),
                None => bad.to_string(),
            })
        };
        request.name = prompt.ask("Name of the project", "lower-case letters, digits, single hyphens", None, &check)?;
    }
    let given = given(request)?;
    for question in &template.manifest.placeholders {
        if !question.conditional && !given.contains(&question.key) {
            let answer = ask(prompt, question)?;
            request.set.push(format!("{}={answer}", question.key));
        }
    }
    Ok(prompt.confirm(&summary(request, &template.manifest.placeholders), true)?)
}

/// The question whether the scripts of a template may run, with all of their text.
fn hooks(request: &Request, scripts: &[TemplateScript]) -> String {
    let given = request.template.as_deref().unwrap_or(Path::new("")).display().to_string();
    let mut text = format!(
        "{} has {}, which can do on this machine whatever you can:\n",
        escape_control(&given),
        plural(scripts.len(), "script")
    );
    for script in scripts {
        let _ = writeln!(text, "\n  {}:", escape_control(&script.path));
        for line in script.text.lines() {
            let _ = writeln!(text, "  | {}", escape_control(line));
        }
    }
    text + if scripts.len() == 1 { "\nRun it?" } else { "\nRun them?" }
}

/// The questions that are answered already. What is wrong with those answers is said later, with everything else.
fn given(request: &Request) -> Result<Vec<String>, NewError> {
    let mut keys: Vec<String> = request.flags.iter().map(|(_, key, _)| (*key).to_owned()).collect();
    keys.extend(request.set.iter().filter_map(|pair| answers::parse_set(pair)).map(|given| given.key));
    if let Some(path) = &request.answers {
        keys.extend(new::read_answers(path)?.0.into_iter().map(|given| given.key));
    }
    Ok(keys)
}

fn ask(prompt: &Prompt, question: &Placeholder) -> Result<String, Failure> {
    let text = if question.prompt.is_empty() { &question.key } else { &question.prompt };
    let help = match question.kind {
        PlaceholderKind::Bool => "true or false".to_owned(),
        PlaceholderKind::List => format!("any of {}, comma-separated", question.choices.join(", ")),
        PlaceholderKind::Text if question.choices.is_empty() => String::new(),
        PlaceholderKind::Text => format!("one of {}", question.choices.join(", ")),
    };
    let check = |answer: &str| question.accepts(answer).map_err(|rule| format!("{answer:?} {rule}"));
    Ok(prompt.ask(&escape_control(text), &escape_control(&help), question.default.as_deref(), &check)?)
}

fn summary(request: &Request, questions: &[Placeholder]) -> String {
    let path = request.path.clone().unwrap_or_else(|| PathBuf::from(&request.name));
    let mut text = format!("\n{} in {}\n", request.name, escape_control(&path.display().to_string()));
    let flags = request.flags.iter().map(|(_, key, value)| ((*key).to_owned(), value.clone()));
    let set = request.set.iter().filter_map(|pair| answers::parse_set(pair)).map(|given| (given.key, given.value));
    let answers: Vec<(String, String)> = flags.chain(set).collect();
    let width = questions.iter().map(|question| question.key.len()).max().unwrap_or_default();
    for question in questions {
        if let Some((key, value)) = answers.iter().find(|(key, _)| *key == question.key) {
            let _ = writeln!(text, "  {key:width$}  {}", escape_control(value));
        }
    }
    if request.dry_run { format!("{text}Show what would be created?") } else { format!("{text}Create it?") }
}
