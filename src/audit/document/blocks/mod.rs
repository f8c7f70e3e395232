//! Blocks that a renderer has and CommonMark lacks, made into what a parser of CommonMark takes the same way. Text in; a
//! text and where each part of it comes from out. What a block hides is left out, what it shows as Markdown is a block of
//! its own. Most documents have none of them: a search for the mark of each is all that they pay.

mod containers;
mod lines;
mod liquid;
mod map;
mod mdx;
mod myst;
mod notes;
mod python;
mod shortcodes;
mod tags;
mod values;

use memchr::memmem;

use super::{Construct, Constructs, Syntax};
pub(in crate::audit) use liquid::POST;
use map::{Map, Writer};

/// A text as the parser is to see it.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// The text.
    pub(super) text: String,
    /// Names of places that a fragment can give, beside those that the parser finds.
    pub(super) names: Vec<String>,
    /// A build puts something into it that is not in it.
    pub(super) is_composed: bool,
    /// The last pass first.
    maps: Vec<Map>,
}

impl Rewritten {
    /// Returns the range of the original text from which a range of this one comes.
    pub(super) fn source(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.maps.iter().fold(range, |range, map| map.source(&range))
    }
}

/// The text around a JSX tag that makes it HTML anywhere.
pub(super) const TAG: (&str, &str) = ("<!--\u{1}", "-->");

const PYTHON: Constructs = Constructs::new(&[
    Construct::Admonitions,
    Construct::Tabs,
    Construct::LooseDefinitions,
    Construct::RawHtml,
    Construct::TightHeadings,
]);

/// Rewrites what the renderer takes otherwise than CommonMark; nothing where it takes all of it the same way.
pub(super) fn rewrite(text: &str, syntax: &Syntax) -> Option<Rewritten> {
    let has = |mark: &str| memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    let mut passes = Passes { done: None };
    if syntax.has(Construct::Shortcodes) && has("{{") {
        passes.run(text, &shortcodes::rewrite);
    }
    if syntax.has(Construct::Liquid) && (has("{%") || has("{{")) {
        passes.run(text, &liquid::rewrite);
    }
    if syntax.has(Construct::Mdx) {
        passes.run(text, &|writer| mdx::rewrite(writer, syntax));
    }
    if syntax.has(Construct::Directives) && (has("{") || has(")=") || has("\n%") || has("$$")) {
        passes.run(text, &myst::rewrite);
    }
    if syntax.has(Construct::PercentComments) && has("%%") {
        passes.run(text, &notes::comments);
    }
    if syntax.has(Construct::Diagrams) && has(":::") {
        passes.run(text, &notes::diagrams);
    }
    if syntax.has(Construct::ColonIds) && has(" :id=") {
        passes.run(text, &notes::ids);
    }
    if syntax.has(Construct::Containers) && has(":::") {
        passes.run(text, &containers::rewrite);
    }
    if syntax.has_any(PYTHON) && python::is_worth_it(text) {
        passes.run(text, &|writer| python::rewrite(writer, syntax));
    }
    passes.done
}

/// The passes so far.
struct Passes {
    done: Option<Rewritten>,
}

