//! The handlers besides MCP's: `/health` and `/status`, and the metadata of the protected resource.

pub(crate) mod metadata;
pub(crate) mod status;
pub(crate) mod unreadable;
