//! One entry of the fleet: a server, a template for servers, or a portal.

mod parts;
mod places;
mod read;
mod words;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use parts::{Environment, TemplateUse, Tool, Upstream};
pub(super) use read::check_names;
pub use words::{AuthMethod, Location, ServiceKind, ServiceStatus, TokenStorage, Transport, label};

use parts::ToolSchema;

/// An entry of the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = read::require_by_kind)]
pub struct Service {
    /// The unique name.
    pub name: String,
    /// The unique short name, of lower-case letters, digits and hyphens. Without it, `name` in that form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub id: Option<String>,
    /// A server, a template for servers, or a portal in front of several servers.
    #[serde(default, skip_serializing_if = "ServiceKind::is_server")]
    pub kind: ServiceKind,
    /// The purpose, in one sentence of at most 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The status of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ServiceStatus>,
    /// The name or id of the entry that replaces a deprecated or retired one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// The location of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The authentication of callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_method: Option<AuthMethod>,
    /// The storage of the server's tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_storage: Option<TokenStorage>,
    /// The URL of its endpoint. A server with several environments has one there each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    pub url: Option<String>,
    /// The environments. Clients use the one named `production`, else the first that runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<Environment>,
    /// The transport, if it is not Streamable HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// The audience of callers' tokens, such as the AUD tag of the Access application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The OAuth scopes that callers need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The tools. `catalog verify --write` reads them from the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<ToolSchema>")]
    pub tools: Vec<Tool>,
    /// The person or team that owns the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The person or rota to call when it is down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_call: Option<String>,
    /// The next person or team, and after which time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// The importance, in the words of the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The class of its data, in the words of the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_class: Option<String>,
    /// The APIs that it calls, and when their tokens were rotated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upstreams: Vec<Upstream>,
    /// The repository: an address, or a path relative to the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The version that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The template that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateUse>,
    /// The servers behind a portal, by name or id. Without it, all servers that run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
    /// The names and addresses of dashboards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub dashboards: Vec<(String, String)>,
    /// The path of its standard operating procedure. Without it, ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sop: Option<String>,
    /// The path of its runbook. Without it, ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// The date on which a person or `catalog verify --write` last checked this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    pub last_verified: Option<String>,
    /// Notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The fields of the organisation, which begin with `x-`.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extensions: BTreeMap<String, Value>,
}

impl Service {
    /// Returns whether the entry is a server.
    #[must_use]
    pub const fn is_server(&self) -> bool {
        self.kind.is_server()
    }

    /// Returns whether clients can call it now.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.kind != ServiceKind::Template && self.status.is_some_and(ServiceStatus::runs)
    }
}
