//! The layers that a request passes on its way to MCP: host, limits, gatekeeper; and errors, which all answers pass.

pub(crate) mod errors;
pub(crate) mod gatekeeper;
pub(crate) mod host;
mod jsonrpc;
pub(crate) mod limits;
mod negotiation;
mod normalize;

pub(crate) use negotiation::content_coding;
