//! Requests that rmcp could not read.

use rmcp::ErrorData;
use rmcp::model::{ErrorCode, ProtocolVersion};

/// The methods that this server has. rmcp takes a request with one of these names and parameters of the wrong shape
/// for one with an unknown method; the caller is better served with what is really wrong.
const METHODS: [&str; 5] = ["initialize", "ping", "server/discover", "tools/list", "tools/call"];

/// Those that revision 2026-07-28 removed.
const REMOVED: [&str; 2] = ["initialize", "ping"];

/// The error for a request of this revision: wrong parameters for a method that is there, else no such method.
#[must_use]
pub(crate) fn unreadable(method: &str, version: Option<&ProtocolVersion>) -> ErrorData {
    let removed = REMOVED.contains(&method) && version.is_some_and(|version| !version.has_initialize());
    if METHODS.contains(&method) && !removed {
        return ErrorData::invalid_params(format!("the parameters do not fit {method}"), None);
    }
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("method not found: {method}"), None)
}
