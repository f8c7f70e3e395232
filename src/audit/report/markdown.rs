//! A comment on a pull request: counts, errors in a table, the rest folded. It ends before the size that GitHub takes (65,536
//! characters), and says what is not in it.
//!
//! Documents may be hostile: nothing of theirs is markup here, and nobody is notified by what stands in them.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::iter::Peekable;
use std::str::Chars;

use super::messages::{counts, left_out, message};
use super::place::located;
use super::tally::Tally;
use crate::audit::finding::{Finding, Report, Severity};
use crate::text::escape::escape_control;
use crate::text::percent::encode_uri_path;
use crate::text::plural::plural;

/// The maximum length of a comment on GitHub in characters. The report counts bytes, which are at least as many.
const LARGEST: usize = 65_536;
/// Kept for what stands behind the findings.
const END: usize = 1_024;
/// Texts in a cell are cut behind so many characters.
const LONGEST: usize = 300;
/// Folders with a renderer of their own that are named.
const PROFILES: usize = 10;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(text(report).as_bytes())
}

fn text(report: &Report) -> String {
    let tally = Tally::from_findings(&report.findings);
    let mut text = format!("### Documentation audit: {}\n\n", tally.sentence());
    let counts = counts(report);
    let _ = writeln!(text, "{counts}{}.", plain(&left_out(report)));
    let mut left = 0;
    for (severity, count) in
        [(Severity::Error, tally.error), (Severity::Warning, tally.warning), (Severity::Note, tally.note)]
    {
        let of_severity = report.findings.iter().filter(|finding| finding.severity == severity);
        let rows = of_severity.map(|finding| row(report, finding));
        left += table(&mut text, severity, count, rows);
    }
    if left > 0 {
        let (are, them) = if left == 1 { ("is", "it") } else { ("are", "them") };
        let _ = write!(
            text,
            "\n{} {are} not in this comment, which is as long as GitHub lets it be. `--format json` has {them}.\n",
            plural(left, "more finding")
        );
    }
    if !report.profiles.is_empty() {
        text.push('\n');
    }
    for profile in report.profiles.iter().take(PROFILES) {
        let line = format!("<sub>{}</sub><br>\n", plain(profile));
        if text.len() + line.len() > LARGEST {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// Adds the findings of one severity as far as there is room. Returns how many are left.
fn table(text: &mut String, severity: Severity, count: usize, rows: impl Iterator<Item = String>) -> usize {
    if count == 0 {
        return 0;
    }
    let folded = severity != Severity::Error;
    let mut table = String::from("\n");
    if folded {
        let _ = write!(table, "<details><summary>{}</summary>\n\n", plural(count, severity.as_str()));
    }
    table.push_str("| Where | Check | Finding |\n|---|---|---|\n");
    let end = if folded { "\n</details>\n" } else { "" };
    let mut shown = 0;
    for row in rows {
        if text.len() + table.len() + row.len() + end.len() > LARGEST - END {
            break;
        }
        table.push_str(&row);
        shown += 1;
    }
    if shown > 0 {
        table.push_str(end);
        text.push_str(&table);
    }
    count - shown
}

fn row(report: &Report, finding: &Finding) -> String {
    let place = plain(&format!("{}:{}", located(&report.root, &finding.path), finding.line));
    let place = match &report.links_to {
        // Without `plain`, GitHub shows a document as rendered, which has no lines.
        Some(address) if finding.path.len() <= LONGEST => {
            format!("[{place}]({address}{}?plain=1#L{})", encode_uri_path(&finding.path), finding.line)
        }
        _ => place,
    };
    format!("| {place} | `{}` | {} |\n", finding.code, plain(&message(finding)))
}

/// Text as Markdown that shows just this text: one line, no markup, no link, no mention, no reference to an issue.
fn plain(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let shown = escape_control(&shown);
    let mut plain = String::with_capacity(shown.len() + 16);
    let mut chars = shown.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                plain.push('\\');
                plain.push(c);
            }
            // GitHub makes links of addresses in the text that it has rendered.
            ':' if chars.peek() == Some(&'/') => {
                plain.push(c);
                plain.push(JOINER);
            }
            // Mentions and references are found in what is rendered, too: an escape does not hide them.
            '@' => plain.extend([c, JOINER]),
            '#' => {
                plain.push_str("\\#");
                plain.extend(next_is_digit(&mut chars).then_some(JOINER));
            }
            '-' if plain.ends_with("GH") || plain.ends_with("gh") => {
                plain.push(c);
                plain.extend(next_is_digit(&mut chars).then_some(JOINER));
            }
            '.' if plain.ends_with("www") || plain.ends_with("WWW") => plain.extend([JOINER, c]),
            c => plain.push(c),
        }
    }
    plain
}

