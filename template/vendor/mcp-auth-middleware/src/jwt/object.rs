//! The claims of a token as an object: each name once, and claims found by name or path.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::RegisteredClaims;

/// So many roles or scopes of a token count,
const MAXIMUM_COUNT: usize = 64;
/// each of at most so many bytes. Tokens have some 16 KiB at most, and thousands are remembered.
const MAXIMUM_BYTES: usize = 256;

/// A JSON object in which no name occurs twice (RFC 7519 §4).
pub(crate) struct Claims(pub(crate) Map<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Those(|_: &str| true))
    }
}

/// Reads those members of an object whose names are wanted, and passes over the others.
struct Those<F>(F);

impl<'de, F: Fn(&str) -> bool> Visitor<'de> for Those<F> {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Claims, A::Error> {
        let mut claims = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if !(self.0)(&name) {
                access.next_value::<IgnoredAny>()?;
            } else if claims.insert(name, access.next_value()?).is_some() {
                return Err(serde::de::Error::custom("a claim occurs twice"));
            }
        }
        Ok(Claims(claims))
    }
}

impl Claims {
    /// Of an object, what [`find`](Self::find) needs for this path: most tokens have nothing there, and many other claims.
    pub(crate) fn select(json: &str, path: &str) -> Result<Self, serde_json::Error> {
        let first = path.split('.').next();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        deserializer.deserialize_map(Those(|name: &str| name == path || Some(name) == first))
    }

    /// The claims that decide for every issuer.
    ///
    /// # Errors
    /// Where one of them is of the wrong type.
    pub(crate) fn registered(&self) -> Result<RegisteredClaims, serde_json::Error> {
        RegisteredClaims::deserialize(&self.0)
    }

    /// The claim of this name, or at this path: names of providers have dots (`https://example.com/roles`), and others
    /// have claims in claims (`realm_access.roles`).
    pub(crate) fn find(&self, path: &str) -> Option<&Value> {
        if let Some(value) = self.0.get(path) {
            return Some(value);
        }
        let mut names = path.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    /// The texts of a claim: a list, one text, or the names of an object's members.
    pub(crate) fn texts(&self, path: &str) -> Vec<String> {
        match self.find(path) {
            Some(Value::Array(values)) => bounded(values.iter().filter_map(Value::as_str)),
            Some(Value::String(text)) => bounded([text.as_str()]),
            Some(Value::Object(members)) => bounded(members.keys().map(String::as_str)),
            _ => Vec::new(),
        }
    }

    /// The audiences, where they are in another claim than `aud`: one text or a list.
    pub(crate) fn audiences(&self, path: &str) -> Vec<String> {
        let values = match self.find(path) {
            Some(Value::Array(values)) => values.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The scopes: texts with spaces between (RFC 9068 §2.2.3, Entra), or lists (Okta).
    pub(crate) fn scopes(&self) -> Vec<String> {
        let claims = ["scope", "scp"].into_iter().filter_map(|name| self.0.get(name));
        bounded(claims.flat_map(|value| {
            let values = match value {
                Value::Array(values) => values.as_slice(),
                one => std::slice::from_ref(one),
            };
            values.iter().filter_map(Value::as_str).flat_map(str::split_ascii_whitespace)
        }))
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.find(path)?.as_str().filter(|text| !text.trim().is_empty())
    }
}

/// The first texts, without those that are too long.
fn bounded<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let fits = |text: &&str| !text.is_empty() && text.len() <= MAXIMUM_BYTES;
    texts.into_iter().filter(fits).take(MAXIMUM_COUNT).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Claims {
        serde_json::from_str(json).expect("claims")
    }

    #[test]
    fn roles_are_where_providers_put_them() {
        let keycloak = claims(r#"{"realm_access":{"roles":["a","b"]}}"#);
        assert_eq!(keycloak.texts("realm_access.roles"), ["a", "b"]);
        let auth0 = claims(r#"{"https://example.com/roles":["a"]}"#);
        assert_eq!(auth0.texts("https://example.com/roles"), ["a"]);
        let workos = claims(r#"{"role":"member"}"#);
        assert_eq!(workos.texts("role"), ["member"]);
        let zitadel = claims(r#"{"urn:zitadel:iam:org:project:roles":{"admin":{"1":"x"}}}"#);
        assert_eq!(zitadel.texts("urn:zitadel:iam:org:project:roles"), ["admin"]);
        for nothing in ["x", "realm_access.x", "realm_access.roles.a", "", "."] {
            assert!(keycloak.texts(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn scopes_have_two_names_and_two_forms() {
        assert_eq!(claims(r#"{"scope":"a b  c"}"#).scopes(), ["a", "b", "c"]);
        assert_eq!(claims(r#"{"scp":["a","b"]}"#).scopes(), ["a", "b"]);
        assert_eq!(claims(r#"{"scp":"a b"}"#).scopes(), ["a", "b"]);
        assert!(claims(r#"{"scope":7,"scp":[1,null,{}]}"#).scopes().is_empty());
    }

    #[test]
    fn many_and_long_ones_do_not_count() {
        let many: Vec<_> = (0..1000).map(|n| format!("role-{n}")).collect();
        let json = serde_json::json!({"roles": many, "scope": ["x".repeat(257), "y".repeat(256)]});
        let claims = claims(&json.to_string());
        assert_eq!(claims.texts("roles"), many[..64]);
        assert_eq!(claims.scopes(), ["y".repeat(256)]);
    }

    #[test]
    fn what_a_path_needs_is_enough() {
        let json = r#"{"a":1,"custom":{"groups":["x"]},"custom.groups":["y"],"b":{"c":[1]}}"#;
        for path in ["custom.groups", "custom", "a", "b.c", "b", "none", ""] {
            let selected = Claims::select(json, path).expect("claims");
            assert_eq!(selected.find(path), claims(json).find(path), "{path}");
            assert!(selected.0.len() <= 2, "{path}");
        }
        assert!(Claims::select("[]", "a").is_err());
        assert!(Claims::select(r#"{"a":1,"a":2}"#, "a").is_err());
    }

    #[test]
    fn a_name_that_occurs_twice_is_an_error() {
        assert!(serde_json::from_str::<Claims>(r#"{"sub":"a","sub":"b"}"#).is_err());
        assert!(serde_json::from_str::<Claims>("[]").is_err());
    }
}
