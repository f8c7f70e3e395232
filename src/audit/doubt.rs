//! Links → doubts about the profile. When a profile makes nearly all links of one form broken, the profile is wrong,
//! not the documents. The audit does not judge those links.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::corpus::Corpus;
use super::document::LinkKind;
use super::resolve::{Resolved, Target};
use super::site::{Cause, Form};
use crate::markdown::destination::{Parts, has_scheme};

/// The minimum number of broken links of a form. With fewer, any share can be chance.
pub const LEAST: usize = 20;

/// The minimum share of broken links among all links of the form, in percent.
pub const SHARE: usize = 50;

/// The forms that depend on the addresses of a site's pages. The path of a file means the same nearly everywhere.
const DOUBTFUL: [Form; 3] = [Form::Absolute, Form::Bare, Form::Address];

/// A form of links that is not judged on one site, because nearly all of them would be broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The number of the site.
    pub site: u16,
    /// The form.
    pub form: Form,
    /// The number of links that are broken by the profile.
    pub broken: usize,
    /// The number of all links of the form.
    pub all: usize,
    /// The first broken links: the page, and the number of the link on it.
    pub examples: Vec<(u32, usize)>,
}

/// Finds the doubts, and marks their links as not judged.
pub fn find(corpus: &Corpus, links: &mut [Box<[Resolved]>]) -> Vec<Doubt> {
    let pages = 0..u32::try_from(links.len()).unwrap_or(u32::MAX);
    let of_page = |number: u32| {
        let page = &corpus.pages[number as usize];
        let links = &links[number as usize];
        let broken = links.iter().enumerate().filter(move |(_, link)| page.audited && is_broken(link));
        broken.filter_map(move |(at, link)| {
            // The path of a document is doubtful, too, where the site has the document at another address.
            let is_doubtful = |form: &Form| DOUBTFUL.contains(form) || matches!(link.target, Target::Misaddressed(_));
            form(corpus, number, at).filter(is_doubtful).map(|form| ((page.site, form), (number, at)))
        })
    };
    let found: Vec<_> = pages.into_par_iter().flat_map_iter(of_page).collect();
    let mut suspects: FxHashMap<(u16, Form), Vec<(u32, usize)>> = FxHashMap::default();
    for (of, link) in found {
        suspects.entry(of).or_default().push(link);
    }
    suspects.retain(|_, broken| broken.len() >= LEAST);
    let mut doubts: Vec<Doubt> = suspects
        .into_iter()
        .filter_map(|((site, form), broken)| {
            let all = count(corpus, site, form);
            (broken.len() * 100 > all * SHARE).then(|| {
                for (page, at) in &broken {
                    links[*page as usize][*at].target = Target::Unjudged(Cause::Doubtful);
                }
                let examples = broken.iter().take(3).copied().collect();
                Doubt { site, form, broken: broken.len(), all, examples }
            })
        })
        .collect();
    doubts.sort_by_key(|doubt| (doubt.examples.first().copied(), doubt.form));
    doubts
}

fn is_broken(link: &Resolved) -> bool {
    matches!(link.target, Target::Missing | Target::Outside | Target::Case(_) | Target::Misaddressed(_))
}

/// Returns the number of links of a form on the audited pages of a site.
fn count(corpus: &Corpus, site: u16, wanted: Form) -> usize {
    let pages = (0..u32::try_from(corpus.pages.len()).unwrap_or(u32::MAX)).into_par_iter();
    let of_site = pages.filter(|page| {
        let page = &corpus.pages[*page as usize];
        page.audited && page.site == site
    });
    of_site
        .map(|page| {
            let links = corpus.pages[page as usize].document.links.len();
            (0..links).filter(|at| form(corpus, page, *at) == Some(wanted)).count()
        })
        .sum()
}

/// Returns the form of a link into the tree.
#[must_use]
pub fn form(corpus: &Corpus, page: u32, at: usize) -> Option<Form> {
    let document = &corpus.pages[page as usize].document;
    let link = &document.links[at];
    let destination = document.text(link.destination).trim();
    if link.kind == LinkKind::Autolink || has_scheme(destination) {
        return None;
    }
    let path = Parts::new(destination).path.as_bytes();
    (!path.is_empty()).then(|| corpus.site(page).form(path))
}
