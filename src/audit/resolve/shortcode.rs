//! Shortcodes of a project that a page of Hugo shows: what a fragment names may stand in their templates. They are searched, not run.

use crate::audit::corpus::{Corpus, bytes};
use crate::text::path::join;

/// Larger files are not read: what they hold is not known.
const LARGEST: u64 = 1 << 20;

/// More templates are not looked into for one page: what they hold is not known.
const MOST: usize = 32;

/// Returns whether a shortcode that a page names has the place `name`, or may have it: its template gives an id, computes one, or shows a file.
pub(super) fn may_have(corpus: &Corpus, page: u32, name: &str) -> bool {
    let site = corpus.site(page);
    if site.shortcodes.is_empty() {
        return false;
    }
    let mut buffer = Vec::new();
    let Ok(text) = bytes(&corpus.tree, corpus.path(page), LARGEST, &mut buffer) else { return true };
    let text = String::from_utf8_lossy(text).into_owned();
    let mut shown: Vec<&str> = names(&text).collect();
    shown.sort_unstable();
    shown.dedup();
    if shown.len() > MOST {
        return true;
    }
    let templates = shown.into_iter().flat_map(|shortcode| {
        site.shortcodes.iter().map(move |folder| join(folder, format!("{shortcode}.html").as_bytes()))
    });
    templates.into_iter().any(|path| {
        let mut buffer = Vec::new();
        let is_there = corpus.tree.find(&path).is_some();
        is_there
            && bytes(&corpus.tree, &path, LARGEST, &mut buffer)
                .map_or(true, |template| may_make(&String::from_utf8_lossy(template), name))
    })
}

/// The names of the shortcodes in a text: `{{< name … >}}`, `{{% name %}}`.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let opens = memchr::memmem::find_iter(text.as_bytes(), "{{");
    opens.filter_map(|at| {
        let rest = text[at + 2..].strip_prefix(['<', '%'])?.trim_start_matches([' ', '\n', '\t']);
        let name = rest.split(|c: char| c.is_whitespace() || matches!(c, '>' | '%' | '"')).next()?;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
        (!name.is_empty() && !name.starts_with('/') && !name.contains("..") && name.chars().all(is_name))
            .then_some(name)
    })
}

/// Returns whether a template may give this name to an element, or show a file that does.
fn may_make(template: &str, name: &str) -> bool {
    if ["eadFile", "etPage", ".RawContent", "RenderShortcodes", ".Fragments"].iter().any(|mark| template.contains(mark))
    {
        return true;
    }
    let ids = ["id=", "name="].into_iter().flat_map(|mark| {
        memchr::memmem::find_iter(template.as_bytes(), mark).map(move |at| (at, at + mark.len())).collect::<Vec<_>>()
    });
    ids.into_iter().any(|(at, from)| {
        let is_attribute = template[..at].ends_with(|c: char| c.is_whitespace());
        let value = template[from..].trim_start_matches(['"', '\'']);
        let fixed = value.split(['"', '\'', ' ', '>', '\n']).next().unwrap_or_default();
        is_attribute
            && match fixed.split_once("{{") {
                // What stands in front of the part that is computed is known.
                Some((start, _)) => name.starts_with(start),
                None => fixed == name,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_text() {
        let text = "{{< a x >}} {{% b/c %}}{{</* d */>}} {{< /a >}} {{ e }} {{<f>}} {{< ../g >}} {{";
        assert_eq!(names(text).collect::<Vec<_>>(), ["a", "b/c", "f"]);
    }

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
            assert_eq!(may_make(template, "there"), expected, "{template}");
        }
    }
}
