//! Every format over one report: what a person, a program, a pipeline and a browser get to see.

use std::path::Path;
use std::time::Duration;

use insta::{assert_snapshot, with_settings};
use mcp_kit::audit::baseline::Baseline;
use mcp_kit::audit::finding::{
    Code, Decision, DocumentGraph, Edit, Excerpt, Finding, Fix, NotJudged, Report, Severity, Since, SiteReport, Verdict,
};
use mcp_kit::audit::report::{Format, JSON_SCHEMA, write};
use mcp_kit::audit::site::Form;
use mcp_kit::fs::terminal::Paint;

/// A finding in the source line `text`, whose place stands between `‹` and `›`.
fn finding(code: Code, severity: Severity, path: &str, line: u32, text: &str, message: &str) -> Finding {
    let at = |mark| text.chars().position(|c| c == mark).unwrap_or(0);
    let marked = at('‹')..at('›').saturating_sub(1);
    Finding {
        code,
        severity,
        path: path.to_owned(),
        line,
        column: u32::try_from(marked.start).unwrap() + 1,
        // The documents are made up; all lines before this one have ten bytes.
        span: line as usize * 10 + text.find('‹').unwrap_or(0)
            ..line as usize * 10 + text.find('›').map_or(0, |end| end - '‹'.len_utf8()),
        excerpt: Excerpt { text: text.replace(['‹', '›'], ""), marked },
        target: None,
        message: message.to_owned(),
        suggestion: None,
        fix: None,
    }
}

/// A bit of everything: fixes, guesses, a finding about a whole document, the same finding twice, hostile names.
fn report() -> Report {
    let link = |line, text| Finding {
        target: Some("instal.md#first steps".to_owned()),
        suggestion: Some("install.md#first-steps".to_owned()),
        ..finding(Code::BrokenLink, Severity::Error, "guide/setup.md", line, text, "there is no file guide/instal.md")
    };
    let mut fixed = link(12, "Sée [the guide](‹instal.md#first steps›) for details.");
    fixed.fix = Some(Fix {
        title: "write install.md#first-steps".to_owned(),
        edits: vec![Edit { span: fixed.span.clone(), text: "install.md#first-steps".to_owned() }],
    });
    let mut far = finding(
        Code::DeprecatedTarget,
        Severity::Warning,
        "guide/setup.md",
        40,
        "Then ‹[the old way][old]›.",
        "archive/old.md is archived",
    );
    far.fix = Some(Fix {
        title: "point the definition to new.md".to_owned(),
        edits: vec![Edit { span: 900..906, text: "../new.md".to_owned() }],
    });
    Report {
        fleet: None,
        root: "docs".to_owned(),
        profiles: vec!["mdBook's rules, because of book.toml".to_owned()],
        sites: vec![SiteReport {
            folder: "src".to_owned(),
            generator: "mdBook".to_owned(),
            judged: true,
            reason: "book.toml is there".to_owned(),
            roots: vec!["src".to_owned()],
            settings: vec![("book.toml".to_owned(), "src".to_owned(), "src".to_owned())],
            not_judged: vec![NotJudged {
                form: Form::Absolute,
                cause: "published-elsewhere",
                count: 2,
                why: "the published site may have them from elsewhere".to_owned(),
                remedy: String::new(),
                example: ("src/a.md".to_owned(), "/x".to_owned()),
            }],
        }],
        not_judged: 2,
        since: Some(Since { name: "main".to_owned(), commit: "a1".repeat(20), older: 12 }),
        links_to: None,
        documents: 1_204,
        links: 5_310,
        duration: Duration::from_millis(41),
        findings: vec![
            finding(
                Code::BrokenAnchor,
                Severity::Error,
                "<script>alert(1)<!-- ü.md",
                1,
                "‹[x](#</script><img src=x onerror=alert(2)>)›\u{1b}[31m",
                "there is no heading \"</script>\" & no <b>id</b>",
            ),
            finding(
                Code::Orphan,
                Severity::Warning,
                "alone.md",
                1,
                "",
                "no entry point leads to this document and 3 others",
            ),
            fixed,
            link(14, "- again: [the guide](‹instal.md#first steps›)"),
            link(31, "- again: [the guide](‹instal.md#first steps›)"),
            far,
            finding(
                Code::UnusedDefinition,
                Severity::Note,
                "guide/setup.md",
                50,
                "‹[unused]: https://example.org›",
                "nothing uses the definition [unused]",
            ),
        ],
        decisions: vec![
            Decision {
                path: "alone.md".to_owned(),
                verdict: Verdict::Archive,
                reasons: vec!["nothing links to it".to_owned(), "last changed 2021-03-01".to_owned()],
            },
            Decision {
                path: "guide/setup.md".to_owned(),
                verdict: Verdict::Fix,
                reasons: vec!["2 dead links".to_owned()],
            },
            Decision { path: "new.md".to_owned(), verdict: Verdict::Keep, reasons: vec!["current".to_owned()] },
        ],
        hidden: 2,
        graph: DocumentGraph {
            documents: [
                "<script>alert(1)<!-- ü.md",
                "README.md",
                "alone.md",
                "archive/old.md",
                "guide/setup.md",
                "new.md",
            ]
            .map(str::to_owned)
            .to_vec(),
            edges: vec![(1, 0), (1, 4), (4, 3), (4, 5)],
        },
    }
}

