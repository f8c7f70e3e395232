//! Reads what lychee-lib 0.24.2 exposes only as text or through serde. The texts of errors come from the libraries
//! below it (reqwest, hyper, the system's resolver). A test fails when Cargo.lock has another lychee-lib.

use std::error::Error;
use std::fmt::Display;

use lychee_lib::Response;
use url::Url;

/// Returns a status code with its name, if it has one.
pub(super) fn status_text(code: &impl Display) -> String {
    code.to_string().replace(" <unknown status code>", "")
}

/// Returns whether the cause of a failed connection is the network on the way and not the host.
pub(super) fn is_passing(why: &str) -> bool {
    const PASSING: [&str; 6] =
        ["Temporary failure", "temporary failure", "unreachable", "timed out", "reset by peer", "try again"];
    PASSING.iter().any(|word| why.contains(word))
}

/// Returns the last cause of an error, which has the reason.
pub(super) fn deepest(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Returns status and address of every redirect. The library exposes them only through serde.
pub(super) fn chain(response: &Response) -> Vec<(u16, Url)> {
    let Some(redirects) = response.redirects().and_then(|redirects| serde_json::to_value(redirects).ok()) else {
        return Vec::new();
    };
    let hops = redirects.get("redirects").and_then(|hops| hops.as_array()).cloned().unwrap_or_default();
    let hop = |hop: &serde_json::Value| {
        let code = hop.get("code")?.as_u64()?;
        Some((u16::try_from(code).ok()?, Url::parse(hop.get("url")?.as_str()?).ok()?))
    };
    hops.iter().filter_map(hop).collect()
}

#[cfg(test)]
mod tests {
    /// Fails when Cargo.lock has another version: read its texts, adapt this module, then change the version in the test.
    fn assert_locked(name: &str, version: &str) {
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        let lock = include_str!("../../../Cargo.lock").replace("\r\n", "\n");
        assert!(lock.contains(&entry), "Cargo.lock has another {name} than {version}: read its texts again");
        let versions = lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(versions, 1, "Cargo.lock has {name} more than once");
    }

    #[test]
    fn holds_for_the_locked_version() {
        assert_locked("lychee-lib", "0.24.2");
    }
}
