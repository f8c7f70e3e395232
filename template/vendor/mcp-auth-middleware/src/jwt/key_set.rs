//! A JSON Web Key Set, read for the algorithms that are allowed (RFC 7517, RFC 7518 §6, RFC 8037 §2).

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};

use super::Algorithm;
use super::fetch::FetchError;
use super::jws::decode;

/// NIST SP 800-131A disallows RSA below 2048 bits; above 8192 a verification takes longer than a request should.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Keys by their ids.
pub(super) type Keys = HashMap<String, KeyForms>;

/// One key, ready for each algorithm that it may be used with.
pub(super) struct KeyForms(Vec<(Algorithm, Arc<ParsedPublicKey>)>);

impl KeyForms {
    pub(super) fn for_algorithm(&self, algorithm: Algorithm) -> Option<Arc<ParsedPublicKey>> {
        self.0.iter().find(|(known, _)| *known == algorithm).map(|(_, key)| Arc::clone(key))
    }
}

/// The outcome of reading a key set.
pub(super) struct ParsedKeys {
    pub(super) keys: Keys,
    /// How many of its keys are of no use here.
    pub(super) skipped: usize,
}

/// The usable keys of a key set: for signatures by an allowed algorithm, RSA with 2048 bits and more, with an id of their
/// own. Others are skipped, so that one odd key does not take the good ones down.
pub(super) fn parse(body: &[u8], allowed: &[Algorithm]) -> Result<ParsedKeys, FetchError> {
    #[derive(serde::Deserialize)]
    struct RawSet {
        keys: Vec<serde_json::Value>,
    }
    let raw: RawSet = serde_json::from_slice(body).map_err(|_| FetchError::NotAKeySet)?;
    let (mut keys, mut skipped) = (HashMap::new(), 0);
    for value in raw.keys {
        match usable_key(value, allowed) {
            Some((kid, forms)) if !keys.contains_key(&kid) => {
                keys.insert(kid, forms);
            }
            _ => skipped += 1,
        }
    }
    Ok(ParsedKeys { keys, skipped })
}

/// The members of a JSON Web Key that decide (RFC 7517 §4, RFC 7518 §6.2.1 and §6.3.1).
#[derive(serde::Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

fn usable_key(value: serde_json::Value, allowed: &[Algorithm]) -> Option<(String, KeyForms)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if jwk.kid.is_empty() || jwk.key_use.as_ref().is_some_and(|key_use| key_use != "sig") {
        return None;
    }
    // A key that names its algorithm is for no other.
    let fits =
        |algorithm: &Algorithm| jwk.alg.as_ref().is_none_or(|name| Algorithm::from_header(name) == Some(*algorithm));
    let forms: Vec<_> = allowed
        .iter()
        .copied()
        .filter(fits)
        .filter_map(|algorithm| Some((algorithm, Arc::new(jwk.public_key(algorithm)?))))
        .collect();
    (!forms.is_empty()).then_some((jwk.kid, KeyForms(forms)))
}

impl Jwk {
    /// The key, where it is one for this algorithm.
    fn public_key(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        match self.kty.as_str() {
            "RSA" => self.rsa(algorithm),
            "EC" => {
                let (verification, length) = algorithm.curve(self.crv.as_deref()?)?;
                let (x, y) = (decode(self.x.as_ref()?).ok()?, decode(self.y.as_ref()?).ok()?);
                if x.len() != length || y.len() != length {
                    return None;
                }
                // A point of SEC 1, not compressed.
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                ParsedPublicKey::new(verification, point).ok()
            }
            "OKP" => {
                let (verification, length) = algorithm.curve(self.crv.as_deref()?)?;
                let x = decode(self.x.as_ref()?).ok().filter(|x| x.len() == length)?;
                ParsedPublicKey::new(verification, x).ok()
            }
            _ => None,
        }
    }

