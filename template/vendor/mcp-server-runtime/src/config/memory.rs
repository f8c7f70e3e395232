//! The memory that this process may take, as its container has it.

use std::fs;
use std::path::{Path, PathBuf};

/// The limit of the control group in bytes, where there is one.
pub(super) fn limit() -> Option<usize> {
    let root = Path::new("/sys/fs/cgroup");
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    files(root, &groups).iter().filter_map(|file| parse(&fs::read_to_string(file).ok()?)).min()
}

/// Where limits may stand: version 2 and version 1, for the group itself and, as a container sees it, at the root.
fn files(root: &Path, groups: &str) -> Vec<PathBuf> {
    let mut files = vec![root.join("memory.max"), root.join("memory/memory.limit_in_bytes")];
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let path = path.trim_start_matches('/');
        match controllers {
            "" => files.push(root.join(path).join("memory.max")),
            "memory" => files.push(root.join("memory").join(path).join("memory.limit_in_bytes")),
            _ => {}
        }
    }
    files
}

/// A number of bytes; `max`, and the huge number that version 1 has in its place, are no limit.
fn parse(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|bytes| (1..usize::MAX / 4).contains(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_in_both_versions() {
        let groups = "12:memory:/docker/a\n3:cpu:/x\n0::/system.slice/b.service\n";
        let found = files(Path::new("/g"), groups);
        for file in
            ["/g/memory.max", "/g/memory/docker/a/memory.limit_in_bytes", "/g/system.slice/b.service/memory.max"]
        {
            assert!(found.contains(&PathBuf::from(file)), "{found:?}");
        }
        assert_eq!(parse("134217728\n"), Some(MEBIBYTE * 128));
        assert_eq!((parse("max"), parse("9223372036854771712"), parse("0")), (None, None, None));
    }

    const MEBIBYTE: usize = 1024 * 1024;
}
