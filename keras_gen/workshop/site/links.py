"""Pages of the repository, as the site shows them.

The site keeps the repository's paths, so that links between pages and to images stay as they are. A
link to a program or another text leads to a page that shows it: `recipes/vae_mnist.py` becomes
`recipes/vae_mnist.py.md`.
"""

import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

HOME = "index.md"
# Of the repository's root, in the order of the navigation.
TEXTS = ("RESULTS.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
# What the site holds as it is: images, sounds, and notebooks to load down.
COPIED = {".png", ".jpg", ".gif", ".svg", ".webp", ".wav", ".ipynb"}
LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".cfg": "ini", ".sh": "sh"}
_FENCED = re.compile(r"(^(`{3,}).*?^\2\s*$)", re.DOTALL | re.MULTILINE)
_TO_SOUND = re.compile(r"\[[^\]]*\]\(([^()\s]+\.wav)\)")
_LINK = re.compile(r"(\]\()([^()\s]+)(\))|(<img src=\")([^\"]+)(\")")


class Links:
    """Turns the links of pages into those of the site, and remembers what they lead to.

    Attributes:
        root: The repository.
        shown: Paths of files, from the root, that are shown on pages of their own.
        copied: Paths of images, sounds and notebooks, from the root.
    """

    def __init__(self, root: Path):
        self.root = root
        self.shown: set[str] = set()
        self.copied: set[str] = set()

    def to_file(self, page: str, path: str) -> str:
        """A link from a page to a file of the repository; both are paths from the root."""
        start = posixpath.dirname(page)
        return posixpath.relpath(self._target(path), start or ".")

    def turned(self, page: str, text: str) -> str:
        """The text of a page, whose own place is a path from the root, with the site's links.

        A link to a sound gets a player.
        """

        def turn(match: re.Match) -> str:
            before, target, after = (
                match[1] or match[4],
                match[2] or match[5],
                match[3] or match[6],
            )
            path, mark, anchor = target.partition("#")
            if "://" in target or not path:
                return match[0]
            place = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
            return f"{before}{self.to_file(page, place)}{mark}{anchor}{after}"

        player = r'\g<0> <audio controls preload="none" src="\1"></audio>'
        return outside_code(text, lambda part: _TO_SOUND.sub(player, _LINK.sub(turn, part)))

    def _target(self, path: str) -> str:
        """Where the site has a file of the repository."""
        suffix = Path(path).suffix
        if path == "README.md":
            return HOME
        if suffix == ".md":
            return path
        if suffix in COPIED:
            self.copied.add(path)
            return path
        self.shown.add(path)
        return f"{path}.md"


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """A page whose text is changed, and whose blocks of code are not."""
    parts = _FENCED.split(text)
    # Each block leaves itself and its fence behind, for `split` returns all groups.
    texts = [change(part) if number % 3 == 0 else part for number, part in enumerate(parts)]
    return "".join(part for number, part in enumerate(texts) if number % 3 != 2)


def source_page(path: str, text: str) -> str:
    """The page of a program or another text. It stays out of the search."""
    fence = "`" * 6
    language = LANGUAGES.get(os.path.splitext(path)[1], "text")
    head = f"---\ntitle: {posixpath.basename(path)}\nsearch:\n  exclude: true\n---\n\n# {path}\n"
    return f"{head}\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