fn text(report: &Report, format: Format) -> String {
    let mut out = Vec::new();
    write(report, format, Paint::plain(), 100, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

macro_rules! assert_said {
    ($name:literal, $text:expr) => {
        with_settings!({ filters => vec![(r#""semanticVersion": "[^"]+""#, r#""semanticVersion": "[VERSION]""#), (r"mcp-kit \d+\.\d+\.\d+", "mcp-kit [VERSION]"), (r#""[0-9a-f]{16,32}([":-])"#, r#""[DIGEST]$1"#)], omit_expression => true }, {
            assert_snapshot!($name, $text);
        });
    };
}

#[test]
fn people() {
    assert_said!("human", text(&report(), Format::Human));
}

#[test]
fn people_without_findings() {
    let clean = Report { root: ".".to_owned(), documents: 1, links: 1, ..Report::default() };
    assert_said!("human_clean", text(&clean, Format::Human));
}

#[test]
fn people_with_more_than_can_be_fixed_at_once() {
    let mut many = report();
    let one = many.findings[3].clone();
    many.findings = vec![one; 21];
    let said = text(&many, Format::Human);
    assert_said!("human_many", said.split_once("Findings:").unwrap().1);
}

#[test]
fn json() {
    let said = text(&report(), Format::Json);
    assert_said!("json", &said);
    let schema: serde_json::Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("audit-1.json", schema).unwrap();
    let index = compiler.compile("audit-1.json", &mut schemas).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&said).unwrap();
    schemas.validate(&value, index).map_err(|error| error.to_string()).unwrap();
    // And the schema is not one that lets everything through.
    value["findings"][0]["line"] = 0.into();
    assert!(schemas.validate(&value, index).is_err());
}

#[test]
fn json_has_nothing_that_the_schema_does_not_document() {
    fn documented(value: &serde_json::Value, schema: &serde_json::Value, root: &serde_json::Value) {
        let schema = match schema["$ref"].as_str() {
            Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
            None => schema,
        };
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    let property = &schema["properties"][name];
                    assert!(property.is_object(), "{name} is not in the schema");
                    documented(value, property, root);
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| documented(item, &schema["items"], root)),
            _ => {}
        }
    }
    let value: serde_json::Value = serde_json::from_str(&text(&report(), Format::Json)).unwrap();
    let schema: serde_json::Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    documented(&value, &schema, &schema);
}

#[test]
fn sarif() {
    let said = text(&report(), Format::Sarif);
    assert_said!("sarif", &said);
    let value: serde_json::Value = serde_json::from_str(&said).unwrap();
    let run = &value["runs"][0];
    let mut fingerprints = Vec::new();
    for result in run["results"].as_array().unwrap() {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
        fingerprints.push(result["partialFingerprints"]["mcpKitFinding/v1"].as_str().unwrap());
    }
    fingerprints.sort_unstable();
    let all = fingerprints.len();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), all, "equal findings have different fingerprints");
}

#[test]
fn sarif_takes_no_more_than_github_does() {
    let mut many = report();
    let note = many.findings[6].clone();
    many.findings.splice(0..0, std::iter::repeat_n(note, 25_000));
    let value: serde_json::Value = serde_json::from_str(&text(&many, Format::Sarif)).unwrap();
    let run = &value["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert_eq!(results.iter().filter(|result| result["level"] == "error").count(), 4, "the most_severe are there");
    let said = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert!(said.starts_with("7 findings left out"), "{said}");
}

#[test]
fn github() {
    assert_said!("github", text(&report(), Format::Github));
}

#[test]
fn markdown() {
    assert_said!("markdown", text(&report(), Format::Markdown));
}

#[test]
fn gitlab() {
    let said = text(&report(), Format::Gitlab);
    assert_said!("gitlab", &said);
    let issues: Vec<serde_json::Value> = serde_json::from_str(&said).unwrap();
    assert_eq!(issues.len(), 7);
}

#[test]
fn junit() {
    assert_said!("junit", text(&report(), Format::Junit));
}

#[test]
fn a_page() {
    let said = text(&report(), Format::Html);
    let json = said.split_once(r#"id="data">"#).unwrap().1.split_once("</script>").unwrap().0;
    // The same, whatever stands in the documents.
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["paths"][0], "<script>alert(1)<!-- ü.md");
    assert_said!("html_data", json.replace("],[", "],\n["));
    for outside in ["http://", "https://", "src=\"", "@import", "url("] {
        assert!(
            !said
                .replace(json, "")
                .replace("http://www.w3.org/2000/svg", "")
                .replace("url(#arrow)", "")
                .contains(outside),
            "{outside}"
        );
    }
}

#[test]
fn a_hundred_thousand_findings_are_all_there() {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut many = report();
    let one = many.findings[6].clone();
    many.findings = vec![one; 100_000];
    for format in [Format::Human, Format::Json, Format::Github, Format::Gitlab, Format::Junit] {
        let mut out = Count(0);
        write(&many, format, Paint::plain(), 100, &mut out).unwrap();
        assert!(out.0 > 100_000 * 50, "{format:?} leaves nothing out: {}", out.0);
    }
}

#[test]
fn a_baseline_accepts_what_is_there() {
    let mut report = report();
    let everything = |_: Code, _: &str| true;
    let baseline = Baseline::default().updated(&report.findings, &everything);
    let mut out = Vec::new();
    baseline.write(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_said!("baseline", &out);
    let read = Baseline::parse(Path::new("known.json"), out.as_bytes()).unwrap();
    assert_eq!(read, baseline);
    assert_eq!(read.hide(&mut report, &everything), []);
    assert_eq!((report.findings.len(), report.hidden), (0, 9));
}
