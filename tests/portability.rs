//! A generated project on machines that are set up in another way than its author's: `CDPATH`, line ends of Windows,
//! `.env` as others write it, IPv6, folders with odd names, a workspace around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use common::{Place, listing, outcome};

const SCRIPTS: [&str; 5] =
    ["deploy-to-droplet.sh", "init-mcp-auth-db.sh", "local-dev.sh", "migrate-env-to-postgres.sh", "test.sh"];

fn project() -> Place {
    let place = Place::new();
    place.ok(&["new", "my-server", "--quiet"]);
    place
}

fn git(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "core.hooksPath=/dev/null"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", outcome(&output));
    output
}

#[test]
fn scripts_stay_in_their_project_when_cdpath_is_set() {
    let place = project();
    // What CDPATH finds: a folder `scripts` in another project.
    fs::create_dir_all(place.path("other/scripts")).unwrap();
    fs::create_dir(place.path("bin")).unwrap();
    let cargo = place.path("bin/cargo");
    fs::write(&cargo, "#!/bin/sh\npwd >>\"$CALLED_IN\"\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |script: &str, argument: &str| {
        let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
        Command::new(format!("scripts/{script}"))
            .arg(argument)
            .current_dir(place.path("my-server"))
            .env("CDPATH", place.path("other"))
            .env("PATH", path)
            .env("CALLED_IN", place.path("called-in"))
            .output()
            .unwrap()
    };
    for script in SCRIPTS {
        let output = run(script, "--help");
        assert!(output.status.success() && output.stderr.is_empty(), "{script}: {}", outcome(&output));
        assert!(output.stdout.starts_with(b"usage: "), "{script}: {}", outcome(&output));
    }
    assert!(run("test.sh", "fmt").status.success());
    let called_in = fs::canonicalize(place.read("called-in").trim_end()).unwrap();
    assert_eq!(called_in, fs::canonicalize(place.path("my-server")).unwrap());
}

#[test]
fn no_script_of_this_repository_or_of_the_template_obeys_cdpath() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for folder in ["scripts", "template/scripts", "tests/e2e", ".ci"] {
        for (path, (bytes, _)) in listing(&root.join(folder)) {
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let shell = text.starts_with("#!/usr/bin/env bash") || text.starts_with("# shellcheck shell=bash");
            let Some(cd) = text.find("cd \"").filter(|_| shell) else { continue };
            // What is sourced first has done it already.
            let before = &text[..cd];
            let safe = before.contains("\nunset CDPATH\n") || before.contains("/support.sh\"\n");
            assert!(safe, "{folder}/{path}: `cd` before `unset CDPATH`");
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked} scripts");
}

#[test]
fn a_check_out_with_autocrlf_is_byte_for_byte_what_was_committed() {
    let place = project();
    let made = place.path("my-server");
    git(&made, &["add", "--all"]);
    git(&made, &["commit", "--quiet", "--message", "First"]);
    // What Git for Windows sets by default.
    git(place.root(), &["-c", "core.autocrlf=true", "clone", "--quiet", "my-server", "clone"]);
    let without_git = |folder: &Path| {
        let mut files = listing(folder);
        files.retain(|path, _| !path.starts_with(".git/"));
        files
    };
    let (made, cloned) = (without_git(&made), without_git(&place.path("clone")));
    assert_eq!(made.keys().collect::<Vec<_>>(), cloned.keys().collect::<Vec<_>>());
    for (path, file) in &made {
        assert!(*file == cloned[path], "{path} differs after a check-out with core.autocrlf");
    }
    assert!(made.contains_key(".gitattributes"));
}

#[test]
fn this_repository_pins_its_line_ends_as_well() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(".git").exists() {
        eprintln!("skipped: no git repository here");
        return;
    }
    let paths = ["scripts/test", "build.rs", "template/scripts/test.sh", "tests/snapshots/new__help__help.snap"];
    let said = git(root, &[&["check-attr", "eol", "--"], &paths[..]].concat()).stdout;
    let said = String::from_utf8(said).unwrap();
    assert_eq!(said.matches(": eol: lf\n").count(), paths.len(), "{said}");
    let corpus = git(root, &["check-attr", "text", "--", "fuzz/corpus/claims/seed-0"]).stdout;
    assert!(corpus.ends_with(b": text: unset\n"), "{}", String::from_utf8_lossy(&corpus));
}

