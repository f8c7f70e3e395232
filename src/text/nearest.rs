//! "Did you mean": finds the known word nearest to a mistyped one.

/// Returns the known word with the smallest edit distance, if it is at most a third of the longer word.
#[must_use]
pub fn nearest(word: &str, known: &[String]) -> Option<String> {
    let normal = |word: &str| word.to_lowercase().replace('-', "_");
    let word = normal(word);
    let scored = known.iter().map(|candidate| (strsim::damerau_levenshtein(&word, &normal(candidate)), candidate));
    let (distance, best) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= best.chars().count().max(word.chars().count()) / 3).then(|| best.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_typo_in_three_letters() {
        let known = ["cloudflare".to_owned(), "bearer".to_owned()];
        assert_eq!(nearest("claudflare", &known).as_deref(), Some("cloudflare"));
        assert_eq!(nearest("Bearer", &known).as_deref(), Some("bearer"));
        assert_eq!(nearest("oidc", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
