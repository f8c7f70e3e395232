//! An upstream API with a token of its own: rows of the table of settings, a client, its place where the server is put together,
//! and a test of what goes out.

use super::ExtendError;
use super::files::ProjectFiles;
use super::identifier::{self, NameKind, camel};
use super::rows::{self, SettingKind, SettingRow};
use super::rust::{closing, insert, item_start, masked, word};

const LIB: &str = "src/lib.rs";

/// An upstream API to add.
#[derive(Clone, Debug, Default)]
pub struct NewUpstream {
    /// The name: a module.
    pub name: String,
    /// The name for people. `None` makes it from the name.
    pub title: Option<String>,
    /// The address.
    pub base: Option<String>,
    /// Where one gets a token.
    pub token_from: Option<String>,
    /// The header that the token goes in, in place of `Authorization: Bearer`.
    pub token_header: Option<String>,
    /// `true` for one behind Cloudflare Access.
    pub access: bool,
    /// The path that readiness asks.
    pub probe: Option<String>,
}

/// Finds an upstream that the project has.
///
/// # Errors
/// When it has none of this name, with the names that it has.
pub fn find(files: &mut ProjectFiles, name: &str) -> Result<(), ExtendError> {
    identifier::check(NameKind::Upstream, name)?;
    if files.find(&path(name))?.is_some_and(|text| text.contains("pub fn api(&self)")) {
        return Ok(());
    }
    let mut known = Vec::new();
    for candidate in rows::names_with(files, "_API_BASE")? {
        if files.find(&path(&candidate))?.is_some_and(|text| text.contains("pub fn api(&self)")) {
            known.push(candidate);
        }
    }
    Err(ExtendError::NoUpstream { name: name.to_owned(), known })
}

/// Returns the path of the client.
#[must_use]
pub fn path(name: &str) -> String {
    format!("src/{name}.rs")
}

/// Adds the upstream. Returns `false` where it was there already.
///
/// # Errors
/// When a name is not valid or taken, or a place is gone.
pub fn add(files: &mut ProjectFiles, new: &NewUpstream) -> Result<bool, ExtendError> {
    identifier::check(NameKind::Upstream, &new.name)?;
    files.needs_api()?;
    if let Some(header) = &new.token_header
        && !(header.starts_with(|c: char| c.is_ascii_lowercase())
            && header.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
    {
        let reason = "must be the name of a header in small letters";
        return Err(ExtendError::Value { what: "--token-header", value: header.clone(), reason });
    }
    if let Some(path) = &new.probe
        && (!path.starts_with('/') || path.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | ' ' | '?' | '#')))
    {
        return Err(ExtendError::Value { what: "--probe", value: path.clone(), reason: "must be a path such as /me" });
    }
    if let Some(title) = new
        .title
        .as_ref()
        .filter(|title| title.trim().is_empty() || title.chars().any(|c| c.is_control() || matches!(c, '"' | '\\')))
    {
        return Err(ExtendError::Value {
            what: "--title",
            value: title.clone(),
            reason: "must be one line without quotation marks",
        });
    }
    for row in rows(new) {
        row.check().map_err(|error| match error {
            // The flag of this command that the value comes from.
            ExtendError::Value { what: "--default", value, reason } => {
                let what = if row.kind == SettingKind::Token { "--token-from" } else { "--base" };
                ExtendError::Value { what, value, reason }
            }
            other => other,
        })?;
    }
    let before = files.added().len();
    match files.find(&path(&new.name))? {
        Some(text) if !text.contains("pub fn api(&self)") => {
            let by = format!("the project has a src/{}.rs that is no client of `mcp-kit add upstream`", new.name);
            return Err(ExtendError::Taken { name: new.name.clone(), by });
        }
        Some(_) => {}
        None => files.set(&path(&new.name), client(new), "its client"),
    }
    for row in rows(new) {
        rows::add(files, &row)?;
    }
    wire(files, new)?;
    let test_path = format!("tests/{}.rs", new.name);
    if files.find(&test_path)?.is_none() {
        files.set(&test_path, test(new), "a test of what goes out");
    }
    Ok(files.added().len() > before)
}

/// Returns the name of the upstream in sentences.
fn called(new: &NewUpstream) -> String {
    new.title.clone().unwrap_or_else(|| format!("the {} API", new.name.replace('_', " ")))
}

fn upper(new: &NewUpstream) -> String {
    new.name.to_uppercase()
}

