//! The commands on the pages can be typed: programs know every subcommand and flag, compose files have every service and
//! network, scripts have every option, and no secret is in an argument. Held for each project that `mcp-kit new` can
//! render, and for a catalog with servers of every kind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::sync::OnceLock;

use clap::CommandFactory as _;
use common::{Place, outcome};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const STORES: [&str; 3] = ["env", "postgres", "infisical"];
/// `both` deploys as `cloudflare` does.
const MODES: [&str; 2] = ["cloudflare", "bearer"];
/// The pages of a generated project with commands for production.
const PAGES: [&str; 3] = ["docs/OAUTH_SOP.md", "docs/OAUTH_TROUBLESHOOTING.md", "docs/INFISICAL.md"];

/// Those that its owner edits, and that say what to do on a developer's machine as well.
const OWN_PAGES: [&str; 5] = ["README.md", "docs/CLIENTS.md", "docs/DEPLOY.md", "docs/LOGS.md", "docs/TOKENS.md"];

/// A rendered project: the text of its files by path.
struct Project {
    store: &'static str,
    name: &'static str,
    files: BTreeMap<String, String>,
}

impl Project {
    fn new(store: &'static str, mode: &str) -> Self {
        let (place, name) = (Place::new(), "notes");
        place.ok(&["new", name, "--token-store", store, "--auth-mode", mode, "--set", "public_host=notes.example.com"]);
        let text = |(path, (bytes, _)): (String, (Vec<u8>, bool))| Some((path, String::from_utf8(bytes).ok()?));
        let files = common::listing(&place.path(name)).into_iter().filter_map(text).collect();
        Self { store, name, files }
    }

    fn compose(&self) -> &str {
        &self.files["docker-compose.yml"]
    }

    /// The pages and the owner's own, as far as they are there.
    fn documents(&self) -> impl Iterator<Item = (&str, &str)> {
        let paths = PAGES.into_iter().chain(OWN_PAGES);
        paths.filter_map(|path| Some((path, self.files.get(path)?.as_str())))
    }
}

/// One for each store and mode, rendered once for all tests.
fn projects() -> &'static [Project] {
    static PROJECTS: OnceLock<Vec<Project>> = OnceLock::new();
    PROJECTS.get_or_init(|| {
        let modes = |store| MODES.into_iter().map(move |mode| Project::new(store, mode));
        STORES.into_iter().flat_map(modes).collect()
    })
}

/// The one with this store, behind Cloudflare Access.
fn project(store: &str) -> &'static Project {
    projects().iter().find(|project| project.store == store).unwrap()
}

/// The documents of all of them.
fn generated() -> impl Iterator<Item = (&'static str, &'static str)> {
    projects().iter().flat_map(Project::documents)
}

/// The pages of a catalog with nothing in it, which show everything, and of this repository's.
fn fleets() -> impl Iterator<Item = (&'static str, &'static str)> {
    static PAGES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    PAGES.get_or_init(fleet_pages).iter().map(|(path, text)| (path.as_str(), text.as_str()))
}

fn fleet_pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for catalog in [String::new(), fs::read_to_string(format!("{ROOT}/catalog.yaml")).unwrap()] {
        let place = Place::new();
        fs::write(place.path("catalog.yaml"), catalog).unwrap();
        place.ok(&["docs", "build"]);
        let built = common::listing(place.root()).into_iter().filter(|(path, _)| path.ends_with(".md"));
        pages.extend(built.map(|(path, (bytes, _))| (path, String::from_utf8(bytes).unwrap())));
    }
    pages
}

/// A block of shell, the heading of level two above it, and where it is.
struct Block {
    heading: String,
    script: String,
    place: String,
}

