"""Images of densities of the plane."""

from collections.abc import Callable, Mapping

import numpy as np

from keras_gen.messages import in_words
from keras_gen.workshop.visualize.plots import new_figure, pixels

MOST_POINTS = 5000  # that are drawn in a panel


def planar_densities(
    rows: Mapping[str, tuple[np.ndarray, Mapping[str, Callable]]],
    span: float = 4.0,
    side: int = 100,
) -> np.ndarray:
    """Points of the plane, and densities beside them, one row for each set.

    All densities of a row have one scale of colors, from 0 to the largest value of the first one.

    Args:
        rows: Title -> points `[n, 2]`, and by title functions of points `[m, 2]` that return
            log-densities `[m]` in nats, such as `model.log_prob`.
        span: From minus to plus this is shown along both axes.
        side: Points along each axis at which the densities are computed.

    Returns: a uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there is no row, or one has other points or no density.

    Example: `planar_densities({"rings": (points, {"known": rings().log_density})})`.
    """
    shapes = {title: np.shape(points) for title, (points, _) in rows.items()}
    counts = {title: len(functions) for title, (_, functions) in rows.items()}
    if not rows or any(shape[1:] != (2,) for shape in shapes.values()) or 0 in counts.values():
        raise ValueError(
            f"rows have points of the shapes {shapes} and {counts} densities: expected at least "
            "one row, of points [n, 2] and at least one density."
        )
    middles = span * (2 * (np.arange(side) + 0.5) / side - 1)
    grid = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2).astype("float32")
    columns = 1 + max(counts.values())
    drawn = new_figure(3.2 * columns, 3.2 * len(rows))
    panels = drawn.subplots(len(rows), columns, squeeze=False)
    for axes in panels.flat:
        axes.set(xlim=(-span, span), ylim=(-span, span), aspect="equal", xticks=[], yticks=[])
    for row, (title, (points, functions)) in zip(panels, rows.items(), strict=True):
        row[0].scatter(*points[:MOST_POINTS].T, s=1, linewidths=0, color="black")
        row[0].set_title(title)
        most = None
        for axes, (name, log_density) in zip(row[1:], functions.items(), strict=False):
            density = np.exp(np.asarray(log_density(grid), "float64")).reshape(side, side)
            most = density.max() if most is None else most
            extent = (-span, span, -span, span)
            axes.imshow(density, origin="lower", extent=extent, vmin=0, vmax=most)
            axes.set_title(in_words(name))
    return pixels(drawn)
