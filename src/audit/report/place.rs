//! The path of a document for readers of the report: relative to the folder in which the audit was started, not to its
//! root.

use std::borrow::Cow;

/// Returns `path` below `root`, relative to the folder in which `root` was given.
pub(crate) fn located<'a>(root: &str, path: &'a str) -> Cow<'a, str> {
    let root = root.trim_end_matches('/');
    let root = root.strip_prefix("./").unwrap_or(root);
    match root {
        "." => Cow::Borrowed(path),
        // The root is `/`, or empty.
        "" => Cow::Borrowed(path),
        root => Cow::Owned(format!("{root}/{path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_folder_one_stands_in() {
        for (root, path) in [
            (".", "a.md"),
            ("./", "a.md"),
            ("", "a.md"),
            ("docs", "docs/a.md"),
            ("./docs/", "docs/a.md"),
            ("../x", "../x/a.md"),
            ("/srv", "/srv/a.md"),
        ] {
            assert_eq!(located(root, "a.md"), path, "{root:?}");
        }
    }
}
