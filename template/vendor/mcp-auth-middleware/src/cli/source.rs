//! Where `migrate-env` finds tokens: the environment, an `.env` file, a compose file.
//!
//! In come names, out go values, all of them or none. Problems name variables, services and files, and no value.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::compose::{Compose, Scalar, Service};
use super::console::boxed;
use super::dotenv::DotEnv;
use super::environment::{Environment, Variable};
use super::failure::Failure;
use super::interpolate::{InterpolationError, interpolate};
use crate::printable::printable;

/// Bytes of a file. Neither kind of file is anywhere near.
const MOST: u64 = 1024 * 1024;

/// The most names that a message lists when one is missing.
const MOST_NAMES: usize = 20;

/// A place that has variables.
pub(super) enum Source<'a> {
    Environment(&'a Environment),
    DotEnv { file: DotEnv, path: PathBuf },
    Compose { file: Compose, path: PathBuf, around: Around<'a> },
}

/// The variables that a compose file refers to: the environment, and `.env` beside the file where it does not know a name.
pub(super) struct Around<'a> {
    environment: &'a Environment,
    /// The reason where there is one and it cannot be read, which matters to whom asks for it only.
    dotenv: Option<Result<DotEnv, String>>,
}

/// The result of a lookup by name.
enum Found {
    Value(SecretString),
    /// There is nothing by that name.
    Missing,
    /// There is something, and it cannot be used; the text says why and holds no value.
    Unusable(String),
}

impl<'a> Source<'a> {
    /// Reads the file, or takes the environment where there is none.
    pub(super) fn open(from: Option<&Path>, environment: &'a Environment) -> Result<Self, Failure> {
        let Some(path) = from else { return Ok(Self::Environment(environment)) };
        let text = read(path).map_err(|reason| Failure::usage(format!("{}: {reason}", display_path(path))))?;
        let invalid = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", display_path(path)));
        let path_buf = path.to_owned();
        if path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("yml") || ext.eq_ignore_ascii_case("yaml")) {
            let file = Compose::parse(&text).map_err(|error| invalid(&error))?;
            let around = Around { environment, dotenv: beside(path) };
            return Ok(Self::Compose { file, path: path_buf, around });
        }
        let file = DotEnv::parse(&text).map_err(|error| {
            invalid(&error).hint("a compose file ends in .yml or .yaml; other files hold NAME=value lines")
        })?;
        Ok(Self::DotEnv { file, path: path_buf })
    }

    /// The place in words.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Environment(_) => "the environment".to_owned(),
            Self::DotEnv { path, .. } | Self::Compose { path, .. } => display_path(path),
        }
    }

    /// The value of a variable.
    pub(super) fn token(&self, name: &str) -> Result<SecretString, Failure> {
        let unusable = |reason: &str| Failure::usage(format!("{}: {} {reason}", self.place(), printable(name)));
        match self.find(name) {
            Found::Value(value) if value.expose_secret().is_empty() => Err(unusable("is empty")),
            Found::Value(value) => Ok(value),
            Found::Unusable(reason) => Err(unusable(&reason)),
            Found::Missing => Err(self.missing(name)),
        }
    }

    fn find(&self, name: &str) -> Found {
        match self {
            Self::Environment(environment) => match environment.get(name) {
                Some(Variable::Text(value)) => Found::Value(value.clone()),
                Some(Variable::NotUtf8) => Found::Unusable("is not UTF-8 text".to_owned()),
                None => Found::Missing,
            },
            Self::DotEnv { file, .. } => match file.get(name) {
                Some(entry) => match &entry.value {
                    Ok(value) => Found::Value(value.clone()),
                    Err(reason) => Found::Unusable(format!("(line {}) {reason}", entry.line)),
                },
                None => Found::Missing,
            },
            Self::Compose { file, around, .. } => in_services(file, around, name),
        }
    }

    fn missing(&self, name: &str) -> Failure {
        let name_shown = printable(name);
        let file_form = format!("{name}_FILE");
        if self.names().any(|known| known == file_form) {
            return Failure::usage(format!(
                "{}: {name_shown} is given as a file ({name_shown}_FILE), and files of secrets are not read here",
                self.place()
            ))
            .hint(format!("give that file to `tokens set {name_shown} < FILE`"));
        }
        let failure = Failure::usage(format!("{} has no {name_shown}; {}", self.place(), self.known(name)));
        match self {
            Self::Environment(_) => failure.hint("`--from .env` or `--from docker-compose.yml` reads a file"),
            Self::DotEnv { .. } => failure,
            Self::Compose { file, .. } => {
                let more: Vec<_> = file
                    .services()
                    .flat_map(|(name, service)| {
                        service.elsewhere().map(move |key| format!("{key} of {}", printable(name)))
                    })
                    .collect();
                if more.is_empty() {
                    return failure;
                }
                failure.hint(format!("not followed: {}; `--from` reads an env_file by itself, too", more.join(", ")))
            }
        }
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Environment(environment) => Box::new(environment.names()),
            Self::DotEnv { file, .. } => Box::new(file.names()),
            Self::Compose { file, .. } => Box::new(file.services().flat_map(|(_, service)| service.names())),
        }
    }

    /// Which names there are instead of `missing`. Of the environment, which is full of others, only similar ones.
    fn known(&self, missing: &str) -> String {
        let part = |name: &str| -> Vec<String> { name.split('_').map(str::to_ascii_uppercase).collect() };
        let wanted = part(missing);
        let similar = |name: &str| part(name).iter().any(|part| part.len() > 2 && wanted.contains(part));
        let all = !matches!(self, Self::Environment(_));
        let mut names: Vec<_> = self.names().filter(|name| all || similar(name)).collect();
        names.sort_unstable();
        names.dedup();
        let rest = names.len().saturating_sub(MOST_NAMES);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let listed: Vec<_> = names.iter().take(MOST_NAMES).map(|name| printable(name)).collect();
        match (listed.is_empty(), all) {
            (true, true) => "it sets no variables".to_owned(),
            (true, false) => "it has no similar name either".to_owned(),
            (false, true) => format!("it has {}{more}", listed.join(", ")),
            (false, false) => format!("similar names there: {}{more}", listed.join(", ")),
        }
    }
}

