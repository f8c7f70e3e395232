//! Hugo: `hugo.*` (once `config.*`) or `config/_default/` say where the content is; pages have addresses by path, `slug` and `url`.

mod imported;
mod openings;
mod published;

pub(super) use imported::imported;

use super::Mark::{File, Folder};
use super::{Generator, NOTHING, because, has, normal, settings_of};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::output::{Addressing, Outlet, Output};
use crate::audit::site::settings::SettingValue;
use crate::audit::site::{Addresses, ByName, Links, Model, Route, Site};
use crate::audit::walk::{Kind, Tree};
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, file_name, join, parent};

const SYNTAX: Syntax = Syntax {
    // Shortcodes whose result is Markdown, and those that bring other pages in.
    composed_marks: &["{{%", "{{< include", "{{< readfile", "{{< partial"],
    ..Syntax::new(Dialect::Hugo { ascii: false }).with(&[
        C::NamelessHtml,
        C::SmartPunctuation,
        C::HeadingIds,
        C::AttributeLists,
        C::FootnoteIds,
        C::Shortcodes,
        C::DefinitionLists,
    ])
};

static MODEL: Model = Model { name: "Hugo", syntax: SYNTAX, links: LINKS };

const LINKS: Links = Links {
    endings: &[".md"],
    html_is_markdown: true,
    index: &["_index.md", "index.md", "index.html", "README.md"],
    pages_are_folders: true,
    // `ref` and `relref` find a page by its name alone.
    by_name: ByName::Perhaps,
    addresses: Addresses::Loose,
    made: &["index.xml", "tags", "categories", "sitemap.xml", "404.html"],
    hides_drafts: true,
    lists_folders: true,
    ..Links::SITE
};

/// The same where `buildDrafts` is set.
static LINKS_WITH_DRAFTS: Links = Links { hides_drafts: false, ..LINKS };

pub(super) static HUGO: Generator = Generator {
    name: "Hugo",
    word: Some(("hugo", "Hugo")),
    model: &MODEL,
    marks: &[
        File("hugo.toml"),
        File("hugo.yaml"),
        File("hugo.yml"),
        File("hugo.json"),
        File("config.toml"),
        File("config.yaml"),
        File("config.yml"),
        Folder("_default"),
    ],
    read,
    complete: None,
};

