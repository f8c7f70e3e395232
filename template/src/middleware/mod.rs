//! What stands in front of the tools.

pub mod auth;
