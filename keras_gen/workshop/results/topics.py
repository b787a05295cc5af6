"""Lecture topics in the order of a course, and the recipes that illustrate each topic."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

FILE = "topics.toml"  # name of a file in the folder of recipes
PAGE = Path("docs") / "topics.md"
HEAD = """\
# Topics

This page lists the topics of a course on deep generative models in teaching order, with
the recipes that illustrate each topic and the chapters of [the course](course/README.md) that lead
to these recipes. Each chapter derives the methods used by most of its recipes. Some topics are
illustrated only by their recipes, without any text in the chapter. `keras-gen find "mode collapse"`
searches these topics, and also classes, recipes, metrics, and terms.
"""

Topics = dict[str, dict[str, list[str]]]


def read_topics(recipes: str | Path) -> Topics:
    """Reads the topics of a course by chapter, and the names of the recipes for each topic.

    Args:
        recipes: Folder of recipes.

    Returns:
        A dict that maps each chapter to a dict from topics to their recipes. It is empty if there
        is no list of topics.

    Raises:
        ValueError: If the file is not valid TOML, or if it contains a topic twice.

    Example:
        >>> read_topics("recipes")["Flows"]["affine coupling"]
        ['real_nvp_mnist']
    """
    path = Path(recipes) / FILE
    if not path.is_file():
        return {}
    chapters = tomllib.loads(path.read_text(encoding="utf-8"))
    topics = [topic for chapter in chapters.values() for topic in chapter]
    if twice := sorted({topic for topic in topics if topics.count(topic) > 1}):
        raise ValueError(
            f"{path} has the topic {twice[0]!r} in two chapters: keep it in one chapter."
        )
    return chapters


def read_chapters(course: str | Path) -> dict[str, list[str]]:
    """Returns a dict that maps each recipe to the chapters that end with its results.

    Args:
        course: Folder of the chapters' pages; each page ends with a table that links to recipes.

    Example:
        >>> read_chapters("docs/course")["vae_mnist"]
        ['04_vae']
    """
    chapters: dict[str, list[str]] = {}
    for page in sorted(Path(course).glob("[0-9]*.md")):
        table = page.read_text(encoding="utf-8").rpartition("| topic |")[2]
        for name in set(re.findall(r"\(\.\./\.\./recipes/(\w+)\.py\)", table)):
            chapters.setdefault(name, []).append(page.stem)
    return chapters


def topics_page(
    topics: Topics,
    classes: Mapping[str, str],
    files: Mapping[str, str],
    images: Sequence[str],
    chapters: Mapping[str, Sequence[str]],
) -> str:
    """Returns the text of docs/topics.md.

    Args:
        topics: Topics and their recipes by chapter; see `read_topics`.
        classes: Dict from each recipe to a string with the names of its classes.
        files: Dict from each class to its file, relative to the repository's root.
        images: Names of the recipes that have an image.
        chapters: Dict from each recipe to its chapters; see `read_chapters`.
    """
    parts = [HEAD]
    for title, rows in topics.items():
        parts += [f"## {title}\n", "| topic | recipes | classes | chapter |", "|-|-|-|-|"]
        for topic, names in rows.items():
            links = ", ".join(_link(name, name in images) for name in names)
            of_all = [one for name in names for one in classes[name].split(", ")]
            shown = [_class_link(one, files) for one in dict.fromkeys(of_all)]
            derived = sorted({page for name in names for page in chapters.get(name, ())})
            pages = ", ".join(f"[{int(page[:2])}](course/{page}.md)" for page in derived)
            parts.append(f"| {topic} | {links} | {', '.join(shown)} | {pages} |")
        parts.append("")
    return "\n".join(parts)


def _link(name: str, has_image: bool) -> str:
    link = f"[{name}](../recipes/{name}.py)"
    return f"{link} ([image](../recipes/results/{name}.png))" if has_image else link


def _class_link(name: str, files: Mapping[str, str]) -> str:
    """Returns a class name as a link to its file, and any other word unchanged."""
    file = files.get(name.strip("`"))
    return f"[{name}](../{file})" if file else name
