//! GitBook: `.gitbook.yaml` says where the documents are; a repository that GitBook writes keeps its pictures below `.gitbook`. Documents and files
//! are named by their paths; addresses and the names of headings are GitBook's own.

use super::Mark::{File, Folder};
use super::{Generator, normal, recognised, settings};
use crate::audit::site::Site;
use crate::audit::site::open::Forms;
use crate::audit::walk::Tree;
use crate::text::path::file_name;

const NAME: &str = "GitBook";

pub(super) static GITBOOK: Generator = Generator {
    name: NAME,
    word: None,
    model: &recognised::MODEL,
    marks: &[File(".gitbook.yaml"), File(".gitbook.yml"), Folder(".gitbook")],
    read,
    complete: None,
};

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let settings = match file_name(path) {
        b".gitbook" => None,
        _ => settings::read(tree, path).ok(),
    };
    let root = settings.as_ref().and_then(|settings| settings.get("root").text());
    let root = root.map_or_else(|| folder.to_vec(), |root| normal(folder, root));
    vec![recognised::site(NAME, root, path, Forms::ADDRESSES_AND_ANCHORS)]
}
