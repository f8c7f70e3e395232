//! The files that MkDocs publishes, and the addresses that it writes for links: `File._get_dest_path` and `_RelativePathTreeprocessor.path_to_url` of its sources.

use super::{HARMLESS, plain};
use crate::audit::site::output::{Addressing, Href, LinkPath, Outlet, Output, Part};
use crate::audit::site::settings::SettingValue;
use crate::audit::site::{Elsewhere, Site, below};
use crate::audit::walk::Kind;
use crate::text::path::{file_name, join, normalise, parent};

/// Extensions that leave links as MkDocs makes them, beside those of `pymdownx` and `material`.
const EXTENSIONS: &[&str] = &[
    "abbr",
    "admonition",
    "attr_list",
    "callouts",
    "codehilite",
    "def_list",
    "extra",
    "fenced_code",
    "footnotes",
    "legacy_attrs",
    "legacy_em",
    "markdown_gfm_admonition",
    "markdown_include.include",
    "md_in_html",
    "mdx_breakless_lists",
    "mdx_gh_links",
    "mdx_math",
    "mdx_truly_sane_lists",
    "meta",
    "mkdocs-click",
    "mkdocs-typer",
    "nl2br",
    "plantuml_markdown",
    "sane_lists",
    "smarty",
    "tables",
    "toc",
];

/// Harmless plug-ins that give pages other addresses (`blog`), publish more files, or set `use_directory_urls` (`offline`).
const CHANGING: &[&str] = &["blog", "offline", "techdocs-core", "print-site"];

/// More plug-ins that change no link and publish no page: the navigation, the folder of a version, what a block shows.
const LEAVING: &[&str] = &[
    "mike",
    "awesome-pages",
    "awesome-nav",
    "gh-admonitions",
    "callouts",
    "table-reader",
    "charts",
    "drawio",
    "kroki",
    "termynal",
    "mkdocs-video",
    "open-in-new-tab",
    "build_plantuml",
    "with-pdf",
    "to-pdf",
    "statistics",
    "img2fig",
    "d2",
];

/// Notes what the build publishes, unless a plug-in, a hook or an extension may change it.
pub(super) fn set(site: &mut Site, settings: &SettingValue) {
    let directories = match settings.get("use_directory_urls") {
        SettingValue::Null | SettingValue::Bool(true) => true,
        SettingValue::Bool(false) => false,
        _ => return,
    };
    let plugins = settings.get("plugins");
    let is_known = |name: &str| {
        let name = plain(name);
        HARMLESS.contains(&name) && !CHANGING.contains(&name) || LEAVING.contains(&name)
    };
    if settings.get("hooks").is_set() || plugins.is_computed() || !plugins.names().into_iter().all(is_known) {
        return;
    }
    let extensions = settings.get("markdown_extensions");
    let leaves_links = |name: &str| {
        let name = name.strip_prefix("markdown.extensions.").unwrap_or(name);
        EXTENSIONS.contains(&name)
            || ["pymdownx.", "material.extensions."].iter().any(|of| name.starts_with(of))
                && name != "pymdownx.pathconverter"
    };
    if extensions.is_computed() || !extensions.names().into_iter().all(leaves_links) {
        return;
    }
    let outlet = Outlet::exact(site.folder.clone(), files);
    let copies = plugins.names().contains(&"llmstxt");
    let addressing = Addressing { directories, copies, ..Addressing::default() };
    site.output = Some(Output { outlets: vec![outlet], href, addressing });
}

/// Returns whether MkDocs makes a page of a file with this ending.
fn is_page(ending: &[u8]) -> bool {
    matches!(ending, b"md" | b"markdown" | b"mdown" | b"mkdn" | b"mkd")
}

/// `x.md` is `x/index.html`; `index.md` and `README.md` are the page of their folder; others are copied.
fn files(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    let (stem, ending) = part.split();
    if part.is_folder || !is_page(ending) {
        sink.extend(part.file());
        return;
    }
    let folder = parent(stem);
    sink.push(match file_name(stem) {
        b"index" | b"README" => join(folder, b"index.html"),
        _ if part.addressing.directories => join(stem, b"index.html"),
        _ => [stem, b".html"].concat(),
    });
}

/// The path of a file below the folder of the documents becomes its address; everything else is left as it is.
fn href(link: &LinkPath<'_>) -> Href {
    let LinkPath { tree, site, own, path, .. } = *link;
    let Some(own) = below(own, &site.folder) else { return Href::Unknown };
    let is_absolute = path.starts_with(b"/") || path.starts_with(b"\\");
    let is_copy = link.addressing.copies && path.ends_with(b".md");
    let left = if is_copy { Href::Unknown } else { Href::Address(path.to_vec()) };
    if is_absolute && site.absolute == Elsewhere::Site {
        return left;
    }
    let folder = if is_absolute { b"" } else { parent(own) };
    let Some(file) = normalise(folder, path) else { return left };
    let file = join(&site.folder, &file);
    match tree.find(&file).filter(|entry| tree.entries()[*entry as usize].kind != Kind::Folder) {
        Some(entry) if !gives_way(link, &file) => Href::Entry(entry),
        _ => left,
    }
}

/// Returns whether a `README.md` has an `index.md` beside it, which MkDocs takes in its place.
fn gives_way(link: &LinkPath<'_>, file: &[u8]) -> bool {
    file_name(file) == b"README.md" && link.tree.find(&join(parent(file), b"index.md")).is_some()
}
