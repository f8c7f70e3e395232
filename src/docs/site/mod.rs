//! The pages as a static HTML site with search. Reading it needs neither a server nor the network.
//!
//! Documents → [Markdown as mdBook takes it](markdown), with [diagrams](diagram) drawn → [mdBook](book) → a tree of
//! files → [a folder](publish), or [a server](crate::commands::docs::serve).

pub mod book;
pub mod diagram;
pub mod markdown;
pub mod publish;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::error::{Explain, UNFINISHED, USAGE};
use crate::fs::files::{FileTree, FilesError};

/// A document of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDocument {
    /// The path below the catalog's folder, with `/` between the parts. The site uses the same path with `.html`.
    pub path: String,
    /// The Markdown text.
    pub text: String,
    /// `true` when its first table can be sorted and filtered.
    pub is_catalog: bool,
    /// The title of its part in the list of chapters, or an empty text.
    pub part: String,
}

/// The reason that there is no site.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The folder holds files that no build wrote.
    #[error("{0} has files that are not of a site made by mcp-kit")]
    NotGenerated(String),
    /// mdBook failed.
    #[error("the site cannot be made: {0}")]
    Book(String),
}

/// A site and its notes.
#[derive(Debug, Default)]
pub struct BuiltSite {
    /// The files of the site.
    pub files: FileTree,
    /// Notes on problems, each beginning with a document and a line.
    pub notes: Vec<String>,
}

/// Makes the site. `image` returns the bytes of an image file. `reload` is the path of a web socket that reports
/// changes to an open page.
///
/// # Errors
/// When mdBook or its temporary folder fails.
pub fn make(
    title: &str,
    documents: &[SiteDocument],
    image: &dyn Fn(&str) -> Option<Vec<u8>>,
    reload: Option<&str>,
) -> Result<BuiltSite, SiteError> {
    let here: BTreeSet<&str> = documents.iter().map(|document| document.path.as_str()).collect();
    let mut chapters = Vec::with_capacity(documents.len());
    let (mut images, mut notes) = (BTreeSet::new(), Vec::new());
    for document in documents {
        let prepared = markdown::prepare(document, &here);
        notes.extend(prepared.notes.iter().map(|(line, note)| format!("{}:{line}: {note}", document.path)));
        images.extend(prepared.images);
        chapters.push(book::Chapter {
            title: prepared.title,
            path: &document.path,
            text: prepared.text,
            part: &document.part,
        });
    }
    let images = images.into_iter().filter_map(|path| Some((path.clone(), image(&path)?))).collect();
    Ok(BuiltSite { files: book::render(title, chapters, images, reload)?, notes })
}

impl Explain for SiteError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::NotGenerated(_) => Some("give a folder that does not exist yet".into()),
            Self::Files(error) => error.hint(),
            _ => None,
        }
    }

    fn status(&self) -> u8 {
        if matches!(self, Self::NotGenerated(_)) { USAGE } else { UNFINISHED }
    }
}
