//! `mcp-kit update` from outside: the situations that other tools get wrong, by number, and what can go wrong besides.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod broken;
mod history;
mod repositories;
mod situations;
mod workflow;

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use common::{Place, git, outcome};
use serde_json::Value;

/// A project of a template in two versions.
struct Project {
    place: Place,
}

impl Project {
    /// Makes a project of this template and commits it. The template is the folder `template`, the project the folder `app`.
    fn new(update: &str, files: &[(&str, &str)]) -> Self {
        let project = Self::without_git(update, files);
        project.git(&["init", "--quiet"]);
        project.commit();
        project
    }

    fn without_git(update: &str, files: &[(&str, &str)]) -> Self {
        let project = Self { place: Place::new() };
        project.template(update, files);
        project.place.ok(&["new", "app", "--template", "template", "--no-git"]);
        project
    }

    /// Puts another version of the template in the place of the first.
    fn template(&self, update: &str, files: &[(&str, &str)]) {
        let _ = fs::remove_dir_all(self.place.path("template"));
        self.place.write("template/cargo-generate.toml", update);
        for (path, text) in files {
            self.place.write(&format!("template/{path}"), text);
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.place.path("app").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        self.place.write(&format!("app/{path}"), text);
    }

    fn read(&self, path: &str) -> String {
        self.place.read(&format!("app/{path}"))
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    fn git(&self, arguments: &[&str]) {
        git(&self.place, &[&["-C", "app"], arguments].concat());
    }

    fn commit(&self) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--message", "all"]);
    }

    /// What git prints.
    fn ask_git(&self, arguments: &[&str]) -> String {
        let output = std::process::Command::new("git").arg("-C").arg(self.path("")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn update(&self, flags: &[&str]) -> Output {
        self.place.run(&[&["update", "app"], flags].concat())
    }

    /// Runs the update and compares its exit status.
    fn ends(&self, flags: &[&str], status: i32) -> String {
        let output = self.update(flags);
        assert_eq!(output.status.code(), Some(status), "{flags:?}: {}", outcome(&output));
        self.place.clean();
        outcome(&output)
    }

    fn json(&self, flags: &[&str], status: i32) -> Value {
        let output = self.update(&[flags, &["--format", "json"]].concat());
        assert_eq!(output.status.code(), Some(status), "{}", outcome(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The action for a file in a JSON report.
fn action<'a>(report: &'a Value, path: &str) -> &'a str {
    let files = report["files"].as_array().unwrap();
    files.iter().find(|file| file["path"] == path).map_or("", |file| file["action"].as_str().unwrap())
}
