//! The reader of an entry, and the rules between its fields.

use std::collections::HashSet;

use super::words::{AuthMethod, Location, ServiceKind, ServiceStatus, TokenStorage, Transport};
use super::{Environment, Service, TemplateUse, Tool, Upstream};
use crate::catalog::problem::Problem;
use crate::catalog::read::{Fields, Reader};
use crate::catalog::yaml::Node;

/// The fields that every server has.
pub(super) const REQUIRED: [&str; 4] = ["status", "location", "auth_method", "token_storage"];

/// Requires the fields of servers in the schema. A template or a portal needs its name only.
pub(super) fn require_by_kind(schema: &mut schemars::Schema) {
    schema.insert("required".to_owned(), serde_json::json!(["name"]));
    let other = serde_json::json!({"properties": {"kind": {"enum": ["template", "portal"]}}, "required": ["kind"]});
    schema.insert("if".to_owned(), other);
    schema.insert("else".to_owned(), serde_json::json!({ "required": REQUIRED }));
}

impl Service {
    pub(in crate::catalog) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "a service")?;
        let name = reader.required_text(&mut fields, "name");
        let kind = fields.take("kind").map_or(Some(ServiceKind::Server), |node| ServiceKind::read(node, reader));
        let mut is_whole = name.is_some() && kind.is_some();
        // A field that a server needs. Of others it is read when it is there.
        let mut needed = |name: &'static str, reader: &mut Reader, fields: &mut Fields<'_>| {
            let node = match kind {
                Some(ServiceKind::Server) => reader.required(fields, name).cloned(),
                _ => fields.take(name).cloned(),
            };
            is_whole &= node.is_some() || kind != Some(ServiceKind::Server);
            node
        };
        let status = needed("status", reader, &mut fields);
        let location = needed("location", reader, &mut fields);
        let auth_method = needed("auth_method", reader, &mut fields);
        let token_storage = needed("token_storage", reader, &mut fields);
        let texts = |node: Option<&Node>, reader: &mut Reader| reader.list(node, |node, reader| reader.text(node));
        let service = Self {
            name: name.unwrap_or_default(),
            id: fields.take("id").and_then(|node| slug(node, reader)),
            kind: kind.unwrap_or_default(),
            description: reader.optional_text(&mut fields, "description"),
            status: status.as_ref().and_then(|node| ServiceStatus::read(node, reader)),
            replaced_by: reader.optional_text(&mut fields, "replaced_by"),
            location: location.as_ref().and_then(|node| Location::read(node, reader)),
            auth_method: auth_method.as_ref().and_then(|node| AuthMethod::read(node, reader)),
            token_storage: token_storage.as_ref().and_then(|node| TokenStorage::read(node, reader)),
            url: fields.take("url").and_then(|node| url(node, reader)),
            environments: reader.list(fields.take("environments"), Environment::read),
            transport: fields.take("transport").and_then(|node| Transport::read(node, reader)),
            audience: reader.optional_text(&mut fields, "audience"),
            scopes: texts(fields.take("scopes"), reader),
            tools: reader.list(fields.take("tools"), Tool::read),
            owner: reader.optional_text(&mut fields, "owner"),
            on_call: reader.optional_text(&mut fields, "on_call"),
            escalation: reader.optional_text(&mut fields, "escalation"),
            tier: reader.optional_text(&mut fields, "tier"),
            data_class: reader.optional_text(&mut fields, "data_class"),
            upstreams: reader.list(fields.take("upstreams"), Upstream::read),
            repository: reader.optional_text(&mut fields, "repository"),
            version: reader.optional_text(&mut fields, "version"),
            template: fields.take("template").and_then(|node| TemplateUse::read(node, reader)),
            servers: texts(fields.take("servers"), reader),
            dashboards: reader
                .table(fields.take("dashboards"), |name, _, node, reader| Some((name.to_owned(), url(node, reader)?))),
            sop: fields.take("sop").and_then(|node| reader.path(node)),
            runbook: fields.take("runbook").and_then(|node| reader.path(node)),
            last_verified: fields.take("last_verified").and_then(|node| reader.date(node)),
            notes: reader.optional_text(&mut fields, "notes"),
            tags: texts(fields.take("tags"), reader),
            extensions: fields.extensions().map(|(key, node)| (key.to_owned(), node.json())).collect(),
        };
        if let (Some(AuthMethod::Oauth), Some(TokenStorage::None), Some(node)) =
            (service.auth_method, service.token_storage, &token_storage)
        {
            let problem = Problem::new(node.span.clone(), "an OAuth server has to keep its tokens somewhere");
            reader.problem(problem.with_hint("name the storage, or another auth_method"));
        }
        reader.end(fields);
        is_whole.then_some(service)
    }
}

