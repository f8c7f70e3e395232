//! Pure text: nothing here reads, writes or knows what a document is.

pub mod casefold;
pub mod date;
pub mod digest;
pub mod escape;
pub mod nearest;
pub mod path;
pub mod percent;
pub mod plural;
