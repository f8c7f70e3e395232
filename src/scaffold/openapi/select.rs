//! Which operations of a description become tools, and what they are called.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::OpenApiError;
use super::document::Description;
use crate::scaffold::extend::identifier::{LONGEST, snake};
use crate::text::digest::sha256_hex;
use crate::text::nearest::nearest;

const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

/// An operation.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    /// Its `operationId`, or method and path.
    pub id: String,
    /// The method, in small letters.
    pub method: &'static str,
    /// The path.
    pub path: &'a str,
    /// The object of the path.
    pub item: &'a Value,
    /// Its own object.
    pub value: &'a Value,
}

impl Operation<'_> {
    /// Returns whether it only reads (RFC 9110 §9.2.1).
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(self.method, "get" | "head")
    }

    fn tags(&self) -> impl Iterator<Item = &str> {
        self.value.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }
}

/// The wanted operations.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Operations by their ids.
    pub operations: Vec<String>,
    /// All operations with these tags.
    pub tags: Vec<String>,
    /// `true` for operations that change something, too.
    pub write: bool,
    /// The text in front of the names.
    pub prefix: String,
}

/// Returns the operations of a description, in its order.
///
/// # Errors
/// When a path refers to something that is not there.
pub fn operations(document: &Description) -> Result<Vec<Operation<'_>>, OpenApiError> {
    let mut all = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let item = document.resolve(item)?;
        for method in METHODS {
            let Some(value) = item.get(method).filter(|value| value.is_object()) else { continue };
            let id = value.get("operationId").and_then(Value::as_str).map(str::trim).filter(|id| !id.is_empty());
            let id = id.map_or_else(|| format!("{} {path}", method.to_uppercase()), str::to_owned);
            all.push(Operation { id, method, path, item, value });
        }
    }
    Ok(all)
}

/// Returns the wanted operations with the names of their tools, and the reasons why others of a tag are left out.
///
/// # Errors
/// When there is none of a name, or it changes something and that is not wanted.
pub fn select<'a>(all: &[Operation<'a>], wanted: &Selection) -> Result<Vec<(String, Operation<'a>)>, OpenApiError> {
    let names = names(all, &wanted.prefix);
    let mut picked = BTreeSet::new();
    for id in &wanted.operations {
        let is_it = |operation: &Operation<'_>| {
            operation.id == *id || format!("{} {}", operation.method.to_uppercase(), operation.path) == *id
        };
        let Some(at) = all.iter().position(is_it) else {
            let ids: Vec<String> = all.iter().map(|operation| operation.id.clone()).collect();
            return Err(OpenApiError::NoOperation { id: id.clone(), near: nearest(id, &ids) });
        };
        if !all[at].reads() && !wanted.write {
            return Err(OpenApiError::Writes { id: all[at].id.clone(), method: all[at].method.to_uppercase() });
        }
        picked.insert(at);
    }
    for tag in &wanted.tags {
        let of_it: Vec<usize> = (0..all.len()).filter(|at| all[*at].tags().any(|other| other == tag)).collect();
        if of_it.is_empty() {
            let known: BTreeSet<&str> = all.iter().flat_map(Operation::tags).collect();
            let known: Vec<&str> = known.into_iter().take(40).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(OpenApiError::NoTag { tag: tag.clone(), known });
        }
        let current = |at: &usize| all[*at].value.get("deprecated") != Some(&Value::Bool(true));
        let before = picked.len();
        picked.extend(of_it.into_iter().filter(current).filter(|at| wanted.write || all[*at].reads()));
        if picked.len() == before && wanted.operations.is_empty() && wanted.tags.len() == 1 {
            return Err(OpenApiError::Nothing(tag.clone()));
        }
    }
    Ok(picked.into_iter().map(|at| (names[at].clone(), all[at].clone())).collect())
}

/// Returns the name of the tool of each operation. It depends on the whole description, not on the selection, so that a tool keeps its
/// name when others are added.
fn names(all: &[Operation<'_>], prefix: &str) -> Vec<String> {
    let plain: Vec<String> = all.iter().map(|operation| format!("{prefix}{}", snake(&operation.id))).collect();
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for name in &plain {
        *uses.entry(name).or_default() += 1;
    }
    let mut number: BTreeMap<String, usize> = BTreeMap::new();
    let mut name = |(name, operation): (&String, &Operation<'_>)| {
        let is_name =
            name.len() <= LONGEST && name.starts_with(|c: char| c.is_ascii_lowercase()) && uses[name.as_str()] == 1;
        if is_name {
            return name.clone();
        }
        let whole = format!("{} {} {}", operation.id, operation.method, operation.path);
        let head: String = name.chars().take(LONGEST - 9).collect();
        let head = if head.starts_with(|c: char| c.is_ascii_lowercase()) {
            head
        } else {
            format!("call_{}", head.chars().take(30).collect::<String>())
        };
        let short = format!("{}_{}", head.trim_end_matches('_'), sha256_hex(whole.as_bytes(), 4));
        let times = number.entry(short.clone()).or_default();
        *times += 1;
        if *times == 1 { short } else { format!("{short}{times}") }
    };
    plain.iter().zip(all).map(&mut name).collect()
}
