//! `mcp-kit docs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CatalogFile;

/// `mcp-kit docs`.
#[derive(Debug, Subcommand)]
pub enum DocsCommand {
    /// Write the pages that are out of date, beside the catalog
    ///
    /// A page with a file of its own begins with a comment that says so. Other pages are sections of files that people write,
    /// between `<!-- mcp-kit:begin NAME -->` and `<!-- mcp-kit:end NAME -->`; a file without these lines gets them at its end.
    /// Everything outside of them stays. If you have changed text between them, the build reports it and writes nothing.
    #[command(
        after_help = "Exit status: 0 all is up to date, 1 something is stale (--check), 2 wrong input, 3 it could not finish.\n\n\
                      Example:\n  mcp-kit docs build\n  mcp-kit docs build --check   # in CI\n  mcp-kit docs build --html site"
    )]
    Build(DocsBuild),
    /// Show the pages in a browser, on this machine only, and rebuild them when something changes
    ///
    /// It writes nothing: it shows what `docs build` would make of the catalog, the templates and the documents.
    #[command(after_help = "Exit status: 0 it was stopped (Ctrl-C), 2 wrong input, 3 it cannot serve.\n\n\
                      Example:\n  mcp-kit docs serve --port 3000")]
    Serve(DocsServe),
}

/// `mcp-kit docs serve`.
#[derive(Args, Debug)]
pub struct DocsServe {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
}

/// `mcp-kit docs build`.
#[derive(Args, Debug)]
pub struct DocsBuild {
    /// The catalog
    #[command(flatten)]
    pub file: CatalogFile,
    /// Write nothing; print what is stale as a diff, and fail if anything is
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Write nothing; print what would change as a diff
    #[arg(long)]
    pub dry_run: bool,
    /// Also make a site of the pages in this folder; it needs no network, and replaces the site that was there
    #[arg(long, value_name = "DIR", conflicts_with_all = ["check", "dry_run"])]
    pub html: Option<PathBuf>,
    /// Overwrite text that people wrote in the place of a page
    #[arg(long)]
    pub overwrite: bool,
}
