//! Adds a service to the text of a catalog. The existing text stays unchanged, byte for byte.

use super::deprecation::Deprecation;
use super::edit::{last_byte, line_after, scalar};
use super::problem::Problem;
use super::service::{AuthMethod, Location, ServiceKind, ServiceStatus, TokenStorage};
use super::yaml::{self, Node, Value};
use super::{Catalog, Reviewed, Service};

/// The reason that an entry was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The catalog has errors, or would have some with the new entry.
    #[error("the catalog has problems")]
    Problems(String, Vec<Problem>),
    /// The catalog already has a service with this name.
    #[error("there is a service named {0:?} already")]
    Taken(String),
    /// The list is written in flow style, so adding an entry would mean rewriting all of it.
    #[error("`{0}` is not written as a list with a line for each hyphen")]
    Flow(&'static str),
}

/// Returns the text with the service at the end of the list.
///
/// # Errors
/// When the text is not a valid catalog, or the service does not fit into it.
pub fn add(text: &str, service: &Service) -> Result<String, AddError> {
    let mut expected = parsed(text)?;
    if expected.services.iter().any(|other| other.name.to_lowercase() == service.name.to_lowercase()) {
        return Err(AddError::Taken(service.name.clone()));
    }
    let after = inserted(text, "services", &fields(service))?;
    expected.services.push(service.clone());
    verified(after, &expected, "services")
}

/// Returns the text with these deprecations at the end of the list. It skips paths that the list already has.
///
/// # Errors
/// When the text is not a valid catalog, or the entries do not fit into it.
pub fn deprecations(text: &str, entries: &[Deprecation]) -> Result<String, AddError> {
    let (mut expected, mut after) = (parsed(text)?, text.to_owned());
    for entry in entries {
        if expected.deprecations.iter().any(|other| other.path == entry.path) {
            continue;
        }
        let fields = [
            ("path", Some(entry.path.as_str())),
            ("date", Some(entry.date.as_str())),
            ("reason", Some(entry.reason.as_str())),
            ("archived", entry.archived.as_deref()),
            ("replacement", entry.replacement.as_deref()),
        ];
        after = inserted(&after, "deprecations", &fields)?;
        expected.deprecations.push(entry.clone());
    }
    verified(after, &expected, "deprecations")
}

/// Returns the text with these documents marked as reviewed. It changes an entry with the same path in place and adds
/// the others to the end of the list.
///
/// # Errors
/// When the text is not a valid catalog, or the entries do not fit into it.
pub fn reviewed(text: &str, entries: &[Reviewed]) -> Result<String, AddError> {
    let (mut expected, mut after) = (parsed(text)?, text.to_owned());
    for entry in entries {
        let changing = [("date", Some(entry.date.as_str())), ("sha256", Some(entry.sha256.as_str()))];
        if let Some(known) = expected.reviewed.iter_mut().find(|other| other.path == entry.path) {
            for (key, value) in changing {
                let root = tree(&after)?;
                let node = root.as_ref().and_then(|root| value_of(root, "reviewed", &entry.path, key));
                if let (Some(span), Some(value)) = (node.map(|node| node.span.clone()), value) {
                    after.replace_range(span, &scalar(value));
                }
            }
            known.clone_from(entry);
        } else {
            let fields = [&[("path", Some(entry.path.as_str())), ("decision", Some("keep"))][..], &changing].concat();
            after = inserted(&after, "reviewed", &fields)?;
            expected.reviewed.push(entry.clone());
        }
    }
    verified(after, &expected, "reviewed")
}

/// The text of a catalog that is not there yet. Without the number, it would count as one of the first version.
pub const NEW: &str = "catalog: 2\n";

fn parsed(text: &str) -> Result<Catalog, AddError> {
    Catalog::parse(text.as_bytes()).map_err(|(text, problems)| AddError::Problems(text, problems))
}

fn tree(text: &str) -> Result<Option<Node>, AddError> {
    yaml::parse(text).map_err(|problem| AddError::Problems(text.to_owned(), vec![problem]))
}

/// Parses the new text and compares it with the expected catalog. This catches every error in quoting or indentation.
fn verified(text: String, expected: &Catalog, list: &'static str) -> Result<String, AddError> {
    if parsed(&text)? == *expected { Ok(text) } else { Err(AddError::Flow(list)) }
}

