//! Old addresses that lead to new ones.

use rustc_hash::FxHashMap;

/// The addresses that a site redirects, without `/` at either end.
#[derive(Clone, Debug, Default)]
pub struct Redirects(FxHashMap<Vec<u8>, bool>);

impl Redirects {
    /// Adds an address. `/old/:slug*`, `/old/*` and `/old/[...slug]` cover what is below.
    pub(super) fn add(&mut self, source: &str) {
        let source = source.trim_matches('/');
        let is_fixed = |part: &&str| !part.contains([':', '*', '[', '(']);
        let fixed: Vec<_> = source.split('/').take_while(is_fixed).collect();
        let whole = fixed.join("/");
        let is_below = whole.len() < source.len();
        let whole = whole.strip_suffix(".html").unwrap_or(&whole).as_bytes().to_vec();
        *self.0.entry(whole).or_default() |= is_below;
    }

    /// Adds those of a `_redirects` file: `/from /to` on each line.
    pub(super) fn add_file(&mut self, text: &str) {
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('/'));
        lines.filter_map(|line| line.split_whitespace().next()).for_each(|source| self.add(source));
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether an address is redirected.
    #[must_use]
    pub fn has(&self, path: &[u8]) -> bool {
        if self.is_empty() {
            return false;
        }
        let path = path.trim_ascii().strip_prefix(b"/").unwrap_or(path);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let path = path.strip_suffix(b".html").unwrap_or(path);
        // `/*` alone is a fall-back page, and no proof of any other.
        self.0.contains_key(path) || memchr::memchr_iter(b'/', path).any(|end| self.0.get(&path[..end]) == Some(&true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_or_all_below() {
        let mut redirects = Redirects::default();
        redirects.add_file("# x\n/old /new 301\n/a/* /b/:splat\n/* /404 404\n");
        redirects.add("c/[...slug]");
        redirects.add("/d.html");
        for (path, expected) in
            [("/old/", true), ("/older", false), ("/a/x/y", true), ("/c/x", true), ("/x/y", false), ("/d", true)]
        {
            assert_eq!(redirects.has(path.as_bytes()), expected, "{path}");
        }
    }
}
