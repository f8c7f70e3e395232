//! Requests that rmcp could not read.

use rmcp::ErrorData;
use rmcp::model::{CustomRequest, ErrorCode};

/// The methods that this server has. rmcp takes a request with one of these names and parameters of the wrong shape
/// for one with an unknown method; the caller is better served with what is really wrong.
const METHODS: [&str; 5] = ["initialize", "ping", "server/discover", "tools/list", "tools/call"];

/// The error: wrong parameters for a method that is there, else no such method.
#[must_use]
pub fn unreadable(request: &CustomRequest) -> ErrorData {
    let method = request.method.as_str();
    if METHODS.contains(&method) {
        return ErrorData::invalid_params(format!("the parameters do not fit {method}"), None);
    }
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("method not found: {method}"), None)
}
