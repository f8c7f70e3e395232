//! The template in the binary is the template in the repository, for us and for plain `cargo generate`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::{Place, listing, mcp_kit, outcome};
use mcp_kit::scaffold::origin;
use mcp_kit::scaffold::template::Template;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn every_file_is_embedded_and_none_that_git_ignores() {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "template"])
        .current_dir(ROOT)
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: no git repository here");
        return;
    };
    let known: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .split_terminator('\0')
        .map(|path| path.trim_start_matches("template/").to_owned())
        .filter(|path| Path::new(ROOT).join("template").join(path).exists())
        .filter(|path| !is_unshipped(path))
        .collect();
    let embedded: BTreeSet<String> = Template::embedded().unwrap().files.into_keys().collect();
    let missing: Vec<_> = known.difference(&embedded).collect();
    let ignored: Vec<_> = embedded.difference(&known).collect();
    assert!(missing.is_empty() && ignored.is_empty(), "not embedded: {missing:?}\nignored by git: {ignored:?}");
}

/// Tests and benches of the libraries stay in this repository.
fn is_unshipped(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(parts[..], ["vendor", _, "tests" | "benches" | "examples", ..])
}

#[test]
fn libraries_come_without_their_tests_and_benches() {
    let embedded = Template::embedded().unwrap();
    assert!(embedded.files.contains_key("vendor/mcp-auth-middleware/src/lib.rs"));
    let unshipped: Vec<_> = embedded.files.keys().filter(|path| is_unshipped(path)).collect();
    assert!(unshipped.is_empty(), "{unshipped:?}");
}

/// `catalog verify` compares what servers say of their template with what this program has.
#[test]
fn servers_say_the_version_of_their_template() {
    let template = Template::embedded().unwrap();
    let library = String::from_utf8(template.files["vendor/mcp-server-runtime/src/lib.rs"].bytes.to_vec()).unwrap();
    let wanted = format!("const TEMPLATE_VERSION: &str = \"{}\";", template.version().unwrap());
    assert!(library.contains(&wanted), "vendor/mcp-server-runtime/src/lib.rs has no {wanted}");
}

#[test]
fn contents_and_executable_bits_are_those_of_the_folder() {
    let folder = listing(&Path::new(ROOT).join("template"));
    for (path, file) in Template::embedded().unwrap().files {
        let (bytes, executable) = &folder[&path];
        assert!(*bytes == *file.bytes, "{path}");
        assert_eq!(*executable, file.executable, "{path}");
    }
}

#[test]
fn plain_cargo_generate_makes_the_same_project() {
    compare_with_cargo_generate(None);
}

#[test]
fn plain_cargo_generate_makes_the_same_project_with_libraries_of_the_registry() {
    compare_with_cargo_generate(Some("libraries=registry"));
}

/// A project is read in an hour: what its owner inherits besides the libraries, which nobody edits, has an end.
#[test]
fn an_owner_inherits_little() {
    for (example, store, rust) in [("coda", "env", 1500), ("coda", "postgres", 1500), ("blank", "postgres", 700)] {
        let place = Place::new();
        place.ok(&["new", "my-server", "--no-git", "--example", example, "--token-store", store]);
        let mut files = listing(&place.path("my-server"));
        files.retain(|path, _| !path.starts_with("vendor/") && !path.starts_with(".mcp-kit/"));
        let lines = |path: &str| files[path].0.split(|byte| *byte == b'\n').count() - 1;
        let sources: usize = files.keys().filter(|path| path.ends_with(".rs")).map(|path| lines(path)).sum();
        let project = format!("{example} with {store}");
        assert!(files.len() <= 60, "{project}: {} files", files.len());
        assert!(sources > 100 && sources <= rust, "{project}: {sources} lines of Rust");
        assert!(lines("README.md") <= 150 && lines("src/main.rs") <= 40, "{project}");
    }
}

