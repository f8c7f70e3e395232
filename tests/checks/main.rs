//! Each check from outside, in a file of its own: a small tree in, all that a person sees out, with a tree that is as it should be and,
//! where the check has a fix, its diff. `cargo test --test checks broken_link` runs one of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use mcp_kit::audit::finding::Code;

#[path = "../common/mod.rs"]
mod common;

mod anchor_case;
mod bad_suppression;
mod broken_anchor;
mod broken_link;
#[cfg(feature = "online")]
mod broken_url;
mod deprecated_reference;
mod deprecated_target;
mod doubtful_profile;
mod duplicate_definition;
mod malformed_link;
mod missing_notice;
#[cfg(feature = "online")]
mod moved_url;
mod orphan;
mod path_case;
mod secret;
mod stale_page;
mod stale_review;
#[cfg(feature = "online")]
mod undecided_url;
mod undefined_reference;
mod unreadable;
mod unused_definition;

/// The host that checks of the web ask.
#[cfg(feature = "online")]
mod web;

#[test]
fn every_check_has_a_file() {
    let modules = include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let tested: BTreeSet<String> =
        modules.filter(|module| !["common", "web"].contains(module)).map(str::to_owned).collect();
    let checks: BTreeSet<String> = Code::ALL.iter().map(|code| code.as_str().replace('-', "_")).collect();
    assert_eq!(tested, checks, "each check has a file here, named after its code");
}
