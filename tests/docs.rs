//! `mcp-kit docs build` from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use common::{Place, listing, mcp_kit, outcome};
use insta::assert_snapshot;

const CATALOG: &str = r#"organisation: {name: "Us & <them>"}
services:
  - name: Notes | drafts
    status: deployed
    location: droplet
    auth_method: cloudflare-access
    token_storage: postgresql
    url: https://notes.example.com/mcp
    sop: docs/sop (new).md
    owner: "*platform* team"
    notes: "Two lines,\n# of which one is no heading."
    last_verified: 2026-02-01
  - {name: Plain, status: planned, location: workers, auth_method: none, token_storage: none}
deprecations:
  - {path: docs/old.md, date: 2026-01-31, reason: Moved, archived: docs/archive/2026-01-31-old.md, replacement: docs/new.md}
"#;
/// 2026-03-01 and the day after.
const DAYS: [&str; 2] = ["1772323200", "1772409600"];
const SERVERS: &str = "docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md";

fn place(catalog: &str) -> Place {
    let place = Place::new();
    fs::write(place.path("catalog.yaml"), catalog).unwrap();
    place
}

fn build(place: &Place, day: &str, more: &[&str]) -> Output {
    mcp_kit(place).env("SOURCE_DATE_EPOCH", day).args(["docs", "build"]).args(more).output().unwrap()
}

/// What went wrong; and that everything is as it was.
fn refused(place: &Place) -> String {
    let before = listing(place.root());
    let said = outcome(&build(place, DAYS[0], &[]));
    assert!(listing(place.root()) == before, "something was written: {said}");
    said.replace(&place.root().canonicalize().unwrap().display().to_string(), "[root]")
}

#[test]
fn the_pages_of_a_catalog() {
    let place = place(CATALOG);
    assert_snapshot!("build", outcome(&build(&place, DAYS[0], &[])));
    let pages: Vec<String> = listing(place.root())
        .into_iter()
        .filter(|(path, _)| path.ends_with(".md"))
        .map(|(path, (bytes, _))| format!("==== {path}\n{}", String::from_utf8(bytes).unwrap()))
        .collect();
    assert_snapshot!("pages", pages.concat());
}

/// A template is a row with its links, and no server: it is not counted and has no checklist. People read names, not the catalog's words.
#[test]
fn a_template_is_linked_and_is_no_server() {
    let place = place(
        "services:\n  - {name: Notes, status: deployed, location: workers, auth_method: oauth, token_storage: durable-objects}\n  - {name: \
         Ours, kind: template, status: deployed, location: droplet, auth_method: cloudflare-access, token_storage: postgresql, repository: \
         template/README.md}\n  - {name: Theirs, kind: template, status: planned, location: local, auth_method: none, token_storage: env, \
         repository: \"https://git.example.com/t(1)\"}\n",
    );
    assert!(build(&place, DAYS[0], &[]).status.success());
    let servers = place.read(SERVERS);
    let sop = "../../../infrastructure/mcp/OAUTH_SOP.md#token-storage-options";
    let guide = "../../../infrastructure/mcp/TEMPLATE_GUIDE.md";
    let runbook = "../../../infrastructure/mcp/OAUTH_TROUBLESHOOTING.md#the-tunnel-or-the-server-is-down";
    for row in [
        format!(
            "| [Notes](services/notes.md) | Deployed | Workers | OAuth | Durable Objects | [SOP]({sop}) | [Runbook]({runbook}) | — | never |"
        ),
        format!(
            "| [Ours](../../../../template/README.md) | Template | Droplet | Cloudflare Access | PostgreSQL | [How to use it]({guide}) | — | — | — |"
        ),
        format!(
            "| [Theirs](https://git.example.com/t1) | Template | Local machine | None | Environment variables | [How to use it]({guide}) | — | — | — |"
        ),
    ] {
        assert!(servers.contains(&row), "{row}\n{servers}");
    }
    assert!(place.read("docs/infrastructure/mcp/README.md").contains("The catalog lists 1 MCP server. "));
    let sop = place.read("docs/infrastructure/mcp/OAUTH_SOP.md");
    assert!(sop.contains("Checklist for Notes") && !sop.contains("Checklist for Ours"), "{sop}");
    assert!(
        !place.path("docs/architecture/integrations/mcp/services/ours.md").exists(),
        "a template has no page of a server"
    );
    let refused = Place::new();
    fs::write(refused.path("catalog.yaml"), "services:\n  - {name: A, kind: templat, status: planned, location: local, auth_method: none, token_storage: none}\n").unwrap();
    assert!(outcome(&refused.run(&["catalog", "check"])).contains("did you mean template?"));
}

