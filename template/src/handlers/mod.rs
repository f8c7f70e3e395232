//! What answers: the MCP tools, `/health` and `/status`, and the metadata of the protected resource.

pub mod arguments;
{% if example == "coda" -%}
pub mod legacy_proxy;
{% endif -%}
pub mod metadata;
pub mod status;
pub mod tools;
pub mod unreadable;
