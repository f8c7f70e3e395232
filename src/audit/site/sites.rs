//! The sites of a tree, and which one a document belongs to.

use super::{Cause, Form, Origin, Site};
use crate::audit::unjudged::Unjudged;
use crate::text::plural::{grouped, plural};

/// The sites of a tree.
#[derive(Clone, Debug)]
pub struct Sites {
    /// The deepest folders first; the last one is the whole tree.
    sites: Vec<Site>,
    /// Where its host shows the tree, if it is a repository that has one.
    pub origin: Option<Origin>,
}

impl Sites {
    /// Sorts sites; the first one given for a folder counts.
    #[must_use]
    pub fn new(mut sites: Vec<Site>, origin: Option<Origin>) -> Self {
        sites.sort_by(|one, other| other.folder.len().cmp(&one.folder.len()).then(one.folder.cmp(&other.folder)));
        // The last one is the whole tree's, for what no other one governs.
        let rest = sites.iter().rposition(|site| site.folder.is_empty() && site.known).map(|at| sites.remove(at));
        sites.dedup_by(|later, first| later.folder == first.folder);
        let is_whole = sites.iter().any(|site| site.folder.is_empty() && site.known);
        if !is_whole || sites.iter().any(|site| !site.for_host.is_empty() || site.excluded.is_some()) {
            sites.extend(rest);
        }
        Self { sites, origin }
    }

    /// Returns the number of the site of a document.
    #[must_use]
    pub fn number(&self, path: &[u8]) -> u16 {
        let at = self
            .sites
            .iter()
            .position(|site| is_below(path, &site.folder) && !site.leaves_to_host(path))
            .unwrap_or(self.sites.len() - 1);
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    /// Returns a site by its number.
    #[must_use]
    pub fn site(&self, number: u16) -> &Site {
        &self.sites[usize::from(number).min(self.sites.len() - 1)]
    }

    /// Returns all of them.
    #[must_use]
    pub fn all(&self) -> &[Site] {
        &self.sites
    }

    /// Returns what the report says about those with audited documents, whose `links` are counted by the number of the site: what is judged
    /// there and what not.
    #[must_use]
    pub fn sentences(&self, links: &dyn Fn(u16) -> Option<usize>, unjudged: &[Unjudged]) -> Vec<String> {
        // The general one last, as it is about what is left.
        let sites: Vec<(u16, &Site)> =
            (0_u16..).zip(&self.sites).filter(|(number, _)| links(*number).is_some()).collect();
        let several = sites.len() > 1;
        sites
            .into_iter()
            .map(|(number, site)| {
                let folder = String::from_utf8_lossy(&site.folder);
                let place = match folder.is_empty() {
                    true if several => " elsewhere".to_owned(),
                    true => String::new(),
                    false => format!(" in {folder}"),
                };
                let what = if site.known || site.links.is_host { "'s rules" } else { "'s documents" };
                let own = unjudged.iter().filter(|of| of.site == number);
                let not_judged = not_judged(site, links(number).unwrap_or_default(), &own.collect::<Vec<_>>());
                format!("{}{what}{place}, because {}{not_judged}", site.generator, site.reason)
            })
            .collect()
    }
}

/// `; judged: 40 of 55 links; not judged: 12 links with / in front and 3 anchors, because …`: one clause for each reason.
fn not_judged(site: &Site, links: usize, unjudged: &[&Unjudged]) -> String {
    let mut clauses: Vec<(Cause, Vec<String>)> = Vec::new();
    for of in unjudged {
        let counted = format!("{} {}", grouped(of.count), of.form.noun(of.count));
        match clauses.iter_mut().find(|(cause, _)| *cause == of.cause) {
            Some((_, counts)) => counts.push(counted),
            None => clauses.push((of.cause, vec![counted])),
        }
    }
    let clause = |(cause, counts): &(Cause, Vec<String>)| {
        let counts = match counts.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => counts.concat(),
        };
        format!("{counts}, because {}", site.why(*cause))
    };
    // References are no links before they are judged.
    let open: usize = unjudged.iter().filter(|of| of.form != Form::Reference).map(|of| of.count).sum();
    let judged = match open {
        0 => String::new(),
        open => format!("; judged: {} of {}", grouped(links.saturating_sub(open)), plural(links, "link")),
    };
    match clauses.is_empty() {
        true => String::new(),
        false => format!("{judged}; not judged: {}", clauses.iter().map(clause).collect::<Vec<_>>().join("; ")),
    }
}

/// Returns whether `path` is in `folder` or the folder itself.
#[must_use]
pub fn is_below(path: &[u8], folder: &[u8]) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}
