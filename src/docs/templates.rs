//! Renders the text of each page from a catalog. Pure: the contents of the disk come as arguments.

use std::collections::BTreeMap;
use std::io::Write;

use tera::{Context, Kwargs, State, Tera};

use super::entries::entries;
use super::error_catalogue::{ERROR_CATALOGUE, OUTPUTS};
use super::fleet::Fleet;
use super::{alerts, example, exercised, reference};
use crate::catalog::Catalog;
use crate::catalog::pages::{BuiltInPage, PAGES, Placed};
use crate::catalog::service::label;
use crate::fs::terminal::shell_word;
use crate::markdown::destination::relative_link;

macro_rules! texts {
    ($($name:literal),+ $(,)?) => {
        /// The built-in templates, by the names of their pages.
        const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!("pages/", $name, ".md.tera")))),+];
    };
}

texts!(
    "index",
    "sop",
    "troubleshooting",
    "infisical",
    "template-guide",
    "servers",
    "service",
    "deprecations",
    "authentication",
    "current-state",
);

/// Returns the template of a built-in page.
fn built_in(name: &str) -> &'static str {
    BUILT_IN.iter().find(|(page, _)| *page == name).map_or("", |(_, text)| text)
}

/// An error in a template, with file and line from Tera.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template of a page cannot be used: {0}")]
pub struct PageTemplateError(String);

/// The templates, and the values that all pages share.
#[derive(Debug)]
pub struct Templates<'a> {
    tera: Tera,
    /// The paths of the built-in pages, or `None` for pages that are turned off.
    ours: Vec<(&'static str, Option<&'a str>)>,
    /// The entries of the catalog, for the pages of their own.
    entries: Vec<serde_json::Value>,
}

impl<'a> Templates<'a> {
    /// Loads the templates. These texts, by file name, replace or extend the built-in ones.
    ///
    /// # Errors
    /// When a text is not a Tera template.
    pub fn new(
        catalog: &Catalog,
        placed: &'a [Placed<'a>],
        own: &BTreeMap<String, String>,
    ) -> Result<Self, PageTemplateError> {
        let mut tera = Tera::new();
        tera.autoescape_on([".md"]);
        tera.set_escape_fn(escape);
        tera.register_filter("link", link);
        tera.register_filter("shell", |text: &str, _: Kwargs, _: &State<'_>| shell_word(&one_line(text)));
        tera.register_filter("label", |word: &str, _: Kwargs, _: &State<'_>| label(word).to_owned());
        let owner = exercised::owner(&catalog.services);
        tera.register_function("issue", move |arguments: Kwargs, _: &State<'_>| -> tera::TeraResult<String> {
            let text = |name| arguments.must_get::<String>(name);
            Ok(exercised::issue(&text("section")?, &text("severity")?, &text("impact")?, &owner))
        });
        tera.register_function("last_exercised", |arguments: Kwargs, _: &State<'_>| -> tera::TeraResult<String> {
            Ok(exercised::last(&arguments.must_get::<String>("section")?))
        });
        let name = |page: &BuiltInPage| format!("{}.md", page.name);
        let texts: BTreeMap<String, &str> = PAGES
            .iter()
            .map(|page| (name(page), built_in(page.name)))
            .chain(own.iter().map(|(name, text)| (name.clone(), text.as_str())))
            .collect();
        tera.add_raw_templates(texts.iter().map(|(name, text)| (name.as_str(), *text)))
            .map_err(|error| PageTemplateError(error.to_string()))?;
        // Insert once for all pages. Otherwise each page of a catalog with 10,000 pages would convert all services
        // again.
        let context = tera.global_context();
        context.insert("organisation", &catalog.organisation);
        let entries = entries(catalog, placed);
        context.insert("services", &entries);
        context.insert("fleet", &Fleet::from_services(&catalog.services));
        context.insert("deprecations", &catalog.deprecations);
        context.insert("outputs", &outputs());
        context.insert("example", &example::parts());
        context.insert("refusals", ERROR_CATALOGUE);
        context.insert("alerts", &alerts::alerts());
        context.insert("settings", &reference::settings());
        context.insert("setting_groups", &reference::setting_groups());
        context.insert("questions", &reference::questions());
        context.insert("version", env!("CARGO_PKG_VERSION"));
        let of_all = placed.iter().filter(|page| page.service.is_none());
        let paths: BTreeMap<&str, &'a str> = of_all.map(|page| (page.name, &*page.path)).collect();
        context.insert("pages", &paths);
        let ours = PAGES.iter().map(|page| (page.name, paths.get(page.name).copied())).collect();
        Ok(Self { tera, ours, entries })
    }

    /// Returns the text of a page, as of `date`.
    ///
    /// # Errors
    /// When a template uses an unknown variable, or fails otherwise.
    pub fn render(&self, page: &Placed<'_>, date: &str) -> Result<String, PageTemplateError> {
        let mut context = Context::new();
        context.insert("here", &*page.path);
        context.insert("links", &self.links(&page.path));
        if let Some(entry) = page.service.and_then(|index| self.entries.get(index)) {
            context.insert("service", entry);
        }
        context.insert("last_updated", date);
        let text = self.tera.render(&format!("{}.md", page.name), &context);
        let text = text.map_err(|error| PageTemplateError(error.to_string()))?;
        Ok(text.trim().to_owned() + "\n")
    }

    /// Returns the links from a document to the built-in pages, by name. The link is empty for a page that is turned
    /// off, and templates omit it.
    fn links(&self, here: &str) -> BTreeMap<&'static str, String> {
        let link = |path: &str| relative_link(here, path);
        self.ours.iter().map(|(name, path)| (*name, path.map(link).unwrap_or_default())).collect()
    }
}

/// `{{ path | link }}`: returns the link from the current page to a path below the catalog's folder. An address stays
/// an address.
fn link(path: &str, _: Kwargs, state: &State<'_>) -> tera::TeraResult<String> {
    if path.starts_with("https://") {
        // Characters that end the link (CommonMark 6.3).
        let unsafe_in_link = |c: char| c.is_whitespace() || c.is_control() || "()<>\\|\"".contains(c);
        return Ok(path.chars().filter(|c| !unsafe_in_link(*c)).collect());
    }
    let here = state.get::<String>("here")?.unwrap_or_default();
    Ok(relative_link(&here, path))
}

/// Returns a text as one line, because a line end would leave a block of commands.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns the captured outputs, without the line end of each file.
fn outputs() -> BTreeMap<&'static str, &'static str> {
    OUTPUTS.iter().map(|(name, text)| (*name, text.trim())).collect()
}

/// Returns text of the catalog, escaped for use inside Markdown.
pub(super) fn escape_text(text: &str) -> String {
    let mut escaped = Vec::with_capacity(text.len());
    // Writing to memory does not fail.
    let _ = escape(text, &mut escaped);
    String::from_utf8_lossy(&escaped).into_owned()
}

/// Escapes text of the catalog for use inside Markdown. A line stays a line.
fn escape(text: &str, out: &mut dyn Write) -> std::io::Result<()> {
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '&' | '~' | '#' | '$' | '!' => write!(out, "\\{c}")?,
            c if c.is_control() => write!(out, " ")?,
            c => write!(out, "{c}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_template() {
        for page in PAGES {
            assert!(!built_in(page.name).is_empty(), "{}", page.name);
        }
        assert_eq!(BUILT_IN.len(), PAGES.len());
    }
}
