//! Line ends.

/// Returns a text with LF in place of CRLF.
#[must_use]
pub fn with_lf(text: &[u8]) -> Vec<u8> {
    let mut converted = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                converted.extend(line);
                converted.push(b'\n');
            }
            None => converted.extend(line),
        }
    }
    converted
}

/// Returns a text with CRLF in place of LF.
#[must_use]
pub fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut converted = Vec::with_capacity(text.len() + text.len() / 32);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                converted.extend(line.strip_suffix(b"\r").unwrap_or(line));
                converted.extend(b"\r\n");
            }
            None => converted.extend(line),
        }
    }
    converted
}

/// Returns whether every line end is CRLF, and there is one.
#[must_use]
pub fn is_crlf(text: &[u8]) -> bool {
    let mut ends = memchr::memchr_iter(b'\n', text).peekable();
    ends.peek().is_some() && ends.all(|at| at > 0 && text[at - 1] == b'\r')
}

/// Returns whether every line end is LF alone, and there is one.
#[must_use]
pub fn is_lf(text: &[u8]) -> bool {
    let mut ends = memchr::memchr_iter(b'\n', text).peekable();
    ends.peek().is_some() && ends.all(|at| at == 0 || text[at - 1] != b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(with_crlf(b"a\nb\r\nc"), b"a\r\nb\r\nc");
        assert_eq!(with_lf(b"a\nb\r\nc\r"), b"a\nb\nc\r");
        assert!(is_crlf(b"a\r\nb") && !is_crlf(b"a\r\nb\n") && !is_crlf(b"a") && !is_crlf(b"\n"));
        assert!(is_lf(b"\na\nb") && !is_lf(b"a\r\nb\n") && !is_lf(b"a") && !is_lf(b"a\r\n"));
    }
}