impl Passes {
    fn run(&mut self, text: &str, pass: &dyn Fn(&mut Writer<'_>)) {
        let source = self.done.as_ref().map_or(text, |done| &done.text);
        let mut writer = Writer::new(source);
        pass(&mut writer);
        let mut is_composed = writer.is_composed();
        let Some((text, map, names)) = writer.finish() else { return };
        let mut maps = vec![map];
        let mut all = names;
        if let Some(done) = self.done.take() {
            maps.extend(done.maps);
            all.extend(done.names);
            is_composed |= done.is_composed;
        }
        self.done = Some(Rewritten { text, names: all, is_composed, maps });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::slug::Dialect;

    fn rewritten(construct: &[Construct], text: &str) -> String {
        rewrite(text, &Syntax::new(Dialect::Github).with(construct)).map_or_else(|| text.to_owned(), |done| done.text)
    }

    #[test]
    fn passes_compose() {
        let syntax = Syntax::new(Dialect::Github).with(&[Construct::Mdx, Construct::Containers]);
        let text = "{/* x */}\n\n    :::tip\n    [a](b)\n    :::\n";
        let done = rewrite(text, &syntax).unwrap();
        let at = done.text.find("[a]").unwrap();
        assert_eq!(&text[done.source(at..at + 6)], "[a](b)");
    }

    #[test]
    fn plain_text_is_left_alone() {
        for construct in [Construct::Admonitions, Construct::Containers, Construct::Shortcodes, Construct::Liquid] {
            assert!(rewrite("# a\n\nb [c](d)\n", &Syntax::new(Dialect::Github).with(&[construct])).is_none());
        }
    }

    #[test]
    fn containers_and_directives() {
        let text = "x\n::: tip Title\n[r]: y\n:::\n```\n:::\n```\n";
        assert_eq!(rewritten(&[Construct::Containers], text), "x\n\nTitle\n\n[r]: y\n\n```\n:::\n```\n");
        let text = "(here)=\n# A\n\n```{note} T\n:class: x\n\n[a](b)\n```\n\n```{code-block} md\n[c](d)\n```\n";
        let done = rewrite(text, &Syntax::new(Dialect::Github).with(&[Construct::Directives])).unwrap();
        assert_eq!(done.names, ["here"]);
        assert!(done.text.contains("\nT\n\n\n\n[a](b)\n\n"), "{}", done.text);
        assert!(done.text.contains("```{code-block} md\n[c](d)\n```"), "{}", done.text);
    }

    #[test]
    fn lists_images_and_names_of_directives() {
        let myst = |text| rewrite(text, &Syntax::new(Dialect::Github).with(&[Construct::Directives])).unwrap();
        let done = myst("```{toctree}\n:glob:\n:caption: C\n\na\nB <b/c>\nself\nd/*\n```\ne\n");
        assert_eq!(done.text.split_whitespace().collect::<Vec<_>>(), ["[](<a>)", "[](<b/c>)", "e"]);
        let done = myst(":::{figure} x.png\n:name: Fig One\n\n[a](b)\n:::\n");
        assert_eq!(done.text.split_whitespace().collect::<Vec<_>>(), ["![](<x.png>)", "[a](b)"]);
        assert_eq!(done.names, ["fig one", "fig-one"]);
        assert!(!done.is_composed);
        let done = myst(":::{code-block} md\n:name: c\n# no heading\n:::\n\n$$\nx\n$$ (eq)\n");
        assert!(done.text.starts_with("~~~~~~~~\n:name: c\n# no heading\n~~~~~~~~\n"), "{}", done.text);
        assert_eq!(done.names, ["c", "eq", "equation-eq"]);
        assert_eq!(myst("$$\nx\n$$ (eq)\n").names, ["eq", "equation-eq"]);
        assert!(myst("```{automodule} x\n```\n").is_composed);
    }

    #[test]
    fn shortcodes_and_liquid() {
        let shortcodes = |text| rewritten(&[Construct::Shortcodes], text);
        assert_eq!(shortcodes("[a]({{< ref \"b.md#c\" >}}) {{% x y=\"[n](m)\" %}}"), "[a](b.md#c) {{}}");
        assert_eq!(shortcodes("{{< highlight md >}}\n[a](b)\n{{< /highlight >}}\nc"), "\nc");
        assert_eq!(shortcodes("[a]({{< param url >}}/x)"), "[a]({{}}/x)");
        let liquid = |text| rewritten(&[Construct::Liquid], text);
        assert_eq!(liquid("[a]({% link _posts/b.md %}) [b]({{ '/c' | relative_url }})"), "[a](/_posts/b.md) [b](/c)");
        assert_eq!(liquid("[a]({% post_url b %}) [c]({% link {{ d }}.md %})"), "[a]({%%}) [c]({%%})");
        assert_eq!(liquid("[a]({{ 'b/' | relative_url }}) [c]({{ 'd:e' | relative_url }})"), "[a](/b/) [c](/d:e)");
        assert_eq!(liquid("[a]({{ 'https://a.io' | relative_url }})"), "[a](https://a.io)");
        assert_eq!(liquid("{% comment %}[a](b){% endcomment %}c"), "c");
        assert_eq!(liquid("{% raw %}{{ x }} [a](b){% endraw %}"), "{{ x }} [a](b)");
    }
}
