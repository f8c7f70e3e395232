//! A catalog together with its text: where each entry and each field stands.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::problem::Problems;
use super::yaml::{self, Node};
use super::{Catalog, CatalogError};
use crate::audit::finding::Excerpt;

/// A catalog with its text.
#[derive(Clone, Debug)]
pub struct CatalogSource {
    /// The path of the file.
    pub path: PathBuf,
    /// The contents of the file.
    pub text: String,
    /// The catalog.
    pub catalog: Catalog,
    root: Option<Node>,
    /// The positions at which lines begin.
    lines: Vec<usize>,
}

/// A place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogPlace {
    /// The bytes.
    pub span: Range<usize>,
    /// The line, from 1.
    pub line: u32,
    /// The column in Unicode scalar values, from 1.
    pub column: u32,
    /// The line itself.
    pub excerpt: Excerpt,
}

impl CatalogSource {
    /// Reads a file.
    ///
    /// # Errors
    /// When the file cannot be read, or with every error in it.
    pub fn load(path: &Path) -> Result<Self, CatalogError> {
        let bytes = std::fs::read(path).map_err(|source| CatalogError::Io { path: path.to_owned(), source })?;
        Self::parse(path, &bytes)
    }

    /// Parses the contents of a file.
    ///
    /// # Errors
    /// Every error in it.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CatalogError> {
        let problems = |(text, problems)| CatalogError::Problems(Problems { path: path.to_owned(), text, problems });
        let catalog = Catalog::parse(bytes).map_err(problems)?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        let root = yaml::parse(&text).map_err(|problem| problems((text.clone(), vec![problem])))?;
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        Ok(Self { path: path.to_owned(), text, catalog, root, lines })
    }

    /// Returns the tree of the text.
    #[must_use]
    pub const fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }

    /// Returns the tree of an entry.
    #[must_use]
    pub fn service(&self, index: usize) -> Option<&Node> {
        self.root()?.field("services")?.1.items().get(index)
    }

    /// Returns the place of the first of these fields that an entry has, else that of its name.
    #[must_use]
    pub fn field(&self, index: usize, names: &[&str]) -> CatalogPlace {
        let Some(service) = self.service(index) else { return self.place(0..0) };
        let found = names.iter().chain(&["name"]).find_map(|name| service.field(name));
        match found {
            Some((key, value)) => {
                // The span of a list or a table reaches to the next token.
                let end = if value.text().is_some() { value.span.end } else { key.end };
                self.place(key.start..end.max(key.end))
            }
            None => self.place(service.span.start..service.span.start),
        }
    }

    /// Returns the place of these bytes.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> CatalogPlace {
        let start = self.text.floor_char_boundary(span.start.min(self.text.len()));
        let line = self.lines.partition_point(|begin| *begin <= start).saturating_sub(1);
        let begin = self.lines.get(line).copied().unwrap_or_default();
        let text = self.text[begin..].lines().next().unwrap_or_default();
        let end = self.text.floor_char_boundary(span.end.clamp(start, (begin + text.len()).max(start)));
        let column = self.text[begin..start].chars().count();
        let marked = column..column + self.text[start..end].trim_end().chars().count();
        CatalogPlace {
            span: start..end,
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
            excerpt: Excerpt { text: text.to_owned(), marked },
        }
    }
}
