//! The catalog in the forms of other tools. Pure: catalog in, files and a list of what is missing out.
//!
//! An entry that lacks a field of the target is left out and listed. `tests/export.rs` validates the files against the
//! published schemas in `tests/fixtures/export-schemas`.

mod access;
mod ai_catalog;
mod backstage;
mod hcl;
mod portal;
mod server_json;

use std::fmt;

use clap::ValueEnum;
use serde_json::Value;

use super::ids::ids;
use super::service::{Service, Transport};
use super::source::{CatalogPlace, CatalogSource};

/// The tool whose form an export has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportTarget {
    /// catalog-info.yaml of Backstage: Component, API and Resource
    Backstage,
    /// server.json of the MCP registry, one for each server
    ServerJson,
    /// /.well-known/ai-catalog.json with a server card for each server (SEP-2127)
    AiCatalog,
    /// Servers and portal of Cloudflare's MCP portals, as Terraform
    CloudflarePortal,
    /// Applications, policies and service tokens of Cloudflare Access, and the portal, as Terraform
    TerraformAccess,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFile {
    /// The path below the folder of the export.
    pub path: String,
    /// The contents.
    pub text: String,
}

/// Something that a target needs and the catalog does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The place in the catalog.
    pub place: CatalogPlace,
    /// The sentence.
    pub what: String,
}

/// An export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The files.
    pub files: Vec<ExportedFile>,
    /// The missing things, in the order of the catalog.
    pub missing: Vec<Missing>,
}

/// The entries of a catalog, and the list of what they lack.
struct Export<'a> {
    source: &'a CatalogSource,
    target: ExportTarget,
    entries: Vec<ExportEntry<'a>>,
    missing: Vec<Missing>,
}

/// An entry with its place and its id.
#[derive(Clone)]
struct ExportEntry<'a> {
    index: usize,
    id: String,
    service: &'a Service,
}

impl ExportTarget {
    /// Returns the word of the target.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Returns the catalog in the form of a tool. `only` limits it to the entry with this name or id.
#[must_use]
pub fn export(source: &CatalogSource, target: ExportTarget, only: Option<&str>) -> Exported {
    let all = source.catalog.services.iter().zip(ids(&source.catalog.services)).enumerate();
    let entries = all.map(|(index, (service, id))| ExportEntry { index, id, service });
    let is_wanted = |entry: &ExportEntry<'_>| only.is_none_or(|only| entry.id == only || entry.service.name == only);
    let mut export = Export { source, target, entries: entries.filter(is_wanted).collect(), missing: Vec::new() };
    let files = match target {
        ExportTarget::Backstage => backstage::files(&mut export),
        ExportTarget::ServerJson => server_json::files(&mut export),
        ExportTarget::AiCatalog => ai_catalog::files(&mut export),
        ExportTarget::CloudflarePortal => portal::files(&mut export),
        ExportTarget::TerraformAccess => access::files(&mut export),
    };
    export.missing.sort_by_key(|missing| missing.place.span.start);
    Exported { files, missing: export.missing }
}

impl<'a> Export<'a> {
    /// Returns the servers that clients can call.
    fn running(&self) -> Vec<ExportEntry<'a>> {
        self.entries.iter().filter(|entry| entry.service.is_server() && entry.service.runs()).cloned().collect()
    }

    /// Lists a field that an entry lacks.
    fn lacks(&mut self, entry: &ExportEntry<'_>, field: &str) {
        let what = format!("{} has no {field}, which {} needs", entry.service.name, self.target.name());
        self.missing.push(Missing { place: self.source.field(entry.index, &[]), what });
    }

    /// Lists a field of an entry that does not fit.
    fn does_not_fit(&mut self, entry: &ExportEntry<'_>, fields: &[&str], why: impl fmt::Display) {
        let what = format!("{}: {why}", entry.service.name);
        self.missing.push(Missing { place: self.source.field(entry.index, fields), what });
    }

    /// Lists something that the catalog itself lacks.
    fn catalog_lacks(&mut self, what: String) {
        let start = self.source.root().map_or(0, |root| root.span.start);
        self.missing.push(Missing { place: self.source.place(start..start), what });
    }

    /// Returns a text, or lists that the entry lacks it.
    fn need<'s>(&mut self, entry: &ExportEntry<'_>, field: &str, value: Option<&'s str>) -> Option<&'s str> {
        if value.is_none() {
            self.lacks(entry, field);
        }
        value
    }

    /// Returns the domain of the organisation, or lists that the catalog lacks it.
    fn domain(&mut self) -> Option<&'a str> {
        let domain = self.source.catalog.organisation.as_ref().and_then(|organisation| organisation.domain.as_deref());
        if domain.is_none() {
            let target = self.target.name();
            self.catalog_lacks(format!(
                "the organisation has no domain, which {target} needs for names such as com.example/notes"
            ));
        }
        domain
    }
}

/// Returns the name of a transport in the formats of MCP.
fn transport(service: &Service) -> &'static str {
    service.transport.unwrap_or(Transport::StreamableHttp).as_str()
}

/// Returns the host name of a URL, with its port.
fn host(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Returns JSON without the members that are null.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(key, value)| (key, without_null(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_null).collect()),
        value => value,
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
