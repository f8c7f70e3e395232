//! Documents that need no link, by their path or by their own text.

use super::languages::is_translation;
use crate::audit::checks::Context;
use crate::audit::folders::{TestFolderKind, in_probable_parts, in_tests};
use crate::text::path::{file_name, parent};

/// Folders whose documents are found without a link.
const FOLDERS: &[&[u8]] = &[
    // Translations, which are chosen by language.
    b"i18n",
    b"translations",
    b"locale",
    b"locales",
    b"l10n",
    // Other projects' documents.
    b"vendor",
    b"third_party",
    // Series, which are read by date or version.
    b"meeting-notes",
    b"changelogs",
    b"releases",
];

/// Parts of their names: `_archive`, `docs-archive`, `issue-templates`. What is in there is put away, or there to be copied.
const IN_FOLDERS: [&[u8]; 2] = [b"archive", b"template"];

/// Names, without their endings, of documents that people or tools look for by name.
const NAMES: &[&[u8]] = &[
    // What GitHub's community profile, distributions and package registries take.
    b"changelog",
    b"changes",
    b"history",
    b"news",
    b"release-notes",
    b"license",
    b"licence",
    b"copying",
    b"notice",
    b"thirdpartynotices",
    b"third-party-notices",
    b"authors",
    b"contributors",
    b"maintainers",
    b"owners",
    b"code_of_conduct",
    b"code-of-conduct",
    b"contributing",
    b"security",
    b"support",
    b"governance",
    b"pull_request_template",
    b"issue_template",
    // Instructions for coding assistants.
    b"agents",
    b"claude",
    b"gemini",
    b"copilot-instructions",
    b"skill",
    // Pages that a host or generator shows by itself: the last four are docsify's.
    b"404",
    b"_sidebar",
    b"_navbar",
    b"_footer",
    b"_coverpage",
];

/// Returns whether a document stands alone: archives, translations, changelogs, licences, templates, files for tools.
pub(super) fn needs_no_link(context: Context<'_>, page: u32) -> bool {
    let path = context.corpus.path(page).to_ascii_lowercase();
    let name = file_name(&path);
    let stem = &name[..memchr::memchr(b'.', name).unwrap_or(name.len())];
    let document = context.document(page);
    // It serves readers who follow an old link from elsewhere.
    let sends_on =
        document.evidence.moved || document.front_matter.redirects || document.front_matter.replacement.is_some();
    let says_so = document.front_matter.alone;
    parent(&path).split(|byte| *byte == b'/').any(stands_alone)
        || in_probable_parts(&path)
        || in_tests(&path, TestFolderKind::WithDocuments)
        || NAMES.contains(&stem)
        || memchr::memmem::find(stem, b"template").is_some()
        || sends_on
        || says_so
        || is_translation(context, &path)
}

fn stands_alone(folder: &[u8]) -> bool {
    folder.starts_with(b".")
        || FOLDERS.contains(&folder)
        || IN_FOLDERS.iter().any(|part| memchr::memmem::find(folder, part).is_some())
}
