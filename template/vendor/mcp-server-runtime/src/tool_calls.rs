//! Each call of a tool: whether the caller may, and one line in the log of what became of it.
//!
//! The line has the caller and the tool and no argument or result: `Tool call caller="user@example.com" kind="human"
//! issuer="https://…" tool="list_rows" outcome="ok" milliseconds=12`, and the id of the request, as every line. With
//! PostgreSQL as the token store, it is a row of a table as well.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use mcp_auth_middleware::{AuthLayer, ToolCallRecord, User};
use rmcp::ServerHandler;
use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::policy::Policy;
use crate::request_id;
use crate::router::RequestServices;

/// Lines about calls of tools have this target, for those who collect them apart.
pub(crate) const TARGET: &str = "mcp_server_runtime::audit";

/// A name that a caller has made up is cut here, in bytes.
const LONGEST_NAME: usize = 128;

/// The rules for tools, in the extensions of each request.
#[derive(Clone)]
pub(crate) struct Permissions(Arc<Inner>);

/// Finds a tool by its name.
type FindTool = Box<dyn Fn(&str) -> Option<Tool> + Send + Sync>;

struct Inner {
    policy: Option<Policy>,
    tools: FindTool,
    auth: AuthLayer,
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permissions").field("policy", &self.0.policy.is_some()).finish_non_exhaustive()
    }
}

impl Permissions {
    /// By the policy, if there is one, and by what this handler's tools say of themselves.
    pub(crate) fn new<H: ServerHandler + Sync>(policy: Option<Policy>, handler: H, auth: AuthLayer) -> Self {
        Self(Arc::new(Inner { policy, tools: Box::new(move |name| handler.get_tool(name)), auth }))
    }

    /// Keeps those tools that the caller may call; true where somebody else may see others.
    pub(crate) fn retain(&self, user: Option<&User>, tools: &mut Vec<Tool>) -> bool {
        let Some(policy) = &self.0.policy else { return false };
        let rules = policy.rules();
        tools.retain(|tool| user.is_some_and(|user| rules.allow(user, &tool.name, Some(tool))));
        true
    }

    /// True where the caller may call this tool.
    pub(crate) fn allow(&self, user: Option<&User>, name: &str) -> bool {
        let Some(policy) = &self.0.policy else { return true };
        let tool = (self.0.tools)(name);
        user.is_some_and(|user| policy.rules().allow(user, name, tool.as_ref()))
    }

    /// The tool that the message of this body calls and the caller may not. Its arguments are not looked at.
    pub(crate) fn forbidden_call(&self, user: Option<&User>, body: &[u8]) -> Option<String> {
        self.0.policy.as_ref()?;
        let name = called_tool(body)?;
        (!self.allow(user, &name)).then_some(name)
    }

    /// A call of this tool begins.
    pub(crate) fn begin(&self, user: Option<&User>, tool: &str) -> ToolCall {
        let mut call = ToolCall::begin(user, tool);
        call.auth = Some(self.0.auth.clone());
        call
    }

    /// The answer to a caller who may not, which names the scope that would help.
    pub(crate) fn refuse(&self, parts: &Parts, name: &str) -> Response {
        let user = parts.extensions.get::<User>();
        self.begin(user, name).finish("refused");
        let rules = self.0.policy.as_ref().map(Policy::rules);
        let tool = (self.0.tools)(name);
        let scope = match (&rules, user) {
            (Some(rules), Some(user)) => rules.helpful_scope(user, name, tool.as_ref()),
            _ => None,
        };
        let response: axum::http::Response<String> = self.0.auth.refuse_tool(&parts.headers, scope);
        response.map(Body::from)
    }
}

/// The name of the tool that a message calls.
fn called_tool(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Message<'a> {
        method: Cow<'a, str>,
        #[serde(borrow)]
        params: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Params {
        name: String,
    }
    let Message { method, params } = serde_json::from_slice(body).ok()?;
    if method != "tools/call" {
        return None;
    }
    serde_json::from_str::<Params>(params?.get()).ok().map(|params| params.name)
}

