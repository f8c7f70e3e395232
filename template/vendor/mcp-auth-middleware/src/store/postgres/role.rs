//! The role that a server acts as, which may do no more than it needs to.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hmac, pbkdf2, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::failure::Failure;
use super::limits;
use crate::StoreError;
use crate::printable::printable;

/// PostgreSQL's own count (`scram_iterations`).
const ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);

/// The rights on tables that a server needs, and all that its role gets: to read the audit log, and which version the schema has.
pub(super) const RIGHTS: [(&str, &str); 5] = [
    ("services", "SELECT"),
    ("audit_log", "SELECT"),
    ("audit_chain", "SELECT"),
    ("former_place", "SELECT"),
    ("mcp_auth_migrations", "SELECT"),
];

/// Tables that it gets nothing on.
pub(super) const CLOSED: [&str; 3] = ["tokens", "token_changes", "tool_calls"];

/// The functions that it may call. Each writes its row of the audit log, or returns nothing that belongs into one.
pub(super) const ROUTINES: [&str; 14] = [
    "begin_read(text, text, text)",
    "finish_read(bigint)",
    "read_token(text, text, text, bytea)",
    "report_unreadable(text, text, text, text, text)",
    "set_token(text, text, bytea, text)",
    "delete_token(text, text, text)",
    "list_tokens(text, text)",
    "survey(text)",
    "changes_so_far()",
    "note_rotation(text, text)",
    "rotation_batch(bigint, bytea, bigint, boolean, bigint[], bigint)",
    "finish_batch(bigint[], bytea[], text, text)",
    "rotation_remaining(bytea, bigint[])",
    "record_calls(text, jsonb)",
];

/// A database role for servers: it may use tokens by functions that write the audit log, and read that log, and no more.
#[derive(Clone)]
pub struct ServerRole {
    name: String,
    password: Option<SecretString>,
}

impl ServerRole {
    /// A role by its name. It is created if there is none.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), password: None }
    }

    /// Gives the role a password, also in place of an earlier one. Printable ASCII only: what other characters become
    /// depends on a normalization (RFC 4013) that is not done here.
    #[must_use]
    pub fn with_password(mut self, password: SecretString) -> Self {
        self.password = Some(password);
        self
    }

    /// Creates the role and grants what it needs, as part of a transaction; says whether it is new.
    pub(super) async fn set_up(&self, connection: &mut PgConnection) -> Result<bool, Failure> {
        limits::check_name("role", &self.name)?;
        let owner: String = sqlx::query_scalar("SELECT current_user").fetch_one(&mut *connection).await?;
        if owner == self.name {
            let reason = "the server's role must be another one than the owner of the tables, who may do anything";
            return Err(Failure::Store(StoreError::Invalid(reason.to_owned())));
        }
        let role = quoted(&self.name);
        check(connection, &self.name).await?;
        let created = create(connection, &self.name, &role).await?;
        if let Some(password) = &self.password {
            let verifier = scram_verifier(password.expose_secret())?;
            // What comes out of base64 needs no quoting. The database gets no plaintext, and neither does its log.
            run(connection, format!("ALTER ROLE {role} PASSWORD '{verifier}'")).await?;
        }
        let names = "SELECT current_database(), current_schema()";
        let (database, schema): (String, String) = sqlx::query_as(names).fetch_one(&mut *connection).await?;
        let (database, schema) = (quoted(&database), quoted(&schema));
        run(connection, format!("GRANT CONNECT ON DATABASE {database} TO {role}")).await?;
        run(connection, format!("GRANT USAGE ON SCHEMA {schema} TO {role}")).await?;
        for (table, rights) in RIGHTS {
            run(connection, format!("REVOKE ALL ON {table} FROM {role}")).await?;
            run(connection, format!("GRANT {rights} ON {table} TO {role}")).await?;
        }
        for routine in ROUTINES {
            run(connection, format!("GRANT EXECUTE ON ROUTINE {routine} TO {role}")).await?;
        }
        self.check_the_rest(connection).await?;
        Ok(created)
    }

    /// Refuses a role that has by other ways what it must not have: a right of PUBLIC, or membership in another role.
    async fn check_the_rest(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let sql = "SELECT format('%s on %s', r, t) FROM unnest($2::text[]) AS tables (t),
                          unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,TRIGGER}'::text[]) AS rights (r)
                   WHERE has_table_privilege($1, t, r) AND (t = ANY ($3) OR r <> 'SELECT')
                   UNION ALL SELECT 'CREATE on the schema' WHERE has_schema_privilege($1, current_schema(), 'CREATE')";
        let open = RIGHTS.map(|(table, _)| table);
        let all: Vec<&str> = open.iter().chain(&CLOSED).copied().collect();
        let rights: Vec<String> =
            sqlx::query_scalar(sql).bind(&self.name).bind(all).bind(CLOSED.as_slice()).fetch_all(connection).await?;
        if rights.is_empty() {
            return Ok(());
        }
        let reason = format!(
            "the role {} has rights that a server must not have, from PUBLIC or from a role that it is in: {}",
            printable(&self.name),
            rights.join(", ")
        );
        Err(Failure::Store(StoreError::Invalid(reason)))
    }
}

