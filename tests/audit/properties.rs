//! What holds for reports and baselines whatever stands in the documents.

use std::path::Path;

use mcp_kit::audit::baseline::Baseline;
use mcp_kit::audit::finding::{Code, Excerpt, Finding, Report, Severity};
use mcp_kit::audit::report::{Format, write};
use mcp_kit::fs::terminal::Paint;
use proptest::prelude::*;

/// Any text, and more often than by chance what means something to one of the formats.
fn text() -> impl Strategy<Value = String> + Clone {
    let special = prop::sample::select(vec![
        "</script>",
        "<!--",
        "]]>",
        "&amp;",
        "\"",
        "'",
        "\\u003c",
        "::error::",
        "##[",
        "%0A",
        "\n",
        "\r\n",
        "\u{1b}[2J",
        "\u{0}",
        "\u{202e}",
        "\u{fffe}",
        "é",
        "語",
        "🎉",
        "e\u{301}",
        "\t",
        "/",
        "`",
        "|",
        "\\",
        "@octocat",
        "#12",
        "[a](b)",
        "![a](b)",
        "**b**",
        "~~d~~",
        "$e$",
        "www.f.g",
        "https://h.i",
        "<j@k.l>",
    ]);
    prop::collection::vec(prop_oneof![special.prop_map(str::to_owned), any::<char>().prop_map(String::from)], 0..8)
        .prop_map(|parts| parts.concat())
}