#[test]
fn what_is_built_passes_the_audit() {
    let place = place(CATALOG);
    for document in ["docs/sop (new).md", "docs/new.md", "docs/archive/2026-01-31-old.md"] {
        place.write(document, "# Document\n\nText, and [where to begin](/docs/infrastructure/mcp/README.md).\n");
    }
    // The notice that the audit wants at the old place.
    place.write("docs/old.md", "# Old\n\n[Archived](archive/2026-01-31-old.md), see [new](new.md).\n");
    place.write(
        "README.md",
        "# Ours\n\n[Servers](docs/infrastructure/mcp/README.md), [new](docs/new.md), [old](docs/old.md)\n",
    );
    assert!(build(&place, DAYS[0], &[]).status.success());
    let audit = place.run(&["audit-docs", "--strict", "."]);
    let said = outcome(&audit);
    assert!(audit.status.success() && said.contains("16 documents"), "{said}");
}

/// More than two thousand words, in seven sections, with a checklist of fifteen items and more.
#[test]
fn the_sop_has_what_it_has_to_have() {
    let place = place("");
    build(&place, DAYS[0], &[]);
    let sop = place.read("docs/infrastructure/mcp/OAUTH_SOP.md");
    let mut fenced = false;
    let prose = sop.lines().filter(|line| {
        fenced ^= line.starts_with("```");
        !fenced
    });
    let words = prose.flat_map(str::split_whitespace).filter(|word| word.contains(char::is_alphabetic)).count();
    assert!(words > 2000, "{words} words");
    assert_eq!(sop.matches("\n## ").count(), 7);
    let checklist = sop.split("\n## ").find(|section| section.starts_with("Deployment Checklist")).unwrap();
    assert!(checklist.matches("\n- [ ] ").count() >= 15);
}

/// Every command on the pages is at least one of the shell.
#[test]
fn shell_blocks_parse() {
    let place = place(CATALOG);
    build(&place, DAYS[0], &[]);
    let (mut blocks, mut begun) = (0, 0);
    for (path, (bytes, _)) in listing(place.root()) {
        let text = String::from_utf8(bytes).unwrap();
        begun += text.lines().filter(|line| line.trim_start().starts_with("```sh")).count();
        for block in text.split("```sh\n").skip(1) {
            let script = block.split("```").next().unwrap();
            let checked = std::process::Command::new("bash").args(["-n", "-c", script]).output().unwrap();
            assert!(checked.status.success(), "{path}: {script}\n{}", outcome(&checked));
            blocks += 1;
        }
    }
    assert!(blocks > 0);
    assert_eq!(blocks, begun, "none is marked otherwise, as ```shell or ```sh title");
}

#[test]
fn a_second_build_writes_nothing_and_a_day_alone_changes_nothing() {
    let place = place(CATALOG);
    build(&place, DAYS[0], &[]);
    let modified = |path: &str| fs::metadata(place.path(path)).unwrap().modified().unwrap();
    let (before, when) = (listing(place.root()), modified(SERVERS));
    assert_eq!(outcome(&build(&place, DAYS[1], &[])), "11 pages up to date\nexit 0\n");
    assert!(listing(place.root()) == before && modified(SERVERS) == when);
    assert_eq!(outcome(&build(&place, DAYS[1], &["--check"])), "11 pages up to date\nexit 0\n");
}

#[test]
fn check_shows_what_is_stale_and_writes_nothing() {
    let place = place(CATALOG);
    build(&place, DAYS[0], &[]);
    fs::write(place.path("catalog.yaml"), CATALOG.replace("status: planned", "status: deployed")).unwrap();
    let before = listing(place.root());
    assert_snapshot!("check_stale", outcome(&build(&place, DAYS[1], &["--check"])));
    assert!(listing(place.root()) == before);
    let dry = outcome(&build(&place, DAYS[1], &["--dry-run"]));
    assert!(dry.starts_with("--- a/") && dry.ends_with("exit 0\n"), "{dry}");
    assert!(listing(place.root()) == before);
    assert_eq!(build(&place, DAYS[1], &[]).status.code(), Some(0));
    assert!(place.read(SERVERS).contains("Last updated: 2026-03-02"));
    assert!(place.read("docs/DEPRECATION_NOTICES.md").contains("Last updated: 2026-03-01"));
}

