"""`keras-gen list` and `keras-gen show`: describe recipes and exports without loading models."""

import argparse
import ast
import collections
import functools
import re
import textwrap
from pathlib import Path
from typing import Any

from keras_gen.files.writing import place
from keras_gen.licenses import forbid_commerce, terms_of
from keras_gen.messages import nearest, printable
from keras_gen.serving import exported
from keras_gen.workshop.cli import models
from keras_gen.workshop.cli.recipes import recipes
from keras_gen.workshop.results import read_published, words
from keras_gen.workshop.results.page_lines import entry_of_export

WIDTH = 80
INDENT = "    "
MOST_WORDS = 20  # maximum number of a column's categories that `show` prints
OTHERS = "others"  # recipes and exports that belong to no model family
UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
)  # raised for metadata with another structure


def list_models(options: argparse.Namespace) -> int:
    """Prints recipes and exports by family, with training times."""
    files = recipes()
    exports = exported.exports(options.models)
    noun = "export" if len(exports) == 1 else "exports"
    print(
        f"{len(files)} recipes in {place('recipes')}, {len(exports)} {noun} in {options.models}. "
        'Minutes are\ntraining times on CPU cores; "export of N minutes" means that a model '
        "trained\nfor N minutes is available. For details, run `keras-gen show NAME`."
    )
    by_family = collections.defaultdict(list)
    for name in sorted({*files, *exports}):
        by_family[_family(files.get(name))].append(name)
    for family in sorted(by_family, key=lambda family: (family == OTHERS, family)):
        print(f"\n{family}")
        for name in by_family[family]:
            has = mark(options.models / name) if name in exports else ""
            _entry(name, files.get(name), has)
    if not exports:
        print(
            "\nTo create an export, run `keras-gen train NAME --export saved_models`. To list\n"
            "another folder, use --models DIR."
        )
    return 0


def _entry(name: str, file: Path | None, has: str) -> None:
    """Prints the list entry of a recipe or an export."""
    takes = duration(file) if file else ""
    print(printable(f"  {name:40} {takes:14} {has}").rstrip())
    if does := summary(file):
        print(textwrap.fill(does, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))


def show(options: argparse.Namespace) -> int:
    """Prints the details of one recipe and its export."""
    files = recipes()
    name = options.name
    if Path(name).parent != Path() and Path(name).is_dir():  # other commands also accept a path
        options.models = Path(name).parent
        name = Path(name).name
    exports = exported.exports(options.models)
    if name not in (known := {*files, *exports}):
        raise FileNotFoundError(
            f"there is no recipe or export named {name!r}: `keras-gen list` shows all"
            f"{nearest(name, known)}"
        )
    print(printable(name))
    if name in files:
        file = files[name]
        print_line("summary", summary(file))
        print_line("training", duration(file))
        print_line("recipe", f"{file}; to list its flags, run keras-gen train {name} --help")
    if name not in exports:
        print_line("export", f"none in {options.models}")
        return 0
    for path in exported.versions(options.models / name).values():
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 2**20
        print_line("export", f"{path}, {size:.1f} MiB")
        try:
            _show_metadata(exported.read_metadata(path))
        except UNREADABLE:
            print_line("", "(unreadable metadata)")
    return 0


def _show_metadata(metadata: dict[str, Any]) -> None:
    networks = metadata.get("networks") or {}
    data = metadata.get("data") or {}
    parameters = sum(network["parameters"] for network in networks.values())
    trained_on = str(data.get("name", "") if isinstance(data, dict) else data)
    print_line("parameters", f"{parameters:,}" if networks else "")
    print_line("trained on", trained_on)
    started_from = metadata.get("started_from", "")
    print_line("start", f"weights of a model trained on {started_from}" if started_from else "")
    for terms in terms_of({"data": trained_on, "first": started_from}):
        end = "; no commercial use" if terms.commercial_use is False else ""
        print_line("terms", f"{terms.name}: {terms.license}{end}")
    print_line("result", _headline(metadata))
    defaults = metadata.get("defaults", {})
    signatures = metadata.get("signatures", {})
    for signature in models.arrays_alone(signatures):
        usual = defaults.get(signature, {})
        inputs = [
            f"{key}={models.said(usual[key])}" if key in usual else key
            for key in signatures[signature]["inputs"]
        ]
        print_line("signature", f"{signature}({', '.join(inputs)})")
    taken = {key for signature in signatures.values() for key in signature["inputs"]}
    for condition, names in models.names_of(metadata).items():
        if condition in taken:
            print_line(condition, ", ".join(names))
    for name, columns in metadata.get("columns", {}).items():
        for column in columns:
            print_line(name, _column(column))


