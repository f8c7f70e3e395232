//! Finds the MCP servers that a repository has: generated projects, compose files, wrangler configurations, `.mcp.json`. Reads, and
//! takes over names and addresses only: a credential is never copied.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::scaffold::openapi::yaml;

/// Folders below this depth are not looked into.
const DEEPEST: usize = 5;
/// Larger files are no configuration.
const LARGEST: u64 = 1024 * 1024;
/// Folders of other people's files.
const SKIPPED: &[&str] = &["node_modules", "target", "vendor", "dist", "build", "__pycache__", "venv"];

/// A server that was found.
#[derive(Clone, Debug)]
pub(super) struct FoundServer {
    /// Where, relative to the repository.
    pub(super) place: String,
    pub(super) service: CatalogEntry,
}

/// An entry of the catalog: its words are those of the catalog's schema, which judges them.
#[derive(Clone, Debug)]
pub(super) struct CatalogEntry {
    pub(super) name: String,
    location: &'static str,
    auth_method: &'static str,
    token_storage: &'static str,
    url: Option<String>,
    repository: Option<String>,
    notes: Option<String>,
}

impl CatalogEntry {
    /// Writes the entry as lines of the catalog.
    pub(super) fn lines(&self) -> String {
        // A text of JSON is one of YAML.
        let quoted = |text: &str| Value::from(text).to_string();
        let mut lines = format!(
            "  - name: {}\n    status: planned\n    location: {}\n    auth_method: {}\n    token_storage: {}\n",
            quoted(&self.name),
            self.location,
            self.auth_method,
            self.token_storage
        );
        for (key, value) in [("url", &self.url), ("repository", &self.repository), ("notes", &self.notes)] {
            if let Some(value) = value {
                lines += &format!("    {key}: {}\n", quoted(value));
            }
        }
        lines
    }
}

/// Finds the servers below a folder, in the order of their paths. A name is taken once.
pub(super) fn servers(root: &Path) -> Vec<FoundServer> {
    let mut found = Vec::new();
    walk(root, "", 0, &mut found);
    let mut all: Vec<FoundServer> = Vec::new();
    for one in found {
        let same = |other: &FoundServer| {
            other.service.name.to_lowercase() == one.service.name.to_lowercase()
                || (other.service.url.is_some() && other.service.url == one.service.url)
        };
        if !one.service.name.trim().is_empty() && !all.iter().any(same) {
            all.push(one);
        }
    }
    all
}

fn walk(folder: &Path, path: &str, depth: usize, found: &mut Vec<FoundServer>) {
    let record = folder.join(".mcp-kit/answers.toml");
    if let Some(text) = read(&record) {
        found.extend(project(path, &text));
        // What is in a project is that server.
        return;
    }
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in &entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let place = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Some(text) = is_known(&name).then(|| read(&entry.path())).flatten() else { continue };
        match name.as_str() {
            ".mcp.json" => clients(&place, &text, found),
            name if name.starts_with("wrangler.") => found.extend(worker(&place, path, name, &text)),
            _ => compose(&place, path, &text, found),
        }
    }
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth < DEEPEST && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            walk(&entry.path(), &path, depth + 1, found);
        }
    }
}

fn is_known(name: &str) -> bool {
    let compose = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
    let wrangler = ["wrangler.toml", "wrangler.json", "wrangler.jsonc"];
    name == ".mcp.json" || compose.contains(&name) || wrangler.contains(&name)
}

fn read(path: &Path) -> Option<String> {
    let is_small = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LARGEST);
    is_small.then(|| fs::read_to_string(path).ok()).flatten()
}

fn service(name: &str, location: &'static str, auth_method: &'static str, token_storage: &'static str) -> CatalogEntry {
    let name = name.chars().filter(|c| !c.is_control()).take(100).collect();
    CatalogEntry { name, location, auth_method, token_storage, url: None, repository: None, notes: None }
}

fn check_it(place: &str) -> Option<String> {
    Some(format!("Found in {place}. Check status, location, authentication and token storage."))
}

