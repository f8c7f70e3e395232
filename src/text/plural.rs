//! Counts in sentences.

/// Returns a count with its noun: `1 link`, `4,567 links`.
#[must_use]
pub fn plural(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Returns a count with a noun whose plural is no `s` more: `1 address`, `2 addresses`.
#[must_use]
pub fn plural_word(count: usize, one: &str, several: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { several })
}

/// Groups digits in threes: `1,234,567`.
#[must_use]
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the first `most` names, and how many more there are: `a, b and 3 more`.
#[must_use]
pub fn some<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let first = names.iter().take(most).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let said: Vec<_> = [0, 1, 999, 1000, 1_234_567].iter().map(|count| plural(*count, "link")).collect();
        assert_eq!(said, ["0 links", "1 link", "999 links", "1,000 links", "1,234,567 links"]);
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!((some(&["a"], 2), some(&["a", "b"], 2)), ("a".to_owned(), "a, b".to_owned()));
        assert_eq!(some(&["a", "b", "c", "d"], 2), "a, b and 2 more");
    }
}
