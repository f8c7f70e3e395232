//! `mcp-kit new`.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use super::{Case, Place, case, compare, everything, mcp_kit};

pub(super) const CASES: &[Case] = &[
    // The name.
    case("new_name", &["BadName", "RequestError::Name", "NewError::Request"], &["new", "My Server"]),
    case("new_name_taken", &["BadName"], &["new", "mcp-auth-middleware"]),
    case("new_name_of_cargo", &["BadName"], &["new", "test"]),
    // The answers.
    case(
        "new_set_without_value",
        &["AnswerError::NotAPair", "RequestError::Answer"],
        &["new", "x", "--set", "public_host"],
    ),
    case("new_set_near_a_placeholder", &["AnswerError::Unknown"], &["new", "x", "--set", "public_hst=a.example"]),
    case(
        "new_set_of_no_placeholder",
        &["AnswerError::Unknown"],
        &["new", "x", "--template", "[SMALL]", "--set", "zzzzzz=1"],
    ),
    case("new_answer_near_a_choice", &["AnswerError::Rejected"], &["new", "x", "--auth-mode", "baerer"]),
    case(
        "new_answer_against_the_rule",
        &["AnswerError::Rejected"],
        &["new", "x", "--template", "[SMALL]", "--set", "port=80a"],
    ),
    case(
        "new_answers_disagree",
        &["AnswerError::Disagree"],
        &["new", "x", "--set", "example=coda", "--set", "example=blank"],
    ),
    case("new_answer_missing", &["AnswerError::Missing"], &["new", "x", "--template", "t"]).with(|place| {
        place
            .write("t/cargo-generate.toml", "[placeholders]\nteam = { type = \"string\", prompt = \"Whose is it\" }\n");
    }),
    case("new_answers_file_missing", &["NewError::AnswersFile"], &["new", "x", "--answers", "gone.toml"]),
    case("new_answers_file_not_utf8", &["NewError::AnswersFile"], &["new", "x", "--answers", "a.toml"])
        .with(|place| place.write("a.toml", b"example = \"\xff\"\n")),
    case("new_answers_file_not_toml", &["AnswerError::File"], &["new", "x", "--answers", "a.toml"])
        .with(|place| place.write("a.toml", "example = \"coda\"\nauth_mode = both\n")),
    case("new_answers_file_of_other_values", &["AnswerError::File"], &["new", "x", "--answers", "a.toml"])
        .with(|place| place.write("a.toml", "example = 1979-05-27\n")),
    case(
        "new_several_mistakes",
        &["NewError::Request"],
        &["new", "fn", "--set", "a", "--set", "exampl=coda", "--token-store", "redis"],
    ),
    // The destination.
    case("new_folder_not_empty", &["FilesError::NotEmpty", "NewError::Destination"], &["new", "x"])
        .with(|place| place.write("x/mine", "")),
    case("new_folder_is_a_file", &["FilesError::NotAFolder"], &["new", "x"]).with(|place| place.write("x", "")),
    case("new_folder_without_name", &["FilesError::Nameless"], &["new", "x", "--path", "gone/.."]),
    case("new_folder_below_a_file", &["FilesError::Io"], &["new", "x", "--path", "file/x"])
        .with(|place| place.write("file", "")),
    // Not even the superuser makes a folder there.
    case("new_folder_that_cannot_be_made", &["FilesError::Io"], &["new", "x", "--path", "/proc/x"]),
    // The template.
    case(
        "new_template_address",
        &["TemplateError::Address", "NewError::Template"],
        &["new", "x", "--template", "gh:owner/template"],
    ),
    case("new_template_missing", &["TemplateError::Missing"], &["new", "x", "--template", "gone"]),
    case("new_template_is_a_file", &["TemplateError::NotAFolder"], &["new", "x", "--template", "t"])
        .with(|place| place.write("t", "")),
    case("new_template_empty", &["TemplateError::Empty"], &["new", "x", "--template", "t"])
        .with(|place| fs::create_dir(place.path("t")).unwrap()),
    case("new_template_unportable_name", &["TemplateError::Unportable"], &["new", "x", "--template", "t"])
        .with(|place| place.write("t/a:b", "")),
    case("new_template_script", &["TemplateError::Hooks"], &["new", "x", "--template", "t"])
        .with(|place| place.write("t/x.rhai", "print(1)")),
    case("new_template_hooks", &["TemplateError::Hooks"], &["new", "x", "--template", "t"]).with(|place| {
        place.write("t/cargo-generate.toml", "[hooks]\npre = [\"run.rhai\"]\n");
        place.write("t/run.rhai", "print(1)");
    }),
    // What is not there cannot be read before it runs, not even with the flag.
    case(
        "new_template_hook_elsewhere",
        &["TemplateError::HookElsewhere"],
        &["new", "x", "--template", "t", "--allow-hooks"],
    )
    .with(|place| place.write("t/cargo-generate.toml", "[hooks]\npre = [\"../run.rhai\"]\n")),
    case("new_template_of_templates", &["TemplateError::Manifest"], &["new", "x", "--template", "t"])
        .with(|place| place.write("t/cargo-generate.toml", "[template]\nsub_templates = [\"a\", \"b\"]\n")),
    case("new_template_manifest_not_toml", &["TemplateError::Manifest"], &["new", "x", "--template", "t"])
        .with(|place| place.write("t/cargo-generate.toml", "[template]\ninclude = [\n")),
    case("new_template_placeholder", &["TemplateError::Manifest"], &["new", "x", "--template", "t"]).with(|place| {
        place.write("t/cargo-generate.toml", "[placeholders.a]\nprompt = \"?\"\nchoices = [\"x\"]\ndefault = \"y\"\n");
    }),
    case(
        "new_template_file_name_not_utf8",
        &["FilesError::NotUtf8", "TemplateError::Files"],
        &["new", "x", "--template", "t"],
    )
    .with(|place| {
        fs::create_dir(place.path("t")).unwrap();
        fs::write(place.path("t").join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    }),
    case("new_template_with_a_link", &["FilesError::Special"], &["new", "x", "--template", "t"]).with(|place| {
        fs::create_dir(place.path("t")).unwrap();
        symlink("/etc/hostname", place.path("t/link")).unwrap();
    }),
    case("new_template_not_liquid", &["RenderError::Syntax", "NewError::Render"], &["new", "x", "--template", "t"])
        .with(|place| place.write("t/src/a.txt", "one\ntwo {% if %}\n")),
    case("new_template_refused", &["RenderError::Refused"], &["new", "x", "--template", "t"])
        .with(|place| place.write("t/cargo-generate.toml", "[template]\ncargo_generate_version = \">=99\"\n")),
    case("new_template_catalog", &["DocumentsError::Catalog", "NewError::Documents"], &["new", "x", "--template", "t"])
        .with(|place| place.write("t/catalog.yaml", "service: []\n")),
    case("new_template_in_the_place_of_a_page", &["DocumentsError::Build"], &["new", "x", "--template", "t"]).with(
        |place| {
            place.write("t/catalog.yaml", "docs: {pages: {index: README.md}}\n");
            place.write("t/README.md", "# Mine\n");
        },
    ),
    case(
        "new_manifest",
        &["ProjectError::Manifest", "NewError::Project"],
        &["new", "x", "--template", "t", "--set", "about=say \"hi\""],
    )
    .with(|place| {
        place.write("t/Cargo.toml", "[package]\ndescription = \"{{about}}\"\n");
        place.write("t/cargo-generate.toml", "[placeholders]\nabout = { prompt = \"What for\", default = \"\" }\n");
    }),
    // The system.
    case("new_temporary_folder_missing", &["RenderError::Start"], &["new", "x", "--template", "[SMALL]"]).environment(
        |place, command| {
            command.env("TMPDIR", place.path("gone"));
        },
    ),
    case("new_temporary_folder_name", &["RenderError::Sandbox"], &["new", "x", "--template", "[SMALL]"])
        .with(|place| fs::create_dir(place.path("a:b")).unwrap())
        .environment(|place, command| {
            command.env("TMPDIR", place.path("a:b"));
        }),
    // No file may have a byte: the disk is as good as full.
    case("new_no_room", &["RenderError::Files"], &["new", "x", "--template", "[SMALL]"])
        .shell("trap '' XFSZ; ulimit -f 0"),
    // The renderer, which counts for ever, is ended by the system after a second.
    case("new_renderer_killed", &["RenderError::Stopped"], &["new", "x", "--template", "t"])
        .with(|place| {
            let endless = "{% for a in (1..100000) %}{% for b in (1..100000) %}{% endfor %}{% endfor %}";
            place.write("t/a.txt", endless);
        })
        .shell("ulimit -c 0; ulimit -t 1"),
    case("new_git", &["NewError::Git"], &["new", "x", "--template", "[SMALL]"])
        .with(|place| place.write("home/.gitconfig", "[user\n"))
        .environment(|place, command| {
            command.env("HOME", place.path("home")).env_remove("XDG_CONFIG_HOME");
        }),
];

#[test]
fn errors() {
    CASES.iter().for_each(Case::check);
}

/// A signal that comes while the answers are read: from a pipe, so that the moment is certain.
#[test]
fn interrupted() {
    let place = Place::new();
    let pipe = place.path("answers");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let before = everything(place.root());
    let arguments = ["new", "x", "--answers", "answers"];
    let mut command = mcp_kit(&place);
    let child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Opened as soon as it reads, and it listens for signals before that.
    let mut answers = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    answers.write_all(b"example = \"blank\"\n").unwrap();
    drop(answers);
    let output = child.wait_with_output().unwrap();
    assert!(everything(place.root()) == before);
    compare(&place, "new_interrupted", &arguments, &output);
}

/// The same while the renderer works.
#[test]
fn interrupted_rendering() {
    let place = Place::new();
    let endless = "{% for a in (1..100000) %}{% for b in (1..100000) %}{% for c in (1..100000) %}{% endfor %}{% endfor %}{% endfor %}";
    place.write("t/a.txt", endless);
    let before = everything(place.root());
    let arguments = ["new", "x", "--template", "t"];
    let mut command = mcp_kit(&place);
    let child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The staging folder is there before the renderer begins, which never ends by itself.
    while everything(place.root()) == before {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(everything(place.root()) == before);
    compare(&place, "new_interrupted_rendering", &arguments, &output);
}
