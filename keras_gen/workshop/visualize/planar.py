"""Images of points, densities, and fields in the plane."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from keras_gen.messages import in_words
from keras_gen.workshop.visualize.plots import new_figure, panels_of, pixels

MOST_POINTS = 5000  # maximum number of points drawn in a panel


def planar_densities(
    rows: Mapping[str, tuple[np.ndarray, Mapping[str, Callable]]],
    span: float = 4.0,
    side: int = 100,
) -> np.ndarray:
    """Plots points in the plane next to densities, with one row per set of points.

    All densities in a row share a color scale, from 0 to the maximum of the first density.

    Args:
        rows: Dict from the title of each row to its points, `[n, 2]`, and its densities. The
            densities are a dict from titles to functions, such as `model.log_prob`, that map points
            `[m, 2]` to log densities `[m]` in nats.
        span: Limit of both axes; each axis ranges from `-span` to `span`.
        side: Number of grid points per axis at which the densities are computed.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there are no rows, if points have another shape, or if a row has no density.

    Example: `planar_densities({"rings": (points, {"known": rings().log_density})})`.
    """
    shapes = {title: np.shape(points) for title, (points, _) in rows.items()}
    counts = {title: len(functions) for title, (_, functions) in rows.items()}
    if not rows or any(shape[1:] != (2,) for shape in shapes.values()) or 0 in counts.values():
        raise ValueError(
            f"rows contains points of shapes {shapes} and {counts} densities: expected at least "
            "one row, each with points [n, 2] and at least one density."
        )
    middles = span * (2 * (np.arange(side) + 0.5) / side - 1)
    grid = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2).astype("float32")
    columns = 1 + max(counts.values())
    figure = new_figure(3.2 * columns, 3.2 * len(rows))
    panels = figure.subplots(len(rows), columns, squeeze=False)
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
    return pixels(figure)


def densities(
    model, data: np.ndarray, span: tuple[float, float] = (-4.0, 4.0), bins: int = 80,
    samples: int = 20_000, seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """Plots D(x) and the densities of data and samples for a GAN on one-dimensional data.

    See fig. 1 of Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014. The dotted line is
    the optimal discriminator for the two densities, p / (p + q). The optimum is unknown where there
    are neither examples nor samples. The dashed line is 1/2.

    Args:
        model: A `GAN` for examples `[batch, 1]` whose discriminator has one logit.
        data: Examples `[n, 1]`.
        span: Interval of the x-axis.
        bins: Number of bins of each histogram.
        samples: Number of samples from the model.
        seed: Seed for the samples.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the data do not have shape `[n, 1]`.

    Example: `write_image("gan.png", densities(model, np.random.normal(size=(10_000, 1))))`.
    """
    data = np.asarray(data, np.float32)
    if data.ndim != 2 or data.shape[1] != 1:
        raise ValueError(f"data has shape {data.shape}: expected examples [n, 1].")
    edges = np.linspace(*span, bins + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    made = model.sample(samples, seed=seed, batch_size=samples)
    p = np.histogram(data, edges)[0] / (len(data) * np.diff(edges))
    q = np.histogram(made, edges)[0] / (len(made) * np.diff(edges))
    logits = np.asarray(model.discriminator(middle[:, None].astype("float32"), training=False))
    figure, (axes,) = panels_of(1)
    axes.fill_between(middle, p, step="mid", alpha=0.4, label="data")
    axes.fill_between(middle, q, step="mid", alpha=0.4, label="GAN")
    axes.plot(middle, 1 / (1 + np.exp(-logits[:, 0])), color="black", label="D(x)")
    # NaN interrupts the line where the bins of both histograms are empty.
    known = np.where(p + q > 0, p + q, np.nan)
    axes.plot(middle, p / known, ":", color="black", label="best D(x)")
    axes.axhline(0.5, color="gray", linestyle="--", linewidth=1)
    most = max(1.0, 1.05 * p.max(), 1.05 * q.max())
    axes.set(xlim=span, ylim=(0, most), xlabel="x", ylabel="density, and D(x)")
    axes.legend(loc="best")
    return pixels(figure)


def vector_fields(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], names: Sequence[str]
) -> np.ndarray:
    """Plots the update field and one trajectory of a two-parameter game, one panel per method.

    See fig. 1 of Mescheder, Geiger, Nowozin: "Which Training Methods for GANs do actually
    Converge?", ICML 2018.

    Args:
        panels: Dict from the title of each panel to its points `[n, 2]`, arrows `[n, 2]` at these
            points, and path `[steps, 2]`. The lengths of the arrows are scaled within each panel,
            and the end of the path is marked.
        names: Names of the two parameters.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there are no panels, or if an array in a panel has another shape.

    Example: `vector_fields({"GAN": (points, update_field(model, zeros, points), path)}, "ab")`.
    """
    shapes = {title: [np.shape(values) for values in panel] for title, panel in panels.items()}
    if not shapes or any(
        len(s) != 3 or s[0] != s[1] or s[2][1:] != (2,) for s in shapes.values()
    ):
        raise ValueError(
            f"panels contains arrays of shapes {shapes}: expected at least one panel, each with "
            "points [n, 2], arrows [n, 2], and a path [steps, 2]."
        )
    figure, row = panels_of(len(panels))
    for axes, (title, (points, arrows, path)) in zip(row, panels.items(), strict=True):
        if np.any(arrows):
            axes.quiver(*points.T, *arrows.T, color="gray", angles="xy")
        axes.plot(*path.T, color="tab:blue", linewidth=1)
        axes.plot(*path[0], "o", color="tab:blue", markersize=4)
        axes.plot(*path[-1], "*", color="tab:red", markersize=12)
        (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
        axes.set(title=in_words(title), xlabel=names[0], ylabel=names[1])
        axes.set(xlim=(left, right), ylim=(bottom, top))
    return pixels(figure)
