//! `.env` files: `NAME=value` lines. Data, not a script.
//!
//! Programs that read such files agree on the simple cases and not on the rest: whether `$` expands, what a backslash
//! does, which of two lines counts. A token that would be one thing to docker compose and another to a shell is
//! refused, with what to write instead. Only what is asked for is held to that.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::console::boxed;

/// The variables of a file.
pub(super) struct DotEnv(BTreeMap<String, Entry>);

pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) value: Result<SecretString, Ambiguous>,
}

/// A value that programs read in different ways. No text of it holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ambiguous {
    #[error("holds `$`, which some programs expand; put the value into single quotes if it is meant as it stands")]
    Dollar,
    #[error("holds a quote or backslash that programs read in different ways; put the value into single quotes")]
    Quoting,
    #[error("goes on after the closing quote")]
    Rest,
    #[error("stands on line {0} with another value")]
    Twice(usize),
}

/// Why a file is not an `.env` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DotEnvError {
    #[error("line {0} is not NAME=value")]
    NotAssignment(usize),
    #[error("the quote that opens on line {0} is not closed")]
    Unclosed(usize),
}

impl DotEnv {
    pub(super) fn parse(text: &str) -> Result<Self, DotEnvError> {
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut line = 1;
        while !rest.is_empty() {
            let start = rest.trim_start_matches([' ', '\t', '\r']);
            if start.starts_with(['\n', '#']) || start.is_empty() {
                rest = after_line(start);
                line += 1;
                continue;
            }
            let (name, after) = assignment(start).ok_or(DotEnvError::NotAssignment(line))?;
            let (value, end) = value(after).ok_or(DotEnvError::Unclosed(line))?;
            insert(&mut entries, name, Entry { line, value });
            // A quoted value may hold line ends.
            line += start[..start.len() - end.len()].matches('\n').count() + 1;
            rest = after_line(end);
        }
        Ok(Self(entries))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn insert(entries: &mut BTreeMap<String, Entry>, name: &str, mut entry: Entry) {
    if let Some(earlier) = entries.get(name) {
        let same = match (&earlier.value, &entry.value) {
            (Ok(one), Ok(other)) => one.expose_secret() == other.expose_secret(),
            _ => false,
        };
        if !same {
            entry.value = Err(Ambiguous::Twice(earlier.line));
        }
    }
    entries.insert(name.to_owned(), entry);
}

/// Name and what comes after `=`, from the first character of a line on.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let exported = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let line = exported.unwrap_or(line).trim_start_matches([' ', '\t']);
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let value = rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
    named.then(|| (name, value.trim_start_matches([' ', '\t'])))
}

/// The value at the beginning of `text`, and what is left of `text` after it, from the end of its line on. Nothing where
/// a quote is not closed.
fn value(text: &str) -> Option<(Result<SecretString, Ambiguous>, &str)> {
    let (value, rest) = match text.chars().next() {
        Some('\'') => single_quoted(text.get(1..)?)?,
        Some('"') => double_quoted(text.get(1..)?)?,
        _ => return Some(unquoted(text)),
    };
    let (tail, end) = rest.split_at(rest.find('\n').unwrap_or(rest.len()));
    let comment = tail.trim_start().starts_with('#') && tail.starts_with([' ', '\t']);
    if tail.trim().is_empty() || comment { Some((value, end)) } else { Some((Err(Ambiguous::Rest), end)) }
}

fn single_quoted(text: &str) -> Option<(Result<SecretString, Ambiguous>, &str)> {
    let (value, rest) = text.split_once('\'')?;
    // `\'` ends the value in a shell and does not in docker compose.
    if value.ends_with('\\') { Some((Err(Ambiguous::Quoting), rest)) } else { Some((Ok(boxed(value)), rest)) }
}

fn double_quoted(text: &str) -> Option<(Result<SecretString, Ambiguous>, &str)> {
    let mut value = Zeroizing::new(String::with_capacity(text.len()));
    let mut wrong = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = text.get(at + 1..)?;
                return Some((wrong.map_or_else(|| Ok(boxed(&value)), Err), rest));
            }
            '\\' => match chars.next()?.1 {
                escaped @ ('"' | '\\' | '$') => value.push(escaped),
                _ => wrong = Some(Ambiguous::Quoting),
            },
            '$' if expands(text.get(at + 1..)?) => wrong = Some(Ambiguous::Dollar),
            c => value.push(c),
        }
    }
    None
}

