//! Rows of the table of settings, in `src/config.rs`, and what the project's tests hold to it: `.env.example` and the tables of
//! `docs/SETTINGS.md`. They are written as the command `config` of the project prints them.

use super::ExtendError;
use super::files::ProjectFiles;
use super::identifier::{self, NameKind};
use super::rust::{block, closing, masked};

const CONFIG: &str = "src/config.rs";
const EXAMPLE: &str = ".env.example";
const PAGE: &str = "docs/SETTINGS.md";
/// The group behind which a project's own groups stand.
const TOKENS: &str = "The server's own tokens for what it calls";

/// The kind of a setting's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SettingKind {
    /// Any text
    #[default]
    Text,
    /// Several texts, comma-separated
    List,
    /// on or off
    Switch,
    /// A whole number
    Number,
    /// A time in seconds
    Seconds,
    /// An https address
    Url,
    /// A secret; it is never printed and can come from a file
    Secret,
    /// The server's own token for an API, kept in the token store
    Token,
}

/// A row to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// The name of the variable.
    pub name: String,
    /// The kind of its values.
    pub kind: SettingKind,
    /// The default; for a token, where one gets it.
    pub default: Option<String>,
    /// The heading that it stands under.
    pub group: String,
    /// The meaning: one sentence.
    pub help: String,
}

impl SettingRow {
    /// Checks what the user has typed.
    ///
    /// # Errors
    /// A name, default or text that would not be a row.
    pub fn check(&self) -> Result<(), ExtendError> {
        identifier::check(NameKind::Setting, &self.name)?;
        let wrong = |what, value: &str, reason| Err(ExtendError::Value { what, value: value.to_owned(), reason });
        for (what, value) in [("--group", &self.group), ("--meaning", &self.help)] {
            if value.trim().is_empty() || value.chars().any(|c| c.is_control() || c == '\\') {
                return wrong(what, value, "must be one line without backslashes");
            }
        }
        let Some(default) = &self.default else {
            return match self.kind {
                SettingKind::Switch | SettingKind::Number | SettingKind::Seconds => {
                    wrong("--default", "", "must be given for a setting of this kind")
                }
                _ => Ok(()),
            };
        };
        if default.chars().any(|c| c.is_control() || matches!(c, '\\' | '`')) {
            return wrong("--default", default, "must be one line without backslashes and backticks");
        }
        match self.kind {
            SettingKind::Switch if default != "on" && default != "off" => {
                wrong("--default", default, "must be on or off")
            }
            SettingKind::Number | SettingKind::Seconds if default.parse::<u32>().is_err() => {
                wrong("--default", default, "must be a whole number")
            }
            SettingKind::Url if !is_address(default) => wrong(
                "--default",
                default,
                "must be an https address without a slash at its end; http for this machine only",
            ),
            SettingKind::List | SettingKind::Secret => {
                wrong("--default", default, "cannot be given for a setting of this kind")
            }
            _ => Ok(()),
        }
    }

    /// The row of the table.
    fn source(&self) -> String {
        let text = |text: &str| format!("\"{}\"", text.replace('"', "\\\""));
        let some = |default: &Option<String>| {
            default.as_ref().map_or("None".to_owned(), |default| format!("Some({})", text(default)))
        };
        let default = text(self.default.as_deref().unwrap_or_default());
        let (kind, arguments) = match self.kind {
            SettingKind::Text => ("text", vec![some(&self.default)]),
            SettingKind::List => ("list", vec![]),
            SettingKind::Switch => ("switch", vec![default]),
            SettingKind::Number => ("number", vec!["(0, 1_000_000)".to_owned(), default]),
            SettingKind::Seconds => ("seconds", vec!["(0, 86_400)".to_owned(), default]),
            SettingKind::Url => ("url", vec![some(&self.default)]),
            SettingKind::Secret => ("secret", vec![]),
            SettingKind::Token => ("token", vec![default]),
        };
        let all = [vec![text(&self.name)], arguments, vec![text(&self.group), text(&self.help)]].concat();
        let line = format!("    Setting::{kind}({}),\n", all.join(", "));
        if line.trim_end().chars().count() <= 120 {
            return line;
        }
        format!("    Setting::{kind}(\n        {},\n    ),\n", all.join(",\n        "))
    }

    /// The lines of `.env.example`.
    fn example(&self) -> String {
        let (from, default) = match (self.kind, self.default.as_deref()) {
            (SettingKind::Token, Some(from)) => (format!("# Get from: {from}\n"), ""),
            (_, default) => (String::new(), default.unwrap_or_default()),
        };
        format!("\n# {}\n{from}{}={default}\n", self.help, self.name)
    }

