//! Writes a made-up report of `mcp-kit audit-docs`: for looking at a format, and for tests that need a browser or a schema.
//!
//! usage: `audit_report FORMAT DOCUMENTS`, the format as for `--format`. Names and texts are as hostile as file names can be.

use std::error::Error;
use std::io::{self, BufWriter, Write as _};
use std::time::Duration;

use clap::ValueEnum as _;
use mcp_kit::audit::finding::{
    Code, Decision, DocumentGraph, Edit, Excerpt, Finding, Fix, NotJudged, Report, Severity, SiteReport, Verdict,
};
use mcp_kit::audit::report::{Format, write};
use mcp_kit::audit::site::Form;
use mcp_kit::fs::terminal::Paint;

/// What would run if it were taken for markup, a command or an escape.
const HOSTILE: &[&str] = &[
    "</script><script>window.hostile = 1</script>",
    "<img src=x onerror=\"window.hostile = 2\">",
    "<!--<script>",
    "]]>&amp;&#60;\u{1b}[31m\u{202e}",
    "::error::%0A##[error]",
    "' onmouseover='window.hostile = 3",
    "日本語 🎉 e\u{301}",
];

/// The document with this number: a few in the root, the others in folders two levels deep.
fn path(number: u32) -> String {
    let hostile = HOSTILE[number as usize % HOSTILE.len()].replace('/', "\u{2215}");
    match number {
        0 => "README.md".to_owned(),
        1..8 => format!("{hostile}.md"),
        _ => format!("area {:02}/{}/page {number:06}.md", number % 23, number % 7),
    }
}

fn finding(number: u32, at: u32) -> Finding {
    let code = Code::ALL[(number + at) as usize % Code::ALL.len()];
    let severity = [Severity::Error, Severity::Warning, Severity::Note][(number as usize + at as usize) % 3];
    let hostile = HOSTILE[(number + at) as usize % HOSTILE.len()];
    let text = format!("See [{hostile}]({hostile}) for more of this.");
    let start = text.find("](").map_or(0, |end| text[..end].chars().count() + 2);
    let target = at.is_multiple_of(2).then(|| hostile.to_owned());
    let span = number as usize..number as usize + hostile.len();
    Finding {
        code,
        severity,
        path: path(number),
        line: at * 10 + 1,
        column: u32::try_from(start).unwrap_or(0) + 1,
        excerpt: Excerpt { text, marked: start..start + hostile.chars().count() },
        message: format!("there is no file {hostile}"),
        suggestion: target.as_ref().map(|target| format!("better {target}")),
        fix: at.is_multiple_of(3).then(|| Fix {
            title: format!("write {hostile}"),
            edits: vec![Edit { span: span.clone(), text: hostile.to_owned() }],
        }),
        target,
        span,
    }
}

fn report(documents: u32) -> Report {
    let mut paths: Vec<_> = (0..documents).map(path).collect();
    paths.sort();
    let mut findings: Vec<_> = (0..documents)
        .filter(|number| number % 5 < 2)
        .flat_map(|number| [finding(number, 0), finding(number, 1)])
        .collect();
    findings.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    let verdicts = [Verdict::Archive, Verdict::Update, Verdict::Fix, Verdict::Keep];
    let decisions = paths.iter().enumerate().filter(|(at, _)| at % 40 == 3).map(|(at, path)| Decision {
        path: path.clone(),
        verdict: verdicts[at % verdicts.len()],
        reasons: vec![HOSTILE[at % HOSTILE.len()].to_owned(), "nothing links to it".to_owned()],
    });
    let edges: Vec<_> = (0..documents)
        .flat_map(|from| [from * 7 + 1, from * 31 + 5, from / 2].map(|to| (from, to % documents)))
        .filter(|(from, to)| from != to && to % 11 != 3)
        .collect();
    Report {
        fleet: None,
        root: "docs".to_owned(),
        profiles: vec!["GitHub's rules, as nothing says otherwise".to_owned()],
        sites: vec![site(&paths)],
        not_judged: 2,
        documents: documents as usize,
        links: edges.len(),
        duration: Duration::from_millis(41),
        decisions: decisions.collect(),
        findings,
        hidden: 3,
        since: None,
        links_to: None,
        graph: DocumentGraph { documents: paths, edges },
    }
}

/// A site with links that are not judged; its texts are hostile, too.
fn site(paths: &[String]) -> SiteReport {
    let hostile = |at: usize| HOSTILE[at % HOSTILE.len()].to_owned();
    SiteReport {
        folder: hostile(0),
        generator: "mdBook".to_owned(),
        judged: true,
        reason: hostile(1),
        roots: vec![hostile(2)],
        settings: vec![("book.toml".to_owned(), "src".to_owned(), hostile(3))],
        not_judged: vec![NotJudged {
            form: Form::Absolute,
            cause: "published-elsewhere",
            count: 2,
            why: hostile(4),
            remedy: String::new(),
            example: (paths.first().cloned().unwrap_or_default(), hostile(5)),
        }],
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [format, documents] = arguments.as_slice() else { return Err("usage: audit_report FORMAT DOCUMENTS".into()) };
    let mut out = BufWriter::new(io::stdout().lock());
    write(&report(documents.parse()?), Format::from_str(format, false)?, Paint::plain(), 100, &mut out)?;
    Ok(out.flush()?)
}
