//! The address under which clients reach a server.

/// The origin of a server that clients reach under this `Host`: http for loopback, https for every other name. In lower
/// case and without the port that the scheme has anyway, as clients compare it with what they were given (RFC 9728 §3.3).
/// `None` where the text does not have the form of a host.
#[must_use]
pub fn origin_of(host: &str) -> Option<String> {
    if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]_".contains(&b)) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let name = host.strip_prefix('[').map_or_else(|| host.split(':').next(), |rest| rest.split(']').next())?;
    let (scheme, port) =
        if matches!(name, "localhost" | "127.0.0.1" | "::1") { ("http", ":80") } else { ("https", ":443") };
    // The last part of an address in brackets is no port.
    let host = host.strip_suffix(port).unwrap_or(&host);
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::origin_of;

    #[test]
    fn the_origin_is_what_a_client_would_write() {
        for (host, origin) in [
            ("mcp.example.com", Some("https://mcp.example.com")),
            ("MCP.Example.com:443", Some("https://mcp.example.com")),
            ("mcp.example.com:8443", Some("https://mcp.example.com:8443")),
            ("LOCALHOST:8080", Some("http://localhost:8080")),
            ("127.0.0.1:80", Some("http://127.0.0.1")),
            ("[::1]:8080", Some("http://[::1]:8080")),
            ("[::1]", Some("http://[::1]")),
            ("", None),
            ("a/b", None),
            ("a\"b", None),
        ] {
            assert_eq!(origin_of(host).as_deref(), origin, "{host}");
        }
    }
}