#[test]
fn a_file_of_others_keeps_every_byte_outside_of_the_section() {
    let place = place(CATALOG);
    let (before, after) =
        (b"\xef\xbb\xbf# Ours\r\n\r\n".as_slice(), b"\r\n\r\n  kept as it is\t\r\nno end of line".as_slice());
    let markers = b"<!-- mcp-kit:begin authentication -->\r\n<!-- mcp-kit:end authentication -->".as_slice();
    place.write("docs/architecture/ARCHITECTURE.md", [before, markers, after].concat());
    assert!(build(&place, DAYS[0], &[]).status.success());
    let file = fs::read(place.path("docs/architecture/ARCHITECTURE.md")).unwrap();
    assert!(file.starts_with(before) && file.ends_with(after));
    let text = String::from_utf8(file).unwrap();
    assert!(text.contains("\r\n## MCP Authentication\r\n") && !text.replace("\r\n", "").contains('\n'));
    assert_eq!(outcome(&build(&place, DAYS[0], &["--check"])), "11 pages up to date\nexit 0\n");
}

#[test]
fn what_people_wrote_is_not_written_over() {
    let place = place(CATALOG);
    build(&place, DAYS[0], &[]);
    fs::write(place.path("catalog.yaml"), CATALOG.replace("Plain", "Other")).unwrap();
    for path in [SERVERS, "CURRENT_STATE_v1.md"] {
        place.write(path, place.read(path).replace("Deployed", "running"));
    }
    place.write("docs/DEPRECATION_NOTICES.md", "# Ours\n");
    assert_snapshot!("written_by_hand", refused(&place));
    assert_eq!(build(&place, DAYS[0], &["--check"]).status.code(), Some(2));
    assert!(build(&place, DAYS[0], &["--overwrite"]).status.success());
    assert!(place.read(SERVERS).contains("[Other](services/other.md)") && !place.read(SERVERS).contains("running"));
    assert!(place.read("docs/DEPRECATION_NOTICES.md").contains("docs/old.md"));
    assert_eq!(build(&place, DAYS[0], &["--check"]).status.code(), Some(0));
}

#[test]
fn broken_markers_stop_everything() {
    let place = place(CATALOG);
    place.write("CURRENT_STATE_v1.md", "# Ours\n\n<!-- mcp-kit:begin current-state -->\n\ntext\n");
    place.write("docs/architecture/ARCHITECTURE.md", b"# Ours \xff\n");
    assert_snapshot!("broken_markers", refused(&place));
}

/// The repository is somebody else's: a link in it leads to a key, which would be in a page that is published.
#[test]
fn templates_lead_nowhere_else() {
    let catalog = format!("{CATALOG}docs: {{templates: docs/templates, pages: {{servers: SERVERS.md}}}}\n");
    let link = |place: &Place, to: &str, from: &str| {
        fs::create_dir_all(place.path(from).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, place.path(from)).unwrap();
    };
    let keys = Place::new();
    keys.write("servers.md", "secret key\n");
    let key = keys.path("servers.md").display().to_string();
    let folder = keys.root().display().to_string();
    for (from, to) in [
        ("docs/templates/servers.md", key.as_str()),
        ("docs/templates/servers.md", "../../.git/config"),
        ("docs/templates", folder.as_str()),
        ("docs", folder.as_str()),
    ] {
        let place = place(&catalog);
        place.write(".git/config", "secret token\n");
        keys.write("templates/servers.md", "secret key\n");
        link(&place, to, from);
        for command in [&["docs", "build"][..], &["docs", "build", "--check"], &["docs", "build", "--html", "site"]] {
            let output = place.run(command);
            assert!(!outcome(&output).contains("secret") && !output.status.success(), "{to}: {}", outcome(&output));
        }
        assert!(!place.path("SERVERS.md").exists());
    }
    // One that stays in the repository is followed.
    let place = place(&catalog);
    place.write("shared/servers.md", "# Ours\n");
    link(&place, "../../shared/servers.md", "docs/templates/servers.md");
    place.ok(&["docs", "build"]);
    assert!(place.read("SERVERS.md").contains("# Ours"));
}