/// Reads an id.
fn slug(node: &Node, reader: &mut Reader) -> Option<String> {
    let text = reader.text(node)?;
    if crate::catalog::ids::slug(&text) == text {
        return Some(text);
    }
    let problem = Problem::new(node.span.clone(), format!("{text:?} is no id"));
    reader.problem(problem.with_hint("make it of lower-case letters and digits, with single hyphens between them"));
    None
}

/// Reads an address that requests may go to. It must not contain credentials, because every report would show them.
pub(super) fn url(node: &Node, reader: &mut Reader) -> Option<String> {
    let text = reader.text(node)?;
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://localhost"))
        .or_else(|| text.strip_prefix("http://127.0.0.1"));
    let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let problem = match authority {
        None => Some(format!("{text:?} is no https:// address")),
        Some(authority) if authority.contains('@') => Some("this address has credentials in it".to_owned()),
        Some(_) if text.contains(|c: char| c.is_whitespace() || "<>\"".contains(c)) || text == "https://" => {
            Some(format!("{text:?} is no address"))
        }
        Some(_) => None,
    };
    match problem {
        Some(message) => {
            reader.problem(Problem::new(node.span.clone(), message));
            None
        }
        None => Some(text),
    }
}

/// Checks that names and ids are unique without regard to case, and that the entries that others name exist. It reads
/// the tree, so that an entry with another error counts too.
pub(in crate::catalog) fn check_names(root: &Node, reader: &mut Reader) {
    let Some((_, services)) = root.field("services") else { return };
    let services = services.items();
    let (mut names, mut ids) = (HashSet::new(), HashSet::new());
    for service in services {
        for (key, seen) in [("name", &mut names), ("id", &mut ids)] {
            let Some((_, node)) = service.field(key) else { continue };
            let Some(value) = node.text() else { continue };
            if !seen.insert(value.to_lowercase()) {
                let what = if key == "name" { "named" } else { "with the id" };
                reader.problem(Problem::new(node.span.clone(), format!("there is a service {what} {value:?} above")));
            }
        }
    }
    let slugs: HashSet<String> = names.iter().map(|name| crate::catalog::ids::slug(name)).collect();
    let known = |name: &str| {
        let name = name.to_lowercase();
        names.contains(&name) || ids.contains(&name) || slugs.contains(&name)
    };
    for service in services {
        let one = service.field("replaced_by").map(|(_, node)| std::slice::from_ref(node));
        let several = service.field("servers").map(|(_, node)| node.items());
        for node in one.into_iter().chain(several).flatten() {
            let Some(name) = node.text().filter(|name| !known(name)) else { continue };
            let name_of = |service: &Node| service.field("name").and_then(|(_, node)| node.text()).map(str::to_owned);
            let all: Vec<String> = services.iter().filter_map(name_of).collect();
            let problem = Problem::new(node.span.clone(), format!("there is no service {name:?}"));
            reader.problem(match crate::text::nearest::nearest(name, &all) {
                Some(near) => problem.with_hint(format!("did you mean {near}?")),
                None => problem.with_hint("write its name or its id"),
            });
        }
    }
}
