"""RESULTS.md and the table in README.md, written from the rows."""

import math
import re
from pathlib import Path

from keras_gen.files import replacing
from keras_gen.results.rows import Row, read_rows

BEGIN = "<!-- results: written by keras-gen results -->"
END = "<!-- /results -->"
NONE = "No results have been published yet."
FOOTNOTE = """\
↓ and ↑ say whether lower or higher is better. The score is one figure of the best run;
[RESULTS.md](RESULTS.md) has them all, how each run was trained, and why a paper's value was
missed."""

INTRODUCTION = """\
# Results

Written by `keras-gen results` from `recipes/results/`. `keras-gen reproduce RECIPE` repeats a run
and compares.

↓ and ↑ say whether lower or higher is better. ± is the standard deviation over the seeds of a run,
or the standard error of the measurement where there is one seed. A figure is met if it is as good
as the paper's in four significant digits. **Bold** under scale is what falls short of the paper's
setting: another preset, flags that change the preset, a part of the training set.
"""


def update(root: str | Path) -> list[Path]:
    """Writes RESULTS.md and the block in README.md, each atomically and only if it changes.

    Args:
        root: The repository's root.

    Returns:
        The files that were out of date.

    Raises:
        FileNotFoundError: If there is no folder of recipes or no README.md.
        ValueError: If rows cannot be read, or README.md lacks the block's two marks.
        OSError: If a file cannot be written.

    Example:
        >>> update(".")    # doctest: +SKIP
        [PosixPath('RESULTS.md')]
    """
    changes = outdated(root)
    for path, text in changes.items():
        with replacing(path) as file:
            file.write(text.encode())
    return list(changes)


