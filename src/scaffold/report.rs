//! The final report of `mcp-kit new`: a tree and the next commands for people, one JSON object for programs. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::answers::Answers;
use super::template::{Template, TemplateSource};
use crate::fs::files::FileTree;
use crate::fs::repository::Repository;
use crate::fs::terminal::{Paint, Role, shell_word};

/// The maximum number of lines. A longer tree shows folders as counts.
const MOST_LINES: usize = 40;

/// The contents of the report.
#[derive(Debug)]
pub struct ProjectReport<'a> {
    /// The name of the project.
    pub name: &'a str,
    /// The absolute path of the project.
    pub path: &'a Path,
    /// The path as the user would write it.
    pub display_path: PathBuf,
    /// The template.
    pub template: &'a Template,
    /// The answers.
    pub answers: &'a Answers,
    /// All files of the project.
    pub files: &'a FileTree,
    /// The state of its git repository.
    pub git: Repository,
    /// `true` when nothing was written.
    pub dry_run: bool,
}

#[derive(Serialize)]
struct ProjectJson<'a> {
    schema: &'static str,
    name: &'a str,
    path: String,
    dry_run: bool,
    template: JsonTemplate,
    answers: &'a Answers,
    files: Vec<JsonFile<'a>>,
    git: Repository,
    next: Vec<String>,
}

#[derive(Serialize)]
struct JsonTemplate {
    source: &'static str,
    name: String,
    version: Option<String>,
}

#[derive(Serialize)]
struct JsonFile<'a> {
    path: &'a str,
    bytes: usize,
    executable: bool,
}

impl ProjectReport<'_> {
    /// Returns the JSON object of schema `mcp-kit/new/1`.
    ///
    /// # Errors
    /// Never: all of its text is UTF-8.
    pub fn json(&self) -> serde_json::Result<String> {
        let file = |(path, file): (_, &crate::fs::files::File)| JsonFile {
            path,
            bytes: file.bytes.len(),
            executable: file.executable,
        };
        let source = match self.template.source {
            TemplateSource::Embedded => "embedded",
            TemplateSource::Folder(_) => "folder",
        };
        serde_json::to_string_pretty(&ProjectJson {
            schema: "mcp-kit/new/1",
            name: self.name,
            path: self.path.display().to_string(),
            dry_run: self.dry_run,
            template: JsonTemplate { source, name: self.template.name(), version: self.template.version() },
            answers: self.answers,
            files: self.files.iter().map(|(path, contents)| file((path.as_str(), contents))).collect(),
            git: self.git,
            next: self.next().into_iter().map(|(command, _)| command).collect(),
        })
    }

    /// Returns the tree and the next commands for people.
    #[must_use]
    pub fn human(&self, paint: Paint) -> String {
        let mut text = String::new();
        let done = if self.dry_run { "Would create" } else { "Created" };
        let _ = writeln!(text, "{done} {} in {}\n", paint.paint(Role::Strong, self.name), self.display_path.display());
        text.push_str(&tree(self.files, paint));
        let _ = write!(text, "\n{}", files(self.files.len()));
        text.push_str(match self.git {
            Repository::Initialized if self.dry_run => ", a new git repository\n",
            Repository::Initialized => ", a new git repository without commits\n",
            Repository::Surrounding => ", in the git repository around it\n",
            Repository::Skipped | Repository::Unavailable => "\n",
        });
        if !self.dry_run {
            text.push_str("\nNext:\n");
            let next = self.next();
            let width = next.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
            for (command, why) in next {
                // Pad before painting, because escapes have no width on the screen.
                let pad = if why.is_empty() { String::new() } else { " ".repeat(width - command.chars().count() + 3) };
                let why = if why.is_empty() { String::new() } else { paint.paint(Role::Dim, &format!("# {why}")) };
                let _ = writeln!(text, "  {}{pad}{why}", paint.paint(Role::Strong, &command));
            }
        }
        text
    }

    /// Returns the next commands and their purpose. It lists only commands whose files exist.
    fn next(&self) -> Vec<(String, &'static str)> {
        const OURS: &[(&str, &str, &str)] = &[
            ("scripts/local-dev.sh", "scripts/local-dev.sh --demo", "serve sample documents, without any account"),
            ("scripts/test.sh", "scripts/test.sh", "format, lint and test"),
        ];
        let mut next = vec![(format!("cd {}", shell_word(&self.display_path.display().to_string())), "")];
        match self.template.source {
            TemplateSource::Embedded => {
                let there = OURS.iter().filter(|(file, _, _)| self.files.contains_key(*file));
                next.extend(there.map(|(_, command, why)| ((*command).to_owned(), *why)));
            }
            TemplateSource::Folder(_) if self.files.contains_key("README.md") => {
                next.push(("less README.md".to_owned(), ""))
            }
            TemplateSource::Folder(_) => {}
        }
        next
    }
}

