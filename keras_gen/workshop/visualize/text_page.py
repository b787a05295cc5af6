"""Texts as an image."""

import textwrap
from collections.abc import Iterable

import numpy as np

from keras_gen.workshop.visualize.plots import new_figure, pixels

COLUMNS = 100  # characters of a line


def text_page(texts: Iterable[str]) -> np.ndarray:
    """Texts one below the other, each wrapped to lines of 100 characters.

    Args:
        texts: Strings, one at least.

    Returns: a uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there is no text.

    Example: `write_image("texts.png", text_page(model.sample(4, seed=0)))`.
    """
    lines: list[str] = []
    for text in texts:
        for line in str(text).split("\n"):
            lines += textwrap.wrap(line, COLUMNS) or [""]
        lines.append("")
    if not lines:
        raise ValueError("There is no text: expected one at least.")
    height = 0.165 * len(lines) + 0.2
    drawn = new_figure(0.08 * COLUMNS + 0.3, height)
    # A dollar would begin a formula.
    page = "\n".join(lines).replace("$", r"\$")
    drawn.text(
        0.01, 1 - 0.1 / height, page, family="monospace", fontsize=9, va="top", linespacing=1.3
    )
    return pixels(drawn)
