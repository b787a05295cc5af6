"""What a strict build leaves out: anchors, images in HTML, sounds, what other sites would send."""

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
    """The anchors of a page, its links, and what a browser loads for it."""

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
    """What is wrong in a built site, a sentence each.

    Args:
        site: The folder of its first page.

    Returns:
        Links and images that lead nowhere, anchors that their pages lack, and what would be loaded
        from another site.
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
                found.append(f"{name} leads to {url}, which is not there")
            elif parts.fragment and target.suffix == ".html":
                if unquote(parts.fragment) not in read(target).anchors:
                    found.append(f"{name} leads to {url}, a page without this anchor")
    return found
