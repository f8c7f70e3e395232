//! Dependencies that the owner raised or added: the higher version of both sides stays, and an added line is no conflict
//! with a line beside it. Pure.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// `name = "1.2"` and `name = { …, version = "1.2", … }`.
static DEPENDENCY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^\s*("?[\w-]+"?)\s*=\s*(?:"([^"]*)"|\{(?:.*[\s,{])?version\s*=\s*"([^"]*)".*)"#).ok()
});

/// Returns the three texts of a Cargo.toml with the higher version in each dependency that the owner raised, so that a
/// line that only differs by its version is no conflict.
#[must_use]
pub(super) fn raise(base: &str, ours: &str, theirs: &str) -> [String; 3] {
    let found = [base, ours, theirs].map(dependencies);
    let mut edits: [Vec<(Range<usize>, String)>; 3] = Default::default();
    for (key, our_range) in &found[1] {
        let (Some(base_range), Some(their_range)) = (found[0].get(key), found[2].get(key)) else { continue };
        let (before, our, their) = (&base[base_range.clone()], &ours[our_range.clone()], &theirs[their_range.clone()]);
        let (Some(low), Some(raised), Some(new)) = (parse(before), parse(our), parse(their)) else { continue };
        if raised <= low {
            continue;
        }
        let higher = if raised >= new { our } else { their };
        for (edits, range) in edits.iter_mut().zip([base_range, our_range, their_range]) {
            edits.push((range.clone(), higher.to_owned()));
        }
    }
    let [base_edits, our_edits, their_edits] = edits;
    [replaced(base, base_edits), replaced(ours, our_edits), replaced(theirs, their_edits)]
}

/// A dependency that the template no longer has, and the project does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gone {
    /// The section of Cargo.toml.
    pub(super) section: String,
    /// The name of the package.
    pub(super) name: String,
    /// The owner's line.
    pub(super) line: String,
    /// `true` where the tests still have it.
    pub(super) is_for_tests: bool,
}

/// Returns the dependencies that are gone from the template. One of a path is not: its folder has gone, too.
pub(super) fn gone(base: &str, ours: &str, theirs: &str) -> Vec<Gone> {
    let (old, new) = (dependencies(base), dependencies(theirs));
    let has = |section: &str, name: &str| new.contains_key(&(section.to_owned(), name.to_owned()));
    let mut gone = Vec::new();
    for ((section, name), range) in dependencies(ours) {
        let is_gone = old.contains_key(&(section.clone(), name.clone()))
            && !has(&section, &name)
            && !(section == "dev-dependencies" && has("dependencies", &name));
        let start = ours[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let line = ours[start..].lines().next().unwrap_or_default().trim_end().to_owned();
        if is_gone && !line.contains("path =") {
            let is_for_tests = has("dev-dependencies", &name);
            gone.push(Gone { section, name, line, is_for_tests });
        }
    }
    gone
}

/// A dependency that only the owner has: its section, and its line.
pub(super) type Added = Vec<(String, String)>;

/// Takes the dependencies that only the owner has out of the owner's text.
pub(super) fn take_added(base: &str, ours: &str, theirs: &str) -> (String, Added) {
    let (old, new) = (dependencies(base), dependencies(theirs));
    let (mut rest, mut added) = (ours.to_owned(), Added::new());
    let mut own: Vec<_> = dependencies(ours).into_iter().collect();
    own.sort_by_key(|(_, range)| std::cmp::Reverse(range.start));
    for (key, range) in own.into_iter().filter(|(key, _)| !old.contains_key(key) && !new.contains_key(key)) {
        let start = ours[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = ours[range.end..].find('\n').map_or(ours.len(), |at| range.end + at + 1);
        added.push((key.0, ours[start..end].trim_end().to_owned()));
        rest.replace_range(start..end, "");
    }
    added.reverse();
    (rest, added)
}

/// Puts these dependencies at the end of their sections.
pub(super) fn put_added(text: &[u8], added: &Added) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(text) else { return text.to_vec() };
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut text = text.to_owned();
    for (section, line) in added {
        let head = format!("[{section}]");
        let (mut at, mut last, mut is_in) = (0, None, false);
        for other in text.split_inclusive('\n') {
            at += other.len();
            let trimmed = other.trim();
            if trimmed.starts_with('[') {
                is_in = trimmed == head;
            }
            if is_in && !trimmed.is_empty() && !trimmed.starts_with('#') {
                last = Some(at);
            }
        }
        match last {
            Some(at) => text.insert_str(at, &format!("{line}{end}")),
            None => text.push_str(&format!("{end}{head}{end}{line}{end}")),
        }
    }
    text.into_bytes()
}

/// Returns where the version of each dependency stands, by its section and name.
fn dependencies(text: &str) -> BTreeMap<(String, String), Range<usize>> {
    let mut found = BTreeMap::new();
    let Some(pattern) = DEPENDENCY.as_ref() else { return found };
    let (mut section, mut at) = (String::new(), 0);
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            section = trimmed.trim_matches(['[', ']']).to_owned();
        } else if section.ends_with("dependencies")
            && let Some(captures) = pattern.captures(line)
            && let (Some(name), Some(version)) = (captures.get(1), captures.get(2).or_else(|| captures.get(3)))
        {
            let name = name.as_str().trim_matches('"').to_owned();
            found.insert((section.clone(), name), at + version.start()..at + version.end());
        }
        at += line.len();
    }
    found
}

