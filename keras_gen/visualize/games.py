"""Images of games of few numbers: densities on a line, vector fields, and how they went."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_gen.visualize.plots import _figure, _pixels


def densities(
    model, data: np.ndarray, span: tuple[float, float] = (-4.0, 4.0), bins: int = 80,
    samples: int = 20_000, seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """A GAN of one number: the densities of data and model, and D(x).

    As fig. 1 of Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014. Dotted is what the
    best discriminator of both densities would say, p / (p + q); dashed is 1/2.

    Args:
        model: An `AdversarialModel` of examples `[batch, 1]` whose discriminator has one logit.
        data: Examples `[n, 1]`.
        span: What is shown of the line.
        bins: Of the histograms.
        samples: Drawn of the model.
        seed: Of the samples.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the data are not `[n, 1]`.

    Example:
    ```python
    write_png("gan.png", densities(model, np.random.normal(size=(10_000, 1))))
    ```
    """
    data = np.asarray(data, np.float32)
    if data.ndim != 2 or data.shape[1] != 1:
        raise ValueError(f"data have the shape {data.shape}: expected examples [n, 1].")
    edges = np.linspace(*span, bins + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    made = model.sample(samples, seed=seed, batch_size=samples)
    p, q = (np.histogram(x, edges)[0] / (len(x) * np.diff(edges)) for x in (data[:, 0], made[:, 0]))
    logits = np.asarray(model.discriminator(middle[:, None].astype("float32"), training=False))
    known = p + q > 0
    drawn = _figure(1)
    axes = drawn.subplots()
    axes.fill_between(middle, p, step="mid", alpha=0.4, label="data")
    axes.fill_between(middle, q, step="mid", alpha=0.4, label="model")
    axes.plot(middle, 1 / (1 + np.exp(-logits[:, 0])), color="black", label="D(x)")
    axes.plot(
        middle[known], (p / np.where(known, p + q, 1))[known], ":", color="black", label="best D(x)"
    )
    axes.axhline(0.5, color="gray", linestyle="--", linewidth=1)
    axes.set(xlim=span, ylim=(0, max(1.0, 1.05 * p.max())), xlabel="x")
    axes.legend(loc="upper right")
    return _pixels(drawn)


def vector_fields(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], names: Sequence[str]
) -> np.ndarray:
    """Where a game of two numbers moves, and a path through it; one panel for each way to play.

    As fig. 1 of Mescheder, Geiger, Nowozin: "Which Training Methods for GANs do actually
    Converge?", ICML 2018.

    Args:
        panels: Title -> points `[n, 2]`, the arrows there `[n, 2]`, of which only the directions
            and relative lengths within the panel are drawn, and a path `[steps, 2]`, whose end is
            marked.
        names: Of the two numbers.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there is no panel, or one holds other shapes.

    Example:
    ```python
    from keras_gen.metrics import trajectory, update_field

    points = np.stack(np.meshgrid(*2 * [np.linspace(-2, 2, 15)]), -1).reshape(-1, 2)
    path = trajectory(model, zeros, points[0], steps=100)
    image = vector_fields({"GAN": (points, update_field(model, zeros, points), path)}, ["θ", "ψ"])
    ```
    """
    shapes = {title: [np.shape(values) for values in panel] for title, panel in panels.items()}
    if not shapes or any(len(s) != 3 or s[0] != s[1] or s[2][1:] != (2,) for s in shapes.values()):
        raise ValueError(
            f"panels have the shapes {shapes}: expected at least one, each of points [n, 2], as "
            "many arrows, and a path [steps, 2]."
        )
    drawn = _figure(len(panels))
    row = drawn.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, (points, arrows, path)) in zip(row, panels.items(), strict=True):
        if np.any(arrows):
            axes.quiver(*points.T, *arrows.T, color="gray", angles="xy")
        axes.plot(*path.T, color="tab:blue", linewidth=1)
        axes.plot(*path[0], "o", color="tab:blue", markersize=4)
        axes.plot(*path[-1], "*", color="tab:red", markersize=12)
        low, high = points.min(axis=0), points.max(axis=0)
        axes.set(title=title, xlabel=names[0], ylabel=names[1])
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    return _pixels(drawn)


def film_strip(frames: Sequence[np.ndarray], n: int = 5) -> np.ndarray:
    """Some of the images of a training, from the first to the last, side by side.

    Args:
        frames: uint8 images `[height, width, channels]` of one size, in order.
        n: How many are shown, evenly spaced; all if there are fewer.

    Returns:
        uint8 image `[height, n * width, channels]`.

    Raises:
        ValueError: If there is no frame, or `n` is below 1.

    Example: `film_strip([read_image(path) for path in sorted(folder.glob("epoch-*.png"))])`.
    """
    if not len(frames) or n < 1:
        raise ValueError(f"There are {len(frames)} frames and n is {n}: give at least 1 of each.")
    places = np.linspace(0, len(frames) - 1, min(n, len(frames))).round().astype(int)
    return np.concatenate([frames[place] for place in places], axis=1)
