//! `mcp-kit update` and `mcp-kit fleet`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum, ValueHint};

use super::OutputFormat;

/// `mcp-kit update`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 done or up to date, 1 conflicts (with --check: an update is available), 2 wrong input, 3 could not finish.\n\n\
                  Example:\n  mcp-kit update --check          # is there an update, and what you have changed\n  \
                  mcp-kit update && cargo test    # take it"
)]
pub struct Update {
    /// The project
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Change nothing; fail if an update is available, and list every file that is not as the template has made it
    #[arg(long, conflicts_with_all = ["diff", "dry_run", "adopt", "restore", "detach"])]
    pub check: bool,
    /// Change nothing; print the update as a diff, and what the template has changed in files that are yours
    #[arg(long, conflicts_with_all = ["dry_run", "adopt", "restore", "detach"])]
    pub diff: bool,
    /// Change nothing; print what would be done with each file
    #[arg(long)]
    pub dry_run: bool,
    /// Answer a question of the template in another way than recorded; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append, conflicts_with_all = ["restore", "detach"])]
    pub set: Vec<String>,
    /// Folder with the template, for a project of another template than the built-in one
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["restore", "detach"])]
    pub template: Option<PathBuf>,
    /// Run the template's hooks, scripts that can do whatever you can
    #[arg(long, conflicts_with_all = ["restore", "detach"])]
    pub allow_hooks: bool,
    /// Make the records for a project that has none, or damaged ones: made by cargo-generate itself, for example
    #[arg(long, conflicts_with_all = ["restore", "detach"])]
    pub adopt: bool,
    /// Bring a file back as the template has it, such as one that you deleted; may be repeated
    #[arg(long, value_name = "PATH", conflicts_with = "detach", value_hint = ValueHint::FilePath)]
    pub restore: Vec<String>,
    /// Remove what serves updates from the project; it is then its owner's alone
    #[arg(long)]
    pub detach: bool,
    /// Write even where git could not bring back what is there
    #[arg(long)]
    pub allow_dirty: bool,
    /// Format of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

/// `mcp-kit fleet`.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Print the template of each project, what an update has for it, and which ones conflict
    #[command(after_help = "Exit status: 0 all are up to date, 1 not all, 2 wrong input.\n\n\
                            Example:\n  mcp-kit fleet status --repos repositories.txt")]
    Status(FleetProjects),
    /// Update each project without conflicts, with one commit on a branch of its own
    #[command(after_help = "Exit status: 0 all are up to date or updated, 1 not all, 2 wrong input.\n\n\
                            Example:\n  mcp-kit fleet update --repos repositories.txt --test 'cargo test --locked'")]
    Update {
        /// The projects
        #[command(flatten)]
        fleet: FleetProjects,
        /// Run this command of a shell in each updated project
        #[arg(long, value_name = "COMMAND")]
        test: Option<String>,
    },
}

/// The projects of a fleet.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("list").required(true).args(["repos", "catalog"])))]
pub struct FleetProjects {
    /// File with a folder or an address of git a line; folders are relative to the file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub repos: Option<PathBuf>,
    /// Catalog whose servers name their `repository`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub catalog: Option<PathBuf>,
    /// Folder for clones of the addresses; a clone that is there is used as it is
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub clones: Option<PathBuf>,
    /// Folder with the template, for projects of another template than the built-in one
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub template: Option<PathBuf>,
    /// How many projects at the same time; 0 for as many as there are processors
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// Format of the table
    #[arg(long, value_enum, default_value_t)]
    pub format: FleetFormat,
}

/// The format of the table of a fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FleetFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object.
    Json,
    /// A page.
    Html,
}
