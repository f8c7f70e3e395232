//! Which bytes of a document a build makes: who changes them by hand, or with `--fix`, has them reported at the next build.

use std::ops::Range;

use crate::markdown::checksum;
use crate::markdown::managed::sections;

/// The parts of a document that a build makes; all of it, where it is a page.
#[must_use]
pub fn parts(text: &str) -> Vec<Range<usize>> {
    if checksum::is_page(text) {
        return std::iter::once(0..text.len()).collect();
    }
    // Broken markers are for the build to report.
    sections(text).unwrap_or_default().into_iter().map(|section| section.whole).collect()
}

/// What to do about a link or a decision in such a part.
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
