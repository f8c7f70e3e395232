//! Projects of older states of this repository: made of their templates, edited as owners do, and updated.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::action;
use super::common::{Place, git, listing, outcome};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The states: before the catalog, before the diet, at the diet, and the last one before `update`.
const COMMITS: &[&str] = &["28ac401", "593c0ad", "6d3fb1a", "1a76990c"];

/// Makes a project of the template of an old commit, with the records that mcp-kit wrote then. Returns `None` where the
/// history is not there, as in a shallow clone.
pub(super) fn old(place: &Place, commit: &str) -> Option<()> {
    let known = Command::new("git")
        .args(["cat-file", "-e", &format!("{commit}:template")])
        .current_dir(ROOT)
        .stderr(Stdio::null())
        .status();
    if !known.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this clone does not have {commit}");
        return None;
    }
    let archive = place.path("old.tar");
    let done = Command::new("git")
        .args(["archive", "--output"])
        .arg(&archive)
        .args([commit, "template"])
        .current_dir(ROOT)
        .status()
        .unwrap();
    assert!(done.success());
    assert!(Command::new("tar").arg("xf").arg(&archive).current_dir(place.root()).status().unwrap().success());
    // Projects get the libraries without these, see build.rs.
    for libraries in ["template/vendor", "template/crates"] {
        for library in fs::read_dir(place.path(libraries)).into_iter().flatten().flatten() {
            for folder in ["tests", "benches", "examples"] {
                let _ = fs::remove_dir_all(library.path().join(folder));
            }
        }
    }
    place.ok(&["new", "my-server", "--template", "template"]);
    // Their mcp-kit made no pages of single servers, and their catalogs could not say that there are to be none.
    let _ = fs::remove_dir_all(place.path("my-server/docs/architecture/integrations/mcp/services"));
    let record = place.read("my-server/.mcp-kit/answers.toml");
    let lines = record.lines().filter(|line| !line.starts_with("digest = "));
    let record: String = lines
        .map(|line| format!("{}\n", line.replace("source = \"folder\"", "source = \"embedded\"\nversion = \"0.1.0\"")))
        .collect();
    place.write("my-server/.mcp-kit/answers.toml", record);
    commit_all(place);
    Some(())
}

fn commit_all(place: &Place) {
    git(place, &["-C", "my-server", "add", "--all"]);
    git(place, &["-C", "my-server", "commit", "--quiet", "--message", "all"]);
}

fn files(root: &Path) -> std::collections::BTreeMap<String, (Vec<u8>, bool)> {
    let mut files = listing(root);
    files.retain(|path, _| !path.starts_with(".git/"));
    files
}

/// The hardest jump comes out right: an unedited project of any state becomes what `mcp-kit new` makes today.
#[test]
fn an_unedited_project_becomes_a_new_one() {
    for commit in COMMITS {
        let place = Place::new();
        let Some(()) = old(&place, commit) else { return };
        let output = place.ok(&["update", "my-server"]);
        place.ok(&["new", "my-server", "--path", "fresh", "--no-git"]);
        let (updated, fresh) = (files(&place.path("my-server")), files(&place.path("fresh")));
        let different: Vec<_> =
            updated.keys().chain(fresh.keys()).filter(|path| updated.get(*path) != fresh.get(*path)).collect();
        assert!(different.is_empty(), "{commit}: {different:?}: {}", outcome(&output));
        let said = outcome(&place.ok(&["update", "my-server", "--check"]));
        assert!(said.contains("no file differs"), "{commit}: {said}");
    }
}

