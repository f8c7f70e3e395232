//! What holds of any bytes that are taken for a catalog, or for a file with sections.

use mcp_kit::catalog::Catalog;
use mcp_kit::docs::build::{ByHand, plan};
use mcp_kit::fs::files::{File, FileTree};
use mcp_kit::markdown::managed::{sections, splice};

/// Whatever is wrong with a catalog has a place in it; one that is right makes all its pages, and makes them once.
pub(crate) fn catalog(bytes: &[u8]) {
    let catalog = match Catalog::parse(bytes) {
        Ok(catalog) => catalog,
        Err((text, problems)) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(
                    problem.span.start <= problem.span.end && problem.span.end <= text.len() + 1,
                    "{problem:?} of {text:?}"
                );
            }
            return;
        }
    };
    if catalog.docs.templates.is_some() {
        return;
    }
    let mut files = FileTree::new();
    let first = plan(&files, &catalog, "2026-03-01", ByHand::Keep);
    let Ok(first) = first else { panic!("{first:?}") };
    assert_eq!(first.changes.len(), first.pages);
    for change in first.changes {
        files.insert(change.path, File::text(String::from_utf8_lossy(&change.after)));
    }
    let again = plan(&files, &catalog, "2026-03-02", ByHand::Keep);
    let Ok(again) = again else { panic!("{again:?}") };
    assert!(again.changes.is_empty(), "{:?}", again.changes);
}

/// Outside of the markers every byte stays, and what was put between them is known again.
pub(crate) fn managed(text: &str) {
    let Ok(found) = sections(text) else { return };
    for section in found {
        let built = splice(text, Some(&section), &section.name, "## New\n\ntext");
        assert!(built.starts_with(&text[..section.whole.start]) && built.ends_with(&text[section.whole.end..]));
        let again = sections(&built).map(|again| again.into_iter().find(|other| other.name == section.name));
        let Ok(Some(again)) = again else { panic!("{again:?} in {built:?}") };
        assert!(!again.is_edited(&built), "{built:?}");
        assert_eq!(splice(&built, Some(&again), &section.name, "## New\n\ntext"), built);
    }
}
