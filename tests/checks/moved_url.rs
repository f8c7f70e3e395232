//! `moved-url`: an address that has moved for good. It is asked only with `--online`.

use insta::assert_snapshot;

use crate::web::audit;

const README: &str = "# Us\n\n[moved](HOST/moved#there) and <HOST/moved-twice>\n";

#[test]
fn an_address_that_has_moved_for_good_is_a_note() {
    assert_snapshot!(audit(README, &[]), @r"
    README.md  1 note

      note[moved-url]: it has moved for good
       --> README.md:3:_
      3 | [moved](http://[HOST]/moved#there) and <http://[HOST]/moved-twice>
        |  [MARK] fix: write http://[HOST]/page

    Findings:

            1  note     moved-url             1 by --fix

    GitHub's rules, because nothing says otherwise
    1 document, 2 links in [TIME]: 1 note

    Next:
      mcp-kit audit-docs --online --fix --dry-run   # show what would fix 1 finding
      mcp-kit audit-docs --explain moved-url        # say what that means and how to fix it
    exit 0
    ");
}

#[test]
fn an_address_that_is_elsewhere_for_now_is_no_finding() {
    assert_snapshot!(audit("# Us\n\n[page](HOST/page), [for now](HOST/for-now)\n", &[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 2 links in [TIME]: no findings
    exit 0
    ");
}

#[test]
fn the_new_address_is_written_by_fix() {
    assert_snapshot!(audit(README, &["--fix", "--dry-run"]), @r"
    --- a/README.md
    +++ b/README.md
    @@ -1,3 +1,3 @@
     # Us
     
    -[moved](http://[HOST]/moved#there) and <http://[HOST]/moved-twice>
    +[moved](http://[HOST]/moved#there) and <http://[HOST]/page>
    note: would fix 1 finding, would change 1 file
    exit 0
    ");
}
