//! docker-compose.yml: which service gets which variables. Anchors, aliases and merges are the parser's.
//!
//! Errors of the parser quote the file, so none of its texts passes through: a problem has a line, a column and a
//! kind.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error as YamlError, NonFiniteFloatPolicy, options};
use zeroize::Zeroizing;

/// A compose file, as far as it is about environment variables.
#[derive(Deserialize)]
pub(super) struct Compose {
    #[serde(default)]
    services: Option<BTreeMap<String, Option<Service>>>,
}

/// One service.
#[derive(Deserialize)]
pub(super) struct Service {
    #[serde(default)]
    environment: Variables,
    #[serde(default)]
    env_file: Option<IgnoredAny>,
    #[serde(default)]
    extends: Option<IgnoredAny>,
}

/// `environment`, as a map or as a list.
#[derive(Default)]
enum Variables {
    #[default]
    None,
    Named(BTreeMap<String, Scalar>),
    /// Neither of the two, or with an item that is no text.
    Odd,
}

/// The value of a variable.
pub(super) enum Scalar {
    /// Text, with `${…}` as it stands.
    Text(Zeroizing<String>),
    /// Nothing: the variable is passed on from where compose runs.
    PassedOn,
    /// A value that YAML takes for a number, a truth value or a structure. docker compose would normalise numbers (`0123`
    /// becomes 83), so the file must quote them.
    NotText(&'static str),
    /// Twice in a list, with different values.
    Twice,
}

/// Why a file is not a compose file. Its text quotes nothing of the file but names of services.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ComposeError {
    #[error("{problem} (line {line}, column {column})")]
    Yaml { problem: &'static str, line: u64, column: u64 },
    #[error("has no services")]
    NoServices,
    #[error("service {0}: `environment` is neither a map of names to values nor a list of NAME=value")]
    Environment(String),
}

impl Compose {
    pub(super) fn parse(text: &str) -> Result<Self, ComposeError> {
        // With a snippet, the error would hold a copy of the file.
        let options = options! {
            with_snippet: false,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        };
        let compose: Self = serde_saphyr::from_str_with_options(text, options).map_err(|error| explain(&error))?;
        for (name, service) in compose.services() {
            if matches!(service.environment, Variables::Odd) {
                return Err(ComposeError::Environment(name.to_owned()));
            }
        }
        if compose.services().next().is_none() { Err(ComposeError::NoServices) } else { Ok(compose) }
    }

    /// Services by name, in the order of the names.
    pub(super) fn services(&self) -> impl Iterator<Item = (&str, &Service)> {
        let services = self.services.iter().flatten();
        services.filter_map(|(name, service)| Some((name.as_str(), service.as_ref()?)))
    }
}

impl Service {
    pub(super) fn get(&self, name: &str) -> Option<&Scalar> {
        match &self.environment {
            Variables::Named(variables) => variables.get(name),
            Variables::None | Variables::Odd => None,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let named = match &self.environment {
            Variables::Named(variables) => Some(variables),
            Variables::None | Variables::Odd => None,
        };
        named.into_iter().flat_map(|variables| variables.keys().map(String::as_str))
    }

    /// Where the service may get more variables from, which is not followed.
    pub(super) fn elsewhere(&self) -> impl Iterator<Item = &'static str> {
        let env_file = self.env_file.as_ref().map(|_| "env_file");
        env_file.into_iter().chain(self.extends.as_ref().map(|_| "extends"))
    }
}

fn explain(error: &YamlError) -> ComposeError {
    let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    ComposeError::Yaml { problem: problem(error), line, column }
}

fn problem(error: &YamlError) -> &'static str {
    match error.without_snippet() {
        YamlError::AliasError { error, .. } => problem(error),
        YamlError::DuplicateMappingKey { .. } => "the same key stands twice in a map",
        YamlError::UnknownAnchor { .. } => "an alias has no anchor",
        YamlError::MultipleDocuments { .. } => "more than one YAML document",
        YamlError::MergeValueNotMapOrSeqOfMaps { .. } => "`<<` merges something that is not a map",
        YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. }
        | YamlError::Budget { .. } => "more aliases or nesting than a compose file has",
        YamlError::Message { .. }
        | YamlError::Unexpected { .. }
        | YamlError::NullIntoString { .. }
        | YamlError::SerdeInvalidType { .. }
        | YamlError::SerdeInvalidValue { .. } => "not the form of a compose file",
        _ => "not valid YAML",
    }
}

impl<'de> Deserialize<'de> for Variables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VariablesVisitor)
    }
}

struct VariablesVisitor;

/// Takes unexpected values as well: errors are made where the service's name is known.
impl<'de> Visitor<'de> for VariablesVisitor {
    type Value = Variables;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map or a list")
    }

    fn visit_unit<E>(self) -> Result<Variables, E> {
        Ok(Variables::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variables, A::Error> {
        let mut variables = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Scalar>()? {
            variables.insert(name, value);
        }
        Ok(Variables::Named(variables))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Variables, A::Error> {
        let mut variables = BTreeMap::new();
        let mut odd = false;
        while let Some(item) = list.next_element::<Scalar>()? {
            let Scalar::Text(item) = item else {
                odd = true;
                continue;
            };
            let (name, value) = match item.split_once('=') {
                Some((name, value)) => (name, Scalar::Text(Zeroizing::new(value.to_owned()))),
                None => (item.as_str(), Scalar::PassedOn),
            };
            let value = match (variables.get(name), value) {
                (None, value) => value,
                (Some(Scalar::Text(earlier)), Scalar::Text(value)) if *earlier == value => Scalar::Text(value),
                (Some(Scalar::PassedOn), Scalar::PassedOn) => Scalar::PassedOn,
                _ => Scalar::Twice,
            };
            variables.insert(name.to_owned(), value);
        }
        Ok(if odd { Variables::Odd } else { Variables::Named(variables) })
    }

    fn visit_str<E>(self, _: &str) -> Result<Variables, E> {
        Ok(Variables::Odd)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Variables, E> {
        Ok(Variables::Odd)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Variables, E> {
        Ok(Variables::Odd)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Variables, E> {
        Ok(Variables::Odd)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Variables, E> {
        Ok(Variables::Odd)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(Zeroizing::new(text)))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::PassedOn)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::NotText("a truth value"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
        Ok(Scalar::NotText("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Scalar, E> {
        Ok(Scalar::NotText("a number"))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Scalar, E> {
        Ok(Scalar::NotText("a number"))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Scalar, E> {
        Ok(Scalar::NotText("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::NotText("a number"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::NotText("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::NotText("a map"))
    }
}
