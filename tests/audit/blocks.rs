//! `mcp-kit audit-docs` on blocks that a renderer has and CommonMark lacks: links in them are looked at where the renderer
//! shows links, and names in them are there.

use crate::common::{outcome, tree};
use serde_json::Value;

/// The findings that are no notes: `path:line code`.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let place = tree(files);
    let output = place.run(&["audit-docs", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", outcome(&output)));
    let findings = report["findings"].as_array().unwrap().iter();
    let loud = findings.filter(|finding| finding["severity"] != "note" && finding["code"] != "orphan");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    loud.map(|finding| format!("{}:{} {}", text(finding, "path"), finding["line"], text(finding, "code"))).collect()
}

const MKDOCS: (&str, &str) = (
    "mkdocs.yml",
    "site_name: x\nmarkdown_extensions:\n  - admonition\n  - pymdownx.details\n  - pymdownx.superfences\n  - pymdownx.tabbed\n  - pymdownx.snippets\n  - footnotes\n  - attr_list\n  - md_in_html\n",
);

fn mkdocs(page: &str) -> Vec<String> {
    findings(&[MKDOCS, ("docs/index.md", page)])
}

#[test]
fn admonitions_and_tabs_hold_markdown() {
    let page = "# A\n\n[in](#in-it) [code](#not-a-heading)\n\n!!! note \"[t](gone-1.md)\"\n\n    ## In it\n\n    - item\n\n        ??? tip\n            [a](gone-2.md)\n\n    ```md\n    ## Not a heading\n    [c](gone-3.md)\n    ```\n\n=== \"T\"\n\n    [b](gone-4.md)\n\n        [d](gone-5.md)\n";
    let expected = ["3 broken-anchor", "5 broken-link", "12 broken-link", "21 broken-link"];
    assert_eq!(mkdocs(page), expected.map(|rest| format!("docs/index.md:{rest}")));
}

#[test]
fn code_that_shows_an_admonition_is_code() {
    assert_eq!(mkdocs("# A\n\n    !!! note\n        [a](gone.md)\n\n```\n!!! note\n    [b](gone.md)\n```\n"), [""; 0]);
    // Without the extension it is a paragraph and code.
    let plain = ("mkdocs.yml", "site_name: x\nmarkdown_extensions: [toc]\n");
    assert_eq!(findings(&[plain, ("docs/index.md", "# A\n\n!!! note\n\n    [a](gone.md)\n")]), [""; 0]);
}

#[test]
fn definitions_of_python_markdown_need_no_blank_line() {
    let page = "[a][b] and [c][d-e], see[^1].\n[b]: https://example.org\n\n[^1]: A note\n      of two lines.\n[d-e]: gone.md\n";
    assert_eq!(mkdocs(page), ["docs/index.md:1 broken-link"]);
}

#[test]
fn html_of_python_markdown_ends_with_its_tag() {
    let page = "<details>\n\n[a](gone.md)\n\n</details>\n\n<div markdown>\n[b](gone.md)\n</div>\n\n<details markdown=\"1\">\n<summary>S</summary>\n\n[c](gone.md)\n</details>\n";
    assert_eq!(mkdocs(page), ["docs/index.md:8 broken-link", "docs/index.md:14 broken-link"]);
}

#[test]
fn destinations_of_python_markdown_may_have_blanks() {
    assert_eq!(
        findings(&[MKDOCS, ("docs/index.md", "[a](my page.md) [b](no page.md)\n"), ("docs/my page.md", "# M\n")]),
        ["docs/index.md:1 broken-link"]
    );
}

#[test]
fn snippets_are_parts_of_their_pages() {
    let page = "# A\n\n[h](#from-the-part) [r][of-the-part] [n][of-none]\n\n--8<-- \"parts/a.md\"\n";
    let part = "## From the part\n\n[s](setup.md) [g](gone.md)\n\n[of-the-part]: https://example.org\n";
    let files = [MKDOCS, ("docs/index.md", page), ("docs/setup.md", "# S\n"), ("parts/a.md", part)];
    // A link that leads nowhere from any page is not judged.
    assert_eq!(findings(&files), ["docs/index.md:3 undefined-reference"]);
}

#[test]
fn names_of_headings_follow_the_settings_of_toc() {
    let settings = "site_name: x\nmarkdown_extensions:\n  - toc:\n      separator: _\n      slugify: !!python/object/apply:pymdownx.slugs.slugify\n        kwds:\n          case: lower\n";
    let page = "[a](#größe_der_welt) [b](#groe-der-welt)\n\n## Größe der Welt\n";
    assert_eq!(findings(&[("mkdocs.yml", settings), ("docs/index.md", page)]), ["docs/index.md:1 broken-anchor"]);
}

#[test]
fn what_is_no_emoji_keeps_its_name_as_often_as_it_is_there() {
    let settings = ("mkdocs.yml", "markdown_extensions:\n  - pymdownx.emoji\n");
    let page =
        "[a](#no_such) [b](#no_such_1) [c](#no_such_2) [d](#good)\n\n## :no_such:\n\n## :no_such:\n\n## Good :smile:\n";
    assert_eq!(findings(&[settings, ("docs/index.md", page)]), ["docs/index.md:1 broken-anchor"]);
}

fn docusaurus(page: &str) -> Vec<String> {
    findings(&[("docusaurus.config.js", "export default {};\n"), ("docs/a.mdx", page)])
}

#[test]
fn components_of_mdx_are_containers() {
    let page = "import T from './t';\nexport const x = {\n  a: '[a](gone.md)',\n\n};\n\n[f](#after-it) [c](#code)\n\n<T>\n  <T.Item value={[1]}>\n\n        [in](gone.md)\n\n  - item\n\n    ```md\n    ## Code\n\n    [no](gone.md)\n    ```\n\n  </T.Item>\n</T>\n\n## After it\n\n<p>[p](gone.md)</p>\n\n<Link to=\"gone.md\">l</Link>\n";
    let expected = ["7 broken-anchor", "12 broken-link", "27 broken-link", "29 broken-link"];
    assert_eq!(docusaurus(page), expected.map(|rest| format!("docs/a.mdx:{rest}")));
}

#[test]
fn attributes_of_own_components_are_not_judged() {
    let page = "import Own from '@site/src/own';\nimport {Card} from 'cards';\n\n<Own href=\"gone.md\" />\n\n<Card href=\"gone.md\" />\n\n<a href=\"gone.md\">g</a>\n";
    assert_eq!(docusaurus(page), ["docs/a.mdx:6 broken-link", "docs/a.mdx:8 broken-link"]);
}

#[test]
fn what_a_component_of_mdx_puts_on_its_page_can_be_named() {
    let page = "import Own, {Other} from '@site/src/own';\nimport Unused from '@site/src/computed';\n\n[a](#in-own) [b](#inside-of-it) [c](#nowhere)\n\n<Own/> <Other/>\n";
    let computed = "import Box from '../src/computed';\n\n[d](#may-be)\n\n<Box/>\n";
    let files = [
        ("docusaurus.config.js", "export default {};\n"),
        ("docs/a.mdx", page),
        ("docs/b.mdx", computed),
        ("src/own/index.tsx", "import Inner from './inner';\nexport default () => <h2 id=\"in-own\"><Inner/></h2>;\n"),
        ("src/own/inner.jsx", "export default () => <Heading as=\"h2\" id='inside-of-it' />;\n"),
        ("src/computed.js", "export default ({id}) => <p id={id} />;\n"),
    ];
    assert_eq!(findings(&files), ["docs/a.mdx:4 broken-anchor"]);
}

#[test]
fn examples_of_imports_are_code() {
    let page = "import Part from './_part.mdx';\n\n```jsx\nimport Gone from './_gone.mdx';\n```\n\n<Part/>\n";
    let files = [("docusaurus.config.js", "export default {};\n"), ("docs/a.mdx", page), ("docs/_part.mdx", "# P\n")];
    assert_eq!(findings(&files), [""; 0]);
    let page = "````md\n```{include} gone.md\n```\n````\n\n```{include} never.md\n```\n\n{doc}`b`\n";
    let conf = ("docs/conf.py", "extensions = [\"myst_parser\"]\n");
    let files = [conf, ("docs/index.md", page), ("docs/b.md", "# B\n\n{doc}`index`\n")];
    assert_eq!(findings(&files), ["docs/index.md:6 broken-link"]);
}

#[test]
fn parts_of_mdx_are_found_from_the_folder_of_the_settings() {
    let page = "import Part from '@site/docs/_part.mdx';\n\n[a](#in-the-part) [b](#in-no-part)\n\n<Part />\n";
    let files = [
        ("docusaurus.config.js", "export default {};\n"),
        ("docs/deep/a.mdx", page),
        ("docs/_part.mdx", "## In the part\n"),
    ];
    assert_eq!(findings(&files), ["docs/deep/a.mdx:3 broken-anchor"]);
}

#[test]
fn expressions_and_comments_of_mdx_are_no_text() {
    let page = "{/* [a](gone.md)\n\n[b](gone.md) */}\n\n[x](#one) [y](#two) [z](#three) `{` [c](gone.md)\n\n## A {/* #one */}\n\n## B <!-- #two -->\n\n## C {#three}\n\n:::note[T]\n[d]: https://example.org\n:::\n\n[e][d]{v}\n";
    assert_eq!(docusaurus(page), ["docs/a.mdx:5 broken-link"]);
}

#[test]
fn shortcodes_of_hugo_stand_for_destinations() {
    let page = "---\ntitle: x\n---\n[a][r] [b]({{< relref \"b.md\" >}}) [c]({{% param url %}}) [d]({{< ref \"/gone.md\" >}})\n\n[r]: {{< ref \"/b.md\" >}}\n\n{{< highlight md >}}\n[e](gone.md)\n{{< /highlight >}}\n";
    let terms = "---\ntitle: z\n---\n[t](#term-one) [u](#term-two)\n\nTerm one\n: Meaning\n";
    let settings = "baseURL = \"https://example.org\"\n[markup.goldmark.parser]\nautoDefinitionTermID = true\n";
    let other = "---\ntitle: y\n---\n";
    let files = [("hugo.toml", settings), ("content/a.md", page), ("content/b.md", other), ("content/t.md", terms)];
    assert_eq!(findings(&files), ["content/a.md:4 broken-link", "content/t.md:4 broken-anchor"]);
}

#[test]
fn formulas_of_github_hold_no_links() {
    let page = "$[a](b)$ and $$\nx[A](x) = 1\n$$\n\n```math\n[c](d)\n```\n\nIt costs $5, [see](gone.md) for $6.\n";
    assert_eq!(findings(&[("README.md", page)]), ["README.md:9 broken-link"]);
}

#[test]
fn what_github_shows_as_it_is_written_is_said() {
    let page = "[a](my page.md) (b)[my.md] f(x)[0] (see)[below] [^1] [^a-z] x[^gone]\n\nY[^note]\n\n[^note]: N\n";
    let files = [("README.md", page), ("my page.md", "# M\n"), ("my.md", "# M\n")];
    assert_eq!(
        findings(&files),
        ["malformed-link", "malformed-link", "undefined-reference", "undefined-reference"]
            .map(|code| format!("README.md:1 {code}"))
    );
}

#[test]
fn what_github_shows_as_it_is_written_can_be_fixed() {
    let place = tree(&[("README.md", "[a](my page.md) (b)[my.md]\n"), ("my page.md", ""), ("my.md", "")]);
    place.ok(&["audit-docs", "--fix", "--allow-dirty"]);
    assert_eq!(place.read("README.md"), "[a](<my page.md>) [b](my.md)\n");
}

#[test]
fn repeated_headings_of_github_are_counted_by_name() {
    let page = "[a](#foo-1) [b](#foo-1-1)\n\n## foo\n\n## foo\n\n## foo 1\n";
    assert_eq!(findings(&[("README.md", page)]), ["README.md:1 broken-anchor"]);
}

#[test]
fn dashes_of_mdbook_are_made_before_names() {
    let files = [
        ("book.toml", "[output.html]\nsmart-punctuation = true\n"),
        ("src/SUMMARY.md", "- [A](a.md)\n"),
        ("src/a.md", "# A\n\n[a](#b--c) [b](#b----c)\n\n## B -- c\n"),
    ];
    assert_eq!(findings(&files), ["src/a.md:3 broken-anchor"]);
}
