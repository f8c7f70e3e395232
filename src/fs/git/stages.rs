//! Git's index, read and written without git: which files differ from it or it from the commit, and conflicts as stages 1, 2 and 3
//! (gitformat-index). No hook runs and no setting counts but where the repository keeps its files.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::index_format::{self, IndexEntry};
use super::objects;
use crate::fs::files::File;
use crate::fs::repository::root_around;
use crate::text::path::is_below_root;

const FILE: u32 = 0o100_644;
const EXECUTABLE: u32 = 0o100_755;
/// The bits of an entry's flags that have the length of its path.
const NAME: u16 = 0x0fff;
/// The file is not in the work tree on purpose (sparse checkout), or is not to be asked for.
const SKIP_WORKTREE: u16 = 0x4000;
const ASSUME_VALID: u16 = 0x8000;

/// A file in conflict: base, ours, theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The path below the project.
    pub path: String,
    /// The three versions.
    pub stages: [Option<File>; 3],
}

/// The entries of an index, and when it was written: seconds and nanoseconds.
type ReadIndex = (Vec<IndexEntry>, (u32, u32));

/// The repository around a project.
#[derive(Debug)]
struct GitFolder {
    index: PathBuf,
    objects: PathBuf,
    /// The folder with HEAD, and the one that it shares with other work trees.
    folder: PathBuf,
    common: PathBuf,
    sha256: bool,
    file_mode: bool,
    /// The project's path in the repository, with a slash at its end unless it is the root.
    prefix: String,
}

/// The files of a project in git's index.
#[derive(Debug, Default)]
pub struct Tracked {
    /// The tracked files that differ from the index, and those whose entry there differs from the newest commit, by path below the
    /// project.
    pub changed: Vec<String>,
    /// Those of them that a merge has left in conflict.
    pub unmerged: Vec<String>,
    /// Files that differ, and that git was told not to look at (`git update-index --skip-worktree`, `--assume-unchanged`).
    pub hidden: Vec<String>,
    /// Files that a sparse checkout leaves out.
    pub absent: Vec<String>,
    /// All tracked files with their executable bits in the index.
    pub files: BTreeMap<String, bool>,
    /// `false` when the file system does not keep executable bits (`core.fileMode`).
    pub file_mode: bool,
}

/// Compares the project at `root` with git's index. Returns `None` without a repository.
///
/// # Errors
/// The fault of an index that cannot be read.
pub fn tracked(root: &Path) -> Result<Option<Tracked>, String> {
    let Some(repository) = GitFolder::around(root)? else { return Ok(None) };
    let mut tracked = Tracked { file_mode: repository.file_mode, ..Tracked::default() };
    let Some((entries, written)) = repository.entries()? else { return Ok(Some(tracked)) };
    // Without an answer, as of a repository that has its refs in another form, only the work tree counts.
    let mut committed = repository.committed();
    for entry in entries {
        let Some(path) = entry.path.strip_prefix(repository.prefix.as_bytes()) else { continue };
        let known = committed.as_mut().map(|files| files.remove(path));
        let Ok(path) = std::str::from_utf8(path) else { continue };
        tracked.files.insert(path.to_owned(), entry.mode() == EXECUTABLE);
        if entry.stage() != 0 {
            tracked.unmerged.push(path.to_owned());
            tracked.changed.push(path.to_owned());
            continue;
        }
        let is_staged = known.is_some_and(|known| known != Some((entry.mode(), entry.id.clone())));
        let is_file = matches!(entry.mode(), FILE | EXECUTABLE);
        let is_skipped = entry.extended & SKIP_WORKTREE != 0;
        let full = root.join(path);
        if is_skipped && full.symlink_metadata().is_err() {
            tracked.absent.push(path.to_owned());
        } else if is_file && is_changed(&full, &entry, &repository, written) {
            let is_hidden = is_skipped || entry.flags & ASSUME_VALID != 0;
            if is_hidden { &mut tracked.hidden } else { &mut tracked.changed }.push(path.to_owned());
        }
        if is_staged {
            tracked.changed.push(path.to_owned());
        }
    }
    // Removed with `git rm`, and not committed.
    let removed = committed.into_iter().flatten().filter_map(|(path, _)| String::from_utf8(path).ok());
    tracked.changed.extend(removed);
    for list in [&mut tracked.changed, &mut tracked.unmerged] {
        list.sort();
        list.dedup();
    }
    Ok(Some(tracked))
}

/// As git does: a file with the recorded time and size is the recorded one, unless it is as young as the index.
fn is_changed(path: &Path, entry: &IndexEntry, repository: &GitFolder, written: (u32, u32)) -> bool {
    let Ok(metadata) = fs::symlink_metadata(path) else { return true };
    if !metadata.is_file() {
        return true;
    }
    let (time, recorded) = (modified(&metadata), (entry.field(2), entry.field(3)));
    let size = u32::try_from(metadata.len()).unwrap_or(u32::MAX);
    if time == recorded && size == entry.field(9) && time < written && time.0 != 0 {
        return false;
    }
    let Ok(bytes) = fs::read(path) else { return true };
    let id = |bytes: &[u8]| repository.object(bytes).0;
    // A checkout may have CRLF where the repository has LF.
    id(&bytes) != entry.id && id(&crate::text::newline::with_lf(&bytes)) != entry.id
}