fn blocks(path: &str, text: &str) -> Vec<Block> {
    let (mut blocks, mut heading, mut open) = (Vec::new(), String::new(), None::<(usize, String)>);
    for (at, line) in text.lines().enumerate() {
        match &mut open {
            Some((start, script)) if line.trim() == "```" => {
                let place = format!("{path}:{start}");
                blocks.push(Block { heading: heading.clone(), script: std::mem::take(script), place });
                open = None;
            }
            Some((_, script)) => writeln!(script, "{line}").unwrap(),
            None if line.trim() == "```sh" => open = Some((at + 2, String::new())),
            None => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut heading);
                }
            }
        }
    }
    assert!(open.is_none(), "{path}: a block has no end");
    blocks
}

/// The simple commands of a script, each with its words as they are written, quotation marks taken away. Assignments in
/// front and redirections are left out. Enough of the shell's grammar (POSIX, XCU 2.3) for the pages.
fn commands(script: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
    let mut characters = script.chars().peekable();
    let mut skip_next = false;
    let end_word = |word: &mut Option<String>, words: &mut Vec<String>, skip: &mut bool| {
        let Some(text) = word.take() else { return };
        let assigned = words.is_empty()
            && text
                .split_once('=')
                .is_some_and(|(name, _)| name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()));
        if !std::mem::take(skip) && !assigned {
            words.push(text);
        }
    };
    while let Some(c) = characters.next() {
        match c {
            '\'' => {
                let quoted: String = characters.by_ref().take_while(|c| *c != '\'').collect();
                word.get_or_insert_default().push_str(&quoted);
            }
            '"' => {
                let quoted: String = characters.by_ref().take_while(|c| *c != '"').collect();
                word.get_or_insert_default().push_str(&quoted);
            }
            '\\' => {
                if characters.peek() == Some(&'\n') {
                    characters.next();
                } else {
                    word.get_or_insert_default().extend(characters.next());
                }
            }
            '$' if characters.peek() == Some(&'(') => {
                // Another command, whose words are a word of this one; it is looked at by itself.
                characters.next();
                let inner: String = characters.by_ref().take_while(|c| *c != ')').collect();
                commands.extend(self::commands(&inner));
                word.get_or_insert_default().push_str(&format!("$({inner})"));
            }
            '#' if word.is_none() => while characters.next_if(|c| *c != '\n').is_some() {},
            '<' | '>' => {
                // A digit in front names a descriptor.
                if word.as_deref().is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit())) {
                    word = None;
                }
                end_word(&mut word, &mut words, &mut skip_next);
                while characters.next_if(|c| "<>&".contains(*c)).is_some() {}
                skip_next = true;
            }
            ' ' | '\t' => end_word(&mut word, &mut words, &mut skip_next),
            '\n' | ';' | '|' | '&' | '(' | ')' => {
                end_word(&mut word, &mut words, &mut skip_next);
                commands.push(std::mem::take(&mut words));
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    end_word(&mut word, &mut words, &mut skip_next);
    commands.push(words);
    commands.retain(|words| !words.is_empty());
    commands
}

#[test]
fn the_shell_is_understood() {
    let script = "A=1 b --c 'd e' \"f\" <g 2>&1 | h # i\n(j && k \\\n  l) >m; n $(o p)\n";
    let expected: [&[&str]; 6] =
        [&["b", "--c", "d e", "f"], &["h"], &["j"], &["k", "l"], &["o", "p"], &["n", "$(o p)"]];
    assert_eq!(commands(script), expected);
}

/// The command line of a generated server.
fn server() -> clap::Command {
    mcp_server_runtime::command_line("server", "1")
}

/// What clap says to these words; help and version are no mistakes. Options are looked up as well, because commands that
/// may be given a secret by accident accept any word and refuse it later, without repeating it.
fn mistake(command: clap::Command, words: &[String]) -> Option<String> {
    let parsed = command.clone().no_binary_name(true).try_get_matches_from(words);
    if let Some(error) = parsed.err().filter(clap::Error::use_stderr) {
        return Some(error.to_string());
    }
    let (mut leaf, mut known) = (&command, vec!["--help".to_owned(), "--version".to_owned()]);
    for word in words {
        known.extend(leaf.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))));
        leaf = leaf.find_subcommand(word).unwrap_or(leaf);
    }
    known.extend(leaf.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))));
    let option = words.iter().find(|word| word.starts_with("--") && !known.iter().any(|known| *known == **word))?;
    Some(format!("there is no {option}"))
}

