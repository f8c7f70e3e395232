//! What a request passes on its way to MCP: host, auth, limits, jsonrpc.

pub mod auth;
pub mod host;
pub mod jsonrpc;
pub mod limits;
