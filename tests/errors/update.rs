//! Errors of `mcp-kit update`.

use std::fs;
use std::process::Command;

use super::common::{Place, git};
use super::{Case, case};

const TEN: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
const UPDATE: &str =
    "[update]\nvendored = ['vendor/**']\n[placeholders.name]\ntype = 'string'\nprompt = '?'\ndefault = 'x'\n";

/// A project whose template has a newer version.
fn project(place: &Place) {
    place.write("template/cargo-generate.toml", UPDATE);
    place.write("template/a.txt", TEN);
    place.write("template/vendor/lib.rs", TEN);
    place.write("template/Cargo.toml", "[package]\nname = \"{{project-name}}\"\ndescription = \"{{name}}\"\n");
    place.ok(&["new", "app", "--template", "template", "--no-git"]);
    place.write("template/a.txt", TEN.replace('5', "five"));
    place.write("template/vendor/lib.rs", TEN.replace('5', "five"));
}

fn journal(place: &Place, text: &str) {
    project(place);
    place.write("app/.mcp-kit/journal", text);
}

const UPDATE_APP: &[&str] = &["update", "app"];

pub(super) const CASES: &[Case] = &[
    case("update_no_record", &["UpdateError::NoRecord"], &["update"]),
    case("update_nowhere", &["UpdateError::NoFolder"], &["update", "nowhere"]),
    // A record with a name that no file can have.
    case("update_file_unreadable", &["UpdateError::Files"], UPDATE_APP).with(|place| {
        project(place);
        let rename = format!("s,a.txt,{},", "y".repeat(256));
        let mut tar = Command::new("tar");
        tar.args(["czf", "app/.mcp-kit/pristine.tar.gz", "-C", "template", "--transform", &rename, "a.txt"]);
        assert!(tar.current_dir(place.root()).status().unwrap().success());
    }),
    case("update_damaged", &["UpdateError::Damaged"], UPDATE_APP).with(|place| {
        project(place);
        place.write("app/.mcp-kit/pristine.tar.gz", "no archive");
    }),
    case("update_damaged_record", &["UpdateError::Damaged"], UPDATE_APP).with(|place| {
        project(place);
        place.write("app/.mcp-kit/answers.toml", "schema = 9\n");
    }),
    case("update_has_records", &["UpdateError::HasRecords"], &["update", "app", "--adopt"]).with(project),
    case("update_no_package", &["UpdateError::NoPackage"], &["update", "--adopt"]),
    case("update_bad_name", &["RenderError::Name"], UPDATE_APP).with(|place| {
        project(place);
        let record = place.read("app/.mcp-kit/answers.toml").replace("name = \"app\"", "name = \"../../../elsewhere\"");
        place.write("app/.mcp-kit/answers.toml", record);
    }),
    case("update_template_gone", &["UpdateError::TemplateGone"], UPDATE_APP).with(|place| {
        project(place);
        fs::remove_dir_all(place.path("template")).unwrap();
    }),
    case("update_newer", &["UpdateError::Newer"], UPDATE_APP).with(|place| {
        project(place);
        let record = place.read("app/.mcp-kit/answers.toml");
        place.write("app/.mcp-kit/answers.toml", record.replace("[template]", "[template]\nversion = \"9.0.0\""));
        let manifest = place.read("template/cargo-generate.toml");
        place.write("template/cargo-generate.toml", manifest.replace("[update]", "[update]\nversion = \"1.0.0\""));
    }),
    case("update_absent", &["UpdateError::Absent"], UPDATE_APP).with(|place| {
        project(place);
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "--all"],
            &["commit", "--quiet", "--message", "all"],
            &["update-index", "--skip-worktree", "a.txt"],
        ] {
            git(place, &[&["-C", "app"], arguments].concat());
        }
        fs::remove_file(place.path("app/a.txt")).unwrap();
    }),
    case("update_dirty", &["UpdateError::Dirty"], UPDATE_APP).with(|place| {
        project(place);
        git(place, &["-C", "app", "init", "--quiet"]);
    }),
    case("update_unprotected", &["UpdateError::Unprotected"], UPDATE_APP).with(|place| {
        project(place);
        place.write("app/vendor/lib.rs", "mine\n");
    }),
    case("update_index", &["UpdateError::Index"], UPDATE_APP).with(|place| {
        project(place);
        git(place, &["-C", "app", "init", "--quiet"]);
        place.write("app/.git/index", "no index, but long enough to be one");
    }),
    case("update_pending", &["UpdateError::Pending"], &["update", "app", "--check"]).with(|place| journal(place, "")),
    case("update_not_in_template", &["UpdateError::NotInTemplate"], &["update", "app", "--restore", "b.txt"])
        .with(project),
    case("update_answers", &["UpdateError::Answers"], &["update", "app", "--set", "nam=y", "--set", "x"]).with(project),
    case("update_template", &["UpdateError::Template"], &["update", "app", "--template", "nowhere"]).with(project),
    case("update_render", &["UpdateError::Render"], UPDATE_APP).with(|place| {
        project(place);
        place.write("template/a.txt", "{% broken %}\n");
    }),
    case("update_project", &["UpdateError::Project"], &["update", "app", "--set", "name=a\"b"]).with(project),
    case("update_journal", &["UpdateError::Journal", "JournalError::Damaged"], UPDATE_APP)
        .with(|place| journal(place, "{}\n")),
    case("update_changed", &["JournalError::Changed"], UPDATE_APP).with(|place| {
        let step = "{\"path\":\"a.txt\",\"before\":\"0\",\"after\":[0,false]}";
        let head =
            format!("{{\"schema\":\"mcp-kit/journal/1\",\"steps\":[{step}],\"conflicts\":[],\"contents\":[1]}}\nx");
        journal(place, &head);
    }),
    case("update_busy", &["JournalError::Busy"], UPDATE_APP).with(project).shell("exec 9<app; flock 9"),
    case("update_no_room", &["JournalError::Io"], UPDATE_APP)
        .with(|place| {
            project(place);
            for number in 0..9 {
                place.write(&format!("template/{number}.txt"), "text\n".repeat(800));
            }
        })
        .shell("trap '' XFSZ; ulimit -f 8"),
];

#[test]
fn errors_of_update() {
    CASES.iter().for_each(Case::check);
}
