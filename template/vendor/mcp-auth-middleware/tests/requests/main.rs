//! What the layer answers to requests: modes, tokens of Cloudflare Access and of other issuers, and the key server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bearer_and_modes;
mod cloudflare_attacks;
mod introspection;
mod key_server;
mod oidc;
mod oidc_attacks;

#[path = "../harness/mod.rs"]
mod harness;
