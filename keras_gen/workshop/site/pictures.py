"""The pictures in the gallery, with their captions."""

import dataclasses
import html
import itertools
import posixpath
import re

PAGE = "docs/gallery.md"
# The linked pictures of the grid at the top are not matched.
_IMAGE = re.compile(r'(?<!\[)<img src="([^"]+)" width="(\d+)" alt="([^"]*)">')


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture: its path relative to the repository's root, width, description, and caption."""

    path: str
    width: int
    alt: str
    caption: str

    def shown(self, page: str) -> str:
        """Returns the Markdown that shows the picture on a page."""
        path = posixpath.relpath(self.path, posixpath.dirname(page))
        alt = html.escape(self.alt)
        return f'<img src="{path}" width="{self.width}" alt="{alt}">\n\n{self.caption}'


def read_pictures(text: str) -> list[Picture]:
    """Reads pictures from the gallery's text; the paragraph below a picture is its caption."""
    found = []
    for paragraph, caption in itertools.pairwise(text.split("\n\n")):
        for source, width, alt in _IMAGE.findall(paragraph):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(PAGE), source))
            found.append(Picture(path, int(width), alt, caption.strip()))
    return found


def of_recipe(recipe: str, pictures: list[Picture], recipes: list[str]) -> list[Picture]:
    """Returns the pictures of a recipe, whose file names begin with the recipe's name."""
    found = []
    for picture in pictures:
        stem = posixpath.splitext(posixpath.basename(picture.path))[0]
        named = [name for name in recipes if stem == name or stem.startswith(f"{name}_")]
        if named and max(named, key=len) == recipe:
            found.append(picture)
    return found
