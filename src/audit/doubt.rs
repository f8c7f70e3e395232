//! Links → doubts about the profile. When nearly all links of one form are broken by a profile's rules, the profile is wrong and not the
//! documents: those links are not judged then.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::corpus::Corpus;
use super::document::LinkKind;
use super::resolve::{Resolved, Target};
use super::site::{Cause, Form};
use crate::markdown::destination::{Parts, has_scheme};

/// So many broken links of a form are needed for a doubt: below that, chance makes any share.
pub const LEAST: usize = 20;

/// And this share of all links of the form: more than this many in a hundred.
pub const SHARE: usize = 50;

/// The forms that depend on what a site makes of its files. The path of a file means the same nearly everywhere.
const DOUBTFUL: [Form; 3] = [Form::Absolute, Form::Bare, Form::Address];

/// A form of links of a site that is not judged, because nearly all of them would be broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The number of the site.
    pub site: u16,
    /// The form.
    pub form: Form,
    /// How many lead to nothing by the profile.
    pub broken: usize,
    /// How many there are.
    pub all: usize,
    /// The first few of them: page, and which of its links.
    pub examples: Vec<(u32, usize)>,
}

/// Finds the doubts, and takes the judgement on their links back.
pub fn find(corpus: &Corpus, links: &mut [Box<[Resolved]>]) -> Vec<Doubt> {
    let mut suspects: FxHashMap<(u16, Form), Vec<(u32, usize)>> = FxHashMap::default();
    for (number, links) in (0_u32..).zip(&*links) {
        let page = &corpus.pages[number as usize];
        for (at, _) in links.iter().enumerate().filter(|(_, link)| is_broken(link)) {
            if let Some(form) = form(corpus, number, at).filter(|form| page.audited && DOUBTFUL.contains(form)) {
                suspects.entry((page.site, form)).or_default().push((number, at));
            }
        }
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
    matches!(link.target, Target::Missing | Target::Outside | Target::Case(_))
}

/// How many links of a form the audited pages of a site have.
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

/// The form of a link into the tree.
#[must_use]
pub fn form(corpus: &Corpus, page: u32, at: usize) -> Option<Form> {
    let document = &corpus.pages[page as usize].document;
    let link = &document.links[at];
    let destination = document.text(link.destination).trim();
    if link.kind == LinkKind::Autolink || has_scheme(destination) {
        return None;
    }
    let path = Parts::new(destination).path.as_bytes();
    (!path.is_empty()).then(|| Form::from_path(path))
}
