//! The closed sets of words of an entry, with their names for people.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::read::Reader;
use crate::catalog::yaml::Node;

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
            pub(super) const LABELS: &[(&'static str, &'static str)] = &[$(($word, $label)),+];

            /// Returns the word in the catalog.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub(in crate::catalog) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
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
        /// The server does not run any more.
        Retired "retired" "Retired",
    }
}

choices! {
    /// The location of the server.
    Location "location" {
        /// Cloudflare Workers.
        Workers "workers" "Workers",
        /// A virtual machine of DigitalOcean.
        Droplet "droplet" "Droplet",
        /// Another virtual machine.
        Vm "vm" "Virtual machine",
        /// A Kubernetes cluster.
        Kubernetes "kubernetes" "Kubernetes",
        /// Google Cloud Run.
        CloudRun "cloud-run" "Cloud Run",
        /// AWS Lambda.
        Lambda "lambda" "AWS Lambda",
        /// A local machine.
        Local "local" "Local machine",
        /// Another place.
        Other "other" "Other",
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
        /// Certificates of clients.
        Mtls "mtls" "Mutual TLS",
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
        /// Secrets of a Worker.
        WorkerSecrets "worker-secrets" "Worker secrets",
        /// Infisical.
        Infisical "infisical" "Infisical",
        /// HashiCorp Vault or OpenBao.
        Vault "vault" "Vault",
        /// The secret manager of a cloud.
        SecretManager "secret-manager" "Cloud secret manager",
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
        /// A portal: one address for several servers.
        Portal "portal" "Portal",
    }
}

choices! {
    /// The transport of the server.
    Transport "transport" {
        /// Streamable HTTP.
        StreamableHttp "streamable-http" "Streamable HTTP",
        /// HTTP with server-sent events, of the first revision of MCP.
        Sse "sse" "HTTP+SSE",
        /// Standard input and output.
        Stdio "stdio" "stdio",
    }
}

/// Returns the name for a word of the catalog. An unknown word is its own name.
#[must_use]
pub fn label(word: &str) -> &str {
    let tables = [
        ServiceKind::LABELS,
        ServiceStatus::LABELS,
        Location::LABELS,
        AuthMethod::LABELS,
        TokenStorage::LABELS,
        Transport::LABELS,
    ];
    let found = tables.into_iter().flatten().find(|(known, _)| *known == word);
    found.map_or(word, |(_, label)| label)
}

impl ServiceKind {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) const fn is_server(&self) -> bool {
        matches!(self, Self::Server)
    }
}

impl ServiceStatus {
    /// Returns whether clients can call a server with this status.
    #[must_use]
    pub const fn runs(self) -> bool {
        matches!(self, Self::Deployed | Self::Deprecated)
    }
}
