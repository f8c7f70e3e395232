//! What must hold whatever comes in. The fuzz targets try it with inputs that they make up, and tests/auth_fuzz_corpus.rs
//! with those that are kept in `corpus/`.

#![allow(dead_code, unused_imports, reason = "each target uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a check fails by a panic")]

mod layer;
mod sealed;

pub(crate) use layer::{claims, headers};
pub(crate) use sealed::sealed;
