//! Hexo: pages and posts below `source`. Their addresses come from patterns, files of a post lie in the folder of its name, and headings
//! are named by whichever renderer is installed.

use super::Mark::File;
use super::{Generator, has, is_folder, recognised, settings};
use crate::audit::site::Site;
use crate::audit::site::open::{Form, Forms};
use crate::audit::walk::Tree;
use crate::text::path::join;

const NAME: &str = "Hexo";

pub(super) static HEXO: Generator = Generator {
    name: NAME,
    word: None,
    model: &recognised::MODEL,
    marks: &[File("_config.yml")],
    read,
    complete: None,
};

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let source = join(folder, b"source");
    // Jekyll has a file of the same name.
    let names_it = || settings::text(tree, &join(folder, b"package.json")).is_ok_and(|text| text.contains("\"hexo"));
    if !is_folder(tree, &source) || !(has(tree, folder, "scaffolds") || names_it()) {
        return Vec::new();
    }
    let mut site = recognised::site(NAME, source, path, Forms::ADDRESSES_AND_ANCHORS);
    let places = Forms::new(&[Form::Page, Form::File]);
    site.leave_places_open(places, "files of a post are published at its address".to_owned(), recognised::REMEDY);
    vec![site]
}
