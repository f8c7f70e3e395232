//! `mcp-kit add`, `init` and `new` on a terminal or from a git address.

use super::{Case, Place, case};

/// As much of a project as the command looks at.
fn project(place: &Place) {
    place.write("Cargo.toml", "");
    place.write("src/config.rs", "use mcp_server_runtime::Setting;\n\npub const SETTINGS: &[Setting] = &[];\n");
    place.write(
        "src/lib.rs",
        "pub mod config;\n\nfn server() {\n    Server::new(|_settings| Ok(Handlers::new(Tools::default())))\n}\n",
    );
    place.write(
        "src/handlers/tools.rs",
        "/// Taken.\npub struct TakenType {\n}\n\n#[tool_router]\nimpl Tools {\n    fn list_rows(&self) {}\n}\n\nimpl Default for Tools {\n}\n",
    );
}

const DESCRIPTION: &str = r##"openapi: 3.0.3
info: {title: Notes, version: "1"}
servers: [{url: https://notes.example/v1}]
paths:
  /rows:
    get: {operationId: listRows, tags: [rows]}
    post: {operationId: addRow, tags: [rows]}
  /files:
    post:
      operationId: upload
      tags: [files]
      requestBody: {content: {multipart/form-data: {}}}
  /remote:
    get: {operationId: remote, parameters: [{$ref: "https://evil.example/p.yaml#/x"}]}
  /loop:
    get: {operationId: loop, parameters: [{$ref: "#/components/parameters/a"}]}
components:
  parameters: {a: {$ref: "#/components/parameters/b"}, b: {$ref: "#/components/parameters/a"}}
"##;

fn described(place: &Place) {
    project(place);
    place.write("api.yaml", DESCRIPTION);
}

/// The same with another operation, flag or file.
macro_rules! from_openapi {
    ($($more:literal),+) => {
        &["add", "tool", "--from-openapi", "api.yaml", "--upstream", "notes", $($more),+]
    };
}

pub(super) const CASES: &[Case] = &[
    case("add_no_project", &["ExtendError::NoProject"], &["add", "tool", "x"]),
    case("add_tool_name", &["ExtendError::Name", "BadIdentifier"], &["add", "tool", "listRows"]).with(project),
    case("add_tool_type_taken", &["ExtendError::Taken"], &["add", "tool", "taken_type"]).with(project),
    case("add_tool_argument", &["ExtendError::Argument"], &["add", "tool", "x", "--argument", "n:int"]).with(project),
    case("add_tool_title", &["ExtendError::Value"], &["add", "tool", "x", "--title", "a\nb"]).with(project),
    case("add_tool_upstream", &["ExtendError::NoUpstream"], &["add", "tool", "x", "--upstream", "weather"])
        .with(project),
    case("add_tool_no_place", &["ExtendError::NoPlace"], &["add", "tool", "x"]).with(|place| {
        project(place);
        place.write("src/handlers/tools.rs", "// #[tool_router]\n");
    }),
    case("add_tool_not_utf8", &["ExtendError::Unreadable"], &["add", "tool", "x"]).with(|place| {
        project(place);
        place.write("src/handlers/tools.rs", b"\xff");
    }),
    case("add_upstream_old_runtime", &["ExtendError::OldRuntime"], &["add", "upstream", "x"]).with(|place| {
        project(place);
        place.write("vendor/mcp-server-runtime/src/lib.rs", "");
    }),
    case("add_setting_default", &["ExtendError::Value"], &["add", "setting", "X", "--kind", "seconds"]).with(project),
    case("add_setting_of_every_server", &["ExtendError::Taken"], &["add", "setting", "PORT"]).with(project),
    case("add_upstream_base", &["ExtendError::Value"], &["add", "upstream", "x", "--base", "ftp://x.example"])
        .with(project),
    case("add_tool_without_name", &[], &["add", "tool"]).with(project),
    case("add_tool_openapi_without_selection", &[], &["add", "tool", "--from-openapi", "a", "--upstream", "b"])
        .with(project),
    case("add_openapi_missing", &["OpenApiError::Unreadable"], from_openapi!("--tag", "rows")).with(project),
    case("add_openapi_not_yaml", &["OpenApiError::Syntax"], from_openapi!("--tag", "rows")).with(|place| {
        project(place);
        place.write("api.yaml", "openapi: 3.0.0\npaths: [\n");
    }),
    case("add_openapi_swagger", &["OpenApiError::Version"], from_openapi!("--tag", "rows")).with(|place| {
        project(place);
        place.write("api.yaml", "swagger: '2.0'\n");
    }),
    case("add_openapi_remote", &["OpenApiError::Remote"], from_openapi!("--operation", "remote")).with(described),
    case("add_openapi_loop", &["OpenApiError::Reference"], from_openapi!("--operation", "loop")).with(described),
    case("add_openapi_no_operation", &["OpenApiError::NoOperation"], from_openapi!("--operation", "listRow"))
        .with(described),
    case("add_openapi_no_tag", &["OpenApiError::NoTag"], from_openapi!("--tag", "row")).with(described),
    case("add_openapi_writes", &["OpenApiError::Writes"], from_openapi!("--operation", "addRow")).with(described),
    case("add_openapi_unsupported", &["OpenApiError::Unsupported"], from_openapi!("--operation", "upload", "--write"))
        .with(described),
    case("add_openapi_nothing", &["OpenApiError::Nothing"], from_openapi!("--tag", "files")).with(described),
    case("add_openapi_no_server", &["OpenApiError::NoServer"], from_openapi!("--operation", "listRows")).with(
        |place| {
            project(place);
            place.write("api.yaml", DESCRIPTION.replace("https://notes.example/v1", "/v1"));
        },
    ),
    case("add_openapi_taken", &["ExtendError::Taken"], from_openapi!("--operation", "listRows")).with(described),
    case(
        "add_openapi_file_of_others",
        &["ExtendError::OperationsFile"],
        from_openapi!("--operation", "listRows", "--prefix", "x_"),
    )
    .with(|place| {
        described(place);
        place.write("src/notes.tools.json", "{\"tools\": 1}");
    }),
    case("init_no_folder", &["BeginError::NoFolder"], &["init", "gone"]),
    case("init_catalog", &["BeginError::Catalog"], &["init"]).with(|place| place.write("catalog.yaml", "services:\n")),
    case("init_page_in_the_way", &["BeginError::Pages"], &["init"])
        .with(|place| place.write("docs/infrastructure/mcp/OAUTH_SOP.md", "# Ours\n")),
    case("new_without_name", &["RequestError::NoName"], &["new"]),
    case(
        "new_template_clone",
        &["CloneError::Refused", "NewError::Clone"],
        &["new", "x", "--template", "file:///gone/t.git"],
    ),
    case("new_template_without_git", &["CloneError::NoGit"], &["new", "x", "--template", "https://git.example/t.git"])
        .environment(|_, command| {
            command.env("PATH", "/nowhere");
        }),
    case(
        "new_template_clone_folder",
        &["CloneError::Folder"],
        &["new", "x", "--template", "https://git.example/t.git"],
    )
    .environment(|place, command| {
        command.env("TMPDIR", place.path("gone"));
    }),
];

#[test]
fn errors() {
    CASES.iter().for_each(Case::check);
}
