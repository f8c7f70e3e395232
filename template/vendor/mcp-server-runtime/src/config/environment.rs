//! Where values come from, and how problems with them are reported.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::secret_files;

/// A snapshot of the environment. Built once, so that reading has no side effects and tests need not touch the process.
pub struct Environment {
    values: BTreeMap<String, SecretString>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn process() -> Self {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self::from_pairs(std::env::vars_os().filter_map(text))
    }

    /// An environment with just these variables.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        Self { values: pairs.into_iter().map(|(name, value)| (name.into(), value.into().into())).collect() }
    }

    /// The trimmed value of a variable; an empty one counts as absent, as compose files set what is not given to "".
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        use secrecy::ExposeSecret as _;
        let text = self.values.get(name)?.expose_secret().trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A secret from `NAME`, or from the file that `NAME_FILE` names (Docker and Kubernetes mount secrets so).
    pub(super) fn secret(&self, name: &str) -> Result<Option<SecretString>, String> {
        use secrecy::ExposeSecret as _;
        let file = self.values.get(&format!("{name}_FILE")).map(|s| s.expose_secret().trim()).filter(|s| !s.is_empty());
        match (self.text(name), file) {
            (Some(_), Some(_)) => Err(format!("is set twice: by itself and by {name}_FILE")),
            (Some(value), None) => Ok(Some(value.into())),
            (None, None) => Ok(None),
            (None, Some(path)) => match secret_files::read(Path::new(path)) {
                Ok(secret) => Ok(Some(secret)),
                Err(problem) => Err(format!("the file {path} of {name}_FILE: {problem}")),
            },
        }
    }

    /// The file of a secret, where it comes from one.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        self.text(&format!("{name}_FILE")).map(PathBuf::from)
    }
}

/// One thing that is wrong with one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub variable: &'static str,
    /// The problem, and what to do.
    pub text: String,
}

/// Everything that is wrong with the environment, in the order in which it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, variable: &'static str, text: impl Into<String>) {
        self.0.push(Problem { variable, text: text.into() });
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no problem.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "  {}: {}", problem.variable, problem.text)?;
        }
        write!(f, "Every variable is explained in .env.example.")
    }
}

impl std::error::Error for Problems {}
