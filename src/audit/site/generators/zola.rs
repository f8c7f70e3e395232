//! Zola: `@/folder/page.md` is a document below `content`, and a build without it fails. The addresses of pages and the names of headings
//! come from its own slugs, which are not read.

use super::Mark::File;
use super::recognised::REMEDY;
use super::{Generator, because, is_folder, settings};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::{Links, Model, Site};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{file_name, join};

static MODEL: Model = Model {
    name: "Zola",
    syntax: Syntax::new(Dialect::Github).with(&[C::HeadingIds, C::FootnoteIds, C::Shortcodes]),
    links: Links { folder_mark: Some("@/"), lists_folders: true, ..Links::RECOGNISED },
};

pub(super) static ZOLA: Generator = Generator {
    name: MODEL.name,
    word: None,
    model: &MODEL,
    marks: &[File("zola.toml"), File("config.toml")],
    read,
    complete: None,
};

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let content = join(folder, b"content");
    let is_one = file_name(path) == b"zola.toml"
        || settings::text(tree, path).is_ok_and(|text| text.lines().any(|line| line.starts_with("base_url")));
    if !is_one || !is_folder(tree, &content) {
        return Vec::new();
    }
    let roots = [content.clone(), join(folder, b"static")].to_vec();
    let mut site = Site { known: false, roots, project: vec![content.clone()], ..because(&MODEL, content, path) };
    site.leave_open(Forms::ADDRESSES_AND_ANCHORS, "there is no profile of Zola yet".to_owned(), REMEDY);
    // A file lies beside the `index.md` of its page, or below `static`.
    site.leave_places_open(Forms::new(&[Form::File]), "files are published at their page's address".to_owned(), REMEDY);
    vec![site]
}
