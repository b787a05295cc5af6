"""How a figure is written, on every page and by every command."""

import math
import re
from collections.abc import Mapping

from keras_gen.workshop.results.declarations import Figure
from keras_gen.workshop.results.page_lines import Entry
from keras_gen.workshop.results.records import Record

SHORT = "▽ short of the paper"


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


def arrow(figure: Figure) -> str:
    """Which way is better."""
    return "↑" if figure.higher_is_better else "↓"


def metric(entry: Entry) -> str:
    """The figure's name in this run, its unit, and which way is better."""
    return f"{entry.figure.words(entry.record.numbers)} {arrow(entry.figure)}"


def value(entry: Entry) -> str:
    """What was reached, with the spread and its kind."""
    size, kind = entry.spread or (None, None)
    text = measured(entry.value, size)
    return f"{text} ({kind})" if kind else text


def headline(entry: Entry) -> tuple[str, str]:
    """A figure's name and what was reached, as README.md and `keras-gen list` show them."""
    return metric(entry), value(entry)


def named(values: Mapping[str, float]) -> str:
    """Names and what they reached."""
    return ", ".join(f"{name}: {measured(reached)}" for name, reached in values.items())


def baseline(entry: Entry) -> str:
    """The strongest baseline and what it reached, or why there is none."""
    reason = entry.figure.no_baseline
    return f"none: {reason}" if reason else named(entry.baseline)


def paper_value(entry: Entry) -> str:
    """The paper's value, and the source of one of another paper."""
    number = entry.paper_value
    other = f" ({source(entry.figure.paper)})" if entry.figure.paper else ""
    return "" if number is None else f"{number:,.10g}{other}"


def verdict(entry: Entry) -> str:
    """How a figure compares with the paper's value and with its baseline."""
    parts = []
    if entry.missed_by is not None:
        parts.append(f"{SHORT} by {entry.missed_by:.3g}" if entry.missed_by else "met")
    return ", ".join([*parts, *_instead(entry)])


def beside(entry: Entry) -> str:
    """The paper's value, or else the baseline, that a headline is compared with, and a verdict."""
    if entry.paper_value is None:
        text = baseline(entry)
    else:
        text = f"paper: {paper_value(entry)}"
        if entry.is_behind:
            text += f"; {named(entry.baseline)}"
    verdicts = [SHORT] if entry.missed_by else []
    return ", ".join([text, *(f"**{word}**" for word in [*verdicts, *_instead(entry)])])


def _instead(entry: Entry) -> list[str]:
    """What to use where a baseline is better."""
    return [f"⇒ use {name} instead" for name in entry.baseline if entry.is_behind]


def device(record: Record) -> str:
    """The device, and the strategy if it has several replicas."""
    return record.device.removesuffix(", DefaultDistributionStrategy with 1 replica")


def source(paper: str) -> str:
    """Authors and year, linked to the address that the text holds, if it does."""
    cited = re.match(r".*?\b\d{4}\b", paper)
    address = re.search(r"https?://[^\s,;]+", paper)
    name = cited[0] if cited else paper.partition(",")[0]
    return f"[{name}]({address[0]})" if address else name
