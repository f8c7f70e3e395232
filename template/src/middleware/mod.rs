//! What a request passes on its way to MCP: host, auth, limits, jsonrpc; and errors, which all answers pass.

pub mod auth;
pub mod errors;
pub mod host;
pub mod jsonrpc;
pub mod limits;
