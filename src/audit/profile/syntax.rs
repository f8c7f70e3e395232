//! The syntax of each generator's pages, from its name and the settings that change it.

use super::{Flavor, settings};
use crate::audit::document::{Construct, Syntax};
use crate::markdown::slug::{Dialect, Slugify};

use Construct as C;

const GITHUB: Syntax = Syntax::new(Dialect::Github).with(&[C::Math, C::NodeText]);

const MDBOOK: Syntax = Syntax {
    include_marks: &["{{#include "],
    ..Syntax::new(Dialect::Mdbook).with(&[C::HeadingIds, C::Includes, C::DefinitionLists])
};

/// MkDocs with every extension that changes what a link is; whoever knows the list takes the others away.
const MKDOCS: Syntax = Syntax {
    include_marks: &["--8<-- "],
    // mkdocstrings and its like, Jinja of plug-ins.
    composed_marks: &["\n::: ", "\n{%", "\n{{"],
    ..Syntax::new(Dialect::MKDOCS).with(&[
        C::HeadingIds,
        C::AttributeLists,
        C::Includes,
        C::FootnoteIds,
        C::Admonitions,
        C::Tabs,
        C::LooseDefinitions,
        C::LooseDestinations,
        C::RawHtml,
        C::DefinitionLists,
    ])
};

const DOCUSAURUS: Syntax = Syntax {
    include_marks: &["import "],
    ..Syntax::new(Dialect::GithubSlugger).with(&[C::HeadingIds, C::CommentIds, C::Includes, C::Mdx, C::Containers])
};

const MINTLIFY: Syntax = Syntax {
    include_marks: &["import "],
    ..Syntax::new(Dialect::GithubSlugger).with(&[C::HeadingIds, C::ComponentTitles, C::Includes, C::Mdx])
};

const DOCFX: Syntax = Syntax::new(Dialect::GithubSlugger).with(&[C::HeadingIds, C::Includes, C::Containers]);

const HUGO: Syntax = Syntax {
    // Shortcodes whose result is Markdown, and those that bring other pages in.
    composed_marks: &["{{%", "{{< include", "{{< readfile", "{{< partial"],
    ..Syntax::new(Dialect::GithubSlugger).with(&[
        C::HeadingIds,
        C::AttributeLists,
        C::FootnoteIds,
        C::Shortcodes,
        C::DefinitionLists,
    ])
};

/// A generator of which nothing is known: names of any of them.
const RECOGNISED: Syntax = Syntax::new(Dialect::Github).with(&[C::HeadingIds, C::AttributeLists, C::FootnoteIds]);

/// Returns the syntax of a renderer without settings.
pub(super) const fn of_flavor(flavor: Flavor) -> Syntax {
    match flavor {
        Flavor::Github => GITHUB,
        Flavor::Mdbook => MDBOOK,
        Flavor::Mkdocs => MKDOCS,
        Flavor::Docusaurus => DOCUSAURUS,
        Flavor::Mintlify => MINTLIFY,
        Flavor::Docfx => DOCFX,
        Flavor::Hugo => HUGO,
    }
}

/// Returns the syntax of a generator that has no profile.
pub(super) fn of_generator(name: &str) -> Syntax {
    let slugger = Syntax { dialect: Dialect::GithubSlugger, ..RECOGNISED };
    match name {
        "Astro" => slugger.with(&[C::MdxFiles, C::Containers]),
        "Next.js" | "Fumadocs" | "Gatsby" => slugger.with(&[C::MdxFiles]),
        "Rspress" => slugger.with(&[C::MdxFiles, C::Containers]),
        "VitePress" | "VuePress" => Syntax { dialect: Dialect::MditVue, ..RECOGNISED }.with(&[C::Containers]),
        "Sphinx" | "Jupyter Book" => RECOGNISED.with(&[C::Directives, C::Containers, C::Math, C::DefinitionLists]),
        "Jekyll" => RECOGNISED.with(&[C::Liquid, C::DefinitionLists]),
        "Hugo" => HUGO,
        "Wiki" => RECOGNISED.with(&[C::WikiLinks, C::Math]),
        "Obsidian" => RECOGNISED.with(&[C::WikiLinks, C::Math]),
        "Quarto" => RECOGNISED.with(&[C::Containers, C::Math, C::DefinitionLists]),
        "GitLab" => GITHUB,
        _ => RECOGNISED,
    }
}

