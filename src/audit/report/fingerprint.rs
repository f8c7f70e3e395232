//! The fingerprint of a finding, which stays the same when lines move: code, document, target, source line, and the
//! number among equal ones.

use std::collections::HashMap;

use crate::audit::finding::Finding;

/// FNV-1a of 128 bits. It only has to distinguish findings, and must be the same in every version and on every machine.
#[derive(Clone, Copy)]
struct Hash(u128);

impl Hash {
    const fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn bytes(mut self, bytes: impl IntoIterator<Item = u8>) -> Self {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        self
    }

    /// Adds a text and an end mark that no text contains, so that `ab` + `c` differs from `a` + `bc`.
    fn text(self, text: &str) -> Self {
        self.bytes(text.bytes()).bytes([0xff])
    }
}

/// Returns the digest of the source line without regard to white space, so that indenting a list makes no new finding.
pub(crate) fn line_digest(finding: &Finding) -> String {
    let words = finding.excerpt.text.split_whitespace();
    let hash = words.fold(Hash::new(), Hash::text).0;
    // 64 bits are enough within one document, target and code.
    format!("{:016x}", (hash >> 64) ^ (hash & u128::from(u64::MAX)))
}

/// Returns the digest of everything except the line number.
fn digest(finding: &Finding) -> u128 {
    let hash = Hash::new().text(finding.code.as_str()).text(&finding.path);
    let hash = match &finding.target {
        Some(target) => hash.bytes([1]).text(target),
        None => hash.bytes([0]),
    };
    hash.text(&line_digest(finding)).0
}

/// Numbers equal findings in the order of their lines.
#[derive(Default)]
pub(crate) struct Occurrences(HashMap<u128, u32>);

impl Occurrences {
    /// Returns the digest of `finding` as 32 hexadecimal digits, and the number of equal findings before it.
    pub(crate) fn next(&mut self, finding: &Finding) -> (String, u32) {
        let digest = digest(finding);
        let seen = self.0.entry(digest).or_default();
        let before = *seen;
        *seen += 1;
        (format!("{digest:032x}"), before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::report::tests::finding;

    #[test]
    fn the_line_number_and_white_space_do_not_count() {
        let one = finding();
        let mut other = one.clone();
        other.line += 10;
        other.column += 2;
        other.excerpt.text = format!("  {}", one.excerpt.text.replace(' ', "  "));
        assert_eq!(digest(&one), digest(&other));
    }

    #[test]
    fn everything_else_counts() {
        let one = finding();
        let changes: [fn(&mut Finding); 5] = [
            |finding| finding.path.push('x'),
            |finding| finding.target = None,
            |finding| finding.target = Some(String::new()),
            |finding| finding.excerpt.text.push('x'),
            |finding| finding.code = crate::audit::finding::Code::PathCase,
        ];
        let mut digests: Vec<_> = changes
            .iter()
            .map(|change| {
                let mut other = one.clone();
                change(&mut other);
                digest(&other)
            })
            .collect();
        digests.push(digest(&one));
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 6);
    }

    #[test]
    fn published_vectors_of_fnv() {
        assert_eq!(format!("{:032x}", Hash::new().0), "6c62272e07bb014262b821756295c58d"); // pragma: allowlist secret
        assert_eq!(format!("{:032x}", Hash::new().bytes(*b"a").0), "d228cb696f1a8caf78912b704e4a8964"); // pragma: allowlist secret
    }

    /// Baselines store them, and so do services that track findings.
    #[test]
    fn no_version_may_change_them() {
        assert_eq!(Occurrences::default().next(&finding()).0, "e64f2c34373e3be00acdbcad5c5881ea"); // pragma: allowlist secret
        assert_eq!(line_digest(&finding()), "c59cd8a8c0bfef22"); // pragma: allowlist secret
    }

    #[test]
    fn equal_findings_are_numbered() {
        let mut occurrences = Occurrences::default();
        let (one, other) = (occurrences.next(&finding()), occurrences.next(&finding()));
        assert_eq!(one.0, other.0);
        assert_eq!((one.1, other.1), (0, 1));
    }
}