#[cfg(unix)]
fn modified(metadata: &fs::Metadata) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt as _;
    (u32::try_from(metadata.mtime()).unwrap_or(0), u32::try_from(metadata.mtime_nsec()).unwrap_or(0))
}

#[cfg(not(unix))]
fn modified(_: &fs::Metadata) -> (u32, u32) {
    (0, 0)
}

/// Records the conflicts in the index of the repository around `root`, if there is one.
///
/// # Errors
/// Why the index stays as it was.
pub fn record(root: &Path, conflicts: &[Conflict]) -> Result<(), String> {
    let Some(repository) = GitFolder::around(root)?.filter(|_| !conflicts.is_empty()) else { return Ok(()) };
    // Git checks what `update-index` brings in, not what the index has.
    if let Some(conflict) =
        conflicts.iter().find(|conflict| !is_below_root(&conflict.path) || conflict.path.contains('\\'))
    {
        return Err(format!("{:?} is no path that git has", conflict.path));
    }
    let mut entries = repository.entries()?.map(|(entries, _)| entries).unwrap_or_default();
    let paths: Vec<Vec<u8>> =
        conflicts.iter().map(|conflict| format!("{}{}", repository.prefix, conflict.path).into_bytes()).collect();
    let old: BTreeMap<Vec<u8>, IndexEntry> = entries
        .iter()
        .filter(|entry| entry.stage() == 0 && paths.contains(&entry.path))
        .map(|entry| (entry.path.clone(), entry.clone()))
        .collect();
    entries.retain(|entry| !paths.contains(&entry.path));
    for (conflict, path) in conflicts.iter().zip(&paths) {
        for (number, file) in (1_u16..).zip(&conflict.stages) {
            let Some(file) = file else { continue };
            let mode = if file.executable { EXECUTABLE } else { FILE };
            let (id, mode) = match old.get(path).filter(|entry| number == 2 && repository.has(entry, file)) {
                // Ours is what the index has, with the line ends of the repository.
                Some(entry) => (entry.id.clone(), entry.mode()),
                None => (repository.write(&file.bytes)?, mode),
            };
            let mut stat = [0; 40];
            stat[24..28].copy_from_slice(&mode.to_be_bytes());
            let length = u16::try_from(path.len()).unwrap_or(NAME).min(NAME);
            entries.push(IndexEntry { stat, id, flags: length | (number << 12), extended: 0, path: path.clone() });
        }
    }
    entries.sort_by(|one, other| (&one.path, one.stage()).cmp(&(&other.path, other.stage())));
    repository.replace_index(&entries)
}

impl GitFolder {
    fn around(root: &Path) -> Result<Option<Self>, String> {
        let root = root.canonicalize().map_err(|error| error.to_string())?;
        let Some(top) = root_around(&root) else { return Ok(None) };
        let git = top.join(".git");
        let folder = if git.is_dir() {
            git
        } else {
            let text = fs::read_to_string(&git).map_err(|error| format!("{}: {error}", git.display()))?;
            let Some(folder) = text.strip_prefix("gitdir:") else { return Err(".git is no repository".to_owned()) };
            top.join(folder.trim())
        };
        if !folder.join("HEAD").exists() {
            return Ok(None);
        }
        // A work tree has its own index, and shares the objects.
        let common = fs::read_to_string(folder.join("commondir"));
        let common = common.map_or_else(|_| folder.clone(), |common| folder.join(common.trim()));
        let config = fs::read_to_string(common.join("config")).unwrap_or_default().to_ascii_lowercase();
        let setting = |name: &str| {
            let value = |line: &str| Some(line.trim().strip_prefix(name)?.trim().strip_prefix('=')?.trim().to_owned());
            config.lines().filter_map(value).next_back()
        };
        let prefix = root.strip_prefix(top).ok().and_then(Path::to_str).unwrap_or_default().replace('\\', "/");
        Ok(Some(Self {
            index: folder.join("index"),
            objects: common.join("objects"),
            folder,
            common,
            sha256: setting("objectformat").as_deref() == Some("sha256"),
            file_mode: setting("filemode").as_deref() != Some("false"),
            prefix: if prefix.is_empty() { prefix } else { format!("{prefix}/") },
        }))
    }

