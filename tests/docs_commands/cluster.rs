//! What is wrong with a command of kubectl: the manifests do not have what it names.

use crate::projects::Project;

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
pub(crate) fn wrong_in_cluster(words: &[String], name: &str, project: &Project) -> Option<String> {
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
        ["create", "configmap", resource] => manifests.contains(&format!(" {resource}\n")),
        _ => false,
    };
    (!known).then(|| format!("kubectl {} is not known to this test", plain.join(" ")))
}
