//! `tokens set|get|list|delete|rotate-key` and `db init`.

use std::borrow::Cow;

use serde_json::json;

use super::command::{Format, Init, List, RotateKey};
use super::console::Console;
use super::failure::Failure;
use super::rfc3339::rfc3339;
use super::store::TokenAdmin;
use crate::ServerRole;
use crate::printable::printable;

/// On whose behalf a command acts, and for which service.
pub(super) struct Acting<'a> {
    pub(super) service: &'a str,
    pub(super) actor: Cow<'a, str>,
}

pub(super) async fn set(
    name: &str,
    store: &impl TokenAdmin,
    acting: &Acting<'_>,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let value = console.secret(&format!("Value of {}", printable(name)))?;
    store.set_token(acting.service, name, &value, &acting.actor).await?;
    console.print(format_args!("{} stored for {}", printable(name), printable(acting.service)))?;
    Ok(0)
}

pub(super) async fn get(
    name: &str,
    store: &impl TokenAdmin,
    acting: &Acting<'_>,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let token = store.get_token(acting.service, name, &acting.actor).await?;
    let token = token.ok_or_else(|| not_stored(name, acting))?;
    console.reveal(token.expose())?;
    Ok(0)
}

pub(super) async fn delete(
    name: &str,
    store: &impl TokenAdmin,
    acting: &Acting<'_>,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    if !store.delete_token(acting.service, name, &acting.actor).await? {
        return Err(not_stored(name, acting));
    }
    console.print(format_args!("{} deleted from {}", printable(name), printable(acting.service)))?;
    Ok(0)
}

fn not_stored(name: &str, acting: &Acting<'_>) -> Failure {
    Failure::found(format!("no token {} is stored for {}", printable(name), printable(acting.service)))
        .hint("`tokens list` shows the names; `--service` is for those of another service")
}

pub(super) async fn list(
    args: &List,
    store: &impl TokenAdmin,
    acting: &Acting<'_>,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let tokens = store.list(acting.service, &acting.actor).await?;
    if args.format == Format::Json {
        let tokens: Vec<_> = tokens
            .iter()
            .map(|token| {
                json!({
                    "key": token.key,
                    "created_at": rfc3339(token.created_at),
                    "updated_at": rfc3339(token.updated_at),
                })
            })
            .collect();
        console.print(json!({ "service": acting.service, "tokens": tokens }))?;
    } else if tokens.is_empty() {
        console.note(format_args!("no tokens are stored for {}", printable(acting.service)))?;
    } else {
        let names: Vec<_> = tokens.iter().map(|token| printable(&token.key)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
        console.print(format_args!("{:width$}  {:20}  UPDATED", "NAME", "CREATED"))?;
        for (name, token) in names.iter().zip(&tokens) {
            let (created, updated) = (rfc3339(token.created_at), rfc3339(token.updated_at));
            console.print(format_args!("{name:width$}  {created}  {updated}"))?;
        }
    }
    Ok(0)
}

pub(super) async fn rotate_key(
    args: &RotateKey,
    store: &impl TokenAdmin,
    actor: &str,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let rotation = store.rotate(actor).await?;
    if args.format == Format::Json {
        let unreadable: Vec<_> = rotation
            .unreadable
            .iter()
            .map(|token| json!({ "service": token.service, "key": token.key, "error": token.error.to_string() }))
            .collect();
        console.print(json!({
            "rotated": rotation.rotated,
            "unreadable": unreadable,
            "remaining": rotation.remaining,
        }))?;
    } else {
        console.print(format_args!("{} tokens rotated", rotation.rotated))?;
    }
    for token in &rotation.unreadable {
        let (service, key) = (printable(&token.service), printable(&token.key));
        console.note(format_args!("error: token {key} of {service} was left as it is: {}", token.error))?;
    }
    if rotation.remaining > 0 {
        let count = rotation.remaining;
        console.note(format_args!("error: {count} tokens were stored with another key meanwhile"))?;
        console.note("  hint: rotate again once every server has the new key")?;
    }
    Ok(u8::from(!rotation.unreadable.is_empty() || rotation.remaining > 0))
}

pub(super) async fn init(args: &Init, store: &impl TokenAdmin, console: &mut Console<'_>) -> Result<u8, Failure> {
    let role = match &args.role {
        Some(name) if args.role_password => {
            let password = console.secret(&format!("Password of the role {}", printable(name)))?;
            Some(ServerRole::new(name).with_password(password))
        }
        Some(name) => {
            let file = args.role_password_file.as_deref();
            let password = file.map(|path| console.secret_file(path)).transpose()?;
            let role = ServerRole::new(name);
            Some(match password {
                Some(password) => role.with_password(password),
                None => role,
            })
        }
        None => None,
    };
    if args.finish {
        let ended = store.finish_upgrade().await?;
        if args.format == Format::Json {
            console.print(json!({ "former_access_ended": ended }))?;
        } else if ended {
            console.print("servers of the version before have no access to the tables any more")?;
        } else {
            console.print("servers of the version before had no access to the tables")?;
        }
        return Ok(0);
    }
    let report = store.init(role.as_ref()).await?;
    if args.format == Format::Json {
        let created = report.role_created;
        console.print(json!({ "version": report.version, "applied": report.applied, "role_created": created,
                            "former_servers": report.former_servers,
                            "keeper_remains": report.keeper_remains }))?;
    } else {
        let applied = match report.applied {
            0 => "nothing had to be done".to_owned(),
            count => format!("{count} migrations applied"),
        };
        console.print(format_args!("the database has version {} of the tables; {applied}", report.version))?;
        if let Some(name) = &args.role {
            let done = if report.role_created { "was created" } else { "was there already" };
            console.print(format_args!("the role {} {done} and has its rights", printable(name)))?;
        }
        if report.former_servers {
            console.note("warning: servers of the version before may still read tokens past the audit log")?;
            console.note("  hint: once none of them runs, `db init --finish` ends that")?;
        }
        if report.keeper_remains {
            console.note(
                "warning: this user is still a member of mcp_auth_keeper, also in other databases of the server",
            )?;
            console.note("  hint: the role that granted it revokes it: REVOKE mcp_auth_keeper FROM this user")?;
        }
    }
    Ok(0)
}
