//! `mcp-kit docs`.

use std::fs;
use std::os::unix::fs::symlink;

use super::{Case, Place, case, compare, mcp_kit};

const CATALOG: &str =
    "services:\n  - {name: Notes, status: planned, location: workers, auth_method: none, token_storage: none}\n";

fn good(place: &Place) {
    place.write("catalog.yaml", CATALOG);
}

/// A catalog with templates of one's own.
fn templates(place: &Place, pages: &str) {
    place.write("catalog.yaml", format!("{CATALOG}docs:\n  templates: templates\n  pages: {{{pages}}}\n"));
}

pub(super) const CASES: &[Case] = &[
    case("docs_build_catalog_missing", &["DocsError::Catalog", "CatalogError::Io"], &["docs", "build"]),
    case("docs_build_catalog_problems", &["CatalogError::Problems"], &["docs", "build"])
        .with(|place| place.write("catalog.yaml", "docs:\n  template: x\n  pages: {server: A.md}\n")),
    case("docs_build_templates_missing", &["BuildError::Read", "DocsError::Build"], &["docs", "build"])
        .with(|place| templates(place, "")),
    case("docs_build_page_below_a_file", &["BuildError::Read"], &["docs", "build"]).with(|place| {
        good(place);
        place.write("docs", "a file where a folder has to be");
    }),
    case("docs_build_page_not_utf8", &["BuildError::NotUtf8"], &["docs", "build"]).with(|place| {
        good(place);
        place.write("docs/DEPRECATION_NOTICES.md", b"\xff");
    }),
    case("docs_build_template_not_tera", &["BuildError::Template"], &["docs", "build"]).with(|place| {
        templates(place, "");
        place.write("templates/servers.md", "# Servers\n\n{% if %}\n");
    }),
    case("docs_build_template_of_unknown_values", &["BuildError::Template"], &["docs", "build"]).with(|place| {
        templates(place, "");
        place.write("templates/servers.md", "# Servers\n\n{{ nobody.knows }}\n");
    }),
    case("docs_build_template_is_a_link_out", &["BuildError::Outside"], &["docs", "build"]).with(|place| {
        templates(place, "");
        place.write("templates/servers.md", "");
        fs::remove_file(place.path("templates/servers.md")).unwrap();
        symlink("/etc/passwd", place.path("templates/servers.md")).unwrap();
    }),
    case("docs_build_template_of_no_page", &["BuildError::NoPage"], &["docs", "build"]).with(|place| {
        templates(place, "");
        place.write("templates/server.md", "# Server\n");
    }),
    case("docs_build_page_without_template", &["BuildError::NoTemplate"], &["docs", "build"]).with(|place| {
        templates(place, "fleet: docs/FLEET.md");
        fs::create_dir(place.path("templates")).unwrap();
    }),
    case("docs_build_markers", &["BuildError::Markers"], &["docs", "build"]).with(|place| {
        good(place);
        place.write("docs/architecture/ARCHITECTURE.md", "# A\n\n<!-- mcp-kit:begin authentication -->\n");
    }),
    case("docs_build_written_by_hand", &["BuildError::ByHand"], &["docs", "build"]).with(|place| {
        good(place);
        place.write("docs/DEPRECATION_NOTICES.md", "# Mine\n");
    }),
    case("docs_build_several", &["DocsError::Build"], &["docs", "build"]).with(|place| {
        templates(place, "fleet: docs/FLEET.md");
        place.write("templates/server.md", "");
        place.write("templates/index.md", b"\xff");
    }),
    // To reading, nothing is at the end of such a link; to writing, there is something.
    case("docs_build_page_is_a_dangling_link", &["JournalError::InTheWay", "DocsError::Write"], &["docs", "build"])
        .with(|place| {
            good(place);
            symlink("gone.md", place.path("CURRENT_STATE_v1.md")).unwrap();
        }),
    case("docs_build_foreign_journal", &["JournalError::Damaged"], &["docs", "build"]).with(|place| {
        good(place);
        place.write(".mcp-kit/journal", "[]\n");
    }),
    case(
        "docs_build_site_of_others",
        &["SiteError::NotGenerated", "DocsError::Site"],
        &["docs", "build", "--html", "mine"],
    )
    .with(|place| {
        good(place);
        place.ok(&["docs", "build"]);
        place.write("mine/notes.txt", "mine");
    }),
    case(
        "docs_build_site_below_a_file",
        &["SiteError::Files", "FilesError::Io"],
        &["docs", "build", "--html", "README.md/site"],
    )
    .with(|place| {
        good(place);
        place.ok(&["docs", "build"]);
        place.write("README.md", "# Us\n");
    }),
    case("docs_serve_catalog_missing", &["ServeError::Docs"], &["docs", "serve", "--port", "0"]),
    case("docs_serve_catalog_problems", &["ServeError::Docs"], &["docs", "serve", "--port", "0"])
        .with(|place| place.write("catalog.yaml", "service: []\n")),
    case("docs_serve_template", &["ServeError::Docs"], &["docs", "serve", "--port", "0"]).with(|place| {
        templates(place, "");
        place.write("templates/servers.md", "{% if %}");
    }),
];

#[test]
fn errors() {
    CASES.iter().for_each(Case::check);
}

#[test]
fn a_port_that_is_taken() {
    let place = Place::new();
    good(&place);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let output = mcp_kit(&place).args(["docs", "serve", "--port", &port]).output().unwrap();
    compare(&place, "docs_serve_port_taken", &["docs", "serve", "--port", "[PORT]"], &output);
}
