//! What a request passes on its way to MCP: host, limits, jsonrpc.

pub(crate) mod host;
pub(crate) mod jsonrpc;
pub(crate) mod limits;
