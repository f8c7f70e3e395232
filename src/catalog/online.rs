//! `audit.online:`, the settings of the web requests that `mcp-kit audit-docs --online` sends.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::audit::pattern;
use super::problem::Problem;
use super::read::Reader;
use super::yaml::Node;
use crate::audit::web::OnlineSettings;

/// How the web is asked. Everything may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Online {
    /// Regular expressions of addresses that are not asked.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Whether addresses of private networks are asked, too.
    #[serde(default)]
    pub private: bool,
    /// Seconds that a host has to answer once.
    #[schemars(range(min = 1, max = 600))]
    pub timeout: Option<u32>,
    /// Days for which a good answer is believed.
    #[schemars(range(min = 1, max = 365))]
    pub believed_days: Option<u32>,
}

const SWITCH: &[(&str, bool)] = &[("true", true), ("false", false)];

impl Online {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Self {
        let Some(mut fields) = reader.fields(node, "online") else { return Self::default() };
        let online = Self {
            exclude: reader.list(fields.take("exclude"), pattern),
            private: fields.take("private").and_then(|node| reader.choice(node, "switch", SWITCH)).unwrap_or_default(),
            timeout: fields.take("timeout").and_then(|node| number(node, reader, 600, "seconds")),
            believed_days: fields.take("believed_days").and_then(|node| number(node, reader, 365, "days")),
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
            cache_ttl: self.believed_days.map_or(defaults.cache_ttl, |days| Duration::from_secs(u64::from(days) * day)),
            ..defaults
        }
    }
}

/// Reads a number from 1 to `most`.
fn number(node: &Node, reader: &mut Reader, most: u32, of: &str) -> Option<u32> {
    let text = reader.text(node)?;
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Some(number),
        _ => {
            reader.problem(Problem::new(node.span.clone(), format!("{text:?} is no number of {of} from 1 to {most}")));
            None
        }
    }
}
