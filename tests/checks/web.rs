//! A host on this machine for the checks that ask the web.

#[path = "../../src/audit/web/local.rs"]
#[allow(dead_code, unreachable_pub)]
mod local;

use crate::common::tree;

/// A catalog that lets the audit ask hosts of this machine.
const CATALOG: (&str, &str) = ("catalog.yaml", "audit:\n  online:\n    private: true\n");

/// Returns what `audit-docs --online` shows of a README in which `HOST` stands for the address of the host.
pub(crate) fn audit(readme: &str, more: &[&str]) -> String {
    let host = local::Local::start();
    let place = tree(&[("README.md", &readme.replace("HOST", &host.url(""))), CATALOG]);
    let said = place.audit(&[&["--online", "--web-cache", "cache.json"], more].concat());
    // The port may have four digits or five, which moves columns and lengthens the marks below the line.
    let said = regex::Regex::new(r"README\.md:(\d+):\d+").unwrap().replace_all(&said, "README.md:$1:_").into_owned();
    let said = regex::Regex::new(r"(?m)^ +\| +\^+").unwrap().replace_all(&said, "    |  [MARK]").into_owned();
    said.replace(&host.url(""), "http://[HOST]")
}
