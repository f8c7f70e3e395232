//! Where a document is for those who read the report: from the folder in which the audit was started, not from its root.

use std::borrow::Cow;

/// `path` below `root`, as one writes it in the folder in which `root` was given.
pub(crate) fn located<'a>(root: &str, path: &'a str) -> Cow<'a, str> {
    let root = root.trim_end_matches('/');
    let root = root.strip_prefix("./").unwrap_or(root);
    match root {
        "." => Cow::Borrowed(path),
        // `/` itself, or nothing at all.
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
