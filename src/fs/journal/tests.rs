use super::*;

struct TestFolder(tempfile::TempDir);

impl TestFolder {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            fs::write(place.root().join(path), text).unwrap();
        }
        place
    }

    fn root(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    fn is_clean(&self) -> bool {
        !self.root().join(FOLDER).exists()
    }
}

/// Commits changes and makes none of them, as a run does that is killed at once.
fn commit(root: &Path, changes: &[Change]) {
    let steps: Vec<FileStep> = changes.iter().map(|change| FileStep::from_change(root, change)).collect();
    Journal::open(root).unwrap().commit(&steps, &[]).unwrap();
}

fn finish(root: &Path) -> Result<Option<usize>, JournalError> {
    Ok(Journal::open(root)?.finish()?.map(|finished| finished.steps))
}

fn change(path: &str, before: &str, after: &str) -> Change {
    Change { path: path.to_owned(), before: Some(before.into()), after: after.into() }
}

#[test]
fn everything_changes_and_nothing_is_left_behind() {
    let place = TestFolder::new(&[("a.md", "1"), ("b.md", "2")]);
    write_changes(&place.root(), &[change("a.md", "1", "one"), change("b.md", "2", "two")]).unwrap();
    assert_eq!((place.read("a.md"), place.read("b.md"), place.is_clean()), ("one".into(), "two".into(), true));
    assert_eq!(finish(&place.root()).unwrap(), None);
}

#[test]
fn nothing_changes_where_something_is_in_the_way() {
    let place = TestFolder::new(&[("a.md", "1"), ("b.md", "of somebody else")]);
    let changes = [change("a.md", "1", "one"), change("b.md", "2", "two")];
    assert!(matches!(write_changes(&place.root(), &changes), Err(JournalError::Changed(path)) if path == "b.md"));
    assert_eq!((place.read("a.md"), place.is_clean()), ("1".into(), true));
}

#[test]
fn what_was_decided_is_finished_and_what_was_not_is_forgotten() {
    let place = TestFolder::new(&[("a.md", "1"), ("b.md", "2")]);
    let changes = [change("a.md", "1", "one"), change("b.md", "2", "two")];
    fs::create_dir(place.root().join(FOLDER)).unwrap();
    fs::write(place.root().join(NEW), "half").unwrap();
    assert_eq!(finish(&place.root()).unwrap(), None);
    assert_eq!((place.read("a.md"), place.is_clean()), ("1".into(), true));

    commit(&place.root(), &changes);
    assert!(is_interrupted(&place.root()));
    fs::write(place.root().join("a.md"), "one").unwrap();
    assert_eq!(finish(&place.root()).unwrap(), Some(2));
    assert_eq!((place.read("a.md"), place.read("b.md"), place.is_clean()), ("one".into(), "two".into(), true));
}

/// The next run that writes finishes the last one first, whichever commands the two are.
#[test]
fn a_run_finishes_the_one_before_it() {
    let place = TestFolder::new(&[("a.md", "1"), ("b.md", "2")]);
    commit(&place.root(), &[change("a.md", "1", "one")]);
    write_changes(&place.root(), &[change("b.md", "2", "two")]).unwrap();
    assert_eq!((place.read("a.md"), place.read("b.md"), place.is_clean()), ("one".into(), "two".into(), true));
}

#[test]
fn two_runs_do_not_meet() {
    let place = TestFolder::new(&[("a.md", "1")]);
    let root = place.root();
    let first = Journal::open(&root).unwrap();
    assert!(matches!(write_changes(&root, &[change("a.md", "1", "one")]), Err(JournalError::Busy(_))));
    drop(first);
    write_changes(&root, &[change("a.md", "1", "one")]).unwrap();
    assert_eq!(place.read("a.md"), "one");
}

