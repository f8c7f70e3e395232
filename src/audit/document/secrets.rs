//! Probable live keys: the fixed prefixes of services that mark their keys, so that a hit is rarely an accident.

use std::ops::Range;
use std::sync::LazyLock;

use super::literals::Literals;

/// Something that looks like a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Where it is.
    pub span: super::Span,
    /// Whose key it would be.
    pub kind: &'static str,
}

/// How keys of one kind look: what they begin with, which characters follow and how many at least.
struct Shape {
    kind: &'static str,
    prefix: &'static str,
    /// The part of the prefix that is looked for: hardly any text has it, while `ghs` is in "lights".
    mark: &'static str,
    body: fn(u8) -> bool,
    length: Range<usize>,
}

const fn shape(
    kind: &'static str,
    [prefix, mark]: [&'static str; 2],
    body: fn(u8) -> bool,
    shortest: usize,
    longest: usize,
) -> Shape {
    Shape { kind, prefix, mark, body, length: shortest..longest + 1 }
}

const fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

const fn url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

const fn dotted(byte: u8) -> bool {
    url_safe(byte) || byte == b'.'
}

/// In this order because the search takes each with the eighth after it for one at first, and nothing else should look like both.
const SHAPES: &[Shape] = &[
    shape("a GitHub token", ["ghp_", "hp_"], word, 36, 255),
    shape("a GitHub token", ["github_pat_", "b_pat_"], url_safe, 60, 255),
    shape("an Anthropic key", ["sk-ant-", "k-ant-"], url_safe, 40, 255),
    shape("an AWS access key", ["AKIA", "AKIA"], upper, 16, 16),
    shape("an Infisical token", ["=st.", "=st."], dotted, 60, 120),
    shape("a SendGrid key", ["SG.", "SG."], dotted, 60, 80),
    shape("a private key", ["-----BEGIN ", "-BEGIN "], |_| false, 0, 0),
    shape("a GitLab token", ["glpat-", "glpat-"], url_safe, 20, 64),
    shape("a GitHub token", ["gho_", "ho_"], word, 36, 255),
    shape("a DigitalOcean token", ["dop_v1_", "p_v1_"], word, 64, 64),
    shape("an OpenAI key", ["sk-proj-", "k-proj-"], url_safe, 40, 255),
    shape("a Google API key", ["AIza", "AIza"], url_safe, 35, 35),
    shape("a Slack token", ["xoxb-", "oxb-"], url_safe, 24, 255),
    shape("a PyPI token", ["pypi-AgE", "-AgE"], url_safe, 60, 512),
    shape("a Slack token", ["xoxp-", "xoxp-"], url_safe, 24, 255),
    shape("a Stripe key", ["sk_live_", "k_live_"], word, 24, 128),
    shape("a GitHub token", ["ghs_", "hs_"], word, 36, 255),
    shape("a GitHub token", ["ghu_", "hu_"], word, 36, 255),
    shape("an npm token", ["npm_", "pm_"], word, 36, 36),
];

static MARKS: LazyLock<Option<Literals>> = LazyLock::new(|| Literals::new(SHAPES.iter().map(|shape| shape.mark)));

/// Finds them anywhere in a text, code included: that is where keys are pasted.
#[must_use]
pub fn find(text: &str) -> Vec<Secret> {
    let Some(marks) = &*MARKS else { return Vec::new() };
    let bytes = text.as_bytes();
    let mut found: Vec<Secret> = Vec::new();
    for hit in marks.places(bytes) {
        let shape = &SHAPES[hit.pattern().as_usize()];
        let prefix = prefix(bytes, shape, hit.start());
        let span = prefix.and_then(|prefix| match shape.prefix.ends_with(' ') {
            true => private_key(text, prefix.start),
            false => key(bytes, shape, prefix),
        });
        found.extend(span.map(|span| Secret { span: super::Span::from_range(&span), kind: shape.kind }));
    }
    found
}

/// The prefix around its mark.
fn prefix(bytes: &[u8], shape: &Shape, mark: usize) -> Option<Range<usize>> {
    let start = mark.checked_sub(shape.prefix.find(shape.mark)?)?;
    let end = start + shape.prefix.len();
    (bytes.get(start..end)? == shape.prefix.as_bytes()).then_some(start..end)
}

fn key(bytes: &[u8], shape: &Shape, prefix: Range<usize>) -> Option<Range<usize>> {
    if prefix.start > 0 && url_safe(bytes[prefix.start - 1]) {
        return None;
    }
    let body = bytes[prefix.end..].iter().take_while(|byte| (shape.body)(**byte)).count();
    let body = &bytes[prefix.end..prefix.end + body];
    (shape.length.contains(&body.len()) && is_random(body)).then(|| prefix.start..prefix.end + body.len())
}

/// Examples repeat a character, count, or say what they are; keys do not.
fn is_random(body: &[u8]) -> bool {
    let mut seen = [0_u8; 256];
    for byte in body {
        seen[usize::from(byte.to_ascii_lowercase())] = 1;
    }
    let different: usize = seen.iter().map(|seen| usize::from(*seen)).sum();
    let steps = body.windows(2).filter(|pair| pair[1] == pair[0] || pair[1] == pair[0].wrapping_add(1)).count();
    let digits = body.iter().filter(|byte| byte.is_ascii_digit()).count();
    let lower = body.to_ascii_lowercase();
    let says = |word: &str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    let placeholder =
        ["example", "xxxx", "your", "token", "placeholder", "secret", "redacted", "dummy", "1234567", "abcdef"];
    different >= 10 && digits > 0 && steps * 3 < body.len() && !placeholder.into_iter().any(says)
}

/// A key in PEM, when it has a body.
fn private_key(text: &str, start: usize) -> Option<Range<usize>> {
    let head = text[start..].lines().next()?.trim_end();
    if !head.ends_with("PRIVATE KEY-----") || head.len() > 60 {
        return None;
    }
    let rest = &text[start + head.len()..];
    let end = rest.find("-----END ")?;
    let body = rest[..end].bytes().filter(|byte| word(*byte) || matches!(byte, b'+' | b'/' | b'=')).collect::<Vec<_>>();
    // An elided body is an example: the shortest real one (Ed25519) has 64 characters.
    (body.len() >= 60 && !rest[..end].contains("...") && is_random(&body)).then(|| start..start + head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        find(text).iter().map(|secret| secret.kind).collect()
    }

    #[test]
    fn keys_are_found_and_examples_are_not() {
        // Put together here, so that no scanner takes this file for a leak.
        let live = format!("ghp{}{}", "_", "q7Rt2LwX9mBz4KcV8nJd3HsF6gPy1TaE5uWo"); // pragma: allowlist secret
        assert_eq!(kinds(&format!("`GITHUB_TOKEN={live}`")), ["a GitHub token"]);
        assert_eq!(kinds(&format!("AK{}", "IAQ7RT2LWX9MBZ4KCV")), ["an AWS access key"]); // pragma: allowlist secret
        assert!(kinds(&format!("x{live}")).is_empty());
        let examples = [
            format!("ghp_{}", "x".repeat(36)),
            format!("ghp_{}{}", "1234567890abcdefghij", "klmnopqrstuvwxyz"),
            format!("AKIA{}", "IOSFODNN7EXAMPLE"),
        ];
        for example in examples {
            assert!(kinds(&example).is_empty(), "{example}");
        }
    }

    #[test]
    fn every_prefix_is_found_by_its_mark() {
        for shape in SHAPES.iter().filter(|shape| shape.prefix != "-----BEGIN ") {
            let body = "Q7RT2LWX9MBZ4KCV8NJD3HSF6GPY1TAE5UWOQ7RT2LWX9MBZ4KCV8NJD3HSF6GPY"; // pragma: allowlist secret
            let body = &body[..body.len().min(shape.length.end - 1)];
            let text = format!("a token\n{}{body}\n", shape.prefix);
            let found: Vec<_> = find(&text).iter().map(|secret| (secret.span.range(), secret.kind)).collect();
            assert_eq!(found, [(8..text.len() - 1, shape.kind)], "{}", shape.prefix);
            // The mark alone is none, whatever stands before it.
            for before in ["", "    "] {
                let other = format!("a token\n{before}{}{body}\n", shape.mark);
                assert!(shape.mark == shape.prefix || find(&other).is_empty(), "{other}");
            }
        }
    }

    #[test]
    fn a_private_key_needs_a_body() {
        let (begin, end) = (format!("-----BEGIN {} KEY-----", "PRIVATE"), format!("-----END {} KEY-----", "PRIVATE"));
        let body = "q7Rt2LwX9mBz4KcV8nJd3HsF6gPy1TaE5uWoq9Rt2LwX8mBz4KcV7nJd3HsF"; // pragma: allowlist secret
        assert_eq!(kinds(&format!("{begin}\n{body}\n{end}\n")), ["a private key"]);
        assert!(kinds(&format!("{begin}\n...\n{end}\n")).is_empty());
        assert!(kinds(&format!("Files begin with `{begin}`.")).is_empty());
    }
}
