//! Shortcodes of a project that a page of Hugo shows: what a fragment names may stand in their templates. They are searched, not run.

use rustc_hash::FxHashMap;

use crate::audit::corpus::{Corpus, bytes};
use crate::audit::walk::{Kind, Tree};
use crate::text::path::join;

/// The largest template that is searched, in bytes. The contents of larger ones count as unknown.
const LARGEST: u64 = 1 << 20;

/// The most templates that are searched. The contents of others count as unknown.
const MOST: usize = 1_024;

/// The most ids that are kept of a template. One with more may make any.
const MOST_IDS: usize = 256;

/// The ids that a template makes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct ShortcodeTemplate {
    /// It shows another file, or its text is not known.
    makes_any: bool,
    /// Its ids, and whether something computed follows.
    ids: Vec<(String, bool)>,
}

/// Reads the templates in some folders.
pub(in crate::audit) fn templates(tree: &Tree, folders: &[Vec<u8>]) -> FxHashMap<Vec<u8>, ShortcodeTemplate> {
    let files = folders.iter().flat_map(|folder| tree.below(folder));
    let files = files.filter(|(_, entry)| entry.kind == Kind::File && entry.path.ends_with(b".html"));
    let mut buffer = Vec::new();
    let mut read = |(at, path): (usize, &[u8])| {
        let unknown = || ShortcodeTemplate { makes_any: true, ids: Vec::new() };
        if at >= MOST {
            return unknown();
        }
        bytes(tree, path, LARGEST, &mut buffer)
            .map_or_else(|_| unknown(), |text| ShortcodeTemplate::new(&String::from_utf8_lossy(text)))
    };
    files.enumerate().map(|(at, (_, entry))| (entry.path.to_vec(), read((at, &entry.path)))).collect()
}

impl ShortcodeTemplate {
    fn new(text: &str) -> Self {
        let shows = ["eadFile", "etPage", ".RawContent", "RenderShortcodes", ".Fragments"];
        let attributes = ["id=", "name="].into_iter().flat_map(|mark| {
            let found = memchr::memmem::find_iter(text.as_bytes(), mark).map(move |at| (at, at + mark.len()));
            found.collect::<Vec<_>>()
        });
        let attributes = attributes.filter(|(at, _)| text[..*at].ends_with(|c: char| c.is_whitespace()));
        let ids: Vec<(String, bool)> = attributes
            .map(|(_, from)| {
                let value = text[from..].trim_start_matches(['"', '\'']);
                let fixed = value.split(['"', '\'', ' ', '>', '\n']).next().unwrap_or_default();
                // The part before the computed one is known.
                let (start, is_computed) = fixed.split_once("{{").map_or((fixed, false), |(start, _)| (start, true));
                (start.to_owned(), is_computed)
            })
            .take(MOST_IDS + 1)
            .collect();
        Self { makes_any: ids.len() > MOST_IDS || shows.iter().any(|mark| text.contains(mark)), ids }
    }

    fn may_make(&self, name: &str) -> bool {
        let fits = |(id, is_computed): &(String, bool)| if *is_computed { name.starts_with(id) } else { name == id };
        self.makes_any || self.ids.iter().any(fits)
    }
}

/// Returns whether a shortcode that a page names has the place `name`, or may have it: its template gives an id, computes one, or shows a file.
pub(super) fn may_have(corpus: &Corpus, page: u32, name: &str) -> bool {
    let site = corpus.site(page);
    if site.shortcodes.is_empty() {
        return false;
    }
    let document = &corpus.pages[page as usize].document;
    let shown = document.components.iter().map(|shortcode| document.text(*shortcode));
    let mut paths = shown.flat_map(|shortcode| {
        site.shortcodes.iter().map(move |folder| join(folder, format!("{shortcode}.html").as_bytes()))
    });
    paths.any(|path| corpus.template(&path).is_some_and(|template| template.may_make(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_templates_make() {
        for (template, expected) in [
            ("<a id=\"{{ .Get 0 }}\">", true),
            ("<a id='there'>", true),
            ("<a name={{ .Get 0 }}>", true),
            ("<div id=\"tab-{{ $i }}\">", false),
            ("<div id=\"th{{ $i }}\">", true),
            ("<div data-id=\"{{ $i }}\" class=\"{{ .x }}\">", false),
            ("{{ readFile (.Get 0) | markdownify }}", true),
            ("<b>{{ .Inner }}</b>", false),
        ] {
            assert_eq!(ShortcodeTemplate::new(template).may_make("there"), expected, "{template}");
        }
    }
}
