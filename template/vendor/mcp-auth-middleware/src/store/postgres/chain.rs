//! Rows of the audit log: how one is hashed. They are written by the database (`append_audit` in `migrations/`); here is
//! the other half, which verifies them.
//!
//! Each row's hash covers the row and the hash of the row before, so that changing, removing or moving a row means
//! rewriting all that follow, and the head besides.

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes of a hash.
pub(super) const HASH: usize = 32;

/// The hash before the first row.
pub(super) const GENESIS: [u8; HASH] = [0; HASH];

/// Hashes of this log are no hashes of anything else. Rows of the first version were written by servers.
const LABELS: [&[u8]; 2] = [b"mcp-auth-middleware v1 audit row", b"mcp-auth-middleware v2 audit row"];

/// Everything in a row that its hash covers.
pub(super) struct Record<'a> {
    pub(super) id: i64,
    /// Microseconds since 1970-01-01 UTC, which is what PostgreSQL keeps.
    pub(super) micros: i64,
    /// The name besides the id: a renamed service would give old rows another meaning.
    pub(super) service: Option<(i64, &'a str)>,
    pub(super) action: &'a str,
    pub(super) outcome: &'a str,
    pub(super) token_key: Option<&'a str>,
    pub(super) user_email: &'a str,
    pub(super) detail: Option<&'a str>,
    /// The role of the database; nothing in rows of the first version.
    pub(super) database_user: Option<&'a str>,
}

impl Record<'_> {
    /// SHA-256 over label, previous hash and fields. Each field has a byte that says whether it is there, its length in
    /// four bytes and its bytes: no two different rows make the same input.
    pub(super) fn hash(&self, previous: &[u8]) -> Vec<u8> {
        let service_id = self.service.map(|(id, _)| id.to_be_bytes());
        let fields: [Option<&[u8]>; 12] = [
            Some(LABELS[usize::from(self.database_user.is_some())]),
            Some(previous),
            Some(&self.id.to_be_bytes()),
            Some(&self.micros.to_be_bytes()),
            service_id.as_ref().map(<[u8; 8]>::as_slice),
            self.service.map(|(_, name)| name.as_bytes()),
            Some(self.action.as_bytes()),
            Some(self.outcome.as_bytes()),
            self.token_key.map(str::as_bytes),
            Some(self.user_email.as_bytes()),
            self.detail.map(str::as_bytes),
            self.database_user.map(str::as_bytes),
        ];
        // The first version has no twelfth field, rather than one that is not there.
        let fields = if self.database_user.is_some() { &fields[..] } else { &fields[..11] };
        let mut context = Context::new(&SHA256);
        for field in fields {
            match field {
                Some(bytes) => {
                    context.update(&[1]);
                    // Every field is far below 4 GiB, by the limits of the table.
                    context.update(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
                    context.update(bytes);
                }
                None => context.update(&[0]),
            }
        }
        context.finish().as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn record() -> Record<'static> {
        Record {
            id: 1,
            micros: 1_700_000_000_000_000,
            service: Some((1, "service")),
            action: "get",
            outcome: "ok",
            token_key: Some("KEY"),
            user_email: "user@example.com",
            detail: None,
            database_user: None,
        }
    }

    #[test]
    fn the_encoding_is_pinned() {
        // The same by an independent implementation:
        // python3 -c 'import hashlib,struct; f=lambda b: b"\0" if b is None else b"\1"+struct.pack(">I",len(b))+b;
        // print(hashlib.sha256(b"".join(map(f,[b"mcp-auth-middleware v1 audit row",bytes(32),struct.pack(">q",1),
        // struct.pack(">q",1700000000000000),struct.pack(">q",1),b"service",b"get",b"ok",b"KEY",b"user@example.com",
        // None]))).hexdigest())'
        let hash: String = record().hash(&GENESIS).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hash, "ad2bfa4cc88247ab2d474c4d3f22b4b9b1fdb9e5e2b9a61ec9d905c41bf67925"); // pragma: allowlist secret
        // With the second label, and "server" after the last field.
        let record = Record { database_user: Some("server"), ..record() };
        let hash: String = record.hash(&GENESIS).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hash, "6d8a9e932238dad6522274a2714d081ff61fdc6e4cd8b3af2870ea01580f9e54"); // pragma: allowlist secret
    }

    #[test]
    fn every_field_counts_and_none_runs_into_the_next() {
        let changed = [
            record(),
            Record { id: 2, ..record() },
            Record { micros: 1, ..record() },
            Record { service: None, ..record() },
            Record { service: Some((2, "service")), ..record() },
            Record { service: Some((1, "servicf")), ..record() },
            Record { action: "set", ..record() },
            Record { outcome: "not_found", ..record() },
            Record { token_key: None, ..record() },
            Record { token_key: Some(""), ..record() },
            Record { token_key: Some("KEYuser"), user_email: "@example.com", ..record() },
            Record { user_email: "other@example.com", ..record() },
            Record { detail: Some(""), ..record() },
            Record { database_user: Some(""), ..record() },
            Record { database_user: Some("server"), ..record() },
        ];
        let mut hashes: HashSet<_> = changed.iter().map(|r| r.hash(&GENESIS)).collect();
        hashes.insert(record().hash(&[1; HASH]));
        assert_eq!(hashes.len(), changed.len() + 1);
    }
}
