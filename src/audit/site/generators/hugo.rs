//! Hugo: `hugo.*` (once `config.*`) or `config/_default/` say where the content is; pages have addresses by path, `slug` and `url`.

use super::Mark::{File, Folder};
use super::{Generator, NOTHING, because, has, normal, settings_of};
use crate::audit::document::{Construct as C, Syntax};
use crate::audit::site::addresses::{Source, urlized};
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::output::{Addressing, Href, LinkPath, Outlet, Output, Part};
use crate::audit::site::settings::Value;
use crate::audit::site::{Addresses, ByName, Links, Model, Route, Site, bare, is_below, is_language};
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
    let mut add = |site: &mut Site, value: &Value, language: &str| {
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
    open(&mut site, tree, &project, path, &settings);
    let shown = super::layouts::documents(tree, &project);
    site.shown = shown.documents;
    site.shortcodes = super::layouts::shortcodes(tree, &project);
    if settings.get("buildDrafts") != &Value::Null && settings.get("buildDrafts") != &Value::Bool(false) {
        site.links = &LINKS_WITH_DRAFTS;
    }
    if let Some(layout) = shown.computed {
        let why = format!("{} computes which document it shows", display_path(&layout));
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    addresses(&mut site, tree, &settings, &content);
    let statics = ["static", "assets"].map(|name| join(&project, name.as_bytes()));
    super::static_redirects(tree, &mut site, &statics);
    let leaves_links = leaves_links(tree, &project, &settings) && content.len() == 1;
    let addressing = Addressing { directories: is_ugly(&settings) != Some(true), ..Addressing::default() };
    let of_folder = |(folder, _): &(Vec<u8>, Vec<u8>)| {
        let roots = [folder.clone()].into_iter().chain(statics.clone()).collect();
        let outlets = || vec![Outlet::exact(folder.clone(), published), Outlet::as_it_is(join(&project, b"static"))];
        let output = leaves_links.then(|| Output { outlets: outlets(), href, addressing });
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
fn together(tree: &Tree, files: &[Vec<u8>], site: &mut Site) -> Value {
    let mut all = Value::Table(Vec::new());
    for file in files {
        let value = settings_of(tree, file, site);
        let name = file_name(file);
        let stem = String::from_utf8_lossy(name.split(|byte| *byte == b'.').next().unwrap_or(name)).into_owned();
        match stem.as_str() {
            "hugo" | "config" => all.inherit(value),
            _ => all.inherit(Value::Table(vec![(stem, value)])),
        }
    }
    all
}

/// Records the links that render hooks and settings leave open.
fn open(site: &mut Site, tree: &Tree, project: &[u8], path: &[u8], settings: &Value) {
    let hook = |kind: &str| {
        let name = format!("render-{kind}.html");
        let entry = tree.find_name(name.as_bytes()).find(|entry| {
            let path = &tree.entries()[*entry as usize].path;
            is_below(path, project) && memchr::memmem::find(path, b"_markup/").is_some()
        })?;
        Some(format!("the render hook {} makes the addresses", display_path(&tree.entries()[entry as usize].path)))
    };
    // Modules and themes that are not here bring files along.
    let is_whole = !settings.at(&["module", "imports"]).is_set() && !settings.get("theme").is_set();
    let mut leave = |forms, why| match is_whole {
        true => site.leave_places_open(forms, why, NOTHING),
        false => site.leave_open(forms, why, NOTHING),
    };
    if let Some(why) = hook("link") {
        leave(Forms::LINKS, why);
    }
    if let Some(why) = hook("image") {
        leave(Forms::new(&[Form::File]), why);
    }
    if let Some(why) = hook("heading") {
        let why = why.replace("makes the addresses", "may name the headings");
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    let file = display_path(path);
    // Those of styles, templates and the like change no page.
    let is_of_pages = |mount: &Value| {
        let target = mount.get("target").text().and_then(|target| target.split('/').next());
        !matches!(target, Some("assets" | "layouts" | "i18n" | "data" | "archetypes" | "static"))
    };
    let own = settings.at(&["module", "mounts"]);
    if own.items().iter().any(|mount| mount.get("target").text().is_some_and(|target| target.starts_with("static"))) {
        let why = format!("{file} has module.mounts, which bring files along");
        site.leave_open(Forms::new(&[Form::Absolute, Form::File]), why, NOTHING);
    }
    let mounts = own.is_set() && (own.is_computed() || own.items().iter().any(is_of_pages))
        || settings.at(&["module", "imports"]).items().iter().any(|import| import.get("mounts").is_set());
    let languages = || settings.get("languages").entries();
    let is_set =
        |name: &str| settings.get(name).is_set() || languages().iter().any(|(_, options)| options.get(name).is_set());
    let is_ugly = if is_ugly(settings).is_none() { Some("uglyURLs") } else { None };
    let changes = is_set("permalinks").then_some("permalinks").or(is_ugly);
    if let Some(setting) = changes.or_else(|| mounts.then_some("module.mounts")) {
        let links = Forms::ADDRESSES.and(Form::Page).and(Form::File);
        let why = format!("{file} has {setting}, which changes addresses");
        match mounts || !is_whole {
            true => site.leave_open(links, why, NOTHING),
            false => site.leave_places_open(links, why, NOTHING),
        }
    }
    let parser = settings.at(&["markup", "goldmark", "parser"]);
    if parser.get("autoDefinitionTermID") == &Value::Bool(true) {
        site.syntax = site.syntax.with(&[C::TermIds]);
    }
    let of_parser = ["autoHeadingIDType", "autoIDType"];
    if settings.at(&["markup", "goldmark", "extensions", "typographer", "disable"]) == &Value::Bool(true)
        || settings.at(&["markup", "goldmark", "extensions", "typographer"]) == &Value::Bool(false)
    {
        site.syntax = site.syntax.without(&[C::SmartPunctuation]);
    }
    if of_parser.iter().any(|name| parser.get(name).text() == Some("github-ascii")) {
        site.syntax.dialect = Dialect::Hugo { ascii: true };
    }
    let is_known = |value: &Value| {
        matches!(value, Value::Null | Value::Bool(false)) || matches!(value.text(), Some("github" | "github-ascii"))
    };
    let has_names = |value: &Value| !matches!(value, Value::Bool(false));
    if !has_names(parser.get("autoHeadingID")) {
        let why = format!("{file} sets autoHeadingID, which changes anchors");
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    if let Some(setting) = of_parser.into_iter().find(|name| !is_known(parser.get(name))) {
        site.leave_open(Forms::new(&[Form::Anchor]), format!("{file} has {setting}, which changes anchors"), NOTHING);
    }
}

/// Returns whether Goldmark's links stay as they are written and pages are where their paths say: no render hook of the site or of a theme,
/// no setting that changes addresses. With several languages, Hugo's own render hook is on.
fn leaves_links(tree: &Tree, project: &[u8], settings: &Value) -> bool {
    const CHANGING: &[&str] =
        &["permalinks", "disablePathToLower", "removePathAccents", "themesDir", "outputs", "mediaTypes", "staticDir"];
    let themes = settings.get("theme");
    let has_theme = |name: &str| tree.children(&join(project, format!("themes/{name}").as_bytes())).next().is_some();
    let has_themes = match themes {
        Value::Null => true,
        Value::Text(name) => has_theme(name),
        Value::List(_) => themes.names().into_iter().all(has_theme),
        _ => false,
    };
    let has_hook = ["render-link.html", "render-image.html"].iter().any(|name| {
        tree.find_name(name.as_bytes()).any(|entry| is_below(&tree.entries()[entry as usize].path, project))
    });
    !settings.is_computed()
        && has_themes
        && !has_hook
        && settings.get("languages").entries().len() < 2
        && !settings.at(&["module", "imports"]).is_set()
        && !settings.at(&["module", "mounts"]).is_set()
        && !settings.at(&["markup", "goldmark", "renderHooks"]).is_set()
        && is_ugly(settings).is_some()
        && !CHANGING.iter().any(|name| settings.get(name).is_set())
}

/// Returns whether `x.md` is `x.html`; nothing where that is set for some sections only.
fn is_ugly(settings: &Value) -> Option<bool> {
    let all = ["uglyURLs", "uglyurls"].map(|name| settings.get(name));
    match all.into_iter().find(|value| value.is_set()) {
        None => Some(false),
        Some(Value::Bool(is)) => Some(*is),
        Some(_) => None,
    }
}

/// A link is left as it is, but for those of `ref` and `relref`.
fn href(link: &LinkPath<'_>) -> Href {
    Href::Address(link.path.to_vec())
}

/// Returns the address of a folder: `slug` of an `_index.md` is the last part of it, also for the pages below.
fn section(part: &Part<'_>, folder: &[u8]) -> Vec<u8> {
    let mut address = Vec::new();
    let ends = memchr::memchr_iter(b'/', folder).chain([folder.len()]);
    for end in ends.filter(|end| *end > 0) {
        let here = &folder[..end];
        let slug = (part.beside)(&join(here, b"_index.md"))
            .and_then(|document| Some(document.text(document.front_matter.slug?)))
            .filter(|slug| !slug.is_empty());
        let name = urlized(slug.map_or(file_name(here), str::as_bytes)).into_owned();
        address = join(&address, &name);
    }
    address
}

/// Returns the path of a file whose page has an address of its own: a file is published below the page of the nearest `index.md` or
/// `_index.md`, wherever that is.
fn of_bundle(part: &Part<'_>) -> Option<Vec<u8>> {
    let mut folder = parent(part.path);
    let (page, is_section) = loop {
        let find = |name: &[u8]| (part.beside)(&join(folder, name));
        match find(b"index.md").map(|page| (page, false)).or_else(|| find(b"_index.md").map(|page| (page, true))) {
            Some(found) => break found,
            None if folder.is_empty() => return None,
            None => folder = parent(folder),
        }
    };
    let text = |field: Option<_>| field.map(|field| page.text(field).as_bytes()).filter(|text| !text.is_empty());
    let address = match (text(page.front_matter.address), text(page.front_matter.slug)) {
        (Some(url), _) if memchr::memchr(b'.', file_name(url)).is_none() => bare(url).to_vec(),
        (Some(_), _) => return None,
        (None, Some(slug)) if !is_section => join(&section(part, parent(folder)), &urlized(slug)),
        // The `slug` of sections is a part of it.
        (None, _) => section(part, folder),
    };
    // Folders without such a page keep their letters.
    let is_moved = text(page.front_matter.address).is_some() || address != *urlized(folder);
    let rest = crate::audit::site::below(part.path, folder).filter(|_| is_moved)?;
    Some(join(&address, rest))
}

/// A page is a folder; `index.md` and `_index.md` are their folder's, beside which their files lie. A folder at the top has a list.
fn published(part: &Part<'_>, sink: &mut Vec<Vec<u8>>) {
    if part.is_folder {
        let has_page = (part.beside)(&join(part.path, b"_index.md")).is_some();
        if !part.path.contains(&b'/') && !has_page {
            sink.push(join(&urlized(part.path), b"index.html"));
        }
        return;
    }
    let (stem, ending) = part.split();
    let is_page = part.document.is_some() || matches!(ending, b"html" | b"adoc" | b"org" | b"rst" | b"pandoc");
    if !is_page {
        sink.extend(of_bundle(part).or_else(|| part.file()));
        return;
    }
    let name = file_name(stem);
    let is_section = name.starts_with(b"_index");
    let folder = section(part, if is_section { parent(parent(stem)) } else { parent(stem) });
    let folder = if is_section { join(&folder, &urlized(file_name(parent(stem)))) } else { folder };
    let source = Source { path: stem, document: part.document };
    let is_index = matches!(name.split(|byte| *byte == b'.').next(), Some(b"index" | b"_index"));
    let url = source.text(|document| document.front_matter.address);
    if let Some(url) = url {
        let url = url.as_bytes();
        let path = url.strip_prefix(b"/").unwrap_or(url);
        let is_file = memchr::memchr(b'.', file_name(path)).is_some();
        sink.push(if is_file { path.to_vec() } else { join(path.strip_suffix(b"/").unwrap_or(path), b"index.html") });
    } else {
        let mut page = |folder: &[u8], name: &[u8]| match part.addressing.directories {
            true => sink.push(join(&join(folder, name), b"index.html")),
            false => sink.push(join(folder, &[name, b".html"].concat())),
        };
        let slug = source.text(|document| document.front_matter.slug);
        match slug {
            Some(slug) if !is_index => page(&folder, &urlized(slug.as_bytes())),
            Some(slug) if is_section => {
                sink.push(join(&join(parent(&folder), &urlized(slug.as_bytes())), b"index.html"));
            }
            // A bundle is a page, whose files lie in its folder.
            Some(slug) => page(parent(&folder), &urlized(slug.as_bytes())),
            None if is_section || is_index && part.addressing.directories => sink.push(join(&folder, b"index.html")),
            None if is_index => page(parent(&folder), file_name(&folder)),
            None => {
                page(&folder, &urlized(name));
                // `setup.de.md` is the same page in another language.
                page(&folder, &urlized(name.split(|byte| *byte == b'.').next().unwrap_or(name)));
            }
        }
    }
    if part.document.is_none() {
        sink.extend(part.file());
    }
    let Some(document) = part.document else { return };
    let front_matter = &document.front_matter;
    for alias in &front_matter.addresses {
        if [front_matter.slug, front_matter.id, front_matter.address].contains(&Some(*alias)) {
            continue;
        }
        let alias = document.text(*alias).as_bytes();
        let path = bare(alias);
        sink.push(join(path, b"index.html"));
        if !alias.starts_with(b"/") {
            sink.push(join(&join(&folder, path), b"index.html"));
        }
    }
}

fn addresses(site: &mut Site, tree: &Tree, settings: &Value, content: &[(Vec<u8>, Vec<u8>)]) {
    site.locales = settings.get("languages").names().iter().map(|name| name.as_bytes().to_vec()).collect();
    site.base = super::base(settings.get("baseURL").text().unwrap_or_default());
    let route = |folder: &Vec<u8>, prefix: &[u8]| Route {
        folder: folder.clone(),
        prefix: prefix.to_vec(),
        addresses: page,
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

/// A page by its path, in lower case; `index.md` and `_index.md` are their folder, `url` is the whole and `slug` the last part.
fn page(source: &Source<'_>, sink: &mut Vec<Vec<u8>>) {
    let name = source.name();
    // `setup.de.md` is the same page in another language.
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or(name);
    let folder = urlized(source.folder()).into_owned();
    let is_index = matches!(stem, b"index" | b"_index");
    if let Some(url) = source.text(|document| document.front_matter.address) {
        sink.push(url.trim_matches('/').as_bytes().to_vec());
    } else if let Some(slug) = source.text(|document| document.front_matter.slug) {
        let above = if is_index { parent(&folder) } else { &folder };
        sink.push(join(above, &urlized(slug.as_bytes())));
    }
    sink.push(if is_index { folder.clone() } else { join(&folder, &urlized(stem)) });
    if stem.len() < name.len() && !is_index {
        sink.push(join(&folder, &urlized(name)));
    }
    if !is_index && !folder.is_empty() && !folder.contains(&b'/') {
        // A folder at the top is a section and has a list, also without a page of its own.
        sink.push(folder);
    }
}

/// Documents of a Hugo site without its configuration: a central site takes them from here (`_index.md` is Hugo's alone).
pub(super) fn imported(tree: &Tree, sites: &[Site]) -> Vec<Site> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for entry in tree.entries().iter().filter(|entry| entry.kind == Kind::Document) {
        let folder = parent(&entry.path);
        let is_index = file_name(&entry.path) == b"_index.md";
        // Sorted by path: what lies above comes first, but for the root's own.
        if is_index
            && !found.iter().any(|above| is_below(folder, above))
            && !sites.iter().any(|site| is_below(folder, &site.folder))
        {
            found.push(folder.to_vec());
        }
    }
    // `docs-locale/de-de` is `docs` in another language: what it lacks is taken from there.
    let (translated, original): (Vec<_>, Vec<_>) = found.iter().partition(|folder| is_language(file_name(folder)));
    let original = match (translated.is_empty(), &*original) {
        (false, [original]) => Some((*original).clone()),
        _ => None,
    };
    // `docs/sources/a/_index.md` and `docs/sources/b/_index.md` are parts of one tree.
    let site = |folder: Vec<u8>| {
        let reason = format!("{} is there and no configuration of Hugo", display_path(&join(&folder, b"_index.md")));
        let mut site = super::recognised::bare("Hugo", folder, reason);
        if is_language(file_name(&site.folder)) {
            site.mirrors = original.iter().map(|original| (site.folder.clone(), original.clone())).collect();
        }
        let why = "a Hugo site elsewhere takes these documents, and its settings are not here".to_owned();
        site.leave_open(Forms::ADDRESSES_AND_ANCHORS, why, super::recognised::REMEDY);
        site
    };
    found.into_iter().map(site).collect()
}
