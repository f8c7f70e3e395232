//! A description as a tree, and the references in it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{OpenApiError, yaml};
use crate::scaffold::manifest::position;

/// The longest chain of references: each is followed once, and a chain that leads to itself never ends.
const LONGEST_CHAIN: usize = 32;

/// A description.
#[derive(Debug)]
pub struct Description {
    root: Value,
    /// The headers with credentials, in small letters.
    credentials: BTreeSet<String>,
}

impl Description {
    /// Parses a description. `path` is for messages.
    ///
    /// # Errors
    /// When it is neither JSON nor YAML, or no OpenAPI 3.0 or 3.1.
    pub fn parse(path: &str, text: &str) -> Result<Self, OpenApiError> {
        let syntax = |line, column, reason| OpenApiError::Syntax { path: path.to_owned(), line, column, reason };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let root: Value = if text.trim_start().starts_with('{') {
            // serde_json stops at a depth of 128.
            serde_json::from_str(text).map_err(|error| {
                let reason = error.to_string();
                let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason).to_owned();
                syntax(error.line(), error.column(), reason)
            })?
        } else {
            yaml::parse(text).map_err(|(at, reason)| {
                let (line, column) = position(text, at);
                syntax(line, column, reason)
            })?
        };
        let found = match (root.get("openapi").and_then(Value::as_str), root.get("swagger")) {
            (Some(version), _) if version.starts_with("3.0") || version.starts_with("3.1") => {
                let mut document = Self { root, credentials: BTreeSet::new() };
                document.credentials = document.key_headers();
                return Ok(document);
            }
            (Some(version), _) => format!("it says openapi: {version}"),
            (None, Some(version)) => format!("it says swagger: {}", version.as_str().unwrap_or("2.0")),
            (None, None) => "it has no member `openapi`".to_owned(),
        };
        Err(OpenApiError::Version { path: path.to_owned(), found })
    }

    /// Returns a member of the root.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.root.get(name)
    }

    /// Follows `$ref` until there is none.
    ///
    /// # Errors
    /// When one leads out of the file, nowhere, or to itself.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> Result<&'a Value, OpenApiError> {
        let mut value = value;
        for _ in 0..LONGEST_CHAIN {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
            value = self.target(reference)?;
        }
        let reference = value.get("$ref").and_then(Value::as_str).unwrap_or_default();
        Err(OpenApiError::Reference(reference.to_owned(), "to itself"))
    }

    /// Returns what a reference points to.
    ///
    /// # Errors
    /// When it leads out of the file, or nowhere.
    pub fn target(&self, reference: &str) -> Result<&Value, OpenApiError> {
        let Some(pointer) = reference.strip_prefix('#') else { return Err(OpenApiError::Remote(reference.to_owned())) };
        let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
        let nowhere = || OpenApiError::Reference(reference.to_owned(), "nowhere");
        if !pointer.is_empty() && !pointer.starts_with('/') {
            // An anchor of JSON Schema, which no description of this size class uses.
            return Err(nowhere());
        }
        self.root.pointer(&pointer).ok_or_else(nowhere)
    }

    /// Returns the title and the version, for people.
    #[must_use]
    pub fn title(&self) -> String {
        let info =
            |name: &str| self.root.get("info").and_then(|info| info.get(name)?.as_str()).unwrap_or_default().trim();
        let text = format!("{} {}", info("title"), info("version"));
        text.chars()
            .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'))
            .take(100)
            .collect::<String>()
            .trim()
            .to_owned()
    }

    /// Returns the address of the first server.
    ///
    /// # Errors
    /// When there is none, or it is not an https address.
    pub fn server(&self) -> Result<String, OpenApiError> {
        let first = self.root.get("servers").and_then(|servers| servers.get(0)?.get("url")?.as_str());
        let Some(url) = first else { return Err(OpenApiError::NoServer(String::new())) };
        let url = url.trim_end_matches('/');
        if crate::scaffold::extend::rows::is_address(url) && !url.contains(['{', '}']) {
            return Ok(url.to_owned());
        }
        Err(OpenApiError::NoServer(format!(": {:?} is no https address", url.chars().take(200).collect::<String>())))
    }

    /// Returns whether the servers of an operation begin with the first server of the description: some descriptions repeat
    /// it at each operation.
    #[must_use]
    pub fn is_own_server(&self, servers: &Value) -> bool {
        let first = |servers: &Value| {
            let url = servers.get(0)?.get("url")?.as_str()?.trim_end_matches('/');
            // An address without a scheme has that of the description's own, which is https wherever it counts.
            Some(if url.starts_with("//") { format!("https:{url}") } else { url.to_owned() })
        };
        servers.as_array().is_some_and(Vec::is_empty)
            || first(servers).is_some_and(|url| self.root.get("servers").and_then(first) == Some(url))
    }

    /// Returns whether a header has a credential, which the server sends and no model: HTTP's own, and those of the API's keys.
    #[must_use]
    pub fn is_credential(&self, header: &str) -> bool {
        let header = header.trim().to_lowercase();
        ["authorization", "proxy-authorization", "cookie"].contains(&header.as_str())
            || self.credentials.contains(&header)
    }

    fn key_headers(&self) -> BTreeSet<String> {
        let schemes = self.root.pointer("/components/securitySchemes").and_then(Value::as_object);
        let header = |scheme: &Value| {
            let scheme = self.resolve(scheme).ok()?;
            let is = |name: &str, value: &str| scheme.get(name).is_some_and(|found| found == value);
            let name = scheme.get("name").and_then(Value::as_str)?;
            (is("type", "apiKey") && is("in", "header")).then(|| name.trim().to_lowercase())
        };
        schemes.into_iter().flatten().filter_map(|(_, scheme)| header(scheme)).collect()
    }

    /// Returns the header in which the API takes its key, where that is not `Authorization`.
    #[must_use]
    pub fn token_header(&self) -> Option<String> {
        let schemes = self.root.get("components")?.get("securitySchemes")?.as_object()?;
        let scheme = |scheme: &Value| {
            let scheme = self.resolve(scheme).ok()?;
            let text = |name: &str| scheme.get(name).and_then(Value::as_str);
            Some((text("type")?.to_owned(), text("in").map(str::to_owned), text("name").map(str::to_lowercase)))
        };
        let schemes: Vec<_> = schemes.values().filter_map(scheme).collect();
        if schemes.iter().any(|(kind, ..)| matches!(kind.as_str(), "http" | "oauth2" | "openIdConnect")) {
            return None;
        }
        let header = schemes
            .into_iter()
            .find_map(|(kind, at, name)| name.filter(|_| kind == "apiKey" && at.as_deref() == Some("header")))?;
        (header != "authorization").then_some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Description {
        Description::parse("a.json", text).unwrap()
    }

    #[test]
    fn references_stay_in_the_file_and_end() {
        let document = document(
            r##"{"openapi": "3.1.0", "a": {"$ref": "#/b"}, "b": {"$ref": "#/c~1d/0"}, "c/d": [{"x": 1}],
                "loop": {"$ref": "#/other"}, "other": {"$ref": "#/loop"}, "é": 1}"##,
        );
        let resolve = |reference: &str| {
            let value = serde_json::json!({"$ref": reference});
            match document.resolve(&value) {
                Ok(value) => value.to_string(),
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(resolve("#/a"), r#"{"x":1}"#);
        assert_eq!(resolve("#/%C3%A9"), "1");
        assert_eq!(resolve("#/loop"), "\"#/loop\" leads to itself");
        assert_eq!(resolve("#/gone"), "\"#/gone\" leads nowhere");
        for remote in ["https://evil.example/x.json#/a", "other.yaml#/a", "file:///etc/passwd", "//host/x"] {
            assert!(resolve(remote).ends_with("leads to another file or host, which is not read"), "{remote}");
        }
    }

    #[test]
    fn a_server_that_is_repeated_is_the_same_one() {
        let own = document(r#"{"openapi":"3.0.0","servers":[{"url":"//api.example/v1/"}]}"#);
        for (servers, is_own) in [
            (serde_json::json!([{"url": "https://api.example/v1"}]), true),
            (serde_json::json!([]), true),
            (serde_json::json!([{"url": "https://other.example/v1"}]), false),
            (serde_json::json!([{"url": "/v1"}]), false),
            (serde_json::json!([{}]), false),
        ] {
            assert_eq!(own.is_own_server(&servers), is_own, "{servers}");
        }
        assert!(!document(r#"{"openapi":"3.0.0"}"#).is_own_server(&serde_json::json!([{}])));
    }

    #[test]
    fn other_kinds_are_named() {
        let error = |text: &str| Description::parse("a", text).unwrap_err().to_string();
        assert_eq!(error("{}"), "a is no OpenAPI 3.0 or 3.1 description: it has no member `openapi`");
        assert_eq!(error("swagger: '2.0'"), "a is no OpenAPI 3.0 or 3.1 description: it says swagger: 2.0");
        assert_eq!(error("openapi: 4.0.0"), "a is no OpenAPI 3.0 or 3.1 description: it says openapi: 4.0.0");
        assert_eq!(error("{\"a\": }"), "a:1:7: expected value");
        assert!(error(&"{\"a\":".repeat(1000)).contains("recursion limit exceeded"));
    }
}
