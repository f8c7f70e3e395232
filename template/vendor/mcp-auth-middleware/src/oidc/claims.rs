//! The claims of an access token: that it is one, who calls, and with which rights. Pure.

use std::sync::Arc;

use serde_json::Value;

use super::OidcConfig;
use crate::jwt::Claims;
use crate::{AuthError, Grant, User, UserKind};

/// No name of a caller is longer (OpenID Connect Core §2 has 255 for `sub`).
const LONGEST_NAME: usize = 256;

/// The claims by which providers name the client (RFC 9068; OpenID Connect and Entra v2; Okta; Entra v1).
const CLIENT_CLAIMS: [&str; 4] = ["client_id", "azp", "cid", "appid"];

/// Claims that ID tokens have and access tokens do not (OpenID Connect Core §2 and §3.3.2.11).
const ID_TOKEN_CLAIMS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// Refuses what is no access token, or not one for any bearer.
///
/// An ID token of an issuer has the same keys as its access tokens, so there has to be another difference: its type in the
/// header (RFC 9068 §2.1), its type among the claims (Keycloak), claims that only ID tokens have, or its audience. The
/// audience of an ID token is the client's id, so where ours is an address, it cannot be one.
pub(super) fn check_kind(
    media_type: Option<&str>,
    claims: &Claims,
    audiences: &[String],
    scopes: &[String],
    config: &OidcConfig,
) -> Result<(), AuthError> {
    // Bound to a key that the client has to show (RFC 7800, RFC 8705, RFC 9449), which a bearer does not.
    if claims.0.contains_key("cnf") {
        return Err(AuthError::NotAnAccessToken);
    }
    // Media types know no case, and `application/` may be left out (RFC 7515 §4.1.9).
    let media_type = media_type.map(|typ| match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    });
    match media_type {
        Some(typ) if typ.eq_ignore_ascii_case("at+jwt") => return Ok(()),
        _ if config.requires_at_jwt => return Err(AuthError::NotAnAccessToken),
        None => {}
        Some(typ) if typ.eq_ignore_ascii_case("jwt") => {}
        // A logout token, a security event, a proof of possession …
        Some(_) => return Err(AuthError::NotAnAccessToken),
    }
    match claims.0.get("typ") {
        Some(Value::String(typ)) if typ.eq_ignore_ascii_case("bearer") => return Ok(()),
        Some(_) => return Err(AuthError::NotAnAccessToken),
        None => {}
    }
    // Amazon Cognito has it in both.
    if claims.0.get("token_use").is_some_and(|token_use| token_use != "access") {
        return Err(AuthError::NotAnAccessToken);
    }
    if ID_TOKEN_CLAIMS.iter().any(|name| claims.0.contains_key(*name)) {
        return Err(AuthError::NotAnAccessToken);
    }
    let client = client_id(claims);
    let for_an_address = audiences.iter().any(|aud| aud.contains("://") && config.audiences.contains(aud));
    let for_another = client.is_some_and(|client| audiences.iter().all(|aud| aud != client));
    if for_an_address || for_another || !scopes.is_empty() {
        return Ok(());
    }
    Err(AuthError::NotAnAccessToken)
}

/// Who calls, and whether they are on the lists of those who may.
pub(super) fn identify(claims: &Claims, scopes: Vec<String>, config: &OidcConfig) -> Result<User, AuthError> {
    let short = |text: Option<&str>| text.filter(|text| text.len() <= LONGEST_NAME).map(str::to_owned);
    // `sub` identifies a person; an address can be given to another one.
    let subject = short(claims.text("sub")).ok_or(AuthError::NoIdentity)?;
    let client_id = short(client_id(claims));
    let is_program = is_program(claims, &subject, client_id.as_deref(), &scopes);
    let address = if is_program { None } else { short(address(claims, config)) };
    if !config.allowed_people.allow(address.as_deref()) {
        return Err(AuthError::UserNotAllowed);
    }
    let grant = Grant {
        issuer: config.issuer.clone(),
        subject: Some(subject.clone()),
        client_id: client_id.clone(),
        without_address: address.is_none(),
        roles: claims.texts(&config.roles_claim),
        scopes,
    };
    let grant = Some(Arc::new(grant));
    Ok(if is_program {
        let name = client_id.unwrap_or(subject);
        User { email: name, user_uuid: None, kind: UserKind::ServiceToken, grant }
    } else {
        let email = address.unwrap_or_else(|| subject.clone());
        User { email, user_uuid: Some(subject), kind: UserKind::Human, grant }
    })
}

fn client_id(claims: &Claims) -> Option<&str> {
    CLIENT_CLAIMS.iter().find_map(|name| claims.text(name))
}

/// The address, unless the issuer says that nobody has verified it: anybody could have written it there.
fn address<'c>(claims: &'c Claims, config: &OidcConfig) -> Option<&'c str> {
    let unverified = match claims.0.get("email_verified") {
        Some(Value::Bool(verified)) => !verified,
        Some(Value::String(text)) => text == "false",
        _ => false,
    };
    claims.text(&config.email_claim).filter(|address| address.contains('@') && !unverified)
}

/// True where no person stands behind the token: OAuth's client credentials, as each provider shows them.
fn is_program(claims: &Claims, subject: &str, client_id: Option<&str>, scopes: &[String]) -> bool {
    // RFC 9068 §2.2, Okta, WorkOS.
    let of_the_client = client_id.is_some_and(|client| {
        subject == client
            // Auth0
            || subject.strip_suffix("@clients") == Some(client)
            // Keycloak
            || claims.text("preferred_username").and_then(|name| name.strip_prefix("service-account-")) == Some(client)
    });
    let auth0 = claims.text("gty") == Some("client-credentials");
    // The optional claim of Entra; without it, the application is its own subject.
    let entra = claims.text("idtyp") == Some("app") || (scopes.is_empty() && claims.text("oid") == Some(subject));
    of_the_client || auth0 || entra
}