/// The names of a mapping of a compose file.
fn names_in(compose: &str, section: &str) -> BTreeSet<String> {
    let head = format!("\n{section}:\n");
    let (_, rest) = compose.split_once(&head).unwrap_or_else(|| panic!("no {section} in the compose file"));
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let name = |line: &str| {
        let (name, _) = line.strip_prefix("  ")?.split_once(':')?;
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)).then(|| name.to_owned())
    };
    lines.filter_map(name).collect()
}

/// What is wrong with the words of a command on a page that calls its server `name`, in this project.
fn wrong(words: &[String], name: &str, project: &Project) -> Option<String> {
    let (program, compose) = (words[0].as_str(), project.compose());
    let installed = format!("/usr/local/bin/{name}");
    if let Some(at) = words.iter().position(|word| *word == installed).or_else(|| (program == name).then_some(0)) {
        let around = || (at > 0).then(|| wrong(&words[..at], name, project)).flatten();
        return mistake(server(), &words[at + 1..]).or_else(around);
    }
    match program {
        "mcp-kit" => mistake(mcp_kit::cli::Cli::command(), &words[1..]),
        "docker" if words.get(1).is_some_and(|word| word == "compose") => {
            let services = names_in(compose, "services");
            let (verb, rest) = (words.get(2)?.as_str(), &words[3..]);
            let named: Vec<&String> = match verb {
                // One service, and then the command inside.
                "exec" | "run" => rest.iter().find(|word| !word.starts_with('-')).into_iter().collect(),
                "logs" | "restart" | "stop" | "up" | "build" => {
                    let number = |word: &&String| word.bytes().all(|b| b.is_ascii_digit());
                    rest.iter().filter(|word| !word.starts_with('-') && !number(word)).collect()
                }
                "ps" | "down" => Vec::new(),
                other => return Some(format!("docker compose {other} is not known to this test")),
            };
            let unknown = named.into_iter().find(|service| !services.contains(*service))?;
            Some(format!("the compose file has no service {unknown}"))
        }
        "docker" => {
            let networks = names_in(compose, "networks");
            if let Some(at) = words.iter().position(|word| word == "--network") {
                let network = words[at + 1].strip_prefix(&format!("{name}_"));
                if !network.is_some_and(|network| networks.contains(network)) {
                    return Some(format!("the compose file has no network {}", words[at + 1]));
                }
            }
            let container = |word: &&String| word.starts_with(&format!("{name}-")) && word.ends_with("-1");
            let container = words.iter().find(container)?;
            let service = container.strip_prefix(&format!("{name}-"))?.strip_suffix("-1")?;
            (!names_in(compose, "services").contains(service)).then(|| format!("no container {container}"))
        }
        "ssh" => wrong(words.get(2..).filter(|words| !words.is_empty())?, name, project),
        "kubectl" => wrong_in_cluster(&words[1..], name, project),
        path if path.starts_with("scripts/") => {
            let Some(text) = project.files.get(path) else { return Some("there is no such script".to_owned()) };
            let unknown = |word: &&String| word.starts_with("--") && !text.contains(word.as_str());
            words.iter().find(unknown).map(|word| format!("the script has no {word}"))
        }
        _ => None,
    }
}

/// Options of kubectl that the pages use, and whether a value comes after them.
const KUBECTL: &[(&str, bool)] = &[
    ("--namespace", true),
    ("--stdin", false),
    ("--tail", true),
    ("--previous", false),
    ("--selector", true),
    ("--ignore-not-found", false),
    ("--from-file", true),
    ("--dry-run=client", false),
    ("--output", true),
    ("--kustomize", true),
    ("--filename", true),
];

