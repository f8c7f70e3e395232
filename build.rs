//! Embeds `template/` and passes its commit to the library.
//!
//! The template becomes one sorted table of path, contents and executable bit, so that two builds of the same tree are
//! equal.
//!
//! Projects get the libraries under `vendor/` without their tests and benches, which run in this repository. So those
//! are not embedded; cargo-generate.toml leaves them out for plain `cargo generate`.
//!
//! A packaged mcp-kit lacks the libraries inside the template, because cargo leaves every folder with its own Cargo.toml
//! out of a package. They then come from `packaging/`, whose symbolic links bring the same files into the package.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The libraries below `vendor/`.
const LIBRARIES: &[&str] = &["mcp-auth-middleware", "mcp-server-runtime"];
/// The folders of a library that projects do not get.
const UNSHIPPED: &[&str] = &["tests", "benches", "examples"];
/// Files that tools leave in a working tree. They are never part of the template.
const LEFT_BEHIND: &[&str] =
    &[".git", "target", "node_modules", "__pycache__", ".venv", ".pytest_cache", ".ruff_cache", ".DS_Store"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let template = root.join("template");
    let mut files = BTreeMap::new();
    walk(&template, "", &mut files)?;
    for library in LIBRARIES {
        let folder = format!("vendor/{library}");
        if !files.contains_key(&format!("{folder}/Cargo.toml")) {
            let mut found = BTreeMap::new();
            walk(&root.join("packaging").join(library), &folder, &mut found)?;
            for (path, file) in found {
                let path = path.strip_suffix(".embed").map_or(path.clone(), str::to_owned);
                files.insert(path, file);
            }
        }
        files.retain(|path, _| {
            let inside = path.strip_prefix(&format!("{folder}/")).and_then(|path| path.split_once('/'));
            inside.is_none_or(|(part, _)| !UNSHIPPED.contains(&part))
        });
    }

    let mut table = String::from("&[\n");
    for (path, file) in &files {
        writeln!(
            table,
            "    EmbeddedFile {{ path: {path:?}, bytes: include_bytes!({:?}), executable: {} }},",
            file,
            is_executable(file)?
        )?;
    }
    table.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("template.rs"), table)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=MCP_KIT_COMMIT={}", commit(&root).unwrap_or_default());
    let version = env::var("CARGO_PKG_VERSION")?;
    let built_from = built_from(&root).map(|from| format!(" ({from})")).unwrap_or_default();
    println!("cargo::rustc-env=MCP_KIT_VERSION={version}{built_from}");
    Ok(())
}

/// Returns the commit of this build, for the CI of generated projects. It is useful only together with the repository
/// that has it.
fn commit(root: &Path) -> Option<String> {
    if env::var_os("CARGO_PKG_REPOSITORY").is_none_or(|repository| repository.is_empty()) {
        return None;
    }
    // In a package, cargo records the commit and whether the sources had uncommitted changes.
    if let Ok(note) = fs::read_to_string(root.join(".cargo_vcs_info.json")) {
        let (_, rest) = note.split_once("\"sha1\": \"")?;
        return rest.split_once('"').map(|(commit, _)| commit.to_owned()).filter(|_| !note.contains("\"dirty\": true"));
    }
    watch_head(root)?;
    let unchanged = git(root, &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    git(root, &["rev-parse", "HEAD"]).filter(|_| unchanged)
}

/// Returns the commit and its day, as `0123456789 2026-11-08`, for `--version`. A release without a repository gives them in the environment.
fn built_from(root: &Path) -> Option<String> {
    println!("cargo::rerun-if-env-changed=MCP_KIT_BUILT_FROM");
    if let Some(given) = env::var("MCP_KIT_BUILT_FROM").ok().filter(|given| !given.is_empty()) {
        return Some(given);
    }
    watch_head(root)?;
    git(root, &["show", "--no-patch", "--format=%h %cs", "--abbrev=10", "HEAD"])
}

/// Has cargo run this script again when another commit is checked out. `None` where the sources are no repository of their own: a copy
/// of them inside another one has no commit.
fn watch_head(root: &Path) -> Option<()> {
    if !git(root, &["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    for file in ["HEAD", "logs/HEAD"] {
        let path = root.join(git(root, &["rev-parse", "--git-path", file])?);
        // Cargo would run it at every build for a path that does not exist.
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    Some(())
}

/// Returns the output of git in `root`, or `None` when git fails or is not installed.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // A git hook sets these, possibly for another repository.
    command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
    let output = command.arg("-C").arg(root).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Collects the files below `folder` under the name `prefix`. Follows symbolic links, because `packaging/` consists of
/// them.
fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    // Watching the whole folder also catches new files.
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| io::Error::other(format!("{} is not UTF-8", entry.path().display())))?;
        if LEFT_BEHIND.contains(&name) {
            continue;
        }
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        if fs::metadata(entry.path())?.is_dir() {
            walk(&entry.path(), &path, files)?;
        } else {
            files.insert(path, entry.path());
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(file: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(file)?.permissions().mode() & 0o111 != 0)
}

/// Other systems have no executable bit, so the first line identifies a script.
#[cfg(not(unix))]
fn is_executable(file: &Path) -> io::Result<bool> {
    Ok(fs::read(file)?.starts_with(b"#!"))
}
