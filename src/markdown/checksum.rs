//! The digest in a generated text, by which a hand edit is told from an old version.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The digest of a text: 16 hexadecimal digits of its SHA-256, whatever its line ends, as Git may change those.
#[must_use]
pub fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.replace("\r\n", "\n").as_bytes());
    hash.iter().take(8).fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

const BEGIN: &str = "<!-- mcp-kit:page ";

/// A whole page with its header.
#[must_use]
pub fn seal(name: &str, body: &str) -> String {
    format!(
        "{BEGIN}{name} sha256={}. Made by `mcp-kit docs build` from the catalog: change that, or the page's template. -->\n\n{body}",
        digest(body)
    )
}

/// Whether a file is a whole page of some name.
#[must_use]
pub fn is_page(file: &str) -> bool {
    file.starts_with(BEGIN)
}

/// What is to be said of a file where a whole page belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The page as some build made it; this is its text.
    Made(&'a str),
    /// Somebody has changed what a build made.
    Edited,
    /// No build made it.
    Foreign,
}

/// Looks at a file where the page `name` belongs.
#[must_use]
pub fn look<'a>(name: &str, file: &'a str) -> Found<'a> {
    let header = file.strip_prefix(BEGIN).and_then(|rest| rest.strip_prefix(name)?.strip_prefix(" sha256="));
    let Some((told, rest)) = header.and_then(|rest| rest.split_once('.')) else { return Found::Foreign };
    let body =
        rest.split_once('\n').map(|(_, rest)| rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')).unwrap_or(rest));
    match body {
        Some(body) if digest(body) == told => Found::Made(body),
        _ => Found::Edited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_again_and_an_edit_is_seen() {
        let page = seal("servers", "# Servers\n\nText.\n");
        assert_eq!(look("servers", &page), Found::Made("# Servers\n\nText.\n"));
        assert_eq!(look("servers", &page.replace('\n', "\r\n")), Found::Made("# Servers\r\n\r\nText.\r\n"));
        assert_eq!(look("servers", &page.replace("Text", "Test")), Found::Edited);
        assert_eq!(look("servers", page.trim_end()), Found::Edited);
        assert_eq!(look("index", &page), Found::Foreign);
        assert_eq!(look("servers", "# Servers\n"), Found::Foreign);
        assert_eq!(look("servers", ""), Found::Foreign);
        assert_eq!(look("servers", "<!-- mcp-kit:page servers sha256=."), Found::Edited);
    }
}