fn field<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(name, ..)| name == key).map(|(.., node)| node)
}

/// Returns a value of the list entry with this path.
fn value_of<'a>(root: &'a Node, list: &str, path: &str, key: &str) -> Option<&'a Node> {
    let Value::List(items) = &field(root, list)?.value else { return None };
    let is_it = |item: &&Node| matches!(field(item, "path").map(|node| &node.value), Some(Value::Scalar(Some(text))) if text.trim().trim_start_matches('/') == path);
    field(items.iter().find(is_it)?, key)
}

/// A field and its value, or `None` when the entry has no such value.
type Field<'a> = (&'static str, Option<&'a str>);

/// Returns the text with an entry at the end of a list. Creates the list when there is none.
fn inserted(text: &str, list: &'static str, fields: &[Field<'_>]) -> Result<String, AddError> {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let root = tree(text)?;
    match root.as_ref().and_then(|root| field(root, list)) {
        None => {
            let gap = if text.trim().is_empty() { "" } else { end };
            let open = if text.is_empty() || text.ends_with('\n') { "" } else { end };
            Ok(format!("{text}{open}{gap}{list}:{end}{}", entry(fields, "  - ", end)))
        }
        Some(Node { span, value: Value::List(items) }) if items.is_empty() => {
            let (before, after) = (text[..span.start].trim_end_matches(' '), &text[span.end..]);
            let rest = after.find('\n').map_or(after.len(), |at| at + 1);
            let open = if after[..rest].ends_with('\n') { "" } else { end };
            Ok(format!("{before}{}{open}{}{}", &after[..rest], entry(fields, "  - ", end), &after[rest..]))
        }
        Some(Node { value: Value::List(items), .. }) => {
            let Some(last) = items.last() else { return Err(AddError::Flow(list)) };
            let line = text[..last.span.start].rfind('\n').map_or(0, |at| at + 1);
            let prefix = &text[line..last.span.start];
            if prefix.trim() != "-" || !prefix.trim_start().starts_with('-') {
                return Err(AddError::Flow(list));
            }
            let at = line_after(text, last_byte(last));
            let (before, after) = text.split_at(at);
            let open = if before.ends_with('\n') { "" } else { end };
            Ok(format!("{before}{open}{}{after}", entry(fields, prefix, end)))
        }
        Some(node) => {
            // `services:` without a value.
            let at = line_after(text, node.span.end);
            let (before, after) = text.split_at(at);
            let open = if before.ends_with('\n') { "" } else { end };
            Ok(format!("{before}{open}{}{after}", entry(fields, "  - ", end)))
        }
    }
}

/// Returns the fields that `catalog add` knows.
fn fields(service: &Service) -> [Field<'_>; 15] {
    [
        ("name", Some(service.name.as_str())),
        ("id", service.id.as_deref()),
        ("kind", Some(service.kind.as_str()).filter(|_| service.kind != ServiceKind::Server)),
        ("description", service.description.as_deref()),
        ("status", service.status.map(ServiceStatus::as_str)),
        ("location", service.location.map(Location::as_str)),
        ("auth_method", service.auth_method.map(AuthMethod::as_str)),
        ("token_storage", service.token_storage.map(TokenStorage::as_str)),
        ("url", service.url.as_deref()),
        ("repository", service.repository.as_deref()),
        ("owner", service.owner.as_deref()),
        ("sop", service.sop.as_deref()),
        ("runbook", service.runbook.as_deref()),
        ("last_verified", service.last_verified.as_deref()),
        ("notes", service.notes.as_deref()),
    ]
}