/// What is wrong with the words after `kubectl`: options, the namespace, resources and files.
fn wrong_in_cluster(words: &[String], name: &str, project: &Project) -> Option<String> {
    let manifests: String =
        project.files.iter().filter(|(path, _)| path.starts_with("deploy/")).map(|(_, text)| text.as_str()).collect();
    let has = |kind: &str, resource: &str| {
        let resource = if resource == name { project.name } else { resource };
        let lines = [format!("\nkind: {kind}\n"), format!("\nmetadata:\n  name: {resource}\n")];
        manifests.split("\n---").any(|manifest| lines.iter().all(|line| manifest.contains(line)))
    };
    let (mut plain, mut words) = (Vec::new(), words.iter());
    while let Some(word) = words.next() {
        let Some((_, takes)) = KUBECTL.iter().find(|(option, _)| *option == word.as_str()) else {
            if word.starts_with('-') && word != "--" {
                return Some(format!("kubectl's {word} is not known to this test"));
            }
            plain.push(word.as_str());
            continue;
        };
        let value = if *takes { words.next()?.as_str() } else { "" };
        let there = match word.as_str() {
            "--namespace" => value == name,
            "--kustomize" => project.files.contains_key(&format!("{value}/kustomization.yaml")),
            "--filename" => value == "-" || project.files.contains_key(value),
            "--from-file" => value.strip_prefix("secrets/").is_some_and(|secret| project.compose().contains(secret)),
            "--selector" => manifests.contains(&value.replace('=', ": ").replace(name, project.name)),
            _ => true,
        };
        if !there {
            return Some(format!("the project has no {value} for {word}"));
        }
    }
    let known = match plain.as_slice() {
        ["exec" | "logs", rest, ..] | ["rollout", "undo" | "status" | "restart", rest] | ["port-forward", rest, _] => {
            rest.split_once('/').is_some_and(|(kind, resource)| match kind {
                "deployment" => has("Deployment", resource),
                "job" => has("Job", resource),
                _ => false,
            })
        }
        ["get" | "describe", "pods"] | ["apply"] => true,
        ["describe", "networkpolicy", resource] => has("NetworkPolicy", resource),
        ["delete", "job", resource] => has("Job", resource),
        // Named by the pods that mount them.
        ["create", "secret", "generic", resource] => *resource == name || manifests.contains(&format!(" {resource}\n")),
        _ => false,
    };
    (!known).then(|| format!("kubectl {} is not known to this test", plain.join(" ")))
}

/// Names of variables that are not settings of the server.
const OTHER_VARIABLES: &[&str] = &["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET", "SSL_CERT_FILE", "RUST_LOG"];

/// What is wrong with code in a sentence: a variable, a secret, a path, a script or a command that the project does not have.
fn wrong_inline(code: &str, name: &str, project: &Project) -> Option<String> {
    let settings = mcp_kit::docs::reference::settings();
    for word in code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let upper = word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let variable =
            upper && word.contains('_') && word.starts_with(|c: char| c.is_ascii_uppercase()) && !code.contains(".md");
        let known = |word: &str| settings.iter().any(|setting| setting.name == word);
        let begins = |word: &str| settings.iter().any(|setting| setting.name.starts_with(word));
        if variable
            && !known(word)
            && !word.strip_suffix("_FILE").is_some_and(known)
            && !(word.ends_with('_') && begins(word))
            && !OTHER_VARIABLES.contains(&word)
            && !word.starts_with("NAME_")
        {
            return Some(format!("there is no variable {word}"));
        }
    }
    let first = code.split([' ', '#']).next().unwrap_or_default();
    if let Some(secret) = first.strip_prefix("secrets/").filter(|secret| !secret.is_empty())
        && !STORES.iter().any(|store| self::project(store).compose().contains(secret))
    {
        return Some(format!("no compose file has the secret {secret}"));
    }
    let folder = ["deploy/", "docs/", "scripts/", "src/", "tests/"].iter().any(|folder| first.starts_with(folder));
    if folder && !project.files.keys().any(|path| path == first || path.starts_with(first)) {
        return Some(format!("the project has no {first}"));
    }
    let words: Vec<String> = code.split_whitespace().map(str::to_owned).collect();
    let complete = !code.contains('…') && words.len() > 1;
    match first {
        "docker" | "kubectl" if complete => wrong(&commands(code)[0], name, project),
        _ if first.starts_with("scripts/") && complete => wrong(&commands(code)[0], name, project),
        "mcp-kit" if complete => mistake_in_a_sentence(mcp_kit::cli::Cli::command(), &words[1..]),
        "tokens" | "db" | "migrate-env" | "doctor" if complete => mistake_in_a_sentence(server(), &words),
        _ => None,
    }
}

