//! `unreadable`: a document that could not be read as it is.

use insta::assert_snapshot;

use crate::common::tree;

/// The findings behind the first wrong byte are reported all the same.
#[test]
fn text_in_another_encoding_is_a_warning_and_audited() {
    let place = tree(&[("README.md", "# Us\n\n[sizes](sizes.md)\n")]);
    place.write("sizes.md", b"# Gr\xf6\xdfe\n\n[gone](gone.md)\n");
    assert_snapshot!(place.audit(&[]), @r"
    sizes.md  1 error, 1 warning

      warning[unreadable]: this is not UTF-8; it was read with a question mark for each wrong byte
       --> sizes.md:1:5
      1 | # Gr??e
        |     ^

      error[broken-link]: there is no file gone.md
       --> sizes.md:3:8
      3 | [gone](gone.md)
        |        ^^^^^^^

    Findings:

            1  error    broken-link
            1  warning  unreadable

    GitHub's rules, because nothing says otherwise
    2 documents, 2 links in [TIME]: 1 error, 1 warning

    Next:
      mcp-kit audit-docs --explain broken-link   # say what that means and how to fix it
    exit 1
    ");
}

#[test]
fn text_in_utf_8_is_no_finding() {
    let place = tree(&[("README.md", "# Us\n\n[sizes](sizes.md)\n")]);
    place.write("sizes.md", "\u{feff}# Größe\n");
    assert_snapshot!(place.audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    2 documents, 1 link in [TIME]: no findings
    exit 0
    ");
}
