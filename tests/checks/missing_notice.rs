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
    assert_snapshot!(tree(&lost).audit(&[]), @"");
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
    assert_snapshot!(tree(&found).audit(&[]), @"");
}
