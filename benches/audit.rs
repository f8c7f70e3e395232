//! How long `mcp-kit audit-docs` takes as a process, in milliseconds, on made-up trees of growing size: it must grow with them and no
//! faster. Each document has headings, links to other documents and to headings, an image and some text.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const SIZES: [(usize, usize); 3] = [(200, 20), (10_000, 5), (100_000, 3)];

fn main() -> io::Result<()> {
    for (documents, runs) in SIZES {
        let folder = tempfile::tempdir()?;
        make(folder.path(), documents)?;
        let mut took = Vec::with_capacity(runs);
        // The first run warms the caches.
        for run in 0..=runs {
            let start = Instant::now();
            let status = Command::new(env!("CARGO_BIN_EXE_mcp-kit"))
                .args(["audit-docs", "--format", "json"])
                .arg(folder.path())
                .stdout(Stdio::null())
                .status()?;
            let elapsed = start.elapsed();
            if !status.success() {
                return Err(io::Error::other(format!("mcp-kit audit-docs: {status}")));
            }
            if run > 0 {
                took.push(elapsed.as_secs_f64() * 1000.0);
            }
        }
        took.sort_by(f64::total_cmp);
        let median = took[took.len() / 2];
        let each = median * 1000.0 / documents as f64;
        println!(
            "audit of {documents} documents: median {median:.1} ms, fastest {:.1} ms, {each:.1} µs a document",
            took[0]
        );
    }
    Ok(())
}

/// A clean tree: a README that leads to every folder's README, and those to their hundred documents.
fn make(root: &Path, documents: usize) -> io::Result<()> {
    let folders = documents.div_ceil(100);
    let mut start = "# Start\n\n".to_owned();
    for folder in 0..folders {
        let _ = writeln!(start, "- [Area {folder}](area-{folder}/README.md)");
        let path = root.join(format!("area-{folder}"));
        fs::create_dir(&path)?;
        fs::write(path.join("picture.png"), "")?;
        let mut index = format!("# Area {folder}\n\n");
        for number in folder * 100..documents.min(folder * 100 + 100) {
            let _ = writeln!(index, "- [Page {number}](page-{number}.md#setup)");
            fs::write(path.join(format!("page-{number}.md")), page(number))?;
        }
        fs::write(path.join("README.md"), index)?;
    }
    fs::write(root.join("README.md"), start)
}

fn page(number: usize) -> String {
    let other = number / 100 * 100;
    let text = "Some text about what is to be done and why, with `code`, *emphasis* and a word more.\n".repeat(12);
    format!(
        "# Page {number}\n\n[Setup](#setup), [the next one](page-{other}.md#why-page-{other}), ![picture](picture.png),\n\
         [elsewhere](https://example.org/{number}), [the area](README.md).\n\n## Setup\n\n{text}\n## Why page {number}?\n\n{text}\n"
    )
}
