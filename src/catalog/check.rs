//! `check:`, the settings of `mcp-kit catalog check` and `catalog verify`.

use schemars::JsonSchema;
use serde::Serialize;

use super::audit::{SEVERITIES, severity_word};
use super::online::number;
use super::problem::Problem;
use super::read::Reader;
use super::yaml::Node;
use crate::audit::finding::{Code, Severity};
use crate::text::nearest::nearest;

/// The settings of checks of the fleet. Every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckConfig {
    /// The number of days after which `last_verified` is too old: 90 without it.
    #[schemars(range(min = 1, max = 3650))]
    pub verified_days: Option<u32>,
    /// Severities that replace a finding's own: error, warning, note, or off.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub severities: Vec<(String, String)>,
}

impl CheckConfig {
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Self {
        let Some(mut fields) = reader.fields(node, "check") else { return Self::default() };
        let check = Self {
            verified_days: fields.take("verified_days").and_then(|node| number(node, reader, 3650, "days")),
            severities: reader.table(fields.take("severities"), |code, span, node, reader| {
                let severity = severity_word(node, reader);
                if Code::for_fleet(code).is_none() {
                    let known: Vec<String> = Code::FLEET.iter().map(|code| code.as_str().to_owned()).collect();
                    let hint = nearest(code, &known).map_or_else(
                        || format!("there are {}", known.join(", ")),
                        |near| format!("did you mean {near}?"),
                    );
                    reader.problem(Problem::new(span.clone(), format!("there is no finding {code:?}")).with_hint(hint));
                    return None;
                }
                Some((code.to_owned(), severity?))
            }),
        };
        reader.end(fields);
        check
    }

    /// Returns the severity of findings with this code, or `None` when they are off.
    #[must_use]
    pub fn severity(&self, code: Code, usual: Severity) -> Option<Severity> {
        let Some((_, word)) = self.severities.iter().rev().find(|(other, _)| other == code.as_str()) else {
            return Some(usual);
        };
        SEVERITIES.iter().find(|(other, _)| other == word).map_or(Some(usual), |(_, severity)| *severity)
    }

    /// Returns the number of days after which a verification is too old.
    #[must_use]
    pub fn days(&self) -> u32 {
        self.verified_days.unwrap_or(90)
    }
}
