//! Slash paths as bytes, the form that trees, links and reports use. Nothing here asks the file system.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
#[cfg(not(unix))]
use std::path::PathBuf;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_between_folders() {
        let between = |from: &str, to: &str| String::from_utf8(relative(from.as_bytes(), to.as_bytes())).unwrap();
        assert_eq!(between("a/b", "a/c/d.md"), "../c/d.md");
        assert_eq!(between("", "a.md"), "a.md");
        assert_eq!(between("a", "a"), ".");
    }
}
