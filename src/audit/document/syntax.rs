//! Which syntax the renderer of a page understands. A site fills it in from its generator and settings; the parser of
//! documents knows nothing else about a renderer.

use crate::markdown::slug::{Dialect, Slugify};

/// A part of a renderer's syntax that others lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Construct {
    /// `## x {#id}` names the heading.
    HeadingIds,
    /// `## x {/* #id */}` and `## x <!-- #id -->` name the heading (Docusaurus 3.10).
    CommentIds,
    /// `{: #id }`, `{ #id }` and `{ id=name }` name what they follow (`attr_list` of Python-Markdown, Goldmark, kramdown).
    AttributeLists,
    /// Titles of components are anchors (Mintlify).
    ComponentTitles,
    /// The text of another file becomes a part of the page: see [`Syntax::include_marks`].
    Includes,
    /// `!!! note`, `??? note`: the indented text below is Markdown (Python-Markdown).
    Admonitions,
    /// `=== "Tab"`: the indented text below is Markdown (`pymdownx.tabbed`).
    Tabs,
    /// A reference definition needs no blank line before it (Python-Markdown).
    LooseDefinitions,
    /// A footnote and its first reference have the ids `fn:x` and `fnref:x` (Python-Markdown, Goldmark, kramdown).
    FootnoteIds,
    /// A block of HTML goes on to its end tag. Its text is Markdown only where the tag has the attribute `markdown`
    /// (Python-Markdown).
    RawHtml,
    /// A destination may have blanks (Python-Markdown).
    LooseDestinations,
    /// Pages are MDX: components are containers, expressions are code, no code by indentation.
    Mdx,
    /// Files `*.mdx` are MDX, others are Markdown.
    MdxFiles,
    /// `{{< x >}}` and `{{% x %}}` (Hugo).
    Shortcodes,
    /// Terms of definition lists have ids (Hugo's `autoDefinitionTermID`).
    TermIds,
    /// `{% x %}` and `{{ x }}` (Jekyll).
    Liquid,
    /// Directives and roles: ```` ```{note} ````, `` {ref}`x` ``, `(target)=` (MyST).
    Directives,
    /// `::: tip`: the text up to `:::` is Markdown (VitePress, Docusaurus, Starlight, MyST).
    Containers,
    /// `$x$` and `$$x$$` are formulas.
    Math,
    /// `[[page#heading|text]]` is a link.
    WikiLinks,
    /// `--` in a heading is a dash before the heading is named (mdBook).
    SmartPunctuation,
    /// A heading is named by the text of its node as it is, blanks at its ends included (GitHub).
    NodeText,
    /// The text of an image is text of its heading, and so is the code of an expression (`mdast-util-to-string`).
    ImageText,
    /// `:name` in a heading is a directive without a text: Docusaurus shows it, and names the heading without it.
    TextDirectives,
    /// Footnotes have the ids of `remark-gfm`: `user-content-fn-1`, `user-content-fnref-1`, `footnote-label`.
    GfmFootnotes,
    /// `term` and `: definition` below it are a list of definitions.
    DefinitionLists,
    /// A heading in HTML has no name but an id of its own.
    NamelessHtml,
    /// `:name:` may be an emoji, which has no text (`pymdownx.emoji`, VitePress).
    Emoji,
    /// A heading needs no blank behind its marks, and may have none in front (Python-Markdown).
    TightHeadings,
    /// `%% text %%` is a comment (Obsidian).
    PercentComments,
    /// `::: mermaid` … `:::` is a diagram (Azure DevOps).
    Diagrams,
    /// `## x :id=y` names the heading (Docsify).
    ColonIds,
    /// A heading of the first level has no name, though it counts where names repeat (Docusaurus).
    NamelessTitles,
}

/// Some constructs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constructs(u64);

impl Constructs {
    /// Creates a set from a list.
    #[must_use]
    pub const fn new(constructs: &[Construct]) -> Self {
        let (mut bits, mut at) = (0_u64, 0);
        while at < constructs.len() {
            bits |= 1_u64 << constructs[at] as u8;
            at += 1;
        }
        Self(bits)
    }
}

/// The syntax of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// How headings are named.
    pub dialect: Dialect,
    /// The marks in front of the name of an included file, besides links.
    pub include_marks: &'static [&'static str],
    /// The marks of parts that a build adds to a page.
    pub composed_marks: &'static [&'static str],
    /// How tabs are named, where they have names (`slugify` of `pymdownx.tabbed`).
    pub tab_names: Option<TabNames>,
    /// The constructs of the renderer.
    pub constructs: Constructs,
}

/// The names of tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TabNames {
    /// The function.
    pub slugify: Slugify,
    /// The name of the heading above stands in front.
    pub combined: bool,
}

impl Syntax {
    /// Creates a syntax without any of the constructs.
    #[must_use]
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, include_marks: &[], composed_marks: &[], tab_names: None, constructs: Constructs(0) }
    }

    /// Returns the same syntax with more constructs.
    #[must_use]
    pub const fn with(mut self, constructs: &[Construct]) -> Self {
        self.constructs.0 |= Constructs::new(constructs).0;
        self
    }

    /// Returns the same syntax without some constructs.
    #[must_use]
    pub const fn without(mut self, constructs: &[Construct]) -> Self {
        self.constructs.0 &= !Constructs::new(constructs).0;
        self
    }

    /// Returns whether the renderer has a construct.
    #[must_use]
    pub const fn has(&self, construct: Construct) -> bool {
        self.constructs.0 & 1_u64 << construct as u8 != 0
    }

    /// Returns whether the renderer has any of some constructs.
    #[must_use]
    pub const fn has_any(&self, constructs: Constructs) -> bool {
        self.constructs.0 & constructs.0 != 0
    }

    /// Returns the syntax of one file of the site.
    #[must_use]
    pub fn of_file(self, path: &[u8]) -> Self {
        match self.has(Construct::MdxFiles) && path.ends_with(b".mdx") {
            true => self.with(&[Construct::Mdx]),
            false => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constructs_are_a_set() {
        let syntax = Syntax::new(Dialect::Github).with(&[Construct::Math, Construct::MdxFiles]);
        assert!(syntax.has(Construct::Math) && !syntax.has(Construct::Liquid));
        assert!(syntax.has_any(Constructs::new(&[Construct::Liquid, Construct::Math])));
        assert!(!syntax.without(&[Construct::Math]).has(Construct::Math));
        assert!(syntax.of_file(b"a/b.mdx").has(Construct::Mdx));
        assert!(!syntax.of_file(b"a/b.md").has(Construct::Mdx));
    }
}
