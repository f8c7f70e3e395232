//! Sealing every token again, with the active key, while servers go on reading and writing.

use std::time::{Duration, Instant};

use sqlx::Row as _;

use super::PostgresTokenStore;
use super::failure::Failure;
use super::session::Session;
use super::{limits, one};
use crate::StoreError;
use crate::encryption::{Context, DecryptError};

/// Rows per transaction: how much is done again after a crash, and how long writers of these tokens wait.
const BATCH: i64 = 500;

/// The most sweeps that wait for locked rows. Rows that servers still write with another key are left to the next run, so that
/// this one ends.
const SWEEPS: usize = 3;

/// Bytes of a sealed value that name its version and key.
const HEADER: i32 = 9;

/// A row of the audit log covers reads for a minute after it; the next one is written well before.
const COVERS: Duration = Duration::from_secs(20);

/// The result of a rotation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The number of tokens that are now sealed with the active key.
    pub rotated: u64,
    /// Tokens that no key of the ring opens; they are as they were.
    pub unreadable: Vec<UnreadableToken>,
    /// Tokens that were sealed with another key meanwhile: somebody is still writing with it. Rotate again once
    /// every server has the new key.
    pub remaining: u64,
}

/// A token that no key of the ring opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableToken {
    /// Whose token it is.
    pub service: String,
    /// Its name.
    pub key: String,
    /// Why it cannot be opened.
    pub error: DecryptError,
}

/// The settings that all batches of a sweep share.
struct Sweep<'a> {
    /// How everything that is sealed with the active key begins.
    header: &'a [u8],
    /// The row of the audit log that covers the reads.
    audited: i64,
    /// `true` when the sweep waits for rows that other transactions hold.
    wait: bool,
    /// Rows that cannot be opened.
    except: &'a [i64],
}

/// One transaction's worth.
struct Batch {
    rotated: u64,
    unreadable: Vec<(i64, UnreadableToken)>,
    last_id: i64,
}

/// A row that is still to be sealed with the active key.
struct Stale {
    id: i64,
    service: String,
    key: String,
    sealed: Vec<u8>,
}