#[test]
fn templates_of_ones_own() {
    let place = place(&format!("{CATALOG}docs: {{templates: templates, pages: {{servers: SERVERS.md}}}}\n"));
    place
        .write("templates/servers.md", "# {{ services | length }} servers\n\n[Index]({{ links[\"index\"] | safe }})\n");
    assert!(build(&place, DAYS[0], &[]).status.success());
    let page = place.read("SERVERS.md");
    assert!(page.ends_with("\n# 2 servers\n\n[Index](docs/infrastructure/mcp/README.md)\n"), "{page}");
    assert!(place.read("docs/infrastructure/mcp/README.md").contains("(../../../SERVERS.md)"));
    for (text, file) in [
        ("{% if %}", "servers.md"),
        ("x\n{{ nobody.knows }}\n", "servers.md"),
        ("text", "server.md"),
        ("\u{fffd}", "x.tera"),
    ] {
        let other = Place::new();
        fs::write(other.path("catalog.yaml"), format!("{CATALOG}docs: {{templates: templates}}\n")).unwrap();
        other.write(&format!("templates/{file}"), text);
        let said = refused(&other);
        assert!(said.ends_with("exit 2\n") && said.contains(file), "{said}");
    }
}

#[test]
fn wrong_settings_are_said_with_their_place() {
    let place = place(
        "docs:\n  template: x\n  templates: ../x\n  pages:\n    server: A.md\n    servers: CURRENT_STATE_v1.md\n    index: B.md\n    \
         deprecations: B.md\n",
    );
    assert_snapshot!("wrong_settings", refused(&place));
}

#[test]
fn what_cannot_be_read_or_written_is_status_3() {
    let place = place(CATALOG);
    place.write("docs", "a file where a folder has to be");
    let said = refused(&place);
    assert!(said.contains("cannot read") && said.ends_with("exit 3\n"), "{said}");
    let place = Place::new();
    assert_eq!(build(&place, DAYS[0], &[]).status.code(), Some(2), "no catalog");
}

