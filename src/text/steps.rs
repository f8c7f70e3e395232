//! The steps that are left to the user, at the end of a report.

use std::fmt::Write as _;

/// Returns one line for each step: `next: …`, and the others below it.
#[must_use]
pub fn next_steps<T: AsRef<str>>(steps: &[T]) -> String {
    let mut text = String::new();
    for (number, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "{}{}", if number == 0 { "next: " } else { "      " }, step.as_ref());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_below_each_other() {
        assert_eq!(next_steps(&["a", "b"]), "next: a\n      b\n");
        assert_eq!(next_steps::<&str>(&[]), "");
    }
}
