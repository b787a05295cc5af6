"""Pages of the repository as they are shown on the site.

The site keeps the paths of the repository, so links between pages and links to images do not
change. A link to a program or another text file points to a page that shows the file; for example,
`recipes/vae_mnist.py` becomes `recipes/vae_mnist.py.md`.
"""

import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

HOME = "index.md"
# Pages in the root of the repository, in the order of the navigation.
TEXTS = ("RESULTS.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
# Files that the site contains unchanged: images, sounds, and notebooks to download.
COPIED = {".png", ".jpg", ".gif", ".svg", ".webp", ".wav", ".ipynb"}
LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".cfg": "ini", ".sh": "sh"}
_FENCED = re.compile(r"(^(`{3,}).*?^\2\s*$)", re.DOTALL | re.MULTILINE)
_TO_SOUND = re.compile(r"\[[^\]]*\]\(([^()\s]+\.wav)\)")
_LINK = re.compile(r"(\]\()([^()\s]+)(\))|(<img src=\")([^\"]+)(\")")


class Links:
    """Converts links between repository files to links on the site, and records the targets.

    Attributes:
        root: The repository.
        shown: Paths, relative to the root, of files that have pages of their own.
        copied: Paths, relative to the root, of images, sounds, and notebooks.
    """

    def __init__(self, root: Path):
        self.root = root
        self.shown: set[str] = set()
        self.copied: set[str] = set()

    def to_file(self, page: str, path: str) -> str:
        """Returns a link from a page to a repository file, both given relative to the root."""
        start = posixpath.dirname(page)
        return posixpath.relpath(self._target(path), start or ".")

    def turned(self, page: str, text: str) -> str:
        """Returns the text of `page`, a path relative to the root, with its links converted.

        An audio player is inserted after each link to a sound.
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
        """Returns the path of a repository file on the site."""
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
    """Applies a function to the parts of a page's text that are not code blocks."""
    parts = _FENCED.split(text)
    # `split` also returns the two groups of the pattern: each block, and its fence.
    texts = [change(part) if number % 3 == 0 else part for number, part in enumerate(parts)]
    return "".join(part for number, part in enumerate(texts) if number % 3 != 2)


def source_page(path: str, text: str) -> str:
    """Returns a page, excluded from search, that shows a program or another text file."""
    fence = "`" * 6
    language = LANGUAGES.get(os.path.splitext(path)[1], "text")
    head = f"---\ntitle: {posixpath.basename(path)}\nsearch:\n  exclude: true\n---\n\n# {path}\n"
    return f"{head}\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
