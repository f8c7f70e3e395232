//! How long `mcp-kit docs build` takes as a process, in milliseconds, for catalogs and for trees of pages of growing size: it must grow
//! with them and no faster. Each is built from nothing, again after a change of one service, and again with nothing changed.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 5;

fn main() -> io::Result<()> {
    for services in [500, 5_000] {
        measure(&format!("{services} services"), services, |folder, number| {
            fs::write(folder.join("catalog.yaml"), catalog(services, number, ""))
        })?;
    }
    for pages in [1_000, 10_000] {
        measure(&format!("{pages} pages with a section each"), pages, |folder, number| tree(folder, pages, number))?;
    }
    Ok(())
}

/// `make` fills the folder; another number makes another text.
fn measure(what: &str, size: usize, make: impl Fn(&Path, usize) -> io::Result<()>) -> io::Result<()> {
    let (mut fresh, mut changed, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=RUNS {
        let folder = tempfile::tempdir()?;
        make(folder.path(), 0)?;
        let first = build(folder.path())?;
        make(folder.path(), 1)?;
        let second = build(folder.path())?;
        let third = build(folder.path())?;
        // The first run warms the caches.
        if run > 0 {
            fresh.push(first);
            changed.push(second);
            same.push(third);
        }
    }
    for (name, mut took) in [("from nothing", fresh), ("after a change", changed), ("with nothing changed", same)] {
        took.sort();
        let median = took[took.len() / 2].as_secs_f64();
        println!("{what}, {name}: median {:.0} ms, {:.1} µs each", median * 1e3, median * 1e6 / size as f64);
    }
    Ok(())
}

fn build(folder: &Path) -> io::Result<Duration> {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_mcp-kit"))
        .args(["docs", "build"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()?;
    let elapsed = start.elapsed();
    if status.success() { Ok(elapsed) } else { Err(io::Error::other(format!("mcp-kit docs build: {status}"))) }
}

fn catalog(services: usize, number: usize, docs: &str) -> String {
    let mut text = "services:\n".to_owned();
    for service in 0..services {
        let _ = write!(
            text,
            "  - name: Service {service}\n    status: deployed\n    location: workers\n    auth_method: oauth\n    token_storage: kv\n    \
             url: https://service-{service}.example.com/mcp\n    owner: team {}\n    notes: Note {number} of it.\n",
            service % 20
        );
    }
    text + docs
}

/// Files that people write, each with a section that names its page and the first services.
fn tree(folder: &Path, pages: usize, number: usize) -> io::Result<()> {
    let mut docs = "docs:\n  templates: templates\n  pages:\n".to_owned();
    fs::create_dir_all(folder.join("templates"))?;
    for page in 0..pages {
        let path = format!("area-{}/page-{page}.md", page / 100);
        let _ = writeln!(docs, "    page-{page}: {{section: {path}}}");
        fs::create_dir_all(folder.join(format!("area-{}", page / 100)))?;
        fs::write(
            folder.join(format!("templates/page-{page}.md")),
            "{{ here }}: {% for service in services %}{{ service.name }}, {{ service.notes }} {% endfor %}\n",
        )?;
        if number == 0 {
            fs::write(folder.join(&path), format!("# Page {page}\n\n{}", "Text that people wrote.\n".repeat(20)))?;
        }
    }
    fs::write(folder.join("catalog.yaml"), catalog(10, number, &docs))
}
