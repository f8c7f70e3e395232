//! `mcp-kit audit-docs` in trees for other renderers: what is not known is not judged, counted, and said.

use std::fs;
use std::process::Command;

use crate::common::{Place, outcome};
use serde_json::Value;

fn tree(files: &[(&str, &str)]) -> Place {
    let place = Place::new();
    for (path, text) in files {
        let path = place.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    let output = place.run(&[&["audit-docs", "--format", "json"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome(&output)))
}

fn errors(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    findings.map(|finding| format!("{}:{} {}", finding["path"], finding["line"], finding["target"])).collect()
}

/// The generator of each site in the report, with its folder.
fn sites(report: &Value) -> Vec<String> {
    let text = |site: &Value, key: &str| site[key].as_str().unwrap().to_owned();
    let sites = report["sites"].as_array().unwrap().iter();
    sites.map(|site| format!("{} in {:?}", text(site, "generator"), text(site, "folder"))).collect()
}

const PAGE: &str = "[a](/guide/setup/) [b](./setup) [c](../setup/#first-run) [d](#made-by-a-plugin)\n";

#[test]
fn a_recognised_generator_is_not_judged_by_githubs_rules() {
    for (mark, page, expected) in [
        ("site/astro.config.mjs", "site/src/content/docs/index.mdx", "Astro in \"site/src/content\""),
        ("docs/.vuepress/config.js", "docs/guide/README.md", "VuePress in \"docs\""),
        ("docs/_quarto.yml", "docs/index.md", "Quarto in \"docs\""),
        ("docs/_sidebar.md", "docs/guide.md", "Docsify in \"docs\""),
        ("docs/antora.yml", "docs/a.md", "Antora in \"docs\""),
        ("next.config.ts", "content/a.md", "Next.js in \"\""),
        ("web/gatsby-config.js", "web/content/a.md", "Gatsby in \"web/content\""),
        ("web/.eleventy.js", "web/a.md", "Eleventy in \"web\""),
        (".gitbook.yaml", "docs/a.md", "GitBook in \"\""),
        ("docs/sources/_index.md", "docs/sources/a.md", "Hugo in \"docs/sources\""),
    ] {
        let place = tree(&[(mark, ""), (page, PAGE), ("README.md", "[gone](gone.md)\n")]);
        let report = json(&place, &[]);
        assert_eq!(errors(&report), ["\"README.md\":1 \"gone.md\""], "{mark}");
        assert!(sites(&report).iter().any(|site| site == expected), "{mark}: {:?}", sites(&report));
        assert_eq!(report["not_judged"], 4, "{mark}: {}", report["sites"]);
    }
}

#[test]
fn a_file_of_the_same_name_is_no_generators() {
    for (path, text) in
        [("conf.py", "x = 1\n"), ("index.html", "<p>x</p>\n"), ("_config.yml", "theme: x\n"), ("a/_default/x.md", "")]
    {
        let place = tree(&[(path, text), ("README.md", "[a](/guide/)\n")]);
        assert_eq!(errors(&json(&place, &[])), ["\"README.md\":1 \"/guide/\""], "{path}");
    }
}

#[test]
fn several_generators_each_for_its_folder() {
    let place = tree(&[
        ("mkdocs.yml", "site_name: x\n"),
        ("docs/index.md", "[a](nope.md)\n"),
        ("web/astro.config.mjs", ""),
        ("web/src/content/a.md", "[a](/x/)\n"),
        ("web/README.md", "[a](nope.md)\n"),
    ]);
    let report = json(&place, &[]);
    assert_eq!(errors(&report), ["\"docs/index.md\":1 \"nope.md\"", "\"web/README.md\":1 \"nope.md\""]);
    assert_eq!(sites(&report), ["Astro in \"web/src/content\"", "MkDocs in \"docs\"", "GitHub in \"\""]);
}

#[test]
fn what_git_ignores_is_made_by_a_build_of_a_site_and_gone_on_github() {
    let files = [
        (".gitignore", "/docs/cli.md\n/local.md\n/notes/\n"),
        ("mkdocs.yml", "site_name: x\n"),
        ("docs/index.md", "[a](cli.md#x) [b](gone.md)\n"),
        ("docs/cli.md", "# Not in a fresh clone\n"),
        ("README.md", "[c](local.md) [d](local.md#x) [e](notes/a.md)\n"),
        ("notes/a.md", "# Only on this disk\n"),
        ("local.md", "# Only on this disk\n"),
    ];
    let place = tree(&files);
    let git = |arguments: &[&str]| {
        let status = Command::new("git").current_dir(place.path(".")).args(arguments).status().unwrap();
        assert!(status.success());
    };
    git(&["init", "-q", "."]);
    git(&["add", "-A"]);
    let here = json(&place, &[]);
    assert_eq!(errors(&here), ["\"README.md\":1 \"local.md\"", "\"docs/index.md\":1 \"gone.md\""]);
    assert_eq!(here["not_judged"], 1);
    let said = "git ignores this target, so no clone has it; the same goes for local.md#x, notes/a.md";
    assert_eq!(here["findings"][0]["message"], said, "{here}");
    // A fresh clone has the same report.
    fs::remove_file(place.path("docs/cli.md")).unwrap();
    fs::remove_file(place.path("local.md")).unwrap();
    fs::remove_dir_all(place.path("notes")).unwrap();
    let clone = json(&place, &[]);
    assert_eq!(clone["findings"], here["findings"]);
    assert_eq!(clone["not_judged"], 1);
}

#[test]
fn plug_ins_and_render_hooks_leave_links_open() {
    let mkdocs = tree(&[
        ("mkdocs.yml", "plugins:\n  - mkdocstrings:\n      x: y\n"),
        (
            "docs/index.md",
            "[a][pkg.models.Model] [b][] [c](api.md#made) [d](api.md#gone) [e](x.md#gone)\n\n[q]: x.md\n",
        ),
        ("docs/api.md", "# Api\n\n::: pkg.models\n"),
        ("docs/x.md", "# X\n"),
    ]);
    let report = json(&mkdocs, &[]);
    assert_eq!(errors(&report), ["\"docs/index.md\":1 \"x.md#gone\""]);
    let hugo = tree(&[
        ("hugo.toml", ""),
        ("layouts/_default/_markup/render-link.html", ""),
        ("content/_index.md", "[a](g) [b](/x/)\n"),
    ]);
    assert_eq!(errors(&json(&hugo, &[])), [""; 0]);
}

#[test]
fn the_profile_is_explained() {
    let place = tree(&[
        ("mkdocs.yml", "docs_dir: text\n"),
        ("text/index.md", "# A\n\n[a](/x/)\n"),
        ("web/astro.config.mjs", ""),
        ("web/src/content/a.md", "[a](/x/) [b](/y/)\n"),
    ]);
    insta::assert_snapshot!("explain_profile", outcome(&place.run(&["audit-docs", "--explain-profile"])));
}

#[test]
fn a_strict_profile_fails_on_what_is_not_judged() {
    let place = tree(&[("astro.config.mjs", ""), ("src/content/a.md", "[a](/x/)\n")]);
    assert_eq!(place.run(&["audit-docs"]).status.code(), Some(0));
    let strict = place.run(&["audit-docs", "--strict-profile"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&strict.stderr).contains("1 link not judged"), "{}", outcome(&strict));
    let all_judged = tree(&[("README.md", "# A\n\n[a](#a)\n")]);
    assert_eq!(all_judged.run(&["audit-docs", "--strict-profile"]).status.code(), Some(0));
}

#[test]
fn a_fix_is_certain_only_where_its_link_resolves() {
    for (files, certain) in [
        // The only file of that name lacks the heading.
        (&[("README.md", "[a](ref/cli.md#pin)\n"), ("docs/auth/cli.md", "# Sign in\n")][..], false),
        (&[("README.md", "[a](ref/cli.md#pin)\n"), ("docs/auth/cli.md", "# Pin\n")], true),
        // An address is no page's path with a slash.
        (&[("README.md", "[a](guide/polling/)\n"), ("guide/polling.md", "# P\n")], true),
        // Nothing says what `/` is.
        (&[("README.md", "[a](/img/x.png)\n"), ("public/img/x.png", "")], false),
        // Two files fit.
        (&[("docs/a.md", "[a](x/b.md)\n"), ("x/b.md", ""), ("docs/y/x/b.md", "")], false),
    ] {
        let report = json(&tree(files), &[]);
        let findings = report["findings"].as_array().unwrap();
        let fixes: Vec<_> = findings.iter().filter(|finding| finding["fixable"] == true).collect();
        assert_eq!(fixes.len(), usize::from(certain), "{files:?}: {findings:?}");
        assert!(!report["findings"].to_string().contains(".md/"), "{files:?}");
    }
}

#[test]
fn other_checkouts_and_vendored_trees_are_left_alone() {
    let place = tree(&[
        ("README.md", "[a](gone.md)\n"),
        ("wt/feature/.git", "gitdir: /nowhere\n"),
        ("wt/feature/a.md", "[a](gone.md)\n"),
        ("vendor/modules.txt", ""),
        ("vendor/example.net/lib/README.md", "[a](gone.md)\n"),
    ]);
    assert_eq!(errors(&json(&place, &[])), ["\"README.md\":1 \"gone.md\""]);
    // Who names one wants it audited.
    assert_eq!(errors(&json(&place, &["vendor/example.net"])).len(), 1);
}

#[test]
fn headings_with_images_are_named_as_github_does() {
    let place = tree(&[
        (
            "README.md",
            "[a](#-setup) [b](#status-) [c](#setup) [d](#status)\n\n## ![x](x.png) Setup\n\n## Status ![y](x.png)\n",
        ),
        ("x.png", ""),
    ]);
    assert_eq!(errors(&json(&place, &[])), ["\"README.md\":1 \"#setup\"", "\"README.md\":1 \"#status\""]);
}

#[test]
fn what_all_contributors_writes_is_no_mistake() {
    let table = "<!-- ALL-CONTRIBUTORS-LIST:START -->\n<table><a href=\"#code-ann\">x</a></table>\n<!-- ALL-CONTRIBUTORS-LIST:END -->\n\n<a href=\"#gone\">y</a>\n";
    assert_eq!(errors(&json(&tree(&[("README.md", table)]), &[])), ["\"README.md\":5 \"#gone\""]);
}
