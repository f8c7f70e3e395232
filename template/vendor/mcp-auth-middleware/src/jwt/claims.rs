//! The registered claims of a token, and whether it holds here and now (RFC 7519 §4.1). Pure: the time comes as an argument.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::AuthError;

/// Clocks differ: tokens are accepted this long after `exp` and before `nbf` or `iat`, in seconds.
const LEEWAY: f64 = 60.0;

/// The claims that decide for every issuer. One that is there twice or of the wrong type makes the token malformed.
#[derive(Deserialize)]
pub(crate) struct RegisteredClaims {
    exp: NumericDate,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    iss: Option<String>,
    aud: Option<Audience>,
}

impl RegisteredClaims {
    /// Checks that the token is valid at `now` (seconds since 1970), is of this issuer and for one of these audiences, and was
    /// issued at most `maximum_age` ago.
    pub(crate) fn check(
        &self,
        issuer: &str,
        audiences: &[String],
        maximum_age: Duration,
        now: f64,
    ) -> Result<(), AuthError> {
        self.check_times(maximum_age, now)?;
        self.check_issuer(issuer)?;
        check_audience(self.audiences(), audiences)
    }

    /// Checks that the token is valid at `now` (seconds since 1970), and was issued at most `maximum_age` ago.
    pub(crate) fn check_times(&self, maximum_age: Duration, now: f64) -> Result<(), AuthError> {
        if now >= self.exp.0 + LEEWAY {
            return Err(AuthError::JwtExpired);
        }
        if now >= self.good_until(maximum_age) {
            return Err(AuthError::JwtTooOld);
        }
        // Without `iat` the age is not known. Such a token may end within the time, but not live longer.
        if self.iat.is_none() && self.exp.0 > now + maximum_age.as_secs_f64() + LEEWAY {
            return Err(AuthError::JwtTooOld);
        }
        // A token issued in the future is one from a wrong clock or a forger's, so `iat` counts as `nbf` does.
        if [self.nbf, self.iat].into_iter().flatten().any(|from| from.0 > now + LEEWAY) {
            return Err(AuthError::JwtNotYetValid);
        }
        Ok(())
    }

    /// Checks that the token is of this issuer.
    pub(crate) fn check_issuer(&self, issuer: &str) -> Result<(), AuthError> {
        if self.iss.as_deref() == Some(issuer) { Ok(()) } else { Err(AuthError::IssuerMismatch) }
    }

    /// For whom the token is.
    pub(crate) fn audiences(&self) -> &[String] {
        self.aud.as_ref().map_or(&[], Audience::as_slice)
    }

    /// When the token ends, by `exp` or by its age, leeway included, in seconds since 1970.
    pub(crate) fn good_until(&self, maximum_age: Duration) -> f64 {
        let by_age = self.iat.map_or(f64::INFINITY, |iat| iat.0 + maximum_age.as_secs_f64());
        self.exp.0.min(by_age) + LEEWAY
    }
}

/// Checks that one of the token's audiences is one of these.
pub(crate) fn check_audience(named: &[String], audiences: &[String]) -> Result<(), AuthError> {
    if named.iter().any(|aud| audiences.contains(aud)) { Ok(()) } else { Err(AuthError::AudienceMismatch) }
}

/// Seconds since 1970, whole or not (RFC 7519 §2).
#[derive(Clone, Copy)]
struct NumericDate(f64);

impl NumericDate {
    /// 2^53: beyond it a double no longer tells one second from the next.
    const MAXIMUM: f64 = 9_007_199_254_740_992.0;
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if (0.0..=Self::MAXIMUM).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(serde::de::Error::custom("not a NumericDate"))
        }
    }
}

/// One audience or several (RFC 7519 §4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(aud) => std::slice::from_ref(aud),
            Self::Many(auds) => auds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_700_000_000.0;
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn check(claims: serde_json::Value) -> Result<(), AuthError> {
        let mut all = serde_json::json!({"exp": NOW + 3600.0, "iss": "https://team.example", "aud": ["tag"]});
        for (name, value) in claims.as_object().expect("an object") {
            all[name] = value.clone();
        }
        let claims: RegisteredClaims = serde_json::from_value(all).map_err(|_| AuthError::JwtMalformed)?;
        claims.check("https://team.example", &["other".to_owned(), "tag".to_owned()], DAY, NOW)
    }

    #[test]
    fn attack_08_expiry_to_the_second() {
        assert_eq!(check(serde_json::json!({"exp": NOW - 59.5})), Ok(()));
        assert_eq!(check(serde_json::json!({"exp": NOW - 60.0})), Err(AuthError::JwtExpired));
        assert_eq!(check(serde_json::json!({"exp": 0})), Err(AuthError::JwtExpired));
    }

    #[test]
    fn attack_09_start_to_the_second() {
        for claim in ["nbf", "iat"] {
            assert_eq!(check(serde_json::json!({claim: NOW + 60.0})), Ok(()), "{claim}");
            assert_eq!(check(serde_json::json!({claim: NOW + 60.5})), Err(AuthError::JwtNotYetValid), "{claim}");
        }
    }

    /// `seconds_since_1970` returns infinity where the clock is before 1970.
    #[test]
    fn attack_08_without_a_clock_everything_has_expired() {
        let claims = serde_json::json!({"exp": NumericDate::MAXIMUM, "iss": "https://team.example", "aud": "tag"});
        let claims: RegisteredClaims = serde_json::from_value(claims).expect("claims");
        let checked = claims.check("https://team.example", &["tag".to_owned()], DAY, f64::INFINITY);
        assert_eq!(checked, Err(AuthError::JwtExpired));
    }

    #[test]
    fn attack_08_age_to_the_second() {
        let day = DAY.as_secs_f64();
        assert_eq!(check(serde_json::json!({"iat": NOW - day - 59.5})), Ok(()));
        assert_eq!(check(serde_json::json!({"iat": NOW - day - 60.0})), Err(AuthError::JwtTooOld));
        // Whichever comes first.
        assert_eq!(check(serde_json::json!({"iat": NOW - day - 60.0, "exp": 0})), Err(AuthError::JwtExpired));
        assert_eq!(check(serde_json::json!({"iat": NOW, "exp": NOW + 100.0 * day})), Ok(()));
        // Without iat.
        assert_eq!(check(serde_json::json!({"exp": NOW + day + 60.0})), Ok(()));
        assert_eq!(check(serde_json::json!({"exp": NOW + day + 61.0})), Err(AuthError::JwtTooOld));
    }

    #[test]
    fn attack_11_one_audience_or_several() {
        assert_eq!(check(serde_json::json!({"aud": "tag"})), Ok(()));
        assert_eq!(check(serde_json::json!({"aud": ["x", "other"]})), Ok(()));
        assert_eq!(check(serde_json::json!({"aud": "tagtag"})), Err(AuthError::AudienceMismatch));
    }
}
