//! The commands on the pages can be typed: programs know every subcommand and flag, compose files have every service and
//! network, scripts have every option, and no secret is in an argument. Held for each project that `mcp-kit new` can
//! render, and for a catalog with servers of every kind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod projects;
mod sentences;
mod shell;
mod wrong;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use common::outcome;
use projects::{OWN_PAGES, ROOT, fleets, generated, project, projects};
use shell::{blocks, commands, secret_in};
use wrong::wrong;

/// What wakes somebody leads to a heading of a page that is there.
#[test]
fn every_alert_leads_to_a_section() {
    for project in projects() {
        let rules = &project.files["deploy/kubernetes/overlays/production/monitoring.yaml"];
        let links: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("runbook: ")).collect();
        assert!(links.len() >= 9 && links.len() == rules.matches("- alert: ").count(), "{links:?}");
        for link in links {
            let (page, anchor) = link.split_once('#').unwrap_or((link, ""));
            let text = &project.files[page];
            assert!(anchor.is_empty() || has_heading(text, anchor), "{link} with the store {}", project.store);
        }
        for alert in rules.split("- alert: ").skip(1).map(|rule| rule.lines().next().unwrap().trim()) {
            let runbook = &project.files["docs/OAUTH_TROUBLESHOOTING.md"];
            assert!(runbook.contains(&format!("| `{alert}` |")), "{alert} is not in the table of alerts");
        }
    }
}

fn has_heading(text: &str, anchor: &str) -> bool {
    let slug = |title: &str| {
        let kept = title.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect::<String>()
    };
    let mut titles = text.lines().filter_map(|line| line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' '));
    titles.any(|title| slug(title) == anchor)
}

