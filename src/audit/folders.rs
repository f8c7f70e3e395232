//! Folders whose name says what they hold: tests, and parts of pages. Three rules ask, and a name is not equally sure for all of
//! them, so that the table says of each name how sure it is, and each rule from where on it acts.

use crate::text::path::{file_name, parent};

/// How sure it is that a folder is for tests, from the least on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestFolderKind {
    /// Tests in some trees, a chapter about testing in others.
    OrChapter,
    /// Tests, with documents about them beside them.
    WithDocuments,
    /// Tests and their data; only a README is for readers.
    Tests,
    /// Inputs and expected outputs of tests, which may contain errors on purpose.
    Data,
}

/// By the conventions of test runners.
const TESTS: &[(&[u8], TestFolderKind)] = &[
    // Go's and NumPy's package `testing`; a chapter of handbooks, too.
    (b"testing", TestFolderKind::OrChapter),
    // Mocha, Maven, Node.
    (b"test", TestFolderKind::WithDocuments),
    // Cargo, pytest, PHPUnit.
    (b"tests", TestFolderKind::Tests),
    // Jest.
    (b"__tests__", TestFolderKind::Tests),
    (b"__fixtures__", TestFolderKind::Data),
    (b"__snapshots__", TestFolderKind::Data),
    // Rails, Django, Cypress.
    (b"fixtures", TestFolderKind::Data),
    // Go's build ignores it.
    (b"testdata", TestFolderKind::Data),
    (b"test-data", TestFolderKind::Data),
];

/// Parts of pages that start with an underscore: Jekyll, Docusaurus and Starlight publish no page for these.
const PARTS: &[&[u8]] = &[b"_includes", b"_partials", b"_snippets", b"_components"];

/// The same names without it: parts by habit only, which a generator may publish.
const PROBABLE_PARTS: &[&[u8]] = &[b"includes", b"partials", b"snippets"];

fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    parent(path).split(|byte| *byte == b'/')
}

/// Returns whether a document is test data, by the folders that it lies in: its faults may be there on purpose.
#[must_use]
pub fn is_test_data(path: &[u8]) -> bool {
    let is_for_readers = file_name(path).get(..6).is_some_and(|name| name.eq_ignore_ascii_case(b"readme"));
    let least = if is_for_readers { TestFolderKind::Data } else { TestFolderKind::Tests };
    in_tests(path, least)
}

/// Returns whether a file lies in a folder that is for tests, at least this surely.
#[must_use]
pub fn in_tests(path: &[u8], least: TestFolderKind) -> bool {
    folders(path).any(|folder| TESTS.iter().any(|(name, sure)| *name == folder && *sure >= least))
}

/// Returns whether a file lies in a folder for parts of pages that no generator publishes.
#[must_use]
pub fn in_parts(path: &[u8]) -> bool {
    folders(path).any(|folder| PARTS.contains(&folder))
}

/// Returns whether a file lies in a folder for parts of pages, by any name.
#[must_use]
pub fn in_probable_parts(path: &[u8]) -> bool {
    folders(path).any(|folder| PARTS.contains(&folder) || PROBABLE_PARTS.contains(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_as_sure_as_the_table_says() {
        let sure = |path: &str| {
            let all =
                [TestFolderKind::Data, TestFolderKind::Tests, TestFolderKind::WithDocuments, TestFolderKind::OrChapter];
            all.into_iter().find(|least| in_tests(path.as_bytes(), *least))
        };
        assert_eq!(sure("docs/testing/a.md"), Some(TestFolderKind::OrChapter));
        assert_eq!(sure("test/a.md"), Some(TestFolderKind::WithDocuments));
        assert_eq!(sure("tests/a.md"), Some(TestFolderKind::Tests));
        assert_eq!(sure("tests/fixtures/a.md"), Some(TestFolderKind::Data));
        assert_eq!(sure("docs/tests.md"), None, "a file is no folder");
        assert_eq!(sure("contests/a.md"), None);
    }

    #[test]
    fn a_readme_beside_tests_is_for_readers_and_one_in_their_data_is_not() {
        assert!(is_test_data(b"tests/a.md"));
        assert!(!is_test_data(b"tests/README.md"));
        assert!(is_test_data(b"tests/fixtures/README.md"));
        assert!(is_test_data(b"src/__tests__/a.md"));
        assert!(!is_test_data(b"docs/testing/a.md"));
    }

    #[test]
    fn parts_without_an_underscore_are_only_probable() {
        assert!(in_parts(b"docs/_partials/a.md") && in_probable_parts(b"docs/_partials/a.md"));
        assert!(!in_parts(b"docs/partials/a.md") && in_probable_parts(b"docs/partials/a.md"));
    }
}
