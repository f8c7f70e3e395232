//! Pages that are made from the catalog and from nothing else.
//!
//! Catalog → the [table of pages](crate::catalog::pages) with their [`templates`] → whole files or
//! [managed](crate::markdown::managed) sections, with a [checksum](crate::markdown::checksum) against hand edits →
//! changes on disk, or a list of stale pages.

pub mod alerts;
pub mod build;
pub mod documents;
mod entries;
pub mod error_catalogue;
pub mod example;
pub mod exercised;
pub mod fleet;
pub mod reference;
pub mod site;
pub mod templates;