/// Renders an entry. Its first line starts with `prefix`, which ends in a hyphen and spaces.
fn entry(fields: &[Field<'_>], prefix: &str, end: &str) -> String {
    let indent = prefix.replace('-', " ");
    let given = fields.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    given
        .enumerate()
        .map(|(at, (name, value))| format!("{}{name}: {}{end}", if at == 0 { prefix } else { &indent }, scalar(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str) -> Service {
        Service {
            name: name.to_owned(),
            status: Some(ServiceStatus::Planned),
            location: Some(Location::Workers),
            auth_method: Some(AuthMethod::None),
            token_storage: Some(TokenStorage::Kv),
            notes: Some("a: \"b\" # c".to_owned()),
            ..Service::default()
        }
    }

    const ADDED: &str = "- name: New\n  status: planned\n  location: workers\n  auth_method: none\n  token_storage: kv\n  notes: \"a: \\\"b\\\" # c\"\n";

    fn indented(by: &str) -> String {
        ADDED.lines().map(|line| format!("{by}{line}\n")).collect()
    }

    #[test]
    fn whatever_is_there_stays_as_it_is() {
        let one = "name: A, status: planned, location: local, auth_method: none, token_storage: none";
        let block = one.replace(", ", "\n    ");
        for (before, after) in [
            (String::new(), format!("services:\n{}", indented("  "))),
            ("# mine\n".to_owned(), format!("# mine\n\nservices:\n{}", indented("  "))),
            ("services:\n".to_owned(), format!("services:\n{}", indented("  "))),
            (
                "services: []  # none\naudit: {}\n".to_owned(),
                format!("services:  # none\n{}audit: {{}}\n", indented("  ")),
            ),
            (
                format!("services:\n  - {block} # its storage\n\n# the rest\naudit: {{}}\n"),
                format!("services:\n  - {block} # its storage\n{}\n# the rest\naudit: {{}}\n", indented("  ")),
            ),
            (
                format!("services:\n- {}", block.replace("    ", "  ")),
                format!("services:\n- {}\n{}", block.replace("    ", "  "), indented("")),
            ),
            (
                format!("services:\n  - {block}\n    notes: |\n      long\n      text\n"),
                format!("services:\n  - {block}\n    notes: |\n      long\n      text\n{}", indented("  ")),
            ),
        ] {
            assert_eq!(add(&before, &service("New")).map_err(|error| format!("{error:?}")), Ok(after), "{before}");
        }
        let windows = format!("services:\r\n  - {}\r\n", block.replace('\n', "\r\n"));
        let after = add(&windows, &service("New")).unwrap();
        assert!(after.starts_with(&windows) && !after.replace("\r\n", "").contains('\n'));
    }

    #[test]
    fn a_review_is_added_or_changed_where_it_stands() {
        let review = |path: &str, date: &str, digit: &str| Reviewed {
            path: path.to_owned(),
            decision: crate::catalog::reviewed::ReviewDecision::Keep,
            date: date.to_owned(),
            sha256: digit.repeat(16),
        };
        let first =
            reviewed("# mine\n", &[review("a.md", "2026-01-01", "a"), review("b.md", "2026-01-02", "1")]).unwrap();
        assert_eq!(
            first,
            "# mine\n\nreviewed:\n  - path: a.md\n    decision: keep\n    date: 2026-01-01\n    sha256: aaaaaaaaaaaaaaaa\n  - path: b.md\n    \
             decision: keep\n    date: 2026-01-02\n    sha256: 1111111111111111\n"
        );
        let commented = first.replace("date: 2026-01-01", "date: \"2026-01-01\" # by me");
        let second = reviewed(&commented, &[review("a.md", "2026-02-01", "c")]).unwrap();
        let expected = commented.replace("\"2026-01-01\"", "2026-02-01").replace(&"a".repeat(16), &"c".repeat(16));
        assert_eq!(second, expected);
        let flow = "reviewed: [{path: a.md, decision: keep, date: 2026-01-01, sha256: aaaaaaaaaaaaaaaa}]\n";
        let changed = reviewed(flow, &[review("a.md", "2026-02-01", "c")]).unwrap();
        assert_eq!(changed, flow.replace("2026-01-01", "2026-02-01").replace(&"a".repeat(16), &"c".repeat(16)));
        assert!(matches!(reviewed(flow, &[review("b.md", "2026-02-01", "c")]), Err(AddError::Flow("reviewed"))));
    }

    #[test]
    fn what_does_not_fit_is_not_added() {
        let one = "{name: A, status: planned, location: local, auth_method: none, token_storage: none}";
        assert!(matches!(add(&format!("services: [{one}]\n"), &service("B")), Err(AddError::Flow(_))));
        assert!(matches!(add(&format!("services:\n  - {one}\n"), &service("a")), Err(AddError::Taken(_))));
        assert!(matches!(add("services: 1\n", &service("B")), Err(AddError::Problems(..))));
        assert!(
            add(&format!("services:\n  - {one}\n"), &service("B")).is_ok(),
            "only the list itself has to have lines"
        );
    }
}
