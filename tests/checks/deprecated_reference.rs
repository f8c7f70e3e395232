//! `deprecated-reference`: a document that speaks of something deprecated.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[
    (
        "README.md",
        "# Us\n\n[old](docs/old_setup.md), [set-up](docs/setup.md), [API](docs/api.md), [SOP](docs/sop.md)\n",
    ),
    ("docs/old_setup.md", "# Set-up of last year\n\nText.\n"),
    ("docs/setup.md", "# Set-up\n\nFirst do phase_1_mcp.\n"),
    ("docs/api.md", "# API\n\nThe deprecated call is gone since version 2.\n"),
    ("docs/sop.md", "# How we do it now\n"),
];

#[test]
fn names_of_old_set_ups_are_warnings_and_the_mere_word_is_a_note() {
    assert_snapshot!(tree(TREE).audit(&[]), @r"
    docs/api.md  1 note

      note[deprecated-reference]: `deprecated` in running text is a sign of something that is gone (weight 1 of 6)
       --> docs/api.md:3:5
      3 | The deprecated call is gone since version 2.
        |     ^^^^^^^^^^

    docs/old_setup.md  1 warning

      warning[deprecated-reference]: the file name `old_setup.md` is a sign of something that is gone (weight 6 of 6)
       --> docs/old_setup.md:1:1

    docs/setup.md  1 warning

      warning[deprecated-reference]: `phase_1_mcp` in running text is a sign of something that is gone (weight 3 of 6)
       --> docs/setup.md:3:10
      3 | First do phase_1_mcp.
        |          ^^^^^^^^^^^

    Proposed for 2 documents:

      archive  docs/old_setup.md
               the file name `old_setup.md` is a sign of something that is gone (weight 6 of 6)
               README.md links to it
      update   docs/setup.md
               `phase_1_mcp` in running text is a sign of something that is gone (weight 3 of 6)
               README.md links to it

    Findings:

            2  warning  deprecated-reference
            1  note     deprecated-reference

    GitHub's rules, because nothing says otherwise
    5 documents, 4 links in [TIME]: 2 warnings, 1 note

    Next:
      mcp-kit audit-docs --fix=documents --dry-run        # show what the proposals would change
      mcp-kit audit-docs --explain deprecated-reference   # say what that means and how to fix it
    exit 0
    ");
}

#[test]
fn code_quotations_and_healthy_text_are_no_finding() {
    let healthy = [(
        "README.md",
        "# Us\n\nText.\n\nMore of it, with `phase_1_mcp`.\n\n## Later\n\n> somebody said that this is deprecated\n\n```\nold_setup\n```\n",
    )];
    assert_snapshot!(tree(&healthy).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 0 links in [TIME]: no findings
    exit 0
    ");
}

/// Links have no fix here: what is proposed is for whole documents.
#[test]
fn the_page_is_archived_or_gets_a_header_by_fix_documents() {
    assert_snapshot!(tree(TREE).audit(&["--fix=documents", "--dry-run", "--current", "docs/sop.md"]), @r"
    --- /dev/null
    +++ b/archive/2026-03-01-old_setup.md
    @@ -0,0 +1,3 @@
    +# Set-up of last year
    +
    +Text.
    --- /dev/null
    +++ b/docs/DEPRECATION_NOTICES.md
    @@ -0,0 +1,3 @@
    +# Deprecated documents
    +
    +- 2026-03-01: [docs/old_setup.md](old_setup.md) is archived as [archive/2026-03-01-old_setup.md](../archive/2026-03-01-old_setup.md)
    --- a/docs/old_setup.md
    +++ b/docs/old_setup.md
    @@ -1,3 +1,6 @@
     # Set-up of last year
     
    -Text.
    +> ⚠️ **ARCHIVED** (2026-03-01)
    +> This document is out of date. It is kept as [2026-03-01-old_setup.md](../archive/2026-03-01-old_setup.md).
    +> See [How we do it now](/docs/sop.md) instead.
    +> The others are [listed](DEPRECATION_NOTICES.md).
    --- a/docs/setup.md
    +++ b/docs/setup.md
    @@ -1,3 +1,7 @@
     # Set-up
     
    +> ⚠️ **UPDATED** (2026-03-01)
    +> This document describes legacy setup.
    +> See [How we do it now](/docs/sop.md) for current approach.
    +
     First do phase_1_mcp.
    note: would fix 2 documents, would change 4 files
    exit 0
    ");
}