/// Writes a program into the folder `bin`, which `with_bin` puts in front of the path.
fn fake(place: &Place, name: &str, script: &str) {
    place.write(&format!("bin/{name}"), format!("#!/usr/bin/env bash\n{script}\n"));
    fs::set_permissions(place.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
}

fn with_bin(place: &Place) -> String {
    format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap())
}

#[test]
fn attack_70_env_files_are_read_as_compose_reads_them_and_only_for_known_names() {
    let place = project();
    let load = |text: &str| {
        place.write("my-server/.env", text);
        let script = "die() { printf 'die: %s\\n' \"$*\" >&2; exit 1; }; source scripts/env.sh; load_env; env -0";
        let mut command = Command::new("bash");
        command.args(["-euc", script]).current_dir(place.path("my-server")).env_clear();
        command.env("PATH", std::env::var("PATH").unwrap()).env("PORT", "1111").output().unwrap()
    };
    let output = load(concat!(
        "\u{feff}MCP_DEV_BEARER_TOKEN=0123456789abcdef0123 # mine\r\n",
        "export CODA_API_TOKEN='single # quoted'\t# and a comment\r\n",
        "# LOG_FORMAT=json\n",
        "MCP_AUTH_ENCRYPTION_KEY=\"-----BEGIN\nsecond line\n-----END\"\n",
        "POSTGRES_PASSWORD_FILE = /run/secrets/password  \n",
        "ALLOWED_HOSTS=a#b\nALLOWED_ORIGINS= # none\nPORT=2222\n",
        "CF_ACCESS_AUD='a$b\\c'\nCOMPOSE_FILE=$HOME/x.yml\n",
        "LD_PRELOAD=/tmp/evil.so\nBASH_ENV=/tmp/evil\nRUSTC_WRAPPER=/tmp/evil\nIMAGE_TAG=7\n",
        "HOST=::1",
    ));
    assert!(output.status.success(), "{}", outcome(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let mut seen: Vec<_> = said.split_terminator('\0').filter(|line| !line.starts_with(['_', 'S'])).collect();
    seen.retain(|line| !line.starts_with("PATH=") && !line.starts_with("PWD=") && !line.starts_with("OLDPWD="));
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            "ALLOWED_HOSTS=a#b",
            "CF_ACCESS_AUD=a$b\\c",
            "CODA_API_TOKEN=single # quoted",
            "HOST=::1",
            "MCP_AUTH_ENCRYPTION_KEY=-----BEGIN\nsecond line\n-----END",
            "MCP_DEV_BEARER_TOKEN=0123456789abcdef0123", // pragma: allowlist secret
            "PORT=1111",
            "POSTGRES_PASSWORD_FILE=/run/secrets/password", // pragma: allowlist secret
        ]
    );
    for (text, line) in [
        ("PORT=1\n-----BEGIN PRIVATE-----\nPRIVATE\n", "line 2 of .env is not NAME=value"),
        ("CODA_API_TOKEN=\"PRIVATE\nPRIVATE", "the quote that opens on line 1 of .env is not closed"),
        ("CODA_API_TOKEN='PRIVATE'PRIVATE\n", "line 1 of .env goes on after the closing quote"),
        ("CODA_API_TOKEN=PRIVATE$PRIVATE\n", "line 1 of .env has a value that compose changes"),
        ("CODA_API_TOKEN=\"$PRIVATE\"\n", "line 1 of .env has a value that compose changes"),
        ("PORT=1\nCODA_API_TOKEN=\"PRIVATE\\nPRIVATE\"\n", "line 2 of .env has a value that compose changes"),
    ] {
        let output = load(text);
        let said = outcome(&output);
        assert!(!output.status.success() && said.contains(line) && !said.contains("PRIVATE"), "{said}");
    }
}