/// Takes away what the extensions of a `mkdocs.yml` do not have, and reads the settings of `toc`.
pub(super) fn mkdocs(text: &str) -> Syntax {
    // Another file may have more of them.
    if text.lines().any(|line| line.starts_with("INHERIT:")) {
        return MKDOCS;
    }
    let extensions = settings::list(text, "markdown_extensions");
    let has = |names: &[&str]| {
        extensions.iter().any(|of| names.contains(&of.trim_start_matches("markdown.extensions.")))
            || ["extra", "markdown.extensions.extra", "pymdownx.extra"].iter().any(|of| extensions.contains(of))
                && names.iter().any(|name| EXTRA.contains(name))
    };
    let mut syntax = MKDOCS;
    for (construct, names) in [
        (C::AttributeLists, &["attr_list"] as &[&str]),
        (C::Admonitions, &["admonition", "pymdownx.details"]),
        (C::Tabs, &["pymdownx.tabbed"]),
        (C::FootnoteIds, &["footnotes"]),
        (C::DefinitionLists, &["def_list"]),
    ] {
        if !has(names) {
            syntax = syntax.without(&[construct]);
        }
    }
    Syntax { dialect: toc(text), ..syntax }
}

/// What the extension `extra` stands for.
const EXTRA: [&str; 4] = ["attr_list", "footnotes", "def_list", "md_in_html"];

/// The settings `separator` and `slugify` of the extension `toc`.
fn toc(text: &str) -> Dialect {
    let mut lines = text.lines().skip_while(|line| {
        let name = line.trim_start().trim_start_matches("- ").trim_end();
        !matches!(name, "toc:" | "markdown.extensions.toc:" | "'toc':" | "\"toc\":")
    });
    let Some(first) = lines.next() else { return Dialect::MKDOCS };
    let depth = first.len() - first.trim_start().len();
    let inside: Vec<&str> =
        lines.take_while(|line| line.trim().is_empty() || line.len() - line.trim_start().len() > depth).collect();
    let inside = inside.join("\n");
    let separator = settings::scalars(&inside, "separator").next().and_then(|value| value.chars().next());
    let slugify = match settings::scalars(&inside, "slugify").next() {
        Some(name) if name.contains("slugify_unicode") => Slugify::Unicode,
        Some(name) if name.contains("pymdownx.slugs.uslugify") => Slugify::PymdownxLower,
        Some(name) if name.contains("pymdownx.slugs.slugify") => match inside.contains("case: lower") {
            true => Slugify::PymdownxLower,
            false => Slugify::Pymdownx,
        },
        _ => Slugify::Ascii,
    };
    Dialect::PythonMarkdown { slugify, separator: separator.unwrap_or('-') }
}

/// Whether `slugify` names a function that [`toc`] does not know.
pub(super) fn has_own_slugify(text: &str) -> bool {
    settings::scalars(text, "slugify").any(|name| !name.contains("slugify_unicode") && !name.contains("pymdownx.slugs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_of_mkdocs() {
        let syntax = mkdocs("markdown_extensions: [admonition, pymdownx.tabbed]\n");
        assert!(syntax.has(C::Admonitions) && syntax.has(C::Tabs) && !syntax.has(C::AttributeLists));
        assert!(mkdocs("INHERIT: base.yml\n").has(C::AttributeLists));
        assert!(mkdocs("markdown_extensions:\n  - extra\n").has(C::DefinitionLists));
    }

    #[test]
    fn names_of_headings_in_mkdocs() {
        let text = "plugins:\n  - search:\n      separator: x\nmarkdown_extensions:\n  - toc:\n      permalink: true\n      separator: \"_\"\n  - a\n";
        let dialect = |slugify, separator| Dialect::PythonMarkdown { slugify, separator };
        assert_eq!(toc(text), dialect(Slugify::Ascii, '_'));
        let text = "markdown_extensions:\n  - toc:\n      slugify: !!python/object/apply:pymdownx.slugs.slugify\n        kwds:\n          case: lower\n";
        assert_eq!(toc(text), dialect(Slugify::PymdownxLower, '-'));
        assert!(!has_own_slugify(text) && has_own_slugify("  slugify: !!python/name:mine.slug\n"));
        assert_eq!(toc("site_name: x\n"), Dialect::MKDOCS);
    }
}
