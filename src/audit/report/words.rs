//! Sentences that several formats share.

use crate::audit::finding::{Code, Finding};

/// What is wrong, and what is meant.
pub(crate) fn message(finding: &Finding) -> String {
    match &finding.suggestion {
        Some(suggestion) => format!("{} (did you mean {suggestion}?)", finding.message),
        None => finding.message.clone(),
    }
}

/// What a code stands for, for formats that list their rules: the defect, as a noun phrase.
pub(crate) const fn summary(code: Code) -> &'static str {
    match code {
        Code::BrokenLink => "Link to a file that does not exist",
        Code::PathCase => "Link that is right but for upper and lower case",
        Code::BrokenAnchor => "Link to a heading or id that does not exist",
        Code::AnchorCase => "Anchor that is right but for upper and lower case",
        Code::UndefinedReference => "Reference link without a definition",
        Code::MalformedLink => "Link whose destination is not one",
        Code::DoubtfulProfile => "Renderer's rules by which nearly all links are broken",
        Code::UnusedDefinition => "Reference definition that nothing uses",
        Code::DuplicateDefinition => "Reference definition that an earlier one hides",
        Code::BrokenUrl => "Web address that does not answer with a page",
        Code::MovedUrl => "Web address that redirects for good",
        Code::UndecidedUrl => "Web address that could not be judged",
        Code::Orphan => "Documents that no entry point reaches",
        Code::DeprecatedReference => "Document that speaks of something deprecated",
        Code::DeprecatedTarget => "Link to an archived or deprecated document",
        Code::StalePage => "Generated page that differs from its source",
        Code::StaleReview => "Document whose review date has passed",
        Code::MissingNotice => "Archived document without a notice or an index entry",
        Code::Secret => "Something that looks like a live secret", // pragma: allowlist secret
        Code::Unreadable => "Document that could not be read as it is",
        Code::BadSuppression => "Suppression that does not hold",
    }
}

/// `1 link`, `4,567 links`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// With a comma before every three digits.
pub(crate) fn grouped(count: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let said: Vec<_> = [0, 1, 999, 1000, 1_234_567].iter().map(|count| plural(*count, "link")).collect();
        assert_eq!(said, ["0 links", "1 link", "999 links", "1,000 links", "1,234,567 links"]);
    }
}
