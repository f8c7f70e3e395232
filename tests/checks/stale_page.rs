//! `stale-page`: a generated page that differs from its source.

use insta::assert_snapshot;

use crate::common::{Place, tree};

const CATALOG: &str =
    "services:\n  - {name: Notes, status: planned, location: workers, auth_method: none, token_storage: none}\n";
const SERVERS: &str = "docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md";

/// A tree with the pages of its catalog.
fn built() -> Place {
    let place =
        tree(&[("README.md", "# Us\n\n[Servers](docs/infrastructure/mcp/README.md)\n"), ("catalog.yaml", CATALOG)]);
    place.ok(&["docs", "build"]);
    place
}

#[test]
fn a_page_that_a_build_would_write_otherwise_is_an_error() {
    let place = built();
    place.write("catalog.yaml", CATALOG.replace("planned", "deployed"));
    assert_snapshot!(place.audit(&[]), @"");
}

#[test]
fn a_page_that_somebody_has_changed_is_one_too() {
    let place = built();
    place.write(SERVERS, place.read(SERVERS).replace("Notes", "Our notes"));
    assert_snapshot!(place.audit(&[]), @"");
}

#[test]
fn pages_as_they_were_built_are_no_finding() {
    assert_snapshot!(built().audit(&[]), @"");
}
