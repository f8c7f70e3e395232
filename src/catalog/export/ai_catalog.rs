//! `/.well-known/ai-catalog.json`, with the server cards inside (SEP-2127, `docs/discovery.md` of the extension: an entry
//! has `url` or `data`). A card inside needs no further file on any server.

use serde_json::json;

use super::server_json::card;
use super::{Export, ExportedFile, pretty};

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json";

pub(super) fn files(export: &mut Export<'_>) -> Vec<ExportedFile> {
    let Some(domain) = export.domain() else { return Vec::new() };
    let mut entries = Vec::new();
    for entry in export.running() {
        let Some(card) = card(export, &entry, domain, SCHEMA) else { continue };
        entries.push(json!({
            "identifier": format!("urn:air:{domain}:mcp:{}", entry.id),
            "type": "application/mcp-server-card+json",
            "data": card,
        }));
    }
    let text = pretty(&json!({"specVersion": "1.0", "entries": entries}));
    vec![ExportedFile { path: ".well-known/ai-catalog.json".to_owned(), text }]
}
