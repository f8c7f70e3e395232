//! Cloudflare Access as Terraform: an application with Managed OAuth for each server behind it, a policy for people, a
//! service token with a policy of the action Service Auth, and the portal, if there is one.

use super::hcl::{Block, Hcl, name, render};
use super::{Export, ExportEntry, ExportedFile, host, portal};
use crate::catalog::service::AuthMethod;

/// The redirect addresses of known clients (docs/infrastructure/mcp/OAUTH_SOP.md has the source of each). Loopback and
/// localhost are switches.
const REDIRECTS: [&str; 6] = [
    "https://claude.ai/api/mcp/auth_callback",
    "https://claude.com/api/mcp/auth_callback",
    "https://chatgpt.com/connector/oauth/*",
    "https://www.cursor.com/agents/mcp/oauth/callback",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://vscode.dev/redirect",
];

pub(super) fn files(export: &mut Export<'_>) -> Vec<ExportedFile> {
    let mut blocks = vec![portal::provider(), portal::account(), people(), redirects(), people_policy()];
    for entry in export.running() {
        if entry.service.auth_method == Some(AuthMethod::CloudflareAccess) {
            blocks.extend(application(export, &entry).into_iter().flatten());
        }
    }
    blocks.extend(portal::blocks(export, false));
    vec![ExportedFile { path: "mcp-access.tf".to_owned(), text: render(&blocks) }]
}

fn people() -> Block {
    Block::variable("people", "list(string)", "The e-mail addresses of those who may call the servers.", Vec::new())
}

fn redirects() -> Block {
    let known = REDIRECTS.iter().map(|address| (*address).into()).collect();
    Block::variable(
        "redirect_uris",
        "list(string)",
        "Where clients may get their codes. Remove those of clients that you do not use.",
        vec![("default", Hcl::List(known))],
    )
}

fn people_policy() -> Block {
    let include = "[for address in var.people : { email = { email = address } }]";
    Block::resource(
        "cloudflare_zero_trust_access_policy",
        "people",
        vec![
            ("account_id", Hcl::Reference("var.account_id".to_owned())),
            ("name", "People who call MCP servers".into()),
            ("decision", "allow".into()),
            ("include", Hcl::Reference(include.to_owned())),
        ],
    )
}

fn application(export: &mut Export<'_>, entry: &ExportEntry<'_>) -> Option<Vec<Block>> {
    let service = entry.service;
    let url = export.need(entry, "url", service.main_url())?;
    let host = host(url)?;
    let label = name(&entry.id);
    let account = || ("account_id", Hcl::Reference("var.account_id".to_owned()));
    let reference = |kind: &str, name: &str, member: &str| {
        Hcl::Reference(format!("cloudflare_zero_trust_access_{kind}.{name}.{member}"))
    };
    let token = Hcl::Map(vec![("token_id", reference("service_token", &label, "id"))]);
    let policy = |name: &str, precedence| {
        Hcl::Map(vec![("id", reference("policy", name, "id")), ("precedence", Hcl::Number(precedence))])
    };
    let programs = format!("{label}_programs");
    let registration = Hcl::Map(vec![
        ("enabled", Hcl::Bool(true)),
        ("allow_any_on_localhost", Hcl::Bool(true)),
        ("allow_any_on_loopback", Hcl::Bool(true)),
        ("allowed_uris", Hcl::Reference("var.redirect_uris".to_owned())),
    ]);
    let grant = Hcl::Map(vec![("access_token_lifetime", "15m".into()), ("session_duration", "336h".into())]);
    let application = vec![
        account(),
        ("name", service.name.as_str().into()),
        ("type", "self_hosted".into()),
        ("domain", host.as_str().into()),
        ("session_duration", "24h".into()),
        ("destinations", Hcl::List(vec![Hcl::Map(vec![("type", "public".into()), ("uri", host.as_str().into())])])),
        ("policies", Hcl::List(vec![policy("people", 1), policy(&programs, 2)])),
        (
            "oauth_configuration",
            Hcl::Map(vec![
                ("enabled", Hcl::Bool(true)),
                ("dynamic_client_registration", registration),
                ("grant", grant),
            ]),
        ),
    ];
    let kind = |kind: &str| format!("cloudflare_zero_trust_access_{kind}");
    let token_name = format!("{} (programs)", service.name);
    Some(vec![
        Block::resource(&kind("service_token"), &label, vec![account(), ("name", token_name.as_str().into())]),
        Block::resource(
            &kind("policy"),
            &programs,
            vec![
                account(),
                ("name", token_name.as_str().into()),
                // Service Auth: with `allow`, a service token is sent to a login page.
                ("decision", "non_identity".into()),
                ("include", Hcl::List(vec![Hcl::Map(vec![("service_token", token)])])),
            ],
        ),
        Block::resource(&kind("application"), &label, application),
        Block {
            comment: "CF_ACCESS_AUD of the server, and `audience` in the catalog.",
            kind: "output",
            labels: vec![format!("{label}_audience")],
            attributes: vec![("value", reference("application", &label, "aud"))],
        },
    ])
}
