"""Images of what a model does, as uint8 arrays; `figure` makes matplotlib figures of them.

Images are `[n, height, width, 1 or 3]`. Points in latent space are given as latents
`[n, latents]`, or as images if the model has `encode`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from keras_gen.bases.coder import decoded_path
from keras_gen.losses import kl_standard_normal
from keras_gen.media.images import grid
from keras_gen.visualize.rows import as_uint8

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def samples(model, n: int = 64, seed: int | None = 0, columns: int | None = None) -> np.ndarray:
    """Generated images in a grid.

    Args:
        model: Any model with `sample(n, seed)`.
        n: How many.
        seed: The same seed gives the same images; None draws anew.
        columns: Images in a row: nearly a square unless told.

    Returns:
        uint8 image `[height, width, 3]`.

    Example:
    ```python
    sample_grid = SampleGrid(samples, "runs/a/samples")
    ```
    """
    return grid(model.sample(n, seed=seed), columns)


def interpolations(model, a, b, steps: int = 9, spherical: bool = False, **given) -> np.ndarray:
    """One row a pair: what lies between a's latents and b's, both ends included.

    Args:
        model: Any model with `decode`, or with `generate`, of latents.
        a: Latents, or images if the model has `encode`.
        b: The same number.
        steps: Images in a row, at least 2.
        spherical: On an arc around the origin in place of the line: `bases.interpolation`.
        **given: What `decode` takes besides, such as `labels`: one for each pair or for all.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If a and b are not of one shape, neither latents nor images, `steps` is below 2,
            or latents are opposite and the arc between them has no one way.

    Example:
    ```python
    write_png("lines.png", interpolations(model, digits[:5], digits[5:10]))
    ```
    """
    if np.shape(a) != np.shape(b):
        raise ValueError(f"a has shape {np.shape(a)} and b {np.shape(b)}: expected the same.")
    ends = _latents(model, a), _latents(model, b)
    points = as_uint8(model, decoded_path(_decoder(model), *ends, steps, spherical, **given))
    return grid(points.reshape(-1, *points.shape[2:]), steps)


def traversals(
    model,
    points=None,
    dimensions: Sequence[int] | None = None,
    span: float = 3.0,
    steps: int = 9,
    **given,
) -> np.ndarray:
    """One row a latent, which takes values from `-span` to `span` while the others stay.

    Args:
        model: Any model with `decode`, or with a generator, of latents `[batch, latents]`.
        points: Latents to start from, or images if the model has `encode`; with several, each has
            its rows below the one before. Default: the origin, the middle of a Normal prior.
        dimensions: Which latents, from 0; all by default.
        span: Largest value, in the latents' unit: standard deviations of a Normal prior.
        steps: Images in a row, at least 2.
        **given: What the model's `decode` takes besides, such as `labels`.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the model's latents are not one known number, a dimension is not one of
            them, `points` is neither latents nor images, or `steps` is below 2.

    Example:
    ```python
    write_png("latents.png", traversals(model, digits[:1], dimensions=[0, 3]))
    ```
    """
    _require_steps(steps)
    number = _number_of_latents(model)
    points = np.zeros([1, number]) if points is None else _latents(model, points)
    if points.shape[1:] != (number,):
        raise ValueError(f"The points have latents {points.shape[1:]}: expected ({number},).")
    dimensions = range(number) if dimensions is None else dimensions
    if wrong := [d for d in dimensions if not 0 <= d < number]:
        raise ValueError(f"dimensions holds {wrong}: the model has latents 0 to {number - 1}.")
    moved = np.tile(points[:, None, None], [1, len(dimensions), steps, 1])
    for row, dimension in enumerate(dimensions):
        moved[:, row, :, dimension] = np.linspace(-span, span, steps)
    return grid(_decode(model, moved.reshape(-1, number), **given), steps)


def ordered_traversals(
    model, images, most: int = 10, span: float = 3.0, steps: int = 9, **given
) -> np.ndarray:
    """`traversals` of the first image, the latents that hold most of the images first.

    What a latent holds is its mean KL divergence from the prior, KL(q(z_j|x) || p(z_j)) over the
    images: near 0, the decoder makes nothing of it.

    Args:
        model: Any model with `encode` to means and log variances, and `decode`.
        images: uint8, or float as the model takes them, many enough for a mean.
        most: Rows at most.
        span: As of `traversals`.
        steps: As of `traversals`.
        **given: As of `traversals`.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the model's codes are not means and log variances, or as of `traversals`.

    Example:
    ```python
    write_png("latents.png", ordered_traversals(model, digits[:500]))
    ```
    """
    codes = model.encode(images)
    if not isinstance(codes, tuple) or len(codes) != 2:
        raise ValueError(
            f"{type(model).__name__} has no means and log variances of latents, whose divergence "
            "would order them: use traversals."
        )
    # Summed over the images in place of the latents.
    divergence = kl_standard_normal(*(np.transpose(code) for code in codes)).numpy()
    order = np.argsort(-divergence, kind="stable")[:most].tolist()
    return traversals(model, codes[0][:1], order, span, steps, **given)


def perturbations(
    model, points, largest: float = 2.0, steps: int = 9, seed: int = 0, **given
) -> np.ndarray:
    """One row a point: its latents with noise that grows, from none at the left.

    Args:
        model: Any model with `decode`, or with a generator.
        points: Latents, or images if the model has `encode`.
        largest: Standard deviation of the noise at the right, in the latents' unit.
        steps: Images in a row, at least 2.
        seed: Of the noise, which a row has of its own and only scales.
        **given: What the model's `decode` takes besides, such as `labels`.

    Returns:
        uint8 image `[height, width, 3]`; of images the first column is their reconstructions.

    Raises:
        ValueError: If `points` is neither latents nor images, or `steps` is below 2.

    Example:
    ```python
    write_png("noise.png", perturbations(model, digits[:5]))
    ```
    """
    _require_steps(steps)
    latents = _latents(model, points)
    noise = np.random.default_rng(seed).normal(size=latents.shape)
    moved = np.stack([latents + size * noise for size in np.linspace(0, largest, steps)], axis=1)
    return grid(_decode(model, moved.reshape(-1, *latents.shape[1:]), **given), steps)


def manifold(model, side: int = 20, **given) -> np.ndarray:
    """The plane of two latents in equal parts of the Normal prior's probability.

    Kingma, Welling (2014), fig. 4: each latent takes the Normal quantiles of the middles of `side`
    equal parts of [0, 1]. The first grows to the right and the second upwards.

    Args:
        model: Any model with `decode`, or with a generator, of two latents.
        side: Images in a row and in a column.
        **given: What the model's `decode` takes besides, such as `labels`.

    Returns:
        uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the model has not two latents, or `side` is below 1.

    Example:
    ```python
    write_png("manifold.png", manifold(model))
    ```
    """
    if (number := _number_of_latents(model)) != 2:
        raise ValueError(
            f"The model has {number} latents: a manifold needs 2; traversals shows any number."
        )
    if side < 1:
        raise ValueError(f"side is {side}: at least 1 image.")
    quantiles = ndtri((np.arange(side) + 0.5) / side)
    second, first = np.meshgrid(quantiles[::-1], quantiles, indexing="ij")
    latents = np.stack([first.ravel(), second.ravel()], axis=1)
    return grid(_decode(model, latents, **given), side)


def random_codes(model, codes_of_data, n: int = 64, seed: int = 0) -> np.ndarray:
    """Why an autoencoder is no generator: decoded codes of data, and of a Normal like them.

    The Normal has the mean and the covariance of the data's codes, the most that can be said of
    them by second moments. Images on the right that look worse than those on the left show that
    the codes fill their space unevenly, which a variational autoencoder is trained against.

    Args:
        model: Any model with `decode`.
        codes_of_data: Codes `[examples, latents]` of two examples or more.
        n: Images on each side.
        seed: Of the choice of codes on the left, and of the draw on the right.

    Returns:
        uint8 image `[height, width, 3]`: two grids side by side, left of data, right of the Normal.

    Raises:
        ValueError: If the codes are not `[examples, latents]`.

    Example:
    ```python
    write_png("random_codes.png", random_codes(model, model.encode(digits)))
    ```
    """
    codes = np.asarray(codes_of_data, "float64")
    if codes.ndim != 2 or len(codes) < 2:
        raise ValueError(
            f"codes_of_data has shape {codes.shape}: expected [examples, latents], at least 2 of "
            "them for a covariance."
        )
    random = np.random.default_rng(seed)
    real = codes[random.choice(len(codes), n, replace=n > len(codes))]
    covariance = np.atleast_2d(np.cov(codes, rowvar=False))
    drawn = random.multivariate_normal(codes.mean(axis=0), covariance, n, method="eigh")
    sides = [grid(_decode(model, side)) for side in (real, drawn)]
    gap = np.full([sides[0].shape[0], sides[0].shape[1] // 16, 3], 255, np.uint8)
    return np.concatenate([sides[0], gap, sides[1]], axis=1)


def redrawn(model, images, seed: int = 0) -> np.ndarray:
    """What each layer of a hierarchy holds: latents of lower layers are drawn anew.

    Args:
        model: A model with L layers of latents, such as `BIVA`.
        images: uint8, or float as the model takes them.
        seed: Of the draws, the same for all rows.

    Returns:
        uint8 image `[height, width, 3]`, a row for each image: the image, its reconstruction, and
        what is generated of its latents above layer 1, above layer 2, and so on; the last column is
        a sample.

    Example:
    ```python
    sample_grid = SampleGrid(lambda model: redrawn(model, test_images[:8]), "runs/a/layers")
    ```
    """
    codes = model.encode(images)
    noise = np.random.default_rng(seed).normal(size=codes.shape).astype("float32")
    columns = [images, *(model.redraw(codes, noise, layers) for layers in range(model.depth + 1))]
    shown = np.stack([as_uint8(model, column) for column in columns], axis=1)
    return grid(shown.reshape(-1, *shown.shape[2:]), len(columns))


def figure(
    image: np.ndarray,
    title: str | None = None,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    pad: int = 2,
) -> "Figure":
    """A matplotlib figure of an image of this module, with labels beside its rows and columns.

    It is no part of pyplot's state, so nothing has to be closed; a notebook shows it as the last
    value of a cell.

    Args:
        image: uint8 `[height, width, 3]` of equal cells.
        title: Text above.
        row_labels: One text a row of cells, from above.
        column_labels: One text a column.
        pad: White pixels around each cell, as `grid` was told.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the labels are not as many as rows or columns can be.

    Example:
    ```python
    drawn = figure(reconstructions(model, digits[:8]), row_labels=["image", "reconstruction"])
    drawn.savefig("reconstructions.pdf")
    ```
    """
    from matplotlib.figure import Figure

    height, width = image.shape[:2]
    drawn = Figure(figsize=(8, 1 + 8 * height / width), layout="constrained")
    axes = drawn.subplots()
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks(_middles(width, column_labels, pad, "column"), column_labels)
    axes.set_yticks(_middles(height, row_labels, pad, "row"), row_labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title)
    # Row labels take width from the image, which keeps its shape: no white above and below.
    drawn.draw_without_rendering()
    drawn.set_figheight(drawn.get_tightbbox().height + 0.1)
    return drawn


def _middles(size, labels, pad, kind):
    """The middle pixel of each cell, where pixels begin at -0.5 as in `imshow`."""
    if labels and (size - pad) % len(labels):
        raise ValueError(
            f"There are {len(labels)} {kind}_labels: an image of {size} pixels with {pad} between "
            f"cells has not as many equal {kind}s."
        )
    return [(size - pad) * (i + 0.5) / len(labels) + (pad - 1) / 2 for i in range(len(labels))]


def _require_steps(steps):
    if steps < 2:
        raise ValueError(f"steps is {steps}: at least 2, the two ends.")


def _number_of_latents(model) -> int:
    """Of the decoder's or generator's input."""
    networks = (getattr(model, name, None) for name in ("decoder", "generator"))
    network = next((n for n in networks if n is not None), None)
    shape = getattr(network, "input_shape", None)
    if isinstance(shape, list) and (hasattr(model, "decode") or hasattr(model, "generate")):
        shape = shape[0]  # the others are what else is taken
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] is None:
        raise ValueError(
            f"{type(model).__name__} has no decoder or generator of latents [batch, number] "
            f"(found input shape {shape})."
        )
    return shape[1]


def _latents(model, points) -> np.ndarray:
    """Points in latent space, of latents themselves or of images."""
    if np.ndim(points) == 2:
        return np.asarray(points, "float32")
    if np.ndim(points) == 4 and hasattr(model, "encode"):
        codes = model.encode(points)
        # Of a distribution, the first parameter is the mean.
        return np.asarray(codes[0] if isinstance(codes, tuple) else codes, "float32")
    images = " or images [n, height, width, channels]" if hasattr(model, "encode") else ""
    raise ValueError(f"The points have shape {np.shape(points)}: expected [n, latents]{images}.")


def _decoder(model):
    """What makes images of latents: `decode`, `generate`, or the model itself."""
    return getattr(model, "decode", getattr(model, "generate", model))


def _decode(model, latents, batch_size: int = 64, **given) -> np.ndarray:
    """Latents to uint8 images."""
    latents = np.asarray(latents, "float32")
    parts = [latents[i : i + batch_size] for i in range(0, len(latents), batch_size)]
    return np.concatenate([as_uint8(model, _decoder(model)(part, **given)) for part in parts])
