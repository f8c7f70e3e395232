//! Documenter.jl: `docs/make.jl` builds the documents in `docs/src`. `[x](@ref)` and `[x](@ref name)` are found among the names of headings and
//! of code, which only a build knows.

use super::Mark::File;
use super::{Generator, is_folder, recognised, settings};
use crate::audit::site::Site;
use crate::audit::site::open::Forms;
use crate::audit::walk::Tree;
use crate::text::path::join;

const NAME: &str = "Documenter.jl";

pub(super) static DOCUMENTER: Generator =
    Generator { name: NAME, word: None, model: &recognised::MODEL, marks: &[File("make.jl")], read, complete: None };

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let source = join(folder, b"src");
    if !is_folder(tree, &source) || !settings::text(tree, path).is_ok_and(|text| text.contains("makedocs")) {
        return Vec::new();
    }
    vec![recognised::site(NAME, source, path, Forms::ADDRESSES_AND_ANCHORS)]
}
