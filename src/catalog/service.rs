//! One MCP server of the fleet.

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::Problem;
use super::read::Reader;
use super::yaml::{Node, Value};

/// Defines an enumeration with its words for reading, writing and the schema, and its labels for people.
macro_rules! choices {
    ($(#[$about:meta])* $name:ident $what:literal { $($(#[$doc:meta])* $variant:ident $word:literal $label:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// All variants with their words.
            pub const ALL: &[(&'static str, Self)] = &[$(($word, Self::$variant)),+];

            /// The word of each variant, and its label for people.
            const LABELS: &[(&'static str, &'static str)] = &[$(($word, $label)),+];

            /// Returns the word in the catalog.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
                reader.choice(node, $what, Self::ALL)
            }
        }
    };
}

choices! {
    /// The status of the server.
    ServiceStatus "status" {
        /// The server runs.
        Deployed "deployed" "Deployed",
        /// The server does not run yet.
        Planned "planned" "Planned",
        /// The server runs, and will be removed.
        Deprecated "deprecated" "Deprecated",
    }
}

choices! {
    /// The location of the server.
    Location "location" {
        /// Cloudflare Workers.
        Workers "workers" "Workers",
        /// A virtual machine.
        Droplet "droplet" "Droplet",
        /// A Kubernetes cluster.
        Kubernetes "kubernetes" "Kubernetes",
        /// A local machine.
        Local "local" "Local machine",
    }
}

choices! {
    /// The authentication of callers.
    AuthMethod "way to authenticate" {
        /// Cloudflare Access in front of the server.
        CloudflareAccess "cloudflare-access" "Cloudflare Access",
        /// Access tokens of an identity provider.
        Oidc "oidc" "OIDC",
        /// An OAuth server of its own.
        Oauth "oauth" "OAuth",
        /// A Bearer token.
        Bearer "bearer" "Bearer token",
        /// No authentication.
        None "none" "None",
    }
}

choices! {
    /// The storage of the server's tokens.
    TokenStorage "token storage" {
        /// Environment variables.
        Env "env" "Environment variables",
        /// PostgreSQL, encrypted.
        Postgresql "postgresql" "PostgreSQL",
        /// Workers KV.
        Kv "kv" "Workers KV",
        /// Durable Objects.
        DurableObjects "durable-objects" "Durable Objects",
        /// Infisical.
        Infisical "infisical" "Infisical",
        /// The server needs no tokens.
        None "none" "None",
    }
}

choices! {
    /// The kind of an entry.
    #[derive(Default)]
    ServiceKind "kind" {
        /// A server.
        #[default]
        Server "server" "Server",
        /// A template for servers. It runs nowhere and has no checklist.
        Template "template" "Template",
    }
}

/// Returns the label for a word of the catalog. An unknown word is its own label.
#[must_use]
pub fn label(word: &str) -> &str {
    let tables =
        [ServiceKind::LABELS, ServiceStatus::LABELS, Location::LABELS, AuthMethod::LABELS, TokenStorage::LABELS];
    let found = tables.into_iter().flatten().find(|(known, _)| *known == word);
    found.map_or(word, |(_, label)| label)
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The unique name.
    pub name: String,
    /// A server, or a template for servers.
    #[serde(default, skip_serializing_if = "ServiceKind::is_server")]
    pub kind: ServiceKind,
    /// The status of the server.
    pub status: ServiceStatus,
    /// The location of the server.
    pub location: Location,
    /// The authentication of callers.
    pub auth_method: AuthMethod,
    /// The storage of the server's tokens.
    pub token_storage: TokenStorage,
    /// The URL of its endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    pub url: Option<String>,
    /// The repository: an address, or a path relative to the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The person or team that owns the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The path of its standard operating procedure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sop: Option<String>,
    /// The path of its runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// The date on which a person or `catalog verify` last checked this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    pub last_verified: Option<String>,
    /// Notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

impl ServiceKind {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    const fn is_server(&self) -> bool {
        matches!(self, Self::Server)
    }
}

impl Service {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "a service")?;
        let name = reader.required_text(&mut fields, "name");
        let kind = fields.take("kind").map_or(Some(ServiceKind::Server), |node| ServiceKind::read(node, reader));
        let status = reader.required(&mut fields, "status").and_then(|node| ServiceStatus::read(node, reader));
        let location = reader.required(&mut fields, "location").and_then(|node| Location::read(node, reader));
        let auth_method = reader.required(&mut fields, "auth_method").and_then(|node| AuthMethod::read(node, reader));
        let storage_node = reader.required(&mut fields, "token_storage");
        let token_storage = storage_node.and_then(|node| TokenStorage::read(node, reader));
        if let (Some(AuthMethod::Oauth), Some(TokenStorage::None), Some(node)) =
            (auth_method, token_storage, storage_node)
        {
            let problem = Problem::new(node.span.clone(), "an OAuth server has to keep its tokens somewhere");
            reader.problem(problem.with_hint("name the storage, or another auth_method"));
        }
        let url = fields.take("url").and_then(|node| url(node, reader));
        let repository = reader.optional_text(&mut fields, "repository");
        let owner = reader.optional_text(&mut fields, "owner");
        let sop = fields.take("sop").and_then(|node| reader.path(node));
        let runbook = fields.take("runbook").and_then(|node| reader.path(node));
        let last_verified = fields.take("last_verified").and_then(|node| reader.date(node));
        let notes = reader.optional_text(&mut fields, "notes");
        reader.end(fields);
        Some(Self {
            name: name?,
            kind: kind?,
            status: status?,
            location: location?,
            auth_method: auth_method?,
            token_storage: token_storage?,
            url,
            repository,
            owner,
            sop,
            runbook,
            last_verified,
            notes,
        })
    }
}

/// Reads an address that the audit may request. It must not contain credentials, because every report would show them.
fn url(node: &Node, reader: &mut Reader) -> Option<String> {
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

/// Checks that names are unique without regard to case. It reads the tree, so that a service with another error counts
/// too.
pub(super) fn check_names(root: &Node, reader: &mut Reader) {
    let entry = |node: &Node, wanted: &str| match &node.value {
        Value::Map(entries) => entries.iter().find(|(key, ..)| key == wanted).map(|(.., node)| node.clone()),
        _ => None,
    };
    let Some(Node { value: Value::List(services), .. }) = entry(root, "services") else { return };
    let mut seen = std::collections::HashSet::new();
    for name in services.iter().filter_map(|service| entry(service, "name")) {
        if let Value::Scalar(Some(text)) = &name.value
            && !seen.insert(text.trim().to_lowercase())
        {
            reader.problem(Problem::new(name.span.clone(), format!("there is a service named {text:?} above")));
        }
    }
}
