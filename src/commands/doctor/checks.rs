//! The checks, in the order in which somebody needs the things.

use super::{MachineCheck, MachineStatus};
use crate::fs::program::{ProgramOutcome, is_free, run};

/// The Rust that the crates of a project need; `rust-version` of its Cargo.toml.
const RUST: (u64, u64, u64) = (1, 94, 0);
/// `env_file` with `required: false`, and `configs` with `content`.
const COMPOSE: (u64, u64, u64) = (2, 24, 0);
/// `git init --initial-branch`.
const GIT: (u64, u64, u64) = (2, 28, 0);

/// A program that is looked for.
struct Wanted {
    name: &'static str,
    /// The commands to run, one after the other until one is installed.
    commands: &'static [&'static [&'static str]],
    least: Option<(u64, u64, u64)>,
    is_needed: bool,
    purpose: &'static str,
    fix: &'static str,
}

const WANTED: &[Wanted] = &[
    Wanted {
        name: "rustc",
        commands: &[&["rustc", "--version"]],
        least: Some(RUST),
        is_needed: true,
        purpose: "building a server",
        fix: "https://rustup.rs, or: rustup update stable",
    },
    Wanted {
        name: "cargo",
        commands: &[&["cargo", "--version"]],
        least: Some(RUST),
        is_needed: true,
        purpose: "building a server and running its tests",
        fix: "https://rustup.rs, or: rustup update stable",
    },
    Wanted {
        name: "C compiler",
        commands: &[&["cc", "--version"], &["gcc", "--version"], &["clang", "--version"]],
        least: None,
        is_needed: true,
        purpose: "building a server: its allocator and its cryptography are C",
        fix: "the package gcc of your system, or the command line tools of Xcode",
    },
    Wanted {
        name: "curl",
        commands: &[&["curl", "--version"]],
        least: None,
        is_needed: true,
        purpose: "the scripts of a project, such as scripts/local-dev.sh",
        fix: "the package curl of your system",
    },
    Wanted {
        name: "git",
        commands: &[&["git", "--version"]],
        least: Some(GIT),
        is_needed: false,
        purpose: "a repository for a new project, and audit-docs --since",
        fix: "the package git of your system",
    },
    Wanted {
        name: "rustfmt",
        commands: &[&["rustfmt", "--version"]],
        least: None,
        is_needed: false,
        purpose: "formatted code from mcp-kit add",
        fix: "rustup component add rustfmt",
    },
    Wanted {
        name: "clippy",
        commands: &[&["cargo-clippy", "--version"]],
        least: None,
        is_needed: false,
        purpose: "scripts/test.sh of a project",
        fix: "rustup component add clippy",
    },
    Wanted {
        name: "docker engine",
        commands: &[&["docker", "version", "--format", "{{.Server.Version}}"]],
        least: None,
        is_needed: false,
        purpose: "the container image, and deployment with compose",
        fix: "https://docs.docker.com/engine/install; is it running, and may you use it? docker version says so",
    },
    Wanted {
        name: "docker compose",
        commands: &[&["docker", "compose", "version", "--short"]],
        least: Some(COMPOSE),
        is_needed: false,
        purpose: "docker-compose.yml of a project",
        fix: "https://docs.docker.com/compose/install",
    },
    Wanted {
        name: "cloudflared",
        commands: &[&["cloudflared", "--version"]],
        least: None,
        is_needed: false,
        purpose: "a tunnel from your machine; compose and Kubernetes bring their own",
        fix: "https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/downloads/",
    },
];

/// Runs all checks.
pub(super) fn all(ports: &[u16]) -> Vec<MachineCheck> {
    let programs = WANTED.iter().map(program);
    let ports = ports.iter().map(|port| {
        let is_free = is_free(*port);
        MachineCheck {
            name: "port",
            status: if is_free { MachineStatus::Ok } else { MachineStatus::Warn },
            found: format!("{port} is {}", if is_free { "free" } else { "taken by another program" }),
            purpose: "the server on your machine",
            fix: (!is_free).then(|| {
                format!("end that program, or set PORT in .env to another; ss -ltnp 'sport = :{port}' says which")
            }),
        }
    });
    programs.chain(ports).collect()
}

fn program(wanted: &Wanted) -> MachineCheck {
    let outcomes = wanted.commands.iter().filter_map(|command| {
        let (program, arguments) = command.split_first()?;
        Some(run(program, arguments))
    });
    let outcome = outcomes.reduce(|best, next| if matches!(best, ProgramOutcome::Printed(_)) { best } else { next });
    let missing = if wanted.is_needed { MachineStatus::Fail } else { MachineStatus::Warn };
    let (status, found) = match outcome.unwrap_or(ProgramOutcome::Missing) {
        ProgramOutcome::Missing => (missing, "not installed".to_owned()),
        ProgramOutcome::Failed => (missing, "does not answer".to_owned()),
        ProgramOutcome::Printed(text) => {
            let line: String =
                text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect();
            match (wanted.least, version(&line)) {
                (Some(least), Some(found)) if found < least => {
                    let (major, minor, _) = least;
                    (missing, format!("{line} is too old: {major}.{minor} is the least"))
                }
                _ => (MachineStatus::Ok, line),
            }
        }
    };
    let fix = (status != MachineStatus::Ok).then(|| wanted.fix.to_owned());
    MachineCheck { name: wanted.name, status, found, purpose: wanted.purpose, fix }
}

/// Returns the first version of a text.
fn version(text: &str) -> Option<(u64, u64, u64)> {
    text.split(|c: char| c.is_whitespace() || c == 'v').find_map(|word| {
        let mut parts = word
            .split('.')
            .map(|part| part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().ok());
        Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_every_form() {
        for (text, expected) in [
            ("rustc 1.94.1 (abc 2026-01-01)", Some((1, 94, 1))),
            ("git version 2.39.5 (Apple Git-154)", Some((2, 39, 5))),
            ("v2.24.0-desktop.1", Some((2, 24, 0))),
            ("27.5", Some((27, 5, 0))),
            ("gcc (Debian 14.2.0-19) 14.2.0", Some((14, 2, 0))),
            ("no version", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }
}
