"""Formats metrics, tables, and headings for all pages and commands."""

import math
import re
from collections.abc import Mapping

from keras_gen.workshop.results.declarations import Figure
from keras_gen.workshop.results.page_lines import Entry

SHORT = "▽ short of the paper"


def measured(value: float, spread: float | None = None) -> str:
    """Returns a number, rounded like its spread (to two digits), or else to four digits.

    A spread that is no larger than rounding errors is shown as 0.
    """
    if spread is not None and abs(spread) < 1e-9 * abs(value):
        spread = 0.0
    size = abs(spread) if spread else abs(value)
    power = math.floor(math.log10(size)) if size else 0
    digits = max(0, (1 if spread else 3) - power)
    text = f"{value:,.{digits}f}"
    return text if spread is None else f"{text} ± {spread:,.{digits}f}"


def arrow(figure: Figure) -> str:
    """Returns the arrow that points in the direction of better values."""
    return "↑" if figure.higher_is_better else "↓"


def metric(entry: Entry) -> str:
    """Returns the name of an entry's metric, its unit, and its arrow."""
    return f"{entry.figure.words(entry.record.numbers)} {arrow(entry.figure)}"


def value(entry: Entry) -> str:
    """Returns the result with its spread and the type of the spread."""
    size, kind = entry.spread or (None, None)
    text = measured(entry.value, size)
    return f"{text} ({kind})" if kind else text


def headline(entry: Entry) -> tuple[str, str]:
    """Returns the name and the result of a metric, as README.md and `keras-gen list` show them."""
    return metric(entry), value(entry)


def named(values: Mapping[str, float]) -> str:
    """Returns names and results as a comma-separated list."""
    return ", ".join(f"{name}: {measured(reached)}" for name, reached in values.items())


def baseline(entry: Entry) -> str:
    """Returns the strongest baseline and its result, or the reason that there is no baseline."""
    reason = entry.figure.no_baseline
    return f"none: {reason}" if reason else named(entry.baseline)


def paper_value(entry: Entry) -> str:
    """Returns the paper's value, followed by its source if the value is from another paper."""
    number = entry.paper_value
    other = f" ({source(entry.figure.paper)})" if entry.figure.paper else ""
    return "" if number is None else f"{number:,.10g}{other}"


def verdict(entry: Entry) -> str:
    """Compares a result with the paper's value and with the strongest baseline."""
    parts = []
    if entry.missed_by is not None:
        parts.append(f"{SHORT} by {entry.missed_by:.3g}" if entry.missed_by else "met")
    return ", ".join([*parts, *_instead(entry)])


def beside(entry: Entry) -> str:
    """Returns a headline's comparison with the paper or the baseline, and a verdict."""
    if entry.paper_value is None:
        text = baseline(entry)
    else:
        text = f"paper: {paper_value(entry)}"
        if entry.is_behind:
            text += f"; {named(entry.baseline)}"
    verdicts = [SHORT] if entry.missed_by else []
    return ", ".join([text, *(f"**{word}**" for word in [*verdicts, *_instead(entry)])])


def _instead(entry: Entry) -> list[str]:
    """Returns the method to use instead if a baseline is better."""
    return [f"⇒ use {name} instead" for name in entry.baseline if entry.is_behind]


def source(paper: str) -> str:
    """Returns authors and year, linked to the URL if the text contains one."""
    cited = re.match(r".*?\b\d{4}\b", paper)
    address = re.search(r"https?://[^\s,;]+", paper)
    name = cited[0] if cited else paper.partition(",")[0]
    return f"[{name}]({address[0]})" if address else name


def header(*columns: str) -> str:
    """Returns the first two lines of a table."""
    return "\n".join([line(*columns), "|" + "-|" * len(columns)])


def line(*cells: str) -> str:
    """Returns a table row whose texts are escaped so that each stays in its cell."""
    plain = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return "|" + "|".join(f" {cell} " if cell else " " for cell in plain) + "|"


def anchor(heading: str) -> str:
    """Returns the anchor of a heading."""
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c in "-_")