fn finding(words: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = Finding> {
    let severity = prop::sample::select(vec![Severity::Error, Severity::Warning, Severity::Note]);
    let code = prop::sample::select(vec![Code::BrokenLink, Code::Orphan]);
    let texts = (words.clone(), words.clone(), words.clone(), prop::option::of(words.clone()), prop::option::of(words));
    (code, severity, texts, 1..999_u32, 0..12_usize, 0..12_usize).prop_map(
        |(code, severity, texts, line, start, length)| {
            let (path, message, text, target, suggestion) = texts;
            Finding {
                code,
                severity,
                path,
                line,
                column: u32::try_from(start).unwrap() + 1,
                span: start..start + length,
                excerpt: Excerpt { text, marked: start..start + length },
                target,
                message,
                suggestion,
                fix: None,
            }
        },
    )
}

fn report(mut findings: Vec<Finding>) -> Report {
    findings.sort_by(|one, other| (&one.path, one.line, one.column).cmp(&(&other.path, other.line, other.column)));
    Report { root: ".".to_owned(), findings, ..Report::default() }
}

fn written(report: &Report, format: Format) -> String {
    let mut out = Vec::new();
    write(report, format, Paint::plain(), 60, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

proptest! {
    #[test]
    fn programs_read_what_was_written(findings in prop::collection::vec(finding(text()), 0..6)) {
        let report = report(findings);
        let (plain, sarif, gitlab) = (written(&report, Format::Json), written(&report, Format::Sarif), written(&report, Format::Gitlab));
        let (plain, sarif, gitlab) = (json(&plain), json(&sarif), json(&gitlab));
        let page = written(&report, Format::Html);
        let data = json(page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0);
        for (at, finding) in report.findings.iter().enumerate() {
            prop_assert_eq!(&plain["findings"][at]["message"], &*finding.message);
            prop_assert_eq!(&plain["findings"][at]["path"], &finding.path);
            prop_assert_eq!(&gitlab[at]["location"]["path"], &finding.path);
            prop_assert_eq!(&data["findings"][at][5], &finding.message);
            let path = usize::try_from(data["findings"][at][2].as_u64().unwrap()).unwrap();
            prop_assert_eq!(&data["paths"][path], &finding.path);
            let uri = sarif["runs"][0]["results"][at]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            prop_assert!(uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"?#:\\".contains(&byte)), "{}", uri);
        }
        prop_assert_eq!(gitlab.as_array().unwrap().len(), report.findings.len());
        // The page has the elements it always has.
        prop_assert_eq!(page.matches("<script").count(), 2);
    }

    #[test]
    fn logs_and_terminals_are_not_commanded(findings in prop::collection::vec(finding(text()), 0..25)) {
        let report = report(findings);
        let human = written(&report, Format::Human);
        let harmless = human.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}');
        prop_assert!(harmless);
        let github = written(&report, Format::Github);
        for line in github.lines() {
            let line = line.trim_start();
            let ours = ["::error file=", "::warning file=", "::notice file=", "::group::", "::endgroup::"];
            prop_assert!(!line.starts_with("::") || ours.iter().any(|start| line.starts_with(start)), "{}", line);
            prop_assert!(line.starts_with("::") || !line.contains("##["), "{}", line);
        }
        let annotations = github.lines().filter(|line| line.starts_with("::") && line.contains(" file=")).count();
        let of = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count().min(10);
        prop_assert_eq!(annotations, of(Severity::Error) + of(Severity::Warning) + of(Severity::Note));
    }

    /// In a comment, every finding is a row that shows its text and nothing else.
    #[test]
    fn a_comment_has_no_markup_but_its_own(findings in prop::collection::vec(finding(text()), 0..6)) {
        use pulldown_cmark::{Event, Options, Parser, Tag};
        let report = report(findings);
        let said = written(&report, Format::Markdown);
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH | Options::ENABLE_FOOTNOTES;
        let (mut cells, mut markup) = (Vec::new(), Vec::new());
        for event in Parser::new_ext(&said, options) {
            match event {
                Event::Start(Tag::TableCell) => cells.push(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(cell) = cells.last_mut() {
                        cell.push_str(&text);
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => markup.push(html.to_string()),
                Event::Start(Tag::Heading { .. } | Tag::Paragraph | Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::HtmlBlock) | Event::End(_) => {}
                other => prop_assert!(false, "{:?} in {}", other, said),
            }
        }
        let ours = |html: &String| {
            let html = html.trim();
            html == "</details>" || html.starts_with("<details><summary>") && html.ends_with("</summary>")
        };
        prop_assert!(markup.iter().all(ours), "{:?}", markup);
        let mut shown = Vec::new();
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            shown.extend(report.findings.iter().filter(|finding| finding.severity == severity));
        }
        let rows: Vec<&[String]> = cells.chunks(3).filter(|row| row[0] != "Where").collect();
        prop_assert_eq!(rows.len(), shown.len(), "{}", said);
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '\u{2060}').collect::<String>();
        for (row, finding) in rows.iter().zip(shown) {
            let message = mcp_kit::text::escape::escape_control(&finding.message).into_owned();
            prop_assert!(bare(&row[2]).starts_with(&bare(&message)), "{:?} in {}", message, said);
        }
        // What GitHub looks for in the text that it has rendered.
        for sign in ["@octocat", "#12", "www.", "://"] {
            prop_assert!(!said.contains(sign), "{} in {}", sign, said);
        }
    }

    /// What was there is older however often it is there, and no more than that.
    #[test]
    fn no_more_is_older_than_was_there(
        before in prop::collection::vec(finding("[ab]"), 0..12),
        now in prop::collection::vec(finding("[ab]"), 0..12),
        shift in 0..50_u32,
    ) {
        use mcp_kit::audit::since::{ChangedDocuments, are_older};
        let documents = ChangedDocuments::default();
        let older = are_older(&now, &before, &documents).into_iter().filter(|older| *older).count();
        prop_assert!(older <= before.len() && older <= now.len());
        let mut moved = before.clone();
        moved.iter_mut().for_each(|finding| finding.line += shift);
        prop_assert!(are_older(&moved, &before, &documents).into_iter().all(|older| older));
        prop_assert!(!are_older(&now, &[], &documents).into_iter().any(|older| older));
    }

    #[test]
    fn junit_is_well_formed_and_has_a_case_for_each_finding(findings in prop::collection::vec(finding(text()), 0..6)) {
        let report = report(findings);
        let said = written(&report, Format::Junit);
        let mut reader = quick_xml::Reader::from_str(&said);
        reader.config_mut().check_end_names = true;
        let (mut cases, mut failures) = (0, 0);
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(start) => {
                    cases += usize::from(start.name().as_ref() == "testcase");
                    failures += usize::from(start.name().as_ref() == "failure");
                    for attribute in start.attributes() {
                        attribute.unwrap();
                    }
                }
                _ => {}
            }
        }
        let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        prop_assert_eq!((cases, failures), (report.findings.len(), errors));
        let legal = |c: char| matches!(c, '\t' | '\n' | '\r') || !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
        prop_assert!(said.chars().all(legal));
    }

    #[test]
    fn a_baseline_reads_back_and_hides_what_it_was_made_of(findings in prop::collection::vec(finding(text()), 0..12), shift in 0..50_u32) {
        let everything = |_: Code, _: &str| true;
        let baseline = Baseline::default().updated(&findings, &everything);
        let mut out = Vec::new();
        baseline.write(&mut out).unwrap();
        prop_assert_eq!(&Baseline::parse(Path::new("b"), &out).unwrap(), &baseline);
        let mut moved = report(findings);
        for finding in &mut moved.findings {
            finding.line += shift;
        }
        let all = moved.findings.len();
        prop_assert_eq!(baseline.hide(&mut moved, &everything), vec![]);
        prop_assert_eq!((moved.findings.len(), moved.hidden), (0, all));
    }

    /// Over few different texts, so that much is equal, reworded, gone or new.
    #[test]
    fn a_baseline_hides_no_more_than_it_accepts(
        known in prop::collection::vec(finding("[ab]"), 0..12),
        found in prop::collection::vec(finding("[ab]"), 0..12),
    ) {
        let everything = |_: Code, _: &str| true;
        let baseline = Baseline::default().updated(&known, &everything);
        let mut report = report(found.clone());
        let stale = baseline.hide(&mut report, &everything);
        prop_assert_eq!(report.hidden + report.findings.len(), found.len());
        let gone: u32 = stale.iter().map(|stale| stale.count).sum();
        prop_assert_eq!(report.hidden + gone as usize, baseline.len());
        // Whatever is left has no entry that could have matched it.
        for finding in &report.findings {
            let matches = |stale: &mcp_kit::audit::baseline::Stale| {
                stale.path == finding.path && stale.code == finding.code && stale.target == finding.target && finding.target.is_some()
            };
            prop_assert!(!stale.iter().any(matches));
        }
    }
}
