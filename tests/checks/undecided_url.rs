//! `undecided-url`: an address of which the host does not say whether it is there. It is asked only with `--online`.

use insta::assert_snapshot;

use crate::web::audit;

#[test]
fn hosts_that_refuse_programs_or_fail_are_notes() {
    assert_snapshot!(audit("# Us\n\n[members](HOST/members)\n[refused](HOST/linkedin)\n[broken off](HOST/break)\n", &[]), @r"
    README.md  3 notes

      note[undecided-url]: the host refuses programs (403 Forbidden)
       --> README.md:3:_
      3 | [members](http://[HOST]/members)
        |  [MARK]

      note[undecided-url]: the host has a problem of its own (999)
       --> README.md:4:_
      4 | [refused](http://[HOST]/linkedin)
        |  [MARK]

      note[undecided-url]: the connection broke off: connection closed before message completed
       --> README.md:5:_
      5 | [broken off](http://[HOST]/break)
        |  [MARK]

    Findings:

            3  note     undecided-url

    GitHub's rules, because nothing says otherwise
    1 document, 3 links in [TIME]: 3 notes

    Next:
      mcp-kit audit-docs --explain undecided-url   # say what that means and how to fix it
    exit 0
    ");
}

#[test]
fn hosts_that_answer_the_second_time_are_no_finding() {
    assert_snapshot!(audit("# Us\n\n[busy](HOST/busy-once), [to wait for](HOST/wait-once)\n", &[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 2 links in [TIME]: no findings
    exit 0
    ");
}
