//! Issuer and audience, as far as they can be checked without a token.

use mcp_auth_middleware::AccessConfig;
use reqwest::Url;

use super::report::{Report, quoted};
use super::runbook::ACCESS;

pub(super) fn check(report: &mut Report, access: &AccessConfig) {
    let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let (issuer, keys) = (host(access.issuer()), host(access.certs_url()));
    if issuer == keys {
        report.ok("issuer", format!("{}; its keys come from there", access.issuer()));
    } else {
        let text = format!("tokens of {} are checked by the keys of {keys}", access.issuer());
        report.warn("issuer", text, "Right for an emulator alone: take CF_ACCESS_CERTS_URL away.", ACCESS);
    }
    // Every AUD tag that the documentation of Access shows has 64 hexadecimal digits.
    let odd = |tag: &&String| tag.len() != 64 || !tag.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match access.audiences().iter().find(odd) {
        None => {
            let text = match access.audiences().len() {
                1 => "an AUD tag of 64 digits".to_owned(),
                count => format!("{count} AUD tags of 64 digits"),
            };
            report.ok("audience", text);
        }
        Some(tag) => {
            let advice = "Copy the AUD tag from the application's page: Configure > Additional settings.";
            report.warn("audience", format!("{} does not look like an AUD tag", quoted(tag)), advice, ACCESS);
        }
    }
}
