//! The forms of links that render hooks, modules and settings of Hugo change, and which are left open for that reason.

use crate::audit::document::Construct as C;
use crate::audit::site::generators::NOTHING;
use crate::audit::site::open::{Form, Forms};
use crate::audit::site::settings::SettingValue;
use crate::audit::site::{Site, is_below};
use crate::audit::walk::Tree;
use crate::markdown::slug::Dialect;
use crate::text::path::{display_path, join};

use super::is_ugly;

/// Records the links that render hooks and settings leave open.
pub(super) fn open(site: &mut Site, tree: &Tree, project: &[u8], path: &[u8], settings: &SettingValue) {
    let file = display_path(path);
    // Modules and themes that are not here bring files along.
    let is_whole = !settings.at(&["module", "imports"]).is_set() && !settings.get("theme").is_set();
    hooks(site, tree, project, is_whole);
    addresses(site, settings, &file, is_whole);
    markup(site, settings, &file);
}

/// Leaves open what a template of the site or of its theme makes of links and headings.
fn hooks(site: &mut Site, tree: &Tree, project: &[u8], is_whole: bool) {
    let hook = |kind: &str| {
        let name = format!("render-{kind}.html");
        let entry = tree.find_name(name.as_bytes()).find(|entry| {
            let path = &tree.entries()[*entry as usize].path;
            is_below(path, project) && memchr::memmem::find(path, b"_markup/").is_some()
        })?;
        Some(format!("the render hook {} makes the addresses", display_path(&tree.entries()[entry as usize].path)))
    };
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
}

/// Leaves open what settings change about addresses, and what mounts bring along.
fn addresses(site: &mut Site, settings: &SettingValue, file: &str, is_whole: bool) {
    // Those of styles, templates and the like change no page.
    let is_of_pages = |mount: &SettingValue| {
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
    let languages = settings.get("languages").entries();
    let is_set =
        |name: &str| settings.get(name).is_set() || languages.iter().any(|(_, options)| options.get(name).is_set());
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
}

/// Takes over what Goldmark is told about names of headings, and leaves anchors open where it is told something else.
fn markup(site: &mut Site, settings: &SettingValue, file: &str) {
    let goldmark = settings.at(&["markup", "goldmark"]);
    let parser = goldmark.get("parser");
    if parser.get("autoDefinitionTermID") == &SettingValue::Bool(true) {
        site.syntax = site.syntax.with(&[C::TermIds]);
    }
    let typographer = goldmark.at(&["extensions", "typographer"]);
    if typographer.get("disable") == &SettingValue::Bool(true) || typographer == &SettingValue::Bool(false) {
        site.syntax = site.syntax.without(&[C::SmartPunctuation]);
    }
    let of_parser = ["autoHeadingIDType", "autoIDType"];
    if of_parser.iter().any(|name| parser.get(name).text() == Some("github-ascii")) {
        site.syntax.dialect = Dialect::Hugo { ascii: true };
    }
    let is_known = |value: &SettingValue| {
        matches!(value, SettingValue::Null | SettingValue::Bool(false))
            || matches!(value.text(), Some("github" | "github-ascii"))
    };
    if matches!(parser.get("autoHeadingID"), SettingValue::Bool(false)) {
        let why = format!("{file} sets autoHeadingID, which changes anchors");
        site.leave_open(Forms::new(&[Form::Anchor]), why, NOTHING);
    }
    if let Some(setting) = of_parser.into_iter().find(|name| !is_known(parser.get(name))) {
        site.leave_open(Forms::new(&[Form::Anchor]), format!("{file} has {setting}, which changes anchors"), NOTHING);
    }
}

/// Returns whether Goldmark's links stay as they are written and pages are where their paths say: no render hook of the site or of a theme,
/// no setting that changes addresses. With several languages, Hugo's own render hook is on.
pub(super) fn leaves_links(tree: &Tree, project: &[u8], settings: &SettingValue) -> bool {
    const CHANGING: &[&str] =
        &["permalinks", "disablePathToLower", "removePathAccents", "themesDir", "outputs", "mediaTypes", "staticDir"];
    let themes = settings.get("theme");
    let has_theme = |name: &str| tree.children(&join(project, format!("themes/{name}").as_bytes())).next().is_some();
    let has_themes = match themes {
        SettingValue::Null => true,
        SettingValue::Text(name) => has_theme(name),
        SettingValue::List(_) => themes.names().into_iter().all(has_theme),
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