/// Returns the lowest version that a plain requirement allows, or `None` for one with several parts, and for `=` and `<`,
/// by which the owner has chosen one version.
fn parse(requirement: &str) -> Option<[u64; 3]> {
    let digits = requirement.trim().trim_start_matches(['^', '~']).trim();
    let digits = digits.split(['-', '+']).next()?;
    let mut version = [0; 3];
    for (at, part) in digits.split('.').enumerate() {
        *version.get_mut(at)? = part.parse().ok()?;
    }
    Some(version)
}

fn replaced(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    let mut text = text.to_owned();
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, new) in edits {
        text.replace_range(range, &new);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_version_stays() {
        let base = "[dependencies]\naxum = { version = \"0.8\", features = [\"json\"] }\nrmcp = \"~3.10\"\nserde = \"1\"\ntokio = \"1.40\"\n";
        let ours = base.replace("0.8", "0.9").replace("~3.10", "~3.11").replace("serde = \"1\"", "serde = \"=1.0.5\"");
        let theirs = base.replace("\"json\"", "\"json\", \"ws\"").replace("~3.10", "~3.12").replace("1.40", "1.41");
        let [base, ours, theirs] = raise(base, &ours, &theirs);
        insta::assert_snapshot!(format!("{base}--\n{ours}--\n{theirs}"), @r#"
        [dependencies]
        axum = { version = "0.9", features = ["json"] }
        rmcp = "~3.12"
        serde = "1"
        tokio = "1.40"
        --
        [dependencies]
        axum = { version = "0.9", features = ["json"] }
        rmcp = "~3.12"
        serde = "=1.0.5"
        tokio = "1.40"
        --
        [dependencies]
        axum = { version = "0.9", features = ["json", "ws"] }
        rmcp = "~3.12"
        serde = "1"
        tokio = "1.41"
        "#);
    }

    #[test]
    fn an_added_line_is_taken_out_and_put_back() {
        let base = "[dependencies]\na = \"1\"\n\n[dev-dependencies]\nb = \"1\"\n";
        let ours =
            "[dependencies]\na = \"1\"\nmine = { version = \"2\" }\n\n[dev-dependencies]\nb = \"1\"\nalso = \"3\"\n";
        let (rest, added) = take_added(base, ours, base);
        assert_eq!(rest, base);
        assert_eq!(String::from_utf8(put_added(rest.as_bytes(), &added)).expect("text"), ours);
        let put = put_added(b"[package]\n", &added);
        assert!(String::from_utf8(put).expect("text").contains("[dependencies]\nmine = { version = \"2\" }\n"));
    }

    #[test]
    fn other_keys_are_no_dependencies() {
        let text = "[package]\nversion = \"0.1.0\"\n[workspace.dependencies]\na = \"1\"\n";
        assert_eq!(raise(text, &text.replace("0.1.0", "0.9.0"), text)[0], text);
        assert_eq!(raise(text, &text.replace("\"1\"", "\"2\""), text)[2], text.replace("\"1\"", "\"2\""));
    }
}
