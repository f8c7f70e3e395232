//! `moved-url`: an address that has moved for good. It is asked only with `--online`.

use insta::assert_snapshot;

use crate::web::audit;

const README: &str = "# Us\n\n[moved](HOST/moved#there) and <HOST/moved-twice>\n";

#[test]
fn an_address_that_has_moved_for_good_is_a_note() {
    assert_snapshot!(audit(README, &[]), @"");
}

#[test]
fn an_address_that_is_elsewhere_for_now_is_no_finding() {
    assert_snapshot!(audit("# Us\n\n[page](HOST/page), [for now](HOST/for-now)\n", &[]), @"");
}

#[test]
fn the_new_address_is_written_by_fix() {
    assert_snapshot!(audit(README, &["--fix", "--dry-run"]), @"");
}
