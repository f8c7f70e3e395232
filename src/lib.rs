//! `mcp-kit`: from nothing to an authenticated, documented, deployable MCP server.
//!
//! The library exists for the binary, its tests and its benches. The command line is the interface. Any release may
//! change the library.

pub mod audit;
pub mod catalog;
pub mod cli;
pub mod commands;
pub mod docs;
pub mod error;
pub mod fs;
pub mod markdown;
pub mod scaffold;
pub mod text;
pub mod verify;
