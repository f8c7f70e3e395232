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
    assert_snapshot!(tree(TREE).audit(&[]), @r#"
    README.md  6 errors

      error[malformed-link]: "TODO" still stands where a destination belongs
       --> README.md:3:9
      3 | [notes](TODO) [nothing]() [forum](www.example.org/forum) [mail](help@example.org) [end](##the…
        |         ^^^^

      error[malformed-link]: the destination is empty, so the link leads to its own page
       --> README.md:3:15
      3 | [notes](TODO) [nothing]() [forum](www.example.org/forum) [mail](help@example.org) [end](##the…
        |               ^^^^^^^^^^^

      error[malformed-link]: without https:// in front this is the path of a file
       --> README.md:3:35
      3 | …es](TODO) [nothing]() [forum](www.example.org/forum) [mail](help@example.org) [end](##the-en…
        |                                ^^^^^^^^^^^^^^^^^^^^^ fix: write https://www.example.org/forum

      error[malformed-link]: a mail address needs mailto: in front
       --> README.md:3:65
      3 | …www.example.org/forum) [mail](help@example.org) [end](##the-end)
        |                                ^^^^^^^^^^^^^^^^ fix: write mailto:help@example.org

      error[malformed-link]: a fragment begins with one #
       --> README.md:3:89
      3 | …mail](help@example.org) [end](##the-end)
        |                                ^^^^^^^^^ fix: write #the-end

      error[malformed-link]: the parentheses around it become a part of the destination
       --> README.md:4:1
      4 | [design]
        | ^^^^^^^^ fix: write https://example.org/design

    Findings:

            6  error    malformed-link        4 by --fix

    GitHub's rules, because nothing says otherwise
    1 document, 6 links in [TIME]: 6 errors

    Next:
      mcp-kit audit-docs --fix --dry-run            # show what would fix 4 findings
      mcp-kit audit-docs --explain malformed-link   # say what that means and how to fix it
    exit 1
    "#);
}

#[test]
fn whole_addresses_are_no_finding() {
    let whole = [(
        "README.md",
        "# Us\n\n[forum](https://www.example.org/forum) [mail](mailto:help@example.org) [end](#the-end)\n\n## The end\n",
    )];
    assert_snapshot!(tree(&whole).audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    1 document, 3 links in [TIME]: no findings
    exit 0
    ");
}

#[test]
fn missing_characters_are_written_by_fix() {
    assert_snapshot!(tree(TREE).fixes(&[]), @r"
    --- a/README.md
    +++ b/README.md
    @@ -1,8 +1,8 @@
     # Us
     
    -[notes](TODO) [nothing]() [forum](www.example.org/forum) [mail](help@example.org) [end](##the-end)
    +[notes](TODO) [nothing]() [forum](https://www.example.org/forum) [mail](mailto:help@example.org) [end](#the-end)
     [design]
     
     ## The end
     
    -[design]: (https://example.org/design)
    +[design]: https://example.org/design
    note: would fix 4 findings, would change 1 file
    exit 0
    ");
}
