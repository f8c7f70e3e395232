//! `server.json` of the MCP registry, schema 2025-12-11. The registry takes public servers only.

use serde_json::{Value, json};

use super::{Export, ExportEntry, ExportedFile, pretty, transport, without_null};
use crate::catalog::service::{AuthMethod, Service, Transport};

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// The longest description and title (the schema's `maxLength`).
const LONGEST: usize = 100;

pub(super) fn files(export: &mut Export<'_>) -> Vec<ExportedFile> {
    let Some(domain) = export.domain() else { return Vec::new() };
    let mut files = Vec::new();
    for entry in export.running() {
        if let Some(card) = card(export, &entry, domain, SCHEMA) {
            files.push(ExportedFile { path: format!("{}/server.json", entry.id), text: pretty(&card) });
        }
    }
    files
}

/// Returns the description of a server that `server.json` and server cards share.
pub(super) fn card(export: &mut Export<'_>, entry: &ExportEntry<'_>, domain: &str, schema: &str) -> Option<Value> {
    let service = entry.service;
    let description = export.need(entry, "description", service.description.as_deref());
    let version = export.need(entry, "version", service.version.as_deref());
    let url = export.need(entry, "url", service.main_url());
    if let Some(long) = description.filter(|text| text.chars().count() > LONGEST) {
        let count = long.chars().count();
        let why = format!("its description has {count} characters, and {} takes {LONGEST}", export.target.name());
        export.does_not_fit(entry, &["description"], why);
        return None;
    }
    if service.transport == Some(Transport::Stdio) {
        export.does_not_fit(entry, &["transport"], "a server on stdio has no address for clients");
        return None;
    }
    let reversed: Vec<&str> = domain.rsplit('.').collect();
    let title: String = service.name.chars().take(LONGEST).collect();
    Some(without_null(json!({
        "$schema": schema,
        "name": format!("{}/{}", reversed.join("."), entry.id),
        "title": title,
        "description": description?,
        "version": version?,
        "repository": repository(service),
        "remotes": [{
            "type": transport(service),
            "url": url?,
            "headers": headers(service),
        }],
    })))
}

/// Returns the repository if its host is one that the registry knows.
fn repository(service: &Service) -> Value {
    let Some(url) = service.repository.as_deref().filter(|url| url.starts_with("https://")) else { return Value::Null };
    let source = match super::host(url).as_deref() {
        Some("github.com") => "github",
        Some("gitlab.com") => "gitlab",
        _ => return Value::Null,
    };
    json!({"url": url, "source": source})
}

/// Returns the header that clients have to set by hand. With OAuth they find the way by themselves.
fn headers(service: &Service) -> Value {
    if service.auth_method != Some(AuthMethod::Bearer) {
        return Value::Null;
    }
    json!([{
        "name": "Authorization",
        "description": "The Bearer token of this server",
        "value": "Bearer {token}",
        "isRequired": true,
        "isSecret": true,
        "variables": {"token": {"description": "The token", "isRequired": true, "isSecret": true}},
    }])
}
