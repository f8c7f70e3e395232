//! A destination is not a path: it is empty, a placeholder, in parentheses, has two `#`, lacks `https://` or `mailto:`,
//! contains a blank, or is in brackets after the text in parentheses.
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
use crate::audit::document::{Document, LinkKind, Raw, RawKind};
use crate::audit::finding::{Edit, Fix};
use crate::audit::resolve::{INVISIBLE, Malformed, Target, is_certain};
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
    // An unknown site may render it as a link.
    if context.corpus.site(page).known {
        pending.extend(document.raw.iter().filter_map(|raw| raw_text(context, page, document, raw)));
    }
}

/// Returns a finding for text that was meant as a link.
fn raw_text(context: Context<'_>, page: u32, document: &Document, raw: &Raw) -> Option<PendingFinding> {
    let destination = document.text(raw.destination);
    let is_there = is_certain(context.corpus, page, LinkKind::Link, destination);
    let (message, edits) = match raw.kind {
        RawKind::Blank if is_there || has_path_ending(destination) => (
            "a destination with a blank needs < and > around it, so this is shown as it is written",
            vec![Edit { span: raw.destination_span.range(), text: format!("<{destination}>") }],
        ),
        // A word in brackets behind parentheses is prose, unless it is a file.
        RawKind::Reversed if is_there && destination.contains(['.', '/']) => {
            let (all, destination_span) = (raw.span.range(), raw.destination_span.range());
            let edit = |span: std::ops::Range<usize>, text: &str| Edit { span, text: text.to_owned() };
            (
                "the text of a link belongs in brackets and its destination in parentheses, so this is shown as it is \
                 written",
                vec![
                    edit(all.start..all.start + 1, "["),
                    edit(destination_span.start - 2..destination_span.start, "]("),
                    edit(destination_span.end..destination_span.end + 1, ")"),
                ],
            )
        }
        _ => return None,
    };
    let mut finding = PendingFinding::new(CODE, Severity::Error, page, raw.span, message.to_owned());
    finding.target = Some(destination.to_owned());
    if raw.kind == RawKind::Blank {
        finding.suggestion = Some(format!("<{destination}>"));
    }
    finding.fix = is_there.then(|| Fix { title: "make it a link".to_owned(), edits });
    Some(finding)
}

/// Returns whether a missing destination must be a file.
fn has_path_ending(destination: &str) -> bool {
    let path = destination.split('#').next().unwrap_or(destination).to_ascii_lowercase();
    [".md", ".mdx", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf"].iter().any(|ending| path.ends_with(ending))
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