/// Refuses a role that nothing could hold to its rights.
async fn check(connection: &mut PgConnection, name: &str) -> Result<(), Failure> {
    let sql = "SELECT CASE WHEN rolsuper THEN 'is a superuser'
                           WHEN rolbypassrls THEN 'has BYPASSRLS'
                           WHEN rolreplication THEN 'has REPLICATION'
                           WHEN rolcreaterole THEN 'has CREATEROLE'
                           WHEN pg_has_role(oid, current_user, 'MEMBER') THEN 'is a member of the owner of the tables'
                           WHEN pg_has_role(oid, 'mcp_auth_keeper', 'MEMBER') THEN 'is a member of mcp_auth_keeper'
                      END FROM pg_roles WHERE rolname = $1";
    let wrong: Option<Option<String>> = sqlx::query_scalar(sql).bind(name).fetch_optional(connection).await?;
    let Some(wrong) = wrong.flatten() else { return Ok(()) };
    let reason =
        format!("the role {} {wrong}, and could do anything with the audit log: give servers another", printable(name));
    Err(Failure::Store(StoreError::Invalid(reason)))
}

impl fmt::Debug for ServerRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "[REDACTED]");
        f.debug_struct("ServerRole").field("name", &self.name).field("password", &password).finish()
    }
}

/// Roles belong to all databases of a server, so another one's set-up may be first.
async fn create(connection: &mut PgConnection, name: &str, role: &str) -> Result<bool, Failure> {
    let exists = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    if sqlx::query_scalar::<_, bool>(exists).bind(name).fetch_one(&mut *connection).await? {
        return Ok(false);
    }
    let mut savepoint = connection.begin().await?;
    match run(&mut savepoint, format!("CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")).await {
        Ok(()) => {
            savepoint.commit().await?;
            Ok(true)
        }
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42710" | "23505")) => {
            savepoint.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Statements about roles and rights take no parameters: identifiers in `sql` have been quoted.
async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

/// A quoted identifier (PostgreSQL documentation, 4.1.1): quotes doubled, nothing else is special in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns what PostgreSQL keeps of a password: RFC 5803, with keys as in RFC 5802 §3.
fn scram_verifier(password: &str) -> Result<String, StoreError> {
    if password.is_empty() || !password.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(StoreError::Invalid("the role's password must be printable ASCII, and not empty".to_owned()));
    }
    let mut salt = [0; 16];
    rand::fill(&mut salt)
        .map_err(|_| StoreError::Unavailable("no random numbers from the operating system".to_owned()))?;
    Ok(verifier(password, &salt))
}

fn verifier(password: &str, salt: &[u8]) -> String {
    let mut salted = zeroize::Zeroizing::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, salt, password.as_bytes(), salted.as_mut_slice());
    let key = hmac::Key::new(hmac::HMAC_SHA256, salted.as_slice());
    let stored = digest(&SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server = hmac::sign(&key, b"Server Key");
    let (salt, stored, server) = (STANDARD.encode(salt), STANDARD.encode(stored), STANDARD.encode(server));
    format!("SCRAM-SHA-256${ITERATIONS}:{salt}${stored}:{server}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677 §3; the server's signature there is made with this server key.
    #[test]
    fn the_verifier_is_that_of_the_rfc() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            verifier("pencil", &salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
             WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn odd_passwords_are_refused_without_being_quoted() {
        for password in ["", "pässword", "pass\nword"] {
            let error = scram_verifier(password).unwrap_err().to_string();
            assert_eq!(error, "the role's password must be printable ASCII, and not empty");
        }
        let role = ServerRole::new("server").with_password("hunter2".to_owned().into());
        assert_eq!(format!("{role:?}"), "ServerRole { name: \"server\", password: Some(\"[REDACTED]\") }");
    }

    #[test]
    fn identifiers_are_quoted() {
        assert_eq!(quoted("tokens\"; DROP TABLE tokens; --"), "\"tokens\"\"; DROP TABLE tokens; --\"");
    }
}
