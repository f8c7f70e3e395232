//! `mcp-kit update`: base, ours, theirs → plan → change set. Pure.

pub mod merge;
