//! `tokens audit` and `tokens audit verify`.

use serde_json::json;

use super::command::{Audit, Expire, Format, Verify};
use super::console::Console;
use super::failure::{FOUND, Failure};
use super::store::TokenAdmin;
use crate::printable::printable;
use crate::{AuditFault, AuditRow};

/// Prints the rows, oldest first, a page at a time.
pub(super) async fn export(args: &Audit, store: &impl TokenAdmin, console: &mut Console<'_>) -> Result<u8, Failure> {
    let mut after = 0;
    let mut header = args.format == Format::Text;
    loop {
        let rows = store.audit_rows(after).await?;
        let Some(last) = rows.last() else { return Ok(0) };
        after = last.id;
        for row in rows.iter().filter(|row| args.service.is_none() || args.service == row.service) {
            if header {
                console.print(HEADER)?;
                header = false;
            }
            console.print(if args.format == Format::Json { json!(row).to_string() } else { line(row) })?;
        }
    }
}

const HEADER: &str =
    "    ID  TIME                         ACTION  OUTCOME         SERVICE           TOKEN                     USER";

/// Returns a row of the table. Each field is made printable: the log's texts came from people and requests.
fn line(row: &AuditRow) -> String {
    let field = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |text| printable(text).into_owned());
    let (service, token) = (field(row.service.as_deref()), field(row.token_key.as_deref()));
    let detail = row.detail.as_deref().map(|detail| format!("  ({})", printable(detail))).unwrap_or_default();
    let role = row.database_user.as_deref().map(|role| format!(" as {}", printable(role))).unwrap_or_default();
    format!(
        "{:>6}  {:27}  {:6}  {:14}  {service:16}  {token:24}  {}{role}{detail}",
        row.id,
        row.timestamp,
        row.action,
        row.outcome,
        printable(&row.user_email)
    )
}

/// Removes what is older than it has to be.
pub(super) async fn expire(
    args: &Expire,
    store: &impl TokenAdmin,
    actor: &str,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let gone = store.expire(args.older_than, actor).await?;
    console.print(format_args!("{gone} rows older than {} days were removed", args.older_than))?;
    Ok(0)
}

/// Says whether the log is as it was written; what is wrong is the answer and stands on standard output.
pub(super) async fn verify(args: &Verify, store: &impl TokenAdmin, console: &mut Console<'_>) -> Result<u8, Failure> {
    let report = store.audit_verify(args.expect.as_ref()).await?;
    let (intact, last_hash) = (report.intact, &report.last_hash);
    if args.format == Format::Json {
        let fault = report.fault.as_ref().map(|fault| json!({ "row": row_of(fault), "message": fault.to_string() }));
        let ok = report.fault.is_none();
        console.print(json!({ "ok": ok, "intact": intact, "last_hash": last_hash, "fault": fault }))?;
    } else {
        match &report.fault {
            None => {
                let kept = args.expect.map(|_| "; the expected hash is among them").unwrap_or_default();
                console.print(format_args!("{intact} audit rows are intact; last hash {last_hash}{kept}"))?;
            }
            Some(fault @ AuditFault::Rewritten) => {
                console.print(format_args!("{fault}"))?;
                console.print(format_args!("{intact} rows are in order among themselves; last hash {last_hash}"))?;
            }
            Some(fault) => {
                console.print(format_args!("{fault}"))?;
                console.print(format_args!("{intact} rows before it are intact; last hash {last_hash}"))?;
            }
        }
    }
    Ok(if report.fault.is_none() { 0 } else { FOUND })
}

/// The first row that is wrong, where it is one.
fn row_of(fault: &AuditFault) -> Option<i64> {
    match fault {
        AuditFault::Removed { id }
        | AuditFault::Changed { id }
        | AuditFault::OutOfOrder { id }
        | AuditFault::TailRemoved { id, .. }
        | AuditFault::Foreign { id }
        | AuditFault::TimeGoesBack { id }
        | AuditFault::Forged { id }
        | AuditFault::Beheaded { id } => Some(*id),
        AuditFault::Head | AuditFault::Rewritten => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_line_whatever_it_holds() {
        let row = AuditRow {
            id: 12,
            timestamp: "2025-11-25T04:34:56.000001Z".to_owned(),
            service: Some("my-server".to_owned()),
            action: "get".to_owned(),
            outcome: "decrypt_failed".to_owned(),
            token_key: Some("API\n13".to_owned()),
            user_email: "a@b.c\u{1b}[2J".to_owned(),
            detail: Some("no such key\u{202e}".to_owned()),
            database_user: Some("server\n".to_owned()),
            hash: "ab".repeat(32),
        };
        let fields = "get     decrypt_failed  my-server         API\\u{a}13";
        let end = "                a@b.c\\u{1b}[2J as server\\u{a}  (no such key\\u{202e})";
        assert_eq!(line(&row), format!("    12  2025-11-25T04:34:56.000001Z  {fields}{end}"));
        let row = AuditRow {
            service: None,
            token_key: None,
            detail: None,
            database_user: None,
            user_email: "bob".to_owned(),
            ..row
        };
        assert_eq!(line(&row).split_whitespace().skip(4).collect::<Vec<_>>(), ["-", "-", "bob"]);
        assert_eq!(HEADER.find("USER"), line(&row).find("bob"), "the columns stand below their names");
    }
}
