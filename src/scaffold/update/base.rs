//! The contents of `.mcp-kit/`: the answers, and the project as generated. Both can come from a stranger's repository, so
//! nothing in them is trusted. Pure.

use std::borrow::Cow;
use std::io::Read as _;

use semver::Version;

use crate::fs::files::{File, FileTree};
use crate::scaffold::answers::{GivenAnswer, parse_file};
use crate::scaffold::project::RECORD;
use crate::text::path::is_below_root;

/// The most bytes that an archive may unpack to. The default project has two million.
const MOST_BYTES: u64 = 64 << 20;
/// The most files in an archive.
const MOST_FILES: usize = 20_000;

/// The record of the questions and answers.
#[derive(Clone, Debug)]
pub struct Record {
    /// The name of the project.
    pub name: String,
    /// The name of the template: its folder, unless it is the embedded one.
    pub template: String,
    /// `true` for the embedded template.
    pub embedded: bool,
    /// The version of the template.
    pub version: Option<Version>,
    /// The digest of the template. Projects of older versions of mcp-kit have none.
    pub digest: Option<String>,
    /// The answers.
    pub answers: Vec<GivenAnswer>,
}

impl Record {
    /// Parses the text of `answers.toml`.
    ///
    /// # Errors
    /// The fault in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        match table.get("schema").and_then(toml::Value::as_integer) {
            Some(1) => {}
            Some(schema) => return Err(format!("its schema is {schema}, which this version does not know")),
            None => return Err("it has no schema".to_owned()),
        }
        let string =
            |table: &toml::Table, key: &str| table.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let name = string(&table, "name").ok_or("it has no name")?;
        let template = table.get("template").and_then(toml::Value::as_table).ok_or("it has no template")?;
        if !table.get("answers").is_some_and(toml::Value::is_table) {
            return Err("it has no answers".to_owned());
        }
        let (answers, problems) = parse_file(RECORD, text);
        if let Some(problem) = problems.first() {
            return Err(problem.to_string());
        }
        Ok(Self {
            name,
            template: string(template, "name").unwrap_or_default(),
            embedded: string(template, "source").as_deref() == Some("embedded"),
            version: string(template, "version").and_then(|version| Version::parse(&version).ok()),
            digest: string(template, "digest"),
            answers,
        })
    }
}

/// Reads the archive of the project as generated.
///
/// # Errors
/// The fault in it: it is damaged, too large, or has anything but plain files below the project.
pub fn read_archive(bytes: &[u8]) -> Result<FileTree, String> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes).take(MOST_BYTES));
    let mut files = FileTree::new();
    for entry in tar.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = std::str::from_utf8(&entry.path_bytes()).map_err(|_| "a path in it is not UTF-8")?.to_owned();
        if !is_inside(&path) {
            return Err(format!("it has a path that leads elsewhere, {path:?}"));
        }
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(format!("{path} in it is no plain file"));
        }
        let executable = entry.header().mode().map_err(|error| error.to_string())? & 0o111 != 0;
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).map_err(|error| error.to_string())?;
        if contents.len() as u64 != entry.size() {
            return Err(format!("it ends within {path}, or unpacks to more than {MOST_BYTES} bytes"));
        }
        if files.insert(path.clone(), File { bytes: Cow::Owned(contents), executable }).is_some() {
            return Err(format!("{path} is there twice"));
        }
        if files.len() > MOST_FILES {
            return Err(format!("it has more than {MOST_FILES} files"));
        }
    }
    // The end of the archive has the checksum of the whole.
    std::io::copy(&mut tar.into_inner(), &mut std::io::sink()).map_err(|error| error.to_string())?;
    if files.is_empty() { Err("it is empty".to_owned()) } else { Ok(files) }
}

/// Returns whether a path stays below the project, and out of what belongs to git and to mcp-kit.
#[must_use]
pub fn is_inside(path: &str) -> bool {
    let is_ours = path.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(".mcp-kit"));
    is_below_root(path) && !path.contains('\\') && !is_ours
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, kind, bytes) in entries {
            let mut header = tar::Header::new_ustar();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            tar.append(&header, *bytes).expect("in memory");
        }
        let mut gzip = tar.into_inner().expect("in memory");
        gzip.flush().expect("in memory");
        gzip.finish().expect("in memory")
    }

    #[test]
    fn hostile_archives_are_refused() {
        let file = tar::EntryType::Regular;
        for path in [
            "../x",
            "/etc/passwd",
            "a/../../x",
            ".git/hooks/pre-commit",
            "a/.GIT/config",
            ".git./config",
            "a//b",
            ".mcp-kit/answers.toml",
            ".MCP-KIT/journal",
            "a\\b",
        ] {
            assert!(read_archive(&archive(&[(path, file, b"x")])).is_err(), "{path}");
        }
        for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Directory, tar::EntryType::Char] {
            assert!(read_archive(&archive(&[("a", kind, b"")])).is_err(), "{kind:?}");
        }
        assert!(read_archive(&archive(&[("a", file, b"1"), ("a", file, b"2")])).is_err());
        assert!(read_archive(&archive(&[])).is_err());
        assert!(read_archive(b"no gzip").is_err());
        let whole = archive(&[("a", file, &[7; 5000]), ("b", file, b"1")]);
        assert_eq!(read_archive(&whole).expect("an archive").len(), 2);
        for end in 0..whole.len() - 8 {
            assert!(read_archive(&whole[..end]).is_err(), "{end} bytes");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let huge = vec![0; usize::try_from(MOST_BYTES).expect("small") + 1];
        let error = read_archive(&archive(&[("a", tar::EntryType::Regular, &huge)])).expect_err("too much");
        assert!(error.contains("more than"), "{error}");
    }

    #[test]
    fn records_of_others_are_refused() {
        for text in ["", "schema = 2\nname = 'x'", "schema = 1", "schema = 1\nname = 'x'\n[template]\n", "]["] {
            assert!(Record::parse(text).is_err(), "{text}");
        }
        let record = Record::parse(
            "schema = 1\nname = 'x'\n[template]\nname = 'mcp-server'\nsource = 'embedded'\n[answers]\na = true\n",
        );
        assert_eq!(record.expect("a record").answers[0].value, "true");
    }
}
