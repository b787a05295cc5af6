"""RESULTS.md and the table in README.md, written from the rows."""

import math
import re
from pathlib import Path

from keras_gen.files import replacing
from keras_gen.results.entries import Entry, read_entries
from keras_gen.results.published import SPREADS
from keras_gen.results.rows import Row

BEGIN = "<!-- results: written by keras-gen results -->"
END = "<!-- /results -->"
COLUMNS = ("system", "paper", "recipe", "data", "score", "ours", "baseline", "the paper's")
NONE = "No results have been published yet."
FOOTNOTE = """\
↓ and ↑ say whether lower or higher is better. The score is one figure of the run nearest to a
preset as it stands, and of several seeds the median run; beside it is the strongest cheap method
that was measured. [RESULTS.md](RESULTS.md) has all figures, how each run was trained, what ± is,
and why a paper's value was missed."""

INTRODUCTION = """\
# Results

Written by `keras-gen results` from `recipes/results/`. `keras-gen reproduce RECIPE` repeats a run
and compares.

↓ and ↑ say whether lower or higher is better. A figure is met, and not behind its baseline, if it
is as good in four significant digits. **Bold** under scale is what falls short of the paper's
setting: another preset, flags that change the preset, a part of the training set. Of several seeds
the median run is shown: by the figure that comes first, and of two the worse one.

Under verdict, a baseline is what a cheap or plain method reaches, a reference is not to be beaten,
such as held-out images, and a check is another library's method against its published value.

What stands behind ± is named beside it:

""" + "".join(f"- {kind}: {text}\n" for kind, text in SPREADS.items())


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
    runs = read_entries(root)
    readme = Path(root) / "README.md"
    texts = {
        Path(root) / "RESULTS.md": whole([run for own in runs.values() for run in own]),
        readme: _with_block(readme, head(runs)),
    }
    return {
        path: text
        for path, text in texts.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def whole(runs: list[list[Entry]]) -> str:
    """The text of RESULTS.md: a table for each family, and the runs behind it."""
    if not runs:
        return f"{INTRODUCTION}\n{NONE}\n"
    runs = sorted(runs, key=_order)
    parts = [INTRODUCTION]
    for family in dict.fromkeys(run[0].published.family for run in runs):
        members = [(n, run) for n, run in enumerate(runs, 1) if run[0].published.family == family]
        parts.append(f"## {family}\n")
        papers = dict.fromkeys((e.published.system, e.published.paper) for _, (e, *_) in members)
        parts += [f"- {system}: {paper}" for system, paper in papers]
        columns = "system dataset metric paper ours verdict scale split run".split()
        parts.append("\n" + _header(*columns))
        for number, run in members:
            for entry in run:
                cells = [entry.published.system, entry.published.dataset, metric(entry)]
                cells += [_paper_value(entry), value(entry), _verdict(entry), _scale(entry.row)]
                parts.append(_line(*cells, entry.row.split, f"[{number}](#runs)"))
        parts.append("")
    parts.append("## Runs\n")
    for number, run in enumerate(runs, 1):
        shown = {entry.row.note for entry in run if entry.missed_by}
        notes = dict.fromkeys(row.note for entry in run for row in entry.rows if row.note)
        rest = [_plain(note) for note in notes if note not in shown]
        parts.append(" ".join([f"{number}. {_run(run[0])}", *rest]))
    return "\n".join(parts) + "\n"


def head(runs: dict[str, list[list[Entry]]]) -> str:
    """The block of README.md: a line for each recipe, with its score.

    That is the figure that the recipe publishes first, of the run with the fewest flags that change
    its preset (of two such, that of the preset paper): no value decides.

    Args:
        runs: The entries of each recipe, by its name.
    """
    if not runs:
        return NONE
    lines = [_header(*COLUMNS)]
    for recipe, own in sorted(runs.items(), key=lambda item: _order(item[1][0])):
        nearest = min(own, key=lambda run: (run[0].row.changed_flags, run[0].row.preset != "paper"))
        entry = nearest[0]
        ours = ", ".join(filter(None, [value(entry), _behind(entry)]))
        theirs = ", ".join(filter(None, [_paper_value(entry), _against_paper(entry)]))
        made, link = entry.published, f"[{recipe}](recipes/{recipe}.py)"
        cells = [made.system, _source(made.paper), link, made.dataset, metric(entry), ours]
        lines.append(_line(*cells, _baseline(entry), theirs))
    return "\n".join([*lines, "", FOOTNOTE])


def measured(value: float, spread: float | None = None) -> str:
    """A number as precise as its spread (two digits of that), or else with four digits.

    A spread that is no more than the rounding of sums is 0.
    """
    if spread is not None and abs(spread) < 1e-9 * abs(value):
        spread = 0.0
    size = abs(spread) if spread else abs(value)
    power = math.floor(math.log10(size)) if size else 0
    digits = max(0, (1 if spread else 3) - power)
    text = f"{value:,.{digits}f}"
    return text if spread is None else f"{text} ± {spread:,.{digits}f}"


def value(entry: Entry) -> str:
    """What was reached, with the spread and its kind."""
    size, kind = entry.spread or (None, None)
    text = measured(entry.row.value, size)
    return f"{text} ({kind})" if kind else text


def metric(entry: Entry) -> str:
    """The figure's name, its unit, and which way is better."""
    unit = f", {entry.figure.unit}" if entry.figure.unit else ""
    return f"{entry.figure.metric}{unit} {'↑' if entry.figure.higher_is_better else '↓'}"


def verdict(entry: Entry) -> str:
    """What a figure is, or how it compares with the paper's value and with its baseline."""
    parts = [entry.figure.role, _against_paper(entry), _behind(entry)]
    return ", ".join(filter(None, parts)) or "no published figure"


def _verdict(entry: Entry) -> str:
    text = verdict(entry)
    text = f"**{text}**" if entry.missed_by or entry.is_behind else text
    return f"{text}: {entry.row.note}" if entry.missed_by and entry.row.note else text


def _against_paper(entry: Entry) -> str:
    if entry.missed_by:
        return f"missed by {entry.missed_by:.3g}"
    return "" if entry.missed_by is None or entry.figure.role == "check" else "met"


def _behind(entry: Entry) -> str:
    return f"behind its baseline ({_baseline(entry)})" if entry.is_behind else ""


def _baseline(entry: Entry) -> str:
    if entry.baseline:
        return f"{entry.baseline[0]}: {measured(entry.baseline[1])}"
    return f"none: {entry.figure.no_baseline}" if entry.figure.no_baseline else "not yet measured"


def _paper_value(entry: Entry) -> str:
    number = entry.figure.paper_value
    source = f" ({_source(entry.figure.paper)})" if entry.figure.paper else ""
    return "" if number is None else f"{number:,.10g}{source}"


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


def _run(entry: Entry) -> str:
    """What the figures of one run have in common, in one line."""
    row = entry.row
    seeds = sorted({seed for other in entry.rows for seed in other.seeds})
    text = f"seed{'s' if seeds[1:] else ''} {', '.join(map(str, seeds))}"
    if entry.rows[1:]:
        text = f"the median of {text}"
    versions = [f"{package} {version}" for package, version in (row.versions or {}).items()]
    facts = [text, f"{row.steps:,} steps", f"{row.minutes:,.1f} minutes", row.device]
    return f"`{row.command}`: {', '.join([*facts, *versions, *filter(None, [row.date])])}."


def _order(run: list[Entry]) -> tuple[str, ...]:
    """Of systems; the runs of one keep the order in which they were published."""
    published = run[0].published
    return published.family, published.system, published.dataset


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
