"""Writes all pages of the site to a folder, and builds the site."""

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import griffe
import yaml

from keras_gen import __version__
from keras_gen.workshop.site import methods, reference
from keras_gen.workshop.site.links import HOME, TEXTS, Links, source_page
from keras_gen.workshop.site.sources import public

FOLDER = Path("build") / "site"
CONFIGURATION = "mkdocs.yml"
ASSETS = Path("docs") / "site"  # folder that is copied next to the first page
LOADED = re.compile(
    r'<(?:img|script|iframe|audio|link)\s[^>]*?\b(?:src|href)="((?:\w+:)?//[^"]*)"'
)
# Links for the site's first page; README.md does not contain them.
NEXT = """\
[Install](docs/install.md) the library, follow the [first steps](docs/first_steps.md), or browse the
[gallery](docs/gallery.md) and [all methods](methods/index.md). After a lecture, start with the
[course](docs/course/README.md).
"""


@dataclasses.dataclass(frozen=True)
class Site:
    """The contents of the site.

    Attributes:
        texts: Dict from the path of every page to its text, except for pages that show programs.
        sections: Dict from each folder to its navigation entries.
        links: Converter of the links in the pages, which records their targets.
    """

    texts: dict[str, str]
    sections: dict[str, list]
    links: Links


def build(root: Path) -> Path:
    """Builds the site from a checkout. Broken links and missing files are errors.

    Args:
        root: The repository's root.

    Returns:
        The folder of the site. Its `index.html` can be opened in a browser without a server.

    Raises:
        FileNotFoundError: If `root` is not a checkout, or if a page links to a missing file.
        ValueError: If any page loads content from another site.
        subprocess.CalledProcessError: If Zensical rejects a page, a link, or an anchor.
    """
    folder = write(root.resolve())
    command = [sys.executable, "-m", "zensical", "build", "--strict", "-f", CONFIGURATION]
    subprocess.run(command, cwd=folder, check=True)
    if found := loaded_from_elsewhere(folder / "html"):
        raise ValueError(
            f"the site loads content from other sites ({', '.join(found)}): expected only local "
            "files"
        )
    return folder / "html"


def loaded_from_elsewhere(site: Path) -> list[str]:
    """Returns the addresses of content that a site's pages load from other sites."""
    pages = map(_read, site.rglob("*.html"))
    return sorted({url for page in pages for url in LOADED.findall(page)})


def write(root: Path) -> Path:
    """Writes the pages and the site's configuration, and returns the folder of both."""
    if not (root / CONFIGURATION).is_file():
        raise FileNotFoundError(
            f"{root / CONFIGURATION} does not exist: run `python -m keras_gen.workshop.site` in "
            "the root of a checkout."
        )
    folder = root / FOLDER
    pages = folder / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    site = gather(root)
    for path, text in site.texts.items():
        _write(pages / path, text)
    for path in site.links.shown:
        _write(pages / f"{path}.md", source_page(path, _read(root / path)))
    for path in site.links.copied:
        _copy(root / path, pages / path)
    for file in (root / ASSETS).iterdir():
        _copy(file, pages / file.name)
    configuration = yaml.safe_load(_read(root / CONFIGURATION))
    configuration["site_name"] += f" {__version__}"
    entries = [entry(each, site.sections) for each in configuration["nav"]]
    configuration["nav"] = [each for each in entries if each]
    _write(folder / CONFIGURATION, yaml.safe_dump(configuration, sort_keys=False))
    return folder


def gather(root: Path) -> Site:
    """Collects all pages of a checkout."""
    links = Links(root)
    texts = {HOME: home(_read(root / "README.md"))}
    for path in [*TEXTS, *written(root)]:
        texts[path] = _read(root / path)
    texts = {path: links.turned(path, text) for path, text in texts.items()}
    models = methods.Methods(root, links)
    rooms = public(root)
    texts |= models.pages()
    texts |= reference.pages(root, rooms, links, set(models.classes))
    return Site(texts, sections(list(texts), models, rooms), links)


def home(readme: str) -> str:
    """Returns the home page: README.md up to the first Python code, and README.md's table."""
    flags = re.DOTALL | re.MULTILINE
    found = re.search(r".*?^## Quick start$.*?^```python\n.*?^```$", readme, flags)
    table = re.search(r"^## What's included$.*?(?=^## )", readme, flags)
    if not found or not table:
        raise ValueError(
            "README.md lacks a section `## Quick start` with code, or a section `## What's "
            "included`: add the missing section."
        )
    return f"{found[0]}\n\n{NEXT}\n{table[0]}"


def written(root: Path) -> list[str]:
    """Returns the handwritten pages in docs/, and the results pages."""
    found = sorted(path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md"))
    return [path for path in found if path != "docs/package.md"]


def sections(
    pages: list[str], models: methods.Methods, rooms: dict[str, dict[str, griffe.Object]]
) -> dict[str, list]:
    """Returns the parts of the navigation that follow from the existing pages."""
    of_methods: list[Any] = [f"{methods.FOLDER}/index.md"]
    for family, names in models.families.items():
        of_methods.append(
            {models.title(family): [{name: methods.place(name)} for name in names]}
        )
    of_rooms: list[Any] = [f"{reference.FOLDER}/index.md"]
    of_rooms += [{room: reference.room_place(room)} for room in rooms]
    found = {f"{methods.FOLDER}/": of_methods, f"{reference.FOLDER}/": of_rooms}
    for folder in ("docs/course/", "docs/results/"):
        found[folder] = sorted(page for page in pages if page.startswith(folder))
    return found


def entry(given: dict, parts: dict[str, list]) -> dict | None:
    """Returns a navigation entry whose folders are replaced by their pages, or None."""
    ((title, value),) = given.items()
    if isinstance(value, list):
        value = [made for each in value if (made := entry(each, parts))]
    elif value.endswith("/"):
        value = parts[value]
    return {title: value} if value else None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
