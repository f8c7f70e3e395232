//! `broken-url`: an address on the web that is not there. It is asked only with `--online`.

use insta::assert_snapshot;

use crate::web::audit;

#[test]
fn pages_and_fragments_that_the_host_does_not_have() {
    assert_snapshot!(audit("# Us\n\n[gone](HOST/gone)\n![missing](HOST/missing)\n[no such id](HOST/page#nowhere)\n", &[]), @"");
}

#[test]
fn pages_and_fragments_that_are_there_are_no_finding() {
    assert_snapshot!(audit("# Us\n\n[page](HOST/page), [its heading](HOST/page#there), `HOST/gone`\n", &[]), @"");
}

#[test]
fn without_online_nothing_is_asked() {
    let place = crate::common::tree(&[("README.md", "# Us\n\n[gone](http://127.0.0.1:1/gone)\n")]);
    assert_snapshot!(place.audit(&[]), @"");
}
