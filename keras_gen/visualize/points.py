"""Strips of points over a training."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_gen.visualize.plots import _pixels


def point_strips(
    rows: Mapping[str, Sequence[np.ndarray]], titles: Sequence[str], real: np.ndarray
) -> np.ndarray:
    """Generated points at times of a training, a row for each method; at the right the data.

    As fig. 2 of Metz, Poole, Pfau, Sohl-Dickstein: "Unrolled Generative Adversarial Networks",
    ICLR 2017, from which one sees whether modes are missed for good or in turns.

    Args:
        rows: Name of a method -> points `[n, 2]` at each time.
        titles: Text above each time.
        real: Points of the data `[m, 2]`, whose range with a margin is shown everywhere.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there is no row, or one has not as many times as there are titles, or not
            points `[n, 2]`.

    Example:
    ```python
    strips = point_strips({"GAN": [model.sample(500)]}, ["step 1,000"], points)
    ```
    """
    from matplotlib.figure import Figure

    shapes = [[np.shape(points) for points in times] for times in rows.values()]
    found = {shape[1:] for times in shapes for shape in times} | {np.shape(real)[1:]}
    if not shapes or {len(times) for times in shapes} != {len(titles)} or found != {(2,)}:
        raise ValueError(
            f"rows have the shapes {shapes} under {len(titles)} titles: expected at least one row, "
            "and in each points [n, 2] for every title."
        )
    middle, reach = np.mean([np.min(real, 0), np.max(real, 0)], axis=0), 0.65 * np.ptp(real, 0)
    drawn = Figure(figsize=(1.6 * len(titles) + 2, 1.6 * len(rows)), dpi=100, layout="constrained")
    panels = drawn.subplots(len(rows), len(titles) + 1, squeeze=False)
    for number, (row, (name, times)) in enumerate(zip(panels, rows.items(), strict=True)):
        row[0].set_ylabel(name)
        for axes, title, points in zip(row, [*titles, "data"], [*times, real], strict=True):
            color = "black" if points is real else "tab:blue"
            axes.scatter(*np.asarray(points).T, s=2, color=color, linewidths=0)
            axes.set(xticks=[], yticks=[], aspect="equal", title="" if number else title)
            axes.set(xlim=middle[0] + reach[0] * np.array([-1, 1]))
            axes.set(ylim=middle[1] + reach[1] * np.array([-1, 1]))
    return _pixels(drawn)
