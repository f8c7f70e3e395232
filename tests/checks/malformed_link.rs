//! `malformed-link`: a destination that was never meant as it is written.

use insta::assert_snapshot;

use crate::common::tree;

const TREE: &[(&str, &str)] = &[(
    "README.md",
    "# Us\n\n[notes](TODO) [nothing]() [forum](www.example.org/forum) [mail](help@example.org) [end](##the-end)\n[design]\n\n## The end\n\n\
     [design]: (https://example.org/design)\n",
)];

#[test]
fn placeholders_and_addresses_that_lack_something() {
    assert_snapshot!(tree(TREE).audit(&[]), @"");
}

#[test]
fn whole_addresses_are_no_finding() {
    let whole = [(
        "README.md",
        "# Us\n\n[forum](https://www.example.org/forum) [mail](mailto:help@example.org) [end](#the-end)\n\n## The end\n",
    )];
    assert_snapshot!(tree(&whole).audit(&[]), @"");
}

#[test]
fn missing_characters_are_written_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @"");
}
