//! Rows of the audit log: how one is hashed and appended.
//!
//! Each row's hash covers the row and the hash of the row before, so that whoever changes, removes or moves a row has
//! to rewrite all that follow, and the head besides.

use aws_lc_rs::digest::{Context, SHA256};
use sqlx::Row as _;

use super::failure::Failure;
use super::limits;
use super::session::Session;
use crate::StoreError;

/// Bytes of a hash.
pub(super) const HASH: usize = 32;

/// What the hash of the first row stands upon.
pub(super) const GENESIS: [u8; HASH] = [0; HASH];

/// Hashes of this log are no hashes of anything else.
const LABEL: &[u8] = b"mcp-auth-middleware v1 audit row";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Get,
    Set,
    Delete,
    List,
    Rotate,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Rotate => "rotate",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    NotFound,
    DecryptFailed,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotFound => "not_found",
            Self::DecryptFailed => "decrypt_failed",
        }
    }
}

/// What an operation has to say about itself.
pub(super) struct Entry<'a> {
    /// Row id and name.
    pub(super) service: Option<(i64, &'a str)>,
    pub(super) action: Action,
    pub(super) outcome: Outcome,
    pub(super) token_key: Option<&'a str>,
    pub(super) actor: &'a str,
    pub(super) detail: Option<&'a str>,
}

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
}

impl Record<'_> {
    /// SHA-256 over label, previous hash and fields. Each field has a byte that says whether it is there, its length in
    /// four bytes and its bytes: no two different rows make the same input.
    pub(super) fn hash(&self, previous: &[u8]) -> Vec<u8> {
        let service_id = self.service.map(|(id, _)| id.to_be_bytes());
        let fields: [Option<&[u8]>; 11] = [
            Some(LABEL),
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
        ];
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

/// Appends a row in the transaction of the operation that it is about, as the last thing before the commit.
///
/// The head's row is locked from here to the commit, which puts all operations of all servers in a row. That is the
/// price of a chain, also for reads: ten readers at once got 1,700 tokens a second altogether (PostgreSQL 15 over a
/// local socket, two cores, debug build). Servers cache what they read, so that a request does not pay it. Operations lock rows of `tokens` before the head and nothing after it, so none waits for
/// another in a circle.
pub(super) async fn append(session: &mut Session, entry: &Entry<'_>) -> Result<(), Failure> {
    write(session, entry).await.map_err(Failure::Audit)?.then_some(()).ok_or_else(|| {
        let reason = "the head of the audit log is missing or was moved; see `tokens audit verify`";
        Failure::Store(StoreError::Unavailable(reason.to_owned()))
    })
}

/// Says whether there was a head to append to.
async fn write(session: &mut Session, entry: &Entry<'_>) -> Result<bool, sqlx::Error> {
    // The clock is read once the lock is held: times rise with the ids, unless the clock itself is set back.
    let lock = session.query(
        "WITH head AS MATERIALIZED (SELECT count, hash FROM audit_chain FOR UPDATE)
         SELECT count, hash, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros FROM head",
    );
    let Some(head) = lock.fetch_optional(session.connection()).await? else { return Ok(false) };
    let (count, previous): (i64, Vec<u8>) = (head.try_get("count")?, head.try_get("hash")?);
    let (actor, detail) = (limits::actor(entry.actor), entry.detail.map(limits::detail));
    let record = Record {
        id: count.saturating_add(1),
        micros: head.try_get("micros")?,
        service: entry.service,
        action: entry.action.as_str(),
        outcome: entry.outcome.as_str(),
        token_key: entry.token_key,
        user_email: &actor,
        detail: detail.as_deref(),
    };
    let append = session
        .query(
            "WITH appended AS (
                 INSERT INTO audit_log (id, service_id, action, user_email, \"timestamp\", outcome, token_key, detail,
                                        previous_hash, hash)
                 VALUES ($1, $2, $3, $4, timestamptz 'epoch' + $5::bigint * interval '1 microsecond', $6, $7, $8, $9, $10)
                 RETURNING id, hash)
             UPDATE audit_chain SET count = appended.id, hash = appended.hash FROM appended
             WHERE audit_chain.count = appended.id - 1",
        )
        .bind(record.id)
        .bind(record.service.map(|(id, _)| id))
        .bind(record.action)
        .bind(record.user_email)
        .bind(record.micros)
        .bind(record.outcome)
        .bind(record.token_key)
        .bind(record.detail)
        .bind(previous.as_slice())
        .bind(record.hash(&previous));
    Ok(append.execute(session.connection()).await?.rows_affected() == 1)
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
        ];
        let mut hashes: HashSet<_> = changed.iter().map(|r| r.hash(&GENESIS)).collect();
        hashes.insert(record().hash(&[1; HASH]));
        assert_eq!(hashes.len(), changed.len() + 1);
    }
}
