//! Decisions about whole documents → changes: a header, or the move to the archive with its notice, list entry and
//! links. Pure, except that it reads these documents.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::archived::Archived;
use super::plan::{Edits, FixPlan, meets};
use crate::audit::checks::Context;
use crate::audit::finding::{Decision, Edit, Fix, Verdict};
use crate::audit::resolve::Target;
use crate::audit::suggest;
use crate::fs::change::Change;
use crate::markdown::checksum::is_page;
use crate::markdown::destination::Parts;
use crate::markdown::generated;
use crate::text::path::{display_path, file_name};

/// The folder of archived documents, below the root.
const ARCHIVE: &str = "archive";
/// The list of archived documents, when the tree has no other one.
const INDEX: &str = "docs/DEPRECATION_NOTICES.md";

/// The texts of headers and notices that no document contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderSettings {
    /// The date of the run.
    pub date: NaiveDate,
    /// The document with the current approach, relative to the root.
    pub current: Option<String>,
}

/// Returns the changes for the proposals to update and to archive.
#[must_use]
pub fn plan(context: Context<'_>, decisions: &[Decision], settings: &HeaderSettings) -> FixPlan {
    let documents = Documents::new(context, settings);
    let mut plan = FixPlan::default();
    let archived = documents.archived(decisions, &mut plan.remarks);
    let mut texts: BTreeMap<u32, String> = BTreeMap::new();
    for page in documents.touched(decisions, &archived) {
        match documents.read(page) {
            // An archived page stops being a generated page. The file in its place is another one.
            Some(text) if is_page(&text) && documents.is(decisions, page, Verdict::Update) => {
                plan.remarks.push(format!("{} {}", documents.path(page), generated::ADVICE));
            }
            Some(text) => drop(texts.insert(page, text)),
            None => plan.remarks.push(format!("{} is not UTF-8 and stays as it is", documents.path(page))),
        }
    }
    for (page, text) in &texts {
        let links = documents.relinked(*page, text, &archived);
        let before = Some(text.clone().into_bytes());
        match archived.get(page) {
            Some(new) => {
                let notice = documents.notice(*page, text, new);
                let change = |path: &str, before, after: String| Change {
                    path: path.to_owned(),
                    before,
                    after: after.into_bytes(),
                };
                plan.changes.push(change(new, None, links));
                plan.changes.push(change(&documents.path(*page), before, notice));
                plan.fixed += 1;
            }
            None => {
                let update = documents.is(decisions, *page, Verdict::Update);
                let after = if update { documents.with_header(*page, &links) } else { links };
                plan.fixed += usize::from(update);
                if after != *text {
                    plan.changes.push(Change { path: documents.path(*page), before, after: after.into_bytes() });
                }
            }
        }
    }
    documents.list(&texts, &archived, &mut plan);
    plan.changes.sort_by(|one, other| one.path.cmp(&other.path));
    plan
}

struct Documents<'a> {
    context: Context<'a>,
    settings: &'a HeaderSettings,
    date: String,
}

impl<'a> Documents<'a> {
    fn new(context: Context<'a>, settings: &'a HeaderSettings) -> Self {
        Self { context, settings, date: settings.date.to_string() }
    }

    fn path(&self, page: u32) -> String {
        display_path(self.context.corpus.path(page))
    }

    fn page(&self, path: &str) -> Option<u32> {
        self.context.corpus.tree.find(path.as_bytes()).and_then(|entry| self.context.corpus.page_of(entry))
    }

    fn read(&self, page: u32) -> Option<String> {
        let mut buffer = Vec::new();
        let corpus = self.context.corpus;
        let largest = self.context.settings.largest;
        let bytes = crate::audit::corpus::bytes(&corpus.tree, corpus.path(page), largest, &mut buffer).ok()?;
        std::str::from_utf8(bytes).map(str::to_owned).ok()
    }

    fn is(&self, decisions: &[Decision], page: u32, verdict: Verdict) -> bool {
        let path = self.path(page);
        decisions.iter().any(|decision| decision.verdict == verdict && decision.path == path)
    }

    /// Returns the new path of each archived page. A path that already exists is left to the user, with a remark.
    fn archived(&self, decisions: &[Decision], remarks: &mut Vec<String>) -> BTreeMap<u32, String> {
        let mut archived = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for decision in decisions.iter().filter(|decision| decision.verdict == Verdict::Archive) {
            let Some(page) = self.page(&decision.path) else { continue };
            let new = format!("{ARCHIVE}/{}-{}", self.date, display_path(file_name(self.context.corpus.path(page))));
            if self.context.corpus.tree.find(new.as_bytes()).is_some() || !taken.insert(new.clone()) {
                remarks.push(format!("{} stays where it is: {new} is taken", decision.path));
                continue;
            }
            archived.insert(page, new);
        }
        archived
    }

