//! Observations → the text of the catalog with the day, the versions and the tools. Pure; comments and order stay.

use super::ServerAddress;
use super::observation::Observation;
use crate::audit::finding::{Finding, Severity};
use crate::catalog::edit::{self, EditError};
use crate::catalog::service::TemplateUse;
use crate::catalog::source::CatalogSource;
use crate::catalog::yaml::Value;

/// The text of the catalog, and the names of the entries that were recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The text.
    pub text: String,
    /// The names.
    pub names: Vec<String>,
}

/// Records each entry of which all addresses were asked, the server itself has answered at each, and none has an error.
///
/// # Errors
/// When an entry is written in a way that cannot be edited.
pub fn record(
    source: &CatalogSource,
    addresses: &[ServerAddress],
    observations: &[Observation],
    findings: &[Finding],
    today: &str,
) -> Result<Recorded, EditError> {
    let mut expected = source.catalog.clone();
    let (mut edits, mut names) = (Vec::new(), Vec::new());
    for (index, service) in source.catalog.services.iter().enumerate() {
        let of_it: Vec<(&ServerAddress, &Observation)> = observations
            .iter()
            .filter_map(|observation| Some((addresses.get(observation.address)?, observation)))
            .filter(|(address, _)| address.index == index)
            .collect();
        let unseen = of_it.iter().any(|(_, observation)| !observation.is_of_server());
        if of_it.is_empty() || unseen || has_errors(source, index, findings) {
            continue;
        }
        names.push(service.name.clone());
        let entry = &mut expected.services[index];
        if service.last_verified.as_deref() != Some(today) {
            edits.push(edit::set(
                source,
                index,
                "last_verified",
                today,
                &["token_storage", "url", "version", "tools"],
            )?);
            entry.last_verified = Some(today.to_owned());
        }
        let Some((_, main)) = of_it.iter().find(|(address, _)| address.is_main) else { continue };
        // Environments with versions of their own keep them.
        let own = service.environments.iter().any(|environment| environment.version.is_some());
        if let Some(version) = main.version().filter(|version| !own && Some(*version) != service.version.as_deref()) {
            edits.push(edit::set(source, index, "version", version, &["token_storage", "url"])?);
            entry.version = Some(version.to_owned());
        }
        if let Some(version) = main.template()
            && service.template.as_ref().is_none_or(|known| known.version != version)
            && !has_template_mapping(source, index)
        {
            edits.push(edit::set(source, index, "template", version, &["token_storage", "url", "version"])?);
            entry.template = Some(TemplateUse { version: version.to_owned(), digest: None });
        }
        if let Some(tools) = main.tools() {
            let mut before = service.tools.clone();
            before.sort();
            if before != tools {
                edits.extend(edit::set_tools(source, index, tools, &["token_storage", "url", "version"])?);
                entry.tools = tools.to_vec();
            }
        }
    }
    let text = edit::apply(&source.text, edits);
    // The order of tools is that of the file.
    let sorted = |mut catalog: crate::catalog::Catalog| {
        catalog.services.iter_mut().for_each(|service| service.tools.sort());
        catalog
    };
    let parsed = crate::catalog::Catalog::parse(text.as_bytes())
        .map_err(|(text, problems)| EditError::Problems(text, problems))?;
    if sorted(parsed) != sorted(expected) {
        return Err(EditError::Place("an entry".to_owned()));
    }
    Ok(Recorded { text, names })
}

/// Returns whether an entry has more of its template than the version: a digest, which belongs to it.
fn has_template_mapping(source: &CatalogSource, index: usize) -> bool {
    let node = source.service(index).and_then(|node| node.field("template"));
    node.is_some_and(|(_, template)| !matches!(template.value, Value::Scalar(_)))
}

/// Returns whether an entry has errors: their places are inside of it.
fn has_errors(source: &CatalogSource, index: usize, findings: &[Finding]) -> bool {
    let Some(node) = source.service(index) else { return true };
    let next = source.service(index + 1).map_or(usize::MAX, |next| next.span.start);
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.span.start).any(|start| (node.span.start..next).contains(&start))
}