#[test]
fn a_site_is_built_once_and_replaces_only_a_site() {
    let place = place(CATALOG);
    place.write("docs/sop (new).md", "# SOP of notes\n\n![seen](way.svg) [gone](nowhere.md)\n");
    place.write("docs/way.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    let built = outcome(&build(&place, DAYS[0], &["--html", "out/site"]));
    assert!(built.ends_with("11 of 11 pages written\nwrote the site to out/site\nexit 0\n"), "{built}");
    let servers = place.read("out/site/docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.html");
    assert!(servers.contains("Notes | drafts") && servers.contains("class=\"filtered\""), "{servers}");
    assert!(servers.contains("../../../sop%20%28new%29.html"), "{servers}");
    let sop = place.read("out/site/docs/sop (new).html");
    assert!(sop.contains("src=\"way.svg\"") && !sop.contains("nowhere"), "{sop}");
    assert!(place.path("out/site/docs/way.svg").is_file());
    let architecture = place.read("out/site/docs/architecture/ARCHITECTURE.html");
    assert!(architecture.contains("<figure class=\"diagram\"><svg role=\"img\""), "{architecture}");
    let before = listing(place.root());
    let again = outcome(&build(&place, DAYS[1], &["--html", "out/site"]));
    assert_eq!(again, "11 pages up to date\nnothing changed in out/site\nexit 0\n");
    assert!(listing(place.root()) == before);

    place.write("mine/notes.txt", "mine");
    let refused = outcome(&build(&place, DAYS[0], &["--html", "mine"]));
    assert!(refused.contains("mine has files that are not of a site made by mcp-kit"), "{refused}");
    assert!(refused.ends_with("exit 2\n") && place.read("mine/notes.txt") == "mine");
    place.clean();
}

/// The documents of this repository, as a site.
fn own_site() -> Place {
    let place = Place::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in ["catalog.yaml", "README.md", "CURRENT_STATE_v1.md", "template/README.md"] {
        place.write(path, fs::read(root.join(path)).unwrap());
    }
    for (path, (bytes, _)) in listing(&root.join("docs")) {
        place.write(&format!("docs/{path}"), bytes);
    }
    place.ok(&["docs", "build", "--html", "site"]);
    place
}

/// The pages that the site's search finds for these words: its index is a tree of letters for each field.
fn search(site: &Place, words: &[&str]) -> Vec<String> {
    let (_, (bytes, _)) = listing(&site.path("site"))
        .into_iter()
        .find(|(path, _)| path.starts_with("searchindex") && path.ends_with(".js"))
        .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (_, json) = text.split_once("JSON.parse('").unwrap();
    let json = json[..json.rfind("')").unwrap()].replace("\\'", "'").replace("\\\\", "\\");
    let index: serde_json::Value = serde_json::from_str(&json).unwrap();
    let found = |word: &str| {
        let of_field = |field: &str| {
            let mut node = &index["index"]["index"][field]["root"];
            for letter in word.chars() {
                node = &node[letter.to_string()];
            }
            node["docs"].as_object().map(|docs| docs.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        };
        ["title", "body", "breadcrumbs"].into_iter().flat_map(of_field).collect::<std::collections::BTreeSet<_>>()
    };
    let all = words.iter().map(|word| found(word)).reduce(|one, other| &one & &other).unwrap();
    all.iter().map(|place| index["doc_urls"][place.parse::<usize>().unwrap()].as_str().unwrap().to_owned()).collect()
}

/// The site of this repository opens on what to do first, and its search finds commands, codes and settings.
#[test]
fn the_own_site_opens_on_what_to_do_first_and_finds_things() {
    let place = own_site();
    let entry = place.read("site/index.html");
    assert!(entry.contains("What to do first") && entry.contains("Your first server"), "{entry}");
    let chapters = place.read("site/toc.html");
    for part in ["Tutorial", "How-to guides", "Reference", "Explanation", "MCP servers"] {
        assert!(chapters.contains(part), "no part {part}");
    }
    // As the index cuts words: at hyphens, and down to their stem.
    for (words, page) in [
        (&["mcp", "auth", "013"][..], "OAUTH_TROUBLESHOOTING.html"),
        (&["cf_access_aud"], "TEMPLATE_GUIDE.html"),
        (&["mcp_auth_encryption_key"], "TEMPLATE_GUIDE.html"),
        (&["audit", "doc"], "reference/commands.html"),
        (&["healthcheck"], "reference/server-commands.html"),
        (&["broken", "anchor"], "reference/checks.html"),
        (&["rollback"], "OAUTH_TROUBLESHOOTING.html"),
    ] {
        let found = search(&place, words);
        assert!(found.iter().any(|url| url.contains(page)), "{words:?}: {found:?}");
    }
    assert!(search(&place, &["nothinghasthisword"]).is_empty());
}

/// Nothing of the catalog becomes markup of the site.
#[test]
fn a_hostile_catalog_makes_no_markup() {
    let place = place(
        "organisation: {name: \"<script>alert(1)</script>\"}\nservices:\n  - {name: \"<img src=x onerror=alert(1)>\", status: planned, location: local, \
         auth_method: none, token_storage: none, notes: \"</script><script>alert(2)</script> {{ links }}\"}\n",
    );
    assert!(build(&place, DAYS[0], &["--html", "site"]).status.success());
    for (path, (bytes, _)) in listing(&place.path("site")) {
        if path.ends_with(".html") {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{path}");
        }
    }
}

#[test]
fn pages_of_ones_own() {
    let place = place(&format!(
        "{CATALOG}docs:\n  templates: templates\n  pages:\n    owners: docs/OWNERS.md\n    fleet: {{section: README.md}}\n    servers: \
         {{section: docs/architecture/SERVERS.md}}\n    current-state: false\n"
    ));
    place.write("README.md", "# Ours\n\n<!-- mcp-kit:begin fleet -->\n<!-- mcp-kit:end fleet -->\n\nEnd.");
    place.write(
        "templates/owners.md",
        "# Owners\n{% for service in services %}\n- {{ service.name }}: {{ service.owner | default(value=\"nobody\") }}\n{%- endfor %}\n\n\
         [Fleet]({{ pages.fleet | link | safe }})\n",
    );
    let refused = refused(&place);
    assert!(
        refused.contains("the page fleet has no template templates/fleet.md") && refused.ends_with("exit 2\n"),
        "{refused}"
    );
    place.write(
        "templates/fleet.md",
        "{{ services | length }} servers, [owners]({{ pages[\"owners\"] | link | safe }})\n",
    );
    let built = outcome(&build(&place, DAYS[0], &[]));
    assert!(built.ends_with("12 of 12 pages written\nexit 0\n"), "{built}");
    assert!(
        place.read("docs/OWNERS.md").ends_with(
            "# Owners\n\n- Notes \\| drafts: \\*platform\\* team\n- Plain: nobody\n\n[Fleet](../README.md)\n"
        )
    );
    let readme = place.read("README.md");
    assert!(
        readme.starts_with("# Ours\n\n<!-- mcp-kit:begin fleet sha256=") && readme.ends_with("-->\n\nEnd."),
        "{readme}"
    );
    assert!(readme.contains("\n2 servers, [owners](docs/OWNERS.md)\n"), "{readme}");
    let servers = place.read("docs/architecture/SERVERS.md");
    assert!(servers.starts_with("# servers\n\n<!-- mcp-kit:begin servers "), "{servers}");
    assert!(place.read("docs/infrastructure/mcp/README.md").contains("(../../architecture/SERVERS.md)"));
    assert!(!place.path("CURRENT_STATE_v1.md").exists());
    assert_eq!(outcome(&build(&place, DAYS[1], &["--check"])), "12 pages up to date\nexit 0\n");
}

/// `audit-docs` says of what a build has made whether it still holds; of what was never made it says nothing.
#[test]
fn the_audit_tells_what_is_stale() {
    let place =
        place(&CATALOG.replace("    sop: docs/sop (new).md\n", "").replace("deprecations:\n", "deprecations: []\n#"));
    let audit = |place: &Place| outcome(&place.run(&["audit-docs", "--strict", "."]));
    place.write("README.md", "# Ours\n\n[Index](docs/infrastructure/mcp/README.md)\n");
    assert!(!audit(&place).contains("stale-page"), "nothing was made yet");
    build(&place, DAYS[0], &[]);
    let clean = audit(&place);
    assert!(clean.contains("no findings") && clean.ends_with("exit 0\n"), "{clean}");

    let catalog = place.read("catalog.yaml");
    fs::write(place.path("catalog.yaml"), catalog.replace("status: planned", "status: deployed")).unwrap();
    place.write(
        "docs/DEPRECATION_NOTICES.md",
        place.read("docs/DEPRECATION_NOTICES.md").replace("No document", "No text"),
    );
    place.write("CURRENT_STATE_v1.md", format!("Text.\n\n{}", place.read("CURRENT_STATE_v1.md")));
    let said = audit(&place);
    // What comes after it says how long it took.
    let (findings, _) = said.split_once("\nGitHub's rules").unwrap();
    assert_snapshot!("audit_stale", findings);
    assert!(said.ends_with("exit 1\n"), "{said}");
    fs::write(place.path("catalog.yaml"), &catalog).unwrap();
    place.write("docs/architecture/ARCHITECTURE.md", "# A\n\n<!-- mcp-kit:begin authentication -->\n");
    let said = audit(&place);
    assert!(
        said.contains("its markers cannot be followed: authentication has no end") && said.ends_with("exit 1\n"),
        "{said}"
    );
    fs::write(place.path("catalog.yaml"), format!("{catalog}docs: {{templates: nowhere}}\n")).unwrap();
    let said = audit(&place);
    assert!(
        said.contains("note: generated pages were not compared: cannot read") && !said.contains("stale-page"),
        "{said}"
    );
}

/// Kills a build at many points: every page is whole, as it was or as it is to be, and the next build makes the rest.
#[test]
fn killed_at_any_point_every_page_is_whole() {
    let kills: u32 = std::env::var("MCP_KIT_DOCS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    // Enough of them that there is a time in between.
    let own: String = (0..100).map(|page| format!("    own-{page}: own/{page}.md\n")).collect();
    let first = format!("{CATALOG}docs:\n  templates: templates\n  pages:\n{own}");
    let place = place(&first);
    for page in 0..100 {
        let text = "{% for service in services %}{{ service.name }} {% endfor %}\n".repeat(2);
        place.write(&format!("templates/own-{page}.md"), text);
    }
    build(&place, DAYS[0], &[]);
    let pages = |place: &Place| {
        listing(place.root())
            .into_iter()
            .filter(|(path, _)| path.ends_with(".md") && !path.starts_with("templates/"))
            .collect::<Vec<_>>()
    };
    let (catalog, before) = (first.replace("Notes | drafts", "Notes / drafts"), pages(&place));
    let all = listing(place.root()).len();
    fs::write(place.path("catalog.yaml"), &catalog).unwrap();
    let began = Instant::now();
    build(&place, DAYS[0], &[]);
    let whole = began.elapsed();
    let after = pages(&place);
    assert!(before != after && before.len() == after.len());
    let (mut undone, mut between, mut done) = (0, 0, 0);
    for round in 0..kills {
        fs::write(place.path("catalog.yaml"), &first).unwrap();
        build(&place, DAYS[0], &[]);
        assert!(pages(&place) == before);
        fs::write(place.path("catalog.yaml"), &catalog).unwrap();
        let mut command = mcp_kit(&place);
        command.env("SOURCE_DATE_EPOCH", DAYS[0]).args(["docs", "build"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // Spread over the time in which pages are written; waiting is the point here.
        std::thread::sleep(
            whole.mul_f64(0.4 + 0.7 * f64::from(round) / f64::from(kills)).max(Duration::from_micros(1)),
        );
        child.kill().unwrap();
        child.wait().unwrap();
        let now = pages(&place);
        for (page, (was, will)) in now.iter().zip(before.iter().zip(&after)) {
            assert!(page == was || page == will, "{} is neither as it was nor as it is to be", page.0);
        }
        match (now == before, now == after) {
            (true, _) => undone += 1,
            (_, true) => done += 1,
            _ => between += 1,
        }
        assert!(build(&place, DAYS[0], &[]).status.success());
        assert!(pages(&place) == after, "another build finishes");
        assert_eq!(listing(place.root()).len(), all, "nothing is left behind");
    }
    println!("{kills} kills over {whole:?}: {undone} before any page, {between} in between, {done} after the last");
}

/// `mcp-kit docs serve`, stopped when dropped.
struct Served {
    process: std::process::Child,
    address: String,
    log: tempfile::NamedTempFile,
}

impl Served {
    fn start(place: &Place) -> Self {
        let mut command = mcp_kit(place);
        let log = tempfile::NamedTempFile::new().unwrap();
        command.args(["docs", "serve", "--port", "0"]).stdout(Stdio::piped()).stderr(log.reopen().unwrap());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        Self { address: address.to_owned(), process, log }
    }

    fn ask(&self, method: &str, path: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.ask("GET", path, &self.address)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    fn eventually_has(&self, path: &str, text: &str) {
        eventually(text, || self.get(path).contains(text));
    }
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "not in a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn serve_shows_the_pages_and_rebuilds_them() {
    const PAGE: &str = "/docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.html";
    let place = place(CATALOG);
    let mut served = Served::start(&place);
    let entry = served.get("/");
    assert!(entry.starts_with("HTTP/1.1 200") && entry.contains("text/html; charset=utf-8"), "{entry}");
    assert!(entry.contains("mcp-kit-reload"), "an open page hears of changes");
    assert!(served.get(PAGE).contains("Plain"));
    assert!(served.get("/nowhere.html").starts_with("HTTP/1.1 404"));
    assert!(served.ask("POST", "/", &served.address).starts_with("HTTP/1.1 405"));
    assert!(served.ask("GET", "/", "rebound.example.com").starts_with("HTTP/1.1 403"), "DNS rebinding");
    assert!(served.ask("GET", "/", "localhost:1").starts_with("HTTP/1.1 200"));

    fs::write(place.path("catalog.yaml"), CATALOG.replace("Plain", "Renamed")).unwrap();
    served.eventually_has(PAGE, "Renamed");
    fs::write(place.path("catalog.yaml"), "services: 1\n").unwrap();
    eventually("the mistake is said", || served.said().contains("a list belongs here"));
    fs::write(place.path("CURRENT_STATE_v1.md"), "# Written by hand\n").unwrap();
    assert!(served.get(PAGE).contains("Renamed"), "the site before is still there");
    fs::write(place.path("catalog.yaml"), CATALOG.replace("Plain", "Mended")).unwrap();
    served.eventually_has(PAGE, "Mended");
    served.eventually_has("/CURRENT_STATE_v1.html", "Written by hand");
    assert_eq!(listing(place.root()).len(), 2, "nothing was written");

    let pid = served.process.id().to_string();
    assert!(std::process::Command::new("kill").arg(&pid).status().unwrap().success());
    assert!(served.process.wait().unwrap().success());
    assert!(served.said().contains("note: rebuilt in "), "{}", served.said());
}

/// A page whose socket opens after the change is as old as one that was open before it.
#[test]
fn serve_tells_a_page_that_was_replaced_before_its_socket_was_open() {
    let place = place(CATALOG);
    let served = Served::start(&place);
    let socket_of = |page: &str| {
        let begun = page.find("mcp-kit-reload").unwrap();
        format!("/{}", page[begun..].split('"').next().unwrap())
    };
    let open = |path: &str| {
        let mut stream = TcpStream::connect(&served.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
             AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            served.address
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let mut status = String::new();
        answer.read_line(&mut status).unwrap();
        assert!(status.starts_with("HTTP/1.1 101"), "{status}");
        while status.trim() != "" {
            status.clear();
            answer.read_line(&mut status).unwrap();
        }
        answer
    };
    let message = |socket: &mut BufReader<TcpStream>| {
        let mut frame = [0; 8];
        socket.read_exact(&mut frame).unwrap();
        String::from_utf8_lossy(&frame[2..]).into_owned()
    };
    let old = socket_of(&served.get("/"));
    let mut before = open(&old);
    fs::write(place.path("catalog.yaml"), CATALOG.replace("Plain", "Renamed")).unwrap();
    assert_eq!(message(&mut before), "reload");
    assert_eq!(message(&mut open(&old)), "reload", "its socket is late");
    let new = socket_of(&served.get("/"));
    let mut quiet = open(&new);
    quiet.get_ref().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(quiet.fill_buf().is_err(), "it is the current page");
}

#[test]
fn serve_says_what_is_wrong_and_ends() {
    let place = place("service: []\n");
    let output = place.run(&["docs", "serve", "--port", "0"]);
    assert!(outcome(&output).ends_with("exit 2\n"), "{}", outcome(&output));
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    fs::write(place.path("catalog.yaml"), CATALOG).unwrap();
    let said = outcome(&place.run(&["docs", "serve", "--port", &port]));
    assert!(said.contains("cannot listen on 127.0.0.1") && said.ends_with("exit 3\n"), "{said}");
}

/// A server has a page with its own names, addresses, folders and commands, whatever characters they hold.
#[test]
fn each_service_has_a_page_of_its_own() {
    let place = place(
        "services:\n  - name: Coda\n    description: Documents of Coda\n    status: deployed\n    location: droplet\n    auth_method: cloudflare-access\n    \
         token_storage: postgresql\n    environments:\n      - {name: staging, url: \"https://staging.example.com/mcp\", host: ops@staging.example.com, folder: /opt/coda/current}\n      \
         - {name: production, url: \"https://coda.example.com/mcp\", host: ops@coda.example.com, folder: \"/opt/my coda; rm -rf ~\"}\n    tools: [plain, {name: get_doc, \
         read_only: true}, {name: delete_doc, destructive: true}]\n    owner: Platform | team\n    on_call: \"#mcp-oncall\"\n    escalation: Head of platform after 30 minutes\n    \
         upstreams: [{name: Coda, url: \"https://coda.io/apis/v1\", token_rotated: 2026-01-01}]\n    dashboards: {Requests: \"https://grafana.example.com/d/1\"}\n    version: 1.2.0\n    \
         last_verified: 2026-02-01\n    x-cost: 5\n  - {name: In the cluster, status: deployed, location: kubernetes, auth_method: bearer, token_storage: env, \
         environments: [{name: production, namespace: mcp}]}\n  - {name: A Worker, id: worker-1, status: planned, location: workers, auth_method: oauth, token_storage: kv}\n",
    );
    assert!(build(&place, DAYS[0], &[]).status.success());
    let page = |id: &str| place.read(&format!("docs/architecture/integrations/mcp/services/{id}.md"));
    assert_snapshot!("service_page", page("coda"));
    assert!(page("in-the-cluster").contains("kubectl --namespace mcp get pods"), "{}", page("in-the-cluster"));
    assert!(
        page("worker-1").contains("mcp-kit catalog verify --service worker-1")
            && !page("worker-1").contains("wrangler")
    );
    let servers = place.read(SERVERS);
    assert!(
        servers.contains("[Coda](services/coda.md)") && servers.contains("| Platform \\| team | 2026-02-01 |"),
        "{servers}"
    );
    // The page of a server that is gone stays, and is named.
    let renamed = fs::read_to_string(place.path("catalog.yaml")).unwrap().replace("id: worker-1", "id: worker-2");
    fs::write(place.path("catalog.yaml"), &renamed).unwrap();
    let said = outcome(&build(&place, DAYS[0], &[]));
    assert!(said.contains("note: docs/architecture/integrations/mcp/services/worker-1.md is the page of no service any more: delete it"), "{said}");
    // Somewhere else, or nowhere.
    let moved = fs::read_to_string(place.path("catalog.yaml")).unwrap();
    let other = self::place(&format!("{moved}docs: {{pages: {{service: \"handbook/{{id}}/README.md\"}}}}\n"));
    assert!(build(&other, DAYS[0], &[]).status.success());
    assert!(other.read("handbook/worker-2/README.md").contains("# A Worker"));
    let none = self::place(&format!("{moved}docs: {{pages: {{service: false}}}}\n"));
    assert!(build(&none, DAYS[0], &[]).status.success());
    assert!(none.read(SERVERS).contains("| [Coda](<https://coda.example.com/mcp>) |"));
}
