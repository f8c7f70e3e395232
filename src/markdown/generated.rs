//! Finds the bytes of a document that a build generates. A build reports any change to them, by hand or by `--fix`.

use std::ops::Range;

use crate::markdown::checksum;
use crate::markdown::managed::sections;

/// Returns the generated parts of a document, or all of it for a generated page.
#[must_use]
pub fn parts(text: &str) -> Vec<Range<usize>> {
    if checksum::is_page(text) {
        return std::iter::once(0..text.len()).collect();
    }
    // The build reports broken markers.
    sections(text).unwrap_or_default().into_iter().map(|section| section.whole).collect()
}

/// The advice for a link or a decision in a generated part.
pub const ADVICE: &str = "is made by mcp-kit docs build: change the catalog, or the template of the page";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_sections() {
        assert_eq!(parts(&checksum::with_checksum("servers", "# S\n")).len(), 1);
        let text = "# A\n\n<!-- mcp-kit:begin a -->\n<!-- mcp-kit:end a -->\n\ntext\n";
        assert_eq!(parts(text).iter().map(|part| &text[part.clone()]).collect::<Vec<_>>(), [&text[5..text.len() - 7]]);
        assert!(parts("# A\n").is_empty());
    }
}
