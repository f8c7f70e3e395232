//! Plain data about one address, as it was seen from outside.

use std::time::SystemTime;

use crate::catalog::service::Tool;

/// The result of asking one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The index of the address.
    pub address: usize,
    /// The answer to a client without credentials.
    pub stranger: Seen,
    /// The answer to a client that names itself `Claude-User`, if it was asked.
    pub claude: Option<Seen>,
    /// The end of the certificate.
    pub certificate_ends: Option<SystemTime>,
    /// The contents of `/health`.
    pub health: Option<Health>,
    /// The version of the template that `/status` names to a client with credentials.
    pub template: Option<String>,
    /// The problems on the way from the challenge to a login. `None` when there was nothing to follow.
    pub login: Option<Vec<String>>,
    /// The answers to a client with credentials, if there are any.
    pub session: Option<Session>,
}

/// The sender of an answer, and its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// The address was not asked, because something before failed.
    #[default]
    NotAsked,
    /// There was no answer.
    Silence(Silence),
    /// The server answered MCP without credentials.
    Open(Box<Server>),
    /// The server refuses with a code of its own.
    ServerRefuses(String),
    /// The server answers an error of its own (5xx with JSON-RPC), such as that it has too much to do.
    ServerFails(u16),
    /// Cloudflare Access asks for a login in the way that clients of MCP follow.
    AccessChallenge,
    /// Something asks for a login in the way that clients of MCP follow, or nearly.
    Challenge,
    /// A login page of Cloudflare Access, or a redirect to it.
    AccessLogin,
    /// A rule against AI clients.
    Block,
    /// A refusal (403) of another kind.
    Forbidden,
    /// The server does not know the host name of the address.
    UnknownHost,
    /// Cloudflare or a proxy does not reach the server.
    NoServer(u16),
    /// A redirect.
    Elsewhere(String),
    /// A web page.
    Page,
    /// An answer that is too large.
    TooLarge,
    /// Another answer.
    Other(u16),
}

/// The reason that there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The certificate is not valid.
    Certificate(String),
    /// TLS failed in another way.
    Tls(String),
    /// The name has no address.
    Name(String),
    /// There was no answer in time.
    Late(u64),
    /// Another failure.
    Broken(String),
}

/// The contents of `/health`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The HTTP status.
    pub status: u16,
    /// `true` for an answer of an edge or a proxy that does not reach the server.
    pub is_unreached: bool,
    /// `status` of the document.
    pub word: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// The modes of authentication.
    pub auth_mode: Option<String>,
    /// The token storage.
    pub token_storage: Option<String>,
    /// The version of the template. A generated server has it in `/status` alone.
    pub template: Option<String>,
}

/// A server, as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The name.
    pub name: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// The tools, or the reason that they are not known.
    pub tools: Option<Result<Vec<Tool>, String>>,
}

/// The answers to a client with credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// The server let it in.
    Accepted(Server),
    /// There was no answer.
    Silence(Silence),
    /// An answer that is none of MCP, or a refusal.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The sender and the meaning.
        seen: Seen,
    },
    /// An answer of MCP that cannot be used, as the end of a sentence that begins with the name of the server.
    Failed(String),
    /// The seconds that were not enough for all answers.
    Slow(u64),
}

impl Seen {
    /// Returns whether it is the answer of a server, or of an edge, that wants a login or a token first.
    #[must_use]
    pub const fn wants_credentials(&self) -> bool {
        matches!(self, Self::ServerRefuses(_) | Self::AccessChallenge | Self::Challenge | Self::AccessLogin)
    }
}

impl Silence {
    /// Returns the reason as the end of a sentence that begins with the name of the server.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Certificate(why) => format!("has no valid certificate: {why}"),
            Self::Tls(why) => format!("cannot be reached by TLS: {why}"),
            Self::Name(why) => format!("has a host name without an address: {why}"),
            Self::Late(seconds) => format!("did not answer in {seconds} s"),
            Self::Broken(why) => format!("cannot be reached: {why}"),
        }
    }
}

impl Observation {
    /// Returns whether the server itself was seen. To a client without a credential, Cloudflare Access answers in its place,
    /// whether it runs or not.
    #[must_use]
    pub const fn is_of_server(&self) -> bool {
        match (&self.session, &self.stranger) {
            (Some(Session::Accepted(_)), _) => true,
            (_, Seen::NotAsked | Seen::AccessChallenge | Seen::AccessLogin) => false,
            _ => true,
        }
    }

    /// Returns what the server says of itself to the client that came furthest.
    #[must_use]
    pub fn server(&self) -> Option<&Server> {
        match (&self.session, &self.stranger) {
            (Some(Session::Accepted(server)), _) => Some(server),
            (_, Seen::Open(server)) => Some(server),
            _ => None,
        }
    }

    /// Returns the version, by MCP or else by `/health`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        let health = || self.health.as_ref().and_then(|health| health.version.as_deref());
        self.server().and_then(|server| server.version.as_deref()).or_else(health)
    }

    /// Returns the version of the template, by `/status` or else by `/health`.
    #[must_use]
    pub fn template(&self) -> Option<&str> {
        let health = || self.health.as_ref().and_then(|health| health.template.as_deref());
        self.template.as_deref().or_else(health)
    }

    /// Returns the tools, if they are known.
    #[must_use]
    pub fn tools(&self) -> Option<&[Tool]> {
        match self.server()?.tools.as_ref()? {
            Ok(tools) => Some(tools),
            Err(_) => None,
        }
    }
}
