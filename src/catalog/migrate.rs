//! From an older form of the catalog to the newest. Comments, order and every other byte stay.

use std::ops::Range;

use super::edit::{self, EditError, Insertion};
use super::ids::{ids, slug};
use super::online::EARLIER_NAME;
use super::service::ServiceKind;
use super::source::CatalogSource;
use super::{Catalog, FORMAT};

/// One change that a migration makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The place of the older form.
    pub span: Range<usize>,
    /// The reason, one sentence.
    pub message: String,
    change: StepChange,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum StepChange {
    /// Put `catalog: 2` in front of the first key, or write 2.
    Format,
    /// Say that an entry is a template.
    Kind(usize),
    /// Give an entry the id that it has by its place only.
    Id(usize, String),
    /// Write the newer name of a key.
    Rename(&'static str),
}

/// Returns the changes that bring a catalog to the newest form, in the order of the file.
#[must_use]
pub fn steps(source: &CatalogSource) -> Vec<Step> {
    let mut steps = Vec::new();
    let Some(root) = source.root() else { return steps };
    if source.catalog.format != Some(FORMAT) {
        let span = root.field("catalog").map_or(root.span.start..root.span.start, |(_, node)| node.span.clone());
        let message = "this catalog has the form of version 1; `mcp-kit catalog migrate` brings it to version 2";
        steps.push(Step { span, message: message.to_owned(), change: StepChange::Format });
    }
    let ids = ids(&source.catalog.services);
    for (index, (service, id)) in source.catalog.services.iter().zip(&ids).enumerate() {
        let span = source.field(index, &[]).span;
        let looks_like_one = slug(&service.name).rsplit('-').next() == Some("template");
        let has_kind = source.service(index).is_some_and(|node| node.field("kind").is_some());
        if looks_like_one && !has_kind && service.main_url().is_none() {
            let message =
                format!("{} is named like a template and counts as a server: it needs `kind: template`", service.name);
            steps.push(Step { span: span.clone(), message, change: StepChange::Kind(index) });
        }
        if service.id.is_none() && *id != slug(&service.name) {
            let message = format!("the name of {} alone makes no unique id: it needs `id: {id}`", service.name);
            steps.push(Step { span, message, change: StepChange::Id(index, id.clone()) });
        }
    }
    let online = root.field("audit").and_then(|(_, audit)| audit.field("online"));
    if let Some((key, _)) = online.and_then(|(_, online)| online.field(EARLIER_NAME)) {
        let message = format!("`{EARLIER_NAME}` is the earlier name of `cache_days`");
        steps.push(Step { span: key.clone(), message, change: StepChange::Rename("cache_days") });
    }
    steps.sort_by_key(|step| step.span.start);
    steps
}

/// Returns the text of the catalog in the newest form.
///
/// # Errors
/// When an entry is written in a way that cannot be edited.
pub fn migrate(source: &CatalogSource) -> Result<String, EditError> {
    let (mut expected, mut edits) = (source.catalog.clone(), Vec::new());
    for step in steps(source) {
        match step.change {
            StepChange::Format => {
                expected.format = Some(FORMAT);
                edits.push(format_edit(source, step.span)?);
            }
            StepChange::Kind(index) => {
                expected.services[index].kind = ServiceKind::Template;
                edits.push(edit::insertion(source, index, "name", Insertion::Scalar("kind", "template"))?);
            }
            StepChange::Id(index, id) => {
                edits.push(edit::insertion(source, index, "name", Insertion::Scalar("id", &id))?);
                expected.services[index].id = Some(id);
            }
            StepChange::Rename(name) => edits.push((step.span, name.to_owned())),
        }
    }
    let text = edit::apply(&source.text, edits);
    edit::verified(text, &expected)
}

/// Returns the edit that states the version of the form.
fn format_edit(source: &CatalogSource, span: Range<usize>) -> Result<(Range<usize>, String), EditError> {
    if !span.is_empty() {
        return Ok((span, FORMAT.to_string()));
    }
    let begin = source.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &source.text[begin..span.start];
    if source.text[span.start..].starts_with('{') || !before.trim_start_matches('\u{feff}').is_empty() {
        return Err(EditError::Place("the catalog".to_owned()));
    }
    Ok((span, format!("catalog: {FORMAT}{}", edit::line_end(&source.text))))
}

/// Returns whether a text has the newest form already.
#[must_use]
pub fn is_done(catalog: &Catalog, steps: &[Step]) -> bool {
    steps.is_empty() && catalog.format == Some(FORMAT)
}