    /// The row of the page.
    fn page(&self) -> String {
        let is_secret = matches!(self.kind, SettingKind::Secret | SettingKind::Token);
        let default =
            self.default.as_ref().filter(|_| !is_secret).map_or_else(String::new, |default| format!("`{default}`"));
        let secret = if is_secret { ", a secret" } else { "" };
        format!("| `{}`{secret} | {default} | {} |\n", self.name, self.help.replace('|', "\\|"))
    }
}

/// Returns whether the text is an address that the table of settings takes.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" || (url.scheme() == "http" && is_local)) && plain && !text.ends_with('/')
}

/// Adds a row, if the table does not have its name.
///
/// # Errors
/// When every server has a setting of this name, or the table is not where it was.
pub fn add(files: &mut ProjectFiles, row: &SettingRow) -> Result<(), ExtendError> {
    let text = files.read(CONFIG)?;
    if !text.contains(&format!("\"{}\"", row.name)) {
        if files.is_of_every_server(&row.name)? {
            let by = "every server has a setting of this name".to_owned();
            return Err(ExtendError::Taken { name: row.name.clone(), by });
        }
        let none = || ExtendError::NoPlace { path: CONFIG.to_owned(), anchor: "table `SETTINGS: &[Setting] = &[…]`" };
        let mask = masked(&text);
        let table = mask.find("SETTINGS: &[Setting] = &[").ok_or_else(none)?;
        let open = table + "SETTINGS: &[Setting] = &[".len() - 1;
        let close = closing(&mask, open).ok_or_else(none)?;
        let head = text[..close].trim_end();
        let head = if head.ends_with(['[', ',']) { head.to_owned() } else { format!("{head},") };
        files.set(CONFIG, format!("{head}\n{}{}", row.source(), &text[close..]), format!("the row {}", row.name));
    }
    example(files, row)?;
    page(files, row)
}

fn example(files: &mut ProjectFiles, row: &SettingRow) -> Result<(), ExtendError> {
    let Some(text) = files.find(EXAMPLE)? else { return Ok(()) };
    if text.lines().any(|line| line.starts_with(&format!("{}=", row.name))) {
        return Ok(());
    }
    let section_end = |group: &str| {
        let start = text.find(&format!("\n# --- {group} ---"))? + 1;
        Some(text[start..].find("\n# --- ").map_or(text.len(), |end| start + end))
    };
    let (at, heading) = match section_end(&row.group) {
        Some(end) => (end, String::new()),
        None => {
            let dashes = "-".repeat(114_usize.saturating_sub(row.group.chars().count()));
            (section_end(TOKENS).unwrap_or(text.len()), format!("\n# --- {} {dashes}\n", row.group))
        }
    };
    files.set(EXAMPLE, super::rust::insert(&text, at, &format!("{heading}{}", row.example())), row.name.clone());
    Ok(())
}

fn page(files: &mut ProjectFiles, row: &SettingRow) -> Result<(), ExtendError> {
    let Some(text) = files.find(PAGE)? else { return Ok(()) };
    if text.contains(&format!("\n| `{}`", row.name)) {
        return Ok(());
    }
    let head = "| Variable | Default | Meaning |\n|---|---|---|\n";
    let table_end = |group: &str| {
        let start = text.find(&format!("## {group}\n\n{head}"))? + format!("## {group}\n\n").len();
        Some(
            start
                + text[start..]
                    .split_inclusive('\n')
                    .take_while(|line| line.starts_with('|'))
                    .map(str::len)
                    .sum::<usize>(),
        )
    };
    let (at, heading) = match table_end(&row.group) {
        Some(end) => (end, String::new()),
        None => match table_end(TOKENS) {
            Some(end) => (end, format!("\n## {}\n\n{head}", row.group)),
            None => return Ok(()),
        },
    };
    files.set(PAGE, super::rust::insert(&text, at, &format!("{heading}{}", row.page())), row.name.clone());
    Ok(())
}

/// Returns the names of the rows of the table that have this ending, without it and in small letters.
///
/// # Errors
/// When the table cannot be read.
pub fn names_with(files: &mut ProjectFiles, ending: &str) -> Result<Vec<String>, ExtendError> {
    let text = files.read(CONFIG)?;
    let table = block(&masked(&text), "SETTINGS").map_or(text.as_str(), |_| text.as_str());
    let quoted = table.split('"').skip(1).step_by(2);
    Ok(quoted.filter_map(|name| name.strip_suffix(ending)).map(str::to_lowercase).collect())
}
