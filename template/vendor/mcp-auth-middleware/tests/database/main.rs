//! The token store in PostgreSQL, with real servers: one program, so that the tests share them and run at the same time.

#![cfg(all(feature = "postgres", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod audit;
mod changes;
mod former;
mod given_up;
mod guard;
mod init;
mod inspect;
mod layer;
mod neighbours;
mod replicas;
mod rotation;
mod store;
mod tls;
mod upgrade;

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/postgres.rs"]
mod postgres;
