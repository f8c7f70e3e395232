//! `unreadable`: a document that could not be read as it is.

use insta::assert_snapshot;

use crate::common::tree;

/// The findings behind the first wrong byte are reported all the same.
#[test]
fn text_in_another_encoding_is_a_warning_and_audited() {
    let place = tree(&[("README.md", "# Us\n\n[sizes](sizes.md)\n")]);
    place.write("sizes.md", b"# Gr\xf6\xdfe\n\n[gone](gone.md)\n");
    assert_snapshot!(place.audit(&[]), @"");
}

#[test]
fn text_in_utf_8_is_no_finding() {
    let place = tree(&[("README.md", "# Us\n\n[sizes](sizes.md)\n")]);
    place.write("sizes.md", "\u{feff}# Größe\n");
    assert_snapshot!(place.audit(&[]), @"");
}
