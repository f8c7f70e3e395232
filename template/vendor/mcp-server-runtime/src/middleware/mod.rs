//! What a request passes on its way to MCP: host, limits, jsonrpc; and errors, which all answers pass.

pub(crate) mod errors;
pub(crate) mod host;
pub(crate) mod jsonrpc;
pub(crate) mod limits;
mod normalize;
