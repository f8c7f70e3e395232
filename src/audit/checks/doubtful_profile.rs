//! By the selected rules, most links of one form are broken: more than 50 percent, and at least 20, of the links with a
//! leading `/`, of those without an ending, or of those by address (`../setup/`, `setup.html`). Such a tree is written
//! for another renderer, or the renderer has a setting that is not known. The audit neither reports nor fixes these
//! links. This one warning replaces them.
//!
//! The limits are measured. In trees for GitHub and DocFX with links judged by hand, no form with at least 20 broken
//! links comes near: the highest share is 30 percent (kubernetes/community, links without an ending). Under the rules
//! of a wrong renderer, nine trees have 89 to 100 percent of broken absolute links and 64 to 85 percent of broken links
//! without an ending. A form that is only partly wrong stays below: 33 percent in grafana/tempo.
//!
//! # Why it matters
//!
//! People turn off a report with a thousand false findings, and lose the true ones. A fix would break working links.
//!
//! # Example
//!
//! ```markdown
//! See [the guide](/guide/setup) and [the reference](/reference/).
//! ```
//!
//! in a folder whose generator no file of the tree names.
//!
//! # How to fix it
//!
//! Name the renderer: `--flavor`, or `audit.flavor` and `audit.flavors` (for single folders) in `catalog.yaml`.
//! `--explain-profile` shows the detected renderer and the reason. If the links really are broken, fix a few of them;
//! then the audit judges the others.

use super::{Check, CheckRun, Code, Context, PendingFinding, Severity};
use crate::audit::doubt::Doubt;
use crate::text::path::display_path;

pub(super) const CHECK: Check = Check {
    code: CODE,
    summary: "Renderer's rules by which nearly all links are broken",
    run: CheckRun::Tree(run),
    source: include_str!("doubtful_profile.rs"),
};
const CODE: Code = Code::DoubtfulProfile;

fn run(context: Context<'_>, pending: &mut Vec<PendingFinding>) {
    pending.extend(context.graph.doubts.iter().filter_map(|doubt| draft(context, doubt)));
}

fn draft(context: Context<'_>, doubt: &Doubt) -> Option<PendingFinding> {
    let (page, at) = *doubt.examples.first()?;
    let document = context.document(page);
    let site = context.corpus.sites.site(doubt.site);
    let examples = doubt.examples.iter().map(|(page, at)| {
        let document = context.document(*page);
        format!("{} in {}", document.text(document.links[*at].destination), display_path(context.corpus.path(*page)))
    });
    let folder = match &*site.folder {
        b"" => String::new(),
        folder => format!(" in {}", display_path(folder)),
    };
    let message = format!(
        "{} of {} {}{folder} lead to nothing by {}'s rules, which are hardly the right ones: {}",
        doubt.broken,
        doubt.all,
        doubt.form.noun(2),
        site.generator,
        examples.collect::<Vec<_>>().join(", "),
    );
    Some(PendingFinding::of_link(CODE, Severity::Warning, page, document, &document.links[at], message))
}

#[cfg(test)]
mod tests {
    use crate::audit::examples::findings;

    fn links(broken: usize, good: usize) -> String {
        let broken = (0..broken).map(|number| format!("[a](/guide/page-{number}) "));
        broken.chain((0..good).map(|_| "[b](/a.md) ".to_owned())).collect()
    }

    #[test]
    fn one_warning_for_all_of_them() {
        let tree = [("README.md", &*links(25, 20)), ("a.md", "[up](/README.md) [gone](gone.md)\n")];
        insta::assert_snapshot!(findings("doubtful-profile", &tree), @"README.md:1:5 warning: 25 of 46 links with / in front lead to nothing by GitHub's rules, which are hardly the right ones: /guide/page-0 in README.md, /guide/page-1 in README.md, /guide/page-2 in README.md (/guide/page-0)");
        insta::assert_snapshot!(findings("broken-link", &tree), @"a.md:1:25 error: there is no file gone.md (gone.md)");
    }

    #[test]
    fn few_of_them_or_a_smaller_share_are_mistakes() {
        for (broken, good) in [(19, 0), (20, 20), (30, 40)] {
            let tree = [("README.md", &*links(broken, good)), ("a.md", "[up](/README.md)\n")];
            assert_eq!(findings("doubtful-profile", &tree), "", "{broken} of {}", broken + good);
            assert_eq!(findings("broken-link", &tree).lines().count(), broken);
        }
    }
}
