//! Translations, recognised by the language in their path.

use crate::audit::checks::Context;
use crate::audit::site::LANGUAGES;
use crate::text::path::{file_name, parent};

/// `README-de.md`, `guide.zh-CN.md`, `pages.ko/…`, `docs/ja/…` beside the same without the language.
pub(super) fn is_translation(context: Context<'_>, path: &[u8]) -> bool {
    let name = file_name(path);
    let stem = &name[..memchr::memrchr(b'.', name).unwrap_or(name.len())];
    if let Some(at) = memchr::memrchr2(b'-', b'.', stem).or_else(|| memchr::memrchr(b'_', stem))
        && is_language(&stem[at + 1..])
    {
        let original = [parent(path), if parent(path).is_empty() { b"" } else { b"/" }, &stem[..at], b".md"].concat();
        if context.corpus.tree.find_folded(&original).next().is_some() {
            return true;
        }
    }
    parent(path).split(|byte| *byte == b'/').any(|part| {
        let language = memchr::memrchr(b'.', part).map_or(part, |dot| &part[dot + 1..]);
        is_language(language) && (language.len() < part.len() || is_folder_of_translations(language))
    })
}

fn is_folder_of_translations(name: &[u8]) -> bool {
    LANGUAGES.contains(&&name[..2.min(name.len())])
}

/// `de`, `pt_br`, `zh-cn`.
fn is_language(text: &[u8]) -> bool {
    let letters = |text: &[u8]| text.iter().all(u8::is_ascii_lowercase);
    match text.len() {
        2 => letters(text),
        5 => letters(&text[..2]) && matches!(text[2], b'-' | b'_') && letters(&text[3..]),
        _ => false,
    }
}
