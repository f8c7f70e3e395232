//! `mcp-kit catalog verify`.

use crate::cli::CatalogVerify;
use crate::commands::console::{Console, Status};
use crate::error::Failure;

pub(super) fn run(_command: &CatalogVerify, _console: &Console) -> Result<Status, Failure> {
    Ok(Status::Clean)
}
