//! `{% post_url NAME %}` of Jekyll: the post of that name, in whatever folder and with whatever ending (`Jekyll::Tags::PostUrl`).

use super::{Fragment, Resolved, Target};
use crate::audit::corpus::Corpus;
use crate::audit::site::{Cause, Site, is_below};
use crate::text::path::{file_name, parent};

/// The endings of posts that Jekyll reads by itself.
const ENDINGS: [&str; 4] = [".md", ".markdown", ".html", ".mkd"];

/// Returns where the tag on a page leads; what stands behind its name is the fragment.
pub(super) fn resolve(corpus: &Corpus, page: u32, site: &Site, name: &str) -> Resolved {
    let name = name.split(['#', '?']).next().unwrap_or(name);
    let target = match find(corpus, site, name) {
        Some(entry) => corpus.page_of(entry).map_or(Target::Entry(entry), Target::Page),
        // A tag in a page without front matter is text, and posts that the tree does not have may be a theme's.
        None if !corpus.pages[page as usize].document.front_matter.is_there => Target::Elsewhere,
        None if !has_posts(corpus, site) => Target::Unjudged(Cause::Published),
        None => Target::Missing,
    };
    Resolved { target, fragment: Fragment::Fine }
}

/// The file of a post. The date in its name may have its noughts or not.
fn find(corpus: &Corpus, site: &Site, name: &str) -> Option<u32> {
    let name = file_name(name.as_bytes());
    let is_post = |entry: &u32| {
        let path = &corpus.tree.entries()[*entry as usize].path;
        is_below(path, &site.folder) && is_in_posts(path)
    };
    let names = [Some(name.to_vec()), redated(name, 2), redated(name, 1)];
    let names = names.into_iter().flatten().flat_map(|name| ENDINGS.map(|ending| [&*name, ending.as_bytes()].concat()));
    names.into_iter().find_map(|name| corpus.tree.find_name(&name).find(is_post))
}

/// Returns whether the site has a folder of posts with anything in it.
fn has_posts(corpus: &Corpus, site: &Site) -> bool {
    corpus.tree.below(&site.folder).any(|(_, entry)| is_in_posts(&entry.path))
}

fn is_in_posts(path: &[u8]) -> bool {
    parent(path).split(|byte| *byte == b'/').any(|folder| folder == b"_posts")
}

/// The same name with at least `digits` digits in the month and the day of its date.
fn redated(name: &[u8], digits: usize) -> Option<Vec<u8>> {
    let mut parts = std::str::from_utf8(name).ok()?.splitn(4, '-');
    let (year, month, day, title) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (month, day): (u8, u8) = (month.parse().ok()?, day.parse().ok()?);
    Some(format!("{year}-{month:0digits$}-{day:0digits$}-{title}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_with_noughts_and_without() {
        assert_eq!(redated(b"2024-3-05-a-b", 2).unwrap(), b"2024-03-05-a-b");
        assert_eq!(redated(b"2024-03-05-a-b", 1).unwrap(), b"2024-3-5-a-b");
        assert_eq!(redated(b"hello-you", 2), None);
    }
}
