//! The file of `--credentials`: the headers of each server, by id. Never from the command line, because every user of
//! the machine sees that.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalog::yaml::{self, Value};
use crate::error::{Explain, UNFINISHED, USAGE};

/// The headers of each server, by id.
#[derive(Clone, Default)]
pub struct Credentials {
    headers: BTreeMap<String, Vec<(String, String)>>,
}

/// The reason that the file cannot be used. No variant holds any text of a value.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Others than the owner may read the file.
    #[error("others than its owner may read {}", .0.display())]
    Readable(PathBuf),
    /// The file does not have the form.
    #[error("{}:{line}: {what}", path.display())]
    Form {
        /// The path of the file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The error.
        what: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.headers.keys()).finish()
    }
}

impl Credentials {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, others may read it, or it is no table of headers.
    pub fn load(path: &Path) -> Result<Self, CredentialsError> {
        let failed = |source| CredentialsError::Io { path: path.to_owned(), source };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(CredentialsError::Readable(path.to_owned()));
            }
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text).map_err(|(at, what)| {
            let line = text[..text.floor_char_boundary(at)].matches('\n').count() + 1;
            CredentialsError::Form { path: path.to_owned(), line, what }
        })
    }

    /// Parses the contents of a file. An error has its position, and no text of a value.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let root = yaml::parse(text).map_err(|problem| (problem.span.start, "this is no YAML".to_owned()))?;
        let mut headers: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let Some(root) = root else { return Ok(Self::default()) };
        let table = |node: &yaml::Node, what: &str| match &node.value {
            Value::Map(entries) => Ok(entries.clone()),
            _ => Err((node.span.start, format!("{what} belongs here"))),
        };
        for (id, at, node) in table(&root, "a table of servers by id")? {
            let mut all = Vec::new();
            for (name, at, value) in table(&node, "a table of headers, such as `Authorization: Bearer …`,")? {
                let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
                if name.is_empty() || !name.bytes().all(is_token) {
                    return Err((at.start, "this is no name of a header".to_owned()));
                }
                match value.text() {
                    Some(text) if !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
                        all.push((name, text.to_owned()));
                    }
                    _ => return Err((value.span.start, format!("the value of {name} is none of a header"))),
                }
            }
            if headers.insert(id, all).is_some() {
                return Err((at.start, "this server is here a second time".to_owned()));
            }
        }
        Ok(Self { headers })
    }

    /// Returns the headers of the server with this id.
    #[must_use]
    pub fn headers(&self, id: &str) -> Option<&[(String, String)]> {
        self.headers.get(id).map(Vec::as_slice)
    }

    /// Returns the ids in the file.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.headers.keys().map(String::as_str)
    }
}

impl Explain for CredentialsError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Io { .. } => "give a file that you may read".into(),
            Self::Readable(path) => format!("run chmod 600 {}", path.display()).into(),
            Self::Form { .. } => "write the id of a server, and below it `Header: value`, a line each".into(),
        })
    }

    fn status(&self) -> u8 {
        match self {
            Self::Io { source, .. } if source.kind() != io::ErrorKind::NotFound => UNFINISHED,
            _ => USAGE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_headers_by_id() {
        let credentials = Credentials::parse("coda:\n  Authorization: Bearer abc\n  X-A: \"1\"\n").unwrap();
        let expected = [("Authorization".to_owned(), "Bearer abc".to_owned()), ("X-A".to_owned(), "1".to_owned())];
        assert_eq!(credentials.headers("coda"), Some(&expected[..]));
        assert_eq!((credentials.headers("other"), format!("{credentials:?}").as_str()), (None, "[\"coda\"]"));
        assert!(Credentials::parse("# nothing\n").unwrap().headers("coda").is_none());
    }

    #[test]
    fn an_error_repeats_no_secret() {
        for text in [
            "sesame",
            "coda: sesame",
            "coda:\n  A B: sesame",
            "coda:\n  A: [sesame]",
            "coda:\n  A: \"sesame\\n\"\n  B: \"x\\u0000\"",
            "coda:\n  A: \"sesame",
            "- sesame",
            "coda: {A: b}\ncoda: {A: sesame}",
            "coda:\n  A: s\u{e9}same",
        ] {
            let (_, what) = Credentials::parse(text).unwrap_err();
            assert!(!what.contains("same"), "{what}");
        }
    }
}
