//! `broken-url`: an address on the web that is not there. It is asked only with `--online`.

use insta::assert_snapshot;

use crate::web::audit;

#[test]
fn pages_and_fragments_that_the_host_does_not_have() {
    assert_snapshot!(audit("# Us\n\n[gone](HOST/gone)\n![missing](HOST/missing)\n[no such id](HOST/page#nowhere)\n", &[]), @r"
    README.md  2 errors, 1 warning

      error[broken-url]: the host has no such page (410 Gone)
       --> README.md:3:_
      3 | [gone](http://[HOST]/gone)
        |  [MARK]

      error[broken-url]: the host has no such page (404 Not Found)
       --> README.md:4:_
      4 | ![missing](http://[HOST]/missing)
        |  [MARK]

      warning[broken-url]: the page is there, but nothing in it is called #nowhere
       --> README.md:5:_
      5 | [no such id](http://[HOST]/page#nowhere)
        |  [MARK]

    Findings:

            2  error    broken-url
            1  warning  broken-url

    GitHub's rules, because nothing says otherwise
    1 document, 3 links in [TIME]: 2 errors, 1 warning

    Next:
      mcp-kit audit-docs --explain broken-url   # say what that means and how to fix it
    exit 1
    ");
}

#[test]
fn pages_and_fragments_that_are_there_are_no_finding() {
    assert_snapshot!(audit("# Us\n\n[page](HOST/page), [its heading](HOST/page#there), `HOST/gone`\n", &[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 2 links in [TIME]: no findings
    exit 0
    ");
}

#[test]
fn without_online_nothing_is_asked() {
    let place = crate::common::tree(&[("README.md", "# Us\n\n[gone](http://127.0.0.1:1/gone)\n")]);
    assert_snapshot!(place.audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 1 link in [TIME]: no findings
    exit 0
    ");
}
