//! The driver's errors → the errors of a token store.
//!
//! The text of a database error may quote values from a statement, so none passes through from here: an error is reported
//! by its class (SQLSTATE, PostgreSQL documentation, appendix A), and by the place of the database.

use super::guard;
use crate::StoreError;

/// Why an operation stopped, before it is put into words.
#[derive(Debug)]
pub(super) enum Failure {
    Database(sqlx::Error),
    Store(StoreError),
}

impl Failure {
    /// SQLSTATE `read_only_sql_transaction`.
    pub(super) fn is_read_only(&self) -> bool {
        let Self::Database(error) = self else { return false };
        error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("25006"))
    }
}

impl Failure {
    /// Somebody else holds what is needed: `lock_not_available`, `deadlock_detected`.
    pub(super) fn is_in_the_way(&self) -> bool {
        let Self::Database(error) = self else { return false };
        error.as_database_error().is_some_and(|error| matches!(error.code().as_deref(), Some("55P03" | "40P01")))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Puts a failure into words; `place` is host and port.
pub(super) fn explain(failure: Failure, place: &str) -> StoreError {
    match failure {
        Failure::Store(error) => error,
        // The operation itself went well, but there would have been no trace of it.
        Failure::Database(error) if in_the_audit(&error) => prefixed(describe(&error, place)),
        Failure::Database(error) => describe(&error, place),
    }
}

/// Returns whether it happened in the function that appends to the audit log. The text is read, and goes no further.
fn in_the_audit(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>());
    error.and_then(sqlx::postgres::PgDatabaseError::r#where).is_some_and(|place| place.contains("append_audit("))
}

fn prefixed(error: StoreError) -> StoreError {
    let with_context = |reason: String| format!("the audit log cannot be written, so nothing was done: {reason}");
    match error {
        StoreError::Unavailable(reason) => StoreError::Unavailable(with_context(reason)),
        StoreError::Denied(reason) => StoreError::Denied(with_context(reason)),
        other => other,
    }
}

const NO_TLS: &str = "no encrypted connection to the database: check its certificate and the TLS mode";

fn describe(error: &sqlx::Error, place: &str) -> StoreError {
    use sqlx::Error as E;
    let unavailable = |what: &str| StoreError::Unavailable(format!("{what} ({place})"));
    match error {
        E::Database(error) => classify(error.as_ref(), place),
        E::PoolTimedOut => unavailable("no connection in time: the database is down, or all connections are in use"),
        E::PoolClosed => unavailable("the token store is shutting down"),
        // What the TLS library does not accept comes as invalid data: certificates, mostly.
        E::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => unavailable(NO_TLS),
        // What getaddrinfo says has no kind of its own, and its text differs from system to system after these words.
        E::Io(error) if error.to_string().starts_with("failed to lookup address information") => {
            unavailable("the database cannot be reached: its host name is not known here")
        }
        E::Io(error) => unavailable(&format!("the database cannot be reached: {}", error.kind())),
        E::Tls(_) => unavailable(NO_TLS),
        E::Configuration(_) => unavailable("the configuration of the database connection does not fit"),
        E::BeginFailed => unavailable("no transaction could be begun"),
        _ => unavailable("the database answers in an unexpected way"),
    }
}

fn classify(error: &dyn sqlx::error::DatabaseError, place: &str) -> StoreError {
    let code = error.code().unwrap_or_default();
    let unavailable = |what: &str| StoreError::Unavailable(format!("{what} ({place})"));
    match &*code {
        "28000" | "28P01" => StoreError::Denied(format!("the database refuses user or password ({place})")),
        // The text names a table or schema, or comes from a trigger of ours; never a value.
        "42501" => StoreError::Denied(format!("{} ({place})", error.message())),
        "3D000" => StoreError::NotSetUp(format!("the database does not exist ({place})")),
        "42P01" | "42703" | "42883" | "3F000" | "42809" => {
            StoreError::NotSetUp(format!("its tables are missing or older; run `db init` ({place})"))
        }
        guard::ASKED_FOR_THE_PASSWORD => StoreError::Denied(format!(
            "the database, or who answers for it, asks for the password in clear text or as MD5, and nobody checks who that \
             is: use the TLS mode verify-full, or scram-sha-256 ({place})"
        )),
        guard::TOO_MUCH_WORK => StoreError::Denied(format!(
            "the database, or who answers for it, wants the password to be hashed more than a million times: set \
             scram_iterations to less, and the role's password again ({place})"
        )),
        guard::NO_TLS => unavailable(NO_TLS),
        guard::NOBODY_THERE => unavailable("the database cannot be reached"),
        "MA001" => StoreError::Unavailable(
            "the head of the audit log is missing or was moved; see `tokens audit verify`".to_owned(),
        ),
        "25006" => unavailable("the database is read-only"),
        "57014" | "55P03" | "25P03" => unavailable("the database did not answer in time"),
        "40001" | "40P01" => unavailable("another operation was in the way; try again"),
        "53300" => unavailable("the database has no connection to spare"),
        "57P01" | "57P02" | "57P03" => unavailable("the database is starting or shutting down"),
        code => unavailable(&format!("the database reports error {code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_database_is_told_by_kind_and_place() {
        let refused = || sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "at secret"));
        let error = explain(refused().into(), "db:5432");
        assert_eq!(
            error.to_string(),
            "token store unavailable: the database cannot be reached: connection refused (db:5432)"
        );
    }

    /// The system itself is asked: no name ends in `.invalid` (RFC 6761, section 6.4).
    #[test]
    fn an_unknown_host_name_is_told_as_such() {
        let error = std::net::ToSocketAddrs::to_socket_addrs("db.invalid:5432").map(|_| ()).unwrap_err();
        assert_eq!(
            explain(sqlx::Error::Io(error).into(), "db.invalid:5432").to_string(),
            "token store unavailable: the database cannot be reached: its host name is not known here (db.invalid:5432)"
        );
    }

    #[test]
    fn texts_of_the_driver_do_not_pass() {
        use sqlx::Error as E;
        let all = [
            E::PoolTimedOut,
            E::PoolClosed,
            E::BeginFailed,
            E::Tls("secret".into()),
            E::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, "secret")),
            E::Configuration("secret".into()),
            E::Protocol("secret".to_owned()),
            E::Decode("secret".into()),
        ];
        for error in all {
            let text = explain(error.into(), "db:5432").to_string();
            assert!(text.contains("(db:5432)") && !text.contains("secret"), "{text}");
        }
        let kept = StoreError::NotSetUp("x".to_owned());
        assert_eq!(prefixed(kept.clone()), kept);
        assert!(prefixed(StoreError::Denied("x".to_owned())).to_string().contains("audit log"));
    }
}
