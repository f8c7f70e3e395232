//! Errors of `mcp-kit fleet`.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case("fleet_no_list", &["FleetError::List"], &["fleet", "status", "--repos", "list.txt"]),
    case("fleet_empty", &["FleetError::Empty"], &["fleet", "status", "--repos", "list.txt"])
        .with(|place| place.write("list.txt", "# none yet\n\n")),
    case("fleet_no_catalog", &["FleetError::Catalog"], &["fleet", "update", "--catalog", "catalog.yaml"]),
];

#[test]
fn errors_of_fleet() {
    CASES.iter().for_each(Case::check);
}
