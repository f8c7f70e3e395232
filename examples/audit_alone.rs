//! `audit/` could be a crate of its own: this program has only the rooms below it, from the same files. It does not compile when the audit
//! imports anything else.
//!
//! usage: `audit_alone FOLDER`; prints what it found.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]

#[path = "../src/audit/mod.rs"]
mod audit;
#[path = "../src/error.rs"]
mod error;
#[path = "../src/fs/mod.rs"]
mod fs;
#[path = "../src/markdown/mod.rs"]
mod markdown;
#[path = "../src/text/mod.rs"]
mod text;

use std::path::PathBuf;

use audit::{Facts, Scope, Settings};

fn main() -> Result<(), audit::AuditError> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let scope = Scope { paths: vec![folder], root: None, unsaved: Vec::new() };
    let (report, _) = audit::audit(&scope, &Settings::default(), &Facts::default())?;
    for finding in &report.findings {
        println!("{}:{}: {}", finding.path, finding.line, finding.message);
    }
    Ok(())
}
