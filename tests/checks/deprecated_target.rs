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
    assert_snapshot!(tree(TREE).audit(&[]), @r"
    README.md  2 warnings

      warning[deprecated-target]: setup.md says that it is deprecated
       --> README.md:3:17
      3 | See [the setup](setup.md) and [how it runs](run.md).
        |                 ^^^^^^^^ help: did you mean new-setup.md?

      warning[deprecated-target]: run.md says that it is deprecated
       --> README.md:3:45
      3 | See [the setup](setup.md) and [how it runs](run.md).
        |                                             ^^^^^^ help: did you mean new-run.md?

    new-run.md  1 warning

      warning[orphan]: nothing leads to this document; README.md ought to link to it
       --> new-run.md:1:1

    run.md  1 warning

      warning[deprecated-reference]: `deprecated` in the front matter is a sign of something that is gone (weight 6 of 6)
       --> run.md:2:9
      2 | status: deprecated
        |         ^^^^^^^^^^

    setup.md  1 note

      note[deprecated-reference]: `deprecated` in running text is a sign of something that is gone (weight 1 of 6)
       --> setup.md:3:14
      3 | This page is deprecated, see [the new one](new-setup.md).
        |              ^^^^^^^^^^

    Proposed for 2 documents:

      archive  run.md
               `deprecated` in the front matter is a sign of something that is gone (weight 6 of 6)
               README.md links to it
               it sends its readers to new-run.md
      archive  setup.md
               `deprecated` in running text is a sign of something that is gone (weight 1 of 6)
               a notice at its head says so
               README.md links to it
               it sends its readers to new-setup.md

    Findings:

            2  warning  deprecated-target
            1  warning  orphan
            1  warning  deprecated-reference
            1  note     deprecated-reference

    GitHub's rules, because nothing says otherwise
    5 documents, 4 links in [TIME]: 4 warnings, 1 note

    Next:
      mcp-kit audit-docs --fix=documents --dry-run     # show what the proposals would change
      mcp-kit audit-docs --explain deprecated-target   # say what that means and how to fix it
    exit 0
    ");
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
    assert_snapshot!(tree(&said).audit(&[]), @r"
    README.md  1 note

      note[deprecated-reference]: `deprecated` in the text of a link is a sign of something that is gone (weight 2 of 6)
       --> README.md:3:48
      3 | See [the new setup](new-setup.md); [the setup (deprecated)](setup.md) is there for reference.
        |                                                ^^^^^^^^^^

    setup.md  1 note

      note[deprecated-reference]: `deprecated` in running text is a sign of something that is gone (weight 1 of 6)
       --> setup.md:3:14
      3 | This page is deprecated, see [the new one](new-setup.md).
        |              ^^^^^^^^^^

    Proposed for 1 document:

      archive  setup.md
               `deprecated` in running text is a sign of something that is gone (weight 1 of 6)
               a notice at its head says so
               README.md links to it
               it sends its readers to new-setup.md

    Findings:

            2  note     deprecated-reference

    GitHub's rules, because nothing says otherwise
    3 documents, 3 links in [TIME]: 2 notes

    Next:
      mcp-kit audit-docs --fix=documents --dry-run        # show what the proposals would change
      mcp-kit audit-docs --explain deprecated-reference   # say what that means and how to fix it
    exit 0
    ");
}

/// Whether the text of the link is still right is for a person to say, so `--fix` leaves it alone.
#[test]
fn the_page_that_they_lead_to_is_archived_by_fix_documents() {
    assert_snapshot!(tree(TREE).fixes(&[]), @r"
    note: there is nothing that --fix could fix
    exit 0
    ");
    let setup = [("README.md", "# Us\n\nSee [the setup](setup.md).\n"), TREE[1], TREE[2]];
    assert_snapshot!(tree(&setup).audit(&["--fix=documents", "--dry-run", "--current", "new-setup.md"]), @r"
    --- /dev/null
    +++ b/archive/2026-03-01-setup.md
    @@ -0,0 +1,3 @@
    +# Setup
    +
    +This page is deprecated, see [the new one](../new-setup.md).
    --- /dev/null
    +++ b/docs/DEPRECATION_NOTICES.md
    @@ -0,0 +1,3 @@
    +# Deprecated documents
    +
    +- 2026-03-01: [setup.md](../setup.md) is archived as [archive/2026-03-01-setup.md](../archive/2026-03-01-setup.md)
    --- a/setup.md
    +++ b/setup.md
    @@ -1,3 +1,6 @@
     # Setup
     
    -This page is deprecated, see [the new one](new-setup.md).
    +> ⚠️ **ARCHIVED** (2026-03-01)
    +> This document is out of date. It is kept as [2026-03-01-setup.md](archive/2026-03-01-setup.md).
    +> See [new-setup.md](new-setup.md) instead.
    +> The others are [listed](docs/DEPRECATION_NOTICES.md).
    note: would fix 1 document, would change 3 files
    exit 0
    ");
}
