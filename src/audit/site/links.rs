//! How links resolve, one set of rules for each generator. Plain data: `resolve` reads it, and knows no generator by name.

/// The meaning of a destination that is missing in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Nothing: it is broken.
    Nothing,
    /// A page of the published site that is made elsewhere; it cannot be judged.
    Site,
}

/// The meaning of an address without a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Pages have no addresses besides their paths.
    None,
    /// Only the generator knows: where the last part fits some page, it is not judged.
    Loose,
    /// The model has them all.
    Exact,
}

/// Where the pages of a site end: a document beyond has no page, though it is in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagesEnd {
    /// It is not known, or decided by the output of the build.
    Unknown,
    /// With the site's folder.
    Folder,
    /// With the folders of content.
    Content,
}

/// Where files are looked for by their names alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByName {
    /// Nowhere.
    No,
    /// Everywhere below the site, with or without the ending of a note.
    Anywhere,
    /// The same for some ways to write a link that cannot be told from others: what is found is not judged.
    Perhaps,
    /// As everywhere, and a hyphen is a blank: wikis.
    Hyphenated,
}

/// How a renderer takes links.
#[derive(Debug)]
pub struct Links {
    /// It is a repository's host: what it shows are files, and git says which exist.
    pub is_host: bool,
    /// Endings that may be left out.
    pub endings: &'static [&'static str],
    /// `x.html` is made of `x.md`.
    pub html_is_markdown: bool,
    /// The source of a page may be named with the other ending of Markdown and MDX.
    pub md_is_mdx: bool,
    /// `index.md` is `README.md`, if there is no other.
    pub readme_is_index: bool,
    /// `README.md` is `index.md`, if there is no other.
    pub index_is_readme: bool,
    /// Files that stand for their folder, the first one found.
    pub index: &'static [&'static str],
    /// Relative destinations other than paths of documents may be meant from the page's address, which is a folder: `../x` beside
    /// `a/b.md` is `a/x`.
    pub pages_are_folders: bool,
    /// Relative destinations may be meant from the site's root.
    pub root_relative: bool,
    /// The mark in front of a path from the folder of the site's settings: `~/`, `@site/`. `None` where there is no such mark.
    pub folder_mark: Option<&'static str>,
    /// The prefixes of destinations that a build resolves by its own settings: `@/`, `~/`.
    pub aliases: &'static [&'static str],
    /// Files are found by their names.
    pub by_name: ByName,
    /// A destination may be the label of a place on any page.
    pub labels: bool,
    /// A link to a folder leads somewhere.
    pub folders: bool,
    /// A folder of the site leads somewhere only where it has a page.
    pub folders_are_pages: bool,
    /// `x/index` is no address of the page of `x`, though its document is called so.
    pub index_is_nameless: bool,
    /// `x/` is the folder `x` with a page, and never `x.md`.
    pub slash_is_folder: bool,
    /// The meaning of an address without a page.
    pub addresses: Addresses,
    /// A page is found by its fragment whatever the case.
    pub forgives_case: bool,
    /// Paths are served whatever their case.
    pub forgives_path_case: bool,
    /// Where pages end.
    pub pages_end: PagesEnd,
    /// How headings are named is known but for punctuation.
    pub loose_anchors: bool,
    /// Destinations with `/` in front that the tree does not have.
    pub absolute: Elsewhere,
    /// Relative destinations that leave the site's folder and that the tree does not have.
    pub leaving: Elsewhere,
    /// Attributes of HTML are left as they are: addresses of the published site.
    pub html: Elsewhere,
    /// Names of files that the generator makes, anywhere.
    pub made: &'static [&'static str],
    /// A fragment that begins so is no place: `tab/`.
    pub fragments: &'static [&'static str],
    /// Files in which a link without a destination is a page that is still to be written.
    pub drafts: &'static [&'static str],
    /// Pages whose front matter says `draft: true` are not built for readers.
    pub hides_drafts: bool,
    /// Files that are shown around or in front of every page: their bare fragments are about that one.
    pub frames: &'static [&'static str],
    /// `?id=name` is a fragment, and `#/page` a path.
    pub is_routed: bool,
    /// The generator makes lists of what is in a folder: everything is reached.
    pub lists_folders: bool,
}

/// Files that stand for their folder on GitHub.
pub(super) const README: &[&str] =
    &["README.md", "readme.md", "Readme.md", "index.md", "README.mdx", "index.mdx", "README.markdown"];

/// Files that stand for their folder on most sites.
pub(super) const INDEX: &[&str] = &["index.md", "index.mdx", "_index.md", "README.md", "index.html"];

impl Links {
    /// A repository's files, as GitHub shows them.
    pub(super) const HOST: Self = Self {
        is_host: true,
        endings: &[],
        html_is_markdown: false,
        md_is_mdx: false,
        readme_is_index: false,
        index_is_readme: false,
        index: README,
        pages_are_folders: false,
        root_relative: false,
        folder_mark: None,
        aliases: &[],
        by_name: ByName::No,
        labels: false,
        folders: true,
        folders_are_pages: false,
        index_is_nameless: false,
        slash_is_folder: false,
        addresses: Addresses::None,
        forgives_case: true,
        pages_end: PagesEnd::Unknown,
        loose_anchors: false,
        forgives_path_case: false,
        absolute: Elsewhere::Nothing,
        leaving: Elsewhere::Nothing,
        html: Elsewhere::Nothing,
        made: &[],
        fragments: &[],
        drafts: &[],
        hides_drafts: false,
        frames: &[],
        is_routed: false,
        lists_folders: false,
    };

    /// A site whose documents name each other by path.
    pub(super) const SITE: Self = Self { is_host: false, forgives_case: false, index: INDEX, ..Self::HOST };

    /// A generator without a profile: where any of them would find something, it is there.
    pub(super) const RECOGNISED: Self =
        Self { endings: &[".md", ".mdx"], html_is_markdown: true, pages_are_folders: true, ..Self::SITE };
}
