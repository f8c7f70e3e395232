//! DocFX and Microsoft Learn: links by path, `~/` from the site's folder, navigation in `toc.yml`.

use rayon::prelude::*;

use super::Mark::File;
use super::{Generator, because, normal};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::settings;
use crate::audit::site::{Elsewhere, Links, Model, Site};
use crate::audit::walk::{Entry, Kind, Tree};
use crate::markdown::slug::Dialect;
use crate::text::path::{file_name, parent};

const SYNTAX: Syntax = Syntax::new(Dialect::GithubSlugger).with(&[C::HeadingIds, C::Includes, C::Containers]);

static MODEL: Model = Model {
    name: "DocFX",
    syntax: SYNTAX,
    links: Links {
        endings: &[".yml"],
        index: &["index.md", "index.yml", "README.md"],
        folder_mark: Some("~/"),
        // It is at home where file systems ignore the case of letters: its readers get the page all the same.
        forgives_path_case: true,
        absolute: Elsewhere::Site,
        leaving: Elsewhere::Site,
        html: Elsewhere::Site,
        // Its tabs are written as headings that are links.
        fragments: &["tab/"],
        ..Links::SITE
    },
};

pub(super) static DOCFX: Generator = Generator {
    name: "DocFX",
    word: Some(("docfx", "DocFX, Microsoft Learn")),
    model: &MODEL,
    marks: &[File("docfx.json")],
    read,
    complete: None,
};

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let mut site = because(&MODEL, folder.to_vec(), path);
    // `toc.yml` anywhere: what it names is reached.
    let is_one = |entry: &&Entry| entry.kind == Kind::File && file_name(&entry.path).eq_ignore_ascii_case(b"toc.yml");
    let files = tree.entries().par_iter().filter(is_one);
    site.navigation.par_extend(files.flat_map_iter(|entry| {
        let (folder, text) = (parent(&entry.path), settings::text(tree, &entry.path).unwrap_or_default());
        let named = text.lines().filter_map(|line| named(folder, line));
        named.collect::<Vec<_>>()
    }));
    vec![site]
}

/// Returns the path that a line of a `toc.yml` in `folder` names. There are thousands of large files of one shape, so
/// this reads lines, not YAML.
fn named(folder: &[u8], line: &str) -> Option<Vec<u8>> {
    // Most lines are names, and a look at their first letter is all that they need.
    let line = line.trim_start_matches([' ', '\t']).trim_start_matches("- ");
    if !line.starts_with(['h', 't', 'l']) {
        return None;
    }
    let (key, target) = line.split_once(':')?;
    if !matches!(key, "href" | "topicHref" | "tocHref" | "homepage" | "landingPageUrl") {
        return None;
    }
    let target = target.trim().trim_matches(['"', '\'']);
    Some(normal(folder, target.split(['?', '#']).next().unwrap_or(target)))
}
