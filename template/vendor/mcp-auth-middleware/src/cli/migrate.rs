//! `migrate-env`: from where tokens were into the token store.
//!
//! Names → values (all or none) → what is stored already → write, read back, compare. A value is never printed; what is
//! printed of all of them together is a keyed hash.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::command::{Format, MigrateEnv};
use super::console::{Console, boxed};
use super::environment::Environment;
use super::failure::Failure;
use super::name::TokenName;
use super::source::Source;
use super::store::TokenAdmin;
use super::tokens::Acting;
use super::verification::verification_hash;
use crate::printable::printable;

/// Values that were found, by name, and the place where.
pub(super) struct Found<'a> {
    place: String,
    tokens: BTreeMap<&'a str, SecretString>,
}

/// The step that a token needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Store,
    Replace,
    Keep,
}

impl Step {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Replace => "replace",
            Self::Keep => "keep",
        }
    }
}

/// Finds all values, before any store is opened.
pub(super) fn find<'a>(args: &'a MigrateEnv, environment: &Environment) -> Result<Found<'a>, Failure> {
    let names = args.names.iter().map(TokenName::get).collect::<Result<Vec<_>, _>>()?;
    let source = Source::open(args.from.as_deref(), environment)?;
    let mut tokens = BTreeMap::new();
    for name in names {
        tokens.insert(name, source.token(name)?);
    }
    Ok(Found { place: source.place(), tokens })
}

pub(super) async fn migrate(
    args: &MigrateEnv,
    found: Found<'_>,
    store: &impl TokenAdmin,
    acting: &Acting<'_>,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    let steps = plan(&found, store, acting).await?;
    let differing: Vec<_> =
        steps.iter().filter(|(_, step)| *step == Step::Replace).map(|(name, _)| printable(name)).collect();
    if !args.replace && !differing.is_empty() {
        let (names, service, place) = (differing.join(", "), printable(acting.service), &found.place);
        return Err(Failure::found(format!(
            "stored for {service} with another value than in {place}: {names}; nothing was written"
        ))
        .hint("the stored one may be newer; `--replace` overwrites it"));
    }
    let changed = steps.iter().filter(|(_, step)| *step != Step::Keep).count();
    let mut verified = BTreeMap::new();
    for ((name, value), (_, step)) in found.tokens.into_iter().zip(&steps) {
        // What was kept has been compared when the plan was made.
        let value = if args.dry_run || *step == Step::Keep { value } else { write(name, value, store, acting).await? };
        verified.insert(name, value);
    }
    let hash = verification_hash(store.keyring(), &verified)?;
    report(args, &found.place, &steps, changed, &hash, acting, console)
}

/// Plans the steps. Stored values are compared in constant time.
async fn plan<'a>(
    found: &Found<'a>,
    store: &impl TokenAdmin,
    acting: &Acting<'_>,
) -> Result<Vec<(&'a str, Step)>, Failure> {
    let mut steps = Vec::with_capacity(found.tokens.len());
    for (name, value) in &found.tokens {
        let step = match store.get_token(acting.service, name, &acting.actor).await? {
            None => Step::Store,
            Some(stored) if same(stored.expose(), value) => Step::Keep,
            Some(_) => Step::Replace,
        };
        steps.push((*name, step));
    }
    Ok(steps)
}

/// Writes a token and gives what the store has now, which is the same.
async fn write(
    name: &str,
    value: SecretString,
    store: &impl TokenAdmin,
    acting: &Acting<'_>,
) -> Result<SecretString, Failure> {
    store.set_token(acting.service, name, &value, &acting.actor).await?;
    match store.get_token(acting.service, name, &acting.actor).await? {
        Some(stored) if same(stored.expose(), &value) => Ok(boxed(stored.expose())),
        _ => {
            let name = printable(name);
            let failure = Failure::unfinished(format!("{name} was written, and something else was read back"));
            Err(failure.hint("somebody else may have changed it at the same time; run it again"))
        }
    }
}

fn same(stored: &str, value: &SecretString) -> bool {
    verify_slices_are_equal(stored.as_bytes(), value.expose_secret().as_bytes()).is_ok()
}

fn report(
    args: &MigrateEnv,
    place: &str,
    steps: &[(&str, Step)],
    changed: usize,
    hash: &str,
    acting: &Acting<'_>,
    console: &mut Console<'_>,
) -> Result<u8, Failure> {
    if args.format == Format::Json {
        let tokens: Vec<_> = steps.iter().map(|(name, step)| json!({ "key": name, "step": step.as_str() })).collect();
        console.print(json!({
            "service": acting.service,
            "source": place,
            "dry_run": args.dry_run,
            "migrated": if args.dry_run { 0 } else { changed },
            "tokens": tokens,
            "verification_hash": hash,
        }))?;
        return Ok(0);
    }
    for (name, step) in steps {
        let done = match (step, args.dry_run) {
            (Step::Store, false) => "stored",
            (Step::Store, true) => "would be stored",
            (Step::Replace, false) => "replaced",
            (Step::Replace, true) => "would be replaced",
            (Step::Keep, _) => "stored already",
        };
        console.print(format_args!("{}: {done}", printable(name)))?;
    }
    if args.dry_run {
        console.print(format_args!("{changed} tokens would be migrated from {place}; no token was written"))?;
    } else {
        console.print(format_args!("{changed} tokens migrated"))?;
    }
    console.print(format_args!("verification hash: {hash}"))?;
    Ok(0)
}
