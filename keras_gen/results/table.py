"""RESULTS.md and the head of it in README.md, written from the rows."""

import math
from pathlib import Path

from keras_gen.files import replacing
from keras_gen.results.rows import Row, read_rows

BEGIN = "<!-- results: written by keras-gen results -->"
END = "<!-- /results -->"
NONE = "No results have been published yet."

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
    rows = [row for rows in read_rows(root).values() for row in rows]
    readme = Path(root) / "README.md"
    texts = {Path(root) / "RESULTS.md": whole(rows), readme: _with_block(readme, head(rows))}
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
        parts.append("\n" + _header("metric", "paper", "ours", "verdict", "scale", "split", "run"))
        for row in members:
            number = runs.index(_run(row)) + 1
            cells = [*_names(row), *_values(row), _verdict(row), _scale(row), row.split]
            parts.append(_line(*cells, f"[{number}](#runs)"))
        parts.append("")
    parts.append("## Runs\n")
    reasons = {(_run(row), row.note) for row in rows if row.missed_by}
    for number, run in enumerate(runs, 1):
        notes = dict.fromkeys(row.note for row in rows if _run(row) == run and row.note)
        rest = [note for note in notes if (run, note) not in reasons]
        parts.append(" ".join([f"{number}. {run}", *map(_plain, rest)]))
    return "\n".join(parts) + "\n"


def head(rows: list[Row]) -> str:
    """The block of README.md: the best row of each main figure.

    Those are, of every system and data set, the one that its recipe declares first, and all that
    the paper reports too.
    """
    best: dict[tuple[str, ...], Row] = {}
    first: dict[tuple[str, ...], str] = {}
    for row in sorted(rows, key=_order):
        key = (*_order(row), row.metric)
        headline = first.setdefault(_order(row), row.metric)
        if row.paper_value is None and row.metric != headline:
            continue
        other = best.setdefault(key, row)
        if (row.value > other.value) if row.higher_is_better else (row.value < other.value):
            best[key] = row
    if not best:
        return NONE
    lines = [_header("metric", "paper", "ours", "verdict", "scale")]
    for row in best.values():
        lines.append(_line(*_names(row), *_values(row), _verdict(row), _scale(row)))
    lines.append(
        "\nThe main figures of the best runs; [RESULTS.md](RESULTS.md) has all figures and runs, "
        "their commands and what the columns mean."
    )
    return "\n".join(lines)


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


def _names(row: Row) -> tuple[str, str, str]:
    better = "↑" if row.higher_is_better else "↓"
    unit = f", {row.unit}" if row.unit else ""
    return row.system, row.dataset, f"{row.metric}{unit} {better}"


def _values(row: Row) -> tuple[str, str]:
    paper = "" if row.paper_value is None else f"{row.paper_value:,.10g}"
    return paper, measured(row.value, row.spread)


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
    columns = ("system", "dataset", *columns)
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