def _column(column: dict[str, Any]) -> str:
    """Describes a column of a table by the column's name and values."""
    words = column.get("categories")
    if words:
        values = ", ".join(words[:MOST_WORDS])
        if len(words) > MOST_WORDS:
            values += f" and {len(words) - MOST_WORDS} more"
    elif "minimum" in column:
        values = f"{column['minimum']:g} to {column['maximum']:g}"
    else:
        values = "number"
    return f"{column['name']}: {values}"


def print_line(name: str, text: str) -> None:
    """Prints a label and its text, unless the text is empty."""
    if text:
        indent = " " * 13
        print(
            textwrap.fill(
                printable(text), WIDTH, initial_indent=f"  {printable(name):11}",
                subsequent_indent=indent,
                break_long_words=False, break_on_hyphens=False,
            )
        )  # fmt: skip


def _family(recipe: Path | None) -> str:
    """Returns the model family of a recipe, which is the name of a folder in keras_gen."""
    try:
        return read_published(recipe.parent.parent, recipe.stem).family if recipe else OTHERS
    except (FileNotFoundError, ValueError):
        return OTHERS


def mark(folder: Path) -> str:
    """Returns an export's label: training minutes, and whether the data allow commercial use."""
    try:
        metadata = exported.read_metadata(exported.resolve(folder))
        terms = terms_of({"data": metadata.get("data"), "first": metadata.get("started_from")})
        minutes = round((metadata.get("metrics") or {}).get("minutes") or 0)
    except UNREADABLE:
        return "export (unreadable)"
    of = f" of {minutes} minutes" if minutes else ""
    return f"export{of}, no commercial use" if forbid_commerce(terms) else f"export{of}"


@functools.cache
def _docstring(recipe: Path) -> str:
    try:
        return ast.get_docstring(ast.parse(recipe.read_bytes())) or ""
    except (SyntaxError, ValueError) as error:
        return f"(not valid Python: {error})"


def summary(recipe: Path | None) -> str:
    """Returns the first line of a recipe's docstring."""
    lines = _docstring(recipe).splitlines() if recipe else []
    return lines[0] if lines else ""


def duration(recipe: Path) -> str:
    """Returns the duration of a run without flags, as stated in the recipe's docstring."""
    line = (
        rf"python recipes/{recipe.stem}\.py +#? *(?:about |at most )?(.*?(?:minutes?|hours?))\b"
    )
    found = re.search(line, _docstring(recipe))
    return found[1] if found else ""


def _headline(metadata: dict[str, Any]) -> str:
    """Returns the export's result for the recipe's published metric, or for its first metric.

    Results on a user's own data are not compared with papers.
    """
    config = metadata.get("config") or {}
    metrics = metadata.get("metrics") or {}
    try:
        if metadata.get("own_data"):
            raise ValueError("the recipe publishes results on other data")
        published = read_published(place("recipes").parent, metadata["recipe"])
        figures = published.on(config).figures
        figure = next((own for own in figures if own.of_export), figures[0])
        entry = entry_of_export(figure, config, metrics)
        # Asterisks are removed, because they mark bold text only on pages.
        return f"{' '.join(words.headline(entry))} ({words.beside(entry).replace('*', '')})"
    except (FileNotFoundError, ValueError, KeyError):
        numbers = (
            f"{key} {value:.4g}"
            for key, value in metrics.items()
            if isinstance(value, int | float)
        )
        return next(numbers, "")
