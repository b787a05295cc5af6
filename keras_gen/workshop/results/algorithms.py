"""The methods listed in `docs/methods.toml`, with their classes, recipes, and results."""

import ast
import dataclasses
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from keras_gen.workshop.results import words
from keras_gen.workshop.results.declarations import filled
from keras_gen.workshop.results.page_lines import Entry, Group

FILE = Path("docs") / "methods.toml"


@dataclasses.dataclass(frozen=True)
class Algorithm:
    """The entry of a method in `docs/methods.toml`.

    Attributes:
        formula: LaTeX code of the quantity that is minimized.
        use: One or two sentences on when to use the method.
        steps: Sentences that describe one training step.
        code: Names of the Python methods whose code is shown. If a Python method belongs to another
            class, the name includes this class, as in `GAN.train_step`.
        recipe: Recipe to list first, if file names do not determine which.
        figure: Metric to show for the method, if the headline of the recipe listed first belongs to
            another method.
        flags: End of the command whose result is shown, if the first result of the recipe listed
            first belongs to another method.
    """

    formula: str
    use: str
    steps: list[str]
    code: list[str]
    recipe: str = ""
    figure: str = ""
    flags: str = ""

    def group_of(self, groups: Sequence[Group]) -> Group:
        """Returns the runs of the method; by default the first runs of the recipe."""
        return next(group for group in groups if group.record.command.endswith(self.flags))


def read_algorithms(root: Path) -> dict[str, Algorithm]:
    """Reads `docs/methods.toml`, and returns its entries by class name."""
    tables = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    return {name: Algorithm(**table) for name, table in tables.items()}


def figure_of(group: Group, key: str) -> tuple[str, Entry]:
    """Returns the display name and the entry of a recipe's metric, by default its first metric.

    Raises:
        ValueError: If the recipe does not publish the metric.
    """
    for entry in group.entries:
        if key in ("", entry.figure.key):
            return words.metric(entry), entry
    for matrix in group.published.matrices:
        for cell in matrix.cells:
            found = group.entry(cell)
            if cell.key == key and found:
                title = filled(matrix.title, group.record.numbers)
                return f"{title}: {words.metric(found)}", found
    raise ValueError(
        f"{group.recipe} does not publish {key!r}, which {FILE} lists: correct the name in {FILE}."
    )


def recipes_of(
    name: str, file: str, own: str, imports: Mapping[str, Sequence[str]]
) -> list[str]:
    """Returns the recipes that use a class; the recipe named after the class comes first.

    Args:
        name: Name of the class.
        file: File that defines the class.
        own: Recipe to list first, or an empty string.
        imports: Dict from the name of each recipe to the names that the recipe imports from the
            library.
    """
    stem = Path(file).stem
    found = [recipe for recipe in imports if name in imports[recipe]]
    if own and own not in found:
        found.append(own)

    def rank(recipe: str):
        return recipe != own, not recipe.startswith(f"{stem}_"), f"_{stem}_" not in recipe

    return sorted(found, key=rank)


def files_of_classes(root: Path) -> dict[str, str]:
    """Returns the file of each class of the library, relative to the repository's root."""
    files = {}
    for path in sorted((root / "keras_gen").rglob("*.py")):
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            files[name] = path.relative_to(root).as_posix()
    return files


def imported(path: Path) -> list[str]:
    """Returns all names that a file imports from the library, in order."""
    return [
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras_gen")
        for alias in node.names
    ]
