//! The database as the role of a server finds it: for `doctor`. Nothing is changed and no value is read, so there is
//! no row in the audit log, and a database that is read-only answers as well.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::init::{TABLE as MIGRATIONS, newest_schema};
use super::role::{CLOSED, RIGHTS, ROUTINES};
use super::session::Session;
use super::{Failure, PostgresTokenStore};
use crate::StoreError;
use crate::encryption::{KeyId, sealed_with};

/// All rights that there are on a table (PostgreSQL documentation, 5.8).
const ALL: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];

/// The database as one role sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// The role.
    pub role: String,
    /// The role may do anything in the whole database server.
    pub superuser: bool,
    /// The role owns the tables, and may do anything with them.
    pub owner: bool,
    /// The role passes by row-level security, or acts as the functions of the store do: it may do what it must not.
    pub unbound: bool,
    /// Servers of the version before, which read tokens past the audit log, may still do so: `db init --finish` ends it.
    pub former_servers: bool,
    /// The rights that a server needs and the role lacks, as `EXECUTE on set_token`.
    pub missing: Vec<String>,
    /// The rights that the role has and a server does not need.
    pub excess: Vec<String>,
    /// The version of the schema; `None` where the role may not read it, as one that an older version has set up.
    pub schema: Option<i64>,
    /// The version that this program knows.
    pub newest_schema: i64,
    /// The keys that can open something here; the first one seals.
    pub keys_here: Vec<KeyId>,
    /// The tokens of the service; `None` where the role may not read the table.
    pub tokens: Option<StoredTokens>,
}

/// The tokens that are stored for a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredTokens {
    /// The names of the tokens, in the order of their bytes.
    pub names: Vec<String>,
    /// How many tokens were sealed with each key.
    pub keys: BTreeMap<KeyId, u64>,
    /// The tokens that no version of this program that is known here has written.
    pub unknown: Vec<String>,
}

impl PostgresTokenStore {
    /// Returns what the role of this connection may do, the version of the schema, and which keys the tokens of this
    /// service need.
    ///
    /// # Errors
    /// [`StoreError::NotSetUp`] where the tables are missing; see the type for others.
    pub async fn inspect(&self, service: &str) -> Result<Inspection, StoreError> {
        self.bounded(async {
            let mut session = self.begin_as("READ ONLY").await?;
            let role = session
                .query(
                    "SELECT r.rolname::text AS role, r.rolsuper AS superuser, pg_has_role(c.relowner, 'USAGE') AS owner,
                            r.rolbypassrls OR r.rolreplication OR pg_has_role('mcp_auth_keeper', 'MEMBER') AS unbound
                     FROM pg_roles r, pg_class c
                     WHERE r.rolname = current_user AND c.oid = 'mcp_auth_store.tokens'::regclass",
                )
                .fetch_one(session.connection())
                .await?;
            let held = rights(&mut session).await?;
            let needed: Vec<String> = RIGHTS
                .iter()
                .flat_map(|(table, rights)| rights.split(", ").map(move |right| format!("{right} on {table}")))
                .chain(ROUTINES.iter().map(|routine| execute(routine)))
                .collect();
            let lacks = |right: &str| !held.iter().any(|held| held == right);
            let may_read = !lacks("EXECUTE on survey");
            let may_know = !lacks("SELECT on former_place");
            let former = "SELECT EXISTS (SELECT FROM former_place)";
            let former_servers =
                may_know && session.query(former).fetch_one(session.connection()).await?.try_get::<bool, _>(0)?;
            let tokens = if may_read { Some(tokens(&mut session, service).await?) } else { None };
            let inspection = Inspection {
                role: role.try_get("role")?,
                superuser: role.try_get("superuser")?,
                owner: role.try_get("owner")?,
                unbound: role.try_get("unbound")?,
                former_servers,
                // To know the version is not what a server needs, but what this function does.
                missing: needed.iter().filter(|right| lacks(right) && !right.ends_with(MIGRATIONS)).cloned().collect(),
                excess: held.iter().filter(|right| !needed.contains(right)).cloned().collect(),
                schema: schema(&mut session).await?,
                newest_schema: newest_schema(),
                keys_here: self.keyring.ids(),
                tokens,
            };
            session.commit().await?;
            Ok(inspection)
        })
        .await
    }
}

/// The rights of the role on our tables.
async fn rights(session: &mut Session) -> Result<Vec<String>, Failure> {
    let tables: Vec<&str> = RIGHTS.iter().map(|(table, _)| *table).chain(CLOSED).collect();
    let rows = session
        .query(
            "SELECT format('%s on %s', r, t) FROM unnest($1::text[]) WITH ORDINALITY AS tables (t, n),
                    unnest($2::text[]) WITH ORDINALITY AS rights (r, m)
             WHERE has_table_privilege(to_regclass(t)::oid, r) ORDER BY n, m",
        )
        .bind(tables)
        .bind(ALL.as_slice())
        .fetch_all(session.connection())
        .await?;
    let mut held = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<String>, Failure>>()?;
    for routine in ROUTINES {
        let may = session.query("SELECT COALESCE(has_function_privilege(to_regprocedure($1)::oid, 'EXECUTE'), false)");
        if may.bind(routine).fetch_one(session.connection()).await?.try_get(0)? {
            held.push(execute(routine));
        }
    }
    Ok(held)
}

/// The right to call one, by its name alone.
fn execute(routine: &str) -> String {
    format!("EXECUTE on {}", routine.split('(').next().unwrap_or(routine))
}

/// The version of the schema, where the role may read it.
async fn schema(session: &mut Session) -> Result<Option<i64>, Failure> {
    // The table is looked up by its name only where it is there, and may be read.
    let readable = "SELECT COALESCE(has_table_privilege(to_regclass('mcp_auth_migrations')::oid, 'SELECT'), false)";
    let readable: bool = session.query(readable).fetch_one(session.connection()).await?.try_get(0)?;
    if !readable {
        return Ok(None);
    }
    let version = session.query("SELECT max(version) FROM mcp_auth_migrations WHERE success");
    Ok(version.fetch_one(session.connection()).await?.try_get(0)?)
}

/// The names of a service's tokens, and the heads of what is stored: version and key, never the rest.
async fn tokens(session: &mut Session, service: &str) -> Result<StoredTokens, Failure> {
    let rows = session
        .query("SELECT token_key, head FROM mcp_auth_store.survey($1)")
        .bind(service)
        .fetch_all(session.connection())
        .await?;
    let mut tokens = StoredTokens::default();
    for row in rows {
        let (name, head): (String, Vec<u8>) = (row.try_get("token_key")?, row.try_get("head")?);
        match sealed_with(&head) {
            Some(key) => *tokens.keys.entry(key).or_default() += 1,
            None => tokens.unknown.push(name.clone()),
        }
        tokens.names.push(name);
    }
    Ok(tokens)
}
