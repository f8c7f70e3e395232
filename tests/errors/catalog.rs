//! `mcp-kit catalog`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Case, Place, case};

/// The arguments of `catalog add`, and more.
macro_rules! add {
    ($($more:literal),*) => {
        &[
            "catalog", "add", "Notes", "--status", "planned", "--location", "workers", "--auth-method", "none",
            "--token-storage", "none", $($more),*
        ]
    };
}

const ADD: &[&str] = add!();

const NOTES: &str =
    "services:\n  - {name: Notes, status: planned, location: workers, auth_method: none, token_storage: none}\n";

/// Two servers that the registry can take.
const TWO: &str = "organisation: {name: Us, domain: example.com}\nservices:\n  - {name: One, description: The first, status: deployed, location: workers, auth_method: none, token_storage: none, url: \"https://one.example.com\", version: 1.0.0}\n  - {name: Two, description: The second, status: deployed, location: workers, auth_method: none, token_storage: none, url: \"https://two.example.com\", version: 1.0.0}\n";

const CREDENTIALS: &[&str] = &["catalog", "verify", "--credentials", "fleet.yaml"];

/// A catalog, and a file with credentials of this mode.
fn credentials(place: &Place, text: &str, mode: u32) {
    place.write("catalog.yaml", NOTES);
    place.write("fleet.yaml", text);
    fs::set_permissions(place.path("fleet.yaml"), fs::Permissions::from_mode(mode)).unwrap();
}

fn wrong(place: &Place) {
    place.write("catalog.yaml", "services:\n  - {name: Notes, status: deploied}\nservces: []\n");
}

pub(super) const CASES: &[Case] = &[
    case("catalog_check_missing", &["CatalogError::Io"], &["catalog", "check"]),
    case("catalog_check_is_a_folder", &["CatalogError::Io"], &["catalog", "check", "--catalog", "docs"])
        .with(|place| fs::create_dir(place.path("docs")).unwrap()),
    case("catalog_check_problems", &["CatalogError::Problems"], &["catalog", "check"]).with(wrong),
    case("catalog_check_not_yaml", &["CatalogError::Problems"], &["catalog", "check"])
        .with(|place| place.write("catalog.yaml", "services:\n  - name: \"x\n")),
    case("catalog_check_not_utf8", &["CatalogError::Problems"], &["catalog", "check"])
        .with(|place| place.write("catalog.yaml", b"organisation:\n  name: \xff\n")),
    case("catalog_list_missing", &["CatalogError::Io"], &["catalog", "list", "--catalog", "gone.yaml"]),
    case("catalog_list_problems", &["CatalogError::Problems"], &["catalog", "list"]).with(wrong),
    case("catalog_add_name_taken", &["CatalogError::Add"], ADD).with(|place| place.write("catalog.yaml", NOTES)),
    case("catalog_add_to_one_line", &["CatalogError::Add"], ADD).with(|place| {
        place.write(
            "catalog.yaml",
            "services: [{name: Other, status: planned, location: workers, auth_method: none, token_storage: none}]\n",
        )
    }),
    case("catalog_add_to_problems", &["CatalogError::Problems"], ADD).with(wrong),
    case("catalog_add_not_utf8", &["CatalogError::Problems"], ADD)
        .with(|place| place.write("catalog.yaml", b"# \xff\n")),
    case("catalog_add_to_a_folder", &["CatalogError::Io"], ADD)
        .with(|place| fs::create_dir(place.path("catalog.yaml")).unwrap()),
    case("catalog_add_wrong_address", &["CatalogError::Problems"], add!("--url", "ftp://x")),
    case("catalog_migrate_missing", &["CatalogError::Io"], &["catalog", "migrate"]),
    case("catalog_migrate_problems", &["CatalogError::Problems"], &["catalog", "migrate"]).with(wrong),
    case("catalog_migrate_in_one_line", &["CatalogError::Edit"], &["catalog", "migrate"])
        .with(|place| place.write("catalog.yaml", "{services: []}\n")),
    case("catalog_migrate_unknown_version", &["CatalogError::Problems"], &["catalog", "migrate"])
        .with(|place| place.write("catalog.yaml", "catalog: 9\n")),
    case("catalog_export_missing", &["CatalogError::Io"], &["catalog", "export", "--to", "backstage"]),
    case("catalog_export_to_nothing", &[], &["catalog", "export", "--to", "backstge"]),
    case(
        "catalog_export_of_nothing",
        &["ExportError::NoService"],
        &["catalog", "export", "--to", "backstage", "--service", "Nots"],
    )
    .with(|place| place.write("catalog.yaml", NOTES)),
    case("catalog_export_several_files", &["ExportError::Several"], &["catalog", "export", "--to", "server-json"])
        .with(|place| place.write("catalog.yaml", TWO)),
    case(
        "catalog_export_below_a_file",
        &["CatalogError::Write", "FilesError::Io"],
        &["catalog", "export", "--to", "backstage", "--out", "catalog.yaml"],
    )
    .with(|place| place.write("catalog.yaml", NOTES)),
    case("catalog_verify_missing", &["CatalogError::Io"], &["catalog", "verify"]),
    case("catalog_verify_of_nothing", &["ExportError::NoService"], &["catalog", "verify", "--service", "Nots"])
        .with(|place| place.write("catalog.yaml", NOTES)),
    case("catalog_verify_no_credentials", &["CredentialsError::Io"], CREDENTIALS)
        .with(|place| place.write("catalog.yaml", NOTES)),
    case("catalog_verify_credentials_of_all", &["CredentialsError::Readable"], CREDENTIALS)
        .with(|place| credentials(place, "notes: {Authorization: Bearer sesame}\n", 0o644)),
    case("catalog_verify_credentials_without_header", &["CredentialsError::Form"], CREDENTIALS)
        .with(|place| credentials(place, "# ours\nnotes: Bearer sesame\n", 0o600)),
    case("catalog_verify_timeout", &[], &["catalog", "verify", "--timeout", "0"]),
    case(
        "catalog_add_in_no_folder",
        &["CatalogError::Write", "FilesError::Io"],
        add!("--catalog", "gone/catalog.yaml"),
    ),
];

#[test]
fn errors() {
    CASES.iter().for_each(Case::check);
}
