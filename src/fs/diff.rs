//! Renders a plan as a unified diff, as `git diff` writes it and `git apply` and `patch -p1` read it.

use std::fmt::Write as _;

use similar::TextDiff;

use crate::fs::change::Change;

/// The number of context lines around a change.
const CONTEXT: usize = 3;

/// Returns the diff of all changes.
#[must_use]
pub fn unified(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let before = String::from_utf8_lossy(change.before.as_deref().unwrap_or_default());
        let after = String::from_utf8_lossy(&change.after);
        let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
        let old = if change.before.is_some() { format!("a/{}", change.path) } else { "/dev/null".to_owned() };
        let header = (old, format!("b/{}", change.path));
        let _ = write!(text, "{}", diff.unified_diff().context_radius(CONTEXT).header(&header.0, &header.1));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_ends() {
        let change = |before: &str, after: &str| Change {
            path: "docs/a.md".to_owned(),
            before: Some(before.into()),
            after: after.into(),
        };
        insta::assert_snapshot!(unified(&[change("# A\n\n[b](c.md)\n", "# A\n\n[b](b.md)\n"), change("x", "y")]), @r"
        --- a/docs/a.md
        +++ b/docs/a.md
        @@ -1,3 +1,3 @@
         # A
         
        -[b](c.md)
        +[b](b.md)
        --- a/docs/a.md
        +++ b/docs/a.md
        @@ -1 +1 @@
        -x
        \ No newline at end of file
        +y
        \ No newline at end of file
        ");
        assert!(unified(&[change("a\r\n", "b\r\n")]).contains("-a\r\n+b\r\n"), "line ends stay as they are");
    }
}
