//! Formats Rust sources with the rustfmt of the user's toolchain. It reads standard input, so that no file is touched.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::fs::change::Change;

/// Formats the Rust files of a change set, by the settings of the project in `root`. A file that was not formatted before is left as
/// it is. Returns `false` where there is no rustfmt.
pub fn format(root: &Path, changes: &mut [Change]) -> bool {
    for change in changes.iter_mut().filter(|change| change.path.ends_with(".rs")) {
        if let Some(before) = &change.before {
            match formatted(root, before) {
                Some(text) if text == *before => {}
                Some(_) => continue,
                None => return false,
            }
        }
        match formatted(root, &change.after) {
            Some(text) => change.after = text,
            None => return false,
        }
    }
    true
}

/// Returns `None` without a rustfmt, or where it does not take the text.
fn formatted(root: &Path, text: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--emit", "stdout"]).current_dir(root);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    let text = text.to_vec();
    // It writes while we write.
    let writer = std::thread::spawn(move || stdin.write_all(&text));
    let output = child.wait_with_output().ok()?;
    let _ = writer.join();
    output.status.success().then_some(output.stdout).filter(|stdout| !stdout.is_empty())
}
