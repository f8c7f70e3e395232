//! `mcp-kit audit-docs`, in the order in which data flows.

pub mod baseline;
pub mod finding;
pub mod report;
