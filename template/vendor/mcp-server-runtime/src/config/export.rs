//! The settings as a person or a program reads them: `.env.example`, `my-server config` and the reference pages.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Environment, Setting, SettingKind, Table};

/// How settings are written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Format {
    /// Lines of an `.env` file, with what each means.
    #[default]
    Env,
    /// One JSON object a setting.
    Json,
    /// A table for a page.
    Markdown,
}

/// Stands for a secret that is set.
const MASK: &str = "********";

/// All settings with the values that they have in this environment. A secret is masked, whether it is right or wrong.
pub(crate) fn export(env: &Environment, own: &'static [Setting], format: Format) -> String {
    let table = Table::with(own);
    match format {
        Format::Env => lines(env, &table),
        Format::Json => json(env, &table),
        Format::Markdown => markdown(&table),
    }
}

/// The value of a setting as it counts; a mask for a secret.
fn value(env: &Environment, setting: &Setting) -> Option<String> {
    if setting.is_secret() {
        let file = env.text(&format!("{}_FILE", setting.name));
        return env.text(setting.name).or(file).map(|_| MASK.to_owned());
    }
    env.text(setting.name).or_else(|| setting.default.map(str::to_owned))
}

fn lines(env: &Environment, table: &Table) -> String {
    let mut out = String::from(
        "# Every setting, as the command `config --format env` prints it. An empty value means \"not set\".\n\
         # Each secret can be given as a file instead: NAME_FILE=/path/to/it. All problems are reported at once at the start.\n\
         # A file that changes is read again, without a restart; the encryption keys are read at the start only.\n",
    );
    let mut group = "";
    for setting in table.rows() {
        if setting.group != group {
            group = setting.group;
            out.push_str(&format!("\n# --- {group} {}\n", "-".repeat(114_usize.saturating_sub(group.chars().count()))));
        }
        out.push('\n');
        for line in setting.help.lines() {
            out.push_str(&format!("# {line}\n"));
        }
        if let SettingKind::Token { from } = setting.kind {
            out.push_str(&format!("# Get from: {from}\n"));
        }
        out.push_str(&format!("{}={}\n", setting.name, value(env, setting).unwrap_or_default()));
    }
    out
}

fn json(env: &Environment, table: &Table) -> String {
    let rows: Vec<Value> = table
        .rows()
        .map(|setting| {
            json!({
                "name": setting.name,
                "type": kind(setting),
                "default": setting.default,
                "value": value(env, setting),
                "secret": setting.is_secret(),
                "group": setting.group,
                "help": setting.help,
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(rows))
}

fn markdown(table: &Table) -> String {
    let mut out = String::new();
    let mut group = "";
    for setting in table.rows() {
        if setting.group != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            group = setting.group;
            out.push_str(&format!("{gap}## {group}\n\n| Variable | Default | Meaning |\n|---|---|---|\n"));
        }
        let default = setting.default.map_or_else(String::new, |default| format!("`{default}`"));
        let secret = if setting.is_secret() { ", a secret" } else { "" };
        let help = setting.help.lines().next().unwrap_or_default().replace('|', "\\|");
        out.push_str(&format!("| `{}`{secret} | {default} | {help} |\n", setting.name));
    }
    out
}

/// The type of a setting's values, in a word or two.
fn kind(setting: &Setting) -> &'static str {
    match setting.kind {
        SettingKind::Text => "text",
        SettingKind::List => "list",
        SettingKind::Choice(_) => "choice",
        SettingKind::Switch => "switch",
        SettingKind::Number { .. } => "number",
        SettingKind::Seconds { .. } => "seconds",
        SettingKind::Url => "url",
        SettingKind::Secret => "secret", // pragma: allowlist secret
        SettingKind::Token { .. } => "token",
    }
}
