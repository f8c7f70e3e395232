//! Sealing every token anew with the active key, while servers go on reading and writing.

use sqlx::Row as _;

use super::PostgresTokenStore;
use super::chain::{Action, Entry, Outcome, append};
use super::failure::Failure;
use super::session::Session;
use crate::StoreError;
use crate::encryption::{Context, DecryptError};

/// Rows per transaction: how much is done again after a crash, and how long writers of these tokens wait.
const BATCH: i64 = 500;

/// Sweeps that wait for locked rows, before rotation leaves what is still being written with another key to the next
/// run: it would have to end sometime, also where a server goes on sealing with the old key.
const SWEEPS: usize = 3;

/// Bytes of a sealed value that name its version and key.
const HEADER: i32 = 9;

/// What a rotation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Tokens sealed anew with the active key.
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

/// One transaction's worth.
struct Batch {
    rotated: u64,
    unreadable: Vec<(i64, UnreadableToken)>,
    last_id: i64,
}

/// A row to be sealed anew.
struct Stale {
    id: i64,
    service_id: i64,
    service: String,
    key: String,
    sealed: Vec<u8>,
}

impl PostgresTokenStore {
    /// Seals every token that is not sealed with the active key anew, and says how many those were. Tokens that cannot
    /// be opened are left alone and logged; [`rotate`](Self::rotate) tells them.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub async fn rotate_key(&self, actor: &str) -> Result<u64, StoreError> {
        Ok(self.rotate(actor).await?.rotated)
    }

    /// Seals every token that is not sealed with the active key anew.
    ///
    /// In batches, each a transaction of its own: killed at any moment, every token is sealed with either the old or
    /// the new key, and the next run does the rest. Two runs at once share the work and their counts add up. Readers
    /// are never held up and never find a token that their ring, with both keys, does not open. Values and
    /// `updated_at` do not change.
    ///
    /// # Errors
    /// Those of the type [`PostgresTokenStore`]; what was done until then remains done, and stands in the audit log.
    pub async fn rotate(&self, actor: &str) -> Result<Rotation, StoreError> {
        let header = self.header()?;
        let mut rotation = Rotation::default();
        let mut unreadable_ids = Vec::new();
        for sweep in 0..=SWEEPS {
            // At first past what others hold; then after them, so that nothing is left out.
            let wait = sweep > 0;
            let (mut cursor, mut found) = (0, false);
            while let Some(batch) =
                self.bounded(self.rotate_batch(&header, cursor, wait, &unreadable_ids, actor)).await?
            {
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

    /// The next rows after an id, sealed anew, in a transaction of their own; nothing where there are none.
    async fn rotate_batch(
        &self,
        header: &[u8],
        after: i64,
        wait: bool,
        except: &[i64],
        actor: &str,
    ) -> Result<Option<Batch>, Failure> {
        let mut session = self.begin().await?;
        let stale = lock_stale(&mut session, header, after, wait, except).await?;
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
        let rotated = ids.len() as u64;
        if rotated > 0 {
            session
                .query(
                    "UPDATE tokens SET encrypted_value = new.sealed
                     FROM unnest($1::bigint[], $2::bytea[]) AS new (id, sealed) WHERE tokens.id = new.id",
                )
                .bind(ids)
                .bind(values)
                .execute(session.connection())
                .await?;
            let detail = format!("{rotated} tokens sealed with key {}", self.keyring.active_id());
            append(&mut session, &summary(actor, &detail)).await?;
        }
        for (token, error) in &unreadable {
            append(&mut session, &complaint(actor, token, &error.to_string())).await?;
        }
        session.commit().await?;
        let told = |(token, error): (Stale, DecryptError)| {
            (token.id, UnreadableToken { service: token.service, key: token.key, error })
        };
        Ok(Some(Batch { rotated, unreadable: unreadable.into_iter().map(told).collect(), last_id }))
    }

    /// Counts what is left, and says in the audit log that a rotation has ended, also one with nothing to do.
    async fn finish(&self, header: &[u8], except: &[i64], rotation: &Rotation, actor: &str) -> Result<u64, Failure> {
        let mut session = self.begin().await?;
        let row = session
            .query(
                "SELECT count(*) AS remaining FROM tokens
                 WHERE substring(encrypted_value FROM 1 FOR $1) <> $2 AND id <> ALL($3)",
            )
            .bind(HEADER)
            .bind(header)
            .bind(except)
            .fetch_one(session.connection())
            .await?;
        let remaining = u64::try_from(row.try_get::<i64, _>("remaining")?).unwrap_or(0);
        let detail = format!(
            "ended: {} tokens sealed with key {}, {} unreadable, {remaining} remaining",
            rotation.rotated,
            self.keyring.active_id(),
            rotation.unreadable.len()
        );
        append(&mut session, &summary(actor, &detail)).await?;
        session.commit().await?;
        Ok(remaining)
    }

    fn reseal(&self, token: &Stale) -> Result<Vec<u8>, DecryptError> {
        let context = || Context { service: &token.service, name: &token.key };
        let plaintext = self.keyring.open(context(), &token.sealed)?;
        self.keyring.seal(context(), &plaintext)
    }
}

/// Rows after an id that are not sealed with the active key, locked until the end of the transaction. Readers are not
/// held up by that. In the order of ids: two rotations that wait for each other's rows do so in one direction.
async fn lock_stale(
    session: &mut Session,
    header: &[u8],
    after: i64,
    wait: bool,
    except: &[i64],
) -> Result<Vec<Stale>, Failure> {
    let select = if wait {
        "SELECT t.id, t.service_id, s.name, t.key, t.encrypted_value
         FROM tokens t JOIN services s ON s.id = t.service_id
         WHERE t.id > $1 AND substring(t.encrypted_value FROM 1 FOR $2) <> $3 AND t.id <> ALL($4)
         ORDER BY t.id LIMIT $5 FOR UPDATE OF t"
    } else {
        "SELECT t.id, t.service_id, s.name, t.key, t.encrypted_value
         FROM tokens t JOIN services s ON s.id = t.service_id
         WHERE t.id > $1 AND substring(t.encrypted_value FROM 1 FOR $2) <> $3 AND t.id <> ALL($4)
         ORDER BY t.id LIMIT $5 FOR UPDATE OF t SKIP LOCKED"
    };
    let rows = session
        .query(select)
        .bind(after)
        .bind(HEADER)
        .bind(header)
        .bind(except)
        .bind(BATCH)
        .fetch_all(session.connection())
        .await?;
    let mut stale = Vec::with_capacity(rows.len());
    for row in rows {
        stale.push(Stale {
            id: row.try_get("id")?,
            service_id: row.try_get("service_id")?,
            service: row.try_get("name")?,
            key: row.try_get("key")?,
            sealed: row.try_get("encrypted_value")?,
        });
    }
    Ok(stale)
}

fn complaint<'a>(actor: &'a str, token: &'a Stale, detail: &'a str) -> Entry<'a> {
    Entry {
        service: Some((token.service_id, &token.service)),
        action: Action::Rotate,
        outcome: Outcome::DecryptFailed,
        token_key: Some(&token.key),
        actor,
        detail: Some(detail),
    }
}

/// A batch holds tokens of any service.
fn summary<'a>(actor: &'a str, detail: &'a str) -> Entry<'a> {
    Entry { service: None, action: Action::Rotate, outcome: Outcome::Ok, token_key: None, actor, detail: Some(detail) }
}
