//! Layouts of Hugo that show further documents on a page: `{{ readFile "content/manual/what.md" | markdownify }}`. The headings of those are
//! places of every page that the layout is for, and which pages these are is not known here.

use crate::audit::site::settings;
use crate::audit::walk::{Kind, Tree, is_markdown};
use crate::text::path::{join, normalise};

/// More layouts are not read: what they show is not known.
const MOST: usize = 1_024;

/// The further documents that the layouts of a project show.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LayoutDocuments {
    /// The documents.
    pub(super) documents: Vec<Vec<u8>>,
    /// The layout that computes which document it shows.
    pub(super) computed: Option<Vec<u8>>,
}

/// Reads the layouts of a project and of its themes.
pub(super) fn documents(tree: &Tree, project: &[u8]) -> LayoutDocuments {
    let mut found = LayoutDocuments::default();
    // Shortcodes are on pages that name them.
    let is_layout = |path: &[u8]| path.ends_with(b".html") && memchr::memmem::find(path, b"shortcodes/").is_none();
    let layouts: Vec<&[u8]> = folders(tree, project)
        .iter()
        .flat_map(|folder| tree.below(folder).map(|(_, entry)| entry).collect::<Vec<_>>())
        .filter(|entry| entry.kind == Kind::File && is_layout(&entry.path))
        .map(|entry| &*entry.path)
        .take(MOST)
        .collect();
    for layout in layouts {
        let Ok(text) = settings::text(tree, layout) else { continue };
        for file in read(&text) {
            match file {
                Some(file) => found.documents.extend(normalise(project, file.as_bytes())),
                None => found.computed = Some(layout.to_vec()),
            }
        }
    }
    found
}

/// The folders of a project and of its themes with the templates of shortcodes.
pub(super) fn shortcodes(tree: &Tree, project: &[u8]) -> Vec<Vec<u8>> {
    let named = |layouts: Vec<u8>| [b"shortcodes".as_slice(), b"_shortcodes"].map(|name| join(&layouts, name));
    folders(tree, project).into_iter().flat_map(named).filter(|folder| tree.find(folder).is_some()).collect()
}

/// The folders with the layouts of a project and of its themes.
fn folders(tree: &Tree, project: &[u8]) -> Vec<Vec<u8>> {
    let themes = join(project, b"themes");
    let themes = tree.children(&themes).map(|(_, theme)| join(&theme.path, b"layouts"));
    [join(project, b"layouts")].into_iter().chain(themes).collect()
}

/// The Markdown files that a template reads; nothing for one whose name it computes.
fn read(template: &str) -> impl Iterator<Item = Option<&str>> {
    // `readFile` and `os.ReadFile`.
    let calls = memchr::memmem::find_iter(template.as_bytes(), "eadFile");
    calls.filter_map(|at| {
        let rest = template[at + "eadFile".len()..].split("}}").next().unwrap_or_default();
        let quoted = rest.trim_start().strip_prefix(['"', '`']).and_then(|rest| rest.split(['"', '`']).next());
        let is_shown = ["markdownify", "RenderString"].iter().any(|function| rest.contains(function));
        match quoted {
            Some(file) => is_markdown(file.as_bytes()).then_some(Some(file)),
            None => is_shown.then_some(None),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_a_template_shows() {
        for (template, expected) in [
            ("{{ readFile \"content/a.md\" | markdownify }}", vec![Some("content/a.md")]),
            ("{{ $x := os.ReadFile `b.md` }}{{ $x | $.RenderString }}", vec![Some("b.md")]),
            ("{{ readFile (printf \"%s.md\" .Params.x) | markdownify }}", vec![None]),
            ("{{ readFile \"assets/a.svg\" | safeHTML }} {{ readFile .Params.css | safeCSS }}", vec![]),
            ("readFile", vec![]),
        ] {
            assert_eq!(read(template).collect::<Vec<_>>(), expected, "{template}");
        }
    }
}
