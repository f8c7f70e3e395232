//! The checksum in a generated text. It tells a hand edit from an old version.

use crate::text::digest::sha256_hex;

/// Returns the digest of a text: 16 hexadecimal digits of its SHA-256. It ignores the kind of line ends, because Git
/// may change those.
#[must_use]
pub fn digest(text: &str) -> String {
    sha256_hex(text.replace("\r\n", "\n").as_bytes(), 8)
}

const BEGIN: &str = "<!-- mcp-kit:page ";

/// Returns a complete page with its header.
#[must_use]
pub fn with_checksum(name: &str, body: &str) -> String {
    format!(
        "{BEGIN}{name} sha256={}. Made by `mcp-kit docs build` from the catalog: change that, or the page's template. -->\n\n{body}",
        digest(body)
    )
}

/// Returns whether a file is a generated page, with any name.
#[must_use]
pub fn is_page(file: &str) -> bool {
    file.starts_with(BEGIN)
}

/// The state of a file in the place of a generated page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A build wrote the page and it is unchanged. Holds its text.
    Untouched(&'a str),
    /// A build wrote the page and it has been edited.
    Edited,
    /// No build wrote the file.
    NotGenerated,
}

/// Inspects the file in the place of the page `name`.
#[must_use]
pub fn inspect<'a>(name: &str, file: &'a str) -> Found<'a> {
    let header = file.strip_prefix(BEGIN).and_then(|rest| rest.strip_prefix(name)?.strip_prefix(" sha256="));
    let Some((checksum, rest)) = header.and_then(|rest| rest.split_once('.')) else { return Found::NotGenerated };
    let body =
        rest.split_once('\n').map(|(_, rest)| rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')).unwrap_or(rest));
    match body {
        Some(body) if digest(body) == checksum => Found::Untouched(body),
        _ => Found::Edited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_again_and_an_edit_is_seen() {
        let page = with_checksum("servers", "# Servers\n\nText.\n");
        assert_eq!(inspect("servers", &page), Found::Untouched("# Servers\n\nText.\n"));
        assert_eq!(inspect("servers", &page.replace('\n', "\r\n")), Found::Untouched("# Servers\r\n\r\nText.\r\n"));
        assert_eq!(inspect("servers", &page.replace("Text", "Test")), Found::Edited);
        assert_eq!(inspect("servers", page.trim_end()), Found::Edited);
        assert_eq!(inspect("index", &page), Found::NotGenerated);
        assert_eq!(inspect("servers", "# Servers\n"), Found::NotGenerated);
        assert_eq!(inspect("servers", ""), Found::NotGenerated);
        assert_eq!(inspect("servers", "<!-- mcp-kit:page servers sha256=."), Found::Edited);
    }
}
