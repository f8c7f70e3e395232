//! mdBook: `book.toml` says where the chapters are, `SUMMARY.md` which there are.

use rustc_hash::FxHashSet;

use super::Mark::File;
use super::{Generator, NOTHING, base, has, normal, settings_of};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings::{self, SettingValue};
use crate::audit::site::{Elsewhere, Links, Model, PagesEnd, Published, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join, parent};

const SYNTAX: Syntax = Syntax {
    include_marks: &["{{#include "],
    ..Syntax::new(Dialect::Mdbook).with(&[C::HeadingIds, C::Includes, C::DefinitionLists])
};

static MODEL: Model = Model {
    name: "mdBook",
    syntax: SYNTAX,
    links: Links {
        // A host of static files adds `.html`.
        endings: &[".md"],
        html_is_markdown: true,
        readme_is_index: true,
        slash_is_folder: true,
        folders_are_pages: true,
        drafts: &["SUMMARY.md"],
        absolute: Elsewhere::Site,
        leaving: Elsewhere::Site,
        pages_end: PagesEnd::Folder,
        made: &["print.html", "toc.html", "404.html", "index.html"],
        ..Links::SITE
    },
};

pub(super) static MDBOOK: Generator = Generator {
    name: "mdBook",
    word: Some(("mdbook", "mdBook")),
    model: &MODEL,
    marks: &[File("book.toml")],
    read,
    complete: None,
};

/// Preprocessors that give links and places names of their own: `[a](items.fn)` and `r[items.fn]`.
const CHANGING: &[&str] = &["spec"];

/// Preprocessors that add no chapters.
const HARMLESS: &[&str] = &[
    "index",
    "links",
    "mermaid",
    "katex",
    "admonish",
    "toc",
    "alerts",
    "svgbob",
    "gettext",
    "cmdrun",
    "footnote",
    "emojicodes",
    "keeper",
    "pagetoc",
    "trpl-note",
    "trpl-listing",
    "trpl-figure",
    "spec",
    "last-changed",
    "guide-helper",
];

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let mut site = super::because(&MODEL, Vec::new(), path);
    let settings = settings_of(tree, path, &mut site);
    let source = settings.at(&["book", "src"]).text().unwrap_or("src").to_owned();
    site.folder = normal(folder, &source);
    site.roots = vec![site.folder.clone()];
    // A book whose sources are made by a script has none here: what is here is read on GitHub.
    if !has(tree, &site.folder, "SUMMARY.md") {
        return Vec::new();
    }
    site.note(path, "src", &source);
    let html = settings.at(&["output", "html"]);
    html.get("redirect").entries().iter().for_each(|(from, _)| site.redirects.add(from));
    made_files(&mut site, &settings);
    let is_on = |name: &str| html.get(name) == &SettingValue::Bool(true);
    if is_on("smart-punctuation") || is_on("curly-quotes") {
        site.syntax = site.syntax.with(&[C::SmartPunctuation]);
    }
    if html.get("definition-lists") != &SettingValue::Bool(false) {
        site.syntax = site.syntax.with(&[C::TermIds]);
    }
    if let Some(url) = html.get("site-url").text() {
        site.base = base(url);
    }
    let preprocessors = || settings.get("preprocessor").entries().iter();
    if let Some((name, _)) = preprocessors().find(|(name, _)| CHANGING.contains(&name.as_str())) {
        let why = format!("{} has the preprocessor {name}, which names links and places", display_path(path));
        let forms = Forms::new(&[Form::Bare, Form::Anchor, Form::Reference]);
        site.leave_open(forms, why, NOTHING);
    }
    if preprocessors().all(|(name, _)| HARMLESS.contains(&name.as_str())) {
        site.published = published(tree, &site.folder);
    }
    vec![site]
}

/// Notes the files that other outputs make and those that the book's own link checker is told to leave alone. The latter are regular
/// expressions: of those, the ones that are plain names.
fn made_files(site: &mut Site, settings: &SettingValue) {
    for (name, output) in settings.get("output").entries() {
        output.texts(&mut |text| {
            let text = text.replace("\\.", ".");
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if name != "html" && text.chars().all(is_name) && text.trim_matches('.').contains('.') {
                site.made_files.push(text);
            }
        });
    }
}

/// The chapters that the summary of a folder lists.
fn published(tree: &Tree, folder: &[u8]) -> Option<Published> {
    let list = join(folder, b"SUMMARY.md");
    let text = settings::text(tree, &list).ok()?;
    let pages: FxHashSet<Vec<u8>> = chapters(&text).map(|chapter| normal(folder, &chapter)).collect();
    // An empty one, or one that a template fills in.
    (!pages.is_empty() && !text.contains("{{")).then_some(Published { list, pages })
}

/// The destinations of the links of a summary.
fn chapters(text: &str) -> impl Iterator<Item = String> {
    let after = text.split("](").skip(1);
    after.filter_map(|rest| {
        let rest = rest.strip_prefix('<').map_or_else(|| rest.split(')').next(), |rest| rest.split('>').next())?;
        let path = rest.split(['#', '"']).next()?.trim();
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
        (!path.is_empty()).then_some(decoded)
    })
}

/// Where there are books, a folder with a `SUMMARY.md` is a part of one, whatever puts it together.
pub(super) fn parts(tree: &Tree, sites: &[Site]) -> Vec<Site> {
    if !sites.iter().any(|site| site.generator == MODEL.name) {
        return Vec::new();
    }
    let summaries = tree.entries().iter().filter(|entry| file_name(&entry.path) == b"SUMMARY.md");
    summaries
        .map(|entry| (parent(&entry.path), entry))
        .filter(|(folder, _)| !folder.is_empty() && !sites.iter().any(|site| site.folder == *folder))
        .map(|(folder, entry)| Site::new(&MODEL, folder.to_vec(), format!("{} is there", display_path(&entry.path))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_outputs() {
        let text = "[output.html]\ncname = \"x.io\"\n[output.linkcheck]\nexclude = [\"all\\\\.zip\", \"x\\\\.io/.*\"]\n[output.pdf]\nfile = \"a.pdf\"\n";
        let mut site = Site::new(&MODEL, Vec::new(), String::new());
        made_files(&mut site, &settings::parse(b"book.toml", text).unwrap());
        assert_eq!(site.made_files, ["all.zip", "a.pdf"]);
    }

    #[test]
    fn chapters_of_a_summary() {
        let text =
            "# Summary\n\n[Intro](README.md)\n- [A](./a.md)\n  - [B](<b c.md>)\n- [Draft]()\n- [C](c%20d.md#x)\n";
        assert_eq!(chapters(text).collect::<Vec<_>>(), ["README.md", "./a.md", "b c.md", "c d.md"]);
    }
}
