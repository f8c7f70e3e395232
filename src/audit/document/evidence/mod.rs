//! Signs that a document is deprecated, with how much each proves. A word in running text proves little: healthy documentation speaks
//! of deprecated things all the time.

mod head;
mod link_text;
mod mentions;
mod moved;
mod notices;

pub(super) use head::at_head;
pub(super) use link_text::says_old;
pub use mentions::Patterns;

use super::{Span, Text};

/// Where a pattern was met, the weakest place first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Running text.
    Prose,
    /// The text of a link.
    Link,
    /// A heading that is not the title.
    Heading,
    /// A quotation or alert at the head of the page.
    Banner,
    /// The title.
    Title,
    /// `status:` in the front matter.
    Status,
    /// The name of the file.
    FileName,
}

/// A pattern that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where in the text.
    pub span: Span,
    /// In what kind of place.
    pub place: Place,
    /// `true` when it is a word that healthy documents use, too, in a way in which they use it.
    pub common: bool,
}

/// A notice at the head of a page that it is old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The words.
    pub span: Span,
    /// `true` when this tool wrote it.
    pub ours: bool,
    /// Only its contents are partly old, the page itself is in use.
    pub updated: bool,
    /// Where readers are sent.
    pub replacement: Option<Text>,
}

/// Everything found in one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The first mention in each kind of place.
    pub mentions: Vec<Mention>,
    /// How many there are in all.
    pub count: u32,
    /// The notice of the page about itself.
    pub notice: Option<Notice>,
    /// It says that it is somewhere else now: it is there for those who come by an old link.
    pub moved: bool,
}

impl Evidence {
    /// Counts a mention and keeps it if it is the first of its kind.
    pub(super) fn add(&mut self, mention: Mention) {
        self.count += 1;
        if !self.mentions.iter().any(|other| (other.place, other.common) == (mention.place, mention.common)) {
            self.mentions.push(mention);
        }
    }
}