#[cfg(unix)]
#[test]
fn permissions_stay_but_for_the_executable_bit() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = TestFolder::new(&[("secret", "1"), ("script", "1"), ("protected", "1")]);
    let root = place.root();
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
    for (name, mode) in [("secret", 0o600), ("script", 0o640), ("protected", 0o444)] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let file = |text: &'static str, executable| Some(File { bytes: text.as_bytes().into(), executable });
    let step = |path: &str, executable| FileStep {
        path: path.to_owned(),
        before: file("1", false),
        after: file("one", executable),
    };
    let write = |step| Journal::open(&root)?.write(&[step], &[]);
    write(step("secret", false)).unwrap();
    write(step("script", true)).unwrap();
    let refused = write(step("protected", false));
    assert!(matches!(refused, Err(JournalError::Io { action: "write", .. })));
    assert_eq!((mode("secret"), mode("script"), place.read("protected").as_str()), (0o600, 0o750, "1"));
    let back = FileStep { path: "script".to_owned(), before: file("one", true), after: file("1", false) };
    write(back).unwrap();
    assert_eq!(mode("script"), 0o640);
}

#[test]
fn a_new_document_never_takes_the_place_of_another() {
    let place = TestFolder::new(&[("a.md", "1"), ("b.md", "mine")]);
    let new = |path: &str| Change { path: path.to_owned(), before: None, after: "new".into() };
    let changes = [change("a.md", "1", "one"), new("b.md")];
    assert!(matches!(write_changes(&place.root(), &changes), Err(JournalError::InTheWay(path)) if path == "b.md"));
    assert_eq!((place.read("a.md"), place.read("b.md"), place.is_clean()), ("1".into(), "mine".into(), true));
    write_changes(&place.root(), &[change("a.md", "1", "one"), new("deep/er/c.md")]).unwrap();
    assert_eq!((place.read("a.md"), place.read("deep/er/c.md")), ("one".into(), "new".into()));
}

#[test]
fn another_users_work_after_an_interruption_is_not_overwritten() {
    let place = TestFolder::new(&[("a.md", "1")]);
    commit(&place.root(), &[change("a.md", "1", "one")]);
    fs::write(place.root().join("a.md"), "mine").unwrap();
    assert!(matches!(finish(&place.root()), Err(JournalError::Changed(path)) if path == "a.md"));
    assert_eq!(place.read("a.md"), "mine");
}

