//! Pages under `docs/reference/` that are made from the code. `UPDATE_REFERENCE=1 cargo test --test reference` writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

fn holds(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(page);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "{} is stale: UPDATE_REFERENCE=1 cargo test --test reference writes it", path.display());
}

#[test]
fn pages_of_the_code() {
    holds("catalog.md", &mcp_kit::catalog::reference::reference());
    holds("fleet.md", &mcp_kit::audit::fleet::reference());
    holds("checks.md", &mcp_kit::audit::checks::reference());
}
