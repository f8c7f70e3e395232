"""Made-up trees: documents with headings and links of all kinds, from a seed alone."""

WORDS = ["setup", "Guide", "Install", "API", "the", "of", "HTTP", "run", "Ünïcode", "straße", "Привет", "中文", "日本語", "café", "naïve", "ﬁne", "İstanbul", "x86_64", "v1.2.3", "2024", "1.", "0x1F", "snake_case", "kebab-case", "CamelCase", "e.g.", "a/b", "C++", "C#", ".NET", "@user", "#tag", "50%", "$HOME", "key=value", "a_b_c", "___", "I'm", "can’t", "“quoted”", '"plain"', "--", "---", "–", "—", "...", "…", "(c)", "(parens)", "[brackets]", "a & b", "a+b", "~tilde~", "~~gone~~", "^up^", "1/2", "½", "™", "café", "e\u0301galité", "नमस्ते", "שלום", "٣", "Ⅷ", "²", "ª", "_", "·", "✓", "→", "!", "?", "what?!", ":", ";", ",", "a:b", "a, b", "|", "=", "*", "·x·"]
RICH = ["`code`", "`a b`", "`x_y.z()`", "`--flag`", "`<T>`", "``a`b``", "*emph*", "_emph_", "**strong**", "__strong__", "***both***", "\\*escaped\\*", "\\_under\\_", "a\\_b", "&amp;", "&lt;tag&gt;", "&copy;", "&nbsp;", "[link](https://example.com)", "[`code` link](https://example.com/a_b)", "[ref][known]", "![image](logo.png)", "![](logo.png)", ":smile:", ":not_an_emoji:", ":+1:", "🚀", "👨‍👩‍👧", "❤️", "✅", "🇩🇪", "1️⃣", "⚠️"]
HTML = ["<b>bold</b>", "<small>new</small>", "<br>", "<code>tag</code>", "<kbd>Ctrl</kbd>", "<!-- comment -->", "<span>in a span</span>", "<https://example.com>", '<a id="inline-ID"></a>', '<a name="named-one"></a>', '<img src="./logo.png" alt="alt">']


class Marks:
    """Numbers the links of a site: the text of each is its mark."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return f"L{self.count:05}"


def title(rng, style):
    """The text of a heading."""
    kinds = [(WORDS, 6), (RICH, 3)] + ([(HTML, 1)] if style.html else [])
    pieces = []
    for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
        pool = rng.choices([pool for pool, _ in kinds], [weight for _, weight in kinds])[0]
        pieces.append(rng.choice(pool))
    text = rng.choice([" ", " ", " ", " ", "", "  ", " - "]).join(pieces).strip()
    if style.mdx:
        text = text.replace("<", "").replace("{", "")
    return text or "Empty"


def heading(rng, style, text):
    """The lines of one heading."""
    level = rng.choice([2, 2, 2, 3, 3, 4])
    ident = ""
    if rng.random() < 0.12 and style.ids:
        ident = " " + rng.choice(style.ids).format(name=f"own-{rng.randrange(10**6)}" if style.unique_ids else rng.choice(["own", "Own-Id", "a.b", "x_y", "own", "1st", "ünï"]))
    roll = rng.random()
    if roll < 0.08 and not (ident and style.mdx):
        return [f"{text}{ident}", "-" * 5]
    if roll < 0.14:
        return [f"{'#' * level} {text} {'#' * rng.choice([1, 2, 3])}{ident}"]
    if roll < 0.17:
        return [f"{'#' * level}  {text}{ident}  "]
    return [f"{'#' * level} {text}{ident}"]


#: What is no markup, alone or beside others.
PLAIN = [word for word in WORDS if not set(word) & set("*_~[]#`^<&|=\"\\") and word not in (".", "-", "--", "---", "1.", ":")]


def plain_document(rng, style, token):
    """A document whose headings say what their text is: words, with nothing that Markdown takes for markup."""
    lines, used = [], set()
    for _ in range(rng.randrange(6, 14)):
        text = "H " + rng.choice([" ", " ", "  ", " - ", ""]).join(rng.choice(PLAIN) for _ in range(rng.choice([1, 2, 3, 4])))
        text = text.strip()
        if text.lower() not in used:
            used.add(text.lower())
            lines += [f"## {text}", ""]
    return "\n".join(["# Title", "", f"Text tok{token:05}x.", "", *lines])


def document(rng, style, token):
    """A document of one tree."""
    if style.plain:
        return plain_document(rng, style, token)
    lines = list(style.front(rng, token)) + [f"# {title(rng, style)}", "", f"Text tok{token:05}x.", ""]
    used = []
    for _ in range(rng.randrange(4, 12)):
        text = rng.choice(used) if used and rng.random() < 0.25 else title(rng, style)
        if used and rng.random() < 0.05:
            text = rng.choice(used) + rng.choice([" 1", "-1", "_1", " 2"])
        used.append(text)
        block = heading(rng, style, text)
        # Docusaurus takes `{#id}` out of lines that begin with `#`; elsewhere it is an expression, and a wrong one.
        if rng.random() < 0.25 and style.blocks and not (style.mdx and "{#" in block[0]):
            block = rng.choice(style.blocks)(rng, block)
        lines += block + [""]
        if rng.random() < 0.5:
            lines += [rng.choice(["Some text.", "- a list\n- of two", "> a quotation", "1. one\n2. two", "```text\n# no heading\n```", "Line one\nline two."]), ""]
    for extra in style.extras:
        if rng.random() < 0.25:
            lines += [extra(rng), ""]
    lines += ["[known]: https://example.com", ""]
    return "\n".join(lines)
