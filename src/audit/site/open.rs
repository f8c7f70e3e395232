//! Links of a site that cannot be judged, and why. A link whose meaning depends on something unknown is not an error:
//! it is counted.

/// How a link is written, as far as that decides whether it can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Form {
    /// With `/` in front: `/guide/setup`, `/img/x.png`.
    Absolute,
    /// Relative, without an ending: `setup`, `../guide/setup`.
    Bare,
    /// Relative, by address: `../setup/`, `setup.html`.
    Address,
    /// The path of a document: `../setup.md`.
    Page,
    /// The path of another file: `img/x.png`.
    File,
    /// The place in a page that a fragment names.
    Anchor,
    /// `[text][label]` without a definition.
    Reference,
    /// `#x` alone, where a site has labels that hold for all pages.
    Label,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Absolute, Self::Bare, Self::Address, Self::Page, Self::File, Self::Anchor, Self::Reference, Self::Label];

    /// Returns the form of a path, which is not empty.
    #[must_use]
    pub fn from_path(path: &[u8]) -> Self {
        if path.starts_with(b"/") {
            return Self::Absolute;
        }
        let name = &path[memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1)..];
        if matches!(name, b"" | b"." | b"..") {
            return Self::Address;
        }
        let Some(dot) = memchr::memrchr(b'.', name) else { return Self::Bare };
        let ending = &name[dot + 1..];
        // `v1.2` and `a.b c` have no ending.
        let is_ending = !ending.is_empty()
            && ending.iter().all(u8::is_ascii_alphanumeric)
            // `module.Class` is a name of a program.
            && (ending.len() <= 5 || !ending.iter().any(u8::is_ascii_uppercase))
            && ending.iter().any(u8::is_ascii_alphabetic);
        if !is_ending || is_dotted(path, name) {
            return Self::Bare;
        }
        if ending.eq_ignore_ascii_case(b"html") || ending.eq_ignore_ascii_case(b"htm") {
            return Self::Address;
        }
        if crate::audit::walk::is_markdown(name) { Self::Page } else { Self::File }
    }

    /// The name in the JSON report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absolute => "absolute",
            Self::Bare => "without-ending",
            Self::Address => "address",
            Self::Page => "page",
            Self::File => "file",
            Self::Anchor => "anchor",
            Self::Reference => "reference",
            Self::Label => "label",
        }
    }

    /// Returns the name for `count` of them.
    #[must_use]
    pub const fn noun(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Absolute, 1) => "link with / in front",
            (Self::Absolute, _) => "links with / in front",
            (Self::Bare, 1) => "link without an ending",
            (Self::Bare, _) => "links without an ending",
            (Self::Address, 1) => "link by address",
            (Self::Address, _) => "links by address",
            (Self::Page, 1) => "link to a Markdown file",
            (Self::Page, _) => "links to Markdown files",
            (Self::File, 1) => "link to a file",
            (Self::File, _) => "links to files",
            (Self::Anchor, 1) => "anchor",
            (Self::Anchor, _) => "anchors",
            (Self::Reference, 1) => "reference",
            (Self::Reference, _) => "references",
            (Self::Label, 1) => "label",
            (Self::Label, _) => "labels",
        }
    }
}

/// Returns whether a path that looks like a file's may be a label: `schema.config` has the ending of a file that people also use as a word.
pub(super) fn may_be_label(path: &[u8]) -> bool {
    const WORDS: &str = "ac ai am as asc asm base bat bib bin canvas cat class conf config crt cs cue db diff dot eg el env eot ex fs gem go \
        gz hs img in iso jar jl key lock log lua m map mk mm mod nim nix org patch pem pl pm proto ps pt pub r rb rs s sig sql sum swift \
        table tera tpl ts v vim war wat zig";
    let mut parts = path.rsplit(|byte| *byte == b'.');
    let ending = parts.next().unwrap_or_default();
    let is_word = |part: &[u8]| {
        !part.is_empty() && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-')
    };
    WORDS.split(' ').any(|word| word.as_bytes() == ending) && path.len() > ending.len() && parts.all(is_word)
}

