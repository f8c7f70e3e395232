//! What is wrong with a command: the program, the compose file or the scripts do not have what it names.

use std::collections::BTreeSet;

use clap::CommandFactory as _;

use crate::cluster::wrong_in_cluster;
use crate::projects::Project;

/// The command line of a generated server.
pub(crate) fn server() -> clap::Command {
    mcp_server_runtime::command_line("server", "1")
}

/// What clap says to these words; help and version are no mistakes. Options are looked up as well, because commands that
/// may be given a secret by accident accept any word and refuse it later, without repeating it.
pub(crate) fn mistake(command: clap::Command, words: &[String]) -> Option<String> {
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
pub(crate) fn names_in(compose: &str, section: &str) -> BTreeSet<String> {
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
pub(crate) fn wrong(words: &[String], name: &str, project: &Project) -> Option<String> {
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
                "logs" | "restart" | "start" | "stop" | "up" | "build" => {
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