impl Around<'_> {
    /// A variable that a compose file refers to.
    fn lookup(&self, name: &str) -> Result<Option<Zeroizing<String>>, InterpolationError> {
        let unusable = |reason: String| InterpolationError::Unusable { name: name.to_owned(), reason };
        let text = |value: &SecretString| Some(Zeroizing::new(value.expose_secret().to_owned()));
        match self.environment.get(name) {
            Some(Variable::Text(value)) => return Ok(text(value)),
            Some(Variable::NotUtf8) => return Err(unusable("is not UTF-8 text in the environment".to_owned())),
            None => {}
        }
        match &self.dotenv {
            None => Ok(None),
            Some(Err(reason)) => {
                Err(unusable(format!("is not in the environment, and .env beside the file: {reason}")))
            }
            Some(Ok(file)) => match file.get(name) {
                None => Ok(None),
                Some(entry) => match &entry.value {
                    Ok(value) => Ok(text(value)),
                    Err(reason) => Err(unusable(format!("(line {} of .env beside the file) {reason}", entry.line))),
                },
            },
        }
    }
}

/// The one value that all services have which have any.
fn in_services(file: &Compose, around: &Around<'_>, name: &str) -> Found {
    let mut first: Option<(&str, SecretString)> = None;
    for (service_name, service) in file.services() {
        let value = match in_service(service, around, name) {
            Ok(Some(value)) => value,
            Ok(None) => continue,
            Err(reason) => return Found::Unusable(format!("in service {} {reason}", printable(service_name))),
        };
        match &first {
            None => first = Some((service_name, value)),
            Some((other, earlier)) if earlier.expose_secret() != value.expose_secret() => {
                return Found::Unusable(format!(
                    "has one value in service {} and another in service {}",
                    printable(other),
                    printable(service_name)
                ));
            }
            Some(_) => {}
        }
    }
    first.map_or(Found::Missing, |(_, value)| Found::Value(value))
}

fn in_service(service: &Service, around: &Around<'_>, name: &str) -> Result<Option<SecretString>, String> {
    match service.get(name) {
        None => Ok(None),
        Some(Scalar::Text(text)) => {
            let expanded = interpolate(text, &|name| around.lookup(name)).map_err(|error| error.to_string())?;
            Ok(Some(boxed(&expanded)))
        }
        Some(Scalar::PassedOn) => match around.lookup(name).map_err(|error| error.to_string())? {
            Some(value) => Ok(Some(boxed(&value))),
            None => Err("is passed on from the environment, where it is not set, and not in .env either".to_owned()),
        },
        Some(Scalar::NotText(kind)) => {
            Err(format!("is {kind} to YAML and not text; put it into quotes if it is meant as it stands"))
        }
        Some(Scalar::Twice) => Err("stands there twice, with different values".to_owned()),
    }
}

/// `.env` beside a compose file, if there is one.
fn beside(compose: &Path) -> Option<Result<DotEnv, String>> {
    let path = compose.with_file_name(".env");
    if !path.exists() {
        return None;
    }
    Some(read(&path).and_then(|text| DotEnv::parse(&text).map_err(|error| error.to_string())))
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let failed = |error: io::Error| format!("cannot be read: {}", error.kind());
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    // All the space at once: what grows leaves copies behind.
    let space = usize::try_from(length.min(MOST)).unwrap_or(0) + 64;
    let mut bytes = Zeroizing::new(Vec::with_capacity(space));
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST {
        return Err("is larger than 1 MiB".to_owned());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn display_path(path: &Path) -> String {
    printable(&path.display().to_string()).into_owned()
}
