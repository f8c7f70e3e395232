//! Requests that rmcp could not read, and those that nothing answers.

use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, CustomResult, ErrorCode, InitializeRequestParams, ProtocolVersion};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Longer ones are cut.
const LONGEST_REASON: usize = 300;

/// The methods that this server has. rmcp takes a request with one of these names and parameters of the wrong shape
/// for one with an unknown method; the caller is better served with what is really wrong.
const METHODS: [&str; 5] = ["initialize", "ping", "server/discover", "tools/list", "tools/call"];

/// Those that revision 2026-07-28 removed.
const REMOVED: [&str; 2] = ["initialize", "ping"];

/// The notifications that clients send. Some send them with an id, for servers that answer nothing without one
/// (patvice/ruby_llm-mcp#74).
const NOTIFICATIONS: [&str; 4] = [
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
];

/// The answer to a notification that asks for one: an error would end the handshake. In revision 2026-07-28 there is none, as
/// there is no handshake.
#[must_use]
pub(crate) fn taken_note_of(method: &str, version: Option<&ProtocolVersion>) -> Option<CustomResult> {
    let handshake = version.is_none_or(ProtocolVersion::has_initialize);
    (handshake && NOTIFICATIONS.contains(&method)).then(|| CustomResult::new(json!({})))
}

/// The error for a request of this revision: wrong parameters for a method that is there, else no such method. Which of them is
/// wrong is said: who writes a client sees no more than this (IBM/WxMCPServer#3).
#[must_use]
pub(crate) fn unreadable(method: &str, params: Option<Value>, version: Option<&ProtocolVersion>) -> ErrorData {
    let removed = REMOVED.contains(&method) && version.is_some_and(|version| !version.has_initialize());
    if METHODS.contains(&method) && !removed {
        let reason = reason(method, params).map(|reason| format!(": {reason}")).unwrap_or_default();
        return ErrorData::invalid_params(format!("the parameters do not fit {method}{reason}"), None);
    }
    not_found_in_words(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None))
}

/// Returns why the parameters do not fit this method, and where.
fn reason(method: &str, params: Option<Value>) -> Option<String> {
    let params = params.unwrap_or_default();
    match method {
        "initialize" => problem::<InitializeRequestParams>(params),
        "tools/call" => problem::<CallToolRequestParams>(params),
        _ => None,
    }
}

fn problem<T: DeserializeOwned>(params: Value) -> Option<String> {
    let error = serde_path_to_error::deserialize::<_, T>(params).err()?;
    // It has values of the caller in it, of any length.
    Some(error.to_string().chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect())
}

/// The error with the words of JSON-RPC 2.0 §5.1, where it has the name of the method alone, as those of rmcp do. Clients ask for
/// prompts and resources whatever a server has, and those of Gemini overlook the refusal by its words
/// (google-gemini/gemini-cli#5383).
#[must_use]
pub(crate) fn not_found_in_words(mut error: ErrorData) -> ErrorData {
    const WORDS: &str = "Method not found";
    if error.code == ErrorCode::METHOD_NOT_FOUND && !error.message.starts_with(WORDS) {
        error.message = format!("{WORDS}: {}", error.message).into();
    }
    error
}

/// The error for a tool that is not there with its name (MCP, Tools, "Error Handling"): a model that has made it up sees what it has
/// made up.
#[must_use]
pub(crate) fn with_tool(mut error: ErrorData, name: &str) -> ErrorData {
    if error.code == ErrorCode::INVALID_PARAMS && error.message == "tool not found" {
        // No tool has a longer name.
        let name: String = name.chars().take(128).collect();
        error.message = format!("Unknown tool: {name}").into();
    }
    error
}
