//! `mcp-kit audit-docs` from outside. One binary, so that there is one link step; `cargo test --test audit fix::` runs one file of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

#[cfg(unix)]
mod bad_input;
mod blocks;
mod ci;
mod command;
mod documents;
mod fix;
#[cfg(feature = "online")]
mod online;
mod profiles;
mod properties;
mod renderers;
mod reported;
mod reports;
#[cfg(unix)]
mod since;
mod sites;
#[cfg(unix)]
mod stdin;
mod strangers;
mod trees;
mod unseen;