/// Writes a journal as a stranger may: its steps and conflicts as JSON, and four contents, which are empty.
fn write_journal(place: &TestFolder, steps: &str, conflicts: &str) {
    fs::create_dir(place.root().join(FOLDER)).unwrap();
    let head =
        format!(r#"{{"schema":"mcp-kit/journal/1","steps":[{steps}],"conflicts":[{conflicts}],"contents":[0,0,0,0]}}"#);
    fs::write(place.root().join(JOURNAL), format!("{head}\n")).unwrap();
}

#[test]
fn a_strangers_journal_leads_nowhere_else() {
    let place = TestFolder::new(&[]);
    for path in ["../a", "/etc/hostname", "a/../../b", ".", "", ".git/hooks/x", ".GIT/x", r".git\hooks\x", r"a\..\..\x"]
    {
        write_journal(&place, &format!(r#"{{"path":{path:?},"before":null,"after":[0,false]}}"#), "");
        assert!(matches!(finish(&place.root()), Err(JournalError::Damaged { .. })), "{path}");
        fs::remove_dir_all(place.root().join(FOLDER)).unwrap();
    }
}

/// Git writes whatever its index has: `git checkout --theirs .` would put a hook of a stranger in place.
#[test]
fn a_strangers_journal_brings_nothing_into_gits_index() {
    let place = TestFolder::new(&[]);
    for (folder, file) in [(".git", "HEAD"), (".git/objects", "x")] {
        fs::create_dir(place.root().join(folder)).unwrap();
        fs::write(place.root().join(folder).join(file), "").unwrap();
    }
    let step = r#"{"path":"a.md","before":null,"after":[0,false]}"#;
    let conflict = |path: &str| format!(r#"{{"path":{path:?},"stages":[[1,true],[2,true],[3,true]]}}"#);
    let cases = ["../outside", "/tmp/x", ".git/hooks/post-checkout", ".Git/config", r".git\hooks\x", "a/../b", ""];
    let cases = cases.map(|path| (step, conflict(path)));
    for (steps, conflicts) in cases.into_iter().chain([("", conflict("a.md")), ("", String::new())]) {
        write_journal(&place, steps, &conflicts);
        assert!(matches!(finish(&place.root()), Err(JournalError::Damaged { .. })), "{conflicts}");
        assert!(!place.root().join(".git/index").exists() && !place.root().join("a.md").exists(), "{conflicts}");
        fs::remove_dir_all(place.root().join(FOLDER)).unwrap();
    }
    write_journal(&place, step, &conflict("a.md"));
    assert_eq!(finish(&place.root()).unwrap(), Some(1));
    assert!(place.root().join(".git/index").exists());
}

/// A few lines of a head could otherwise name one large content many times, each of which is kept in memory.
#[test]
fn a_journal_has_each_path_and_each_content_once() {
    let place = TestFolder::new(&[]);
    let step = |path: &str, number: usize| format!(r#"{{"path":{path:?},"before":null,"after":[{number},false]}}"#);
    let conflict = r#"{"path":"a","stages":[[1,true],[1,true],[1,true]]}"#;
    for (steps, conflicts) in [
        ([step("a", 0), step("b", 0)].join(","), ""),
        ([step("a", 1), step("b", 0)].join(","), ""),
        ([step("a", 0), step("a", 1)].join(","), ""),
        (step("a", 0), conflict),
    ] {
        write_journal(&place, &steps, conflicts);
        assert!(matches!(finish(&place.root()), Err(JournalError::Damaged { .. })), "{steps} {conflicts}");
        assert!(!place.root().join("a").exists());
        fs::remove_dir_all(place.root().join(FOLDER)).unwrap();
    }
}

/// The files that a killed run has staged are written again.
#[test]
fn what_was_staged_by_halves_is_written_again() {
    let place = TestFolder::new(&[("a.md", "1"), ("gone.md", "x")]);
    let file = |text: &'static str| Some(File { bytes: text.as_bytes().into(), executable: false });
    let step = |path: &str, before, after| FileStep { path: path.to_owned(), before, after };
    let steps = [
        step("a.md", file("1"), file("one")),
        step("gone.md", file("x"), None),
        step("gone.md/deep/new.md", None, file("new")),
    ];
    Journal::open(&place.root()).unwrap().commit(&steps, &[]).unwrap();
    fs::create_dir(place.root().join(STAGED)).unwrap();
    for name in ["0", "7", "x"] {
        fs::write(place.root().join(STAGED).join(name), "").unwrap();
    }
    assert_eq!(finish(&place.root()).unwrap(), Some(3));
    assert_eq!(
        (place.read("a.md"), place.read("gone.md/deep/new.md"), place.is_clean()),
        ("one".into(), "new".into(), true)
    );
}

/// A folder that takes no file is found before the commit, and not half-way through.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_committed_that_cannot_be_made() {
    use std::os::unix::fs::PermissionsExt as _;
    let new = |path: &str| Change { path: path.to_owned(), before: None, after: "new".into() };
    // Another file system; not even the superuser writes there.
    for path in ["proc/mcp-kit.md", "proc/sys/mcp-kit/new.md"] {
        let refused = write_changes(Path::new("/"), &[new(path)]);
        assert!(matches!(refused, Err(JournalError::Io { action: "move files into", .. })), "{refused:?}");
        assert!(!Path::new("/").join(FOLDER).exists());
    }
    let place = TestFolder::new(&[("a.md", "1")]);
    let folder = place.root().join("protected");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if tempfile::tempfile_in(&folder).is_err() {
        let refused = write_changes(&place.root(), &[change("a.md", "1", "one"), new("protected/deep/b.md")]);
        assert!(matches!(refused, Err(JournalError::Io { path, .. }) if path == folder));
        assert_eq!((place.read("a.md"), place.is_clean()), ("1".into(), true));
    }
}