fn read(tree: &Tree, path: &[u8], folder: &[u8]) -> Vec<Site> {
    let name = file_name(path);
    let (project, files) = if name == b"_default" {
        if file_name(folder) != b"config" {
            return Vec::new();
        }
        let files = tree.children(path).filter(|(_, entry)| entry.kind == Kind::File);
        (parent(folder).to_vec(), files.map(|(_, entry)| entry.path.to_vec()).collect())
    } else {
        if name.starts_with(b"config.") && !has(tree, folder, "archetypes") && !is_hugos(tree, path, folder) {
            return Vec::new();
        }
        (folder.to_vec(), vec![path.to_vec()])
    };
    let mut site = because(&MODEL, Vec::new(), path);
    let settings = together(tree, &files, &mut site);
    let mut content: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut add = |site: &mut Site, value: &SettingValue, language: &str| {
        let Some(text) = value.text() else { return };
        let folder = normal(&project, text);
        if tree.find(&folder).is_some() && !content.iter().any(|(known, _)| *known == folder) {
            site.note(path, "contentDir", text);
            content.push((folder, language.as_bytes().to_vec()));
        }
    };
    add(&mut site, settings.get("contentDir"), "");
    for (language, options) in settings.get("languages").entries() {
        add(&mut site, options.get("contentDir"), language);
    }
    for mount in settings.at(&["module", "mounts"]).items() {
        let target = mount.get("target").text().unwrap_or_default();
        if crate::audit::site::below(target.as_bytes(), b"content").is_some() {
            add(&mut site, mount.get("source"), mount.get("lang").text().unwrap_or_default());
        }
    }
    if content.is_empty() {
        content.push((join(&project, b"content"), Vec::new()));
    }
    content.retain(|(folder, _)| tree.find(folder).is_some());
    openings::open(&mut site, tree, &project, path, &settings);
    let shown = super::layouts::documents(tree, &project);
    site.shown = shown.documents;
    site.shortcodes = super::layouts::shortcodes(tree, &project);
    if settings.get("buildDrafts") != &SettingValue::Null && settings.get("buildDrafts") != &SettingValue::Bool(false) {
        site.links = &LINKS_WITH_DRAFTS;
    }
    if let Some(layout) = shown.computed {
        let why = format!("{} computes which document it shows", display_path(&layout));
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    addresses(&mut site, tree, &settings, &content);
    let statics = ["static", "assets"].map(|name| join(&project, name.as_bytes()));
    super::static_redirects(tree, &mut site, &statics);
    let leaves_links = openings::leaves_links(tree, &project, &settings) && content.len() == 1;
    let addressing = Addressing { directories: is_ugly(&settings) != Some(true), ..Addressing::default() };
    let of_folder = |(folder, _): &(Vec<u8>, Vec<u8>)| {
        let roots = [folder.clone()].into_iter().chain(statics.clone()).collect();
        let outlets =
            || vec![Outlet::exact(folder.clone(), published::published), Outlet::as_it_is(join(&project, b"static"))];
        let output = leaves_links.then(|| Output { outlets: outlets(), href: published::href, addressing });
        Site { folder: folder.clone(), content: vec![folder.clone()], roots, output, ..site.clone() }
    };
    let templates = ["archetypes", "layouts"].map(|name| join(&project, name.as_bytes()));
    let templates = templates.into_iter().filter(|folder| tree.find(folder).is_some());
    let templates = templates.map(|folder| super::recognised::templates(MODEL.name, folder));
    content.iter().map(of_folder).chain(templates).collect()
}

/// Returns whether `config.*` is Hugo's: it has content, and an address in Hugo's spelling.
fn is_hugos(tree: &Tree, path: &[u8], folder: &[u8]) -> bool {
    has(tree, folder, "content")
        && super::settings::text(tree, path).is_ok_and(|text| {
            text.lines().any(|line| line.get(..7).is_some_and(|name| name.eq_ignore_ascii_case("baseURL")))
        })
}

/// The settings of all files: `hugo.*` and `config.*` at the root, `menus.toml` under `menus`.
fn together(tree: &Tree, files: &[Vec<u8>], site: &mut Site) -> SettingValue {
    let mut all = SettingValue::Table(Vec::new());
    for file in files {
        let value = settings_of(tree, file, site);
        let name = file_name(file);
        let stem = String::from_utf8_lossy(name.split(|byte| *byte == b'.').next().unwrap_or(name)).into_owned();
        match stem.as_str() {
            "hugo" | "config" => all.inherit(value),
            _ => all.inherit(SettingValue::Table(vec![(stem, value)])),
        }
    }
    all
}

/// Returns whether `x.md` is `x.html`; nothing where that is set for some sections only.
fn is_ugly(settings: &SettingValue) -> Option<bool> {
    let all = ["uglyURLs", "uglyurls"].map(|name| settings.get(name));
    match all.into_iter().find(|value| value.is_set()) {
        None => Some(false),
        Some(SettingValue::Bool(is)) => Some(*is),
        Some(_) => None,
    }
}

fn addresses(site: &mut Site, tree: &Tree, settings: &SettingValue, content: &[(Vec<u8>, Vec<u8>)]) {
    site.locales = settings.get("languages").names().iter().map(|name| name.as_bytes().to_vec()).collect();
    site.base = super::base(settings.get("baseURL").text().unwrap_or_default());
    let route = |folder: &Vec<u8>, prefix: &[u8]| Route {
        folder: folder.clone(),
        prefix: prefix.to_vec(),
        addresses: published::page,
        endings: &["html"],
    };
    for (folder, language) in content {
        site.routes.push(route(folder, b""));
        if !language.is_empty() {
            site.routes.push(route(folder, language));
        }
    }
    let taxonomies = settings.get("taxonomies").entries().iter().filter_map(|(_, name)| name.text());
    site.made =
        ["tags", "categories", "page"].into_iter().chain(taxonomies).map(|name| name.as_bytes().to_vec()).collect();
    // `_content.gotmpl` makes pages of its folder.
    for entry in tree.find_name(b"_content.gotmpl") {
        let path = &tree.entries()[entry as usize].path;
        let made = content.iter().find_map(|(folder, _)| crate::audit::site::below(parent(path), folder));
        site.made.extend(made.map(<[u8]>::to_vec));
    }
    // Modules and themes may bring pages along.
    if !settings.at(&["module", "imports"]).is_set() {
        site.addresses = Addresses::Exact;
    }
}