    /// Returns the files of the project in the commit that is checked out, and `None` where the repository does not say. Before the
    /// first commit there are none.
    fn committed(&self) -> Option<objects::CommittedFiles> {
        let width = if self.sha256 { 32 } else { 20 };
        let mut head = fs::read_to_string(self.folder.join("HEAD")).ok()?;
        // A symbolic ref can name another one.
        for _ in 0..5 {
            let Some(name) = head.strip_prefix("ref:").map(str::trim).filter(|name| is_below_root(name)) else { break };
            // Refs in a table (reftable) are not read.
            if self.common.join("reftable").exists() {
                return None;
            }
            let loose =
                [&self.folder, &self.common].into_iter().find_map(|folder| fs::read_to_string(folder.join(name)).ok());
            let packed = || {
                let packed = fs::read_to_string(self.common.join("packed-refs")).unwrap_or_default();
                let line = packed.lines().find_map(|line| line.split_once(' ').filter(|(_, other)| *other == name));
                line.map(|(id, _)| id.to_owned())
            };
            let Some(next) = loose.or_else(packed) else { return Some(BTreeMap::new()) };
            head = next;
        }
        let commit = objects::from_hex(head.as_bytes())?;
        objects::ObjectStore::open(&self.objects, width).files(&commit, &self.prefix)
    }

    fn hash(&self, bytes: &[u8]) -> Vec<u8> {
        if self.sha256 { Sha256::digest(bytes).to_vec() } else { Sha1::digest(bytes).to_vec() }
    }

    /// Returns the name of a file's object, and the object.
    fn object(&self, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let object = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
        (self.hash(&object), object)
    }

    /// Returns whether the entry is this file.
    fn has(&self, entry: &IndexEntry, file: &File) -> bool {
        self.object(&file.bytes).0 == entry.id || self.object(&crate::text::newline::with_lf(&file.bytes)).0 == entry.id
    }

    /// Writes a file's object, unless it is there, and returns its name.
    fn write(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let (id, object) = self.object(bytes);
        let name: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = self.objects.join(&name[..2]);
        let path = folder.join(&name[2..]);
        if path.exists() {
            return Ok(id);
        }
        let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
        fs::create_dir_all(&folder).map_err(failed)?;
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed = zlib.write_all(&object).and_then(|()| zlib.finish()).map_err(failed)?;
        let mut file = tempfile::Builder::new().prefix("tmp_obj_").tempfile_in(&folder).map_err(failed)?;
        file.write_all(&packed).map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o444)).map_err(failed)?;
        }
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(id)
    }

    /// Returns the entries of the index and when it was written, or `None` when there is no index yet.
    fn entries(&self) -> Result<Option<ReadIndex>, String> {
        let failed = |reason: String| format!("cannot read {}: {reason}", self.index.display());
        let bytes = match fs::read(&self.index) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
        };
        let written = fs::metadata(&self.index).map_or((0, 0), |metadata| modified(&metadata));
        let entries = index_format::parse(&bytes, if self.sha256 { 32 } else { 20 }).map_err(failed)?;
        Ok(Some((entries, written)))
    }

    /// Replaces the index by way of `index.lock`, as git does. Without the extensions: git makes those again.
    fn replace_index(&self, entries: &[IndexEntry]) -> Result<(), String> {
        let mut bytes = index_format::write(entries);
        let checksum = self.hash(&bytes);
        bytes.extend(checksum);
        let lock = self.index.with_file_name("index.lock");
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => format!("{} is there: git is at work", lock.display()),
            _ => format!("cannot write {}: {error}", self.index.display()),
        };
        // Whole from the beginning, so that a lock with these contents is known for that of a run that was killed.
        let whole = self.index.with_file_name("index.mcp-kit");
        let _ = fs::remove_file(&whole);
        fs::write(&whole, &bytes).map_err(failed)?;
        let locked = match fs::hard_link(&whole, &lock) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if fs::read(&lock).is_ok_and(|found| found == bytes) { Ok(()) } else { Err(error) }
            }
            // A file system without links.
            Err(_) => {
                OpenOptions::new().write(true).create_new(true).open(&lock).and_then(|mut file| file.write_all(&bytes))
            }
            Ok(()) => Ok(()),
        };
        let _ = fs::remove_file(&whole);
        let is_ours = locked.is_ok();
        let replaced = locked.and_then(|()| fs::rename(&lock, &self.index));
        if replaced.is_err() && is_ours {
            let _ = fs::remove_file(&lock);
        }
        replaced.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_gets_no_path_that_git_refuses() {
        let place = tempfile::tempdir().unwrap();
        let git = place.path().join(".git");
        fs::create_dir_all(git.join("objects")).unwrap();
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        let conflict = |path: &str| Conflict { path: path.to_owned(), stages: [None, None, Some(File::text("x"))] };
        for path in ["../x", ".git/hooks/x", "a/.GIT/x", "/x", "C:\\x", "a\\x", "a//x", ""] {
            let refused = record(place.path(), &[conflict("a"), conflict(path)]);
            assert!(refused.is_err() && !git.join("index").exists(), "{path:?}");
        }
        record(place.path(), &[conflict("a")]).unwrap();
        assert_eq!(tracked(place.path()).unwrap().unwrap().changed, ["a"]);
    }
}
