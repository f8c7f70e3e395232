//! `audit:`, the settings of `mcp-kit audit-docs`.

use schemars::JsonSchema;
use serde::Serialize;

use super::online::Online;
use super::problem::Problem;
use super::read::Reader;
use super::yaml::Node;
use crate::audit::Settings;
use crate::audit::finding::{Code, Severity};
use crate::audit::settings::OwnSite;
use crate::audit::site::Flavor;
use crate::text::date::parse_day;

/// The settings of an audit. Every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// The renderer of the whole tree.
    pub flavor: Option<String>,
    /// The renderer of a folder.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub flavors: Vec<(String, String)>,
    /// Settings of the site that its own files do not contain.
    pub site: Option<SiteSettings>,
    /// Globs of documents that are not audited.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Globs of entry points, in addition to the usual ones.
    #[serde(default)]
    pub entry_points: Vec<String>,
    /// Globs of documents that need no link.
    #[serde(default)]
    pub orphans_allowed: Vec<String>,
    /// The regular expression that marks a document as deprecated.
    pub deprecated: Option<String>,
    /// Words of `deprecated` that healthy documents use too.
    pub common_words: Option<Vec<String>>,
    /// Severities that replace a check's own: error, warning, note, or off.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub severities: Vec<(String, String)>,
    /// Review dates of documents.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub reviews: Vec<(String, String)>,
    /// The settings of `--online`.
    #[serde(default)]
    pub online: Online,
}

pub(super) const SEVERITIES: &[(&str, Option<Severity>)] = &[
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("note", Some(Severity::Note)),
    ("off", None),
];

impl AuditConfig {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Self {
        let Some(mut fields) = reader.fields(node, "audit") else { return Self::default() };
        let flavor =
            |node: &Node, reader: &mut Reader| word(reader.choice(node, "renderer", Flavor::names()), Flavor::names());
        let audit = Self {
            flavor: fields.take("flavor").and_then(|node| flavor(node, reader)),
            flavors: reader.table(fields.take("flavors"), |folder, _, node, reader| {
                Some((folder.trim_matches('/').to_owned(), flavor(node, reader)?))
            }),
            site: fields.take("site").and_then(|node| SiteSettings::read(node, reader)),
            exclude: reader.list(fields.take("exclude"), glob),
            entry_points: reader.list(fields.take("entry_points"), glob),
            orphans_allowed: reader.list(fields.take("orphans_allowed"), glob),
            deprecated: fields.take("deprecated").and_then(|node| pattern(node, reader)),
            common_words: fields
                .take("common_words")
                .map(|node| reader.list(Some(node), |node, reader| reader.text(node))),
            severities: reader.table(fields.take("severities"), |code, span, node, reader| {
                let severity = severity_word(node, reader);
                if code.parse::<Code>().is_err() {
                    let known: Vec<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
                    let nearest = crate::text::nearest::nearest(code, &known);
                    let hint = nearest.map_or_else(
                        || format!("there are {}", known.join(", ")),
                        |near| format!("did you mean {near}?"),
                    );
                    reader.problem(Problem::new(span.clone(), format!("there is no check {code:?}")).with_hint(hint));
                    return None;
                }
                Some((code.to_owned(), severity?))
            }),
            reviews: reader.table(fields.take("reviews"), |path, _, node, reader| {
                Some((path.trim_start_matches('/').to_owned(), reader.date(node)?))
            }),
            online: fields.take("online").map(|node| Online::read(node, reader)).unwrap_or_default(),
        };
        reader.end(fields);
        audit
    }

    /// Converts to the settings of the audit, with its defaults for missing values.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let defaults = Settings::default();
        let flavor = |text: &str| Flavor::names().iter().find(|(word, _)| *word == text).map(|(_, flavor)| *flavor);
        let severity = |text: &str| SEVERITIES.iter().find(|(word, _)| *word == text).map(|(_, severity)| *severity);
        Settings {
            flavor: self.flavor.as_deref().and_then(flavor),
            flavors: self.flavors.iter().filter_map(|(folder, of)| Some((folder.clone(), flavor(of)?))).collect(),
            site: self.site.as_ref().map(SiteSettings::settings),
            exclude: self.exclude.clone(),
            entry_points: self.entry_points.clone(),
            orphans_allowed: self.orphans_allowed.clone(),
            deprecated: self.deprecated.clone().unwrap_or(defaults.deprecated),
            common_words: self.common_words.clone().unwrap_or(defaults.common_words),
            severities: self
                .severities
                .iter()
                .filter_map(|(code, of)| Some((code.parse().ok()?, severity(of)?)))
                .collect(),
            reviews: self.reviews.iter().filter_map(|(path, day)| Some((path.clone(), parse_day(day)?))).collect(),
            online: self.online.settings(),
            largest: defaults.largest,
        }
    }
}

/// The settings of a site that its own files do not say, or only by running them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteSettings {
    /// The folder whose sites these settings are about. Without it they are about all sites of the tree.
    pub folder: Option<String>,
    /// The path in front of all addresses, such as `/docs/`.
    pub base: Option<String>,
    /// The folders that `/` in front of a link means, the likeliest first.
    #[serde(default)]
    pub roots: Vec<String>,
}

impl SiteSettings {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let mut fields = reader.fields(node, "audit.site")?;
        let site = Self {
            folder: fields.take("folder").and_then(|node| reader.text(node)),
            base: fields.take("base").and_then(|node| reader.text(node)),
            roots: reader.list(fields.take("roots"), |node, reader| reader.text(node)),
        };
        reader.end(fields);
        Some(site)
    }

    fn settings(&self) -> OwnSite {
        let folder = self.folder.as_ref().map(|folder| folder.trim_matches('/').to_owned());
        OwnSite { folder, base: self.base.clone(), roots: self.roots.clone() }
    }
}

/// Reads a severity, and returns its word.
pub(super) fn severity_word(node: &Node, reader: &mut Reader) -> Option<String> {
    word(reader.choice(node, "severity", SEVERITIES), SEVERITIES)
}

/// Returns the word of a value.
fn word<T: Copy + PartialEq>(value: Option<T>, all: &[(&'static str, T)]) -> Option<String> {
    let value = value?;
    all.iter().find(|(_, other)| *other == value).map(|(word, _)| (*word).to_owned())
}

fn glob(node: &Node, reader: &mut Reader) -> Option<String> {
    let text = reader.text(node)?;
    match globset::Glob::new(text.trim_start_matches('/')) {
        Ok(_) => Some(text),
        Err(error) => {
            reader.problem(Problem::new(node.span.clone(), format!("this is no glob: {}", error.kind())));
            None
        }
    }
}

pub(super) fn pattern(node: &Node, reader: &mut Reader) -> Option<String> {
    let text = reader.text(node)?;
    match regex::Regex::new(&text) {
        Ok(_) => Some(text),
        Err(error) => {
            let last = error.to_string();
            let why = last.lines().last().unwrap_or_default().trim_start_matches("error: ");
            reader.problem(Problem::new(node.span.clone(), format!("this is no regular expression: {why}")));
            None
        }
    }
}
