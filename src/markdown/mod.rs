//! The Markdown rules of this program: link destinations, heading slugs, generated pages and sections with their
//! checksums.

pub mod checksum;
pub mod destination;
pub mod generated;
pub mod managed;
pub mod slug;
