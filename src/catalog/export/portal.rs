//! Cloudflare's MCP portals as Terraform: an entry for each server, and the portal in front of them. Names and
//! attributes are those of `cloudflare/terraform-provider-cloudflare` 5.

use super::hcl::{Block, Hcl, name, render};
use super::{Export, ExportEntry, ExportedFile, host};
use crate::catalog::service::{AuthMethod, ServiceKind};

/// The largest number of servers of a portal (developers.cloudflare.com, MCP server portals).
const MOST: usize = 40;

pub(super) fn files(export: &mut Export<'_>) -> Vec<ExportedFile> {
    let blocks = blocks(export, true);
    let text = render(&[vec![provider(), account()], blocks].concat());
    vec![ExportedFile { path: "mcp-portal.tf".to_owned(), text }]
}

/// Returns the provider that the resources are of.
pub(super) fn provider() -> Block {
    let provider = Hcl::Map(vec![("source", "cloudflare/cloudflare".into()), ("version", "~> 5.0".into())]);
    Block {
        comment: "Made by `mcp-kit catalog export`. Read it before you apply it.",
        kind: "terraform",
        labels: Vec::new(),
        attributes: vec![("required_providers", Hcl::Inner(vec![("cloudflare", provider)]))],
    }
}

/// Returns the variable that names the account.
pub(super) fn account() -> Block {
    Block::variable("account_id", "string", "The Cloudflare account.", Vec::new())
}

/// Returns the servers and the portals. A fleet without a portal is complete for Access (`needed` is `false`).
pub(super) fn blocks(export: &mut Export<'_>, needed: bool) -> Vec<Block> {
    let all = export.entries.clone();
    let portals: Vec<&ExportEntry<'_>> = all.iter().filter(|entry| entry.service.kind == ServiceKind::Portal).collect();
    if portals.is_empty() {
        if needed {
            export.catalog_lacks(
                "the catalog has no portal: add an entry with `kind: portal`, a name and a url".to_owned(),
            );
        } else {
            return Vec::new();
        }
    }
    let mut blocks = Vec::new();
    let mut known = Vec::new();
    for entry in export.running() {
        if let Some(found) = server(export, &entry) {
            blocks.extend(found);
            known.push(entry);
        }
    }
    for portal in portals {
        blocks.extend(self::portal(export, portal, &known));
    }
    blocks
}

fn server(export: &mut Export<'_>, entry: &ExportEntry<'_>) -> Option<Vec<Block>> {
    let service = entry.service;
    let url = export.need(entry, "url", service.main_url())?;
    let kind = match service.auth_method? {
        AuthMethod::CloudflareAccess | AuthMethod::Oidc | AuthMethod::Oauth => "oauth",
        AuthMethod::Bearer => "bearer",
        AuthMethod::None => "unauthenticated",
        AuthMethod::Mtls => {
            export.does_not_fit(
                entry,
                &["auth_method"],
                "a portal has no client certificate for a server with mutual TLS",
            );
            return None;
        }
    };
    let label = name(&entry.id);
    let mut attributes = vec![
        ("account_id", Hcl::Reference("var.account_id".to_owned())),
        ("id", entry.id.as_str().into()),
        ("name", service.name.as_str().into()),
        ("hostname", url.into()),
        ("auth_type", kind.into()),
    ];
    let mut blocks = Vec::new();
    if kind == "bearer" {
        let variable = format!("{label}_credentials");
        attributes.push(("auth_credentials", Hcl::Reference(format!("var.{variable}"))));
        let description = format!("The Bearer token of {}.", service.name);
        blocks.push(Block::variable(&variable, "string", &description, vec![("sensitive", Hcl::Bool(true))]));
    }
    attributes.extend(service.description.as_deref().map(|text| ("description", text.into())));
    blocks.push(Block::resource("cloudflare_zero_trust_access_ai_controls_mcp_server", &label, attributes));
    Some(blocks)
}

fn portal(export: &mut Export<'_>, portal: &ExportEntry<'_>, known: &[ExportEntry<'_>]) -> Option<Block> {
    let service = portal.service;
    let url = export.need(portal, "url", service.main_url())?;
    let hostname = host(url)?;
    let is_named = |entry: &ExportEntry<'_>| {
        let same = |name: &String| *name == entry.id || name.to_lowercase() == entry.service.name.to_lowercase();
        service.servers.is_empty() || service.servers.iter().any(same)
    };
    let behind: Vec<&ExportEntry<'_>> = known.iter().filter(|entry| is_named(entry)).collect();
    if behind.len() > MOST {
        let why = format!("it has {} servers, and a portal takes {MOST}: name some in `servers`", behind.len());
        export.does_not_fit(portal, &["servers"], why);
        return None;
    }
    let server = |entry: &&ExportEntry<'_>| {
        let label = name(&entry.id);
        let id = format!("cloudflare_zero_trust_access_ai_controls_mcp_server.{label}.id");
        Hcl::Map(vec![("server_id", Hcl::Reference(id))])
    };
    let mut attributes = vec![
        ("account_id", Hcl::Reference("var.account_id".to_owned())),
        ("id", portal.id.as_str().into()),
        ("name", service.name.as_str().into()),
        ("hostname", hostname.as_str().into()),
    ];
    attributes.extend(service.description.as_deref().map(|text| ("description", text.into())));
    attributes.push(("servers", Hcl::List(behind.iter().map(server).collect())));
    Some(Block::resource("cloudflare_zero_trust_access_ai_controls_mcp_portal", &name(&portal.id), attributes))
}
