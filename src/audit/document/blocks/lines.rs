//! The questions of every pass about a line: its indentation, and whether a fence or a list item begins.

/// A line of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Where it begins.
    pub(super) start: usize,
    /// Where its first character that is not white space stands.
    pub(super) body: usize,
    /// Where it ends, before the line break.
    pub(super) end: usize,
    /// Where the next one begins.
    pub(super) next: usize,
    /// The columns in front of its body.
    pub(super) indent: usize,
    /// Its text from the body on, without white space at the end.
    pub(super) text: &'a str,
}

impl<'a> Line<'a> {
    /// Returns the line that begins at `start`; `tab` is how wide a tab is at most.
    pub(super) fn at(source: &'a str, start: usize, tab: usize) -> Self {
        let end = memchr::memchr(b'\n', &source.as_bytes()[start..]).map_or(source.len(), |length| start + length);
        let mut indent = 0;
        let mut body = start;
        for byte in source[start..end].bytes() {
            match byte {
                b' ' => indent += 1,
                b'\t' => indent += tab - indent % tab,
                _ => break,
            }
            body += 1;
        }
        let text = source[body..end].trim_end();
        Self { start, body, end, next: (end + 1).min(source.len()), indent, text }
    }

    /// Returns whether there is nothing on it.
    pub(super) const fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
}

/// A fence that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
}

impl Fence {
    /// Returns the fence that a line's text begins.
    pub(super) fn open(text: &str) -> Option<Self> {
        let mark = *text.as_bytes().first().filter(|byte| matches!(byte, b'`' | b'~'))?;
        let length = text.bytes().take_while(|byte| *byte == mark).count();
        (length >= 3 && (mark == b'~' || !text[length..].contains('`'))).then_some(Self { mark, length })
    }

    /// Returns the fence of colons that a line's text begins: `:::{note}`.
    pub(super) fn colons(text: &str) -> Option<Self> {
        let length = text.bytes().take_while(|byte| *byte == b':').count();
        (length >= 3).then_some(Self { mark: b':', length })
    }

    /// Returns whether it is one of colons.
    pub(super) const fn is_colons(self) -> bool {
        self.mark == b':'
    }

    /// Returns whether a line's text ends it.
    pub(super) fn is_closed_by(self, text: &str) -> bool {
        let length = text.bytes().take_while(|byte| *byte == self.mark).count();
        length >= self.length && length == text.len()
    }

    /// The character of the fence.
    pub(super) fn marks(self, text: &str) -> (&str, &str) {
        text.split_at(self.length)
    }
}

/// Which lines of a text are in fenced code, asked line by line.
#[derive(Debug, Default)]
pub(super) struct Fences(Option<Fence>);

impl Fences {
    /// Takes the next line, and returns whether it is one of a fence: its first, its last, or between them.
    pub(super) fn take(&mut self, line: &Line<'_>) -> bool {
        let was_open = self.0.is_some();
        self.0 = match self.0 {
            Some(open) if open.is_closed_by(line.text) => None,
            Some(open) => Some(open),
            None => Fence::open(line.text),
        };
        was_open || self.0.is_some()
    }
}

/// Returns how wide the mark of an item is with the blanks behind it, if a line's text begins with one.
pub(super) fn item(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mark = match bytes.first()? {
        first @ (b'-' | b'*' | b'+') => {
            let is_break = bytes.iter().all(|byte| byte == first || *byte == b' ')
                && bytes.iter().filter(|byte| *byte == first).count() >= 3;
            if is_break {
                return None;
            }
            1
        }
        b'0'..=b'9' => {
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits > 9 || !matches!(bytes.get(digits), Some(b'.' | b')')) {
                return None;
            }
            digits + 1
        }
        _ => return None,
    };
    let blanks = bytes[mark..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match bytes.len() - mark {
        0 => Some(mark + 1),
        _ if blanks == 0 => None,
        // More than four of them are a block of code in the item.
        _ if blanks > 4 => Some(mark + 1),
        _ => Some(mark + blanks),
    }
}

/// The items of lists that a line may be a part of, where code by indentation does not exist.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// The column of each item's content, in the text and as it is written.
    open: Vec<(usize, usize)>,
}

impl Lists {
    /// Returns where a line of this indentation is to begin.
    pub(super) fn place(&mut self, indent: usize) -> usize {
        while self.open.pop_if(|(content, _)| indent < *content).is_some() {}
        self.open.last().map_or(0, |(_, written)| *written)
    }

    /// Takes in the items that a line begins at its place.
    pub(super) fn items(&mut self, line: &Line<'_>, place: usize) {
        let (mut text, mut column, mut written) = (line.text, line.indent, place);
        // Deeper than any text that a person reads.
        while let Some(width) = item(text).filter(|_| self.open.len() < 64) {
            (column, written) = (column + width, written + width);
            self.open.push((column, written));
            text = text.get(width..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fences_and_items() {
        let line = Line::at("a\n \t b \nc", 2, 4);
        assert_eq!((line.body, line.end, line.next, line.indent, line.text), (5, 7, 8, 5, "b"));
        assert!(Fence::open("```md").is_some() && Fence::open("```a`").is_none() && Fence::open("``").is_none());
        assert!(Fence::open("~~~~").is_some_and(|fence| fence.is_closed_by("~~~~~") && !fence.is_closed_by("~~~")));
        for (text, width) in [
            ("- a", Some(2)),
            ("12.  a", Some(5)),
            ("-a", None),
            ("- - -", None),
            ("*", Some(2)),
            ("-      a", Some(2)),
        ] {
            assert_eq!(item(text), width, "{text}");
        }
    }
}