/// Up to the end of the line or a comment, which white space goes before.
fn unquoted(text: &str) -> (Result<SecretString, Ambiguous>, &str) {
    let (line, rest) = text.split_at(text.find('\n').unwrap_or(text.len()));
    let comment = line.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || line[..*at].ends_with([' ', '\t'])));
    let value = comment.map_or(line, |(at, _)| &line[..at]).trim();
    let dollar = value.match_indices('$').any(|(at, _)| value.get(at + 1..).is_some_and(expands));
    let value = if value.contains(['"', '\'', '\\', '`']) {
        Err(Ambiguous::Quoting)
    } else if dollar {
        Err(Ambiguous::Dollar)
    } else {
        Ok(boxed(value))
    };
    (value, rest)
}

/// Returns whether `$` before this would begin something in a shell or in docker compose.
fn expands(after: &str) -> bool {
    after.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '{' | '(' | '$'))
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, name: &str) -> Option<Result<String, Ambiguous>> {
        let file = DotEnv::parse(text).unwrap();
        let entry = file.get(name)?;
        Some(entry.value.as_ref().map(|value| value.expose_secret().to_owned()).map_err(|error| *error))
    }

    #[test]
    fn attack_49_every_usual_form_of_a_line_gives_its_value() {
        for (line, value) in [
            ("TOKEN=plain", "plain"),
            ("export TOKEN=exported", "exported"),
            ("  export\t TOKEN = spaced  ", "spaced"),
            ("TOKEN=", ""),
            ("TOKEN=''", ""),
            ("TOKEN= # nothing", ""),
            ("TOKEN=a#b", "a#b"),
            ("TOKEN=a # comment", "a"),
            ("TOKEN='single # quoted $HOME ${X} \"'", "single # quoted $HOME ${X} \""),
            ("TOKEN='quoted' # comment", "quoted"),
            (r#"TOKEN="double \"quoted\" \\ \$HOME""#, r#"double "quoted" \ $HOME"#),
            ("TOKEN=\"two\nlines\"", "two\nlines"),
            ("TOKEN=a=b==", "a=b=="),
            ("TOKEN=ends-with-$", "ends-with-$"),
            ("TOKEN=crlf\r", "crlf"),
            ("\u{feff}TOKEN=after-a-mark", "after-a-mark"),
            ("TOKEN=same\nTOKEN='same'", "same"),
            ("exporter=1\nTOKEN=söö", "söö"),
        ] {
            for text in [line.to_owned(), format!("{line}\n"), format!("{line}\r\n# comment\n\n OTHER=x\n")] {
                assert_eq!(read(&text, "TOKEN"), Some(Ok(value.to_owned())), "{text:?}");
            }
        }
        assert_eq!(read("# TOKEN=no\nOTHER=x", "TOKEN"), None);
    }

    #[test]
    fn attack_49_what_programs_read_in_different_ways_is_refused() {
        for (line, error) in [
            ("TOKEN=a$HOME", Ambiguous::Dollar),
            ("TOKEN=${HOME}", Ambiguous::Dollar),
            ("TOKEN=$(id)", Ambiguous::Dollar),
            ("TOKEN=a$$b", Ambiguous::Dollar),
            ("TOKEN=\"a$HOME\"", Ambiguous::Dollar),
            ("TOKEN=`id`", Ambiguous::Quoting),
            ("TOKEN=a\\b", Ambiguous::Quoting),
            ("TOKEN=a\"b\"", Ambiguous::Quoting),
            ("TOKEN='a\\' # comment", Ambiguous::Quoting),
            ("TOKEN=\"a\\nb\"", Ambiguous::Quoting),
            ("TOKEN='a'b", Ambiguous::Rest),
            ("TOKEN=\"a\"#b", Ambiguous::Rest),
            ("TOKEN=a\nTOKEN=b", Ambiguous::Twice(1)),
        ] {
            assert_eq!(read(&format!("OTHER=1\n{line}\n")[8..], "TOKEN"), Some(Err(error)), "{line:?}");
            assert_eq!(
                read(&format!("{line}\nOTHER=1\n"), "OTHER"),
                Some(Ok("1".to_owned())),
                "others are not touched"
            );
        }
    }

    #[test]
    fn what_is_no_env_file_is_told_by_line() {
        let error = |text| DotEnv::parse(text).err().unwrap().to_string();
        assert_eq!(error("A=1\n\nB='x\ny'\nsource other.env\n"), "line 5 is not NAME=value");
        assert_eq!(error("A"), "line 1 is not NAME=value");
        assert_eq!(error("=x"), "line 1 is not NAME=value");
        assert_eq!(error("1A=x"), "line 1 is not NAME=value");
        assert_eq!(error("services:\n  web:\n"), "line 1 is not NAME=value");
        assert_eq!(error("A=1\nB=\"x\nC=1\n"), "the quote that opens on line 2 is not closed");
        assert_eq!(error("A='x"), "the quote that opens on line 1 is not closed");
        assert_eq!(error("A=\"x\\"), "the quote that opens on line 1 is not closed");
        assert!(DotEnv::parse("").unwrap().names().next().is_none());
    }
}