fn rows(new: &NewUpstream) -> Vec<SettingRow> {
    let (upper, called) = (upper(new), called(new));
    let group = capital(&called);
    let row = |name: String, kind, default: Option<String>, help: String| SettingRow {
        name,
        kind,
        default,
        group: group.clone(),
        help,
    };
    let from = new.token_from.clone().unwrap_or_else(|| "the settings of your account there".to_owned());
    let base = new.base.clone().unwrap_or_else(|| format!("https://{}.example/v1", new.name.replace('_', "-")));
    let mut rows = vec![
        row(
            format!("{upper}_TOKEN"),
            SettingKind::Token,
            Some(from),
            format!("The token with which the server calls {called}."),
        ),
        row(format!("{upper}_API_BASE"), SettingKind::Url, Some(base), format!("Where {called} is.")),
    ];
    if new.access {
        rows.push(row(
            format!("{upper}_ACCESS_CLIENT_ID"),
            SettingKind::Text,
            None,
            format!("Client id of the Access service token with which the server reaches {called}; empty where that is not behind Access."),
        ));
        rows.push(row(
            format!("{upper}_ACCESS_CLIENT_SECRET"),
            SettingKind::Secret,
            None,
            "The client secret of that service token.".to_owned(),
        ));
    }
    rows
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

fn client(new: &NewUpstream) -> String {
    let (upper, called, client) = (upper(new), called(new), camel(&new.name));
    let token = format!("{upper}_TOKEN");
    let mut build =
        format!("Api::new(\"{}\", TOKEN, settings.url(\"{upper}_API_BASE\")?, settings)?", capital(&called));
    if let Some(header) = &new.token_header {
        build += &format!(".with_token_header(\"{header}\")");
    }
    let access = if new.access {
        format!(
            "        let (id, secret) = (settings.text(\"{upper}_ACCESS_CLIENT_ID\")?, settings.secret(\"{upper}_ACCESS_CLIENT_SECRET\")?);\n        \
             Ok(Self(api.with_access(id, secret)?))\n"
        )
    } else {
        "        Ok(Self(api))\n".to_owned()
    };
    let probe = new.probe.as_ref().map_or_else(String::new, |path| {
        format!(
            "\n    /// Asks whether the API takes the server's token: for readiness, and for the command `doctor`.\n    \
             #[must_use]\n    pub fn probe(&self) -> Probe {{\n        self.0.probe(\"{path}\")\n    }}\n"
        )
    });
    let imports = if new.probe.is_some() { "{Probe, Settings, StartError}" } else { "{Settings, StartError}" };
    format!(
        "//! {}: its address, and the server's own token for it.\n\n\
         use mcp_server_runtime::api::Api;\n\
         use mcp_server_runtime::{imports};\n\n\
         /// Name of the server's own token, in the environment and in every token store.\n\
         pub const TOKEN: &str = \"{token}\";\n\n\
         /// A client of the API. Clones share its connections.\n\
         #[derive(Debug, Clone)]\n\
         pub struct {client}(Api);\n\n\
         impl {client} {{\n    \
         /// A client for the configured address. Nothing is asked yet.\n    ///\n    \
         /// # Errors\n    /// Where the HTTP client cannot be built.\n    \
         pub fn new(settings: &Settings) -> Result<Self, StartError> {{\n        \
         let api = {build};\n{access}    }}\n\n    \
         /// The sender of requests: with the server's token, retries, a deadline, and a limit for answers.\n    \
         #[must_use]\n    pub fn api(&self) -> &Api {{\n        &self.0\n    }}\n{probe}}}\n",
        capital(&called)
    )
}

/// The module and the client in `src/lib.rs`.
fn wire(files: &mut ProjectFiles, new: &NewUpstream) -> Result<(), ExtendError> {
    let name = &new.name;
    let none = |anchor| ExtendError::NoPlace { path: LIB.to_owned(), anchor };
    let mut text = files.read(LIB)?;
    if !masked(&text).contains(&format!("pub mod {name};")) {
        text = with_module(&text, name).ok_or_else(|| none("`pub mod config;`"))?;
        files.set(LIB, text.clone(), "the module");
    }
    let built = format!("{name}::{}::new(settings)?", camel(name));
    if masked(&text).contains(&built) {
        return Ok(());
    }
    let mask = masked(&text);
    let handlers = mask.find("Handlers::new(").ok_or_else(|| none("`Handlers::new(…)`"))?;
    let close = closing(&mask, handlers + "Handlers::new(".len() - 1).ok_or_else(|| none("`Handlers::new(…)`"))?;
    let probe = if new.probe.is_some() { format!(".with_probe({name}.probe())") } else { String::new() };
    text = insert(&text, close + 1, &format!("{probe}.with_upstream({name})"));
    // Before the statement.
    let start = mask[..handlers].rfind([';', '{', '}']).map_or(0, |end| end + 1);
    let start = start + (text[start..].len() - text[start..].trim_start_matches([' ', '\n']).len());
    // A comment may stand above it.
    text = insert(&text, start, &format!("let {name} = {built};\n        "));
    if word(&mask, "_settings").is_some_and(|at| at < handlers) {
        text = text.replacen("|_settings|", "|settings|", 1);
    }
    files.set(LIB, text, "the client, given to every request");
    Ok(())
}

/// Adds `pub mod NAME;` to the modules in order.
fn with_module(text: &str, name: &str) -> Option<String> {
    let mask = masked(text);
    let starts =
        mask.match_indices("pub mod ").map(|(at, _)| at).filter(|at| *at == 0 || mask.as_bytes()[at - 1] == b'\n');
    let modules: Vec<(usize, usize, &str)> = starts
        .filter_map(|start| {
            let end = start + mask[start..].find('\n')?;
            mask[start + "pub mod ".len()..end].trim_end().strip_suffix(';').map(|module| (start, end + 1, module))
        })
        .collect();
    let line = format!("pub mod {name};\n");
    match modules.iter().find(|(.., module)| *module > name) {
        Some((start, ..)) => Some(insert(text, item_start(text, *start), &line)),
        None => modules.last().map(|(_, end, _)| insert(text, *end, &line)),
    }
}

fn test(new: &NewUpstream) -> String {
    let (name, client, upper) = (&new.name, camel(&new.name), upper(new));
    let token = match &new.token_header {
        Some(header) => format!("(\"{header}\", \"{upper}_TOKEN-of-the-test\")"),
        None => format!("(\"authorization\", \"Bearer {upper}_TOKEN-of-the-test\")"),
    };
    let (access, variables) = if new.access {
        (
            "    (\"cf-access-client-id\", \"id.access\"),\n    (\"cf-access-client-secret\", \"secret-of-the-test\"),\n".to_owned(),
            format!(", (\"{upper}_ACCESS_CLIENT_ID\", \"id.access\"), (\"{upper}_ACCESS_CLIENT_SECRET\", \"secret-of-the-test\")"),
        )
    } else {
        Default::default()
    };
    format!(
        "//! {}: what goes out, and what comes back.\n\
         #![allow(clippy::expect_used, reason = \"tests may say what they expect\")]\n\n\
         use mcp_server::handlers::tools::Tools;\n\
         use mcp_server::{name}::{client};\n\
         use mcp_server_runtime::axum::http::request::Parts;\n\
         use mcp_server_runtime::axum::http::{{HeaderMap, StatusCode}};\n\
         use mcp_server_runtime::axum::routing::get;\n\
         use mcp_server_runtime::axum::{{Json, Router, serve}};\n\
         use mcp_server_runtime::testing::{{BEARER, TestServer}};\n\
         use mcp_server_runtime::{{Handlers, Server, upstream}};\n\
         use serde_json::Value;\n\n\
         /// The headers that the API must be sent: the server's own credentials, and nothing of the caller's.\n\
         const SENT: &[(&str, &str)] = &[\n    {token},\n{access}];\n\n\
         /// An API that takes these credentials alone.\n\
         async fn api(headers: HeaderMap) -> Result<Json<Value>, StatusCode> {{\n    \
         let good = SENT.iter().all(|(name, value)| headers.get(*name).is_some_and(|sent| sent == value));\n    \
         if good && !format!(\"{{headers:?}}\").contains(BEARER) {{ Ok(Json(Value::from(\"hello\"))) }} else {{ Err(StatusCode::UNAUTHORIZED) }}\n}}\n\n\
         async fn ask(parts: Parts) -> Result<Json<Value>, String> {{\n    \
         let answer = upstream::<{client}>(&parts)?.api().get(&parts, &[\"anything\"], &[]).await?;\n    Ok(Json(answer.value))\n}}\n\n\
         #[tokio::test]\n\
         async fn the_api_is_asked_with_the_servers_own_credentials() {{\n    \
         let listener = tokio::net::TcpListener::bind((\"127.0.0.1\", 0)).await.expect(\"a port\");\n    \
         let base = format!(\"http://{{}}\", listener.local_addr().expect(\"an address\"));\n    \
         tokio::spawn(async move {{ serve(listener, Router::new().fallback(api)).await }});\n    \
         let server = Server::new(\"test\", \"1.0.0\", |settings| {{\n        \
         Ok(Handlers::new(Tools::default()).with_upstream({client}::new(settings)?))\n    }})\n    \
         .with_settings(mcp_server::config::SETTINGS)\n    \
         .with_routes(|_| Router::new().route(\"/ask\", get(ask)));\n    \
         let server = TestServer::start(&server, &[(\"{upper}_API_BASE\", &base){variables}]).await;\n    \
         let page = server.http.get(server.url(\"/ask\")).bearer_auth(BEARER).send().await.expect(\"an answer\");\n    \
         assert_eq!(page.text().await.expect(\"a body\"), \"\\\"hello\\\"\");\n}}\n",
        capital(&called(new))
    )
}
