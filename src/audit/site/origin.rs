//! Where a repository's host shows its files: documents link to each other by that address, too.

use std::fs;
use std::path::Path;

use crate::fs::repository::config_file;

/// A repository on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Of the repository whose root is `root`, as its git configuration has it. That is read here: to start git takes as long as the audit of a
    /// small tree.
    #[must_use]
    pub fn find(root: &Path) -> Option<Self> {
        let config = fs::read_to_string(config_file(root)?).ok()?;
        let section = config.split("[remote \"origin\"]").nth(1)?.split("\n[").next()?;
        let url = section.lines().find_map(|line| line.trim().strip_prefix("url")?.trim_start().strip_prefix('='))?;
        Self::from_url(url.trim())
    }

    /// From the address that git fetches from: `https://HOST/OWNER/NAME.git`, `git@HOST:OWNER/NAME.git`, `ssh://git@HOST:22/OWNER/NAME`.
    fn from_url(url: &str) -> Option<Self> {
        let (rest, by_scheme) = match url.split_once("://") {
            Some(("https" | "http" | "ssh" | "git", rest)) => (rest, true),
            Some(_) => return None,
            None => (url, false),
        };
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        let (host, path) = rest.split_once(if by_scheme { '/' } else { ':' })?;
        let host = host.split(':').next().unwrap_or(host);
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        (host.contains('.') && path.contains('/')).then(|| Self(format!("{host}/{path}").to_ascii_lowercase()))
    }

    /// `HOST/OWNER/NAME`, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the host.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The path in the repository that an address shows, as written: `https://HOST/OWNER/NAME/blob/BRANCH/PATH`. A branch whose name has a
    /// slash is taken for a part of the path, and nothing is found there.
    #[must_use]
    pub fn path_of<'a>(&self, address: &'a str) -> Option<&'a str> {
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
        let own = rest.get(..self.0.len()).filter(|own| own.eq_ignore_ascii_case(&self.0))?;
        let rest = rest[own.len()..].strip_prefix('/')?;
        let rest = rest.strip_prefix("-/").unwrap_or(rest);
        let rest = rest.strip_prefix("blob/").or_else(|| rest.strip_prefix("tree/"))?;
        let path = rest.split(['#', '?']).next().unwrap_or(rest);
        path.split_once('/').map(|(_, path)| path.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_git_fetches_from() {
        for url in [
            "https://github.com/Acme/docs.git",
            "https://github.com/Acme/docs/",
            "https://token@github.com/acme/docs",
            "git@github.com:acme/docs.git",
            "ssh://git@github.com:22/acme/docs.git",
        ] {
            assert_eq!(Origin::from_url(url), Some(Origin("github.com/acme/docs".to_owned())), "{url}");
        }
        for url in ["/srv/git/docs.git", "file:///srv/docs", "../docs", "localhost:docs", ""] {
            assert_eq!(Origin::from_url(url), None, "{url}");
        }
    }

    #[test]
    fn what_an_address_shows() {
        let origin = Origin("gitlab.com/a/b".to_owned());
        for (address, path) in [
            ("https://gitlab.com/a/b/blob/main/docs/x.md#y", Some("docs/x.md")),
            ("https://GitLab.com/A/b/-/tree/main/docs/?z", Some("docs")),
            ("https://gitlab.com/a/b/issues/1", None),
            ("https://gitlab.com/a/bc/blob/main/x.md", None),
            ("https://gitlab.com/a/b", None),
            ("https://gitlab.com/a/b/blob/main", None),
            ("x", None),
        ] {
            assert_eq!(origin.path_of(address), path, "{address}");
        }
    }

    #[test]
    fn of_checkouts_and_work_trees() {
        let folder = tempfile::tempdir().unwrap();
        let path = |path: &str| folder.path().join(path);
        fs::create_dir_all(path("main/.git/worktrees/other")).unwrap();
        fs::create_dir(path("other")).unwrap();
        let text = "[core]\n\tbare = false\n[remote \"fork\"]\n\turl = git@b.io:x/y\n[remote \"origin\"]\n\tfetch = x\n\turl = https://a.io/x/y.git\n[branch]\n";
        fs::write(path("main/.git/config"), text).unwrap();
        fs::write(path("other/.git"), format!("gitdir: {}\n", path("main/.git/worktrees/other").display())).unwrap();
        let expected = Some(Origin("a.io/x/y".to_owned()));
        assert_eq!((Origin::find(&path("main")), Origin::find(&path("other"))), (expected.clone(), expected));
        assert_eq!(Origin::find(folder.path()), None);
    }
}
