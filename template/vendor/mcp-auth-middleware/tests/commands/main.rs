//! The commands for operators, as they are called from the command line.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod migrate;
mod tokens;
mod with_postgres;

#[path = "../cli_harness/mod.rs"]
mod harness;
#[path = "../harness/postgres.rs"]
mod postgres;
