"""Writes RESULTS.md, family pages, course pages, the table in README.md, and model cards."""

import ast
import dataclasses
import statistics
import tomllib
from collections.abc import Sequence
from pathlib import Path

from keras_gen import _MODELS as MODELS
from keras_gen.files.writing import replacing
from keras_gen.workshop.results import cards, course_pages, words
from keras_gen.workshop.results.algorithms import files_of_classes
from keras_gen.workshop.results.declarations import (
    RESULTS,
    SPREADS,
    Matrix,
    filled,
    read_published,
)
from keras_gen.workshop.results.page_lines import Entry, Group, read_groups
from keras_gen.workshop.results.topics import PAGE as PAGE_OF_TOPICS
from keras_gen.workshop.results.topics import Topics, read_chapters, read_topics, topics_page

BEGIN = "<!-- results: written by keras-gen results -->"
END = "<!-- /results -->"
NONE = "No results have been published yet."
FOLDER = Path("docs") / "results"
SHOWN = Path("docs") / "families.toml"
# The heading has no line break, so that it is as wide as the images below it.
PRODUCED = "Produced by a recipe".replace(" ", "&nbsp;")

INDEX = """\
# Results

These tables show the first metric of each recipe, compared with the paper's value or, where the
paper reports none, with the strongest inexpensive baseline. Follow a system's link for all of its
metrics and, if it falls short of the paper, the reasons. The [key](#how-to-read-the-tables) is
below the tables.
"""

KEY = """\
## How to read the tables

`keras-gen results` writes these pages from `recipes/results/`, and `keras-gen reproduce RECIPE`
repeats a published run and compares the results. A recipe publishes at most six metrics. Each is
shown with the strongest baseline that the same run measured and with references that a model
cannot be expected to beat, such as held-out images. All other values are in the
run's `metrics.json`.

- ↓ means that lower is better, and ↑ that higher is better.
- **▽ short of the paper**: the result is worse than the paper's value.
- **⇒ use X instead**: the inexpensive baseline X is better than the method. In a table of methods,
  a result that a baseline beats is marked °, the best result of each column is **bold**, and
  baselines are in *italics*.
- Results are compared after rounding to four significant digits.
- Samples from each cluster of a Gaussian mixture have as many exactly black pixels as the cluster's
  images. If a note also gives the distance without this correction, the mixture was measured after
  the run, with classifiers trained in the same way.
- The run shown is the one whose weights are in `saved_models/`, or else the run whose command is
  closest to a preset, regardless of its result. If a recipe ran with several seeds, the table
  shows the median run by the first metric (of an even number of runs, the worse of the middle two),
  with the baselines and references of that run.
- If a model was trained on part of a dataset, the recipe's name is followed by the size of that
  part.
- A command in **bold** does not use the paper's settings: either its preset is not `paper`, or
  flags change the preset. A training set in bold is a subset of the full set.
- "exported": the weights of this run, or of the given seed, are in `saved_models/`. Weights of
  other runs are not kept, but `keras-gen reproduce` trains them again.
- Before version 0.4.0, different binary examples could be evaluated with the same noise. The
  affected rows were measured again: `conditional_vae_mnist`, `glow_mnist`, and `vae_mnist` changed
  by at most 0.01 nats, `glow_celeb_a` by less than 0.0001 bits per dimension, `real_nvp_mnist` by
  0.001 bits per dimension (a third of its standard error), and the AUROC of `biva_mnist` by at
  most 0.01. The gray test images of the diffusion rows had independent noise even before version
  0.4.0, so these rows were not affected.
- "resumed": the run was interrupted and continued from a checkpoint. Rows from before November 28,
  2026, do not record interruptions.
- If a note mentions a shared core, other work ran on the same core, and the minutes are an upper
  bound.

The value after ± is one of the following:

""" + "".join(f"- {kind}: {text}\n" for kind, text in SPREADS.items())

PAGE = """\
This page shows the published runs of each recipe in this family.
[RESULTS.md](../../RESULTS.md#how-to-read-the-tables) explains the symbols and terms, and `NAME
FLAGS` is short for `python recipes/NAME.py FLAGS`. """


@dataclasses.dataclass(frozen=True)
class _Named:
    """A value that is formatted with its name before it."""

    name: str
    value: float

    def __format__(self, spec: str) -> str:
        return f"{self.name}: {self.value:{spec}}"


