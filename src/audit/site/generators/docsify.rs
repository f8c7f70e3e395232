//! Docsify: a page is fetched by its address, so `page`, `/page` and `#/page` are `page.md`, and `?id=` names a heading.

use super::Mark::File;
use super::{Generator, NOTHING, because};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::addresses::Source;
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings;
use crate::audit::site::{Addresses, Links, Model, Route, Site};
use crate::audit::walk::{Kind, Tree};
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join};

const SYNTAX: Syntax = Syntax::new(Dialect::Github).with(&[C::HeadingIds, C::ColonIds]);

static MODEL: Model = Model {
    name: "Docsify",
    syntax: SYNTAX,
    links: Links {
        loose_anchors: true,
        endings: &[".md"],
        index: &["README.md", "readme.md", "index.md"],
        root_relative: true,
        is_routed: true,
        frames: &["_coverpage.md", "_navbar.md", "_sidebar.md"],
        addresses: Addresses::Loose,
        made: &["404.html"],
        ..Links::SITE
    },
};

pub(super) static DOCSIFY: Generator = Generator {
    name: "Docsify",
    word: Some(("docsify", "Docsify")),
    model: &MODEL,
    marks: &[File("index.html"), File("_sidebar.md")],
    read,
    complete: Some(complete),
};

fn complete(site: &mut Site) {
    site.addresses = Addresses::Exact;
    site.content = vec![site.folder.clone()];
    site.project = vec![site.folder.clone()];
    site.routes = vec![Route { folder: site.folder.clone(), prefix: Vec::new(), addresses: page, endings: &["html"] }];
}

/// `README.md` is its folder.
fn page(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    let is_index = source.name().eq_ignore_ascii_case(b"readme");
    sink.push(if is_index { source.folder().to_vec() } else { source.path.to_vec() });
    if is_index {
        sink.push(source.path.to_vec());
    }
}

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let page = join(folder, b"index.html");
    // Read only where Markdown lies beside it: pages that a build has made are many.
    let has_documents = || tree.children(folder).any(|(_, entry)| entry.kind == Kind::Document);
    if file_name(path) == b"index.html" && !has_documents() {
        return Vec::new();
    }
    let text = settings::text(tree, &page).ok().filter(|text| text.contains("docsify"));
    let mut site = because(&MODEL, folder.to_vec(), path);
    complete(&mut site);
    match text {
        // A side bar at the root of a repository is a wiki's; one elsewhere is read by a page that is not here.
        None if file_name(path) != b"_sidebar.md" || folder.is_empty() => return Vec::new(),
        None => {
            let why = "the page that shows these documents is not here".to_owned();
            site.leave_open(Forms::ADDRESSES_AND_ANCHORS, why, NOTHING);
        }
        Some(text) => {
            for setting in ["basePath", "alias", "routes", "fallbackLanguages", "nameLink"] {
                if text.contains(&format!("{setting}:")) {
                    let why = format!("{} sets {setting}, which changes addresses", display_path(&page));
                    // `page.md` is fetched by its address as well.
                    site.leave_open(Forms::ADDRESSES.and(Form::Page), why, NOTHING);
                    break;
                }
            }
        }
    }
    vec![site]
}
