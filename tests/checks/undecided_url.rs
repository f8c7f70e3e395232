//! `undecided-url`: an address of which the host does not say whether it is there. It is asked only with `--online`.

use insta::assert_snapshot;

use crate::web::audit;

#[test]
fn hosts_that_refuse_programs_or_fail_are_notes() {
    assert_snapshot!(audit("# Us\n\n[members](HOST/members)\n[refused](HOST/linkedin)\n[broken off](HOST/break)\n", &[]), @"");
}

#[test]
fn hosts_that_answer_the_second_time_are_no_finding() {
    assert_snapshot!(audit("# Us\n\n[busy](HOST/busy-once), [to wait for](HOST/wait-once)\n", &[]), @"");
}
