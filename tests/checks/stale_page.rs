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
    assert_snapshot!(place.audit(&[]), @r"
    CURRENT_STATE_v1.md  1 error

      error[stale-page]: `mcp-kit docs build` would write something else here now
       --> CURRENT_STATE_v1.md:3:1

    docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md  1 error

      error[stale-page]: `mcp-kit docs build` would write something else here now
       --> docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md:1:1

    docs/infrastructure/mcp/OAUTH_SOP.md  1 error

      error[stale-page]: `mcp-kit docs build` would write something else here now
       --> docs/infrastructure/mcp/OAUTH_SOP.md:1:1

    Findings:

            3  error    stale-page

    GitHub's rules, because nothing says otherwise
    10 documents, 93 links in [TIME]: 3 errors

    Next:
      mcp-kit audit-docs --explain stale-page   # say what that means and how to fix it
    exit 1
    ");
}

#[test]
fn a_page_that_somebody_has_changed_is_one_too() {
    let place = built();
    place.write(SERVERS, place.read(SERVERS).replace("Notes", "Our notes"));
    assert_snapshot!(place.audit(&[]), @r"
    docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md  1 error

      error[stale-page]: somebody has changed what `mcp-kit docs build` made here
       --> docs/architecture/integrations/mcp/MCP_SERVER_CATALOG.md:1:1

    Findings:

            1  error    stale-page

    GitHub's rules, because nothing says otherwise
    10 documents, 93 links in [TIME]: 1 error

    Next:
      mcp-kit audit-docs --explain stale-page   # say what that means and how to fix it
    exit 1
    ");
}

#[test]
fn pages_as_they_were_built_are_no_finding() {
    assert_snapshot!(built().audit(&[]), @r"
    GitHub's rules, because nothing says otherwise
    10 documents, 93 links in [TIME]: no findings
    exit 0
    ");
}
