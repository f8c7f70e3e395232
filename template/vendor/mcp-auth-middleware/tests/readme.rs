//! The README says what the code does: its examples are the ones that the documentation compiles, its table of codes is
//! the enum's, and its log lines are in the source.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use mcp_auth_middleware::AuthError;

const README: &str = include_str!("../README.md");
const LIBRARY: &str = include_str!("../src/lib.rs");

/// The code blocks whose info string is one of these, without the lines that rustdoc hides.
fn blocks(markdown: &str, kinds: &[&str]) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let code: Vec<_> = lines.by_ref().take_while(|l| *l != "```").filter(|l| !l.starts_with("# ")).collect();
            if kinds.contains(&kind) {
                blocks.push(code.join("\n"));
            }
        }
    }
    blocks
}

#[test]
fn examples_are_those_of_the_documentation() {
    let documentation: Vec<_> = LIBRARY.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let documentation: Vec<_> = documentation.iter().map(|l| l.strip_prefix(' ').unwrap_or(l)).collect();
    let compiled = blocks(&documentation.join("\n"), &["", "no_run"]);
    assert_eq!(blocks(README, &["rust"]), compiled);
    assert_eq!(compiled.len(), 5);
}

#[test]
fn the_table_of_codes_is_the_enum() {
    let rows: Vec<Vec<&str>> = README
        .lines()
        .filter(|line| line.starts_with("| MCP-AUTH-"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let expected: Vec<_> =
        AuthError::ALL.iter().map(|e| (e.code().to_owned(), e.status().as_str().to_owned(), e.to_string())).collect();
    let written: Vec<_> = rows.iter().map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].to_owned())).collect();
    assert_eq!(written, expected);
    assert!(rows.iter().all(|row| row.len() == 4 && !row[3].is_empty()), "each code says what to do");
}

/// tests/log_lines.rs has the whole lines; here it is that the README's are among them.
#[test]
fn log_lines_are_in_the_tests() {
    let tests = include_str!("log_lines.rs").replace("{jwt}", "Cloudflare Access JWT validation failed:");
    let mut seen = 0;
    for line in README.lines() {
        let Some((level, rest)) = line.trim_matches('|').split_once('|') else { continue };
        let level = level.trim();
        if !matches!(level, "DEBUG" | "INFO" | "WARN") {
            continue;
        }
        let text = rest.trim().strip_prefix('`').and_then(|t| t.split('`').next()).expect("a line in backticks");
        // Numbers and names are those of the README's example.
        let fixed = text.replace("UPSTREAM_TOKEN", "CODA_API_TOKEN").replace("keys: 1 un", "keys: 3 un");
        let fixed = fixed.replace("fetched: cannot connect", "fetched: ");
        let fixed = fixed.replace("https://… failed: timed out", "{} failed: ");
        assert!(tests.contains(&format!("[{level}] {fixed}")), "{level} {text}");
        seen += 1;
    }
    assert_eq!(seen, 14);
}
