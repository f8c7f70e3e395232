//! Effects: files, git, the terminal, signals. Only this module writes to the disk.

pub mod change;
pub mod clone;
pub mod diff;
pub mod files;
pub mod git;
pub mod interrupt;
pub mod journal;
pub mod lock;
pub mod paths;
pub mod program;
pub mod prompt;
pub mod repository;
pub mod rustfmt;
pub mod scratch;
pub mod stage;
pub mod terminal;
pub mod uncommitted;
pub mod workspace;
