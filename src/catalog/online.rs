//! `audit.online:`, the settings of the web requests that `mcp-kit audit-docs --online` sends.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::audit::pattern;
use super::problem::Problem;
use super::read::Reader;
use super::yaml::Node;
use crate::audit::web::OnlineSettings;

/// The settings of web requests. Every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = allow_earlier_name)]
pub struct Online {
    /// Regular expressions of addresses to skip.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// `true` to request addresses of private networks too.
    #[serde(default)]
    pub private: bool,
    /// The timeout of one request in seconds.
    #[schemars(range(min = 1, max = 600))]
    pub timeout: Option<u32>,
    /// The number of days for which a good answer is cached.
    #[schemars(range(min = 1, max = 365))]
    pub cache_days: Option<u32>,
}

/// The name of `cache_days` in catalogs of earlier versions.
pub(super) const EARLIER_NAME: &str = "believed_days";

/// Adds the earlier name to the schema, as deprecated, so that an editor accepts a catalog that the reader accepts.
fn allow_earlier_name(schema: &mut schemars::Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) else { return };
    let Some(mut property) = properties.get("cache_days").cloned() else { return };
    if let Some(property) = property.as_object_mut() {
        property.insert("description".to_owned(), "The earlier name of `cache_days`.".into());
        property.insert("deprecated".to_owned(), true.into());
    }
    properties.insert(EARLIER_NAME.to_owned(), property);
}

const SWITCH: &[(&str, bool)] = &[("true", true), ("false", false)];

impl Online {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Self {
        let Some(mut fields) = reader.fields(node, "online") else { return Self::default() };
        let online = Self {
            exclude: reader.list(fields.take("exclude"), pattern),
            private: fields.take("private").and_then(|node| reader.choice(node, "switch", SWITCH)).unwrap_or_default(),
            timeout: fields.take("timeout").and_then(|node| number(node, reader, 600, "seconds")),
            cache_days: fields
                .take_renamed("cache_days", EARLIER_NAME)
                .and_then(|node| number(node, reader, 365, "days")),
        };
        reader.end(fields);
        online
    }

    /// Converts to the settings of the audit, with its defaults for missing values.
    #[must_use]
    pub fn settings(&self) -> OnlineSettings {
        let defaults = OnlineSettings::default();
        let day = 24 * 60 * 60;
        OnlineSettings {
            exclude: self.exclude.clone(),
            private: self.private,
            timeout: self.timeout.map_or(defaults.timeout, |seconds| Duration::from_secs(seconds.into())),
            cache_ttl: self.cache_days.map_or(defaults.cache_ttl, |days| Duration::from_secs(u64::from(days) * day)),
            ..defaults
        }
    }
}

/// Reads a number from 1 to `most`.
pub(super) fn number(node: &Node, reader: &mut Reader, most: u32, of: &str) -> Option<u32> {
    let text = reader.text(node)?;
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Some(number),
        _ => {
            reader.problem(Problem::new(node.span.clone(), format!("{text:?} is no number of {of} from 1 to {most}")));
            None
        }
    }
}
