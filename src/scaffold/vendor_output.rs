//! The texts of cargo-generate 0.26.0 and of Liquid 0.26.11, made for a terminal → what they say. Both keep the parts to themselves, so
//! their text is all there is; a test fails when Cargo.lock has other versions.

/// An error of cargo-generate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GenerateError {
    /// Liquid cannot read these files of the template.
    Syntax(Vec<String>),
    /// Anything else, in its words.
    Other(String),
}

/// Reads the text of cargo-generate's error.
pub(super) fn generate_error(message: &str) -> GenerateError {
    let plain = without_escapes(message);
    if plain.contains("Substitution skipped, found invalid syntax in") {
        let files = plain.lines().filter_map(|line| line.strip_prefix('\t'));
        return GenerateError::Syntax(files.map(str::to_owned).collect());
    }
    // Its messages begin with an emoji or a word of regret.
    let text = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '`' | '"' | '\''));
    GenerateError::Other(text.trim_start_matches("Sorry, ").to_owned())
}

/// The place and cause in an error of Liquid: `liquid:  --> 3:5\n  |\n3 | {% if %}\n  |  ^---\n  |\n  = expected Value` → `line 3, column 5: expected Value`.
pub(super) fn liquid_reason(message: &str) -> String {
    let place = message.lines().find_map(|line| line.split_once("--> ")?.1.split_once(':'));
    let what = message.lines().filter_map(|line| line.trim_start().strip_prefix("= ")).collect::<Vec<_>>().join("; ");
    match place {
        Some((line, column)) if !what.is_empty() => format!("line {line}, column {column}: {what}"),
        _ => message.trim_start_matches("liquid:").split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// Text without terminal escapes (ECMA-48 CSI sequences).
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            if characters.next() == Some('[') {
                characters.by_ref().find(|c| ('\u{40}'..='\u{7e}').contains(c));
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when Cargo.lock has another version: read its texts, adapt this module, then change the version in the test.
    fn assert_locked(name: &str, version: &str) {
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        let lock = include_str!("../../Cargo.lock").replace("\r\n", "\n");
        assert!(lock.contains(&entry), "Cargo.lock has another {name} than {version}: read its texts again");
        let versions = lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(versions, 1, "Cargo.lock has {name} more than once");
    }

    #[test]
    fn holds_for_the_locked_versions() {
        assert_locked("cargo-generate", "0.26.0");
        assert_locked("liquid", "0.26.11");
    }

    #[test]
    fn errors_are_read() {
        let syntax = "\u{1b}[1mSubstitution skipped, found invalid syntax in\u{1b}[0m\n\ta.md\n\tb/c.rs\n";
        assert_eq!(generate_error(syntax), GenerateError::Syntax(vec!["a.md".to_owned(), "b/c.rs".to_owned()]));
        assert_eq!(generate_error("⛔ Sorry, `x` is\n missing"), GenerateError::Other("`x` is missing".to_owned()));
        let liquid = "liquid:  --> 3:5\n  |\n3 | {% if %}\n  |      ^---\n  |\n  = expected Value\n";
        assert_eq!(liquid_reason(liquid), "line 3, column 5: expected Value");
    }
}
