//! `deprecated-target`: a link to an archived or deprecated document.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    ("README.md", "# Us\n\nSee [the setup](setup.md) and [how it runs](run.md).\n"),
    ("setup.md", "# Setup\n\nThis page is deprecated, see [the new one](new-setup.md).\n"),
    ("new-setup.md", "# New setup\n"),
    ("run.md", "---\nstatus: deprecated\nsuperseded_by: new-run.md\n---\n# Run\n"),
    ("new-run.md", "# New run\n\n[Us](README.md)\n"),
];

#[test]
fn a_link_to_a_page_that_says_that_it_is_deprecated_is_a_warning() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn a_link_that_says_so_is_no_finding_of_this_kind() {
    let said = [
        (
            "README.md",
            "# Us\n\nSee [the new setup](new-setup.md); [the setup (deprecated)](setup.md) is there for reference.\n",
        ),
        TREE[1],
        TREE[2],
    ];
    assert_snapshot!(tree(&said).audit(&[]), @"");
}

/// Whether the text of the link is still right is for a person to say, so `--fix` leaves it alone.
#[test]
fn the_page_that_they_lead_to_is_archived_by_fix_documents() {
    assert_snapshot!(tree(TREE).fixes(&[]), @"");
    let setup = [("README.md", "# Us\n\nSee [the setup](setup.md).\n"), TREE[1], TREE[2]];
    assert_snapshot!(tree(&setup).audit(&["--fix=documents", "--dry-run", "--current", "new-setup.md"]), @"");
}
