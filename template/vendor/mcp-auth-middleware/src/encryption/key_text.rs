//! A key as people write it: base64 or hexadecimal digits.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::key::EncryptionKeyError;
use super::primitives::KEY;

/// With padding or without, as `openssl`, `python -m base64` and JWKs write it; nothing else is let through.
const EITHER: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
/// RFC 4648 §4 and §5.
const ALPHABETS: [GeneralPurpose; 2] = [GeneralPurpose::new(&STANDARD, EITHER), GeneralPurpose::new(&URL_SAFE, EITHER)];

/// The 32 bytes of a key. What is decoded is wiped, whether it becomes a key or not.
pub(super) fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, EncryptionKeyError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(EncryptionKeyError::Empty);
    }
    // What has hexadecimal digits only is hexadecimal, of whatever length: read as base64, the first 43 digits of a
    // torn key would make 32 bytes as well. A key in base64 looks like that once in 10^19 keys.
    let bytes = if text.bytes().all(|digit| digit.is_ascii_hexdigit()) { from_hex(text)? } else { from_base64(text)? };
    if bytes.len() != KEY {
        return Err(EncryptionKeyError::Length(bytes.len()));
    }
    if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
        return Err(EncryptionKeyError::Placeholder);
    }
    Ok(bytes)
}

/// For hexadecimal digits only.
fn from_hex(digits: &str) -> Result<Zeroizing<Vec<u8>>, EncryptionKeyError> {
    if digits.len() != 2 * KEY {
        return Err(EncryptionKeyError::HexLength(digits.len()));
    }
    let value = |digit: u8| if digit.is_ascii_digit() { digit - b'0' } else { (digit | 0x20) - b'a' + 10 };
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY));
    bytes.extend(digits.as_bytes().chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])));
    Ok(bytes)
}

fn from_base64(text: &str) -> Result<Zeroizing<Vec<u8>>, EncryptionKeyError> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = ALPHABETS.iter().find_map(|alphabet| alphabet.decode_slice(text, &mut bytes).ok());
    bytes.truncate(length.ok_or(EncryptionKeyError::Encoding)?);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use base64::engine::general_purpose;

    use super::EncryptionKeyError::{Empty, Encoding, HexLength, Length, Placeholder};
    use super::*;

    fn key() -> Vec<u8> {
        // Has both of the characters in which the alphabets differ.
        (0..32).map(|n: u8| n.wrapping_mul(251) ^ 0xfb).collect()
    }

    #[test]
    fn every_spelling_of_a_key_gives_the_same_bytes() {
        let key = key();
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let spellings = [
            general_purpose::STANDARD.encode(&key),
            general_purpose::STANDARD_NO_PAD.encode(&key),
            general_purpose::URL_SAFE.encode(&key),
            general_purpose::URL_SAFE_NO_PAD.encode(&key),
            hex.to_uppercase(),
            format!("{}{}", &hex[..32], hex[32..].to_uppercase()),
            format!("\t {hex}\r\n"),
            hex,
        ];
        assert!(spellings[0].contains(['+', '/']) && spellings[2].contains(['-', '_']), "{spellings:?}");
        for text in &spellings {
            assert_eq!(*decode(text).unwrap(), key, "{text}");
        }
    }

    /// attacks.md 40.
    #[test]
    fn attack_40_what_is_no_key_is_told_why() {
        let base64 = general_purpose::STANDARD.encode(key());
        let (head, tail) = base64.split_at(20);
        for (text, error) in [
            (String::new(), Empty),
            (" \n".to_owned(), Empty),
            ("correct horse battery staple".to_owned(), Encoding),
            ("\u{fc}".repeat(22), Encoding),
            ("\0".repeat(32), Encoding),
            (format!("{head} {tail}"), Encoding),
            (format!("{head}\n{tail}"), Encoding),
            (format!("\"{base64}\""), Encoding),
            (format!("{base64}{base64}"), Encoding),
            (format!("{base64}="), Encoding),
            // Both alphabets in one text.
            (format!("+-{}", &base64[2..]), Encoding),
            // The last bits of the last character must be zero (RFC 4648 §3.5): a text of one's own, or a torn one.
            (format!("{}9=", &base64[..42]), Encoding),
            ("=".to_owned(), Encoding),
            ("openssl!".to_owned(), Encoding),
            (general_purpose::STANDARD.encode(&key()[..31]), Length(31)),
            (general_purpose::STANDARD.encode([&key()[..], b"!"].concat()), Length(33)),
            (general_purpose::STANDARD.encode([7; 64]), Length(64)),
            ("0x".to_owned() + &"ab".repeat(32), Encoding),
            ("ab".repeat(31), HexLength(62)),
            ("ab".repeat(33), HexLength(66)),
            ("ab".repeat(31) + "a", HexLength(63)),
            // 43 digits would be 32 bytes in base64.
            ("ab".repeat(21) + "8", HexLength(43)),
            (general_purpose::STANDARD.encode([0; 32]), Placeholder),
            (general_purpose::URL_SAFE_NO_PAD.encode([0xff; 32]), Placeholder),
            ("00".repeat(32), Placeholder),
            ("Aa".repeat(32), Placeholder),
        ] {
            assert_eq!(decode(&text).unwrap_err(), error, "{text:?}");
        }
    }
}
