//! The table `[update]` of a template's manifest: the class of each file, and what has a new name. Pure.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use semver::Version;
use serde::Serialize;
use toml::{Table, Value};

/// The rule by which an update treats a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileClass {
    /// Merged: the owner and the template both change it.
    Owned,
    /// Written once; after the owner's first edit the template no longer touches it.
    Seeded,
    /// Replaced as a whole. An edit in it is a conflict.
    Vendored,
    /// Made by a program from other files. Never a conflict.
    Generated,
}

/// The rules of a template.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The version of the template.
    pub version: Option<Version>,
    seeded: GlobSet,
    vendored: GlobSet,
    generated: Vec<(GlobSet, String)>,
    renames: Vec<(String, String)>,
    merged: Vec<(Version, GlobSet)>,
}

impl Rules {
    /// Parses the table.
    ///
    /// # Errors
    /// The key of the wrong value, and the fault.
    pub fn parse(table: &Table) -> Result<Self, (String, String)> {
        let mut rules = Self::default();
        for (key, value) in table {
            let wrong = |fault: &str| (key.clone(), fault.to_owned());
            match key.as_str() {
                "version" => rules.version = Some(version(value).ok_or_else(|| wrong("it is no version"))?),
                "seeded" => rules.seeded = patterns(value).map_err(|fault| wrong(&fault))?,
                "vendored" => rules.vendored = patterns(value).map_err(|fault| wrong(&fault))?,
                "generated" => {
                    for (pattern, command) in pairs(value).map_err(|fault| wrong(&fault))? {
                        let set = patterns(&Value::String(pattern)).map_err(|fault| wrong(&fault))?;
                        rules.generated.push((set, command));
                    }
                }
                "renames" => rules.renames = pairs(value).map_err(|fault| wrong(&fault))?,
                "merged" => {
                    let Some(table) = value.as_table() else { return Err(wrong("it should be a table")) };
                    for (since, list) in table {
                        let since = Version::parse(since).map_err(|error| wrong(&format!("{since}: {error}")))?;
                        rules.merged.push((since, patterns(list).map_err(|fault| wrong(&fault))?));
                    }
                }
                _ => return Err(wrong("it is not known here")),
            }
        }
        Ok(rules)
    }

    /// Returns the class of a file.
    #[must_use]
    pub fn class(&self, path: &str) -> FileClass {
        if self.vendored.is_match(path) {
            FileClass::Vendored
        } else if self.seeded.is_match(path) {
            FileClass::Seeded
        } else if self.generated.iter().any(|(set, _)| set.is_match(path)) {
            FileClass::Generated
        } else {
            FileClass::Owned
        }
    }

    /// Returns the command that makes a generated file, when it is one.
    #[must_use]
    pub fn command(&self, path: &str) -> Option<&str> {
        let found = self.generated.iter().find(|(set, _)| set.is_match(path));
        found.map(|(_, command)| command.as_str()).filter(|command| !command.is_empty())
    }

    /// Returns the new name of a file, when the template has renamed it.
    #[must_use]
    pub fn renamed(&self, path: &str) -> Option<String> {
        let new = |(from, to): &(String, String)| {
            let rest = path.strip_prefix(from.as_str())?;
            (rest.is_empty() || from.ends_with('/')).then(|| (from.len(), format!("{to}{rest}")))
        };
        // A file of a renamed folder can have a new name of its own.
        self.renames.iter().filter_map(new).max_by_key(|(length, _)| *length).map(|(_, name)| name)
    }

    /// Returns whether the step from a version of the template merges this seeded file, because the old one no longer
    /// compiles.
    #[must_use]
    pub fn is_merged_since(&self, path: &str, from: Option<&Version>) -> bool {
        self.merged.iter().any(|(since, set)| from.is_none_or(|from| from < since) && set.is_match(path))
    }
}

fn version(value: &Value) -> Option<Version> {
    value.as_str().and_then(|text| Version::parse(text).ok())
}

fn patterns(value: &Value) -> Result<GlobSet, String> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut set = GlobSetBuilder::new();
    for pattern in list {
        let Some(pattern) = pattern.as_str() else { return Err("it should be a list of patterns".to_owned()) };
        set.add(GlobBuilder::new(pattern).literal_separator(true).build().map_err(|error| error.to_string())?);
    }
    set.build().map_err(|error| error.to_string())
}

fn pairs(value: &Value) -> Result<Vec<(String, String)>, String> {
    let Some(table) = value.as_table() else { return Err("it should be a table".to_owned()) };
    let pair = |(key, value): (&String, &Value)| match value.as_str() {
        Some(value) => Ok((key.clone(), value.to_owned())),
        None => Err(format!("{key:?} should have a text")),
    };
    table.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules, (String, String)> {
        Rules::parse(&text.parse().expect("TOML"))
    }

    #[test]
    fn classes_and_names() {
        let rules = rules(
            "version = '2.0.0'\nseeded = ['src/tools.rs']\nvendored = ['vendor/**']\ngenerated = { 'a/*.md' = 'make a', x = '' }\n\
             renames = { 'old/' = 'new/', 'old/c.rs' = 'c.rs', 'a.rs' = 'b.rs' }\nmerged = { '2.0.0' = ['src/tools.rs'] }",
        )
        .expect("rules");
        assert_eq!(rules.class("src/tools.rs"), FileClass::Seeded);
        assert_eq!(rules.class("vendor/x/src/lib.rs"), FileClass::Vendored);
        assert_eq!(rules.class("a/b.md"), FileClass::Generated);
        assert_eq!(rules.class("a/b/c.md"), FileClass::Owned);
        assert_eq!((rules.command("a/b.md"), rules.command("x")), (Some("make a"), None));
        assert_eq!(rules.renamed("old/x/y").as_deref(), Some("new/x/y"));
        assert_eq!(rules.renamed("old/c.rs").as_deref(), Some("c.rs"));
        assert_eq!((rules.renamed("a.rs").as_deref(), rules.renamed("a.rsx")), (Some("b.rs"), None));
        assert!(rules.is_merged_since("src/tools.rs", Some(&Version::new(1, 9, 9))));
        assert!(rules.is_merged_since("src/tools.rs", None));
        assert!(!rules.is_merged_since("src/tools.rs", Some(&Version::new(2, 0, 0))));
    }

    #[test]
    fn mistakes_have_their_key() {
        for (text, key) in [
            ("version = 2", "version"),
            ("seeded = ['a[']", "seeded"),
            ("seeded = [1]", "seeded"),
            ("renames = ['a']", "renames"),
            ("merged = { x = ['a'] }", "merged"),
            ("frozen = []", "frozen"),
        ] {
            assert_eq!(rules(text).expect_err("a mistake").0, key);
        }
    }
}
