//! Slash paths as bytes, the form that trees, links and reports use. Nothing here asks the file system.

use std::borrow::Cow;
use std::ffi::OsStr;
#[cfg(not(unix))]
use std::path::PathBuf;
use std::path::{Component, Path};

/// Returns the last part of a path.
#[must_use]
pub fn file_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

/// Returns the folder of a path, or the empty path for a path in the root.
#[must_use]
pub fn parent(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(&[], |slash| &path[..slash])
}

/// Joins `folder` and `rest` with one slash, or with none when one of them is empty.
#[must_use]
pub fn join(folder: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut path = folder.to_vec();
    if !folder.is_empty() && !rest.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(rest);
    path
}

/// Returns the path as text for people and reports. Bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub fn display_path(path: &[u8]) -> String {
    lossy(path).into_owned()
}

/// Returns bytes as text. Those that are not UTF-8 become U+FFFD.
#[must_use]
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly all are UTF-8, and checking that is much faster than the lossy conversion.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Resolves `path` against `folder` and removes `.`, `..` and empty parts. Returns `None` when it leads above the root.
#[must_use]
pub fn normalise(folder: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let mut normal = Vec::with_capacity(folder.len() + path.len() + 1);
    normalise_into(&mut normal, folder, path).then_some(normal)
}

/// Does the same as [`normalise`], but writes into `normal`. Returns `false` when the path leads above the root.
#[must_use]
pub fn normalise_into(normal: &mut Vec<u8>, folder: &[u8], path: &[u8]) -> bool {
    normal.clear();
    normal.extend_from_slice(folder);
    let mut rest = path;
    loop {
        let end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        match &rest[..end] {
            b"" | b"." => {}
            b".." => {
                if normal.is_empty() {
                    return false;
                }
                normal.truncate(memchr::memrchr(b'/', normal).unwrap_or(0));
            }
            part => {
                if !normal.is_empty() {
                    normal.push(b'/');
                }
                normal.extend_from_slice(part);
            }
        }
        match rest.get(end + 1..) {
            Some(more) => rest = more,
            None => return true,
        }
    }
}

/// Returns the relative path from a folder to a path.
#[must_use]
pub fn relative(from: &[u8], to: &[u8]) -> Vec<u8> {
    let split =
        |path| -> Vec<&[u8]> { <[u8]>::split(path, |byte| *byte == b'/').filter(|part| !part.is_empty()).collect() };
    let (from, to) = (split(from), split(to));
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from[shared..].iter().map(|_| b"..".as_slice());
    let parts: Vec<&[u8]> = up.chain(to[shared..].iter().copied()).collect();
    if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') }
}

/// Converts a system path to bytes with `/` between the parts.
#[cfg(unix)]
#[must_use]
pub fn portable(path: &OsStr) -> Box<[u8]> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_bytes().into()
}

/// Converts a system path to bytes with `/` between the parts.
#[cfg(not(unix))]
#[must_use]
pub fn portable(path: &OsStr) -> Box<[u8]> {
    path.to_string_lossy().replace('\\', "/").into_bytes().into()
}

/// Converts a path of the tree to a system path.
#[cfg(unix)]
#[must_use]
pub fn native(path: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(OsStr::from_bytes(path))
}

/// Converts a path of the tree to a system path.
#[cfg(not(unix))]
#[must_use]
pub fn native(path: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(path).into_owned())
}

/// Returns whether a path that others wrote names something below a root, on every system, and nothing of git's: only names with
/// one `/` between them.
#[must_use]
pub fn is_below_root(path: &str) -> bool {
    // A `\\` is a letter of a name on some systems, and ends one on others.
    let names = path.split(['/', '\\']).all(|name| !matches!(name, "" | "." | "..") && !is_git_folder(name));
    names && !path.contains('\0') && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Returns whether some file system takes the name for `.git`, as git itself finds out (`is_hfs_dotgit`, `is_ntfs_dotgit`).
fn is_git_folder(name: &str) -> bool {
    // HFS+ ignores these characters, NTFS what follows a `:` and dots and spaces at the end, and it has short names.
    let is_ignored =
        |c: char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let name: String = name.chars().filter(|c| !is_ignored(*c)).collect();
    let name = name.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']);
    name.eq_ignore_ascii_case(".git") || name.eq_ignore_ascii_case("git~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        let of = |folder: &str, path: &str| {
            normalise(folder.as_bytes(), path.as_bytes()).map(|path| String::from_utf8(path).unwrap())
        };
        assert_eq!(of("a/b", "../c//./d.md"), Some("a/c/d.md".to_owned()));
        assert_eq!(of("a", ".."), Some(String::new()));
        assert_eq!(of("", "/x/"), Some("x".to_owned()));
        assert_eq!(of("a", "../.."), None);
    }

    #[test]
    fn paths_of_strangers_stay_below_the_root_and_out_of_git() {
        for path in ["a", "a/b.md", "..a/b..", ".github/x", ".gitignore", "a/.gitmodules", "git", "a\\b", "é/ü"] {
            assert!(is_below_root(path), "{path:?}");
        }
        for path in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "./a",
            "a/.",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "a\\..\\b",
            "\\a",
            "a\0b",
            ".git",
            "a/.git",
            ".GIT/hooks/x",
            "a/.gIt/b",
            ".git\\hooks\\x",
            "a\\.git/b",
            ".git./x",
            ".git /x",
            ".git::$INDEX_ALLOCATION/x",
            "git~1/x",
            "GIT~1",
            ".g\u{200c}it/x",
        ] {
            assert!(!is_below_root(path), "{path:?}");
        }
    }

    #[test]
    fn relative_paths_between_folders() {
        let between = |from: &str, to: &str| String::from_utf8(relative(from.as_bytes(), to.as_bytes())).unwrap();
        assert_eq!(between("a/b", "a/c/d.md"), "../c/d.md");
        assert_eq!(between("", "a.md"), "a.md");
        assert_eq!(between("a", "a"), ".");
    }
}
