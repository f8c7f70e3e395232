//! attacks.md 50, a core dump: what is dropped is not in memory any more. (Linux lets a process read its own.)

use std::fs::{self, File};
use std::io::BufRead as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::*;

/// What is looked for, in a form that is not found itself.
struct Masked(Vec<u8>);

const MASK: u8 = 0xa5;

static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// The least that is given back at once.
const PAGE: usize = 1 << 12;

/// What this process sees of itself.
fn memory() -> File {
    File::open("/proc/self/mem").unwrap()
}

/// Where this process can write.
fn writable() -> Vec<Range<usize>> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let lines = maps.lines().filter(|line| line.contains(" rw"));
    lines
        .map(|line| {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let [from, to] = [from, to].map(|digits| usize::from_str_radix(digits, 16).unwrap());
            from..to
        })
        .collect()
}

/// One search at a time: they see what others have just read.
static SEARCH: Mutex<()> = Mutex::new(());

impl Masked {
    fn new(secret: &[u8]) -> Self {
        Self(secret.iter().map(|byte| byte ^ MASK).collect())
    }

    /// How often it is in what this process can write to: heap, stacks, statics.
    fn copies(&self) -> usize {
        let memory = memory();
        // The window holds copies itself, so it is wiped.
        let mut window = Zeroizing::new(vec![0; ZEROS.len()]);
        writable().into_iter().map(|region| self.copies_in(region, &memory, &mut window)).sum()
    }

    fn copies_in(&self, Range { start: mut at, end: to }: Range<usize>, memory: &File, window: &mut [u8]) -> usize {
        let own = window.as_ptr() as usize..window.as_ptr() as usize + window.len();
        let mut copies = 0;
        while at < to {
            // What was read before is not to be found again.
            if own.contains(&at) {
                at = own.end;
                continue;
            }
            let end = if at < own.start { to.min(own.start) } else { to };
            let length = window.len().min(end - at);
            let read = memory.read_at(&mut window[..length], at as u64).unwrap_or(0);
            // Most of it was never touched.
            if window[..read] != ZEROS[..read] {
                copies += self.copies_among(&window[..read]);
            }
            at = if read < length {
                // Other tests go on meanwhile, and a page that one of them has given back cannot be read; those behind it can.
                (at + read) / PAGE * PAGE + PAGE
            } else if at + read < end {
                // Windows overlap, so that nothing is cut in two and missed.
                at + read + 1 - self.0.len()
            } else {
                at + read
            };
        }
        copies
    }

    /// By the first byte, since comparing at every place takes a test build most of a minute.
    fn copies_among(&self, bytes: &[u8]) -> usize {
        let (mut rest, mut copies) = (bytes, 0);
        while rest.skip_until(self.0[0] ^ MASK).unwrap() > 0 {
            let from = bytes.len() - rest.len() - 1;
            copies += usize::from(bytes.get(from..from + self.0.len()).is_some_and(|part| self.is(part)));
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

/// Pages that are given back while the search goes on neither end it nor hide what lies behind them.
#[test]
fn the_search_goes_past_what_cannot_be_read() {
    let _search = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
    let secret = random(32);
    let masked = Masked::new(&secret);
    let (memory, mut window) = (memory(), Zeroizing::new(vec![0; ZEROS.len()]));
    let regions = writable();
    // Above the stack nothing is mapped.
    let top = regions.iter().map(|region| region.end).max().unwrap();
    for before in [1, 31, 32, 33] {
        assert_eq!(
            masked.copies_in(top - before..top + 3 * PAGE, &memory, &mut window),
            0,
            "{before} bytes, then a hole"
        );
    }
    let found = secret.as_ptr() as usize..secret.as_ptr() as usize + secret.len();
    let heap = regions.into_iter().find(|region| region.contains(&found.start)).unwrap();
    assert_eq!(masked.copies_in(heap.start - 3 * PAGE..found.end, &memory, &mut window), 1, "a hole, then the secret");
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
