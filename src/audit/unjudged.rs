//! Links → the links that are not judged: their number by form and site, and the reason.

use rustc_hash::FxHashMap;

use super::checks::undefined_reference;
use super::corpus::Corpus;
use super::doubt;
use super::finding::{NotJudged, SiteReport};
use super::graph::Graph;
use super::resolve::{Fragment, Target};
use super::site::{Cause, Form};
use crate::text::path::display_path;

/// Links of one form on one site that are not judged, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The number of the site.
    pub site: u16,
    /// The form.
    pub form: Form,
    /// The reason.
    pub cause: Cause,
    /// The number of links.
    pub count: usize,
    /// The first link: document and destination.
    pub example: (String, String),
}

/// Counts the links of audited pages that are not judged, sorted by site, form and cause.
#[must_use]
pub fn count(corpus: &Corpus, graph: &Graph) -> Vec<Unjudged> {
    let mut found: FxHashMap<(u16, Form, Cause), (usize, u32, String)> = FxHashMap::default();
    let mut add = |page: u32, form, cause, text: &str| {
        let site = corpus.pages[page as usize].site;
        found.entry((site, form, cause)).or_insert_with(|| (0, page, text.to_owned())).0 += 1;
    };
    for (number, page) in (0_u32..).zip(&corpus.pages).filter(|(_, page)| page.audited) {
        let document = &page.document;
        for (at, (resolved, link)) in graph.links[number as usize].iter().zip(&document.links).enumerate() {
            let (form, cause) = match (resolved.target, resolved.fragment) {
                (Target::Unjudged(cause), _) => (doubt::form(corpus, number, at).unwrap_or(Form::Page), cause),
                (_, Fragment::Unjudged(cause)) => {
                    let is_label = corpus.site(number).links.labels && document.text(link.destination).starts_with('#');
                    (if is_label { Form::Label } else { Form::Anchor }, cause)
                }
                _ => continue,
            };
            add(number, form, cause, document.text(link.destination));
        }
        let open = corpus.site(number).cause(Form::Reference).filter(|_| !document.undefined.is_empty());
        let Some(cause) = open else { continue };
        for label in undefined_reference::labels(document) {
            add(number, Form::Reference, cause, label);
        }
    }
    let mut unjudged: Vec<Unjudged> = found
        .into_iter()
        .map(|((site, form, cause), (count, page, text))| Unjudged {
            site,
            form,
            cause,
            count,
            example: (display_path(corpus.path(page)), text),
        })
        .collect();
    unjudged.sort_by_key(|of| (of.site, of.form, of.cause));
    unjudged
}

/// Returns the report on each site with audited documents.
#[must_use]
pub fn sites(corpus: &Corpus, is_used: &dyn Fn(u16) -> bool, unjudged: &[Unjudged]) -> Vec<SiteReport> {
    let sites = (0_u16..).zip(corpus.sites.all()).filter(|(number, _)| is_used(*number));
    sites
        .map(|(number, site)| SiteReport {
            folder: display_path(&site.folder),
            generator: site.generator.to_owned(),
            judged: site.known,
            reason: site.reason.clone(),
            roots: site.roots.iter().map(|root| display_path(root)).collect(),
            settings: site.settings.clone(),
            not_judged: unjudged
                .iter()
                .filter(|of| of.site == number)
                .map(|of| NotJudged {
                    form: of.form,
                    cause: of.cause.as_str(),
                    count: of.count,
                    why: site.why(of.cause).to_owned(),
                    remedy: site.remedy(of.cause).to_owned(),
                    example: of.example.clone(),
                })
                .collect(),
        })
        .collect()
}
