//! The stored form of tokens.

use std::sync::LazyLock;

use mcp_auth_middleware::encryption::{Context, EncryptionKey, Keyring};

const PLACE: Context<'_> = Context { service: "my-server", name: "UPSTREAM_TOKEN" };
const TOKEN: &[u8] = b"a token";

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let key = |seed: u8| {
        let text: String = (0..32_u8).map(|at| format!("{:02x}", seed ^ at)).collect();
        EncryptionKey::parse(&text).expect("a key")
    };
    Keyring::new(key(1)).with_previous(key(2))
});
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| KEYS.seal(PLACE, TOKEN).expect("sealed"));

/// The first byte says what the others are.
pub(crate) fn sealed(data: &[u8]) {
    let Some((what, data)) = data.split_first() else { return };
    match what % 6 {
        // Something stored.
        0 => open(data),
        // Something stored behind a good head of some length.
        1 => {
            let Some((length, rest)) = data.split_first() else { return };
            open(&[&GOOD[..usize::from(*length) % (GOOD.len() + 1)], rest].concat());
        }
        // Bits that are flipped.
        2 => open(&GOOD.iter().enumerate().map(|(at, byte)| byte ^ data.get(at).unwrap_or(&0)).collect::<Vec<_>>()),
        // Bytes in the middle of a good text, instead of as many or none.
        3 => {
            let [from, instead, rest @ ..] = data else { return };
            let from = usize::from(*from) % (GOOD.len() + 1);
            let to = (from + usize::from(*instead)).min(GOOD.len());
            open(&[&GOOD[..from], rest, &GOOD[to..]].concat());
        }
        // A token and its place.
        4 => {
            let [service, name, rest @ ..] = data else { return };
            let Ok(text) = std::str::from_utf8(rest) else { return };
            let cut = |at: u8| text.floor_char_boundary(usize::from(at).min(text.len()));
            let (from, to) = (cut(*service).min(cut(*name)), cut(*service).max(cut(*name)));
            there_and_back(Context { service: &text[..from], name: &text[from..to] }, &text.as_bytes()[to..]);
        }
        // Something given as a key.
        _ => {
            let Ok(text) = std::str::from_utf8(data) else { return };
            // An error names the kind and the length; a key shows its id only.
            if let Ok(key) = EncryptionKey::parse(text) {
                assert!(text.trim().len() >= 43 && !format!("{key:?}").contains(text.trim()));
            }
        }
    }
}

/// What opens is what was sealed, to the last bit; all else is an error.
fn open(stored: &[u8]) {
    match KEYS.open(PLACE, stored) {
        Ok(token) => assert_eq!((&**token, stored), (TOKEN, GOOD.as_slice())),
        Err(error) => assert!(stored != GOOD.as_slice(), "{error}"),
    }
    let _ = KEYS.seals_with_active(stored);
}

fn there_and_back(place: Context<'_>, token: &[u8]) {
    let sealed = KEYS.seal(place, token).expect("it is not too long");
    assert_eq!(&**KEYS.open(place, &sealed).expect("its own"), token);
    assert!(KEYS.seals_with_active(&sealed));
    if place != PLACE {
        assert!(KEYS.open(PLACE, &sealed).is_err(), "opened in another place");
        assert!(KEYS.open(place, &GOOD).is_err(), "opened in another place");
    }
}
