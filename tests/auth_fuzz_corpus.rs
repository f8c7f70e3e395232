//! What the fuzz targets of the auth crate have found worth keeping holds on stable Rust, too. fuzz/ makes up more.

#![allow(clippy::expect_used)]

use std::fs;
use std::path::Path;

#[path = "../fuzz/checks/mod.rs"]
mod checks;

/// Runs a check on every input that is kept for it.
fn replay(target: &str, least: usize, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs: Vec<_> =
        fs::read_dir(folder).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    inputs.sort();
    assert!(inputs.len() >= least, "{} inputs", inputs.len());
    for input in inputs {
        // Shown where it fails.
        println!("{}", input.display());
        check(&fs::read(&input).expect("an input"));
    }
}

#[test]
fn headers() {
    replay("headers", 150, checks::headers);
}

#[test]
fn claims() {
    replay("claims", 250, checks::claims);
}

#[test]
fn sealed() {
    replay("sealed", 100, checks::sealed);
}
