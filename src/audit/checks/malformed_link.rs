//! A destination is not a path: it is empty, a placeholder, in parentheses, has two `#`, or lacks `https://` or
//! `mailto:`.
//!
//! # Why it matters
//!
//! The renderer treats it as the path of a file, so readers get a 404.
//!
//! # Example
//!
//! ```markdown
//! [notes](TODO) [forum](www.example.org/forum) [mail](help@example.org)
//!
//! [design]: (https://example.org/design)
//! ```
//!
//! # How to fix it
//!
//! Write the destination that the message names. `--fix` corrects wrong characters.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::resolve::{INVISIBLE, Malformed, Target};
use crate::audit::suggest::{self, Guess};

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Link whose destination is not one",
    run: CheckRun::Page(run),
    source: include_str!("malformed_link.rs"),
};
const CODE: Code = Code::MalformedLink;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    let document = context.document(page);
    for (link, resolved) in context.links(page) {
        let Target::Malformed(kind) = resolved.target else { continue };
        let destination = document.text(link.destination);
        let (message, meant) = explain(kind, destination);
        let guess = meant.map(|destination| match kind {
            Malformed::BrokenScheme => Guess { destination, certain: false },
            _ => suggest::found(context.corpus, page, destination).checked(context.corpus, page, link.kind),
        });
        pending
            .push(PendingFinding::of_link(CODE, Severity::Error, page, document, link, message).guessing(link, guess));
    }
}

/// Returns the message and the probable destination.
fn explain(kind: Malformed, destination: &str) -> (String, Option<String>) {
    match kind {
        Malformed::Empty => ("the destination is empty, so the link leads to its own page".to_owned(), None),
        Malformed::Placeholder => (format!("{destination:?} still stands where a destination belongs"), None),
        Malformed::TwoHashes => {
            ("a fragment begins with one #".to_owned(), Some(format!("#{}", destination.trim_start_matches('#'))))
        }
        Malformed::Invisible => {
            let seen = destination.trim_start_matches(INVISIBLE);
            ("an invisible character stands in front of the destination".to_owned(), Some(seen.to_owned()))
        }
        Malformed::Mail => ("a mail address needs mailto: in front".to_owned(), Some(format!("mailto:{destination}"))),
        Malformed::NoScheme => {
            ("without https:// in front this is the path of a file".to_owned(), Some(format!("https://{destination}")))
        }
        Malformed::LocalFile => ("file:// is a place on its writer's disk, which no reader has".to_owned(), None),
        Malformed::BrokenScheme => {
            let rest = destination.trim_start_matches(|c: char| c.is_ascii_alphabetic()).trim_start_matches([':', '/']);
            let scheme = if destination.to_ascii_lowercase().contains("tps") { "https" } else { "http" };
            (format!("{scheme}:// is misspelt"), Some(format!("{scheme}://{rest}")))
        }
        Malformed::Wrapped => match destination.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inner) => {
                ("the parentheses around it become a part of the destination".to_owned(), Some(inner.to_owned()))
            }
            None => {
                let linked = destination.split_once("](").and_then(|(_, rest)| rest.strip_suffix(')'));
                let inner = linked.or_else(|| destination.strip_prefix('[')?.strip_suffix(']'));
                ("a destination is written without brackets".to_owned(), inner.map(str::to_owned))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn each_has_its_message() {
        let tree = [(
            "README.md",
            "[a]() [b](TODO) [c](##x) [d](a@b.c) [e](www.x.org/y) [f][] [g]((#h)) [i](http:/x.org) [j]((#nowhere))\n\n[f]: (https://x.org)\n\n# x\n\n# h\n",
        )];
        insta::assert_snapshot!(findings("malformed-link", &tree), @r#"
        README.md:1:1 error: the destination is empty, so the link leads to its own page ()
        README.md:1:11 error: "TODO" still stands where a destination belongs (TODO)
        README.md:1:21 error: a fragment begins with one # (##x) fix: #x
        README.md:1:30 error: a mail address needs mailto: in front (a@b.c) fix: mailto:a@b.c
        README.md:1:41 error: without https:// in front this is the path of a file (www.x.org/y) fix: https://www.x.org/y
        README.md:1:54 error: the parentheses around it become a part of the destination ((https://x.org)) fix: https://x.org
        README.md:1:64 error: the parentheses around it become a part of the destination ((#h)) fix: #h
        README.md:1:74 error: http:// is misspelt (http:/x.org) help: http://x.org
        README.md:1:91 error: the parentheses around it become a part of the destination ((#nowhere)) help: #nowhere
        "#);
    }
}
