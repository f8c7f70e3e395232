//! `mcp-kit update`: base, ours, theirs → plan → change set. Pure.

pub mod action;
pub mod base;
mod dependencies;
pub mod drift;
pub mod kept;
mod lock;
pub mod merge;
pub mod plan;
pub mod rules;
