//! Writes the files of a site into a folder. The folder never holds an incomplete site.

use std::fs;
use std::io;
use std::path::Path;

use super::SiteError;
use crate::fs::files::{File, FileTree, FilesError, read_tree, replace_folder};

/// The marker file in every folder that a build made. No other folder may be replaced.
const MARK: &str = ".mcp-kit-site";

/// Writes the files into the folder. Returns whether anything changed.
///
/// # Errors
/// When the folder holds other files, or cannot be written.
pub fn publish(folder: &Path, mut files: FileTree) -> Result<bool, SiteError> {
    files.insert(
        MARK.to_owned(),
        File::text("Made by `mcp-kit docs build --html`, which replaces this folder as a whole.\n"),
    );
    let folder = &std::path::absolute(folder).map_err(FilesError::io("find", folder))?;
    let there = inspect(folder)?;
    if there.as_ref() == Some(&files) {
        return Ok(false);
    }
    if folder.file_name().is_none() {
        return Err(SiteError::NotGenerated(folder.display().to_string()));
    }
    replace_folder(folder, &files, there.is_some())?;
    Ok(true)
}

/// Returns the contents of the folder, or `None` when it does not exist.
fn inspect(folder: &Path) -> Result<Option<FileTree>, SiteError> {
    let not_generated = || SiteError::NotGenerated(folder.display().to_string());
    match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FilesError::io("read", folder)(error).into()),
        Ok(metadata) if !metadata.is_dir() => return Err(not_generated()),
        Ok(_) => {}
    }
    let mut entries = fs::read_dir(folder).map_err(FilesError::io("read", folder))?;
    if entries.next().is_some() && !folder.join(MARK).is_file() {
        return Err(not_generated());
    }
    Ok(Some(read_tree(folder, &|_| false)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_replaces_a_site_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/site");
        let tree = |text: &str| FileTree::from([("x/page.html".to_owned(), File::text(text))]);
        assert!(publish(&folder, tree("one")).unwrap());
        assert!(!publish(&folder, tree("one")).unwrap());
        assert!(publish(&folder, tree("two")).unwrap());
        assert_eq!(fs::read_to_string(folder.join("x/page.html")).unwrap(), "two");
        assert_eq!(fs::read_dir(place.path().join("a")).unwrap().count(), 1, "nothing is left beside it");
        fs::remove_file(folder.join(MARK)).unwrap();
        assert!(matches!(publish(&folder, tree("three")), Err(SiteError::NotGenerated(_))));
        assert_eq!(fs::read_to_string(folder.join("x/page.html")).unwrap(), "two");
        assert!(matches!(publish(&folder.join("x/page.html"), tree("one")), Err(SiteError::NotGenerated(_))));
        let empty = place.path().join("empty");
        fs::create_dir(&empty).unwrap();
        assert!(publish(&empty, tree("one")).unwrap());
    }
}