    fn rsa(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        let parameters = algorithm.rsa()?;
        let (n, e) = (decode(self.n.as_ref()?).ok()?, decode(self.e.as_ref()?).ok()?);
        let components = RsaPublicKeyComponents { n: without_leading_zeros(&n), e: without_leading_zeros(&e) };
        if !MODULUS_BITS.contains(&bits(components.n)) {
            return None;
        }
        components.to_parsed_public_key(parameters).ok()
    }
}

/// Some issuers write the zero byte of the sign, which RFC 7518 §6.3.1.1 forbids; the number is the same.
fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|b| **b == 0).count();
    &number[zeros..]
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn rsa(kid: &str, bytes: usize, more: &str) -> String {
        // The number need not be a real modulus: parsing looks at type, use, algorithm and size.
        let n = URL_SAFE_NO_PAD.encode(vec![0xbb; bytes]);
        format!(r#"{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"AQAB"{more}}}"#)
    }

    fn kids(keys: &[String]) -> Vec<String> {
        let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let parsed = parse(body.as_bytes(), &[Algorithm::Rs256]);
        let mut kids: Vec<_> = parsed.map(|parsed| parsed.keys.into_keys().collect()).unwrap_or_default();
        kids.sort();
        kids
    }

    /// attacks.md 37.
    #[test]
    fn attack_37_unusable_keys_are_skipped() {
        let ec = r#"{"kty":"EC","kid":"ec","crv":"P-256","x":"AAAA","y":"AAAA"}"#.to_owned();
        let set = [
            rsa("good", 256, r#","alg":"RS256","use":"sig""#),
            rsa("bare", 256, ""),
            rsa("small", 128, ""),
            rsa("almost", 255, ""),
            rsa("huge", 1025, ""),
            rsa("enc", 256, r#","use":"enc""#),
            rsa("rs512", 256, r#","alg":"RS512""#),
            rsa("good", 256, r#","alg":"RS256""#),
            rsa("", 256, ""),
            ec,
            "17".to_owned(),
        ];
        assert_eq!(kids(&set), ["bare", "good"]);
    }

    /// attacks.md 36: what is not a key set never replaces good keys, because it is an error.
    #[test]
    fn attack_36_answers_that_are_no_key_set() {
        for bad in ["", "<html>", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":[{}]}"#] {
            let keys = parse(bad.as_bytes(), &[Algorithm::Rs256]).map_or(0, |parsed| parsed.keys.len());
            assert_eq!(keys, 0, "{bad}");
        }
    }

    /// RFC 8037, appendix A.2, and a point of RFC 7515, appendix A.3.
    #[test]
    fn a_key_is_for_the_algorithms_that_it_fits_and_that_are_allowed() {
        let ed = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#; // pragma: allowlist secret
        let ec = r#"{"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#; // pragma: allowlist secret
        let off_curve = ec.replace("\"ec\"", "\"off\"").replace("f83O", "f83P");
        let set = [rsa("rsa", 256, ""), rsa("pss", 256, r#","alg":"PS256""#), ed.to_owned(), ec.to_owned(), off_curve];
        let body = format!(r#"{{"keys":[{}]}}"#, set.join(","));
        let of = |allowed: &[Algorithm]| {
            let ParsedKeys { keys, skipped } = parse(body.as_bytes(), allowed).expect("a key set");
            let mut found: Vec<_> = keys
                .iter()
                .flat_map(|(kid, keys)| {
                    let algorithms =
                        Algorithm::ALL.into_iter().filter(|algorithm| keys.for_algorithm(*algorithm).is_some());
                    algorithms.map(move |algorithm| format!("{kid} {algorithm}"))
                })
                .collect();
            found.sort();
            (found.join(", "), skipped)
        };
        assert_eq!(of(&Algorithm::DEFAULT), ("ec ES256, ed EdDSA, rsa RS256".to_owned(), 2));
        assert_eq!(of(&[Algorithm::Ps256, Algorithm::Rs512]), ("pss PS256, rsa PS256, rsa RS512".to_owned(), 3));
    }
}