#[test]
fn local_dev_serves_on_ipv6_and_in_a_folder_with_a_quotation_mark() {
    let place = Place::new();
    place.ok(&["new", "my-server", "--path", "a\"b\\c/my-server", "--no-git", "--quiet"]);
    fake(
        &place,
        "cargo",
        r#"path=$(sed 's/["\\]/\\&/g' <<<"$SERVER")
printf '{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"my-server","edition":"2024"},"executable":"%s","fresh":true}\n' "$path""#,
    );
    fake(&place, "curl", r#"printf '%s\n' "${@: -1}" >>"$ASKED""#);
    place.write("a\"b\\c/server", "#!/bin/sh\nsleep 1\n");
    let server = place.path("a\"b\\c/server");
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
    for (host, shown) in [("::1", "[::1]"), ("::", "[::1]"), ("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1")] {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let output = Command::new("scripts/local-dev.sh")
            .current_dir(place.path("a\"b\\c/my-server"))
            .env("PATH", with_bin(&place))
            .env("ASKED", place.path("asked"))
            .env("SERVER", &server)
            .env("HOST", host)
            .env("PORT", port.to_string())
            .env("CODA_API_TOKEN", "x")
            .output()
            .unwrap();
        let said = outcome(&output);
        assert!(said.contains(&format!("http://{shown}:{port}/mcp ")), "{host}: {said}");
        assert!(place.read("asked").ends_with(&format!("http://{shown}:{port}/health\n")), "{host}: {said}");
    }
}

/// The port is free when the build begins, and another server has it when the build is done, which answers as ours would.
#[test]
fn local_dev_does_not_take_another_server_for_its_own() {
    let place = Place::new();
    place.ok(&["new", "my-server", "--example", "blank", "--no-git", "--quiet"]);
    fake(
        &place,
        "cargo",
        r#"touch "$BUILDING"; while [[ ! -e $TAKEN ]]; do sleep 0.05; done
for name in my-server client; do
	printf '{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"%s","edition":"2024"},"executable":"%s","fresh":true}\n' "$name" "$SERVER"
done"#,
    );
    fake(&place, "curl", "exit 0");
    fake(&place, "server", "sleep 1");
    for (arguments, free) in [(&["--demo", "--once"][..], true), (&[], false)] {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (building, taken) = (place.path("building"), place.path("taken"));
        let output = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !building.exists() {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                let other = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
                place.write("taken", "");
                while building.exists() {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                drop(other);
            });
            let output = Command::new("scripts/local-dev.sh")
                .args(arguments)
                .current_dir(place.path("my-server"))
                .env("PATH", with_bin(&place))
                .envs([("BUILDING", &building), ("TAKEN", &taken), ("SERVER", &place.path("bin/server"))])
                .env("PORT", port.to_string())
                .output()
                .unwrap();
            fs::remove_file(&building).unwrap();
            output
        });
        fs::remove_file(taken).unwrap();
        let said = outcome(&output);
        assert!(!said.contains(&format!("is up: http://127.0.0.1:{port}/")), "{said}");
        if free {
            assert!(output.status.success() && said.contains("my-server is up: http://127.0.0.1:"), "{said}");
        } else {
            assert!(said.contains(&format!("port {port} is taken")), "{said}");
        }
    }
    // One that ends after another has answered in its place.
    fake(&place, "server", "exit 2");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = Command::new("scripts/local-dev.sh")
        .current_dir(place.path("my-server"))
        .env("PATH", with_bin(&place))
        .envs([
            ("BUILDING", &place.path("building")),
            ("TAKEN", &place.path("bin")),
            ("SERVER", &place.path("bin/server")),
        ])
        .env("PORT", port.to_string())
        .output()
        .unwrap();
    let said = outcome(&output);
    assert!(!output.status.success() && said.contains("my-server did not come up"), "{said}");
}

#[test]
fn local_dev_refuses_a_port_that_is_none_before_it_compiles() {
    let place = Place::new();
    place.ok(&["new", "my-server", "--no-git", "--quiet"]);
    fake(&place, "cargo", "echo compiling; exit 1");
    let run = |arguments: &[&str], port: &str, edge: &str| {
        let output = Command::new("scripts/local-dev.sh")
            .args(arguments)
            .current_dir(place.path("my-server"))
            .env("PATH", with_bin(&place))
            .envs([("PORT", port), ("ACCESS_PORT", edge), ("CODA_API_TOKEN", "x")])
            .output()
            .unwrap();
        outcome(&output)
    };
    for port in ["99999", "65536", "080", "-1", "abc", "999999999999999999999"] {
        let said = run(&[], port, "8788");
        assert!(said.contains("is not a port number") && !said.contains("compiling"), "{port}: {said}");
        let said = run(&["--demo", "--access"], "8080", port);
        assert!(said.contains("is no port of its own") && !said.contains("compiling"), "{port}: {said}");
    }
}

