//! `mcp-kit audit-docs`, in the order in which data flows.

pub mod finding;