fn project(path: &str, text: &str) -> Option<FoundServer> {
    let record: toml::Table = text.parse().ok()?;
    let answers = record.get("answers");
    let answer = |key: &str| answers.and_then(|answers| answers.get(key)?.as_str());
    let auth = match answer("auth_mode") {
        Some("bearer") => "bearer",
        Some("oidc") => "oauth",
        _ => "cloudflare-access",
    };
    let tokens = match answer("token_store") {
        Some("postgres") => "postgresql",
        Some("infisical") => "infisical",
        Some("vault") => "vault",
        _ => "env",
    };
    let mut service = service(record.get("name")?.as_str()?, "droplet", auth, tokens);
    service.url = answer("public_host").map(|host| format!("https://{host}/mcp"));
    service.repository = Some(if path.is_empty() { ".".to_owned() } else { path.to_owned() });
    Some(FoundServer { place: if path.is_empty() { ".".to_owned() } else { path.to_owned() }, service })
}

/// A service of compose is an MCP server if its name, image or command says so.
fn compose(place: &str, path: &str, text: &str, found: &mut Vec<FoundServer>) {
    let Ok(root) = yaml::parse(text) else { return };
    for (name, value) in root.get("services").and_then(Value::as_object).into_iter().flatten() {
        let says = |key: &str| value.get(key).is_some_and(|value| value.to_string().to_lowercase().contains("mcp"));
        if name.to_lowercase().contains("mcp") || says("image") || says("command") {
            let mut service = service(name, "droplet", "none", "env");
            service.repository = Some(path.to_owned()).filter(|path| !path.is_empty());
            service.notes = check_it(place);
            found.push(FoundServer { place: place.to_owned(), service });
        }
    }
}

fn worker(place: &str, path: &str, file: &str, text: &str) -> Option<FoundServer> {
    let settings: Value = if file.ends_with(".toml") {
        serde_json::to_value(text.parse::<toml::Table>().ok()?).ok()?
    } else {
        json5::from_str(text).ok()?
    };
    let tokens = if settings.get("durable_objects").is_some() {
        "durable-objects"
    } else if settings.get("kv_namespaces").is_some() {
        "kv"
    } else {
        "none"
    };
    let auth = if text.contains("OAUTH_KV") { "oauth" } else { "none" };
    let mut service = service(settings.get("name")?.as_str()?, "workers", auth, tokens);
    // `mcp.example.com/*`, or `{ pattern = "mcp.example.com", custom_domain = true }`.
    let routes =
        settings.get("route").into_iter().chain(settings.get("routes").and_then(Value::as_array).into_iter().flatten());
    let host = routes
        .filter_map(|route| route.as_str().or_else(|| route.get("pattern")?.as_str()))
        .filter_map(|pattern| pattern.split('/').next())
        .find(|host| !host.is_empty() && !host.contains('*'));
    service.url = host.map(|host| format!("https://{host}/mcp"));
    service.repository = Some(path.to_owned()).filter(|path| !path.is_empty());
    service.notes = check_it(place);
    Some(FoundServer { place: place.to_owned(), service })
}

fn clients(place: &str, text: &str, found: &mut Vec<FoundServer>) {
    let Ok(root) = json5::from_str::<Value>(text) else { return };
    for (name, value) in root.get("mcpServers").and_then(Value::as_object).into_iter().flatten() {
        let url = value.get("url").and_then(Value::as_str).and_then(|url| url::Url::parse(url).ok());
        let has_token = value
            .get("headers")
            .and_then(Value::as_object)
            .is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")));
        let auth = if has_token { "bearer" } else { "none" };
        let is_near = |url: &url::Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let location = if url.as_ref().is_none_or(is_near) { "local" } else { "droplet" };
        let mut service = service(name, location, auth, "env");
        service.notes = check_it(place);
        if let Some(mut url) = url.filter(|url| url.scheme() == "https") {
            // An address may hold a credential.
            url.set_query(None);
            url.set_fragment(None);
            let _ = (url.set_username(""), url.set_password(None));
            service.url = Some(url.to_string());
        }
        found.push(FoundServer { place: place.to_owned(), service });
    }
}
