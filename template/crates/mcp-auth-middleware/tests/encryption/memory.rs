//! attacks.md 50, a core dump: what is dropped is not in memory any more. (Linux lets a process read its own.)

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::*;

/// What is looked for, in a form that is not found itself.
struct Masked(Vec<u8>);

const MASK: u8 = 0xa5;

/// One search at a time: they see what others have just read.
static SEARCH: Mutex<()> = Mutex::new(());

impl Masked {
    fn new(secret: &[u8]) -> Self {
        Self(secret.iter().map(|byte| byte ^ MASK).collect())
    }

    /// How often it is in what this process can write to: heap, stacks, statics.
    fn copies(&self) -> usize {
        let memory = File::open("/proc/self/mem").unwrap();
        // The window holds copies itself, so it is wiped. Most of what it sees was never touched.
        let (mut window, zeros) = (Zeroizing::new(vec![0; 1 << 16]), vec![0; 1 << 16]);
        let own = window.as_ptr() as usize..window.as_ptr() as usize + window.len();
        let mut copies = 0;
        for line in fs::read_to_string("/proc/self/maps").unwrap().lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let [mut at, to] = [from, to].map(|digits| usize::from_str_radix(digits, 16).unwrap());
            while at < to {
                // What was read before is not to be found again.
                if own.contains(&at) {
                    at = own.end;
                    continue;
                }
                let end = if at < own.start { to.min(own.start) } else { to };
                let length = window.len().min(end - at);
                let Ok(read) = memory.read_at(&mut window[..length], at as u64) else { break };
                if window[..read] != zeros[..read] {
                    copies += window[..read].windows(self.0.len()).filter(|part| self.is(part)).count();
                }
                // Windows overlap, so that nothing is cut in two and missed.
                at += if at + read < end { read - self.0.len() + 1 } else { read };
            }
        }
        copies
    }

    fn is(&self, part: &[u8]) -> bool {
        part.iter().zip(&self.0).all(|(found, masked)| found ^ MASK == *masked)
    }
}

/// On the heap, since what is moved about on the stack leaves copies.
fn random(length: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

/// Hexadecimal digits, without a copy that is left behind.
fn digits(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap()));
    }
    text
}

#[test]
fn attack_50_neither_key_nor_token_stays_in_memory() {
    let _search = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
    let (bytes, token) = (random(32), random(24));
    let text = digits(&bytes);
    let (key, typed, plain) = (Masked::new(&bytes), Masked::new(text.as_bytes()), Masked::new(&token));
    assert_eq!((key.copies(), typed.copies(), plain.copies()), (1, 1, 1), "the search finds what is there");

    let ring = Keyring::new(EncryptionKey::parse(&text).unwrap());
    let sealed = ring.seal(PLACE, &token).unwrap();
    let opened = ring.open(PLACE, &sealed).unwrap();
    assert_eq!((key.copies(), typed.copies(), plain.copies()), (1, 1, 2), "parsing and sealing leave nothing");

    drop((bytes, text));
    assert_eq!((key.copies(), typed.copies()), (0, 0), "a ring does not hold the key itself");
    drop((token, opened));
    assert_eq!(plain.copies(), 0);
    assert_eq!(ring.seal(PLACE, b"").unwrap().len(), OVERHEAD, "and works all the same");
}

/// From the store to the handler: clones share the one copy, and the last of them wipes it.
#[test]
fn attack_50_a_service_token_goes_with_its_last_clone() {
    use mcp_auth_middleware::{EnvTokenStore, TokenStore};
    let _search = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = digits(&random(16));
    let masked = Masked::new(text.as_bytes());
    let store = EnvTokenStore::default().with_token("API", std::mem::take(&mut *text).into());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let token = runtime.block_on(TokenStore::Env(store).get_token("server", "API", "user")).unwrap().unwrap();
    let clone = token.clone();
    assert_eq!((masked.copies(), token.expose() == clone.expose()), (1, true));
    drop(token);
    assert_eq!(masked.copies(), 1);
    drop(clone);
    assert_eq!(masked.copies(), 0);
}

/// Whatever a panic shows of what holds a secret.
#[test]
fn attack_50_a_panic_shows_no_secret() {
    use mcp_auth_middleware::{AuthConfig, AuthMode, BearerTokens, EnvTokenStore, TokenStore};
    let secret = "panic-Kee8ahb9oo5phaiF"; // pragma: allowlist secret
    let bearer = BearerTokens::parse(secret).unwrap();
    let store = EnvTokenStore::default().with_token("API", secret.to_owned().into());
    let config = AuthConfig::new("server", AuthMode::Bearer).with_bearer(bearer.clone());
    let config = config.with_service_token(TokenStore::Env(store.clone()), "API");
    let ring = Keyring::new(EncryptionKey::parse(&hex(secret.as_bytes()).repeat(2)[..64]).unwrap());
    let layer = mcp_auth_middleware::create_auth_middleware(config.clone()).unwrap();
    let held: [&dyn std::fmt::Debug; 5] = [&bearer, &store, &config, &ring, &layer];
    for value in held {
        // As `unwrap_err` would on a result that holds one.
        let panic =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panic!("unexpected: {value:?} {value:#?}")));
        let message = *panic.unwrap_err().downcast::<String>().unwrap();
        assert!(!message.contains("Kee8ahb9") && !message.contains(&hex(b"Kee8ahb9")), "{message}");
    }
}

/// The keys that are made from it, as tests/interop.py makes them.
#[test]
fn attack_50_no_derived_key_stays_in_memory() {
    use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
    let _search = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = random(32);
    let derived = |label: &[u8]| {
        let mut key = Zeroizing::new(vec![0; 32]);
        let prk = Salt::new(HKDF_SHA256, &[]).extract(&bytes);
        prk.expand(&[label], HKDF_SHA256).unwrap().fill(&mut key).unwrap();
        Masked::new(&key)
    };
    let keys = [derived(b"mcp-auth-middleware v1 encrypt"), derived(b"mcp-auth-middleware v1 nonce")];
    let ring = Keyring::new(EncryptionKey::parse(&digits(&bytes)).unwrap());
    let opened = ring.open(PLACE, &ring.seal(PLACE, b"token").unwrap()).unwrap();
    drop((ring, opened));
    assert_eq!(keys.map(|key| key.copies()), [0, 0]);
}
