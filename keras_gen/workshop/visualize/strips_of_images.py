"""Figures with labels, and strips of points or images over the course of training."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_gen.messages import in_words
from keras_gen.workshop.visualize.captions import captioned
from keras_gen.workshop.visualize.plots import new_figure, pixels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE = 16  # maximum number of characters per line in a row's label


def figure(
    image: np.ndarray,
    title: str | None = None,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    pad: int = 2,
) -> "Figure":
    """Converts an image from this package to a matplotlib figure with row and column labels.

    The figure is not part of pyplot's state, so it does not have to be closed. If the figure is the
    last value of a cell, a notebook shows it.

    Args:
        image: Image that consists of cells of equal size, uint8 `[height, width, 3]`.
        title: Text above the image.
        row_labels: One label per row of cells, from top to bottom.
        column_labels: One label per column.
        pad: Number of white pixels around each cell, as in `grid`.

    Returns: A `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the image cannot be divided into as many rows or columns as there are labels.

    Example: `figure(traversals(model, digits[:1]), row_labels="abc").savefig("latents.pdf")`.
    """
    height, width = image.shape[:2]
    drawn = new_figure(8, 1 + 8 * height / width)
    axes = drawn.subplots()
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks(_middles(width, column_labels, pad, "column"), column_labels)
    axes.set_yticks(_middles(height, row_labels, pad, "row"), row_labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title)
    # The height is reduced with the width of the row labels, so that no white space remains
    # above and below the image.
    drawn.draw_without_rendering()
    drawn.set_figheight(drawn.get_tightbbox().height + 0.1)
    return drawn


def point_strips(
    rows: Mapping[str, Sequence[np.ndarray]], titles: Sequence[str], real: np.ndarray
) -> np.ndarray:
    """Plots points generated at several times during training, next to the data.

    See fig. 2 of Metz, Poole, Pfau, Sohl-Dickstein: "Unrolled Generative Adversarial Networks",
    ICLR 2017. The plot shows whether modes are missed permanently, or are lost and found again.

    Args:
        rows: Dict from the name of each method to its points `[n, 2]` at each time.
        titles: Title of each time.
        real: Data points `[m, 2]`. All panels show the range of these points plus a margin, and the
            fraction of points that lie outside.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there are no rows, if the number of times in a row differs from the number of
            titles, or if points are not `[n, 2]`.

    Example: `point_strips({"GAN": [model.sample(500)]}, ["step 1,000"], points)`.
    """
    shapes = [[np.shape(points) for points in times] for times in rows.values()]
    found = {shape[1:] for times in shapes for shape in times} | {np.shape(real)[1:]}
    if not shapes or {len(times) for times in shapes} != {len(titles)} or found != {(2,)}:
        raise ValueError(
            f"rows contains points of shapes {shapes} for {len(titles)} titles: expected at "
            "least one row, each with points [n, 2] for every title."
        )
    middle = np.mean([np.min(real, 0), np.max(real, 0)], axis=0)
    reach = 0.65 * np.ptp(real, 0)
    low = middle - reach
    high = middle + reach
    drawn = new_figure(1.6 * len(titles) + 2, 1.6 * len(rows))
    panels = drawn.subplots(len(rows), len(titles) + 1, squeeze=False)
    for number, (row, (name, times)) in enumerate(zip(panels, rows.items(), strict=True)):
        row[0].set_ylabel(textwrap.fill(in_words(name), LINE))
        for axes, title, points in zip(row, [*titles, "data"], [*times, real], strict=True):
            color = "black" if points is real else "tab:blue"
            axes.scatter(*np.asarray(points).T, s=2, color=color, linewidths=0)
            axes.set(xticks=[], yticks=[], aspect="equal", title="" if number else title)
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
            outside = np.mean(np.any(np.abs(points - middle) > reach, axis=1))
            if outside > 0.01:
                axes.text(0.04, 0.04, f"{outside:.0%} outside", transform=axes.transAxes)
    return pixels(drawn)


def film_strip(frames: Mapping[str, np.ndarray], n: int = 6) -> np.ndarray:
    """Shows images from successive stages of training, from first to last, two per row.

    Args:
        frames: Dict from names, such as the epoch, to uint8 images `[height, width, channels]` of
            equal size, in order. `keras_gen.files.images.as_shown` converts the images.
        n: Number of evenly spaced images to show. If there are fewer images, all are shown.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there are no frames, or if `n` is below 1.

    Example: `film_strip({"epoch 1": first, "epoch 20": last})`.
    """
    if not frames or n < 1:
        raise ValueError(
            f"There are {len(frames)} frames and n is {n}: expected at least one frame, and an n "
            "of at least 1."
        )
    places = np.linspace(0, len(frames) - 1, min(n, len(frames))).round().astype(int)
    chosen = [list(frames)[place] for place in places]
    shown = [np.asarray(frames[name]) for name in chosen]
    names = list(map(in_words, chosen))
    if len(shown) % 2:  # the last row's second place stays white
        names.append("")
        shown.append(np.full_like(shown[0], 255))
    rows = [
        captioned([np.stack(shown[i : i + 2])], column_names=names[i : i + 2])
        for i in range(0, len(shown), 2)
    ]
    return np.concatenate(rows)


def _middles(size, labels, pad, kind):
    """Returns the midpoints of cells in pixels, which begin at -0.5 as in `imshow`."""
    if labels and (size - pad) % len(labels):
        raise ValueError(
            f"There are {len(labels)} {kind}_labels, but {size} pixels with {pad} pixels between "
            f"cells cannot be divided into {len(labels)} equal {kind}s: expected one label per "
            f"{kind}."
        )
    return [(size - pad) * (i + 0.5) / len(labels) + (pad - 1) / 2 for i in range(len(labels))]