/// `deploy-to-droplet.sh` to a folder of this machine, up to where the host would begin to work by itself: ssh runs here what it was
/// to run there.
#[test]
fn a_module_of_any_name_is_a_part_of_the_image() {
    let place = Place::new();
    place.ok(&["new", "my-server", "--no-git", "--quiet"]);
    fake(&place, "ssh", r#"case "$*" in -G* | *run.sh*) exit 1 ;; *) exec sh -c "${@: -1}" ;; esac"#);
    fake(
        &place,
        "docker",
        r#"case "$*" in version*) echo docker=linux/amd64 ;; *compose*) echo 2.40.0 ;; *buildx*) ;; *) exit 1 ;; esac"#,
    );
    // There is memory and disk enough wherever this runs.
    fake(
        &place,
        "awk",
        r#"case "$*" in *Mem*) echo memory=9999 ;; *NR*) echo 9999 ;; *) exec /usr/bin/awk "$@" ;; esac"#,
    );
    place.write("known_hosts", "");
    let example = place.read("my-server/.env.example");
    let filled = example.replace("CF_ACCESS_TEAM_DOMAIN=\n", "CF_ACCESS_TEAM_DOMAIN=https://team.example.com\n");
    place.write("my-server/.env.production", filled.replace("CF_ACCESS_AUD=\n", "CF_ACCESS_AUD=0123abcd\n"));
    for secret in ["coda_api_token", "mcp_dev_bearer_token", "tunnel_token"] {
        place.write(&format!("my-server/secrets/{secret}"), "secret\n");
    }
    let run = |more: &[&str]| {
        let output = Command::new("scripts/deploy-to-droplet.sh")
            .args(["--host", "203.0.113.7", "--dir", place.path("host").to_str().unwrap()])
            .args(more)
            .current_dir(place.path("my-server"))
            .env("PATH", with_bin(&place))
            .env("DROPLET_KNOWN_HOSTS", place.path("known_hosts"))
            .output()
            .unwrap();
        outcome(&output)
    };
    let tag = |said: &str| said.split("my-server:").nth(1).unwrap_or_else(|| panic!("{said}"))[..12].to_owned();
    let before = run(&["--dry-run"]);
    place.write("my-server/src/target/mod.rs", "//! What is measured.\n");
    place.write("my-server/vendor/mcp-server-runtime/target/debug/built", "");
    let after = run(&["--dry-run"]);
    assert_ne!(tag(&before), tag(&after), "other sources, another image: {after}");
    let said = run(&[]);
    assert!(said.contains("the order to begin did not reach the host"), "{said}");
    let sent = listing(&place.path("host"));
    let sent: Vec<_> = sent.keys().filter_map(|path| path.split_once("/release/")).map(|(_, path)| path).collect();
    assert!(sent.contains(&"src/target/mod.rs") && sent.contains(&"vendor/mcp-server-runtime/src/lib.rs"), "{sent:?}");
    assert!(!sent.iter().any(|path| path.ends_with("target/debug/built")), "{sent:?}");
}

#[test]
fn a_workspace_that_takes_the_project_in_is_named() {
    let place = Place::new();
    place.write("outer/Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n");
    fs::create_dir(place.path("outer/crates")).unwrap();
    for more in [&["--dry-run"][..], &["--format", "json"]] {
        let output = place.ok(&[&["new", "my-server", "--path", "outer/crates/my-server", "--no-git"], more].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("outer/Cargo.toml") && said.contains("exclude = [\"crates/my-server\"]"), "{said}");
    }
    let beside = place.ok(&["new", "my-server", "--path", "outer/my-server", "--no-git"]);
    assert!(!String::from_utf8(beside.stderr).unwrap().contains("exclude"));
}

#[test]
fn a_folder_may_have_a_name_as_long_as_any_and_no_longer() {
    let place = Place::new();
    let (long, too_long) = ("y".repeat(255), "ä".repeat(128));
    place.ok(&["new", "my-server", "--path", &long, "--no-git", "--quiet"]);
    assert!(place.path(&long).join("Cargo.toml").is_file());
    let output = place.run(&["new", "my-server", "--path", &too_long, "--no-git"]);
    let said = outcome(&output);
    assert!(!output.status.success() && said.contains("choose a shorter one; --path names the folder"), "{said}");
}
