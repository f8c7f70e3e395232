//! The operating system's figures for this process, under the names that Prometheus' client libraries use.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::exposition::{Kind, Page};

/// Memory, open files and the time of the start; on systems without /proc, the last alone.
pub fn metrics(page: &mut Page, started: SystemTime) {
    let resident = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| resident_bytes(&status));
    if let Some(bytes) = resident {
        page.single("process_resident_memory_bytes", Kind::Gauge, "Resident memory.", bytes);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the folder itself.
        page.single("process_open_fds", Kind::Gauge, "Open file descriptors.", open.count().saturating_sub(1));
    }
    let started = started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    page.single("process_start_time_seconds", Kind::Gauge, "When the process started, since 1970.", started);
}

/// `VmRSS:     1234 kB`
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_memory_is_read() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    1234 kB\nThreads:\t1\n"), Some(1234 * 1024));
        assert_eq!((resident_bytes(""), resident_bytes("VmRSS: x kB")), (None, None));
    }
}
