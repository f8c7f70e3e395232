//! `catalog-info.yaml` of Backstage: a Component for each server, an API for its endpoint, and a Resource for what keeps
//! its tokens. Backstage also reads JSON, which is YAML.

use serde_json::{Value, json};

use super::{Export, ExportEntry, ExportedFile, transport, without_null};
use crate::catalog::ids::slug;
use crate::catalog::service::{Service, ServiceKind, ServiceStatus, TokenStorage};

/// The longest name of an entity (`KubernetesValidatorFunctions.isValidObjectName`).
const LONGEST: usize = 63;

pub(super) fn files(export: &mut Export<'_>) -> Vec<ExportedFile> {
    let mut text = String::new();
    for entry in export.entries.clone() {
        if entry.service.kind == ServiceKind::Template {
            continue;
        }
        for entity in entities(export, &entry) {
            text += "---\n";
            block(&without_null(entity), 0, &mut text);
        }
    }
    vec![ExportedFile { path: "catalog-info.yaml".to_owned(), text }]
}

fn entities(export: &mut Export<'_>, entry: &ExportEntry<'_>) -> Vec<Value> {
    let service = entry.service;
    // The longest of the three names ends in `-tokens`.
    if entry.id.len() + "-tokens".len() > LONGEST {
        export.does_not_fit(
            entry,
            &["id"],
            format!("its id is too long for the names of Backstage, which have {LONGEST} characters at most"),
        );
        return Vec::new();
    }
    let Some(owner) = export.need(entry, "owner", service.owner.as_deref()).map(reference) else { return Vec::new() };
    let lifecycle = match service.status {
        Some(ServiceStatus::Deployed) => "production",
        Some(ServiceStatus::Planned) | None => "experimental",
        Some(ServiceStatus::Deprecated | ServiceStatus::Retired) => "deprecated",
    };
    let url = service.main_url();
    if url.is_none() && service.runs() {
        export.lacks(entry, "url");
    }
    let store = store(service);
    let tokens = format!("{}-tokens", entry.id);
    let mut entities = vec![json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": metadata(service, &entry.id),
        "spec": {
            "type": if service.kind == ServiceKind::Portal { "mcp-portal" } else { "service" },
            "lifecycle": lifecycle,
            "owner": owner,
            "providesApis": url.map(|_| vec![entry.id.clone()]),
            "dependsOn": store.map(|_| vec![format!("resource:{tokens}")]),
        },
    })];
    entities.extend(url.map(|url| {
        json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "API",
            "metadata": {"name": entry.id, "title": service.name, "description": service.description},
            "spec": {
                "type": "mcp-server",
                "lifecycle": lifecycle,
                "owner": owner,
                "remotes": [{"type": transport(service), "url": url}],
            },
        })
    }));
    entities.extend(store.map(|kind| {
        json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Resource",
            "metadata": {"name": tokens, "title": format!("Tokens of {}", service.name)},
            "spec": {"type": kind, "owner": owner},
        })
    }));
    entities
}

fn metadata(service: &Service, id: &str) -> Value {
    let link = |(title, url): &(String, String)| json!({"title": title, "url": url});
    let links: Vec<Value> = service.dashboards.iter().map(link).collect();
    let tags: Vec<String> = service.tags.iter().map(|tag| slug(tag)).filter(|tag| !tag.is_empty()).collect();
    let repository = service.repository.as_deref().filter(|url| url.starts_with("https://"));
    let words = [
        ("auth-method", service.auth_method.map(|word| word.as_str().to_owned())),
        ("token-storage", service.token_storage.map(|word| word.as_str().to_owned())),
        ("location", service.location.map(|word| word.as_str().to_owned())),
        ("version", service.version.clone()),
        ("last-verified", service.last_verified.clone()),
        ("tier", service.tier.clone()),
        ("data-class", service.data_class.clone()),
    ];
    let mut annotations: serde_json::Map<String, Value> =
        words.into_iter().filter_map(|(key, value)| Some((format!("mcp-kit/{key}"), value?.into()))).collect();
    if let Some(url) = repository {
        annotations.insert("backstage.io/source-location".to_owned(), format!("url:{url}").into());
    }
    json!({
        "name": id,
        "title": service.name,
        "description": service.description.as_ref().or(service.notes.as_ref()),
        "annotations": Value::Object(annotations),
        "tags": Some(tags).filter(|tags| !tags.is_empty()),
        "links": Some(links).filter(|links| !links.is_empty()),
    })
}

/// Returns the owner as a reference to an entity: as it is, if it is one, else the group of that name.
fn reference(owner: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    if owner.chars().all(plain) { owner.to_owned() } else { format!("group:{}", slug(owner)) }
}

/// Returns the type of the resource that keeps the tokens, if it is one of its own.
const fn store(service: &Service) -> Option<&'static str> {
    match service.token_storage {
        Some(TokenStorage::Postgresql) => Some("database"),
        Some(TokenStorage::Kv) => Some("kv-namespace"),
        Some(TokenStorage::DurableObjects) => Some("durable-object"),
        Some(TokenStorage::Infisical | TokenStorage::Vault | TokenStorage::SecretManager) => Some("secret-store"),
        Some(TokenStorage::Env | TokenStorage::WorkerSecrets | TokenStorage::None) | None => None,
    }
}

/// Writes JSON as YAML in lines. Texts are in double quotes, which YAML 1.2 reads as JSON does.
fn block(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    let Value::Object(members) = value else { return };
    for (key, value) in members {
        let key = if key.starts_with('$') { Value::from(key.as_str()).to_string() } else { key.clone() };
        match value {
            Value::Object(members) if !members.is_empty() => {
                *text += &format!("{pad}{key}:\n");
                block(value, indent + 2, text);
            }
            Value::Array(values) if !values.is_empty() => {
                *text += &format!("{pad}{key}:\n");
                for value in values {
                    match value {
                        Value::Object(_) => {
                            let mut lines = String::new();
                            block(value, indent + 4, &mut lines);
                            *text += &format!("{pad}  - {}", lines.trim_start());
                        }
                        value => *text += &format!("{pad}  - {value}\n"),
                    }
                }
            }
            value => *text += &format!("{pad}{key}: {value}\n"),
        }
    }
}
