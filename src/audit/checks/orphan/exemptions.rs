//! Documents that need no link, by their path or by their own text.

use super::languages::is_translation;
use crate::audit::checks::Context;
use crate::text::path::{file_name, parent};

/// Documents that stand alone: archives, translations, changelogs, licences, templates, files for tools.
pub(super) fn needs_no_link(context: Context<'_>, page: u32) -> bool {
    let path = context.corpus.path(page).to_ascii_lowercase();
    let name = file_name(&path);
    let stem = &name[..memchr::memchr(b'.', name).unwrap_or(name.len())];
    let own_folder = |part: &[u8]| {
        part.starts_with(b".")
            || matches!(
                part,
                b"archive"
                    | b"archives"
                    | b"archived"
                    | b"_archive"
                    | b"i18n"
                    | b"translations"
                    | b"locale"
                    | b"locales"
                    | b"l10n"
                    | b"includes"
                    | b"_includes"
                    | b"snippets"
                    | b"partials"
                    | b"_partials"
                    | b"templates"
                    | b"testdata"
                    | b"fixtures"
                    | b"tests"
                    | b"test"
                    | b"vendor"
                    | b"third_party"
                    | b"meeting-notes"
                    | b"changelogs"
                    | b"releases"
            )
            || memchr::memmem::find(part, b"archive").is_some()
            || memchr::memmem::find(part, b"template").is_some()
    };
    let folders = parent(&path).split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    let in_own = folders.into_iter().any(own_folder);
    let alone = matches!(
        stem,
        b"changelog"
            | b"changes"
            | b"history"
            | b"news"
            | b"license"
            | b"licence"
            | b"copying"
            | b"notice"
            | b"authors"
            | b"contributors"
            | b"maintainers"
            | b"owners"
            | b"code_of_conduct"
            | b"code-of-conduct"
            | b"contributing"
            | b"security"
            | b"support"
            | b"governance"
            | b"agents"
            | b"claude"
            | b"gemini"
            | b"copilot-instructions"
            | b"skill"
            | b"pull_request_template"
            | b"issue_template"
            | b"404"
            | b"_sidebar"
            | b"_navbar"
            | b"_footer"
            | b"_coverpage"
            | b"release-notes"
            | b"thirdpartynotices"
            | b"third-party-notices"
    );
    let document = context.document(page);
    // It serves readers who follow an old link from elsewhere.
    let sends_on =
        document.evidence.moved || document.front_matter.redirects || document.front_matter.replacement.is_some();
    in_own || alone || sends_on || memchr::memmem::find(stem, b"template").is_some() || is_translation(context, &path)
}
