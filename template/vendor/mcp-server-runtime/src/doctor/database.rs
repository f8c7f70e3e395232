//! The token store: reachable, what the role may do, the schema, which keys the rows need, and the tokens.

use mcp_auth_middleware::encryption::KeyId;
use mcp_auth_middleware::{Inspection, StoreError, StoredTokens, TokenStore, VaultInspection};

use super::report::Report;
use super::runbook::{CODES, KEY, NETWORK, TOKENS};
use crate::config::Config;

const CHECK: &str = "token store";

pub(super) async fn check(report: &mut Report, store: &TokenStore, config: &Config) {
    let service = config.service.name;
    let stored = match store {
        TokenStore::Env(_) => {
            report.ok(CHECK, "the tokens are in the environment");
            return;
        }
        TokenStore::Postgres(postgres) => match postgres.inspect(service).await {
            Ok(inspection) => {
                report.ok("database", format!("reachable as {}", inspection.role));
                role(report, &inspection);
                if inspection.former_servers {
                    let text = "servers of the version before may still read tokens past the audit log";
                    report.warn("role", text, "Once none of them runs: `db init --finish`.", TOKENS);
                }
                schema(report, &inspection);
                let tokens = inspection.tokens.unwrap_or_default();
                keys(report, &inspection.keys_here, &tokens);
                Some(tokens.names)
            }
            Err(error) => return unusable(report, "database", store.as_str(), &error),
        },
        TokenStore::Infisical(infisical) => match infisical.list(service, service).await {
            Ok(tokens) => {
                report.ok(CHECK, "Infisical answers, and lets the server in");
                Some(tokens.into_iter().map(|token| token.key).collect())
            }
            Err(error) => return unusable(report, CHECK, store.as_str(), &error),
        },
        TokenStore::Vault(vault) => match vault.inspect(service).await {
            Ok(found) => {
                report.ok(CHECK, "Vault answers, and lets the server in");
                let secret = vault.secret_of(service);
                match found {
                    VaultInspection::Fields(names) => Some(names),
                    VaultInspection::Deleted => {
                        let text = format!("the newest version of {secret} in Vault was deleted");
                        report.fail(CHECK, text, format!("Undelete it, or store it again: {}", put(&secret)), TOKENS);
                        return;
                    }
                    _ => Some(Vec::new()),
                }
            }
            Err(error) => return unusable(report, CHECK, store.as_str(), &error),
        },
        _ => return,
    };
    let Some(stored) = stored else { return };
    for token in config.tokens() {
        if stored.iter().any(|key| key == token) {
            report.ok("token", format!("{token} is stored for {service}"));
        } else {
            let advice = match store {
                TokenStore::Vault(vault) => format!("Store it as a field: {}", put(&vault.secret_of(service))),
                TokenStore::Infisical(_) => "Store it in Infisical, in the folder of this server.".to_owned(),
                _ => format!("Store it: `{service} tokens set {token}`, with the token on standard input."),
            };
            report.fail("token", format!("{token} is not stored for {service}"), advice, CODES);
        }
    }
}

/// How a field is stored, with Vault's own tool, which takes the value from standard input.
fn put(secret: &str) -> String {
    format!("`bao kv patch {secret} NAME=-`, or `kv put` for the first one.")
}