fn next_is_digit(chars: &mut Peekable<Chars<'_>>) -> bool {
    chars.peek().is_some_and(char::is_ascii_digit)
}

/// Word joiner: has no width, and does not let a line break.
const JOINER: char = '\u{2060}';

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::finding::Since;
    use crate::audit::report::tests::{finding, report_of};

    fn with(severity: Severity, message: &str) -> Finding {
        Finding { severity, message: message.to_owned(), suggestion: None, ..finding() }
    }

    #[test]
    fn errors_stand_first_and_the_rest_is_folded() {
        let findings = vec![with(Severity::Note, "a"), with(Severity::Warning, "b"), finding()];
        let mut report = report_of(findings);
        report.links_to = Some("https://github.com/o/r/blob/abc/docs/".to_owned());
        report.profiles = vec!["GitHub's rules, because nothing says otherwise".to_owned()];
        report.since = Some(Since { name: "main".to_owned(), commit: "0123456789abcdef".to_owned(), older: 12 });
        insta::assert_snapshot!(text(&report), @r"
        ### Documentation audit: 1 error, 1 warning, 1 note

        2 documents, 3 links; 12 older findings are not shown, as main (0123456789) has them.

        | Where | Check | Finding |
        |---|---|---|
        | [docs/guide/setup.md:3](https://github.com/o/r/blob/abc/docs/guide/setup.md?plain=1#L3) | `broken-link` | there is no file guide/instal.md (did you mean install.md?) |

        <details><summary>1 warning</summary>

        | Where | Check | Finding |
        |---|---|---|
        | [docs/guide/setup.md:3](https://github.com/o/r/blob/abc/docs/guide/setup.md?plain=1#L3) | `broken-link` | b |

        </details>

        <details><summary>1 note</summary>

        | Where | Check | Finding |
        |---|---|---|
        | [docs/guide/setup.md:3](https://github.com/o/r/blob/abc/docs/guide/setup.md?plain=1#L3) | `broken-link` | a |

        </details>

        <sub>GitHub's rules, because nothing says otherwise</sub><br>
        ");
    }

    #[test]
    fn hostile_text_is_text() {
        let hostile = "`a` | b <img src=x onerror=alert(1)> [x](http://a.b) @octocat #12 GH-3 www.a.b **c** _d_ ~~e~~ $f$ ![g](h) a@b.c \u{202e}x\n\n# h";
        let mut bad = with(Severity::Error, hostile);
        bad.path = "a|b`c`<d>[e](f) @g\n#1.md".to_owned();
        let mut report = report_of(vec![bad]);
        report.links_to = Some("https://github.com/o/r/blob/abc/".to_owned());
        insta::assert_snapshot!(text(&report).replace(JOINER, "[joiner]"), @r"
        ### Documentation audit: 1 error

        2 documents, 3 links.

        | Where | Check | Finding |
        |---|---|---|
        | [docs/a\|b\`c\`&lt;d&gt;\[e\](f) @[joiner]g␊\#[joiner]1.md:3](https://github.com/o/r/blob/abc/a%7Cb%60c%60%3Cd%3E%5Be%5D%28f%29%20%40g%0A%231.md?plain=1#L3) | `broken-link` | \`a\` \| b &lt;img src=x onerror=alert(1)&gt; \[x\](http:[joiner]//a.b) @[joiner]octocat \#[joiner]12 GH-[joiner]3 www[joiner].a.b \*\*c\*\* \_d\_ \~\~e\~\~ \$f\$ !\[g\](h) a@[joiner]b.c �x␊␊\# h |
        ");
    }

    #[test]
    fn it_is_no_longer_than_github_takes() {
        let many: Vec<Finding> =
            (0..5_000).map(|at| with([Severity::Error, Severity::Warning][at % 2], &"<é|".repeat(at % 200))).collect();
        let text = text(&report_of(many));
        assert!(text.len() <= LARGEST && text.len() > LARGEST - 4 * END, "{}", text.len());
        let said = text.lines().find(|line| line.contains("not in this comment")).unwrap();
        let rows = text.lines().filter(|line| line.contains("`broken-link`")).count();
        let left: usize = said.split(' ').next().unwrap().replace(',', "").parse().unwrap();
        assert_eq!(rows + left, 5_000);
    }
}
