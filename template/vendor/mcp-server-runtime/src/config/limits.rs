//! The limits of requests, and how they fit into the memory of the process.

use std::time::Duration;

#[cfg(test)]
use super::{Environment, Problems, Table};
use super::{Reader, memory};

/// The limits of requests.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Memory that the process may take, in bytes. All other limits have to fit into it.
    pub memory: usize,
    /// Size of a request's body in bytes; 413 above it.
    pub body_bytes: usize,
    /// Size of a request's head in bytes; 431 above it.
    pub header_bytes: usize,
    /// Time for a body to arrive (408), for the answer to be ready (504), and for the client to take a part of it.
    pub request_timeout: Duration,
    /// Requests to /mcp at once; 503 above it.
    pub concurrent_requests: usize,
    /// Connections at once; beyond that, one without a request for a second makes room, or more wait.
    pub connections: usize,
    /// Time for requests in flight after SIGTERM.
    pub shutdown_grace: Duration,
}

impl Limits {
    /// The memory for requests, from when their bodies come until they are answered. A quarter of the budget goes to the
    /// heads of connections, about a third to answers of upstream APIs, and the rest to the process itself.
    #[must_use]
    pub const fn request_bytes(&self) -> usize {
        self.memory / 8
    }
}

#[cfg(test)]
impl Default for Limits {
    /// Those of a process with 128 MiB.
    fn default() -> Self {
        let (table, memory) = (Table::with(&[]), MEMORY.to_string());
        let env = Environment::from_pairs([("MEMORY_BUDGET", memory.as_str())]);
        Reader { env: &env, table: &table, problems: &mut Problems::default() }.limits()
    }
}

/// The memory that the image's container has.
const MEMORY: usize = 128 * 1024 * 1024;

impl Reader<'_> {
    /// Reads the limits. Defaults fit into the memory; settings that do not are a problem.
    pub(super) fn limits(&mut self) -> Limits {
        let memory = self.number_or("MEMORY_BUDGET", memory::limit().unwrap_or(MEMORY));
        let header_bytes = self.number("MAX_HEADER_BYTES");
        let body_bytes = self.default_number("MAX_BODY_BYTES").min(memory / 96);
        let connections = self.default_number("MAX_CONNECTIONS").min(memory / 4 / header_bytes);
        let limits = Limits {
            memory,
            body_bytes: self.number_or("MAX_BODY_BYTES", body_bytes),
            header_bytes,
            connections: self.number_or("MAX_CONNECTIONS", connections),
            concurrent_requests: self.number("MAX_CONCURRENT_REQUESTS"),
            request_timeout: self.seconds("REQUEST_TIMEOUT_SECONDS"),
            shutdown_grace: self.seconds("SHUTDOWN_GRACE_SECONDS"),
        };
        self.fits_in_memory(&limits);
        limits
    }

    /// Each limit has its part of the memory.
    fn fits_in_memory(&mut self, limits: &Limits) {
        let budget = format!("MEMORY_BUDGET, which is {} bytes", limits.memory);
        let body = crate::middleware::gatekeeper::text_cost(limits.body_bytes);
        let share = limits.request_bytes() / 4;
        if body > share {
            let most = share / crate::middleware::gatekeeper::text_cost(1);
            let text = format!("{} is more than one caller's part of {budget}: at most {most}", limits.body_bytes);
            self.problems.add("MAX_BODY_BYTES", text);
        }
        let heads = limits.memory / 4;
        if limits.connections.saturating_mul(limits.header_bytes) > heads {
            let most = heads / limits.header_bytes;
            let text = format!(
                "{} connections with heads of {} bytes are more than a quarter of {budget}: at most {most}",
                limits.connections, limits.header_bytes
            );
            self.problems.add("MAX_CONNECTIONS", text);
        }
    }
}
