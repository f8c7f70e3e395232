//! Names of folders that are those of a language.

/// The languages of translated documentation. Other folders with two letters are often something else (`go`, `vm`).
pub const LANGUAGES: &[&[u8]] = &[
    b"ar", b"bn", b"cs", b"de", b"el", b"es", b"fa", b"fr", b"he", b"hi", b"hu", b"id", b"it", b"ja", b"ko", b"nl",
    b"pl", b"pt", b"ro", b"ru", b"sv", b"th", b"tr", b"uk", b"vi", b"zh",
];

/// Returns whether a folder of this name is for a language: `de`, `pt-br`, `zh_Hant`, and `en`.
#[must_use]
pub fn is_language(name: &[u8]) -> bool {
    let Some((code, rest)) = name.split_at_checked(2) else { return false };
    let is_region = |region: &[u8]| (2..=4).contains(&region.len()) && region.iter().all(u8::is_ascii_alphabetic);
    let is_plain = match rest {
        [] => true,
        [b'-' | b'_', region @ ..] => is_region(region),
        _ => false,
    };
    is_plain && (code == b"en" || LANGUAGES.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_languages() {
        for name in ["de", "pt-br", "zh_Hant", "fr-FR", "en"] {
            assert!(is_language(name.as_bytes()), "{name}");
        }
        for name in ["docs", "De", "d", "go", "js", "v1-2", "de-", "en-us-x", "design", ""] {
            assert!(!is_language(name.as_bytes()), "{name}");
        }
    }
}
