//! Keeps the memory of this process, where tokens and keys are, out of core dumps.

/// Leaves all memory out of core dumps from here on. Where a system has no such switch, its limits on core dumps count alone
/// (`ulimits` in `docker-compose.yml`).
pub(crate) fn leave_memory_out() {
    // core(5): a mask of the kinds of mappings that are dumped. Of this process and what it starts only.
    #[cfg(target_os = "linux")]
    let _ = std::fs::write("/proc/self/coredump_filter", "0");
}
