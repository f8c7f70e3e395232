//! An Obsidian vault: notes and attachments are found by their names, wherever they lie.

use super::Mark::Folder;
use super::{Generator, NOTHING, because, normal};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings;
use crate::audit::site::{ByName, Links, Model, Site};
use crate::audit::walk::{Kind, Tree};
use crate::markdown::slug::Dialect;
use crate::text::path::join;

const SYNTAX: Syntax = Syntax::new(Dialect::Github).with(&[C::WikiLinks, C::Math, C::PercentComments]);

static MODEL: Model = Model {
    name: "Obsidian",
    // A heading is named by its text.
    syntax: SYNTAX,
    links: Links {
        loose_anchors: true,
        endings: &[".md", ".canvas", ".base"],
        by_name: ByName::Anywhere,
        root_relative: true,
        forgives_path_case: true,
        // A block of a note.
        fragments: &["^"],
        lists_folders: true,
        ..Links::SITE
    },
};

pub(super) static OBSIDIAN: Generator = Generator {
    name: "Obsidian",
    word: Some(("obsidian", "An Obsidian vault")),
    model: &MODEL,
    marks: &[Folder(".obsidian")],
    read,
    complete: Some(complete),
};

fn complete(site: &mut Site) {
    site.project = vec![site.folder.clone()];
    // `[text][label]` is text between brackets in a note.
    site.leave_open(Forms::new(&[Form::Reference]), "notes have brackets of plug-ins".to_owned(), NOTHING);
}

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let mut site = because(&MODEL, folder.to_vec(), path);
    complete(&mut site);
    let settings = settings::read(tree, &join(path, b"app.json")).ok();
    let attachments = settings.as_ref().and_then(|settings| settings.get("attachmentFolderPath").text());
    // A vault whose pictures stay with their owner: git ignores the folder that they are put in.
    if let Some(name) = attachments.filter(|name| !name.starts_with('.'))
        && tree.is_ignored(&join(&normal(folder, name), b"x.png"))
    {
        site.leave_open(Forms::new(&[Form::File]), format!("git ignores {name}, where attachments are"), NOTHING);
    }
    vec![site]
}

/// A vault whose settings are each writer's own: git ignores them, and notes are named as people speak. Where it lies in the repository is
/// not known, so what is not found stays open.
pub(super) fn vault(tree: &Tree) -> Option<Site> {
    tree.find(b".gitignore")?;
    let text = settings::text(tree, b".gitignore").ok()?;
    if !text.lines().any(|line| matches!(line.trim().trim_matches('/'), ".obsidian")) {
        return None;
    }
    let documents = || tree.entries().iter().filter(|entry| entry.kind == Kind::Document);
    let spoken = documents().filter(|entry| entry.path.contains(&b' ')).count();
    if spoken * 4 < documents().count() || spoken == 0 {
        return None;
    }
    let reason = ".gitignore names .obsidian, and notes have blanks in their paths".to_owned();
    let mut site = Site::new(&MODEL, Vec::new(), reason);
    complete(&mut site);
    let forms = Forms::LINKS;
    site.leave_open(forms, "the settings of the vault are not in the repository".to_owned(), NOTHING);
    Some(site)
}
