//! `mcp-kit docs`: pages that are made from the catalog and from nothing else.
//!
//! Catalog → [`pages`](page) by their [`templates`] → whole files or [`managed`] sections, [`sealed`](seal) against hand
//! edits → changes on disk, or what is stale.

pub mod build;
pub mod command;
pub mod documents;
pub mod example;
pub mod fleet;
pub mod generated;
pub mod managed;
pub mod page;
pub mod reference;
pub mod refusals;
pub mod seal;
pub mod serve;
pub mod site;
pub mod stale;
pub mod templates;