def outdated(root: str | Path) -> dict[Path, str]:
    """The files that differ from the rows, with the text that they should hold; see `update`."""
    rows = read_rows(root)
    all_rows = [row for own in rows.values() for row in own]
    readme = Path(root) / "README.md"
    texts = {Path(root) / "RESULTS.md": whole(all_rows), readme: _with_block(readme, head(rows))}
    return {
        path: text
        for path, text in texts.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def whole(rows: list[Row]) -> str:
    """The text of RESULTS.md: a table for each family, and the runs behind it."""
    if not rows:
        return f"{INTRODUCTION}\n{NONE}\n"
    rows = sorted(rows, key=_order)
    runs = list(dict.fromkeys(map(_run, rows)))
    parts = [INTRODUCTION]
    for family in dict.fromkeys(row.family for row in rows):
        members = [row for row in rows if row.family == family]
        parts.append(f"## {family}\n")
        papers = dict.fromkeys((row.system, row.paper) for row in members)
        parts += [f"- {system}: {paper}" for system, paper in papers]
        columns = "system dataset metric paper ours verdict scale split run".split()
        parts.append("\n" + _header(*columns))
        for row in members:
            number = runs.index(_run(row)) + 1
            cells = [row.system, row.dataset, _metric(row), _paper_value(row), _value(row)]
            cells += [_verdict(row), _scale(row), row.split, f"[{number}](#runs)"]
            parts.append(_line(*cells))
        parts.append("")
    parts.append("## Runs\n")
    reasons = {(_run(row), row.note) for row in rows if row.missed_by}
    for number, run in enumerate(runs, 1):
        notes = dict.fromkeys(row.note for row in rows if _run(row) == run and row.note)
        rest = [note for note in notes if (run, note) not in reasons]
        parts.append(" ".join([f"{number}. {run}", *map(_plain, rest)]))
    return "\n".join(parts) + "\n"


def head(rows: dict[str, list[Row]]) -> str:
    """The block of README.md: a line for each recipe, with its score.

    That is the figure that the recipe publishes first, of the run in which it is best.

    Args:
        rows: The rows of each recipe, by its name.
    """
    rows = {recipe: own for recipe, own in rows.items() if own}
    if not rows:
        return NONE
    lines = [_header("system", "paper", "recipe", "data", "score", "ours", "the paper's")]
    for recipe, own in sorted(rows.items(), key=lambda item: _order(item[1][0])):
        first = [row for row in own if row.metric == own[0].metric]
        row = max(first, key=lambda row: row.value if row.higher_is_better else -row.value)
        theirs = "" if row.paper_value is None else f"{_paper_value(row)}, {verdict(row)}"
        cells = [row.system, _source(row.paper), f"[{recipe}](recipes/{recipe}.py)", row.dataset]
        lines.append(_line(*cells, _metric(row), _value(row), theirs))
    return "\n".join([*lines, "", FOOTNOTE])


def measured(value: float, spread: float | None = None) -> str:
    """A number as precise as its spread (two digits of that), or else with four digits."""
    size = abs(spread) if spread else abs(value)
    power = math.floor(math.log10(size)) if size else 0
    digits = max(0, (1 if spread else 3) - power)
    text = f"{value:,.{digits}f}"
    return text if spread is None else f"{text} ± {spread:,.{digits}f}"


def verdict(row: Row) -> str:
    """Whether the paper's value was met, and if not, by how much not."""
    if row.missed_by is None:
        return "no published figure"
    return f"missed by {row.missed_by:.3g}" if row.missed_by else "met"


def _verdict(row: Row) -> str:
    return f"**{verdict(row)}**: {row.note}" if row.missed_by else verdict(row)


def _metric(row: Row) -> str:
    unit = f", {row.unit}" if row.unit else ""
    return f"{row.metric}{unit} {'↑' if row.higher_is_better else '↓'}"


def _value(row: Row) -> str:
    return measured(row.value, row.spread)


def _paper_value(row: Row) -> str:
    return "" if row.paper_value is None else f"{row.paper_value:,.10g}"


def _source(paper: str) -> str:
    """Authors and year, linked to the address that the text holds, if it does."""
    cited, address = re.match(r".*?\b\d{4}\b", paper), re.search(r"https?://[^\s,;]+", paper)
    name = cited[0] if cited else paper.partition(",")[0]
    return f"[{name}]({address[0]})" if address else name


def _scale(row: Row) -> str:
    """Preset and training set, in bold where they are not the paper's."""
    preset = f"{row.preset} preset"
    if row.changed_flags:
        preset += f", {row.changed_flags} flag{'s' if row.changed_flags > 1 else ''} changed"
    if row.preset != "paper" or row.changed_flags:
        preset = f"**{preset}**"
    size = f"{row.train_size:,}" if isinstance(row.train_size, int) else row.train_size
    return f"{preset}; {f'**{size}**' if ' of ' in size else size} examples"


def _run(row: Row) -> str:
    """What the figures of one run have in common, in one line."""
    seeds = f"seed{'s' if row.seeds[1:] else ''} {', '.join(map(str, row.seeds))}"
    each = " each" if row.seeds[1:] else ""
    versions = [f"{package} {version}" for package, version in (row.versions or {}).items()]
    facts = [seeds, f"{row.steps:,} steps", f"{row.minutes:,.1f} minutes{each}", row.device]
    return f"`{row.command}`: {', '.join([*facts, *versions, *filter(None, [row.date])])}."


def _order(row: Row) -> tuple[str, ...]:
    """Of systems; the rows of one keep the order in which its recipe declares its figures."""
    return row.family, row.system, row.dataset


def _header(*columns: str) -> str:
    return "\n".join([_line(*columns), "|" + "---|" * len(columns)])


def _line(*cells: str) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Text that stays in its cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _with_block(readme: Path, block: str) -> str:
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest:
        raise ValueError(
            f"{readme} must hold the table's two marks once, in this order: write {BEGIN} and, on "
            f"a line of its own below, {END}."
        )
    return f"{before}{BEGIN}\n{block}\n{END}{after}"