impl PostgresTokenStore {
    /// Seals with the active key every token that is not, and returns how many those were. Tokens that cannot be opened are
    /// left alone and logged; [`rotate`](Self::rotate) returns them.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub async fn rotate_key(&self, actor: &str) -> Result<u64, StoreError> {
        Ok(self.rotate(actor).await?.rotated)
    }

    /// Seals with the active key every token that is not.
    ///
    /// In batches, each a transaction of its own: killed at any moment, every token is sealed with either the old or
    /// the new key, and the next run does the rest. Two runs at once share the work and their counts add up. Readers
    /// are never held up and never find a token that their ring, with both keys, does not open. Values and
    /// `updated_at` do not change.
    ///
    /// # Errors
    /// Those of the type [`PostgresTokenStore`]; batches that were done before remain done, and are in the audit log.
    pub async fn rotate(&self, actor: &str) -> Result<Rotation, StoreError> {
        let header = self.header()?;
        let mut rotation = Rotation::default();
        let mut unreadable_ids = Vec::new();
        let begun = format!("begun: to key {}", self.keyring.active_id());
        let (mut audited, mut since) = (self.bounded(self.note(actor, &begun)).await?, Instant::now());
        for sweep in 0..=SWEEPS {
            // At first past what others hold; then after them, so that nothing is left out.
            let wait = sweep > 0;
            let (mut cursor, mut found) = (0, false);
            loop {
                if since.elapsed() > COVERS {
                    (audited, since) = (self.bounded(self.note(actor, &begun)).await?, Instant::now());
                }
                let of = Sweep { header: &header, audited, wait, except: &unreadable_ids };
                let Some(batch) = self.bounded(self.rotate_batch(&of, cursor, actor)).await? else { break };
                found = true;
                cursor = batch.last_id;
                rotation.rotated += batch.rotated;
                for (id, token) in batch.unreadable {
                    tracing::warn!("token {}/{} cannot be rotated: {}", token.service, token.key, token.error);
                    unreadable_ids.push(id);
                    rotation.unreadable.push(token);
                }
            }
            if wait && !found {
                break;
            }
        }
        rotation.remaining = self.bounded(self.finish(&header, &unreadable_ids, &rotation, actor)).await?;
        Ok(rotation)
    }

    /// How everything that is sealed with the active key begins.
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        let mut sample = self.keyring.seal(Context { service: "", name: "" }, b"")?;
        sample.truncate(HEADER as usize);
        Ok(sample)
    }

    /// Seals the next rows after an id, in a transaction of their own. Returns `None` after the last one.
    async fn rotate_batch(&self, of: &Sweep<'_>, after: i64, actor: &str) -> Result<Option<Batch>, Failure> {
        let mut session = self.begin().await?;
        let stale = lock_stale(&mut session, of, after).await?;
        let Some(last_id) = stale.last().map(|token| token.id) else { return Ok(None) };

        let (mut ids, mut values, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for token in stale {
            match self.reseal(&token) {
                Ok(sealed) => {
                    ids.push(token.id);
                    values.push(sealed);
                }
                Err(error) => unreadable.push((token, error)),
            }
        }
        let actor = limits::actor(actor).into_owned();
        let rotated = ids.len() as u64;
        if rotated > 0 {
            let detail = format!("{rotated} tokens sealed with key {}", self.keyring.active_id());
            session
                .query("SELECT mcp_auth_store.finish_batch($1, $2, $3, $4)")
                .bind(ids)
                .bind(values)
                .bind(&actor)
                .bind(detail)
                .execute(session.connection())
                .await?;
        }
        for (token, error) in &unreadable {
            session
                .query("SELECT mcp_auth_store.report_unreadable($1, $2, 'rotate', $3, $4)")
                .bind(&token.service)
                .bind(&token.key)
                .bind(&actor)
                .bind(limits::detail(&error.to_string()).into_owned())
                .execute(session.connection())
                .await?;
        }
        session.commit().await?;
        let named = |(token, error): (Stale, DecryptError)| {
            (token.id, UnreadableToken { service: token.service, key: token.key, error })
        };
        Ok(Some(Batch { rotated, unreadable: unreadable.into_iter().map(named).collect(), last_id }))
    }

    /// Writes a row about the rotation into the audit log, and gives its id.
    async fn note(&self, actor: &str, detail: &str) -> Result<i64, Failure> {
        let note = sqlx::query("SELECT mcp_auth_store.note_rotation($1, $2) AS audit_row");
        let rows = self.fetch(note.bind(limits::actor(actor).into_owned()).bind(detail)).await?;
        Ok(one(&rows)?.try_get("audit_row")?)
    }

    /// Counts what is left, and says in the audit log that a rotation has ended, also one with nothing to do.
    async fn finish(&self, header: &[u8], except: &[i64], rotation: &Rotation, actor: &str) -> Result<u64, Failure> {
        let count = sqlx::query("SELECT mcp_auth_store.rotation_remaining($1, $2) AS remaining");
        let rows = self.fetch(count.bind(header).bind(except)).await?;
        let remaining = u64::try_from(one(&rows)?.try_get::<i64, _>("remaining")?).unwrap_or(0);
        let detail = format!(
            "ended: {} tokens sealed with key {}, {} unreadable, {remaining} remaining",
            rotation.rotated,
            self.keyring.active_id(),
            rotation.unreadable.len()
        );
        self.note(actor, &detail).await?;
        Ok(remaining)
    }

    fn reseal(&self, token: &Stale) -> Result<Vec<u8>, DecryptError> {
        let context = || Context { service: &token.service, name: &token.key };
        let plaintext = self.keyring.open(context(), &token.sealed)?;
        self.keyring.seal(context(), &plaintext)
    }
}

/// Rows after an id that are not sealed with the active key, locked until the end of the transaction.
async fn lock_stale(session: &mut Session, of: &Sweep<'_>, after: i64) -> Result<Vec<Stale>, Failure> {
    let rows = session
        .query(
            "SELECT token_id, service_name, token_key, sealed
             FROM mcp_auth_store.rotation_batch($1, $2, $3, $4, $5, $6) ORDER BY token_id",
        )
        .bind(of.audited)
        .bind(of.header)
        .bind(after)
        .bind(of.wait)
        .bind(of.except)
        .bind(BATCH)
        .fetch_all(session.connection())
        .await?;
    let mut stale = Vec::with_capacity(rows.len());
    for row in rows {
        stale.push(Stale {
            id: row.try_get("token_id")?,
            service: row.try_get("service_name")?,
            key: row.try_get("token_key")?,
            sealed: row.try_get("sealed")?,
        });
    }
    Ok(stale)
}
