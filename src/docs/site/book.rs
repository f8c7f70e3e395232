//! Renders chapters into the files of a site with mdBook.

use std::collections::BTreeMap;

use mdbook_core::book::{Book, BookItem, Chapter as BookChapter};
use mdbook_core::config::Config;
use mdbook_html::HtmlHandlebars;
use mdbook_renderer::{RenderContext, Renderer as _};

use super::SiteError;
use crate::fs::files::{FileTree, FilesError, read_tree};
use crate::fs::scratch::Scratch;

/// A chapter.
#[derive(Debug)]
pub struct Chapter<'a> {
    /// The title in the list of chapters.
    pub title: String,
    /// The path, with `/` between the parts.
    pub path: &'a str,
    /// The Markdown text.
    pub text: String,
    /// The title of its part in the list of chapters, or an empty text.
    pub part: &'a str,
}

const STYLE: &str = include_str!("site.css");
const SCRIPT: &str = include_str!("site.js");

/// Renders the chapters. The first one is also the site's start page. `images` are copied.
///
/// # Errors
/// When a temporary folder cannot be used, or mdBook fails.
pub fn render(
    title: &str,
    chapters: Vec<Chapter<'_>>,
    images: BTreeMap<String, Vec<u8>>,
    reload: Option<&str>,
) -> Result<FileTree, SiteError> {
    let temporary = std::env::temp_dir();
    let folder = Scratch::new().map_err(FilesError::io("create a folder in", &temporary))?;
    let root = folder.path();
    // mdBook copies the files beside its chapters, and takes the style and the script by name.
    let write = |path: &str, bytes: &[u8]| folder.write(path, bytes).map_err(FilesError::io("write", &root.join(path)));
    folder.folder("src").map_err(FilesError::io("create", root))?;
    write("site.css", STYLE.as_bytes())?;
    write("site.js", SCRIPT.as_bytes())?;
    for (path, bytes) in &images {
        write(&format!("src/{path}"), bytes)?;
    }
    let failed = |error: mdbook_core::errors::Error| SiteError::Book(format!("{error:#}"));
    let config = config(title, reload).map_err(failed)?;
    let destination = root.join("site");
    HtmlHandlebars::new().render(&RenderContext::new(root, book(chapters), config, &destination)).map_err(failed)?;
    Ok(read_tree(&destination, &|_| false)?)
}

fn book(chapters: Vec<Chapter<'_>>) -> Book {
    let mut items = Vec::new();
    let mut part = "";
    for chapter in chapters {
        if chapter.part != part {
            part = chapter.part;
            items.push(BookItem::PartTitle(part.to_owned()));
        }
        items.push(BookItem::Chapter(BookChapter::new(&chapter.title, chapter.text, chapter.path, Vec::new())));
    }
    Book::new_with_items(items)
}

fn config(title: &str, reload: Option<&str>) -> Result<Config, mdbook_core::errors::Error> {
    let mut config = Config::default();
    config.book.title = Some(title.to_owned());
    config.book.language = Some("en".to_owned());
    for (key, value) in [("additional-css", "site.css"), ("additional-js", "site.js")] {
        config.set(format!("output.html.{key}"), [value])?;
    }
    // As GitHub renders them, because the pages are written for GitHub.
    config.set("output.html.smart-punctuation", false)?;
    config.set("output.html.definition-lists", false)?;
    // The run button for examples needs a server.
    config.set("output.html.playground.runnable", false)?;
    // A 404 page needs to know the site's address, and this site does not.
    config.set("output.html.input-404", "")?;
    config.set("output.html.no-section-label", true)?;
    // Search for all words, as search engines do.
    config.set("output.html.search.use-boolean-and", true)?;
    if let Some(path) = reload {
        config.set("output.html.live-reload-endpoint", path)?;
    }
    Ok(config)
}