/// A call of a tool that is under way. Where it is dropped before it is finished, the work was given up or has panicked; the
/// line says so.
#[derive(Debug)]
pub struct ToolCall {
    caller: Option<User>,
    tool: String,
    started: Instant,
    outcome: Option<Cow<'static, str>>,
    /// Who keeps the record of calls, if somebody does.
    auth: Option<AuthLayer>,
}

impl ToolCall {
    pub(crate) fn begin(user: Option<&User>, tool: &str) -> Self {
        Self {
            caller: user.cloned(),
            tool: tool[..tool.floor_char_boundary(LONGEST_NAME)].to_owned(),
            started: Instant::now(),
            outcome: None,
            auth: None,
        }
    }

    /// The call has an answer: `ok`, or in a word or two what went wrong, without anything of the arguments.
    pub fn finish(mut self, outcome: impl Into<Cow<'static, str>>) {
        self.outcome = Some(outcome.into());
    }
}

impl Drop for ToolCall {
    fn drop(&mut self) {
        let unfinished = if std::thread::panicking() { "panicked" } else { "abandoned" };
        let outcome = self.outcome.as_deref().unwrap_or(unfinished);
        let duration = self.started.elapsed();
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let caller = self.caller.as_ref();
        // Fields of text are written with escapes: one line stays one line.
        tracing::info!(
            target: TARGET,
            caller = caller.map(|user| &*user.email).unwrap_or_default(),
            kind = caller.map(|user| user.kind.as_str()).unwrap_or_default(),
            issuer = caller.and_then(User::issuer).unwrap_or_default(),
            tool = self.tool.as_str(),
            outcome,
            milliseconds,
            "Tool call"
        );
        if let Some(auth) = self.auth.as_ref().filter(|auth| auth.records_calls()) {
            auth.record_call(ToolCallRecord {
                caller: caller.map(|user| user.email.to_string()).unwrap_or_default(),
                kind: caller.map(|user| user.kind.as_str().to_owned()).unwrap_or_default(),
                issuer: caller.and_then(User::issuer).map(str::to_owned),
                tool: self.tool.clone(),
                outcome: outcome.to_owned(),
                duration,
                request_id: request_id::current().and_then(|id| id.to_str().map(str::to_owned).ok()),
            });
        }
    }
}

/// A caller who may not call a tool, as an answer: 403 `insufficient_scope`.
#[derive(Debug)]
pub struct ToolRefused(Box<Response>);

impl IntoResponse for ToolRefused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// Begins a call of a tool that does not come by MCP: from a route of the server's own, or in the form of an older proxy.
/// The policy holds for it, and it has its line in the log.
///
/// # Errors
/// [`ToolRefused`] where the caller may not call this tool, or the request did not come through the authentication.
pub fn tool_call(parts: &Parts, tool: &str) -> Result<ToolCall, ToolRefused> {
    let user = parts.extensions.get::<User>();
    let Some(permissions) = RequestServices::find(&parts.extensions).map(RequestServices::permissions) else {
        return Err(ToolRefused(Box::new(StatusCode::FORBIDDEN.into_response())));
    };
    if permissions.allow(user, tool) {
        return Ok(permissions.begin(user, tool));
    }
    Err(ToolRefused(Box::new(permissions.refuse(parts, tool))))
}

#[cfg(test)]
mod tests {
    use super::called_tool;

    #[test]
    fn the_tool_is_found_without_a_look_at_its_arguments() {
        let name = |body: &str| called_tool(body.as_bytes());
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":[1]}}}"#;
        assert_eq!(name(call).as_deref(), Some("x"));
        assert_eq!(name(&call.replace("tools/call", "tools\\u002fcall")).as_deref(), Some("x"));
        for other in [
            call.replace("tools/call", "tools/list"),
            call.replace("\"x\"", "7"),
            // Twice: rmcp refuses it, or the check before the tool does.
            call.replace(r#""name":"x""#, r#""name":"x","name":"y""#),
            r#"{"method":"tools/call"}"#.to_owned(),
        ] {
            assert_eq!(name(&other), None, "{other}");
        }
    }
}