#[test]
fn every_command_is_one_of_the_program_the_compose_file_and_the_scripts() {
    let (mut problems, mut checked) = (String::new(), 0);
    for rendered in projects() {
        for (path, text) in rendered.documents() {
            for block in blocks(path, text) {
                // Its first step is to take the compose file of the other store.
                let project = if block.heading == "Migration Guide" { project("postgres") } else { rendered };
                for words in commands(&block.script) {
                    checked += 1;
                    if let Some(what) = wrong(&words, rendered.name, project) {
                        let _ = writeln!(problems, "{} ({}): {}: {what}", block.place, rendered.store, words.join(" "));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
    assert!(checked > 300, "{checked}");
}

/// The same for pages that speak of several servers: they show the commands of the variant with the most services.
#[test]
fn the_pages_of_a_fleet_name_what_there_is() {
    let mut problems = String::new();
    for (path, text) in fleets() {
        for block in blocks(path, text) {
            for words in commands(&block.script) {
                if let Some(what) = wrong(&words, "my-server", project("postgres")) {
                    let _ = writeln!(problems, "{}: {}: {what}", block.place, words.join(" "));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

/// A test that finds nothing proves nothing: these lines stood on the pages once, or could.
#[test]
fn what_cannot_be_typed_is_found() {
    for line in [
        "docker compose exec postgres pg_isready",
        "docker compose logs --tail 50 server db-init",
        "docker compose config --networks",
        "docker compose exec server /usr/local/bin/notes tokens ls",
        "docker compose exec server /usr/local/bin/notes tokens list --name x",
        "docker run --rm --network notes_store postgres:18 pg_isready",
        "ssh root@HOST docker exec notes-postgres-1 psql",
        "scripts/deploy-to-droplet.sh --rollback-everything",
        "scripts/nowhere.sh",
        "mcp-kit new notes --store postgres",
        "kubectl --namespace other logs deployment/notes",
        "kubectl --namespace notes rollout undo deployment/server",
        "kubectl --namespace notes logs deployment/notes --since 5m",
        "kubectl apply --kustomize deploy/kubernetes/overlays/staging",
        "kubectl --namespace notes delete job db-init",
        "kubectl --namespace notes create secret generic notes --from-file secrets/mcp_auth_encryption_key",
    ] {
        let words = &commands(line)[0];
        assert!(wrong(words, "notes", project("env")).is_some(), "{line}");
    }
    for line in [
        "curl --header \"Authorization: Bearer $TOKEN\" x",
        "curl -H \"CF-Access-Client-Secret: $S\" x",
        "x $(cat secrets/key)",
    ] {
        assert!(commands(line).iter().any(|words| secret_in(words).is_some()), "{line}");
    }
}

#[test]
fn no_secret_is_an_argument() {
    let mut problems = String::new();
    for (path, text) in generated().chain(fleets()) {
        for block in blocks(path, text) {
            for words in commands(&block.script) {
                // Clients that take a header in no other way; the token is for the developer's own machine.
                let local = words.iter().any(|word| word.starts_with("http://127.0.0.1:"));
                if local && ["claude", "npx"].contains(&words[0].as_str()) {
                    continue;
                }
                if let Some(word) = secret_in(&words) {
                    let _ = writeln!(problems, "{}: {word:?} in {}", block.place, words.join(" "));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

/// What production cannot do: no port is published, settings are not edited on the host, `up` there takes another image,
/// and a umask does not stay in the reader's shell.
#[test]
fn the_pages_are_for_the_production_that_there_is() {
    for (path, text) in generated().filter(|(path, _)| !OWN_PAGES.contains(path)).chain(fleets()) {
        assert!(!text.contains("127.0.0.1:8080") && !text.contains("localhost:8080"), "{path}");
        let others = text.replace("OTEL_SERVICE_NAME", "");
        assert!(!others.contains("SERVICE_NAME"), "{path}: there is no such setting");
        for block in blocks(path, text) {
            for words in commands(&block.script) {
                let started = words.len() > 2 && words[..2] == ["docker", "compose"] && words[2] == "up";
                assert!(!started, "{}: {}", block.place, words.join(" "));
            }
            let at_home = block.script.lines().any(|line| line.trim_start().starts_with("umask"));
            assert!(!at_home, "{}: in parentheses, or it stays in the shell", block.place);
        }
    }
    let script = fs::read_to_string(format!("{ROOT}/template/scripts/deploy-to-droplet.sh")).unwrap();
    assert!(script.contains("dir=${DEPLOY_DIR:-/opt/$name}") && script.contains("releases/$release\" current"));
}

/// Each file of a secret that a page has somebody write can be read by the server, which is not its owner.
#[test]
fn secrets_that_are_written_can_be_read_by_the_server() {
    let mut written = 0;
    for (path, text) in generated().chain(fleets()) {
        for block in blocks(path, text) {
            if block.script.contains(">secrets/") {
                written += 1;
                assert!(block.script.contains("chmod 444 secrets/"), "{}: {}", block.place, block.script);
                assert!(block.script.contains("umask 077"), "{}: {}", block.place, block.script);
            }
        }
    }
    assert!(written > 10, "{written}");
}

/// What a page has somebody write into the project is a secret as a rule, and `git add --all` comes before anybody thinks of it.
#[test]
fn what_the_pages_write_is_never_committed() {
    let redirect = regex::Regex::new(r"[^<>0-9&-]>([A-Za-z][A-Za-z0-9_./-]*)").unwrap();
    for project in projects() {
        let mut written = BTreeSet::new();
        for (path, text) in project.documents() {
            for block in blocks(path, text) {
                written.extend(redirect.captures_iter(&block.script).map(|found| found[1].to_owned()));
            }
        }
        // The list of settings, which everybody is to have.
        written.remove(".env.example");
        assert!(written.iter().any(|file| file.starts_with("secrets/")), "{written:?}");
        let place = common::Place::new();
        place.write(".gitignore", &project.files[".gitignore"]);
        let git = |arguments: &[&str]| {
            std::process::Command::new("git").current_dir(place.root()).args(arguments).output().unwrap()
        };
        assert!(git(&["init", "--quiet"]).status.success());
        for file in written {
            assert!(
                git(&["check-ignore", "--quiet", &file]).status.success(),
                "{file} with the store {}",
                project.store
            );
        }
    }
}

/// curl's own list of options has those of the pages.
#[test]
fn curl_knows_the_options() {
    let Ok(help) = std::process::Command::new("curl").args(["--help", "all"]).output() else {
        eprintln!("skipped: no curl here");
        return;
    };
    let help = outcome(&help);
    let known: BTreeSet<&str> = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')).collect();
    let mut seen = 0;
    for (path, text) in generated() {
        for block in blocks(path, text) {
            for words in commands(&block.script) {
                let Some(at) = words.iter().position(|word| word == "curl" || word == "curlimages/curl") else {
                    continue;
                };
                for option in words[at..].iter().filter(|word| word.starts_with("--")) {
                    seen += 1;
                    assert!(known.contains(option.as_str()), "{}: {option}", block.place);
                }
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// The command `doctor` sends people to the pages of their project: each page is there, and has that heading.
#[test]
fn the_pages_that_doctor_names_are_there() {
    let path = format!("{ROOT}/template/vendor/mcp-server-runtime/src/doctor/runbook.rs");
    let named = fs::read_to_string(path).unwrap();
    let named: Vec<_> = named.split('"').filter(|text| text.starts_with("docs/")).collect();
    assert!(named.len() > 5, "{named:?}");
    for project in projects() {
        for link in &named {
            let (page, anchor) = link.split_once('#').unwrap_or((link, ""));
            let text = project.files.get(page).unwrap_or_else(|| panic!("no {page} with the store {}", project.store));
            // Keys are for PostgreSQL, and doctor speaks of them nowhere else.
            let found = anchor.is_empty()
                || (anchor == "encryption-key-mismatch" && project.store != "postgres")
                || has_heading(text, anchor);
            assert!(found, "{page} has no heading for #{anchor} with the store {}", project.store);
        }
    }
}
