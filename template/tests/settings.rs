//! `.env.example`, the page of settings and the ConfigMap are what the table of settings says.
#![allow(clippy::expect_used, reason = "tests may say what they expect")]

use mcp_server_runtime::{Environment, Format};

const EXAMPLE: &str = include_str!("../.env.example");
/// These have the project's own values, which are no defaults of the table.
const OWN: [&str; 2] = ["AUTH_MODE", "TOKEN_STORE"];

#[test]
fn the_example_has_every_setting_with_its_default() {
    let value = |name: &str| EXAMPLE.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let own = OWN.map(|name| (name, value(name).unwrap_or_default()));
    let table = mcp_server::server().export(&Environment::from_pairs(own), Format::Env);
    assert!(EXAMPLE == table, "write it again, by the command: config --format env >.env.example\n{table}");
}

#[test]
fn the_page_has_the_table() {
    let table = mcp_server::server().export(&Environment::from_pairs([("", "")]), Format::Markdown);
    assert!(include_str!("../docs/SETTINGS.md").contains(&table), "take it from: config --format markdown\n{table}");
}

#[test]
fn the_config_maps_have_settings_and_no_secret() {
    let table = mcp_server::server().table();
    let check = |map: &str, least: usize| {
        let (_, map) = map.split_once("configMapGenerator:").expect("a ConfigMap");
        let (map, _) = map.split_once("\npatches:").unwrap_or((map, ""));
        let names = map.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split_once('='));
        let count = names.inspect(|(name, _)| {
            let row = table.iter().find(|row| row.name == *name);
            assert!(row.is_some_and(|row| !row.is_secret()), "{name} is no setting of the table, or a secret");
        });
        assert!(count.count() >= least, "{map}");
    };
    check(include_str!("../deploy/kubernetes/base/kustomization.yaml"), 3);
    check(include_str!("../deploy/kubernetes/overlays/production/kustomization.yaml"), 1);
    check(include_str!("../deploy/kubernetes/overlays/development/kustomization.yaml"), 3);
}
