//! `mcp-kit new` from outside: the real binary, in folders of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use common::{Place, SMALL, mcp_kit, outcome};
use insta::{assert_snapshot, with_settings};

/// Paths of the test's folders differ from run to run.
macro_rules! assert_said {
    ($place:expr, $outcome:expr, $name:literal) => {
        let root = $crate::literal(&$place.root().display().to_string());
        with_settings!({ filters => vec![(root.as_str(), "[ROOT]"), (SMALL, "[SMALL]"), (r#""bytes": \d+"#, r#""bytes": [N]"#), (r"mcp-kit-\w{6}\b", "[TEMPORARY]"), (r"mcp-kit \d+\.\d+\.\d+", "mcp-kit [VERSION]")] }, {
            assert_snapshot!($name, $outcome);
        });
    };
}

/// `text` as a pattern that matches it alone.
fn literal(text: &str) -> String {
    text.replace('.', r"\.")
}

mod making {
    use super::*;

    #[test]
    fn ends_with_a_tree_and_the_next_commands() {
        let place = Place::new();
        let output = place.run(&["new", "my-server", "--template", SMALL]);
        assert_said!(place, outcome(&output), "tree");
    }

    #[test]
    fn renders_the_embedded_template_in_every_variant() {
        let place = Place::new();
        for (name, arguments) in [
            ("plain", &[][..]),
            ("variant", &["--auth-mode", "bearer", "--example", "blank", "--token-store", "env"]),
            ("cloudy", &["--auth-mode", "cloudflare"]),
            ("provided", &["--auth-mode", "oidc"]),
        ] {
            let output = place.run(&[&["new", name][..], arguments].concat());
            assert!(output.status.success(), "{}", outcome(&output));
            let manifest = place.read(&format!("{name}/Cargo.toml"));
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{manifest}");
            assert!(place.path(&format!("{name}/vendor/mcp-auth-middleware/Cargo.toml")).is_file());
            assert!(!place.path(&format!("{name}/cargo-generate.toml")).exists());
            let script = place.path(&format!("{name}/scripts/local-dev.sh"));
            assert!(common::is_executable(&script), "scripts keep their executable bit");
        }
    }

    /// What is written for development has no place in production: a Bearer token goes nowhere but onto a developer's machine.
    #[test]
    fn each_mode_has_its_settings_in_every_deployment() {
        let place = Place::new();
        for (mode, production, method) in [
            ("cloudflare", "cloudflare", "cloudflare-access"),
            ("both", "cloudflare", "cloudflare-access"),
            ("cloudflare,bearer", "cloudflare", "cloudflare-access"),
            ("bearer", "bearer", "bearer"),
            ("oidc", "oidc", "oidc"),
            ("oidc,bearer", "oidc", "oidc"),
            ("cloudflare,oidc", "cloudflare,oidc", "cloudflare-access"),
            ("cloudflare,oidc,bearer", "cloudflare,oidc", "cloudflare-access"),
        ] {
            let name = format!("x-{}", mode.replace(',', "-"));
            place.ok(&["new", &name, "--auth-mode", mode, "--example", "blank"]);
            let read = |path: &str| place.read(&format!("{name}/{path}"));
            assert!(read(".env.example").contains(&format!("\nAUTH_MODE={mode}\n")), "{mode}");
            let compose = read("docker-compose.yml");
            let quoted = [format!("      AUTH_MODE: {production}\n"), format!("      AUTH_MODE: \"{production}\"\n")];
            assert!(quoted.iter().any(|line| compose.contains(line)), "{mode}: {compose}");
            assert!(read("deploy/kubernetes/base/kustomization.yaml").contains(&format!("- AUTH_MODE={production}\n")));
            assert!(read("catalog.yaml").contains(&format!("auth_method: {method}\n")), "{mode}");
            let overlay = read("deploy/kubernetes/overlays/production/kustomization.yaml");
            let alerts = read("deploy/kubernetes/overlays/production/monitoring.yaml");
            let guide = read("docs/DEPLOY.md");
            let (access, oidc) = (production.contains("cloudflare"), production.contains("oidc"));
            assert_eq!(compose.contains("PUBLIC_URL: ${PUBLIC_URL:-https://mcp.example.com}"), oidc, "{mode}");
            assert_eq!((overlay.contains("- CF_ACCESS_AUD="), overlay.contains("- OIDC_ISSUER=")), (access, oidc));
            assert_eq!((alerts.contains("McpKeyServerFails"), alerts.contains("McpIssuerFails")), (access, oidc));
            assert_eq!(guide.contains("## Identity provider"), oidc, "{mode}");
            assert_eq!(guide.contains("## Cloudflare Access\n"), access || production == "bearer", "{mode}");
            assert_eq!(compose.contains("mcp_dev_bearer_token"), production == "bearer", "{mode}");
        }
    }

    /// For the day when the libraries are published. Until then such a project does not build, which its README says.
    #[test]
    fn libraries_come_from_the_registry_where_that_is_asked_for() {
        let place = Place::new();
        for example in ["coda", "blank"] {
            let output = place.ok(&["new", example, "--example", example, "--set", "libraries=registry"]);
            assert!(!outcome(&output).contains("vendor"), "{}", outcome(&output));
            let manifest: toml::Table = toml::from_str(&place.read(&format!("{example}/Cargo.toml"))).unwrap();
            assert!(!manifest.contains_key("workspace"), "{manifest}");
            for library in ["mcp-auth-middleware", "mcp-server-runtime"] {
                let path = format!("{}/template/vendor/{library}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
                let published: toml::Table = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
                let wanted = format!("={}", published["package"]["version"].as_str().unwrap());
                for table in ["dependencies", "dev-dependencies"] {
                    let Some(found) = manifest[table].get(library) else { continue };
                    assert!(found.get("path").is_none(), "{library}");
                    let version = found.as_str().or_else(|| found.get("version")?.as_str());
                    assert_eq!(version, Some(wanted.as_str()), "{library} of {table}");
                }
            }
            // They have checksums there, which nobody knows before.
            let lock = place.read(&format!("{example}/Cargo.lock"));
            assert!(!lock.contains("mcp-auth-middleware") && !lock.contains("mcp-server-runtime"));
            assert!(place.read(&format!("{example}/README.md")).contains("**Both must be published there first**"));
            for (path, (bytes, _)) in common::listing(&place.path(example)) {
                if path.starts_with(".git/") || path.starts_with(".mcp-kit/") {
                    continue;
                }
                assert!(!path.starts_with("vendor"), "{path}");
                let text = String::from_utf8_lossy(&bytes);
                // The script takes the folder along where there is one.
                let takes_it = path.ends_with("deploy-to-droplet.sh");
                assert!(takes_it || !text.contains("vendor/") && !text.contains(" vendor "), "{path}");
            }
        }
        place.ok(&["audit-docs", "--strict", "coda"]);
    }

    /// They are in the tree from the beginning, but not in the pristine project: an update makes them again.
    #[test]
    fn the_documents_of_its_catalog_are_made_and_up_to_date() {
        let place = Place::new();
        for (name, arguments, pages) in [
            ("plain", &[][..], "4 pages"),
            ("null-1", &["--auth-mode", "bearer", "--token-store", "postgres", "--example", "blank"], "4 pages"),
            ("cloudy", &["--token-store", "infisical", "--set", "public_host=docs.example.org"], "5 pages"),
            ("provided", &["--auth-mode", "oidc", "--example", "blank"], "4 pages"),
            ("several", &["--auth-mode", "cloudflare,oidc,bearer", "--token-store", "postgres"], "4 pages"),
        ] {
            place.ok(&[&["new", name][..], arguments].concat());
            let catalog = format!("{name}/catalog.yaml");
            let check = place.ok(&["docs", "build", "--check", "--catalog", &catalog]);
            assert_eq!(outcome(&check), format!("{pages} up to date\nexit 0\n"));
            let audit = outcome(&place.ok(&["audit-docs", "--strict", name]));
            assert!(audit.contains("no findings"), "{audit}");
            assert!(place.read(&format!("{name}/docs/MCP_SERVER_CATALOG.md")).contains(&format!("| [{name}](")));
            let pristine = fs::File::open(place.path(name).join(".mcp-kit/pristine.tar.gz")).unwrap();
            let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(pristine));
            let paths: Vec<_> =
                archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned()).collect();
            assert!(paths.iter().any(|path| path.ends_with("catalog.yaml")));
            assert!(!paths.iter().any(|path| path.ends_with("docs/OAUTH_SOP.md")));
        }
    }

    #[test]
    fn a_wrong_catalog_in_a_template_is_said_and_nothing_is_made() {
        for (catalog, page, said) in [
            ("service: []\n", "", "did you mean services?"),
            ("docs: {pages: {index: README.md}}\n", "README.md", "in the place of a generated page"),
        ] {
            let place = Place::new();
            place.copy_small("template");
            fs::write(place.path("template/catalog.yaml"), catalog).unwrap();
            let output = place.run(&["new", "x", "--template", "template"]);
            let text = outcome(&output);
            assert!(text.contains(said) && text.contains(page) && text.ends_with("exit 2\n"), "{text}");
            assert!(place.is_empty_but(&["template"]));
        }
    }

    #[test]
    fn copies_foreign_placeholders_and_bytes_as_they_are_and_keeps_executable_bits() {
        let place = Place::new();
        place.ok(&[
            "new",
            "x",
            "--template",
            SMALL,
            "--set",
            "metrics=true",
            "--set",
            "greeting=good \"day\"\nto you ",
        ]);
        let original = |path: &str| fs::read(Path::new(SMALL).join(path)).unwrap();
        assert_eq!(fs::read(place.path("x/.github/ci.yml")).unwrap(), original(".github/ci.yml"));
        assert_eq!(fs::read(place.path("x/logo.png")).unwrap(), original("logo.png"));
        assert_eq!(place.read("x/README.md"), "# x\n\nSays good \"day\"\nto you  on 8080, and counts.\n");
        for (path, executable) in [("run.sh", true), ("x-tool", true), ("../README.md", false)] {
            assert_eq!(common::is_executable(&place.path("x/scripts").join(path)), executable, "{path}");
        }
        assert!(!place.path("x/src/loud.rs").exists(), "left out under a condition");
    }

    #[test]
    fn the_lock_file_is_accepted_and_left_alone_whatever_the_name() {
        let place = Place::new();
        for name in ["aaa", "zzz"] {
            place.ok(&["new", name, "--template", SMALL, "--no-git"]);
            let lock = place.read(&format!("{name}/Cargo.lock"));
            for arguments in [&["check", "--quiet", "--offline", "--locked"][..], &["check", "--quiet", "--offline"]] {
                let output = common::cargo().args(arguments).current_dir(place.path(name)).output().unwrap();
                assert!(output.status.success(), "{}", outcome(&output));
            }
            assert_eq!(place.read(&format!("{name}/Cargo.lock")), lock);
        }
    }

    #[test]
    fn records_the_answers_and_the_pristine_project() {
        let place = Place::new();
        place.ok(&["new", "one", "--template", SMALL, "--set", "port=9000", "--no-git"]);
        assert_said!(place, place.read("one/.mcp-kit/answers.toml"), "record");

        let mut pristine = tar::Archive::new(flate2::read::GzDecoder::new(
            fs::File::open(place.path("one/.mcp-kit/pristine.tar.gz")).unwrap(),
        ));
        pristine.unpack(place.path("unpacked")).unwrap();
        fs::remove_dir_all(place.path("one/.mcp-kit")).unwrap();
        assert_eq!(common::listing(&place.path("unpacked")), common::listing(&place.path("one")));
    }

    #[test]
    fn the_same_request_gives_the_same_bytes() {
        let place = Place::new();
        place.ok(&["new", "same", "--path", "a", "--no-git"]);
        place.ok(&["new", "same", "--path", "b", "--no-git"]);
        assert_eq!(common::listing(&place.path("a")), common::listing(&place.path("b")));
    }

    #[test]
    fn initialises_git_unless_disabled_or_inside_a_repository() {
        let place = Place::new();
        place.ok(&["new", "with", "--template", SMALL]);
        assert!(place.path("with/.git/HEAD").is_file());
        place.ok(&["new", "without", "--template", SMALL, "--no-git"]);
        assert!(!place.path("without/.git").exists());
        let inside = place.run(&["new", "inside", "--path", "with/inside", "--template", SMALL]);
        assert!(String::from_utf8_lossy(&inside.stdout).contains("in the git repository around it"));
        assert!(!place.path("with/inside/.git").exists());
        // As in the first command of the README: from a repository, but not into it.
        let arguments = ["new", "beside", "--template", SMALL, "--path", "../beside"];
        let beside = mcp_kit(&place).args(arguments).current_dir(place.path("with")).output().unwrap();
        assert!(String::from_utf8_lossy(&beside.stdout).contains("a new git repository"), "{}", outcome(&beside));
        assert!(place.path("beside/.git/HEAD").is_file());
    }

    #[test]
    fn takes_paths_of_every_form() {
        let place = Place::new();
        let absolute = place.path("absolute").display().to_string();
        fs::create_dir_all(place.path("here")).unwrap();
        fs::create_dir_all(place.path("empty")).unwrap();
        for path in [
            "relative",
            "trailing/",
            "./dot",
            "new/parents/too",
            "here/../back",
            absolute.as_str(),
            "empty",
            "with space",
        ] {
            place.ok(&["new", "x", "--template", SMALL, "--path", path, "--no-git"]);
            assert!(place.path(path).join("README.md").is_file(), "{path}");
        }
        place.clean();
    }

    #[test]
    fn an_empty_working_directory_stays_the_same_folder() {
        let place = Place::new();
        fs::create_dir(place.path("cwd")).unwrap();
        let output = mcp_kit(&place)
            .args(["new", "x", "--template", SMALL, "--path", "."])
            .current_dir(place.path("cwd"))
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", outcome(&output));
        assert!(place.path("cwd/README.md").is_file());
        assert!(place.path("cwd/.git/HEAD").is_file());
        place.clean();
    }
}

mod surroundings {
    use super::*;

    #[test]
    fn works_without_a_user_and_ignores_the_users_cargo_generate() {
        let place = Place::new();
        fs::create_dir_all(place.path("home/.cargo")).unwrap();
        fs::write(place.path("home/.cargo/cargo-generate.toml"), "[values]\ngreeting = \"from the configuration\"\n")
            .unwrap();
        fs::write(place.path("home/.gitconfig"), "[user]\nname = From Git\n").unwrap();
        let output = mcp_kit(&place)
            .args(["new", "x", "--template", SMALL, "--no-git"])
            .env("HOME", place.path("home"))
            .env("CARGO_HOME", place.path("home/.cargo"))
            .env("CARGO_GENERATE_VALUE_GREETING", "from the environment")
            .env("CARGO_GENERATE_TEMPLATE_VALUES_FILE", place.path("missing"))
            .env_remove("USER")
            .env_remove("USERNAME")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", outcome(&output));
        assert_eq!(place.read("x/README.md"), "# x\n\nSays hello on 8080.\n");
    }

    #[test]
    fn leaves_a_surrounding_workspace_alone() {
        let place = Place::new();
        let manifest = "[workspace]\nmembers = []\nresolver = \"3\"\n";
        fs::write(place.path("Cargo.toml"), manifest).unwrap();
        place.ok(&["new", "x", "--template", SMALL]);
        assert_eq!(place.read("Cargo.toml"), manifest);
    }

    #[test]
    fn nothing_is_printed_beside_the_result() {
        let place = Place::new();
        let output = place.run(&["new", "x", "--template", SMALL]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let quiet = place.run(&["new", "y", "--template", SMALL, "-q"]);
        assert_eq!(outcome(&quiet), "exit 0\n");
        let verbose = place.run(&["new", "z", "--template", SMALL, "-v"]);
        assert!(
            String::from_utf8_lossy(&verbose.stderr).starts_with("note: rendering 13 files"),
            "{}",
            outcome(&verbose)
        );
    }

    #[test]
    fn no_other_file_of_the_template_folder_takes_part() {
        let place = Place::new();
        place.copy_small("mine");
        fs::create_dir_all(place.path("mine/.git")).unwrap();
        fs::write(place.path("mine/.git/HEAD"), "x").unwrap();
        fs::create_dir_all(place.path("mine/target/debug")).unwrap();
        fs::write(place.path("mine/target/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n").unwrap();
        fs::write(place.path("mine/target/debug/big"), "{{").unwrap();
        place.ok(&["new", "x", "--template", "mine", "--no-git"]);
        assert!(!place.path("x/target").exists());
        assert!(!place.path("x/.git").exists());
    }
}

mod answers {
    use super::*;

    #[test]
    fn flags_count_before_set_before_file_before_defaults() {
        let place = Place::new();
        fs::write(
            place.path("a.toml"),
            "example = \"blank\"\nauth_mode = \"cloudflare\"\npublic_host = \"a.example\"\n",
        )
        .unwrap();
        let json = place.json(&[
            "new",
            "x",
            "--dry-run",
            "--format",
            "json",
            "--answers",
            "a.toml",
            "--set",
            "auth_mode=both",
            "--set",
            "example=coda",
            "--auth-mode",
            "bearer",
        ]);
        assert_eq!(json["answers"]["auth_mode"], "bearer");
        assert_eq!(json["answers"]["example"], "coda");
        assert_eq!(json["answers"]["public_host"], "a.example");
        assert_eq!(json["answers"]["token_store"], "env");
    }

    #[test]
    fn a_projects_own_record_serves_as_answers() {
        let place = Place::new();
        place.ok(&["new", "x", "--template", SMALL, "--set", "port=1234", "--set", "metrics=true"]);
        place.ok(&["new", "y", "--template", SMALL, "--answers", "x/.mcp-kit/answers.toml"]);
        assert_eq!(place.read("y/README.md"), "# y\n\nSays hello on 1234, and counts.\n");
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let place = Place::new();
        fs::write(place.path("a.toml"), "# mine\nportt = 1\ntone = \"lowd\"\nmetrics = [1979-05-27]\n").unwrap();
        let output = place.run(&[
            "new",
            "My Server",
            "--template",
            SMALL,
            "--answers",
            "a.toml",
            "--set",
            "nonsense",
            "--set",
            "port=80a",
            "--set",
            "port=81",
            "--set",
            "metrics=yes",
            "--auth-mode",
            "bearer",
        ]);
        assert_said!(place, outcome(&output), "every_mistake");
        assert!(place.is_empty_but(&["a.toml"]));
    }

    #[test]
    fn a_file_that_is_not_toml_has_its_place() {
        let place = Place::new();
        fs::write(place.path("a.toml"), "port = \"1\"\ntone = loud\n").unwrap();
        let output = place.run(&["new", "x", "--template", SMALL, "--answers", "a.toml"]);
        assert_said!(place, outcome(&output), "answers_syntax");
        let output = place.run(&["new", "x", "--template", SMALL, "--answers", "b.toml"]);
        assert_said!(place, outcome(&output), "answers_missing");
    }

    #[test]
    fn a_mistyped_choice_of_a_flag_gets_the_nearest() {
        let place = Place::new();
        assert_said!(place, outcome(&place.run(&["new", "x", "--auth-mode", "baerer"])), "mistyped_choice");
    }

    #[test]
    fn a_question_without_default_wants_an_answer() {
        let place = Place::new();
        fs::create_dir(place.path("t")).unwrap();
        fs::write(
            place.path("t/cargo-generate.toml"),
            "[placeholders]\nteam = { type = \"string\", prompt = \"Whose is it\" }\n",
        )
        .unwrap();
        fs::write(place.path("t/README.md"), "{{team}} by {{authors}}").unwrap();
        assert_said!(place, outcome(&place.run(&["new", "x", "--template", "t"])), "no_default");
        place.ok(&["new", "x", "--template", "t", "--set", "team=ours"]);
        assert_eq!(place.read("x/README.md"), "ours by The x authors");
    }

    /// Long text goes around the library, with such characters in its place.
    #[test]
    fn characters_for_private_use_come_out_as_they_are() {
        let place = Place::new();
        let manifest = "[placeholders]\nteam = { type = \"string\", prompt = \"Whose is it\" }\n";
        let (long, mark) = ("a long text that nobody has to parse, ".repeat(10), "\u{E000}0\u{E001}");
        for (folder, sign, team) in [("t", "", mark), ("s", mark, "ours")] {
            place.write(&format!("{folder}/cargo-generate.toml"), manifest);
            place.write(&format!("{folder}/README.md"), format!("{long}{{{{team}}}} {sign}\n"));
            let set = format!("team={team}");
            place.ok(&["new", &format!("x-{folder}"), "--template", folder, "--set", &set]);
            assert_eq!(place.read(&format!("x-{folder}/README.md")), format!("{long}{team} {sign}\n"), "{folder}");
        }
    }
}

mod names {
    use super::*;

    #[test]
    fn bad_ones_are_refused_with_a_reason_and_a_good_one() {
        let place = Place::new();
        let bad = ["My Server", "../evil", "a/b", "1abc", "fn", "test", "con", "my_server", "middle", "", "-"];
        let said: String =
            bad.iter().map(|name| outcome(&place.run(&["new", "--template", SMALL, "--", name]))).collect();
        assert_said!(place, said, "names");
        assert!(place.is_empty_but(&[]));
    }

    #[test]
    fn names_that_docker_and_kubernetes_give_to_something_else_are_refused() {
        let place = Place::new();
        let long = "z".repeat(64);
        let bad = ["postgres", "nginx", "cloudflared", "server", "scratch", "default", "kube-system", &long];
        let said: String =
            bad.iter().map(|name| outcome(&place.run(&["new", "--template", SMALL, "--", name]))).collect();
        assert_said!(place, said, "names_of_others");
        assert!(place.is_empty_but(&[]));
    }

    #[test]
    fn a_dependency_of_the_embedded_template_cannot_be_the_name() {
        let place = Place::new();
        let output = place.run(&["new", "mcp-auth-middleware"]);
        assert_said!(place, outcome(&output), "taken_name");
    }
}

mod refusals {
    use super::*;

    #[test]
    fn of_destinations() {
        let place = Place::new();
        fs::create_dir(place.path("full")).unwrap();
        fs::write(place.path("full/file"), "mine").unwrap();
        fs::write(place.path("file"), "mine").unwrap();
        std::os::unix::fs::symlink("nowhere", place.path("dangling")).unwrap();
        let mut said = String::new();
        for path in ["full", "file", "file/below", "dangling", "/proc/mcp-kit-x", "missing/..", "/"] {
            said += &outcome(&place.run(&["new", "x", "--template", SMALL, "--path", path]));
        }
        assert_said!(place, said, "destinations");
        assert!(place.is_empty_but(&["full", "file", "dangling"]));
        assert_eq!(place.read("full/file"), "mine");
    }

    #[test]
    fn of_templates() {
        let place = Place::new();
        let mut said = String::new();
        let mut try_template = |folder: &str| said += &outcome(&place.run(&["new", "x", "--template", folder]));
        for (folder, file, text) in [
            ("hooks", "cargo-generate.toml", "[hooks]\npre = [\"run.rhai\"]\n"),
            ("script", "x.rhai", "print(1)"),
            ("subs", "cargo-generate.toml", "[template]\nsub_templates = [\"a\", \"b\"]\n"),
            ("toml", "cargo-generate.toml", "[template]\ninclude = [\n"),
            (
                "default",
                "cargo-generate.toml",
                "[placeholders.a]\nprompt = \"?\"\nchoices = [\"x\"]\ndefault = \"y\"\n",
            ),
            ("old", "cargo-generate.toml", "[template]\ncargo_generate_version = \">=99\"\n"),
            ("liquid", "src/a.txt", "one\ntwo {% if %}\n"),
            ("colon", "a:b", ""),
        ] {
            let path = place.path(folder).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            try_template(folder);
        }
        fs::create_dir(place.path("link")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", place.path("link/passwd")).unwrap();
        fs::write(place.path("plain-file"), "").unwrap();
        for folder in ["link", "plain-file", "missing", "http://example.com/t.git", "gh:owner/t"] {
            try_template(folder);
        }
        assert_said!(place, said, "templates");
        assert!(!place.path("x").exists());
        place.clean();
    }

    /// The library evaluates any file that a template gives to its filter, with or without the flag.
    #[test]
    fn of_templates_with_scripts_that_nobody_reads() {
        let place = Place::new();
        let proof = place.path("proof").display().to_string();
        let script = format!("system::command(\"touch\", [\"{proof}\"]); file::write(\"by-script.txt\", \"x\"); \"\"");
        // A script of another name alone, outside of the template, made of parts, in a file name; then behind a harmless one.
        place.write("outside.rhai", &script);
        let outside = format!("{{{{ \"{}\" | rhai }}}}", place.path("outside.rhai").display());
        for (folder, file, text) in [
            ("hidden", "a.md", "{{ \"notes.txt\" | rhai }}"),
            ("outside", "a.md", &*outside),
            ("parts", "a.md", "{% assign a = \"notes\" | append: \".txt\" %}{{ a | rhai }}"),
            ("name", "{{ \"notes.txt\" | rhai }}", "x"),
            ("decoy", "a.md", "{{ \"ok.rhai\" | rhai }} {{ \"notes.txt\" | rhai }}"),
        ] {
            for (path, text) in [(file, text), ("notes.txt", &*script), ("cargo-generate.toml", "")] {
                place.write(&format!("{folder}/{path}"), text);
            }
            if folder == "decoy" {
                place.write("decoy/ok.rhai", "\"fine\"");
            }
            for flags in [&[][..], &["--allow-hooks"]] {
                let output = place.run(&[&["new", "x", "--template", folder, "--no-git"], flags].concat());
                let said = outcome(&output);
                assert!(said.contains("runs a script with the filter rhai that is no .rhai file"), "{folder}: {said}");
                assert!(!place.path("proof").exists() && !place.path("x").exists(), "{folder}");
            }
        }
        // A file that gets the name of the script that is shown is shown, too.
        place.write("twin/ok.rhai", "\"fine\"");
        place.write("twin/ok.rhai.liquid", &script);
        place.write("twin/a.md", "{{ \"ok.rhai\" | rhai }}");
        let said = outcome(&place.run(&["new", "x", "--template", "twin", "--no-git"]));
        assert!(said.contains("hooks (ok.rhai, ok.rhai.liquid)"), "{said}");
        // What is named and allowed runs.
        place.write("named/ok.rhai", &script);
        place.write("named/a.md", "{{ \"ok.rhai\" | rhai }}fine");
        place.write("named/cargo-generate.toml", "");
        let output = place.run(&["new", "x", "--template", "named", "--no-git", "--allow-hooks"]);
        assert!(output.status.success() && place.path("proof").exists(), "{}", outcome(&output));
    }

    #[test]
    fn of_an_answer_that_breaks_the_manifest_and_of_unusable_temporary_folders() {
        let place = Place::new();
        fs::create_dir(place.path("t")).unwrap();
        fs::write(place.path("t/Cargo.toml"), "[package]\ndescription = \"{{about}}\"\n").unwrap();
        fs::write(
            place.path("t/cargo-generate.toml"),
            "[placeholders]\nabout = { prompt = \"What for\", default = \"\" }\n",
        )
        .unwrap();
        let mut said = outcome(&place.run(&["new", "x", "--template", "t", "--set", "about=say \"hi\""]));
        fs::create_dir(place.path("a:b")).unwrap();
        for folder in ["a:b", "missing"] {
            let mut command = mcp_kit(&place);
            said += &outcome(
                &command.args(["new", "x", "--template", "t"]).env("TMPDIR", place.path(folder)).output().unwrap(),
            );
        }
        assert_said!(place, said, "broken_and_temporary");
        assert!(place.is_empty_but(&["t", "a:b"]));
    }

    #[test]
    fn parents_made_for_nothing_are_removed() {
        let place = Place::new();
        fs::create_dir(place.path("t")).unwrap();
        fs::write(place.path("t/a.txt"), "{% if %}").unwrap();
        let output = place.run(&["new", "x", "--template", "t", "--path", "deep/down/x"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(place.is_empty_but(&["t"]));
        fs::create_dir(place.path("empty")).unwrap();
        let output = place.run(&["new", "x", "--template", "t", "--path", "empty"]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(fs::read_dir(place.path("empty")).unwrap().count(), 0);
    }
}

mod reports {
    use super::*;

    #[test]
    fn json_holds_everything() {
        let place = Place::new();
        let output = place.run(&["new", "x", "--template", SMALL, "--format", "json", "--set", "metrics=true"]);
        assert_said!(place, outcome(&output), "json");
    }

    #[test]
    fn a_dry_run_says_the_same_and_writes_nothing() {
        let place = Place::new();
        let mut dry =
            place.json(&["new", "x", "--template", SMALL, "--path", "deep/x", "--dry-run", "--format", "json"]);
        assert!(place.is_empty_but(&[]));
        place.clean();
        let wet = place.json(&["new", "x", "--template", SMALL, "--path", "deep/x", "--format", "json"]);
        assert_eq!(dry["dry_run"], true);
        dry["dry_run"] = false.into();
        assert_eq!(dry, wet);
        let files: Vec<String> =
            wet["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect();
        let made: Vec<String> =
            common::listing(&place.path("deep/x")).into_keys().filter(|path| !path.starts_with(".git/")).collect();
        assert_eq!(files, made);
    }

    #[test]
    fn a_reader_that_leaves_is_no_failure() {
        let place = Place::new();
        let mut child = mcp_kit(&place)
            .args(["new", "x", "--template", SMALL])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success());
    }
}

mod interrupts {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Stdio;
    use std::time::Duration;

    /// At any moment: either all is there, or nothing. Moments are spread over the whole run of the command.
    #[test]
    fn leave_everything_or_nothing() {
        let place = Place::new();
        let mut seen = [0, 0];
        for (signal, number) in [("INT", 2), ("TERM", 15)] {
            for moment in 0..20 {
                let mut child = mcp_kit(&place)
                    .args(["new", "x", "--path", "made/x"])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                std::thread::sleep(Duration::from_millis(moment * 4));
                let _ =
                    std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).output();
                let status = child.wait().unwrap();
                if status.success() {
                    seen[0] += 1;
                    assert!(place.path("made/x/.mcp-kit/pristine.tar.gz").is_file());
                    fs::remove_dir_all(place.path("made")).unwrap();
                } else {
                    seen[1] += 1;
                    let ended_by_signal = status.code() == Some(128 + number);
                    let killed_before_it_listened = status.signal() == Some(number);
                    assert!(ended_by_signal || killed_before_it_listened, "{status}");
                }
                assert!(place.is_empty_but(&[]), "{signal} after {} ms", moment * 4);
                place.clean();
            }
        }
        assert!(seen[1] > 0, "no run was interrupted");
    }

    #[test]
    fn a_template_that_renders_forever_can_be_stopped() {
        let place = Place::new();
        fs::create_dir(place.path("t")).unwrap();
        let endless = "{% for a in (1..100000) %}{% for b in (1..100000) %}{% for c in (1..100000) %}{% endfor %}{% endfor %}{% endfor %}";
        fs::write(place.path("t/a.txt"), endless).unwrap();
        let mut child = mcp_kit(&place)
            .args(["new", "x", "--template", "t"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let _ = std::process::Command::new("kill").args(["-TERM".to_owned(), child.id().to_string()]).output();
        assert_eq!(child.wait().unwrap().code(), Some(143));
        assert!(place.is_empty_but(&["t"]));
        place.clean();
    }
}

mod help {
    use super::*;

    #[test]
    fn of_every_command() {
        let place = Place::new();
        let mut said = String::new();
        for arguments in [&["--help"][..], &["new", "--help"], &["completions", "--help"], &["man", "--help"]] {
            said += &format!("$ mcp-kit {}\n{}\n", arguments.join(" "), outcome(&place.run(arguments)));
        }
        assert_snapshot!("help", said);
    }

    #[test]
    fn completions_and_manual_pages_are_made_and_hide_the_renderer() {
        let place = Place::new();
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let script = String::from_utf8(place.ok(&["completions", shell]).stdout).unwrap();
            assert!(script.contains("auth-mode") && !script.contains("__render"), "{shell}");
        }
        let page = String::from_utf8(place.ok(&["man"]).stdout).unwrap();
        assert!(page.contains(".TH mcp-kit") && !page.contains("__render"));
        fs::create_dir(place.path("man")).unwrap();
        place.ok(&["man", "--out", "man"]);
        assert!(place.path("man/mcp-kit-new.1").is_file());
    }
}
