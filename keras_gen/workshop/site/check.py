"""Checks that a strict build omits: anchors, images in HTML, sounds, and external content."""

import dataclasses
import functools
import html
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

# The HTML is written by one program, with all attributes in double quotes.
_ANCHOR = re.compile(r'\s(?:id|name)="([^"]+)"')
_LINK = re.compile(r'<a\s[^>]*?\bhref="([^"]*)"')
_LOADED = re.compile(r'<(?:img|script|iframe|audio)\s[^>]*?\bsrc="([^"]*)"')
_STYLE = re.compile(r'<link\s[^>]*?\bhref="([^"]*)"')


@dataclasses.dataclass(frozen=True)
class Page:
    """The anchors and links of a page, and the files that a browser loads for it."""

    anchors: set[str]
    links: list[str]
    loaded: list[str]


def read_page(path: Path) -> Page:
    """Reads a page of a built site."""
    text = path.read_text(encoding="utf-8")
    links = [html.unescape(url) for url in _LINK.findall(text)]
    loaded = [html.unescape(url) for url in _LOADED.findall(text) + _STYLE.findall(text)]
    return Page(set(_ANCHOR.findall(text)), links, loaded)


def problems(site: Path) -> list[str]:
    """Returns the problems of a built site, one sentence each.

    Args:
        site: Folder of the first page.

    Returns:
        Broken links, images, and anchors, and content loaded from another site.
    """
    read = functools.cache(read_page)
    found = []
    for path in sorted(site.rglob("*.html")):
        if path.name == "404.html":  # its links begin at the root of a server
            continue
        page = read(path)
        name = path.relative_to(site)
        for url in page.loaded:
            if urlsplit(url).netloc:
                found.append(f"{name} loads {url} from another site")
        for url in [*page.links, *page.loaded]:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = Path(path.parent, unquote(parts.path)).resolve()
            if not target.is_file():
                found.append(f"{name} links to {url}, which does not exist")
            elif parts.fragment and target.suffix == ".html":
                if unquote(parts.fragment) not in read(target).anchors:
                    found.append(f"{name} links to {url}, a page without this anchor")
    return found