    /// Returns the pages to read: those with a decision, and those with a link to a heading of an archived page.
    fn touched(&self, decisions: &[Decision], archived: &BTreeMap<u32, String>) -> BTreeSet<u32> {
        let updated = decisions.iter().filter(|decision| decision.verdict == Verdict::Update);
        let mut touched: BTreeSet<u32> = updated.filter_map(|decision| self.page(&decision.path)).collect();
        touched.extend(archived.keys());
        let pages = (0_u32..).zip(&self.context.graph.links);
        touched.extend(pages.filter_map(|(page, links)| {
            links.iter().any(|link| link.page().is_some_and(|to| archived.contains_key(&to))).then_some(page)
        }));
        touched
    }

    /// Returns the text of a page with its links adapted to the new paths.
    fn relinked(&self, page: u32, text: &str, archived: &BTreeMap<u32, String>) -> String {
        let corpus = self.context.corpus;
        let document = &corpus.pages[page as usize].document;
        let own = archived.get(&page).map_or(corpus.path(page), |new| new.as_bytes());
        let mut edits = Edits::default();
        // In a document that stays, a build owns the generated parts.
        let made_by_build = if archived.contains_key(&page) { Vec::new() } else { generated::parts(text) };
        for (link, resolved) in document.links.iter().zip(&self.context.graph.links[page as usize]) {
            let destination = document.text(link.destination);
            let parts = Parts::new(destination);
            // A link to a heading of the same page moves with it.
            if parts.path.is_empty() || link.destination_span.start >= link.destination_span.end {
                continue;
            }
            if meets(&made_by_build, &link.destination_span.range()) {
                continue;
            }
            let moved = resolved.page().and_then(|to| archived.get(&to)).filter(|_| parts.fragment.is_some());
            let to: &[u8] = match (moved, resolved.target) {
                // The notice at the old path does not have the heading.
                (Some(new), _) => new.as_bytes(),
                // A target that stays needs a new path only in a document that moves.
                _ if !archived.contains_key(&page) => continue,
                (None, Target::FolderPage { folder: entry, .. } | Target::Entry(entry)) => {
                    &corpus.tree.entries()[entry as usize].path
                }
                (None, Target::Page(to)) => corpus.path(to),
                (None, _) => continue,
            };
            let text_of_it = suggest::render_link(own, to, &parts, parts.fragment);
            let edit = Edit { span: link.destination_span.range(), text: text_of_it };
            edits.add(text, &Fix { title: String::new(), edits: vec![edit] });
        }
        edits.apply(text)
    }

    /// Returns the text with the header below its title.
    fn with_header(&self, page: u32, text: &str) -> String {
        let end = line_end(text);
        let mut header = format!("> ⚠️ **UPDATED** ({}){end}> This document describes legacy setup.{end}", self.date);
        if let Some((title, way)) = self.current(page) {
            header += &format!("> See [{title}]({way}) for current approach.{end}");
        }
        let at = below_title(text);
        let (before, after) = text.split_at(at);
        let open = if before.is_empty() || before.ends_with('\n') { "" } else { end };
        let above = if before.trim_start_matches('\u{feff}').is_empty() { "" } else { end };
        let below = if after.is_empty() || after.starts_with(['\n', '\r']) { "" } else { end };
        format!("{before}{open}{above}{header}{below}{after}")
    }

    /// Returns the title of the document with the current approach, and the link to it.
    fn current(&self, page: u32) -> Option<(String, String)> {
        let corpus = self.context.corpus;
        let to = self.page(self.settings.current.as_deref()?)?;
        // On a repository's host `/` is the root of the repository. Elsewhere a relative path is safe.
        let manner = if corpus.site(page).links.is_host { "/" } else { "" };
        let way = suggest::render_link(
            corpus.path(page),
            corpus.path(to),
            &Parts { path: manner, query: None, fragment: None },
            None,
        );
        Some((self.title(to), way.trim_end_matches('/').to_owned()))
    }

    fn title(&self, page: u32) -> String {
        let document = &self.context.corpus.pages[page as usize].document;
        document.title.map_or_else(
            || display_path(file_name(self.context.corpus.path(page))),
            |title| document.text(title).to_owned(),
        )
    }

    /// Returns the notice at the old path.
    fn notice(&self, page: u32, text: &str, new: &str) -> String {
        let end = line_end(text);
        let (corpus, document) = (self.context.corpus, &self.context.corpus.pages[page as usize].document);
        let plain = Parts { path: "", query: None, fragment: None };
        let way = suggest::render_link(corpus.path(page), new.as_bytes(), &plain, None);
        let mut notice = format!(
            "# {}{end}{end}> ⚠️ **ARCHIVED** ({}){end}> This document is out of date. It is kept as [{}]({way}).{end}",
            self.title(page),
            self.date,
            display_path(file_name(new.as_bytes())),
        );
        let replacement = document.evidence.notice.and_then(|notice| notice.replacement);
        if let Some(to) = self.superseded_by(page) {
            let way = suggest::render_link(corpus.path(page), corpus.path(to), &plain, None);
            notice += &format!("> See [{}]({way}) instead.{end}", self.title(to));
        } else if let Some(replacement) = replacement {
            notice += &format!("> See {} instead.{end}", link_to(document.text(replacement)));
        } else if let Some((title, way)) = self.current(page) {
            notice += &format!("> See [{title}]({way}) instead.{end}");
        }
        let list = suggest::render_link(corpus.path(page), self.index().1.as_bytes(), &plain, None);
        notice += &format!("> The others are [listed]({list}).{end}");
        notice
    }

