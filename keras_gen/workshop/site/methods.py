"""Pages of methods: description, formula, training step next to its code, and results."""

import ast
import dataclasses
import html
import itertools
import posixpath
import re
from pathlib import Path

import griffe

from keras_gen.workshop.results import pages, read_groups, words
from keras_gen.workshop.results.algorithms import (
    Algorithm,
    figure_of,
    imported,
    read_algorithms,
    recipes_of,
)
from keras_gen.workshop.results.topics import Topics, read_topics
from keras_gen.workshop.results.words import anchor
from keras_gen.workshop.site import reference, sources
from keras_gen.workshop.site.links import Links, outside_code
from keras_gen.workshop.site.sources import (
    PACKAGE,
    docstring_of,
    method_of,
    path_of,
    summary_of,
)

FOLDER = "methods"
# The table of contents is hidden to make room for code.
HEAD = "---\nhide:\n  - toc\n---\n"
MOST_PICTURES = 3
MOST_RECIPES = 8
CELL_BAR = "\\|"  # a vertical bar that does not end a table cell
GALLERY = "docs/gallery.md"
# Pattern for images, except the linked images in the grid at the top.
_IMAGE = re.compile(r'(?<!\[)<img src="([^"]+)" width="(\d+)" alt="([^"]*)">')
_DEVIATIONS = re.compile(r"(?:^|(?<=\s))Deviations?: (.*?)(?=\n\n|\Z)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture: its path relative to the repository's root, width, description, and caption."""

    path: str
    width: int
    alt: str
    caption: str

    def shown(self, page: str) -> str:
        """Returns the Markdown that shows the picture on a page, with links into the gallery."""
        start = posixpath.dirname(page)
        path, gallery = posixpath.relpath(self.path, start), posixpath.relpath(GALLERY, start)
        alt = html.escape(self.alt)
        caption = self.caption.replace("](#", f"]({gallery}#")
        return f'<img src="{path}" width="{self.width}" alt="{alt}">\n\n{caption}'


class Methods:
    """The contents of the methods' pages.

    Attributes:
        classes: Dict from names to the public model classes.
        families: Dict from each family to the names of its classes.
    """

    def __init__(self, root: Path, links: Links):
        self.root = root
        self.links = links
        self.families = sources.models(root)
        self.classes: dict[str, griffe.Class] = {}
        for family, names in self.families.items():
            for name in names:
                definition = sources.find(root, f"{PACKAGE}.{family}", name)
                if not isinstance(definition, griffe.Class):
                    raise ValueError(f"{PACKAGE}.{family} has no {name}.")
                self.classes[name] = definition
        self.algorithms = read_algorithms(root)
        self._owners = sources.classes(root)
        self.titles = {name: family.title for name, family in pages.read_families(root).items()}
        self.groups = read_groups(root)
        self.topics: Topics = read_topics(root / "recipes")
        self.recipes = sorted(path.stem for path in (root / "recipes").glob("*.py"))
        self.pictures = read_pictures((root / GALLERY).read_text(encoding="utf-8"))
        self._imported = {
            name: imported(root / "recipes" / f"{name}.py") for name in self.recipes
        }

    def pages(self) -> dict[str, str]:
        """Returns the pages of all methods by path."""
        made = {f"{FOLDER}/index.md": self.index()}
        for family, names in self.families.items():
            for name in names:
                made[place(name)] = self.page(family, self.classes[name])
        return made

    def index(self) -> str:
        """Returns the page that lists all methods."""
        parts = ["# Methods", "", "Each method is one class in one file.", ""]
        for family, names in self.families.items():
            parts += [f"## {self.title(family)}", "", "| class | |", "|-|-|"]
            for name in names:
                parts.append(f"| [{name}]({name}.md) | {summary_of(self.classes[name])} |")
            parts.append("")
        return "\n".join(parts)

    def title(self, family: str) -> str:
        """Returns the displayed name of a family."""
        return self.titles.get(family, family.replace("_", " ").capitalize())

    def recipes_of(self, name: str) -> list[str]:
        """Returns the recipes that use a class; the recipe named after the class comes first."""
        own = self.algorithms[name].recipe if name in self.algorithms else ""
        return recipes_of(name, path_of(self.classes[name]), own, self._imported)

    def page(self, family: str, definition: griffe.Class) -> str:
        """Returns the page of a class."""
        name = definition.name
        page = place(name)
        parts = [HEAD, f"# {name}", "", *self._head(family, definition)]
        if algorithm := self.algorithms.get(name):
            parts += ["", f"**When to use it.** {algorithm.use}"]
            parts += ["", "## Formula", "", f"$$\n{algorithm.formula.strip()}\n$$", ""]
            parts += self._algorithm(page, definition, algorithm)
        recipes = self.recipes_of(name)
        shown = self.shown_pictures(recipes)
        if shown:
            parts += ["", "## Pictures", ""]
            parts += [f"{picture.shown(page)}\n" for picture in shown]
        if recipes:
            parts += ["", "## Results", "", *self._results(page, name, recipes)]
        if found := _DEVIATIONS.search(_described(definition)):
            text = found[1].strip()
            parts += ["", "## Deviations from the paper", "", text[0].upper() + text[1:]]
        parts += ["", "## Related", "", *self._related(page, definition, recipes)]
        text = "\n".join(parts)
        return self.links.turned(page, self._linked(text, name)) + "\n"

    def _head(self, family: str, definition: griffe.Class) -> list[str]:
        """Returns the description of the method, and links to its class."""
        page = place(definition.name)
        api = posixpath.relpath(reference.place(definition.module.path), FOLDER)
        anchor = f"{definition.module.path}.{definition.name}"
        text = _DEVIATIONS.sub("", _described(definition)).strip()
        summary, _, rest = text.partition("\n\n")
        summary = " ".join(summary.split())
        path = path_of(definition)
        source = self.links.to_file(page, path)
        where = f"`from keras_gen import {definition.name}` · [API]({api}#{anchor}) · "
        where += f"[{path}]({source}) · [{self.title(family)}](index.md)"
        return [f"**{summary}**", "", where, "", rest]

    def _algorithm(
        self, page: str, definition: griffe.Object, algorithm: Algorithm
    ) -> list[str]:
        """Returns the description of the training step next to its code."""
        steps = [f"{number}. {step}" for number, step in enumerate(algorithm.steps, 1)]
        blocks = []
        for name in algorithm.code:
            owner, _, method = name.rpartition(".")
            there = self._owners[owner] if owner else definition
            code = code_of(there, method)
            path = path_of(there)
            number = method_of(there, method).lineno
            link = f"{self.links.to_file(page, path)}#L-0-{number}"
            blocks += [
                f"[{path}, line {number}]({link})",
                "",
                f"```python\n{code}\n```",
                "",
            ]
        return [
            '<div class="beside" markdown>',
            "<div markdown>",
            "",
            "## Training step",
            "",
            *steps,
            "",
            "</div>",
            "<div markdown>",
            "",
            "## Code",
            "",
            *blocks,
            "</div>",
            "</div>",
        ]

    def shown_pictures(self, recipes: list[str]) -> list[Picture]:
        """Returns the pictures of the first recipe that has pictures."""
        for recipe in recipes:
            if found := of_recipe(recipe, self.pictures, self.recipes):
                return found[:MOST_PICTURES]
        return []

    def _results(self, page: str, name: str, recipes: list[str]) -> list[str]:
        """Returns one line per recipe, and the command that produces the first result."""
        lines = ["| recipe | metric | result | compared with | minutes |", "|-|-|-|-|-|"]
        first, *others = recipes[:MOST_RECIPES]
        algorithm = self.algorithms[name]
        lines.append(self._result(page, first, algorithm))
        lines += [self._result(page, recipe) for recipe in others]
        if first not in self.groups:
            return [*lines, "", "```sh", f"python recipes/{first}.py", "```"]
        group = algorithm.group_of(self.groups[first])
        published = group.published
        family = self.links.to_file(page, f"docs/results/{published.family}.md")
        link = f"[{published.system}]({family}#{anchor(published.system)})"
        return [
            *lines,
            "",
            f"The first result was measured with this command on {group.record.device}:",
            "",
            "```sh",
            group.record.command,
            "```",
            "",
            f"See {link} for all metrics and for the reasons why a paper's value was missed.",
        ]

    def _result(self, page: str, recipe: str, of: Algorithm | None = None) -> str:
        """Returns the line of a recipe: the metric of a method, or the first, and a comparison."""
        link = f"[{recipe}]({self.links.to_file(page, f'recipes/{recipe}.py')})"
        if recipe not in self.groups:
            return f"| {link} | not published yet | | | |"
        groups = self.groups[recipe]
        group = of.group_of(groups) if of else groups[0]
        figure, entry = figure_of(group, of.figure if of else "")
        paper = words.paper_value(entry)
        beside = [f"paper: {paper}" if paper else "", words.baseline(entry)]
        minutes = f"{group.record.minutes:,.1f}"
        cells = [link, figure, words.value(entry), "; ".join(filter(None, beside)), minutes]
        return f"| {' | '.join(cell.replace('|', CELL_BAR) for cell in cells)} |"

    def _related(self, page: str, definition: griffe.Class, recipes: list[str]) -> list[str]:
        """Returns lists of base classes, variants, methods in the same recipes, and topics."""
        name = definition.name
        above = [base for base in map(str, definition.bases) if base in self.classes]
        below = [other for other, its in self.classes.items() if name in map(str, its.bases)]
        used = {other for recipe in recipes for other in self._imported[recipe]}
        compared = sorted(used & self.classes.keys() - {name, *above, *below})
        topics = [
            topic
            for chapter in self.topics.values()
            for topic, showing in chapter.items()
            if set(showing) & set(recipes[:2])
        ]
        lectures = self.links.to_file(page, "docs/topics.md")
        parts = {
            "Variant of": _names(above),
            "Variants:": _names(below),
            "In the same recipes:": _names(compared),
            f"[Lecture topics]({lectures}):": ", ".join(topics),
        }
        return [f"- {title} {text}." for title, text in parts.items() if text]

    def _linked(self, text: str, own: str) -> str:
        """Returns the text with a link for every other method whose name is formatted as code."""

        def link(match: re.Match) -> str:
            name = match[1]
            return f"[`{name}`]({name}.md)" if name in self.classes and name != own else match[0]

        return outside_code(text, lambda part: re.sub(r"(?<![\[`])`(\w+)`(?!`)", link, part))


def read_pictures(text: str) -> list[Picture]:
    """Reads pictures from the gallery's text; the paragraph below a picture is its caption."""
    found = []
    for paragraph, caption in itertools.pairwise(text.split("\n\n")):
        for source, width, alt in _IMAGE.findall(paragraph):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(GALLERY), source))
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


def place(name: str) -> str:
    """Returns the path of a class's page."""
    return f"{FOLDER}/{name}.md"


def code_of(definition: griffe.Object, method: str) -> str:
    """Returns the code of a method without its docstring and without `@override`."""
    text = method_of(definition, method).source
    (node,) = ast.parse(text).body
    lines = text.splitlines()
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
        docstring = node.body[0]
        del lines[docstring.lineno - 1 : docstring.end_lineno]
    return "\n".join(line for line in lines if line.strip() != "@override")


def _described(definition: griffe.Object) -> str:
    """Returns the docstring without its sections on arguments and errors."""
    sections = r"\n(?=(?:Args|Raises|Example|Attributes|Returns):)"
    return re.split(sections, docstring_of(definition))[0]


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
