//! The address that clients use.

use super::Reader;

/// The address that clients use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Without `/mcp` and without a slash at the end: `https://mcp.example.com`.
    pub base: String,
    /// The name in it, which is accepted as a host.
    pub host: String,
}

impl PublicUrl {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: axum::http::Uri = text.parse().ok()?;
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?.as_str().to_ascii_lowercase());
        let default_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return None,
        };
        if text.contains(['?', '#', '@', '*', '"', '\\']) || uri.host()?.is_empty() {
            return None;
        }
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
        let path = uri.path().trim_end_matches('/');
        let path = path.strip_suffix("/mcp").unwrap_or(path);
        let host = uri.host()?.to_ascii_lowercase();
        Some(Self { base: format!("{scheme}://{authority}{path}"), host })
    }
}

impl Reader<'_> {
    /// `https://mcp.example.com`, with or without `/mcp`; a path before it where a proxy takes that away.
    pub(super) fn public_url(&mut self) -> Option<PublicUrl> {
        let text = self.env.text("PUBLIC_URL")?;
        let url = PublicUrl::parse(&text);
        if url.is_none() {
            self.problems
                .add("PUBLIC_URL", format!("{text:?} is not the address of a server: https://mcp.example.com"));
        }
        url
    }
}
