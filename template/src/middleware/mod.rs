//! What a request passes on its way to MCP, in this order.

pub mod limits;
pub mod host;
pub mod auth;
pub mod jsonrpc;
