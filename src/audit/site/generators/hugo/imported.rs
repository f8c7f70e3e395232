//! Documents of a Hugo site that is somewhere else: only its `_index.md` are here.

use crate::audit::site::generators::recognised;
use crate::audit::site::open::Forms;
use crate::audit::site::{Site, is_below, is_language};
use crate::audit::walk::{Kind, Tree};
use crate::text::path::{display_path, file_name, join, parent};

/// Documents of a Hugo site without its configuration: a central site takes them from here (`_index.md` is Hugo's alone).
pub(in crate::audit::site::generators) fn imported(tree: &Tree, sites: &[Site]) -> Vec<Site> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for entry in tree.entries().iter().filter(|entry| entry.kind == Kind::Document) {
        let folder = parent(&entry.path);
        let is_index = file_name(&entry.path) == b"_index.md";
        // Sorted by path: what lies above comes first, but for the root's own.
        if is_index
            && !found.iter().any(|above| is_below(folder, above))
            && !sites.iter().any(|site| is_below(folder, &site.folder))
        {
            found.push(folder.to_vec());
        }
    }
    // `docs-locale/de-de` is `docs` in another language: what it lacks is taken from there.
    let (translated, original): (Vec<_>, Vec<_>) = found.iter().partition(|folder| is_language(file_name(folder)));
    let original = match (translated.is_empty(), &*original) {
        (false, [original]) => Some((*original).clone()),
        _ => None,
    };
    // `docs/sources/a/_index.md` and `docs/sources/b/_index.md` are parts of one tree.
    let site = |folder: Vec<u8>| {
        let reason = format!("{} is there and no configuration of Hugo", display_path(&join(&folder, b"_index.md")));
        let mut site = recognised::bare("Hugo", folder, reason);
        if is_language(file_name(&site.folder)) {
            site.mirrors = original.iter().map(|original| (site.folder.clone(), original.clone())).collect();
        }
        let why = "a Hugo site elsewhere takes these documents, and its settings are not here".to_owned();
        site.leave_open(Forms::ADDRESSES_AND_ANCHORS, why, recognised::REMEDY);
        site
    };
    found.into_iter().map(site).collect()
}
