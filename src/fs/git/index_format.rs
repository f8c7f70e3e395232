//! The bytes of git's index (gitformat-index). Pure.

const SIGNATURE: &[u8] = b"DIRC";
/// Bits of an entry's flags.
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;

/// One entry: the 40 bytes of times and sizes, the name of the object, flags, path.
#[derive(Clone, Debug)]
pub(super) struct IndexEntry {
    pub(super) stat: [u8; 40],
    pub(super) id: Vec<u8>,
    pub(super) flags: u16,
    pub(super) extended: u16,
    pub(super) path: Vec<u8>,
}

impl IndexEntry {
    pub(super) fn field(&self, at: usize) -> u32 {
        let bytes = self.stat.get(at * 4..at * 4 + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    }

    pub(super) fn mode(&self) -> u32 {
        self.field(6)
    }

    pub(super) fn stage(&self) -> u16 {
        (self.flags & STAGE) >> 12
    }
}

/// Writes an index of version 2, or 3 where an entry needs it, without extensions and checksum.
pub(super) fn write(entries: &[IndexEntry]) -> Vec<u8> {
    let is_extended = entries.iter().any(|entry| entry.flags & EXTENDED != 0);
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend((if is_extended { 3_u32 } else { 2 }).to_be_bytes());
    bytes.extend(u32::try_from(entries.len()).unwrap_or(u32::MAX).to_be_bytes());
    for entry in entries {
        let start = bytes.len();
        bytes.extend(entry.stat);
        bytes.extend(&entry.id);
        bytes.extend(entry.flags.to_be_bytes());
        if entry.flags & EXTENDED != 0 {
            bytes.extend(entry.extended.to_be_bytes());
        }
        bytes.extend(&entry.path);
        // One to eight NULs, to a multiple of eight bytes.
        let padded = (bytes.len() - start) / 8 * 8 + 8;
        bytes.resize(start + padded, 0);
    }
    bytes
}

/// Parses an index of version 2, 3 or 4 with object names of `width` bytes.
pub(super) fn parse(bytes: &[u8], width: usize) -> Result<Vec<IndexEntry>, String> {
    let short = || "it is too short".to_owned();
    let end = bytes.len().checked_sub(width).ok_or_else(short)?;
    let body = &bytes[..end];
    let number = |at: usize| -> Result<u32, String> {
        let bytes = body.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or_else(short)?;
        Ok(u32::from_be_bytes(bytes))
    };
    if !body.starts_with(SIGNATURE) {
        return Err("it is no index".to_owned());
    }
    let version = number(4)?;
    if !(2..=4).contains(&version) {
        return Err(format!("its version is {version}"));
    }
    let (mut entries, mut at): (Vec<IndexEntry>, usize) = (Vec::new(), 12);
    for _ in 0..number(8)? {
        let start = at;
        let stat = body.get(at..at + 40).and_then(|stat| stat.try_into().ok()).ok_or_else(short)?;
        let id = body.get(at + 40..at + 40 + width).ok_or_else(short)?.to_vec();
        at += 40 + width;
        let flag = |at: usize| -> Result<u16, String> {
            let bytes = body.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).ok_or_else(short)?;
            Ok(u16::from_be_bytes(bytes))
        };
        let flags = flag(at)?;
        at += 2;
        let extended = if flags & EXTENDED != 0 { flag(at)? } else { 0 };
        at += if flags & EXTENDED != 0 { 2 } else { 0 };
        let mut path = Vec::new();
        if version == 4 {
            let (strip, next) = offset(body, at).ok_or_else(short)?;
            at = next;
            let last = entries.last().map(|entry| entry.path.as_slice()).unwrap_or_default();
            path.extend(&last[..last.len().checked_sub(strip).ok_or_else(short)?]);
        }
        let rest = body.get(at..).ok_or_else(short)?;
        let length = memchr::memchr(0, rest).ok_or_else(short)?;
        path.extend(&rest[..length]);
        at = if version == 4 { at + length + 1 } else { start + (at + length - start) / 8 * 8 + 8 };
        entries.push(IndexEntry { stat, id, flags, extended, path });
    }
    // Extensions: a name of four letters, of which a small first one says that readers have to know it.
    while at + 8 <= body.len() {
        let name = &body[at..at + 4];
        if name.first().is_some_and(u8::is_ascii_lowercase) {
            return Err(format!("it is split or sparse ({})", String::from_utf8_lossy(name)));
        }
        at += 8 + number(at + 4)? as usize;
    }
    Ok(entries)
}

/// The number format of pack offsets (gitformat-pack).
fn offset(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *bytes.get(at)?;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *bytes.get(at)?;
        value = value.checked_add(1)?.checked_mul(128)? + usize::from(byte & 0x7f);
    }
    Some((value, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_are_an_index_by_chance() {
        for bytes in [&b""[..], b"DIRC", &[0; 64], b"DIRC\0\0\0\x02\xff\xff\xff\xff01234567890123456789"] {
            assert!(parse(bytes, 20).is_err());
        }
        let mut known = b"DIRC\0\0\0\x02\0\0\0\0".to_vec();
        known.extend(b"link\0\0\0\0");
        known.extend([0; 20]);
        assert!(parse(&known, 20).expect_err("split").contains("split"));
    }
}
