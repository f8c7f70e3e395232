//! What answers besides the MCP handler: `/health` and `/status`, and the metadata of the protected resource.

pub(crate) mod metadata;
pub(crate) mod status;
pub(crate) mod unreadable;
