//! `${…}` in the values of a compose file, as docker compose expands them (Compose specification, "Interpolation").

use zeroize::Zeroizing;

/// `${A:-${B:-${C}}}` and so on: more is no configuration but an attempt at the stack.
const DEEPEST: usize = 16;

/// Why a value cannot be expanded. No text of it holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InterpolationError {
    #[error("takes it from ${{{0}}}, which is set neither in the environment nor in .env beside the file")]
    Unset(String),
    #[error("requires ${{{0}}}, which is not set or empty")]
    Required(String),
    #[error("holds `$` with something behind it that docker compose does not expand; `$$` stands for `$`")]
    Malformed,
    /// The variable is there and cannot be used.
    #[error("takes it from ${{{name}}}, which {reason}")]
    Unusable { name: String, reason: String },
}

/// Returns the value of a variable.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Result<Option<Zeroizing<String>>, InterpolationError>;

/// Expands `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, `${NAME?message}`,
/// `${NAME:+other}`, `${NAME+other}` and `$$`. Where docker compose would warn of a variable that is not set and go on
/// with nothing, this is an error.
pub(super) fn interpolate(text: &str, lookup: Lookup<'_>) -> Result<Zeroizing<String>, InterpolationError> {
    expand(text, lookup, 0)
}

fn expand(text: &str, lookup: Lookup<'_>, depth: usize) -> Result<Zeroizing<String>, InterpolationError> {
    if depth > DEEPEST {
        return Err(InterpolationError::Malformed);
    }
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = after.strip_prefix('{') {
            let end = closing_brace(inside).ok_or(InterpolationError::Malformed)?;
            out.push_str(&braced(&inside[..end], lookup, depth)?);
            rest = &inside[end + 1..];
        } else {
            let (name, after) = name(after).ok_or(InterpolationError::Malformed)?;
            out.push_str(&plain(name, lookup)?);
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Returns the value of the expression between the braces.
fn braced(inside: &str, lookup: Lookup<'_>, depth: usize) -> Result<Zeroizing<String>, InterpolationError> {
    let (name, operation) = name(inside).ok_or(InterpolationError::Malformed)?;
    if operation.is_empty() {
        return plain(name, lookup);
    }
    let (also_empty, operation) = operation.strip_prefix(':').map_or((false, operation), |rest| (true, rest));
    let value = lookup(name)?.filter(|value| !(also_empty && value.is_empty()));
    let mut chars = operation.chars();
    let operator = chars.next();
    let word = chars.as_str();
    match (operator, value) {
        (Some('-'), None) | (Some('+'), Some(_)) => expand(word, lookup, depth + 1),
        (Some('-' | '?'), Some(value)) => Ok(value),
        (Some('+'), None) => Ok(Zeroizing::default()),
        (Some('?'), None) => Err(InterpolationError::Required(name.to_owned())),
        _ => Err(InterpolationError::Malformed),
    }
}

fn plain(name: &str, lookup: Lookup<'_>) -> Result<Zeroizing<String>, InterpolationError> {
    lookup(name)?.ok_or_else(|| InterpolationError::Unset(name.to_owned()))
}

/// The name at the beginning, and what comes after it.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then_some((name, rest))
}

/// Where the brace closes that was opened before `text`.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes.get(at - 1) == Some(&b'$') => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Result<Option<Zeroizing<String>>, InterpolationError> {
        Ok(match name {
            "SET" => Some(Zeroizing::new("value".to_owned())),
            "EMPTY" => Some(Zeroizing::default()),
            "DOLLAR" => Some(Zeroizing::new("$SET ${SET}".to_owned())),
            _ => None,
        })
    }

    fn expanded(text: &str) -> Result<String, InterpolationError> {
        interpolate(text, &lookup).map(|text| text.to_string())
    }

    /// The table of the Compose specification.
    #[test]
    fn attack_49_each_form_does_what_docker_compose_does() {
        for (text, value) in [
            ("plain", "plain"),
            ("", ""),
            ("${SET}", "value"),
            ("$SET", "value"),
            ("a-$SET-b", "a-value-b"),
            ("${SET}${SET}", "valuevalue"),
            ("${EMPTY}", ""),
            ("${SET:-default}", "value"),
            ("${EMPTY:-default}", "default"),
            ("${UNSET:-default}", "default"),
            ("${SET-default}", "value"),
            ("${EMPTY-default}", ""),
            ("${UNSET-default}", "default"),
            ("${UNSET:-}", ""),
            ("${SET:?message}", "value"),
            ("${EMPTY?message}", ""),
            ("${SET:+other}", "other"),
            ("${EMPTY:+other}", ""),
            ("${EMPTY+other}", "other"),
            ("${UNSET:+other}", ""),
            ("${UNSET:-a:-b}", "a:-b"),
            ("${UNSET:-${SET}}", "value"),
            ("${UNSET:-${ALSO_UNSET-x${SET}y}}z", "xvalueyz"),
            ("$$SET", "$SET"),
            ("$${SET}", "${SET}"),
            ("a$$", "a$"),
            ("${UNSET:-a$$b}", "a$b"),
            ("$DOLLAR", "$SET ${SET}"),
        ] {
            assert_eq!(expanded(text), Ok(value.to_owned()), "{text}");
        }
    }

    #[test]
    fn attack_49_what_has_no_value_is_an_error() {
        use InterpolationError as E;
        for (text, error) in [
            ("${UNSET}", E::Unset("UNSET".to_owned())),
            ("x$UNSET", E::Unset("UNSET".to_owned())),
            ("${SET:+$UNSET}", E::Unset("UNSET".to_owned())),
            ("${UNSET:?message}", E::Required("UNSET".to_owned())),
            ("${EMPTY:?}", E::Required("EMPTY".to_owned())),
            ("${UNSET?message}", E::Required("UNSET".to_owned())),
            ("${SET", E::Malformed),
            ("${}", E::Malformed),
            ("${1}", E::Malformed),
            ("${SET:}", E::Malformed),
            ("${SET!x}", E::Malformed),
            ("${SET x}", E::Malformed),
            ("$", E::Malformed),
            ("a$ b", E::Malformed),
            ("$1", E::Malformed),
        ] {
            assert_eq!(expanded(text), Err(error), "{text}");
        }
        let deep = format!("{}x{}", "${U:-".repeat(100_000), "}".repeat(100_000));
        assert_eq!(expanded(&deep), Err(E::Malformed));
    }
}
