//! No input crashes `mcp-kit audit-docs`: each is a finding or a clear error, and the rest is audited all the same.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::common::{self, Place};

/// What is wrong beside whatever the test is about.
const REST: &str = "README.md:1 broken-link gone.md";

fn place() -> Place {
    let place = Place::new();
    fs::write(place.path("README.md"), "[gone](gone.md)\n").unwrap();
    place
}

/// Path, line, code and target of every finding, without those of orphans.
fn findings(place: &Place) -> Vec<String> {
    common::findings(&place.report(&[])).into_iter().filter(|line| !line.ends_with(" orphan")).collect()
}

#[test]
fn symbolic_links_in_circles_and_out_of_the_tree() {
    let (place, outside) = (place(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("secret.md"), "[gone](gone.md)\n# Here\n").unwrap();
    fs::create_dir_all(place.path("docs/deep")).unwrap();
    fs::write(place.path("docs/a.md"), "# Here\n").unwrap();
    symlink(place.path("docs"), place.path("docs/deep/again")).unwrap();
    symlink("loop", place.path("loop")).unwrap();
    symlink("nowhere.md", place.path("dangling.md")).unwrap();
    symlink(outside.path(), place.path("outside")).unwrap();
    symlink("docs/a.md", place.path("alias.md")).unwrap();
    let links = [
        "[gone](gone.md)",
        "[through](docs/deep/again/a.md#here)",
        "[and through](docs/deep/again/deep/again/a.md#nowhere)",
        "[alias](alias.md#here)",
        "[alias](alias.md#nowhere)",
        "[the link itself](outside)",
        "[behind it](outside/secret.md#here)",
        "[loop](loop/x.md)",
        "[dangling](dangling.md)",
    ];
    fs::write(place.path("README.md"), links.join("\n")).unwrap();
    assert_eq!(
        findings(&place),
        [
            REST,
            "README.md:3 broken-anchor docs/deep/again/deep/again/a.md#nowhere",
            "README.md:5 broken-anchor alias.md#nowhere",
            "README.md:7 broken-link outside/secret.md#here",
            "README.md:8 broken-link loop/x.md",
            "README.md:9 broken-link dangling.md",
        ]
    );
}

#[test]
fn file_names_with_any_byte() {
    let place = place();
    for name in [
        &b"\xff\xfe.md"[..],
        b"new\nline.md",
        b"<b>&\"'`.md",
        b"\xe2\x80\xae.md",
        b"a:b?c#d.md",
        b"-rf.md",
        b" .md",
        b"%41.md",
    ] {
        fs::write(place.path("").join(OsStr::from_bytes(name)), "[gone](gone.md)\n").unwrap();
    }
    fs::write(
        place.path("README.md"),
        "[gone](gone.md) [x](%ff%fe.md) [y](new%0Aline.md) [z](a:b%3Fc%23d.md) [p](%2541.md)\n",
    )
    .unwrap();
    let found = findings(&place);
    assert_eq!(found.iter().filter(|line| line.ends_with("broken-link gone.md")).count(), 9, "{found:#?}");
    assert_eq!(found.len(), 9, "{found:#?}");
}

#[test]
fn invalid_and_foreign_encodings() {
    let place = place();
    fs::write(place.path("latin.md"), b"# Gr\xf6\xdfe\n\n[gone](gone.md)\n").unwrap();
    fs::write(place.path("utf16.md"), b"\xff\xfe#\0 \0x\0").unwrap();
    fs::write(place.path("nul.md"), b"\0\0[gone](gone.md)\0").unwrap();
    fs::write(place.path("mark.md"), b"\xef\xbb\xbf# Marked\n\n[own](#marked)\n").unwrap();
    fs::write(
        place.path("random.md"),
        (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>(),
    )
    .unwrap();
    let found = findings(&place);
    for expected in [
        REST,
        "latin.md:1 unreadable",
        "latin.md:3 broken-link gone.md",
        "utf16.md:1 unreadable",
        "nul.md:1 broken-link gone.md",
        "random.md:1 unreadable",
    ] {
        assert!(found.iter().any(|line| line == expected), "{expected}: {found:#?}");
    }
    assert!(!found.iter().any(|line| line.starts_with("mark.md")), "{found:#?}");
}

#[test]
fn nesting_of_ten_thousand_levels() {
    let place = place();
    let deep = 10_000;
    let nested = [
        ("quotes.md", ">".repeat(deep)),
        ("lists.md", (0..2_000).map(|level| format!("{}- x\n", "  ".repeat(level))).collect()),
        ("brackets.md", format!("{}{}", "[".repeat(deep), "](x)".repeat(deep))),
        ("images.md", "![".repeat(deep)),
        ("emphasis.md", "*a_".repeat(deep)),
        ("html.md", "<div>\n".repeat(deep)),
        ("tags.md", "<a href=".repeat(deep)),
        ("comments.md", "<!--".repeat(deep)),
        ("footnotes.md", (0..deep).map(|n| format!("[^{n}]: [^{}]\n", n + 1)).collect()),
        ("references.md", "[a][".repeat(deep)),
        ("tables.md", format!("|{}|\n|{}|\n", "a|".repeat(deep), "-|".repeat(deep))),
        ("braces.md", "{#".repeat(deep)),
    ];
    for (name, text) in nested {
        fs::write(place.path(name), text).unwrap();
    }
    assert!(findings(&place).contains(&REST.to_owned()));
}

#[test]
fn a_file_of_a_hundred_megabytes() {
    let place = place();
    let line = "Some text that is long enough to be a line of a document, and then some more of it.\n";
    fs::write(place.path("large.md"), line.repeat(100 * 1024 * 1024 / line.len())).unwrap();
    assert_eq!(findings(&place), [REST, "large.md:1 unreadable"]);
}

#[test]
fn half_a_million_links_to_as_many_headings() {
    let place = place();
    let text: String = (0..250_000).map(|n| format!("## H{n}\n[x](#h{n}) [y](#H{n}x)\n")).collect();
    fs::write(place.path("many.md"), text).unwrap();
    let found = findings(&place);
    assert_eq!(found.len(), 250_001, "{:#?}", &found[..5]);
}

#[test]
fn folders_and_devices_named_like_documents() {
    let place = place();
    fs::create_dir(place.path("folder.md")).unwrap();
    fs::write(place.path("folder.md/inside.md"), "[gone](gone.md)\n").unwrap();
    let made = std::process::Command::new("mkfifo").arg(place.path("pipe.md")).status().unwrap();
    assert!(made.success());
    assert_eq!(findings(&place), [REST, "folder.md/inside.md:1 broken-link gone.md"]);
}

#[test]
fn what_may_not_be_read_is_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    fs::write(place.path("closed.md"), "x").unwrap();
    fs::create_dir(place.path("closed")).unwrap();
    for name in ["closed.md", "closed"] {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let all_may_be_read = fs::read(place.path("closed.md")).is_ok();
    let found = findings(&place);
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    // The superuser reads everything.
    let expected: &[&str] =
        if all_may_be_read { &[REST] } else { &[REST, "closed:1 unreadable", "closed.md:1 unreadable"] };
    assert_eq!(found, expected);
}

#[test]
fn settings_of_renderers_that_do_not_parse() {
    let place = place();
    for name in [
        "book.toml",
        "mkdocs.yml",
        "docs.json",
        "docfx.json",
        "hugo.toml",
        "zensical.toml",
        "toc.yml",
        "docusaurus.config.js",
    ] {
        fs::write(place.path(name), b"{[\xff: \"").unwrap();
    }
    assert!(findings(&place).iter().any(|line| line.starts_with("README.md:1 broken-link")));
}

/// Each of these took minutes while the line, or the comments, were gone through once for every finding.
#[test]
fn very_long_lines_and_very_many_comments() {
    let place = place();
    let links = 200_000;
    let line: String = (0..links).map(|n| format!("[a]({n:06}.md) ")).collect();
    fs::write(place.path("line.md"), line).unwrap();
    // What is broken for one reason is said once.
    fs::write(place.path("same.md"), "[a](x.md) ".repeat(links)).unwrap();
    let comment = "<!-- mcp-kit-ignore broken-link: known -->\n";
    fs::write(place.path("stacked.md"), format!("{comment}[x](y.md)\n").repeat(50_000)).unwrap();
    fs::write(place.path("apart.md"), format!("{comment}[x](y.md)\n\n").repeat(50_000)).unwrap();
    let report = place.report(&[]);
    let of = |path: &str| -> Vec<&Value> {
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["path"] == path).collect()
    };
    let columns = |path: &str| -> Vec<u64> {
        let broken = of(path).into_iter().filter(|finding| finding["code"] == "broken-link");
        broken.map(|finding| finding["column"].as_u64().unwrap()).collect()
    };
    assert_eq!(columns("line.md"), (0..links as u64).map(|n| n * 15 + 5).collect::<Vec<_>>());
    assert_eq!(columns("same.md"), [5]);
    for path in ["stacked.md", "apart.md"] {
        assert!(of(path).iter().all(|finding| finding["code"] != "broken-link"), "{path}");
    }
}

/// A repository can hold a folder that looks like a bare repository, and its configuration names programs that git runs.
#[test]
fn a_folder_that_looks_like_a_repository_runs_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    common::git(&place, &["init", "--quiet"]);
    common::git(&place, &["init", "--quiet", "--bare", "docs"]);
    place.write("docs/README.md", "[gone](gone.md) [b](B.md)\n");
    place.write("docs/b.md", "# B\n");
    let proof = place.path("proof").display().to_string();
    place.write("docs/run", format!("#!/bin/sh\necho >{proof}\n"));
    fs::set_permissions(place.path("docs/run"), fs::Permissions::from_mode(0o755)).unwrap();
    place.write(
        "docs/config",
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = ./run\n",
    );
    // The attack is one that git would fall for.
    let mut git = std::process::Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    git.arg("ls-files").current_dir(place.path("docs")).output().unwrap();
    assert!(fs::remove_file(&proof).is_ok());
    for flags in [&[][..], &["--since", "HEAD"], &["--fix", "--dry-run"], &["--fix"], &["--fix", "--allow-dirty"]] {
        place.run(&[&["audit-docs", "docs", "--root", "docs"], flags].concat());
        assert!(!place.path("proof").exists(), "{flags:?}");
    }
}
