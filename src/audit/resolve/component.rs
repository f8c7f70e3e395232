//! Components of a project that a page of MDX shows: what a fragment names may stand in their code. It is searched, not run.

use crate::audit::corpus::{Corpus, bytes};
use crate::audit::walk::Kind;
use crate::text::path::{join, normalise, parent};

/// The most files that are searched for one page. The contents of others count as unknown.
const MOST: usize = 32;

/// The largest file that is searched, in bytes. The contents of larger ones count as unknown.
const LARGEST: u64 = 1 << 20;

/// The endings of code that an import leaves out.
const ENDINGS: &[&str] = &[
    "",
    ".js",
    ".jsx",
    ".ts",
    ".tsx",
    ".mjs",
    ".astro",
    ".vue",
    ".svelte",
    "/index.js",
    "/index.jsx",
    "/index.ts",
    "/index.tsx",
];

/// Returns whether a component that a page shows has the place `name`, or may have it: its code gives it as a text, or computes its ids.
pub(super) fn may_have(corpus: &Corpus, page: u32, name: &str) -> bool {
    let document = &corpus.pages[page as usize].document;
    if document.components.is_empty() {
        return false;
    }
    // No heading has such a name; a library that shows an API gives it to an operation: `tag/user/operation/get`.
    if name.contains('/') {
        return true;
    }
    let shown = document.components.iter().map(|file| document.text(*file).to_owned());
    let mut waiting: Vec<(Vec<u8>, String)> = shown.map(|file| (corpus.path(page).to_vec(), file)).collect();
    let mut seen: Vec<u32> = Vec::new();
    while let Some((from, file)) = waiting.pop() {
        let Some(path) = path_of(corpus, page, &from, &file) else { return true };
        let Some(entry) = find(corpus, &path) else {
            // The import fails the build, unless the build makes the file or an alias leads elsewhere.
            let is_alias = file.starts_with(['@', '~']) && !file.starts_with("@site/");
            if is_alias || corpus.tree.is_ignored(&path) {
                return true;
            }
            continue;
        };
        if seen.contains(&entry) {
            continue;
        }
        seen.push(entry);
        let path = &corpus.tree.entries()[entry as usize].path;
        let mut buffer = Vec::new();
        let Ok(code) = bytes(&corpus.tree, path, LARGEST, &mut buffer) else { return true };
        let code = String::from_utf8_lossy(code);
        if seen.len() > MOST || says(&code, name) || computes_ids(&code) {
            return true;
        }
        let imported = imports(&code).filter(|file| file.starts_with("./") || file.starts_with("../"));
        waiting.extend(imported.filter(|file| !is_data(file)).map(|file| (path.to_vec(), file.to_owned())));
    }
    false
}

/// Returns whether code has a name as a text.
fn says(code: &str, name: &str) -> bool {
    let quoted = |mark| code.contains(&format!("{mark}{name}{mark}"));
    quoted('"') || quoted('\'') || quoted('`')
}

/// Returns whether code computes ids of elements, or passes attributes on.
fn computes_ids(code: &str) -> bool {
    let computed = memchr::memmem::find_iter(code.as_bytes(), "id={").any(|at| {
        let is_word = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        !is_word && !code[at + 4..].trim_start().starts_with(['"', '\''])
    });
    computed || code.contains("{...")
}

/// The files that code imports.
fn imports(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter(|line| line.trim_start().starts_with("import ") || line.contains("} from ")).filter_map(
        |line| {
            let (_, rest) = line.split_once(['"', '\''])?;
            rest.split(['"', '\'']).next()
        },
    )
}

/// Returns whether an import brings styles or pictures.
fn is_data(file: &str) -> bool {
    [".css", ".scss", ".less", ".svg", ".png", ".jpg", ".json", ".webp"].iter().any(|ending| file.ends_with(ending))
}

/// The path that an import means, whose ending may be left out.
fn path_of(corpus: &Corpus, page: u32, own: &[u8], file: &str) -> Option<Vec<u8>> {
    let program = || corpus.site(page).program.as_deref();
    if let Some(rest) = file.strip_prefix("@theme/") {
        return normalise(&join(program()?, b"src/theme"), rest.as_bytes());
    }
    match file.strip_prefix("@site/").or_else(|| file.strip_prefix('/')) {
        Some(rest) => normalise(program()?, rest.as_bytes()),
        None => match file.strip_prefix("@/").or_else(|| file.strip_prefix("~/")) {
            Some(rest) => normalise(&join(program()?, b"src"), rest.as_bytes()),
            None => normalise(parent(own), file.as_bytes()),
        },
    }
}

/// The file at such a path.
fn find(corpus: &Corpus, path: &[u8]) -> Option<u32> {
    let entries = ENDINGS.iter().filter_map(|ending| corpus.tree.find(&[path, ending.as_bytes()].concat()));
    entries.into_iter().find(|entry| corpus.tree.entries()[*entry as usize].kind != Kind::Folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_code_says_about_ids() {
        assert!(says("<h2 id=\"a-b\">", "a-b") && says("{id: 'a-b'}", "a-b") && !says("<h2 id=\"a-bc\">", "a-b"));
        for (code, expected) in [
            ("<p id={id}>", true),
            ("<p {...props}>", true),
            ("<p id={'a'}>", false),
            ("<p valid={x}>", false),
            ("<p id=\"a\" className={b}>", false),
        ] {
            assert_eq!(computes_ids(code), expected, "{code}");
        }
        let code = "import a from './a';\nimport {\n b } from \"../b\";\nconst c = 'd';\nimport './e.css';\n";
        assert_eq!(imports(code).collect::<Vec<_>>(), ["./a", "../b", "./e.css"]);
    }
}
