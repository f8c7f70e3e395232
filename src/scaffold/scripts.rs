//! The scripts of a template: what cargo-generate would run on this machine. Pure.
//!
//! The library runs the hooks of the manifest, and evaluates whatever a file or a file name gives to its filter `rhai`: any name, also
//! one that is made while rendering, and also outside of the template. So a call must name a `.rhai` file of the template in quotes.
//! The library renders in place, so a file with another name can take the place of a script that somebody has read: it counts as one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::fs::files::FileTree;

const SCRIPT: &str = ".rhai";
/// File names of more bytes may be cut, so that they end otherwise than they look.
const LONG: usize = 200;

/// The filter, wherever Liquid might take it for one.
static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\|\s*rhai\b").ok());
/// The text before a call with a literal alone: `{{ "x.rhai"`, or `{% assign a = "x.rhai"`. Liquid knows no escapes.
static LITERAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:\{\{-?|=)\s*(?:"([^"]*)"|'([^']*)')\s*$"#).ok());

/// Returns the first file with a call, in its text or its name, of anything but a `.rhai` file of the template by its literal name.
#[must_use]
pub fn unreadable_call(files: &FileTree) -> Option<&str> {
    let is_script = |name: &str| name.ends_with(SCRIPT) && files.contains_key(name);
    let is_readable = |text: &str| {
        let (Some(call), Some(literal)) = (CALL.as_ref(), LITERAL.as_ref()) else { return false };
        call.find_iter(text).all(|call| {
            let name = literal.captures(&text[..call.start()]).and_then(|found| found.get(1).or(found.get(2)));
            name.is_some_and(|name| is_script(name.as_str()))
        })
    };
    let mut all = files.iter();
    let found = all.find(|(path, file)| !is_readable(path) || !is_readable(&String::from_utf8_lossy(&file.bytes)));
    found.map(|(path, _)| path.as_str())
}

/// Returns the paths of the scripts: these hooks, the files that a call may name, and those that may get the name of one.
#[must_use]
pub fn paths(files: &FileTree, hooks: &[String]) -> BTreeSet<String> {
    let literal = files.keys().filter(|path| path.ends_with(SCRIPT));
    let mut scripts: BTreeSet<String> = hooks.iter().chain(literal).cloned().collect();
    if scripts.is_empty() {
        return scripts;
    }
    let may_be_cut = scripts.iter().any(|path| path.rsplit('/').next().is_some_and(|name| name.len() > LONG));
    let is_one = |path: &&String| {
        // `x.rhai.liquid` replaces `x.rhai`.
        let path = path.trim_end_matches(".liquid");
        match path.rfind("}}").max(path.rfind("%}")) {
            None => path.ends_with(SCRIPT) || scripts.contains(path),
            // What follows the last mark of Liquid stays as it is.
            Some(end) => {
                let tail = &path[end + 2..];
                may_be_cut
                    || SCRIPT.ends_with(tail)
                    || tail.ends_with(SCRIPT)
                    || hooks.iter().any(|hook| hook.ends_with(tail))
            }
        }
    };
    let others: Vec<String> = files.keys().filter(is_one).cloned().collect();
    scripts.extend(others);
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::files::File;

    fn tree(files: &[(&str, &str)]) -> FileTree {
        files.iter().map(|(path, text)| ((*path).to_owned(), File::text(*text))).collect()
    }

    #[test]
    fn a_call_names_a_script_of_the_template_in_quotes() {
        for text in [
            r#"{{ "a/x.rhai" | rhai }}"#,
            r#"{{-'a/x.rhai'|rhai-}}"#,
            "{% assign a = \"a/x.rhai\"\n |\r\n rhai | upcase %}{{ a }}",
            "rhai, | rhaix, {{ a | rhai_ }}",
        ] {
            assert_eq!(unreadable_call(&tree(&[("a/x.rhai", ""), ("b", text)])), None, "{text}");
        }
        for text in [
            r#"{{ "notes.txt" | rhai }}"#,
            r#"{{ "/tmp/x.rhai" | rhai }}"#,
            r#"{{ "./a/x.rhai" | rhai }}"#,
            r#"{{ "a/../a/x.rhai" | rhai }}"#,
            r#"{{ a | rhai }}"#,
            r#"{{ "notes.txt" | append: "a/x.rhai" | rhai }}"#,
            r#"{{ "notes.txt" | default: 'a/x.rhai' | rhai }}"#,
            r#"{{ '= "a/x.rhai" | rhai' | rhai }}"#,
            r#"{{ "a/x.rhai" | rhai }}{{ "notes.txt" | rhai }}"#,
            "{% assign a = \"notes.txt\"\n|\nrhai %}",
            r#"{% if "notes.txt" | rhai %}{% endif %}"#,
        ] {
            assert_eq!(
                unreadable_call(&tree(&[("a/x.rhai", ""), ("notes.txt", ""), ("b", text)])),
                Some("b"),
                "{text}"
            );
        }
        let name = r#"a/{{ "notes.txt" | rhai }}"#;
        assert_eq!(unreadable_call(&tree(&[(name, "")])), Some(name));
    }

    #[test]
    fn what_may_take_the_place_of_a_script_is_one() {
        let files = |paths: &[&'static str]| tree(&paths.iter().map(|path| (*path, "")).collect::<Vec<_>>());
        let scripts = |files: &FileTree, hooks: &[&str]| {
            let hooks: Vec<String> = hooks.iter().map(|hook| (*hook).to_owned()).collect();
            paths(files, &hooks).into_iter().collect::<Vec<_>>().join(" ")
        };
        let all = files(&[
            "a.rhai",
            "a.rhai.liquid",
            "b.txt",
            "b.txt.liquid",
            "{{x}}",
            "{{x}}.rs",
            "{{x}}ai",
            "{{x}}/b.txt",
            "{% if x %}b{% endif %}.txt",
        ]);
        assert_eq!(scripts(&all, &[]), "a.rhai a.rhai.liquid {{x}} {{x}}ai");
        assert_eq!(
            scripts(&all, &["b.txt"]),
            "a.rhai a.rhai.liquid b.txt b.txt.liquid {% if x %}b{% endif %}.txt {{x}} {{x}}ai"
        );
        assert_eq!(scripts(&files(&["{{x}}", "b.txt", "a.liquid"]), &[]), "");
        let long = format!("{}.rhai", "x".repeat(245));
        let cut = tree(&[(&long, ""), ("{{x}}.rhai.txt", "")]);
        assert_eq!(paths(&cut, &[]).len(), 2);
    }
}