/// The same as [`mistake`] for a command that a sentence names without all that it takes.
fn mistake_in_a_sentence(command: clap::Command, words: &[String]) -> Option<String> {
    use clap::error::{ContextKind, ErrorKind};
    let parsed = command.clone().no_binary_name(true).try_get_matches_from(words).err();
    match parsed {
        Some(error) if matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand) => {
            None
        }
        // A flag without its value.
        Some(error)
            if error.kind() == ErrorKind::InvalidValue
                && error.get(ContextKind::InvalidValue).is_some_and(|value| value.to_string().is_empty()) =>
        {
            None
        }
        _ => mistake(command, words),
    }
}

/// The code in the sentences of a page, with the line it is in.
fn inline(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut fenced) = (Vec::new(), false);
    for (at, line) in text.lines().enumerate() {
        fenced ^= line.starts_with("```");
        if !fenced && !line.starts_with("```") {
            found.extend(line.split('`').skip(1).step_by(2).map(|code| (at + 1, code)));
        }
    }
    found
}

#[test]
fn code_in_sentences_names_what_there_is() {
    let (mut problems, mut checked) = (String::new(), 0);
    let pages =
        projects().iter().flat_map(|project| project.documents().map(move |(path, text)| (project, path, text)));
    for (project, path, text) in pages.filter(|(_, path, _)| PAGES.contains(path)) {
        for (line, code) in inline(text) {
            checked += 1;
            // A page tells the one store how it becomes the other.
            let project = if path.ends_with("SOP.md") { self::project("postgres") } else { project };
            if let Some(what) = wrong_inline(code, "notes", project) {
                let _ = writeln!(problems, "{path}:{line} ({}): `{code}`: {what}", project.store);
            }
        }
    }
    for (path, text) in fleets() {
        for (line, code) in inline(text) {
            if let Some(what) = wrong_inline(code, "my-server", project("postgres")) {
                let _ = writeln!(problems, "{path}:{line}: `{code}`: {what}");
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
    assert!(checked > 1000, "{checked}");
    for code in [
        "MCP_TOKEN_STORE",
        "secrets/coda_token",
        "scripts/rollback.sh",
        "docs/RUNBOOK.md",
        "tokens remove X",
        "docker compose restart web",
    ] {
        assert!(wrong_inline(code, "notes", project("postgres")).is_some(), "{code}");
    }
}

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

/// A word that puts a secret where every process can read it.
fn secret_in(words: &[String]) -> Option<&String> {
    let lower = |word: &String| word.to_ascii_lowercase();
    let expands = |word: &String| {
        word.contains('$') && ["token", "secret", "password", "_key"].iter().any(|part| lower(word).contains(part))
    };
    let header = |word: &String| {
        ["authorization:", "cf-access-client-", "cf-access-jwt"].iter().any(|name| lower(word).starts_with(name))
    };
    let reads = |word: &String| word.contains("$(") && (word.contains("secrets/") || word.contains(".env"));
    words.iter().skip(1).find(|word| expands(word) || header(word) || reads(word))
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