/// A node of the tree: a file, or a folder with its entries.
#[derive(Default)]
struct TreeNode<'a> {
    /// Folders come first, as in a file manager.
    folders: BTreeMap<&'a str, TreeNode<'a>>,
    files: Vec<&'a str>,
    /// `true` to draw the entries, `false` to count them.
    open: bool,
}

impl<'a> TreeNode<'a> {
    fn insert(&mut self, path: &'a str) {
        match path.split_once('/') {
            Some((folder, rest)) => self.folders.entry(folder).or_default().insert(rest),
            None => self.files.push(path),
        }
    }

    fn lines(&self) -> usize {
        self.folders.len() + self.files.len()
    }

    fn count(&self) -> usize {
        self.files.len() + self.folders.values().map(TreeNode::count).sum::<usize>()
    }

    /// Opens folders `depth` levels down, short ones first, while there is room. Returns whether there were any.
    fn open(&mut self, depth: usize, room: &mut usize) -> bool {
        let mut folders: Vec<_> = self.folders.values_mut().collect();
        if depth > 0 {
            let open = folders.into_iter().filter(|folder| folder.open);
            return open.fold(false, |any, folder| folder.open(depth - 1, room) | any);
        }
        folders.sort_by_key(|folder| folder.lines());
        let any = !folders.is_empty();
        for folder in folders {
            folder.open = folder.lines() <= *room;
            *room -= if folder.open { folder.lines() } else { 0 };
        }
        any
    }

    fn draw(&self, indent: &str, paint: Paint, text: &mut String) {
        let mut left = self.lines();
        let mut stem = || {
            left -= 1;
            if left == 0 { ("└── ", "    ") } else { ("├── ", "│   ") }
        };
        for (name, folder) in &self.folders {
            let (branch, next) = stem();
            let count = if folder.open { String::new() } else { format!("  {}", files(folder.count())) };
            let name = paint.paint(Role::Strong, &format!("{name}/"));
            let _ = writeln!(
                text,
                "{}{name}{}",
                paint.paint(Role::Dim, &format!("{indent}{branch}")),
                paint.paint(Role::Dim, &count)
            );
            if folder.open {
                folder.draw(&format!("{indent}{next}"), paint, text);
            }
        }
        for name in &self.files {
            let (branch, _) = stem();
            let _ = writeln!(text, "{}{name}", paint.paint(Role::Dim, &format!("{indent}{branch}")));
        }
    }
}

/// Draws the files as a tree: complete when it is short, otherwise with its long and deep folders as counts.
#[must_use]
pub fn tree(files: &FileTree, paint: Paint) -> String {
    let mut root = TreeNode::default();
    for path in files.keys() {
        root.insert(path);
    }
    let mut room = MOST_LINES.saturating_sub(root.lines());
    let mut depth = 0;
    while root.open(depth, &mut room) {
        depth += 1;
    }
    let mut text = String::new();
    root.draw("", paint, &mut text);
    text
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}
