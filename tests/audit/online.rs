//! `mcp-kit audit-docs --online` from outside, against a host on this machine that behaves like hosts on the web.

#[path = "../../src/audit/web/local.rs"]
#[allow(dead_code, unreachable_pub)]
mod local;

use std::fs;
use std::process::Output;

use crate::common::{Place, outcome};
use local::Local;
use serde_json::Value;

/// A tree that links to every kind of page.
fn tree(host: &Local) -> Place {
    let place = Place::new();
    let text = format!(
        "# A\n\n[page]({0}/page#there) [gone]({0}/gone)\n[moved]({0}/moved#there) <{0}/moved>\n![image]({0}/nothing)\n\
         bare {0}/members and {0}/busy-once.\n[anchor]({0}/page#not) [example](https://example.com/x) [secret]({0}/secret/x)\n\n\
         <!-- mcp-kit-ignore broken-url: it comes back -->\n[soon]({0}/soon)\n\n`{0}/code`\n",
        host.url("")
    );
    fs::write(place.path("README.md"), text).unwrap();
    fs::write(place.path("catalog.yaml"), "audit:\n  online:\n    private: true\n    exclude: [/secret/]\n").unwrap();
    place
}

fn audit(place: &Place, more: &[&str]) -> Output {
    place.run(&[&["audit-docs", "--online", "--web-cache", "cache/web.json"], more].concat())
}

fn findings(output: &Output) -> Vec<String> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let line = |finding: &Value| {
        let of = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let target = of("target").split('/').skip(3).collect::<Vec<_>>().join("/");
        format!(
            "{}:{} {} {} /{target}: {}",
            finding["line"],
            finding["column"],
            of("severity"),
            of("code"),
            of("message")
        )
    };
    report["findings"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn every_kind_of_answer() {
    let host = Local::start();
    let place = tree(&host);
    let output = audit(&place, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", outcome(&output));
    insta::with_settings!({filters => vec![(r"\n(\d+):\d+ ", "\n$1:_ ")]}, {
        insta::assert_snapshot!(format!("\n{}", findings(&output).join("\n")), @r"

        3:_ error broken-url /gone: the host has no such page (410 Gone)
        4:_ note moved-url /moved#there: it has moved for good
        4:_ note moved-url /moved: it has moved for good
        5:_ error broken-url /nothing: the host has no such page (404 Not Found)
        6:_ note undecided-url /members: the host refuses programs (403 Forbidden)
        7:_ warning broken-url /page#not: the page is there, but nothing in it is called #not
        ");
    });
    for spared in ["/secret/x", "/code"] {
        assert!(host.requests(spared).is_empty(), "{spared}");
    }
    // Good answers are cached, all others requested again.
    let (page, gone) = (host.requests("/page").len(), host.requests("/gone").len());
    assert_eq!(findings(&audit(&place, &["--format", "json"])), findings(&output));
    assert_eq!((host.requests("/page").len(), host.requests("/gone").len()), (page + 1, gone + 1));
    let kept = place.read("cache/web.json");
    assert!(kept.contains("/page#there\"") && !kept.contains("/gone") && !kept.contains("/page#not"), "{kept}");
}

#[test]
fn addresses_that_have_moved_are_rewritten_and_nothing_else() {
    let host = Local::start();
    let place = tree(&host);
    let before = place.read("README.md");
    let expected = before.replace("/moved", "/page");
    let report = audit(&place, &[]);
    let said = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(said.contains("mcp-kit audit-docs --online --fix --dry-run"), "{said}");
    let diff = audit(&place, &["--fix", "--dry-run"]);
    assert!(String::from_utf8_lossy(&diff.stdout).contains("/page#there) <"), "{}", outcome(&diff));
    assert_eq!(place.read("README.md"), before);
    let output = audit(&place, &["--fix", "--allow-dirty"]);
    assert_eq!(place.read("README.md"), expected, "{}", outcome(&output));
    audit(&place, &["--fix", "--allow-dirty"]);
    assert_eq!(place.read("README.md"), expected);
}

#[test]
fn without_the_flag_no_request_is_sent() {
    let host = Local::start();
    let place = tree(&host);
    let output = place.run(&["audit-docs", "--format", "json"]);
    // Not even the suppression counts as one that hides nothing.
    assert_eq!(findings(&output), Vec::<String>::new(), "{}", outcome(&output));
    assert!(host.requests("/page").is_empty());
    let refused = place.run(&["audit-docs", "--web-cache", "x.json"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn a_baseline_keeps_what_only_the_web_knows() {
    let host = Local::start();
    let place = tree(&host);
    assert!(audit(&place, &["--baseline", "known.json", "--update-baseline"]).status.success());
    let known = place.read("known.json");
    assert!(known.contains("broken-url") && !known.contains("undecided-url"), "{known}");
    // An audit that does not ask has nothing to say of it.
    place.ok(&["audit-docs", "--baseline", "known.json", "--update-baseline"]);
    assert_eq!(place.read("known.json"), known);
    assert!(audit(&place, &["--baseline", "known.json"]).status.success());
}

#[test]
fn a_cache_that_cannot_be_used_is_reported_and_costs_time_only() {
    let host = Local::start();
    let place = tree(&host);
    fs::write(place.path("web.json"), "no JSON").unwrap();
    let output = place.run(&["audit-docs", "--online", "--web-cache", "web.json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("web.json is no cache of web addresses") && said.contains("requested again"), "{said}");
    assert!(place.read("web.json").starts_with("{\"schema\":\"mcp-kit/web-cache/1\""));
    // A file where its folder would be.
    let output = place.run(&["audit-docs", "--online", "--web-cache", "README.md/web.json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot cache the answers of the web"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn settings_that_make_no_sense_are_reported_with_their_place() {
    let place = Place::new();
    let catalog = "audit:\n  online:\n    exclude: ['(']\n    private: maybe\n    timeout: 0\n    cache_days: ever\n    agent: x\n";
    fs::write(place.path("catalog.yaml"), catalog).unwrap();
    let output = place.run(&["audit-docs", "--online"]);
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r#"
    error: this is no regular expression: unclosed group
     --> catalog.yaml:3:15
      |
    3 |     exclude: ['(']
      |               ^^^
    error: "maybe" is no switch
     --> catalog.yaml:4:14
      |
    4 |     private: maybe
      |              ^^^^^
      hint: it is one of true, false
    error: "0" is no number of seconds from 1 to 600
     --> catalog.yaml:5:14
      |
    5 |     timeout: 0
      |              ^
    error: "ever" is no number of days from 1 to 365
     --> catalog.yaml:6:17
      |
    6 |     cache_days: ever
      |                 ^^^^
    error: online has no `agent`
     --> catalog.yaml:7:5
      |
    7 |     agent: x
      |     ^^^^^
      hint: it has exclude, private, timeout, cache_days
    "#);
    assert_eq!(output.status.code(), Some(2));
}
