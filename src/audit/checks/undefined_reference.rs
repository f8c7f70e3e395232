//! A link or image in reference style, `[text][label]` or `[label][]`, has a label without a definition in the
//! document.
//!
//! # Why it matters
//!
//! Readers see the brackets instead of a link.
//!
//! # Example
//!
//! ```markdown
//! See [the design][design-2].
//! ```
//!
//! without a line `[design-2]: docs/design.md`.
//!
//! # How to fix it
//!
//! Add the definition, or write the destination in parentheses. `[label][]`, `![alt][label]`, `[text][#heading]` and
//! `[text][https://…]` can only be links and are errors. `[a][b]` may be prose, so it is a warning. The check skips
//! labels that look like an index or a generic parameter, labels in headings, and plain words in a document without any
//! definition. Write `\[a][b]` for plain text.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::document::{Document, RawKind, Undefined};
use crate::audit::finding::{Edit, Fix};
use crate::audit::included;
use crate::audit::site::Form;
use crate::audit::suggest;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Reference link without a definition",
    run: CheckRun::Page(run),
    source: include_str!("undefined_reference.rs"),
};
const CODE: Code = Code::UndefinedReference;

fn run(context: Context<'_>, page: u32, pending: &mut Vec<PendingFinding>) {
    // A plug-in or an appended file may contain the definition.
    if context.corpus.site(page).cause(Form::Reference).is_some() {
        return;
    }
    let document = context.document(page);
    for undefined in &document.undefined {
        let label = document.text(undefined.label);
        let Some(severity) = severity(document, undefined, label) else { continue };
        if included::defines(context.corpus, &context.graph.links, page, label) {
            continue;
        }
        let is_destination = is_destination(label);
        let message = if is_destination {
            format!("[{label}] is no label of a definition: a destination belongs in parentheses")
        } else {
            format!("no definition of [{label}], so this is shown as it is written")
        };
        let mut draft = PendingFinding::new(CODE, severity, page, undefined.span, message);
        draft.target = Some(label.to_owned());
        if is_destination && !undefined.collapsed {
            let end = undefined.span.end as usize;
            let edits = vec![Edit { span: end.saturating_sub(label.len() + 2)..end, text: format!("({label})") }];
            if suggest::found(context.corpus, page, label.to_owned()).certain {
                draft.fix = Some(Fix { title: format!("write ({label})"), edits });
            }
        }
        pending.push(draft);
    }
    for raw in document.raw.iter().filter(|raw| raw.kind == RawKind::Footnote) {
        let label = format!("^{}", document.text(raw.destination));
        let message = format!("no footnote [{label}], so this is shown as it is written");
        let draft = PendingFinding::new(CODE, Severity::Warning, page, raw.span, message);
        pending.push(PendingFinding { target: Some(label), ..draft });
    }
}

/// Returns the labels to report.
pub(in crate::audit) fn labels(document: &Document) -> impl Iterator<Item = &str> {
    let labels = document.undefined.iter().map(|undefined| (undefined, document.text(undefined.label)));
    labels.filter(|(undefined, label)| severity(document, undefined, label).is_some()).map(|(_, label)| label)
}

fn severity(document: &Document, undefined: &Undefined, label: &str) -> Option<Severity> {
    if is_destination(label) {
        return Some(Severity::Error);
    }
    if undefined.in_heading || is_notation(label) {
        return None;
    }
    // A document without definitions does not use reference style.
    let style = !document.definitions.is_empty();
    match (undefined.image || undefined.collapsed, is_word(label) && style) {
        (true, _) => Some(Severity::Error),
        (false, true) => Some(Severity::Warning),
        (false, false) => is_label(label).then_some(Severity::Warning),
    }
}

/// `https://…`, `#heading`, `file.md`: brackets instead of parentheses.
fn is_destination(label: &str) -> bool {
    let plain = !label.contains(char::is_whitespace);
    plain
        && (label.starts_with("http://")
            || label.starts_with("https://")
            || label.len() > 2 && label.starts_with('#') && !label.starts_with("##"))
}

/// Returns whether it is an index, a generic parameter, an optional argument or a check box, not a label.
fn is_notation(label: &str) -> bool {
    let trimmed = label.trim();
    trimmed.chars().count() < 2
        || trimmed.chars().all(|c| c.is_ascii_digit() || !c.is_alphanumeric())
        || trimmed.starts_with([
            '^', '!', '*', '_', '$', '&', '<', '@', '%', '-', ':', '`', '"', '\'', '=', '|', ',', '.', '/', '+', '~',
            '[',
        ])
        || trimmed.contains(['(', ')', '=', '*', '|', '<', '>', '{', '}', '\\', ';', '"', '$', ','])
        || trimmed.ends_with("...")
}

fn is_word(label: &str) -> bool {
    label.chars().next().is_some_and(char::is_alphanumeric)
}

/// `help-wanted`, `rev-1`, `image15`: words that prose never has in brackets.
fn is_label(label: &str) -> bool {
    let inner = label.trim();
    is_word(inner)
        && !inner.contains(char::is_whitespace)
        && (inner.contains(['-', '_', '.', '/', '#']) || inner.chars().last().is_some_and(|c| c.is_ascii_digit()))
        && inner.chars().any(char::is_alphabetic)
        && inner.len() > 3
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    #[test]
    fn labels_without_a_definition() {
        let tree = [(
            "README.md",
            "[a][help-wanted] ![][image15] [b][] [c][#future] [d][https://x.org] [e][good] [f][#Past]\n\n[good]: #x\n\n<a id=x></a>\n\n## Future\n",
        )];
        insta::assert_snapshot!(findings("undefined-reference", &tree), @r"
        README.md:1:1 warning: no definition of [help-wanted], so this is shown as it is written (help-wanted)
        README.md:1:18 error: no definition of [image15], so this is shown as it is written (image15)
        README.md:1:37 error: [#future] is no label of a definition: a destination belongs in parentheses (#future) fix: write (#future)
        README.md:1:50 error: [https://x.org] is no label of a definition: a destination belongs in parentheses (https://x.org) fix: write (https://x.org)
        README.md:1:79 error: [#Past] is no label of a definition: a destination belongs in parentheses (#Past)
        ");
    }

    #[test]
    fn brackets_in_prose_are_no_references() {
        let tree = [(
            "README.md",
            "# Unsafe[Mutable][Raw][Buffer]Pointer\n\n`x` a[0][1] [..][D] [file1][*file4*] [^1] [x] [a]\\[b]\n\n- [ ] [todo][x]\n\n\
             [Liggitt][[Slides](README.md)] matrix[i][j]\n",
        )];
        assert_eq!(findings("undefined-reference", &tree), "");
    }
}