@dataclasses.dataclass(frozen=True)
class Family:
    """A family's row in README.md, from `docs/families.toml`.

    Attributes:
        title: Displayed name.
        methods: Names of the methods.
        image: Path of an image, relative to the repository's root.
        alt: Description of the image.
        recipe: Recipe whose headline is shown.
        figure: Headline in one sentence, as a format string. Its fields are `value`, `paper`,
            `baseline` (which includes the baseline's name), and `better` (which states whether
            lower or higher is better).
    """

    title: str
    methods: str
    image: str
    alt: str
    recipe: str
    figure: str

    def told(self, entry: Entry) -> str:
        """Returns the headline with an entry's numbers filled in."""
        (baseline,) = entry.baseline.items() or [("", None)]
        higher = entry.figure.higher_is_better
        return self.figure.format(
            value=entry.value,
            paper=entry.paper_value,
            baseline=_Named(*baseline),
            better=f"{'higher' if higher else 'lower'} is better",
        )


def update(root: str | Path) -> list[Path]:
    """Writes all pages and the table in README.md, and returns the files that were out of date.

    Args:
        root: The repository's root. Nothing is written to any other folder.

    Raises:
        FileNotFoundError: If the folder of recipes, README.md, or the list of families is missing.
        ValueError: If records cannot be read, or if README.md lacks the table's two markers.
    """
    changes = outdated(root)
    for path, text in changes.items():
        with replacing(path) as file:
            file.write(text.encode())
    return list(changes)


