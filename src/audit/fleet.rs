//! The kinds of findings about a fleet: what each means, why it matters, and the fix. `catalog check` and
//! `catalog verify` find them; the reporters are those of `audit-docs`.

use super::finding::Code;

/// A kind of finding about a fleet.
#[derive(Clone, Copy, Debug)]
pub struct FleetCode {
    /// The code.
    pub code: Code,
    /// The defect, as a noun phrase.
    pub summary: &'static str,
    /// The meaning and the reason that it matters.
    pub why: &'static str,
    /// The fix.
    pub fix: &'static str,
}

macro_rules! fleet {
    ($($code:ident $summary:literal $why:literal => $fix:literal;)+) => {
        /// All kinds, in the order of the reference.
        pub const ALL: &[FleetCode] =
            &[$(FleetCode { code: Code::$code, summary: $summary, why: $why, fix: $fix }),+];
    };
}

fleet! {
    OldCatalog "Catalog in an older form"
        "The catalog is read as before, but an entry of an older form can lack what a newer page, export or check needs: a template that looks like a server, ids that are not unique."
        => "Run `mcp-kit catalog migrate --dry-run`, read the diff, and run it without `--dry-run`. It keeps comments and order.";
    MissingUrl "Deployed server without an address"
        "Nobody can verify the server, and its page has no command that can be copied."
        => "Add `url`, or `environments` with a `url` each.";
    MissingOwner "Deployed server without an owner"
        "When the server fails, nobody knows whom to call."
        => "Add `owner`, and `on_call` and `escalation` where they differ.";
    NotVerified "Deployed server whose entry was not checked for long"
        "An entry that nobody compares with the server becomes wrong without notice."
        => "Run `mcp-kit catalog verify --write`, or check the entry and set `last_verified`. `check.verified_days` says how long an entry counts.";
    Unreachable "Server that does not answer its clients"
        "Clients cannot use the server: its name has no address, the connection or TLS fails, it does not answer in time, or Cloudflare does not reach it (502, 530). Behind Cloudflare Access, only a client with a credential sees that: the edge answers all others by itself."
        => "Follow the runbook of the server from its first step. If the server is gone on purpose, set `status: retired`.";
    BlockedClient "Edge that blocks AI clients"
        "Cloudflare answers `Claude-User` with 403 in plain text while other clients pass: \"Block AI bots\" or AI Crawl Control is on. The server never sees these requests."
        => "Let `Claude-User` pass at the edge for this host name.";
    Unhealthy "Server that says that it is unwell"
        "`/health` answers, but not with 200, or with another status than ok; or the server answers its clients with 5xx, with or without a code such as MCP-AUTH-017."
        => "Look up the code in the runbook's index by error code. Without one, read the log of the server.";
    OpenServer "Server that answers without credentials"
        "The catalog says that callers authenticate, and the server answered somebody who did not. Everybody who knows the address can call its tools."
        => "Close the server first: stop the tunnel, or add the Access application. Then find out which setting let it open.";
    AuthDrift "Authentication that is not that of the catalog"
        "The challenge, or what the server says of itself, belongs to another way of authentication. Clients that were set up by the catalog fail."
        => "Correct `auth_method`, or the setting of the server or the edge.";
    StorageDrift "Token storage that is not that of the catalog"
        "Runbook and SOP of the page are for another storage than the one that the server uses."
        => "Correct `token_storage`, or `TOKEN_STORE` of the server.";
    VersionDrift "Version that is not that of the catalog"
        "A deployment went past the catalog, or a rollback was forgotten."
        => "Run `mcp-kit catalog verify --write`, or deploy what the catalog says.";
    TemplateDrift "Server made from another template"
        "The server says that it was made from another version of the template than the catalog has, or the catalog's is older than that of this mcp-kit."
        => "Update the project, and then `template` in the catalog.";
    ToolsDrift "Tools that are not those of the catalog"
        "Tools came or went, or their hints changed: a tool that was read-only can write now. Reviews and portals go by the list in the catalog."
        => "Review the new tools, then run `mcp-kit catalog verify --write`.";
    NotMcp "Address that is no MCP endpoint"
        "Something answers, but not MCP: a page in HTML, a redirect that leads in a circle or elsewhere, an answer that is too large, or one that is no JSON-RPC."
        => "Correct `url`: it is the address that clients use, such as https://HOST/mcp.";
    BadMetadata "Challenge that leads no client to a login"
        "The server asks for a login, but `WWW-Authenticate`, the metadata that it names, or the authorization server in it is missing or wrong. Interactive clients stop there."
        => "With Cloudflare Access, turn on Managed OAuth. Otherwise correct `resource`, `authorization_servers` and PKCE in the metadata.";
    CertificateEnds "Certificate that ends soon, or is not valid"
        "After that day no client connects."
        => "Find out why it was not renewed.";
    RefusedCredential "Credential that the server refuses"
        "The credential of `--credentials` does not work: it expired, was revoked, or no policy allows it. With a code such as MCP-AUTH-010, the server refuses it, and not the edge in front of it. Tools and versions were not compared."
        => "Look up the code in the runbook's index by error code. Without one, renew the credential; an Access service token needs a policy with the action Service Auth.";
}

/// Returns the kind with this code.
#[must_use]
pub fn for_code(code: Code) -> Option<&'static FleetCode> {
    ALL.iter().find(|kind| kind.code == code)
}

/// Returns the defect that a code stands for, as a noun phrase.
#[must_use]
pub fn summary(code: Code) -> &'static str {
    for_code(code).map_or("", |kind| kind.summary)
}

/// Returns the explanation of a code, in Markdown.
#[must_use]
pub fn explanation(kind: &FleetCode) -> String {
    format!("{}\n\n**How to fix it.** {}\n", kind.why, kind.fix)
}

/// Returns the reference of all codes, in Markdown: `docs/reference/fleet.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = "# Findings of catalog check and verify\n\n\
        <!-- Generated from src/audit/fleet.rs; run UPDATE_REFERENCE=1 cargo test --test reference -->\n\n\
        `mcp-kit catalog explain CODE` prints the same text. `check.severities` of the catalog changes a severity.\n"
        .to_owned();
    for kind in ALL {
        page += &format!("\n## {}\n\n{}.\n\n{}", kind.code, kind.summary, explanation(kind));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_once() {
        let codes: Vec<Code> = ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes, Code::FLEET);
        for code in Code::FLEET {
            assert_eq!(Code::for_fleet(code.as_str()), Some(*code));
            assert!(code.as_str().parse::<Code>().is_err(), "{code} is none of audit-docs");
        }
    }
}