fn unusable(report: &mut Report, check: &'static str, kind: &str, error: &StoreError) {
    let (advice, runbook) = match (kind, error) {
        ("postgres", StoreError::Denied(_)) => {
            ("Check the user, its password and its rights: `db init --role ROLE` grants them.", TOKENS)
        }
        ("postgres", StoreError::NotSetUp(_)) => {
            ("Set it up as the owner of the tables: `db init --role ROLE`.", TOKENS)
        }
        ("vault", StoreError::Denied(_)) => (
            "Check VAULT_AUTH and what belongs to it, and that a policy of the login has `read` on the secret.",
            TOKENS,
        ),
        ("vault", StoreError::NotSetUp(_)) => {
            ("Check VAULT_MOUNT, VAULT_AUTH_MOUNT and VAULT_NAMESPACE; the engine has to be KV version 2.", TOKENS)
        }
        (_, StoreError::Denied(_)) => {
            ("Check INFISICAL_AUTH and what belongs to it, and the role in the project.", TOKENS)
        }
        (_, StoreError::NotSetUp(_)) => ("Check INFISICAL_URL.", TOKENS),
        ("vault", StoreError::Unavailable(text)) if text.contains("certificate") => {
            ("VAULT_CACERT names the file with the certificate of its authority.", NETWORK)
        }
        (_, StoreError::Unavailable(text)) if text.contains("certificate") => {
            ("Behind a proxy that opens TLS, SSL_CERT_FILE names the file of its authority.", NETWORK)
        }
        _ => ("Start it, or let this machine or container reach it.", NETWORK),
    };
    report.fail(check, error.to_string(), advice, runbook);
}

fn role(report: &mut Report, inspection: &Inspection) {
    let Inspection { role, superuser, owner, unbound, missing, excess, .. } = inspection;
    if *superuser || *owner || *unbound {
        let who = match (superuser, owner) {
            (true, _) => "a superuser",
            (_, true) => "the owner of the tables",
            _ => "a role with BYPASSRLS, REPLICATION or mcp_auth_keeper",
        };
        let text = format!("{role} is {who}, who may do anything, to the audit log too");
        report.warn("role", text, "Make one for the server: `db init --role ROLE --role-password`.", TOKENS);
    } else if !missing.is_empty() {
        let text = format!("{role} may not do what the server needs: {}", missing.join(", "));
        report.fail("role", text, "Grant it as the owner of the tables: `db init --role ROLE`.", TOKENS);
    } else if !excess.is_empty() {
        let text = format!("{role} may do more than the server needs: {}", excess.join(", "));
        report.warn("role", text, "Set its rights as the owner of the tables: `db init --role ROLE`.", TOKENS);
    } else {
        report.ok("role", format!("{role} may do what the server needs, and no more"));
    }
}

fn schema(report: &mut Report, inspection: &Inspection) {
    let newest = inspection.newest_schema;
    match inspection.schema {
        Some(version) if version == newest => report.ok("schema", format!("version {version}")),
        Some(version) if version < newest => {
            let text = format!("version {version}, and this program knows {newest}");
            report.fail("schema", text, "Run `db init` of this version as the owner of the tables.", TOKENS);
        }
        Some(version) => {
            let text = format!("version {version}, which this program is too old for: it knows {newest}");
            report.fail("schema", text, "Run a newer version of the server.", TOKENS);
        }
        None => {
            let advice = "Run `db init --role ROLE` of this version as the owner of the tables.";
            report.warn("schema", "the role may not read its version", advice, TOKENS);
        }
    }
}

fn keys(report: &mut Report, here: &[KeyId], tokens: &StoredTokens) {
    const CHECK: &str = "encryption key";
    let ids = here.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    for name in &tokens.unknown {
        let text = format!("{name} is stored in a form that this program does not know");
        report.fail(CHECK, text, "A newer version wrote it: run that one, or store the token again.", KEY);
    }
    let missing: Vec<_> = tokens.keys.iter().filter(|(id, _)| !here.contains(id)).collect();
    for (id, count) in &missing {
        let text = format!("{count} stored tokens need the key {id}; here are {ids}");
        let advice =
            "Put that key back: MCP_AUTH_ENCRYPTION_KEY, or MCP_AUTH_PREVIOUS_KEYS while a rotation is under way.";
        report.fail(CHECK, text, advice, KEY);
    }
    if missing.is_empty() {
        let count: u64 = tokens.keys.values().sum();
        report.ok(CHECK, format!("{count} stored tokens need keys that are here: {ids}"));
    }
}