    /// Returns the list of archived documents: its page, if it exists, and its path.
    fn index(&self) -> (Option<u32>, String) {
        let mut pages = 0..u32::try_from(self.context.corpus.pages.len()).unwrap_or(u32::MAX);
        let is_it =
            |page: &u32| file_name(self.context.corpus.path(*page)).eq_ignore_ascii_case(b"DEPRECATION_NOTICES.md");
        let known = pages.find(is_it);
        (known, known.map_or_else(|| INDEX.to_owned(), |page| self.path(page)))
    }

    /// Returns the page that the front matter names as the replacement.
    fn superseded_by(&self, page: u32) -> Option<u32> {
        let document = &self.context.corpus.pages[page as usize].document;
        let entry = self.context.page_named(page, document.text(document.front_matter.replacement?))?;
        self.context.corpus.page_of(entry)
    }

    /// Returns the catalog's entry for an archived document.
    fn entry(&self, page: u32, new: &str) -> Archived {
        let (corpus, document) = (self.context.corpus, &self.context.corpus.pages[page as usize].document);
        let from_notice = || {
            let replacement = document.evidence.notice?.replacement?;
            let text = document.text(replacement);
            let at = document.links.iter().position(|link| document.text(link.destination) == text)?;
            self.context.graph.links[page as usize].get(at)?.page()
        };
        let current = || self.page(self.settings.current.as_deref()?);
        let replacement = self.superseded_by(page).or_else(from_notice).or_else(current).map(|page| self.path(page));
        Archived {
            path: display_path(corpus.path(page)),
            date: self.date.clone(),
            reason: "Out of date".to_owned(),
            archived: new.to_owned(),
            replacement,
        }
    }

    /// Adds the archived documents to the list. Creates the list when there is none.
    fn list(&self, texts: &BTreeMap<u32, String>, archived: &BTreeMap<u32, String>, plan: &mut FixPlan) {
        let done: Vec<(u32, &String)> =
            archived.iter().filter(|(page, _)| texts.contains_key(page)).map(|(page, new)| (*page, new)).collect();
        if done.is_empty() {
            return;
        }
        let (known, path) = self.index();
        let at = plan.changes.iter().position(|change| change.path == path);
        let (before, mut text) = match (at.map(|at| plan.changes.remove(at)), known) {
            (Some(change), _) => (change.before, String::from_utf8_lossy(&change.after).into_owned()),
            (None, Some(page)) => {
                let Some(text) = self.read(page) else {
                    plan.remarks.push(format!("{path} is not UTF-8: enter there what was archived"));
                    return;
                };
                (Some(text.clone().into_bytes()), text)
            }
            (None, None) => (None, "# Deprecated documents\n\n".to_owned()),
        };
        if is_page(&text) {
            // The list is a generated page, so the build adds them, and the page stays unchanged here.
            plan.archived.extend(done.into_iter().map(|(page, new)| self.entry(page, new)));
            return;
        }
        let end = line_end(&text);
        if !text.is_empty() && !text.ends_with('\n') {
            text += end;
        }
        let plain = Parts { path: "", query: None, fragment: None };
        for (page, new) in done {
            let way = |to: &[u8]| suggest::render_link(path.as_bytes(), to, &plain, None);
            let old = self.context.corpus.path(page);
            text += &format!(
                "- {}: [{}]({}) is archived as [{new}]({}){end}",
                self.date,
                display_path(old),
                way(old),
                way(new.as_bytes())
            );
        }
        plan.changes.push(Change { path, before, after: text.into_bytes() });
    }
}

/// Returns a link whose text is the last part of the destination.
fn link_to(destination: &str) -> String {
    let name = destination.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(destination);
    format!("[{name}]({destination})")
}

/// Returns the line end of the document.
fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Returns the position after the first level-1 heading, or else after the front matter.
fn below_title(text: &str) -> usize {
    let options = Options::ENABLE_YAML_STYLE_METADATA_BLOCKS | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut start = bom;
    for (event, range) in Parser::new_ext(&text[bom..], options).into_offset_iter() {
        match event {
            Event::End(TagEnd::MetadataBlock(_)) => start = bom + range.end,
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => {
                start = bom + range.end;
                break;
            }
            _ => {}
        }
    }
    // The parser's range of a metadata block excludes the last line end.
    let rest = &text[start..];
    let inside = start > bom && !text[..start].ends_with('\n');
    let skipped = if inside { rest.find('\n').map_or(rest.len(), |at| at + 1) } else { 0 };
    start + skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_under_the_title() {
        for (text, at) in [
            ("# A\n\ntext\n", 4),
            ("A\r\n=\r\ntext", 6),
            ("\u{feff}# A", 6),
            ("---\nstatus: x\n---\n\ntext\n", 18),
            ("---\nstatus: x\n---\n# A\ntext\n", 22),
            ("text\n\n# A\n", 10),
            ("text only", 0),
            ("", 0),
        ] {
            assert_eq!(below_title(text), at, "{text:?}");
        }
    }
}
