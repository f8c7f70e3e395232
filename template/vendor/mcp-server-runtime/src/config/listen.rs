//! Where the server listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Reader;

impl Reader<'_> {
    /// The address for callers.
    pub(super) fn listen(&mut self) -> SocketAddr {
        let host = self.parsed("HOST", IpAddr::V4(Ipv4Addr::LOCALHOST), "an IP address such as 127.0.0.1 or 0.0.0.0");
        SocketAddr::new(host, self.parsed("PORT", 8080_u16, "a port number from 0 to 65535"))
    }

    /// An address of its own, as callers must not reach what is there.
    pub(super) fn admin(&mut self, listen: SocketAddr) -> Option<SocketAddr> {
        let text = self.env.text("ADMIN_ADDR")?;
        let Ok(admin) = text.parse::<SocketAddr>() else {
            self.problems.add("ADMIN_ADDR", format!("{text:?} is not an address with a port such as 127.0.0.1:9090"));
            return None;
        };
        if admin.port() == listen.port() && admin.port() != 0 {
            let text = format!("has the port of PORT, {}: metrics and probes need one of their own", admin.port());
            self.problems.add("ADMIN_ADDR", text);
        }
        Some(admin)
    }
}