def outdated(root: str | Path) -> dict[Path, str]:
    """Returns the outdated files, as a dict from each file to the text that it should contain."""
    groups = read_groups(root)
    runs = _in_order(groups)
    root = Path(root)
    families = read_families(root)
    texts = {
        root / "RESULTS.md": index(runs, root),
        root / "README.md": _readme(root, runs, families),
    }
    for family in _families(runs):
        texts[root / FOLDER / f"{family}.md"] = page(family, runs, families[family].title)
    if topics := read_topics(root / "recipes"):
        texts[root / PAGE_OF_TOPICS] = _topics(topics, root)
    titles = {name: family.title for name, family in families.items()}
    texts |= course_pages.texts(root, groups, titles)
    texts |= cards.texts(root, groups)
    return {
        path: text
        for path, text in texts.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def index(runs: Sequence[list[Group]], root: Path) -> str:
    """Returns the text of RESULTS.md: a line with the headline of each recipe, and the key."""
    if not runs:
        return f"{INDEX}\n{NONE}\n\n{KEY}"
    parts = [INDEX]
    for family in _families(runs):
        place = _place(family)
        parts += [f"## [{family}]({place})", ""]
        columns = ("system", "class", "recipe", "metric", "result", "compared with")
        parts.append(words.header(*columns))
        for own in _of(family, runs):
            group = own[0]
            entry = group.entries[0]
            system = group.published.system
            system = f"[{system}]({place}#{words.anchor(system)})"
            classes = _classes(root / "recipes" / f"{group.recipe}.py", family)
            recipe = f"[{group.recipe}](recipes/{group.recipe}.py)"
            if isinstance(group.record.train_size, str) and " of " in group.record.train_size:
                recipe += f", {group.record.train_size}"
            name, ours = words.headline(entry)
            parts.append(words.line(system, classes, recipe, name, ours, words.beside(entry)))
        parts.append("")
    return "\n".join([*parts, KEY])


def page(family: str, runs: Sequence[list[Group]], title: str) -> str:
    """Returns a family's page: the runs of each recipe with their results and notes."""
    devices = [group.record.device for own in _of(family, runs) for group in own]
    usual = statistics.mode(devices)
    parts = [f"# Results: {title}\n\n{PAGE}Runs used {usual} unless stated otherwise.\n"]
    said = []
    for own in _of(family, runs):
        published = own[0].published
        lines = [f"## {published.system}\n", f"{published.paper}.\n"]
        parts += [line for line in lines if line not in said]
        said = lines
        for group in own:
            parts += [_run(group, usual), "", _figures(group.entries), ""]
            for matrix in group.published.matrices:
                parts += [_matrix(group, matrix), ""]
            if accuracies := _accuracies(group):
                parts += [accuracies, ""]
            notes = dict.fromkeys(record.note for record in group.records if record.note)
            parts += [f"- {' '.join(note.split()).rstrip('.')}." for note in notes]
            parts += [""] if notes else []
    return "\n".join(parts)


def read_families(root: str | Path) -> dict[str, Family]:
    """Returns the families by name, in the order of README.md."""
    tables = tomllib.loads((Path(root) / SHOWN).read_text(encoding="utf-8"))
    return {name: Family(**table) for name, table in tables.items()}


def head(runs: Sequence[list[Group]], families: dict[str, Family]) -> str:
    """Returns the README's table: an image, the methods, and the headline of each family.

    Raises:
        ValueError: If a family of `runs` is not in `families`, or if its recipe has no results.
    """
    if not runs:
        return NONE
    if missing := set(_families(runs)) - set(families):
        raise ValueError(
            f"{SHOWN} lacks {', '.join(missing)}: add every family that has results."
        )
    entries = {own[0].recipe: own[0].entries[0] for own in runs}
    parts = [words.header(PRODUCED, "Methods", "Headline result")]
    for name, family in families.items():
        if family.recipe not in entries:
            raise ValueError(
                f"{SHOWN} shows a metric of {family.recipe}, which has no results: choose another "
                "recipe."
            )
        image = f'<img src="{family.image}" width="180" alt="{family.alt}">'
        methods = f"**[{family.title}]({_place(name)})**: {family.methods}"
        parts.append(words.line(image, methods, family.told(entries[family.recipe])))
    return "\n".join(parts)


def _classes(recipe: Path, family: str) -> str:
    """Returns up to three classes that a recipe imports from its family, else from others."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(recipe.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            own = [alias.name for alias in node.names if alias.name[0].isupper()]
            found[node.module] = found.get(node.module, []) + own
    of_others = [name for other in MODELS for name in found.get(f"keras_gen.{other}", [])]
    names = found.get(f"keras_gen.{family}") or of_others
    shown = [f"`{name}`" for name in names[:3]]
    if names[3:]:
        shown.append(f"{len(names) - 3} more")
    return ", ".join(shown)


def _topics(topics: Topics, root: Path) -> str:
    names = {name for chapter in topics.values() for some in chapter.values() for name in some}
    classes = {}
    for name in names:
        family = read_published(root, name).family
        classes[name] = _classes(root / "recipes" / f"{name}.py", family)
    images = [name for name in names if (root / RESULTS / f"{name}.png").exists()]
    chapters = read_chapters(root / "docs" / "course")
    return topics_page(topics, classes, files_of_classes(root), images, chapters)


def _in_order(recipes: dict[str, list[Group]]) -> list[list[Group]]:
    def order(own: list[Group]):
        published = own[0].published
        return published.family, published.system, published.dataset

    return sorted(recipes.values(), key=order)


def _families(runs: Sequence[list[Group]]) -> list[str]:
    return list(dict.fromkeys(own[0].published.family for own in runs))


def _place(family: str) -> str:
    """Returns the path of a family's page, relative to the repository's root."""
    return f"{FOLDER.as_posix()}/{family}.md"


def _of(family: str, runs: Sequence[list[Group]]) -> list[list[Group]]:
    return [own for own in runs if own[0].published.family == family]


def _dataset(group: Group) -> str:
    return filled(group.published.dataset, group.record.numbers)


def _run(group: Group, usual_device: str) -> str:
    record = group.record
    seeds = ", ".join(map(str, group.seeds))
    seeds = f"seeds {seeds}" if group.seeds[1:] else f"seed {seeds}"
    if group.records[1:]:
        seeds = f"median of {seeds}"
    trained = record.train_size
    trained = f"{trained:,}" if isinstance(trained, int) else trained
    trained = f"**{trained}**" if " of " in trained else trained
    facts = [_dataset(group), f"{trained} training examples"]
    part, _, sizes = record.split.partition(", ")
    facts += [f"{sizes} {part} examples" if sizes else "", seeds]
    facts += [f"{record.minutes:,.1f} minutes", "resumed" if record.resumed else ""]
    facts += ["" if record.device == usual_device else record.device]
    if group.exported:
        own = group.exported is record
        facts.append("exported" if own else f"seed {group.exported.config['seed']} exported")
    flags = record.command.partition(".py")[2]
    command = f"`{group.recipe}{flags}`"
    if record.changed_flags or record.preset != "paper":
        command = f"**{command}**"
    return f"{command}: {'; '.join(filter(None, facts))}."


def _figures(entries: list[Entry]) -> str:
    """Returns a table of metrics, without empty columns."""
    columns = dict(
        [
            ("metric", list(map(words.metric, entries))),
            _ours(entries),
            _named("baseline", [entry.baseline for entry in entries]),
            _named("reference", [entry.references for entry in entries]),
            ("paper", list(map(words.paper_value, entries))),
            ("verdict", list(map(_verdict, entries))),
        ]
    )
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    rows = zip(*columns.values(), strict=True)
    return "\n".join([words.header(*columns), *(words.line(*cells) for cells in rows)])


def _ours(entries: list[Entry]) -> tuple[str, list[str]]:
    """Returns the column of values. The header names the type of spread that all rows share."""
    spreads = [entry.spread for entry in entries]
    kinds = {spread and spread[1] for spread in spreads}
    if len(kinds) > 1 or None in kinds:
        return "result", list(map(words.value, entries))
    return f"result (± {kinds.pop()})", list(map(_value, entries))


def _named(header: str, found: list[dict[str, float]]) -> tuple[str, list[str]]:
    """Returns a column of baselines or references; a name that all rows share is the header."""
    names = {name for values in found for name in values}
    if len(names) == 1:
        title = f"{header}: {names.pop()}"
        return title, [words.measured(*values.values()) if values else "" for values in found]
    return header, list(map(words.named, found))


def _value(entry: Entry) -> str:
    return words.measured(entry.value, entry.spread and entry.spread[0])


def _verdict(entry: Entry) -> str:
    text = words.verdict(entry)
    return f"**{text}**" if entry.missed_by or entry.is_behind else text


def _matrix(group: Group, matrix: Matrix) -> str:
    """Returns a matrix as a table; bold: best, italics: baseline, °: worse than a baseline."""
    numbers = group.record.numbers
    compared = [list(map(group.entry, row)) for row in matrix.compared.values()]
    measured = [entry for row in compared for entry in row if entry]
    if not measured:
        return ""
    if matrix.is_one_measure:
        best = _best(measured)
    else:
        best = [entry for column in zip(*compared, strict=True) for entry in _best(column)]
    lines = [_title(matrix, numbers, measured), ""]
    arrows = [words.arrow(entry.figure) for entry in measured[: len(matrix.columns)]]
    if len(set(arrows)) == 1:
        arrows = [""] * len(arrows)
    names = [filled(name, numbers) for name in matrix.columns]
    lines.append(words.header("", *map(" ".join, zip(names, arrows, strict=True))))
    for name, row in {**matrix.compared, **matrix.references}.items():
        cells = []
        for entry in map(group.entry, row):
            text = _value(entry) if entry else ""
            text += "°" if entry and entry.is_behind else ""
            cells.append(f"**{text}**" if entry in best else text)
        method = filled(name, numbers)
        lines.append(words.line(method if name in matrix.rows else f"*{method}*", *cells))
    return "\n".join(lines)


def _title(matrix: Matrix, numbers: dict, entries: list[Entry]) -> str:
    """Returns the title of a matrix, with the properties that all its cells share."""
    title = filled(matrix.title, numbers)
    arrows = {words.arrow(entry.figure) for entry in entries}
    if len(arrows) == 1:
        title += f" {arrows.pop()}"
    kinds = {entry.spread[1] for entry in entries if entry.spread}
    facts = [f"± {', '.join(sorted(kinds))}"] if kinds else []
    if matrix.is_one_measure:
        facts += filter(None, [words.baseline(entries[0]), words.named(entries[0].references)])
    return f"{title} ({'; '.join(facts)})" if facts else title


def _best(entries: Sequence[Entry | None]) -> list[Entry]:
    """Returns the best entries; several if they are equal to four significant digits."""
    found = [entry for entry in entries if entry is not None]
    if not found[1:]:
        return []
    sign = 1 if found[0].figure.higher_is_better else -1
    best = max(found, key=lambda entry: sign * entry.value)
    return [entry for entry in found if not entry.figure.worse_by(entry.value, best.value)]


def _accuracies(group: Group) -> str:
    classifiers = group.published.classifiers
    values = group.record.values
    found = [f"{name} {values[key]:.3f}" for name, key in classifiers.items() if key in values]
    return f"Classifier accuracy on held-out data: {', '.join(found)}." if found else ""


def _readme(root: Path, runs: Sequence[list[Group]], families: dict[str, Family]) -> str:
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest:
        raise ValueError(
            f"{readme} must contain the table's two markers, each once and in this order: write "
            f"{BEGIN}, and {END} on a separate line below it."
        )
    return f"{before}{BEGIN}\n{head(runs, families)}\n{END}{after}"
