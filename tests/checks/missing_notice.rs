//! `missing-notice`: an archived document without a notice or an index entry.

use insta::assert_snapshot;

use crate::common::tree;

#[test]
fn an_archived_document_that_nothing_leads_to_is_a_warning() {
    let lost = [
        ("README.md", "# Us\n\n[notices](docs/DEPRECATION_NOTICES.md)\n"),
        ("docs/DEPRECATION_NOTICES.md", "# Notices\n\n[listed](../archive/2025-11-08-listed.md)\n"),
        ("noticed.md", "# Moved\n\nThis page has moved to [the archive](archive/2025-11-08-noticed.md).\n"),
        ("archive/2025-11-08-listed.md", "# Listed\n"),
        ("archive/2025-11-08-noticed.md", "# Noticed\n"),
        ("archive/2025-11-08-lost.md", "# Lost\n"),
    ];
    assert_snapshot!(tree(&lost).audit(&[]), @r"
    archive/2025-11-08-listed.md  1 warning

      warning[missing-notice]: no listed.md at its old place says that it was archived here
       --> archive/2025-11-08-listed.md:1:1

    archive/2025-11-08-lost.md  1 warning

      warning[missing-notice]: neither an index nor a lost.md at its old place leads to this archived document
       --> archive/2025-11-08-lost.md:1:1

    archive/2025-11-08-noticed.md  1 warning

      warning[missing-notice]: no index lists this archived document
       --> archive/2025-11-08-noticed.md:1:1

    Findings:

            3  warning  missing-notice

    GitHub's rules, because nothing says otherwise
    6 documents, 3 links in [TIME]: 3 warnings

    Next:
      mcp-kit audit-docs --explain missing-notice   # say what that means and how to fix it
    exit 0
    ");
}

#[test]
fn a_notice_at_the_old_place_and_an_entry_in_an_index_are_enough() {
    let found = [
        ("README.md", "# Us\n\n[notices](docs/DEPRECATION_NOTICES.md)\n"),
        ("docs/DEPRECATION_NOTICES.md", "# Notices\n\n[set-up](../archive/2025-11-08-setup.md)\n"),
        ("setup.md", "# Moved\n\nThis page has moved to [the archive](archive/2025-11-08-setup.md).\n"),
        ("archive/2025-11-08-setup.md", "# Set-up\n"),
        ("archive/notes.md", "# Not named as --fix names it\n"),
    ];
    assert_snapshot!(tree(&found).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    5 documents, 3 links in [TIME]: no findings
    exit 0
    ");
}
