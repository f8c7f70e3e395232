//! Pages that the repository's host serves beside the files: `../../issues` in a README is one.

use crate::audit::corpus::Corpus;

/// Pages beside a repository's files on its host: `../../issues` in a README is one of them.
pub const GITHUB_SECTIONS: &[&str] = &[
    "actions",
    "activity",
    "blame",
    "blob",
    "branches",
    "commit",
    "commits",
    "community",
    "compare",
    "contribute",
    "contributors",
    "deployments",
    "discussions",
    "edit",
    "forks",
    "graphs",
    "issues",
    "labels",
    "milestone",
    "milestones",
    "network",
    "new",
    "packages",
    "pkgs",
    "projects",
    "pull",
    "pulls",
    "pulse",
    "raw",
    "releases",
    "search",
    "security",
    "settings",
    "stargazers",
    "tags",
    "tree",
    "watchers",
    "wiki",
];

/// Returns whether the repository's host serves a page there that is no file.
pub(super) fn is_page_of_host(corpus: &Corpus, own: &[u8], path: &[u8], first: Option<&Option<Vec<u8>>>) -> bool {
    match path.starts_with(b"/") {
        // `/../../issues` counts from `/OWNER/REPOSITORY/blob/BRANCH`, wherever it stands.
        true => is_template_of_host(own) || first == Some(&None) && leaves_to_section(b"", path),
        false if is_of_comment(own, path) => true,
        false => first == Some(&None) && (leaves_to_section(own, path) || leaves_to_repository(corpus, own, path)),
    }
}

/// Issue and pull-request templates become part of a page of the host, where `/` is the host's.
fn is_template_of_host(own: &[u8]) -> bool {
    let upper = own.to_ascii_uppercase();
    memchr::memmem::find(&upper, b"PULL_REQUEST_TEMPLATE").is_some()
        || memchr::memmem::find(&upper, b"ISSUE_TEMPLATE").is_some()
}

/// Files below `.github` may be texts of comments, which the host shows at `/OWNER/REPOSITORY/pull/1`: there `../tree/HEAD/x` is a section.
/// Of the sections, those count that no folder is named after.
fn is_of_comment(own: &[u8], path: &[u8]) -> bool {
    const SECTIONS: [&[u8]; 8] = [b"blob", b"commit", b"compare", b"issues", b"pull", b"raw", b"tree", b"wiki"];
    let (climbs, rest) = climbed(path);
    own.starts_with(b".github/") && climbs == 1 && rest.len() > 1 && SECTIONS.contains(&rest[0])
}

/// Returns whether a path climbs from its file's page `/OWNER/REPOSITORY/blob/BRANCH/…` to another section of the repository.
fn leaves_to_section(own: &[u8], path: &[u8]) -> bool {
    let (climbs, rest) = climbed(path);
    climbs == depth(own) + 2 && rest.first().is_some_and(|section| is_section(section))
}

/// Returns whether it climbs on to another repository of the same owner, or to one of its sections: hosts that show files so serve it.
fn leaves_to_repository(corpus: &Corpus, own: &[u8], path: &[u8]) -> bool {
    let (climbs, rest) = climbed(path);
    corpus.sites.origin.is_some()
        && climbs == depth(own) + 3
        && !rest.is_empty()
        && rest.get(1).is_none_or(|section| is_section(section))
}

/// Returns the entry that a path shows by the name of a branch: `../main/LICENSE` counts from `/OWNER/REPOSITORY/blob/BRANCH/README.md`. Only
/// the usual names of the branch that readers meet are known.
pub(super) fn on_branch(corpus: &Corpus, own: &[u8], path: &[u8]) -> Option<u32> {
    const BRANCHES: [&[u8]; 6] = [b"main", b"master", b"HEAD", b"trunk", b"develop", b"dev"];
    let (climbs, rest) = climbed(path);
    let (branch, rest) = rest.split_first()?;
    let is_one = climbs == depth(own) + 1 && BRANCHES.contains(branch) && !rest.is_empty();
    is_one.then(|| corpus.tree.find(&rest.join(&b'/'))).flatten()
}

fn depth(own: &[u8]) -> usize {
    own.iter().filter(|byte| **byte == b'/').count()
}

/// How many folders a path climbs, and what comes then.
fn climbed(path: &[u8]) -> (usize, Vec<&[u8]>) {
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    let climbs = parts.iter().take_while(|part| **part == b"..").count();
    (climbs, parts[climbs..].to_vec())
}

fn is_section(part: &[u8]) -> bool {
    std::str::from_utf8(part).is_ok_and(|part| GITHUB_SECTIONS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_a_repository() {
        assert!(leaves_to_section(b"README.md", b"../../issues/new"));
        assert!(leaves_to_section(b"docs/a.md", b"../../../wiki"));
        assert!(!leaves_to_section(b"README.md", b"../issues"));
        assert!(!leaves_to_section(b"README.md", b"../../other/README.md"));
        assert!(is_of_comment(b".github/actions/advice.md", b"../tree/HEAD/README.md"));
        assert!(
            !is_of_comment(b".github/a.md", b"../security/x.md") && !is_of_comment(b"docs/a.md", b"../tree/HEAD/x.md")
        );
    }
}
