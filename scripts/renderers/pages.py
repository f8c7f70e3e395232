"""What a built site has: its pages, their ids and links, and whether an address leads anywhere."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

MARK = re.compile(r"\bL(\d{5})\b")
TOKEN = re.compile(r"\btok(\d{5})x\b")
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
HOST = "https://site.invalid"


class Page(HTMLParser):
    """One HTML file: ids, headings, and the links that carry a mark of ours."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.ids = set()
        self.content_ids = []
        self.headings = []
        self.links = {}
        self.tokens = set()
        self.refresh = None
        self._open = []
        self._content = 0
        self._link = None
        self._heading = None
        self._silent = 0
        self.feed(text)
        self.close()

    def _is_content(self, tag, attributes):
        classes = (attributes.get("class") or "").split()
        if "md-main" in classes:
            return False
        return (
            tag in ("main", "article")
            or attributes.get("role") == "main"
            or bool({"vp-doc", "markdown", "sl-markdown-content", "theme-doc-markdown"} & set(classes))
        )

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh":
            self.refresh = re.sub(r"(?i)^.*url=", "", attributes.get("content") or "").strip("'\" ")
        is_content = self._is_content(tag, attributes)
        if is_content:
            self._content += 1
        if tag not in VOID:
            self._open.append((tag, is_content))
        for name in [attributes.get("id"), attributes.get("name") if tag == "a" else None]:
            if name:
                self.ids.add(name)
                # Two underlines in front: the theme's own.
                if self._content and not name.startswith("__"):
                    self.content_ids.append(name)
        if tag in HEADINGS:
            self._heading = [tag, attributes.get("id"), ""]
        if tag == "a":
            self._link = [attributes.get("href"), ""]
        if tag == "img":
            for mark in MARK.findall(attributes.get("alt") or ""):
                self.links.setdefault(int(mark), []).append(attributes.get("src"))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._silent = max(0, self._silent - 1)
        if tag == "a" and self._link:
            href, text = self._link
            for mark in MARK.findall(text):
                self.links.setdefault(int(mark), []).append(href)
            self._link = None
        if tag in HEADINGS and self._heading:
            self.headings.append(tuple(self._heading))
            self._heading = None
        if any(open_tag == tag for open_tag, _ in self._open):
            while self._open:
                open_tag, was_content = self._open.pop()
                self._content -= was_content
                if open_tag == tag:
                    break

    def handle_data(self, data):
        if self._silent:
            return
        self.tokens.update(int(token) for token in TOKEN.findall(data))
        if self._link:
            self._link[1] += data
        if self._heading:
            self._heading[2] += data


class Site:
    """The files of a built site below its root address."""

    def __init__(self, out, base="/", shows_folders=False):
        self.out = Path(out)
        self.base = base
        self.shows_folders = shows_folders
        self.files = set()
        self.folders = {""}
        self._pages = {}
        for folder, _, names in os.walk(self.out):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), self.out)
                self.files.add(path)
                while path:
                    path = os.path.dirname(path)
                    self.folders.add(path)

    def page(self, path):
        if path not in self._pages:
            text = (self.out / path).read_text(encoding="utf-8", errors="replace")
            self._pages[path] = Page(text)
        return self._pages[path]

    def html(self):
        return sorted(path for path in self.files if path.endswith(".html"))

    def address(self, path):
        """The address of a page, as a host of static files has it."""
        path = path[: -len("index.html")] if path == "index.html" or path.endswith("/index.html") else path
        return self.base + path

    def find(self, path):
        """The file that a host of static files answers with for a path below the root."""
        path = path.strip("/") if path.strip("/") in self.folders else path.lstrip("/")
        if path in self.files:
            return path
        index = f"{path}/index.html".lstrip("/")
        if path in self.folders and index in self.files:
            return index
        if self.shows_folders and path in self.folders:
            return path
        if path and f"{path}.html" in self.files and not path.endswith("/"):
            return f"{path}.html"
        return None

    def judge(self, page, href):
        """`good`, `page` or `anchor` (what is missing), or `elsewhere`."""
        if href is None:
            return "none"
        href = href.strip()
        parts = urlsplit(urljoin(HOST + self.address(page), href))
        if f"{parts.scheme}://{parts.netloc}" != HOST:
            return "elsewhere"
        # What climbs above the root stays there, in a browser too.
        path = unquote(parts.path)
        if not (path + "/").startswith(self.base):
            return "elsewhere"
        found = self.find(path[len(self.base) :])
        if found is None:
            return "page"
        if not parts.fragment or not found.endswith(".html") or found in self.folders or parts.fragment.lower() == "top" or ":~:" in parts.fragment:
            return "good"
        target = self.page(found)
        if target.refresh is not None:
            return "good"
        if parts.fragment in target.ids or unquote(parts.fragment) in target.ids:
            return "good"
        return "anchor"
