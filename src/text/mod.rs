//! Pure text functions. Nothing here reads, writes or depends on the form of a document.

pub mod casefold;
pub mod date;
pub mod digest;
pub mod escape;
pub mod marks;
pub mod nearest;
pub mod newline;
pub mod path;
pub mod percent;
pub mod plural;
pub mod steps;