/// What is tested is what is deployed.
#[test]
fn the_image_has_the_compiler_of_the_tests() {
    let files = Template::embedded().unwrap().files;
    let text = |path: &str| String::from_utf8(files[path].bytes.to_vec()).unwrap();
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain.split("channel = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let (minor, _) = channel.rsplit_once('.').unwrap();
    assert!(text("Dockerfile").contains(&format!("\nFROM rust:{minor}-slim-")), "rust-toolchain.toml has {channel}");
}

/// The Access emulator lets everybody in. It is a part of what two places build, both for a developer's machine, and of nothing else.
#[test]
fn no_image_for_production_has_the_access_emulator() {
    let files = Template::embedded().unwrap().files;
    let text = |path: &str| String::from_utf8(files[path].bytes.to_vec()).unwrap();
    // How often each file of an owner names it; pages may.
    let naming = |wanted: &str| -> Vec<String> {
        let count = |bytes: &[u8]| String::from_utf8_lossy(bytes).matches(wanted).count();
        let owned = files.iter().filter(|(path, _)| !path.starts_with("vendor/") && !path.ends_with(".md"));
        owned
            .map(|(path, file)| (path, count(&file.bytes)))
            .filter(|(_, n)| *n > 0)
            .map(|(path, n)| format!("{n} {path}"))
            .collect()
    };
    assert_eq!(naming("mcp-server-runtime/access-emulator"), ["1 docker-compose.yml", "1 scripts/local-dev.sh"]);
    assert_eq!(naming("FEATURES"), ["5 Dockerfile", "1 docker-compose.yml"]);
    assert!(text("Dockerfile").contains("ARG FEATURES=\"\"\n"), "without a word, an image has no emulator");
    // In compose it is the image of the services with the profile `access`, and the server has another one.
    let compose = text("docker-compose.yml");
    let (server, rest) = compose.split_once("\n  access:\n").unwrap();
    assert!(!server.contains("access-emulator") && rest.matches("profiles: [access]").count() == 2);
    assert!(rest.contains("127.0.0.1:8788:8788") && rest.matches("ports:").count() == 1, "published on loopback alone");
    let manifest: toml::Table = text("vendor/mcp-server-runtime/Cargo.toml").parse().unwrap();
    assert_eq!(manifest["features"]["default"].as_array().unwrap(), &[toml::Value::from("telemetry")]);
}

fn compare_with_cargo_generate(answer: Option<&str>) {
    let place = Place::new();
    // Built with the tests, next to them: target/debug/deps/embedded-… and target/debug/examples/bare_generate.
    let bare = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples").join("bare_generate");
    assert!(bare.is_file(), "run `cargo test` without --test, or `cargo build --example bare_generate` first");
    std::fs::create_dir(place.path("plain")).unwrap();
    let output = Command::new(bare)
        .args([&format!("{ROOT}/template"), "my-server", &place.path("plain").display().to_string()])
        .args(answer)
        .env("USER", "user")
        .env("CARGO_HOME", place.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", outcome(&output));
    let set: Vec<&str> = answer.into_iter().flat_map(|answer| ["--set", answer]).collect();
    place.ok(&[&["new", "my-server", "--no-git"][..], &set].concat());
    // What comes after rendering: the documents of its catalog, which `mcp-kit docs build` makes in the other project as well.
    let build = mcp_kit(&place).args(["docs", "build", "--catalog", "plain/my-server/catalog.yaml"]).output().unwrap();
    assert!(outcome(&build).ends_with(" pages written\nexit 0\n"), "{}", outcome(&build));
    let plain = listing(&place.path("plain/my-server"));
    let mut ours = listing(&place.path("my-server"));
    ours.retain(|path, _| !path.starts_with(".mcp-kit/"));
    for (path, (bytes, executable)) in &ours {
        let (plain_bytes, plain_executable) = plain.get(path).unwrap_or_else(|| panic!("{path} only in ours"));
        assert_eq!(executable, plain_executable, "{path}");
        // Ours is in cargo's order, and has the address of mcp-kit where this build knows it.
        let filled = || origin::fill_in(&String::from_utf8_lossy(plain_bytes), origin::THIS_BUILD).into_bytes();
        let same = bytes == plain_bytes || origin::WORKFLOWS.contains(&path.as_str()) && *bytes == filled();
        assert!(path == "Cargo.lock" || same, "{path}");
    }
    assert_eq!(plain.len(), ours.len());
}
