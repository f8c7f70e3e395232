//! What the tests of the commands share: a folder for each, and the binary run inside it in a known environment.
// Each test file uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

/// A template with a bit of everything.
pub const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/template-small");

/// A folder to work in, and another for temporary files that must be empty in the end.
pub struct Place {
    root: TempDir,
    temporary: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), temporary: tempfile::tempdir().unwrap() }
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Writes a file, and the folders that it needs.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        mcp_kit(self).args(arguments).output().unwrap()
    }

    pub fn ok(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", outcome(&output));
        output
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.ok(arguments).stdout).unwrap()
    }

    /// Exit status and all that a person sees of a command, without what differs from run to run: the time, and where this folder is.
    pub fn see(&self, arguments: &[&str]) -> String {
        self.normalized(&outcome(&self.run(arguments)))
    }

    /// What `audit-docs` shows.
    pub fn audit(&self, arguments: &[&str]) -> String {
        self.see(&[&["audit-docs"], arguments].concat())
    }

    /// What `audit-docs --fix --dry-run` shows: a diff, and how much it would be.
    pub fn fixes(&self, arguments: &[&str]) -> String {
        self.audit(&[&["--fix", "--dry-run"], arguments].concat())
    }

    /// The JSON report of `audit-docs`, whatever its exit status.
    pub fn report(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["audit-docs", "--format", "json"], arguments].concat());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", outcome(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome(&output)))
    }

    /// Output without what differs from run to run.
    pub fn normalized(&self, text: &str) -> String {
        let time = Regex::new(r" in (\d+ ms|\d+\.\d+ s)\b").unwrap().replace_all(text, " in [TIME]").into_owned();
        let real = self.root().canonicalize().unwrap();
        let folders = [(self.temporary.path(), "[TMP]"), (real.as_path(), "[ROOT]"), (self.root(), "[ROOT]")];
        folders.into_iter().fold(time, |text, (folder, name)| text.replace(folder.to_str().unwrap(), name))
    }

    pub fn is_empty_but(&self, names: &[&str]) -> bool {
        let mut there: Vec<_> =
            fs::read_dir(self.root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        there.retain(|name| !names.contains(&name.as_str()));
        there.is_empty()
    }

    /// No temporary file was left.
    pub fn clean(&self) {
        let left: Vec<_> = fs::read_dir(self.temporary.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    pub fn copy_small(&self, to: &str) {
        for (path, (bytes, executable)) in listing(Path::new(SMALL)) {
            let path = self.path(to).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 })).unwrap();
        }
    }
}

/// A folder with these files.
pub fn tree(files: &[(&str, &str)]) -> Place {
    let place = Place::new();
    files.iter().for_each(|(path, text)| place.write(path, text));
    place
}

/// A line for each finding of a report: `PATH:LINE CODE`, and the target where there is one.
pub fn findings(report: &Value) -> Vec<String> {
    let line = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default();
        format!("{}:{} {} {}", text("path"), finding["line"], text("code"), text("target")).trim_end().to_owned()
    };
    report["findings"].as_array().unwrap().iter().map(line).collect()
}

/// The same without targets.
pub fn codes(report: &Value) -> Vec<String> {
    let code = |line: String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    findings(report).into_iter().map(code).collect()
}

/// git, in a place, as nobody in particular.
pub fn git(place: &Place, arguments: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let done = Command::new("git").current_dir(place.root()).args(identity).args(arguments).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// A tree in a repository, with everything committed.
pub fn committed(files: &[(&str, &str)]) -> Place {
    let place = tree(files);
    git(&place, &["init", "--quiet"]);
    git(&place, &["add", "--all"]);
    git(&place, &["commit", "--quiet", "--message", "all"]);
    place
}

/// The binary, with an environment that does not depend on who runs the tests.
pub fn mcp_kit(place: &Place) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-kit"));
    command.current_dir(place.root());
    command.env("TMPDIR", place.temporary.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
    // 2026-03-01: a test that runs at midnight sees one day.
    command.env("SOURCE_DATE_EPOCH", "1772323200");
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("GIT_") || name.starts_with("CARGO_GENERATE") {
            command.env_remove(&variable);
        }
    }
    command
}

/// cargo, as somebody would call it in the new project.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
        if variable != "CARGO_HOME" {
            command.env_remove(variable);
        }
    }
    // What this repository's own build is called with.
    for variable in ["RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "RUSTDOC", "CLIPPY_ARGS"] {
        command.env_remove(variable);
    }
    command
}

/// Exit status and everything that was said.
pub fn outcome(output: &Output) -> String {
    let status = output.status.code().map_or_else(|| output.status.to_string(), |code| format!("exit {code}"));
    format!("{}{}{status}\n", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The status that a command has ended with.
pub fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Every file below a folder, with its contents and executable bit.
pub fn listing(root: &Path) -> BTreeMap<String, (Vec<u8>, bool)> {
    fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, (Vec<u8>, bool)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{name}/"), files);
            } else {
                files.insert(name, (fs::read(entry.path()).unwrap(), is_executable(&entry.path())));
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(root, "", &mut files);
    files
}

pub fn is_executable(path: &Path) -> bool {
    fs::metadata(path).unwrap().permissions().mode() & 0o111 != 0
}

/// Adds every Rust source below a folder.
pub fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
