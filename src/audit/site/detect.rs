//! Which sites a tree has: what the settings of the audit say, then what the generators' own files say, then the host.

use rayon::prelude::*;

use super::open::{Form, Forms};
use super::{Addresses, Elsewhere, Origin, Site, Sites, generators, is_below};
use crate::audit::Settings;
use crate::audit::walk::Tree;

/// Returns the sites of a tree.
#[must_use]
pub fn detect(tree: &Tree, settings: &Settings) -> Sites {
    let origin = Origin::find(tree.root());
    let mut sites = found(tree, settings, origin.as_ref());
    for site in &mut sites {
        apply(site, settings);
    }
    Sites::new(sites, origin)
}

fn found(tree: &Tree, settings: &Settings, origin: Option<&Origin>) -> Vec<Site> {
    let flavors = settings.flavors.iter().map(|(folder, flavor)| {
        let folder = folder.trim_matches('/').as_bytes().to_vec();
        flavor.site(folder, "the configuration says so".to_owned())
    });
    let mut sites: Vec<Site> = flavors.collect();
    if let Some(flavor) = settings.flavor {
        sites.push(flavor.site(Vec::new(), "it was asked for".to_owned()));
        return sites;
    }
    let found = tree.entries().par_iter().flat_map_iter(|entry| generators::sites(tree, &entry.path, &entry.kind));
    let mut found: Vec<(usize, Site)> = found.collect();
    // Of several for one folder, the first row counts.
    found.sort_by_key(|(number, _)| *number);
    sites.extend(found.into_iter().map(|(_, site)| site));
    sites.extend(generators::unmarked(tree, origin, &sites));
    sites.push(generators::host("nothing says otherwise"));
    sites
}

/// Applies the settings of the audit to a site whose files do not contain them: its base and the folders that `/`
/// means.
fn apply(site: &mut Site, settings: &Settings) {
    let Some(own) = &settings.site else { return };
    if site.links.is_host || own.folder.as_ref().is_some_and(|folder| !is_below(&site.folder, folder.as_bytes())) {
        return;
    }
    if let Some(base) = &own.base {
        site.base = base.trim_matches('/').as_bytes().to_vec();
    }
    if own.roots.is_empty() {
        return;
    }
    site.roots = own.roots.iter().map(|root| root.trim_matches('/').as_bytes().to_vec()).collect();
    site.absolute = Elsewhere::Nothing;
    if site.routes.is_empty() {
        // The files below the roots are all that `/` means.
        site.addresses = Addresses::None;
        for open in &mut site.open {
            open.forms = without(open.forms, Form::Absolute);
        }
    }
}

fn without(forms: Forms, form: Form) -> Forms {
    let rest: Vec<Form> = Form::ALL.into_iter().filter(|other| forms.has(*other) && *other != form).collect();
    Forms::new(&rest)
}
