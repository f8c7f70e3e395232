//! Destinations with a typing mistake, or that still have to be filled in.

use crate::audit::document::LinkKind;

/// A defect of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing between the parentheses.
    Empty,
    /// A word such as TODO.
    Placeholder,
    /// Parentheses or brackets around it.
    Wrapped,
    /// `##x`.
    TwoHashes,
    /// `a@b.c` without `mailto:`.
    Mail,
    /// `www.example.org/x` or `example.org/x` without `https://`.
    NoScheme,
    /// A zero-width character in front, as pasting from web pages leaves them.
    Invisible,
    /// `http:/x`, `https//x`, `htps://x`.
    BrokenScheme,
    /// `file://x`: a path on the disk of its writer.
    LocalFile,
}

/// Placeholders for a destination that is still missing.
const PLACEHOLDERS: &[&str] = &["todo", "tbd", "tba", "fixme", "xxx", "link", "url", "href", "insert-link-here", "..."];

/// Ends of host names that are no endings of files.
const DOMAINS: &[&str] = &["com", "org", "net", "io", "dev", "gov", "edu", "info", "de", "uk", "eu", "cloud", "app"];

/// Invisible characters.
pub(in crate::audit) const INVISIBLE: &[char] = &['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// Returns the defects that the destination alone shows.
pub(super) fn at_sight(destination: &str, kind: LinkKind) -> Option<Malformed> {
    if destination.is_empty() {
        // A component's attribute may be empty; a link to nothing reloads the page.
        return (kind != LinkKind::Html).then_some(Malformed::Empty);
    }
    if kind == LinkKind::Html {
        return None;
    }
    if destination.starts_with(INVISIBLE) {
        return Some(Malformed::Invisible);
    }
    if destination.starts_with("##") {
        return Some(Malformed::TwoHashes);
    }
    let wrapped = destination.starts_with('(') && destination.ends_with(')')
        || destination.starts_with('[') && ["](", "://"].iter().any(|mark| destination.contains(mark));
    if wrapped {
        return Some(Malformed::Wrapped);
    }
    let lower = destination.get(..10).unwrap_or(destination).to_ascii_lowercase();
    let broken = ["http:/", "https:/"]
        .iter()
        .any(|scheme| lower.strip_prefix(scheme).is_some_and(|rest| !rest.starts_with('/')))
        || ["http//", "https//", "htps://", "htpps://", "hhttps://", "htttps://", "ttps://", "http:///", "https:///"]
            .iter()
            .any(|scheme| lower.starts_with(scheme));
    // GitHub drops such an address (html-pipeline's list of protocols), and readers do not have that disk.
    if lower.starts_with("file:/") {
        return Some(Malformed::LocalFile);
    }
    broken.then_some(Malformed::BrokenScheme)
}

/// Returns the defects that explain a missing file.
pub(super) fn in_hindsight(destination: &str) -> Option<Malformed> {
    let lower = destination.to_lowercase();
    if PLACEHOLDERS.contains(&lower.as_str()) || is_shouted(destination) {
        return Some(Malformed::Placeholder);
    }
    let host = lower.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((user, host)) = lower.split_once('@')
        && !user.is_empty()
        && !lower.contains(['/', ' '])
        && host.contains('.')
    {
        return Some(Malformed::Mail);
    }
    let domain = host.rsplit_once('.').is_some_and(|(name, end)| !name.is_empty() && DOMAINS.contains(&end));
    (host.starts_with("www.") || domain).then_some(Malformed::NoScheme)
}

/// `LINK_TO_THIS_RFC`: several words in capitals, without an ending.
fn is_shouted(destination: &str) -> bool {
    destination.contains(['_', ' ', '-'])
        && destination.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b' ' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_at_sight() {
        let of = |destination| at_sight(destination, LinkKind::Link);
        assert_eq!(of(""), Some(Malformed::Empty));
        assert_eq!(of("\u{200b}https://x.org"), Some(Malformed::Invisible));
        assert_eq!(of("##x"), Some(Malformed::TwoHashes));
        assert_eq!(of("(https://x.org)"), Some(Malformed::Wrapped));
        assert_eq!(of("(#prioritization)"), Some(Malformed::Wrapped));
        assert_eq!(of("[https://x](https://x)"), Some(Malformed::Wrapped));
        assert_eq!(of("[https://x]"), Some(Malformed::Wrapped));
        assert_eq!(of("http:/x.org"), Some(Malformed::BrokenScheme));
        assert_eq!(of("file:///home/me/a.md"), Some(Malformed::LocalFile));
        for good in ["https://x", "http://x", "httpd.md", "a(b).md", "#x"] {
            assert_eq!(of(good), None, "{good}");
        }
    }

    #[test]
    fn told_in_hindsight() {
        assert_eq!(in_hindsight("TODO"), Some(Malformed::Placeholder));
        assert_eq!(in_hindsight("LINK_TO_THIS_RFC"), Some(Malformed::Placeholder));
        assert_eq!(in_hindsight("security@kubernetes.io"), Some(Malformed::Mail));
        assert_eq!(in_hindsight("www.boost.org/doc/x.html"), Some(Malformed::NoScheme));
        assert_eq!(in_hindsight("github.com/a/b"), Some(Malformed::NoScheme));
        for path in ["a.md", "docs/a@b.md", "README", "x.html", "LICENSE"] {
            assert_eq!(in_hindsight(path), None, "{path}");
        }
    }
}
