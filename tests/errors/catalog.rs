//! `mcp-kit catalog`.

use std::fs;

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