/// A new tool, a changed Dockerfile, a deleted example, a raised and an added dependency, a renamed file, a file with CRLF.
#[test]
fn an_edited_project_keeps_its_edits() {
    for commit in &COMMITS[..3] {
        let place = Place::new();
        let Some(()) = old(&place, commit) else { return };
        let path = |path: &str| format!("my-server/{path}");
        let tools = place.read(&path("src/handlers/tools.rs"));
        let end = tools[..tools.find("fn text(error: CodaError)").unwrap()].rfind("}\n").unwrap();
        let tool = "\n    #[tool(description = \"Answers pong.\")]\n    async fn ping(&self) -> Result<Json<Pong>, ToolError> {\n        Ok(Json(Pong { pong: true }))\n    }\n";
        let answer = "/// The answer of `ping`.\n#[derive(Debug, Serialize, JsonSchema)]\npub struct Pong {\n    /// Always true.\n    pub pong: bool,\n}\n\n";
        let tools = format!("{}{tool}{}", &tools[..end], &tools[end..]);
        let before = tools.find("/// Why a tool failed").unwrap();
        place.write(&path("src/handlers/tools.rs"), format!("{}{answer}{}", &tools[..before], &tools[before..]));
        place.write(&path("Dockerfile"), format!("{}LABEL vendor=\"us\"\n", place.read(&path("Dockerfile"))));
        fs::remove_file(place.path(&path("examples/stub_coda.rs"))).unwrap();
        let manifest =
            place.read(&path("Cargo.toml")).replace("thiserror = \"2\"", "thiserror = \"2.0.17\"\nitoa = \"1\"");
        place.write(&path("Cargo.toml"), manifest);
        fs::rename(place.path(&path("tests/coda.rs")), place.path(&path("tests/coda_api.rs"))).unwrap();
        let readme = place.read(&path("README.md")).replace('\n', "\r\n");
        place.write(&path("README.md"), readme);
        commit_all(&place);

        let output = place.run(&["update", "my-server", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{commit}: {}", outcome(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        place.ok(&["new", "my-server", "--path", "fresh", "--no-git"]);
        let fresh = |path: &str| place.read(&format!("fresh/{path}"));
        let tools = place.read(&path("src/handlers/tools.rs"));
        assert!(tools.contains("async fn ping") && tools.contains("use mcp_server_runtime::"), "{commit}");
        assert_eq!(tools.replace(tool, "").replace(answer, ""), fresh("src/handlers/tools.rs"), "{commit}");
        assert_eq!(
            place.read(&path("Dockerfile")),
            format!("{}LABEL vendor=\"us\"\n", fresh("Dockerfile")),
            "{commit}"
        );
        assert!(!place.path(&path("examples/stub_coda.rs")).exists(), "{commit}");
        let manifest = place.read(&path("Cargo.toml"));
        assert!(
            manifest.contains("\nthiserror = \"2.0.17\"\n")
                && manifest.contains("\nitoa = \"1\"\n")
                && manifest.contains("mcp-server-runtime = {"),
            "{commit}: {manifest}"
        );
        assert!(!place.path(&path("tests/coda.rs")).exists(), "{commit}");
        assert_eq!(action(&report, "tests/coda_api.rs"), "merged", "{commit}");
        assert_eq!(place.read(&path("README.md")), fresh("README.md").replace('\n', "\r\n"), "{commit}");
        assert!(!place.path(&path("src/server.rs")).exists() && !place.path(&path("crates")).exists(), "{commit}");
    }
}

/// Every file that an owner may have changed, and that the template no longer has, is one whose edits the report says where to bring, or one
/// that the upgrade note names.
#[test]
fn edits_of_what_is_gone_have_a_next_step() {
    for commit in COMMITS {
        let place = Place::new();
        let Some(()) = old(&place, commit) else { return };
        place.ok(&["new", "my-server", "--path", "fresh", "--no-git"]);
        let (now, fresh) = (files(&place.path("my-server")), files(&place.path("fresh")));
        let is_owned =
            |path: &&String| !["vendor/", "crates/", ".mcp-kit/"].iter().any(|folder| path.starts_with(folder));
        for path in now.keys().filter(|path| !fresh.contains_key(*path)).filter(is_owned) {
            let path = format!("my-server/{path}");
            place.write(&path, place.read(&path) + "\n// mine\n");
        }
        commit_all(&place);
        let output = place.ok(&["update", "my-server", "--dry-run", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let notes = report["notes"].to_string();
        let gone = report["files"].as_array().unwrap().iter().filter(|file| file["action"] == "removed-in-template");
        for file in gone {
            let path = file["path"].as_str().unwrap();
            let name = path.rsplit('/').next().unwrap();
            assert!(
                file["hint"].as_str().unwrap().contains("has taken its place") || notes.contains(&format!("{name}`")),
                "{commit}: nothing says what to do with an edit of {path}"
            );
        }
    }
}

/// The libraries have most dependencies since the diet. What the owner's own code names stays, and the lock file has it.
#[test]
fn a_dependency_that_own_code_names_stays() {
    let place = Place::new();
    let Some(()) = old(&place, "6d3fb1a") else { return };
    place.write("my-server/tests/ours.rs", "#[test]\nfn time() {\n    chrono::Utc::now();\n    fastrand::u8(..);\n}\n");
    let tools = place.read("my-server/src/handlers/tools.rs") + "\nuse futures_util::StreamExt as _;\n";
    place.write("my-server/src/handlers/tools.rs", tools);
    commit_all(&place);
    place.ok(&["update", "my-server"]);
    let manifest = place.read("my-server/Cargo.toml");
    for (line, times) in [("\nchrono = {", 1), ("\nfutures-util = {", 1), ("\nfastrand = ", 1), ("\nclap = {", 0)] {
        assert_eq!(manifest.matches(line).count(), times, "{line}: {manifest}");
    }
    let lock: toml::Table = place.read("my-server/Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let root = packages.iter().find(|package| package["name"].as_str() == Some("my-server")).unwrap();
    let names: Vec<&str> = root["dependencies"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.contains(&"chrono") && names.contains(&"futures-util") && !names.contains(&"clap"), "{names:?}");
}