/// Returns whether a path is a name of a program or a rule and no file's: `django.apps.AppConfig.ready`, `items.fn`.
fn is_dotted(path: &[u8], name: &[u8]) -> bool {
    const ENDINGS: &str = "md mdx markdown mdown html htm rst txt adoc org textile tex bib log pdf ps eps epub doc docx odt rtf ppt pptx xls xlsx csv \
        tsv png jpg jpeg gif svg webp avif bmp ico tiff tif heic psd ai fig sketch drawio puml plantuml dot gv mmd canvas base mp3 mp4 mov \
        mkv webm ogg wav flac zip gz bz2 xz zst tar tgz 7z deb rpm apk dmg msi exe jar war whl bin dat img iso json jsonl json5 jsonc yml \
        yaml toml xml xsd xsl ini cfg conf config env properties plist lock sum mod map js mjs cjs jsx ts mts cts tsx vue svelte astro css \
        scss sass less wasm py pyi ipynb rb erb rs go java kt kts scala groovy gradle c h cc cpp cxx hpp hh cs fs vb m mm swift dart php pl \
        pm lua r rmd qmd jl hs ex exs erl clj el vim zig nim nix asm s sh bash zsh fish bat cmd psm1 sql graphql gql proto thrift \
        hcl tf tfvars rego cue bazel bzl cmake mk am ac m4 in tpl tmpl j2 tera liquid hbs ejs pug patch diff pem crt key csr pub asc sig \
        woff woff2 ttf otf eot db sqlite parquet onnx h5 pt csproj sln rss atom ics";
    let is_known = |ending: &[u8]| ENDINGS.split(' ').any(|known| known.as_bytes().eq_ignore_ascii_case(ending));
    let is_word = |part: &[u8]| {
        part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let mut parts = name.rsplit(|byte| *byte == b'.');
    path.len() == name.len() && parts.next().is_some_and(|ending| !is_known(ending)) && parts.all(is_word)
}

/// Some forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forms(u8);

impl Forms {
    /// None.
    pub const NONE: Self = Self(0);
    /// Whatever only a site's addresses can tell: absolute, without ending, by address.
    pub const ADDRESSES: Self = Self::new(&[Form::Absolute, Form::Bare, Form::Address]);
    /// The same, and the names of headings.
    pub const ADDRESSES_AND_ANCHORS: Self = Self::ADDRESSES.and(Form::Anchor);
    /// Every link; references are none.
    pub const LINKS: Self = Self::ADDRESSES_AND_ANCHORS.and(Form::Page).and(Form::File);

    /// From a list.
    #[must_use]
    pub const fn new(forms: &[Form]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < forms.len() {
            bits |= 1 << forms[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// With one more.
    #[must_use]
    pub const fn and(self, form: Form) -> Self {
        Self(self.0 | 1 << form as u8)
    }

    /// Returns whether a form is among them.
    #[must_use]
    pub const fn has(self, form: Form) -> bool {
        self.0 & 1 << form as u8 != 0
    }
}

/// Something about a site that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The links that depend on it.
    pub forms: Forms,
    /// Why they are not judged: a clause behind "because".
    pub why: String,
    /// The remedy that makes the audit judge them, in the imperative, or an empty text.
    pub remedy: &'static str,
    /// Only where files are looked for is unknown, not which there are: what has a name that no file has is nowhere.
    pub keeps_names: bool,
}

/// Why a link is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The unknown fact about the site: its number in the list.
    Open(u8),
    /// Git ignores the target: a build makes it.
    Ignored,
    /// The page has parts that the build puts there.
    Composed,
    /// The published site may have it from somewhere else.
    Published,
    /// Some page's front matter or name fits the last part of the address, and only the generator knows the rest.
    Address,
    /// The README of the folder is in a markup that is not read.
    Markup,
    /// The heading has this name in braces, which another renderer reads.
    Braced,
    /// The profile itself is doubtful: nearly all links of this form are broken by it.
    Doubtful,
}

impl Cause {
    /// A clause behind "because", where the site has no own.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Open(_) => "",
            Self::Ignored => "git ignores their targets, so a build makes them",
            Self::Composed => "the build puts parts into these pages",
            Self::Published => "the published site may have them from elsewhere",
            Self::Address => "only the generator knows the addresses of its pages",
            Self::Markup => "their README is not in Markdown",
            Self::Braced => "headings have these names in braces, which are for another renderer",
            Self::Doubtful => "the profile is doubtful",
        }
    }

    /// The remedy that makes the audit judge it, in the imperative, or an empty text.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Open(_) | Self::Composed | Self::Published | Self::Address | Self::Markup => "",
            Self::Ignored => "run the build, and commit what it makes or name it with git add --force",
            Self::Braced | Self::Doubtful => {
                "name the renderer: audit.flavor or audit.flavors in catalog.yaml, or --flavor"
            }
        }
    }

    /// The name in the JSON report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open(_) => "unknown",
            Self::Ignored => "ignored-by-git",
            Self::Composed => "composed-page",
            Self::Published => "published-elsewhere",
            Self::Address => "address",
            Self::Markup => "other-markup",
            Self::Braced => "name-in-braces",
            Self::Doubtful => "doubtful-profile",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_paths() {
        for (path, form) in [
            ("/guide/setup.md", Form::Absolute),
            ("setup", Form::Bare),
            ("../v1.2", Form::Bare),
            ("setup/", Form::Address),
            ("..", Form::Address),
            ("setup.html", Form::Address),
            ("setup.mdx", Form::Page),
            ("img/x.png", Form::File),
            ("a.properties", Form::File),
            ("package.module.Class1", Form::Bare),
            ("django.apps.AppConfig.ready", Form::Bare),
            ("wagtail.blocks.Block", Form::Bare),
            ("x/a.b.c", Form::File),
            ("a.min.js", Form::File),
            ("items.fn", Form::Bare),
            (".eslintrc", Form::File),
        ] {
            assert_eq!(Form::from_path(path.as_bytes()), form, "{path}");
        }
    }

    #[test]
    fn words_that_are_endings_too_may_end_a_label() {
        for (path, expected) in [
            ("schema.config", true),
            ("tool.env.key", true),
            ("config", false),
            (".env", false),
            ("a/b.config", false),
            ("data.csv", false),
            ("logo.png", false),
            ("more.md", false),
        ] {
            assert_eq!(may_be_label(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn forms_are_a_set() {
        let forms = Forms::new(&[Form::Bare, Form::Reference]);
        assert_eq!(Form::ALL.map(|form| forms.has(form)), [false, true, false, false, false, false, true, false]);
        assert!(Form::ALL.iter().all(|form| !Forms::NONE.has(*form)));
    }
}
