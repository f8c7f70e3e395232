//! What a request passes on its way to MCP, in this order.

pub mod auth;
pub mod host;
pub mod jsonrpc;
pub mod limits;
