//! What Markdown is to this program: link destinations, slugs of headings, generated pages and sections with their checksums.

pub mod checksum;
pub mod destination;
pub mod generated;
pub mod managed;
pub mod slug;
