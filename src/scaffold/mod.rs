//! `mcp-kit new`: answers → render → stage → rename.

pub mod answers;
pub mod extend;
mod literal;
pub mod lockfile;
pub mod manifest;
pub mod name;
pub mod openapi;
pub mod origin;
pub mod project;
pub mod render;
pub mod report;
pub mod scripts;
pub mod template;
pub mod update;
mod vendor_output;
mod verbatim;
