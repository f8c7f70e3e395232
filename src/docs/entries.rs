//! The entries of the catalog as the pages get them: with the id, the path of the own page, the address for clients, and
//! the places in SOP and runbook that fit.

use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::catalog::ids::ids;
use crate::catalog::pages::Placed;
use crate::catalog::service::{AuthMethod, Location, Service, ServiceKind};

/// Returns the entries in their order.
pub(super) fn entries(catalog: &Catalog, placed: &[Placed<'_>]) -> Vec<Value> {
    let mut pages: Vec<Option<&str>> = vec![None; catalog.services.len()];
    for page in placed {
        if let Some(place) = page.service.and_then(|index| pages.get_mut(index)) {
            *place = Some(&*page.path);
        }
    }
    let all = catalog.services.iter().zip(ids(&catalog.services)).zip(pages);
    all.map(|((service, id), page)| entry(service, &id, page)).collect()
}

fn entry(service: &Service, id: &str, page: Option<&str>) -> Value {
    let mut value = serde_json::to_value(service).unwrap_or_default();
    let Value::Object(members) = &mut value else { return value };
    members.insert("id".to_owned(), id.into());
    members.insert("is_template".to_owned(), (service.kind == ServiceKind::Template).into());
    members.insert("runs".to_owned(), service.runs().into());
    members.insert("sop_place".to_owned(), sop_place(service).into());
    members.insert("runbook_place".to_owned(), runbook_place(service).into());
    members.extend(page.map(|page| ("page".to_owned(), page.into())));
    members.extend(service.main_url().map(|url| ("url".to_owned(), url.into())));
    // Where to type commands: of production first.
    let places = service.environments.iter().filter(|one| one.host.is_some() || one.namespace.is_some());
    let at_kubernetes = service.location == Some(Location::Kubernetes);
    let places: Vec<Value> = places
        .map(|one| json!({"name": one.name, "host": one.host, "folder": one.folder, "namespace": one.namespace, "kubernetes": at_kubernetes}))
        .collect();
    members.insert("places".to_owned(), places.into());
    value
}

/// Returns the anchor in our SOP for the authentication of a server.
const fn sop_place(service: &Service) -> &'static str {
    match service.auth_method {
        Some(AuthMethod::CloudflareAccess) => "#authentication-strategy-cloudflare-access",
        Some(AuthMethod::Bearer | AuthMethod::Oidc) => "#modes",
        Some(AuthMethod::Oauth | AuthMethod::Mtls | AuthMethod::None) | None => "#token-storage-options",
    }
}

/// Returns the anchor in our runbook for the authentication of a server.
const fn runbook_place(service: &Service) -> &'static str {
    match service.auth_method {
        Some(AuthMethod::CloudflareAccess) => "#cloudflare-access-is-misconfigured",
        Some(AuthMethod::Oidc) => "#jwt-validation-fails",
        Some(AuthMethod::Bearer) => "#index-by-error-code",
        Some(AuthMethod::Oauth | AuthMethod::Mtls | AuthMethod::None) | None => "#the-tunnel-or-the-server-is-down",
    }
}
