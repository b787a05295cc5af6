"""Plots of numbers: codes as points, weights as images, and metrics as lines."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score, roc_curve

from keras_gen.arguments import checked_seed, refuse_empty
from keras_gen.files.images import beside, enlarged_grid
from keras_gen.messages import in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Maximum number of points on a line for which the points are marked.
MOST_MARKS = 60


def code_scatter(
    panels: Mapping[str, np.ndarray],
    labels: np.ndarray,
    names: Sequence[str] | None = None,
    axis_names: tuple[str, str] = ("first dimension", "second dimension"),
    colors: Sequence[str] | None = None,
) -> np.ndarray:
    """Plots two-dimensional codes as points colored by label, one panel per type of code.

    See fig. 3 of Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks",
    Science 2006, which compares an autoencoder's codes with the first two principal components.

    Args:
        panels: Dict from the title of each panel to codes `[n, 2]`. All panels show the same n
            examples.
        labels: Labels of the examples, nonnegative integers `[n]`.
        names: Name of each label. If None, the legend shows the labels as numbers. If there is only
            one label, there is no legend.
        axis_names: Names of the two dimensions.
        colors: Matplotlib color of each label, for example if the labels represent colors. If None,
            colors are chosen automatically.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there are no panels, if codes or labels have the wrong shape, if a label is
            not a nonnegative integer, or if there are fewer names or colors than labels.

    Example: `code_scatter({"autoencoder": codes, "PCA": pca.transform(pixels)}, labels)`.
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_rgba_array

    labels = np.asarray(labels)
    if (
        labels.ndim != 1
        or not np.issubdtype(labels.dtype, np.integer)
        or labels.min(initial=0) < 0
    ):
        raise ValueError(
            f"labels is {labels.dtype} {list(labels.shape)} with minimum "
            f"{labels.min(initial=0)}: expected integers [n] of at least 0."
        )
    shapes = {title: np.shape(codes) for title, codes in panels.items()}
    if not shapes or any(shape != (len(labels), 2) for shape in shapes.values()):
        raise ValueError(
            f"panels contains codes of shapes {shapes}: expected at least one panel, each with "
            f"codes [{len(labels)}, 2], one row per label."
        )
    kinds = np.unique(labels)
    if names is not None and len(names) <= kinds.max(initial=0):
        raise ValueError(
            f"There are {len(names)} names, but the largest label is {kinds.max()}: expected one "
            f"name per label, starting at label 0. Pass at least {kinds.max() + 1} names."
        )
    if colors is not None and len(colors) <= kinds.max(initial=0):
        raise ValueError(
            f"There are {len(colors)} colors, but the largest label is {kinds.max()}: expected one "
            f"color per label, starting at label 0. Pass at least {kinds.max() + 1} colors."
        )
    if colors is not None:
        of_kinds = to_rgba_array([colors[kind] for kind in kinds])
    elif len(kinds) > 10:
        of_kinds = colormaps["turbo"](np.linspace(0, 1, len(kinds)))
    else:
        of_kinds = colormaps["tab10"](np.arange(len(kinds)))
    figure, row = panels_of(len(panels))
    for axes, (title, codes) in zip(row, panels.items(), strict=True):
        # Points are plotted in the order of the examples, because plotting one label after
        # another would hide the first labels.
        size = np.clip(6000 / max(len(labels), 1), 1.5, 12)
        color = of_kinds[np.searchsorted(kinds, labels)]
        axes.scatter(*np.asarray(codes).T, s=size, c=color, linewidths=0)
        axes.set(title=in_words(title), xlabel=axis_names[0], ylabel=axis_names[1])
    marks = [
        axes.scatter([], [], color=[color], label=str(kind) if names is None else names[kind])
        for kind, color in zip(kinds, of_kinds, strict=True)
    ]
    if len(kinds) > 1:
        figure.legend(handles=marks, loc="outside right center", ncols=1 + len(kinds) // 20)
    return pixels(figure)


def filters(weights: np.ndarray, shape: tuple, n: int = 100) -> np.ndarray:
    """Shows a grid of images, each of which contains the weights of one unit of a first layer.

    Gray represents a weight of 0, white represents the unit's largest absolute weight, and black
    represents the negative of this weight.

    Args:
        weights: Kernel `[inputs, units]`, such as the kernel of the first dense layer.
        shape: Shape `(height, width, channels)` of the inputs. Unless there are 1 or 3 channels,
            the channels are shown side by side.
        n: Maximum number of units to show, starting with the first unit.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the weights are not `[inputs, units]`, or do not match `shape`.

    Example: `write_image("filters.png", filters(model.encoder.get_weights()[0], (28, 28, 1)))`.
    """
    weights = np.asarray(weights, "float32")
    if weights.ndim != 2 or len(weights) != np.prod(shape):
        raise ValueError(
            f"weights has shape {weights.shape}: expected [inputs, units] with {np.prod(shape)} "
            f"inputs, for images of shape {tuple(shape)}."
        )
    shown = weights[:, :n]
    largest = np.abs(shown).max(axis=0)
    scaled = shown / np.where(largest > 0, largest, 1)
    images = np.round(127.5 + 127.5 * scaled).astype("uint8").T.reshape(-1, *shape)
    return enlarged_grid(images if shape[-1] in (1, 3) else beside(images))


def unit_filters(model) -> np.ndarray:
    """Shows the weights of each unit of an encoder's first layer; see `filters`.

    Args:
        model: Any model whose encoder begins with a dense layer on images.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `sample_grid = SampleGrid(unit_filters, "runs/a/filters", every=10)`.
    """
    return filters(model.encoder.get_weights()[0], model.encoder.input_shape[1:])


def line_plot(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
    log_x: bool = False,
    log_y: bool = False,
    spreads: Mapping[str, Sequence[float]] | None = None,
) -> np.ndarray:
    """Plots lines, such as error versus code size, with markers unless there are many points.

    Args:
        lines: Dict from the name of each line to a pair of its x values and y values. The legend
            shows the names as converted by `keras_gen.messages.in_words`.
        x_label: Label of the x-axis, with the unit.
        y_label: Label of the y-axis, with the unit.
        log_x: Whether the x-axis is logarithmic, with a tick at each value of x.
        log_y: Whether the y-axis is logarithmic.
        spreads: Dict from the name of a line to the lengths of the error bars above and below each
            point, such as standard deviations over seeds. A line without spreads has no error bars.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there are no lines, if a line has different numbers of x and y values, if a
            value on a logarithmic axis is not positive, or if spreads do not match the points of a
            line.

    Example: `line_plot({"PCA": ([2, 5, 10], [55.7, 45.1, 35.2])}, "code size", "error")`.
    """
    for name, (xs, ys) in lines.items():
        if len(xs) != len(ys):
            raise ValueError(
                f"The line {name!r} has {len(xs)} values of x, but {len(ys)} of y: expected one "
                "value of y per value of x."
            )
        for values, logarithmic in ((xs, log_x), (ys, log_y)):
            if logarithmic and min(values, default=1) <= 0:
                raise ValueError(
                    f"The line {name!r} contains {min(values)}: expected positive numbers for a "
                    "logarithmic scale."
                )
    refuse_empty("lines", lines, "line")
    spreads = spreads or {}
    for name, spread in spreads.items():
        if name not in lines or len(spread) != len(lines[name][0]):
            raise ValueError(
                f"spreads has {len(spread)} numbers for {name!r}: expected one number per point of "
                f"a line. The lines are {', '.join(lines)}."
            )
    figure, (axes,) = panels_of(1)
    for name, (xs, ys) in lines.items():
        mark = "o" if len(xs) <= MOST_MARKS else None
        (line,) = axes.plot(xs, ys, marker=mark, label=in_words(name))
        if name in spreads:
            color = line.get_color()
            axes.errorbar(xs, ys, spreads[name], fmt="none", ecolor=color, capsize=3)
    if log_x:
        axes.set_xscale("log")
        ticks = sorted({x for xs, _ in lines.values() for x in xs})
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
        axes.minorticks_off()
    if log_y:
        axes.set_yscale("log")
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
    _legend(figure, axes)
    return pixels(figure)


def code_histogram(uses: Mapping[str, np.ndarray]) -> np.ndarray:
    """Plots how often each code is used, most frequent code first, with one panel per codebook.

    A dashed line marks uniform use.

    Args:
        uses: Dict from the title of each panel to nonnegative counts `[codes]`, as returned by
            `keras_gen.metrics.code_uses`.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there are no panels, or if all counts of a panel are 0.

    Example: `image = code_histogram({"codes": code_uses(model.encode(images), 512)})`.
    """
    if not uses or any(not np.sum(counts) > 0 for counts in uses.values()):
        raise ValueError(
            "uses is empty, or all of its counts are 0: expected at least one panel of counts."
        )
    figure, row = panels_of(len(uses))
    for axes, (title, counts) in zip(row, uses.items(), strict=True):
        fractions = np.sort(np.asarray(counts) / np.sum(counts))[::-1]
        axes.bar(np.arange(len(fractions)) + 1, fractions, width=1.0)
        axes.axhline(1 / len(fractions), color="black", linestyle="--", linewidth=1)
        axes.set(title=in_words(title), xlabel="codes, from most to least used")
        axes.set_ylabel("fraction of all uses")
        axes.set_xlim(0.5, len(fractions) + 0.5)
    return pixels(figure)


def roc_plot(scores: Mapping[str, np.ndarray], positive: np.ndarray) -> np.ndarray:
    """Plots scores' detection rates against false-alarm rates, with AUROCs in the legend.

    Args:
        scores: Dict from the name of each score to its values for the examples, finite numbers
            `[n]`. Higher values mean that an example should be detected.
        positive: Whether each example should be detected, booleans `[n]`. Both values must occur.

    Returns: A uint8 image `[height, width, 3]`, with points at 21 false-alarm rates from 0 to 1.

    Raises:
        ValueError: If a score has the wrong shape, or if all values of `positive` are equal.

    Example: `curves = roc_plot({"NLL": nats, "PCA": errors}, is_outlier)`.
    """
    rates = np.linspace(0, 1, 21)
    positive = np.asarray(positive, bool)
    if positive.all() or not positive.any():
        raise ValueError("All values of positive are the same: expected both True and False.")
    lines = {}
    for name, values in scores.items():
        label = f"{in_words(name)} ({roc_auc_score(positive, values):.3f})"
        false_alarms, detected, _ = roc_curve(positive, values)
        lines[label] = rates.tolist(), np.interp(rates, false_alarms, detected).tolist()
    return line_plot(lines, "false alarms (fraction)", "detected (fraction)")


def panels_of(count: int) -> tuple["Figure", Sequence[Any]]:
    """Returns a new figure and its panels, two per row."""
    columns = min(count, 2)
    rows = math.ceil(count / columns)
    figure = new_figure(1 + 5 * columns, 4.5 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, list(panels[:count])


def new_figure(width: float, height: float) -> "Figure":
    """Returns a figure outside of pyplot's state; its size is in hundreds of pixels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def _legend(figure, axes):
    """Adds a legend that does not cover lines; if necessary, the legend is above the plot."""
    legend = axes.legend()
    figure.draw_without_rendering()
    box = legend.get_window_extent()
    paths = [line.get_path().transformed(line.get_transform()) for line in axes.lines]
    if any(path.intersects_bbox(box, filled=False) for path in paths):
        legend.remove()
        figure.legend(loc="outside upper center", ncols=2)


def pixels(figure: "Figure") -> np.ndarray:
    """Returns a figure as a uint8 image `[height, width, 3]`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


EXAMPLES = 8  # number of random images; several are used, because a ReLU may hide a dependency
SEEN = (255, 255, 255)
UNSEEN = (200, 40, 40)
ITSELF = (60, 120, 255)
LATER = (40, 40, 40)


def seen_pixels(network, row: int, column: int, scale: int = 8, seed: int = 0) -> np.ndarray:
    """Shows which pixels determine one pixel's parameters in an autoregressive network.

    The pixels that the network uses are white. Pixels that are sampled earlier but not used (the
    blind spot) are red. The pixel itself is blue, and later pixels are dark.

    Args:
        network: Network that maps images `[batch, height, width, channels]` to parameters with the
            same height and width.
        row: Row of the pixel.
        column: Column of the pixel.
        scale: Side length of each of the image's pixels in the returned image.
        seed: Seed for the random images at which gradients are taken.

    Returns: A uint8 image `[height * scale, width * scale, 3]`.

    Raises:
        ValueError: If the pixel is outside of the image.

    Example: `write_image("blind_spot.png", seen_pixels(pixel_cnn((28, 28, 1)), 14, 14))`.
    """
    height, width, channels = network.inputs[0].shape[1:]
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(
            f"The pixel is ({row}, {column}): expected a pixel in an image of {height}x{width}."
        )
    random = np.random.default_rng(checked_seed(seed)).uniform(
        size=(EXAMPLES, height, width, channels)
    )
    images = tf.constant(random, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        parameters = network(images, training=False)[:, row, column]
        # The outputs are weighted with random numbers, because opposite dependencies would
        # otherwise cancel.
        weights = (
            np.random.default_rng(checked_seed(seed))
            .normal(size=parameters.shape)
            .astype("float32")
        )
        total = tf.reduce_sum(weights * parameters)
    seen = (tape.gradient(total, images).numpy() != 0).any(axis=(0, 3))

    order = np.arange(height * width).reshape(height, width)
    before = order < order[row, column]
    image = np.where(before[..., None], UNSEEN, LATER)
    image = np.where(seen[..., None], SEEN, image)
    image[row, column] = ITSELF
    return image.repeat(scale, axis=0).repeat(scale, axis=1).astype("uint8")
