"""Visualizations of a model's latent space.

Images are `[n, height, width, 1 or 3]`. Points in latent space are given as latents `[n, latents]`,
or as images if the model has `encode`.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from keras_gen.arguments import checked_seed
from keras_gen.files.images import READABLE_WIDTH, enlarged_grid
from keras_gen.latents import decoded_path
from keras_gen.losses import kl_standard_normal
from keras_gen.workshop.visualize.captions import captioned
from keras_gen.workshop.visualize.rows_of_images import as_uint8


def samples(
    model, n: int = 64, seed: int | None = 0, columns: int | None = None, **given
) -> np.ndarray:
    """Arranges generated images in a grid.

    Args:
        model: Any model with `sample(n, seed)`.
        n: Number of images.
        seed: Seed for the images. If None, images differ from call to call.
        columns: Number of images per row; by default, the grid is almost square.
        **given: Conditions that are passed to `sample`, such as `temperature`.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `sample_grid = SampleGrid(samples, "runs/a/samples")`.
    """
    return enlarged_grid(model.sample(n, seed=seed, **given), columns)


def interpolations(model, a, b, steps: int = 9, spherical: bool = False, **given) -> np.ndarray:
    """Shows latent interpolations from `a` to `b`, one row per pair, including both ends.

    Args:
        model: Any model with `decode` or `generate` for latents.
        a: Latents, or images if the model has `encode`.
        b: Latents or images, with the same number of examples as `a`.
        steps: Number of images per row, at least 2.
        spherical: Whether to interpolate on an arc around the origin instead of a line; see
            `keras_gen.latents`.
        **given: Other arguments of `decode`, such as `labels`, with one value for each pair or for
            all pairs.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If a and b differ in shape, if they are neither latents nor images, if `steps`
            is below 2, or if two latents are opposite (in this case, the arc between them is not
            unique).

    Example: `write_image("lines.png", interpolations(model, digits[:5], digits[5:10]))`.
    """
    if np.shape(a) != np.shape(b):
        raise ValueError(
            f"a has shape {np.shape(a)}, but b has shape {np.shape(b)}: expected the same shape."
        )
    ends = _latents(model, a), _latents(model, b)
    paths = as_uint8(model, decoded_path(_decoder(model), *ends, steps, spherical, **given))
    return captioned(paths, column_names=["start", *[""] * (steps - 2), "end"])


def traversals(
    model,
    points=None,
    dimensions: Sequence[int] | None = None,
    span: float = 3.0,
    steps: int = 9,
    **given,
) -> np.ndarray:
    """Varies one latent per row from `-span` to `span`; all other latents are fixed.

    Args:
        model: Any model with `decode` or a generator for latents `[batch, latents]`.
        points: Initial latents, or images if the model has `encode`. If there are several points,
            their rows are stacked. If None, the initial latents are the origin, which is the mean
            of a normal prior.
        dimensions: Indices of the latents to vary, counted from 0. If None, all latents are varied.
        span: Maximum value of a latent, in standard deviations of a normal prior.
        steps: Number of images per row, at least 2.
        **given: Other arguments of the model's `decode`, such as `labels`.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the model's number of latents is unknown, if a dimension does not exist, if
            `points` is neither latents nor images, or if `steps` is below 2.

    Example: `write_image("latents.png", traversals(model, digits[:1], dimensions=[0, 3]))`.
    """
    _require_steps(steps)
    number = _number_of_latents(model)
    points = np.zeros([1, number]) if points is None else _latents(model, points)
    if points.shape[1:] != (number,):
        raise ValueError(f"The points have shape {points.shape}: expected [n, {number}].")
    dimensions = range(number) if dimensions is None else dimensions
    if wrong := [d for d in dimensions if not 0 <= d < number]:
        raise ValueError(
            f"dimensions contains {wrong}: expected latents from 0 to {number - 1}."
        )
    names = [f"latent {dimension}" for dimension in dimensions]
    values = np.linspace(-span, span, steps)
    return _moved(model, points, dimensions, values, names, **given)


def class_traversals(model, points, variables: Sequence[int] | None = None) -> np.ndarray:
    """Varies one categorical latent per row over its classes; all other latents are fixed.

    Args:
        model: Any model with discrete codes `[batch, variables]`, such as `GumbelVAE`.
        points: Initial codes, or images `[n, height, width, channels]`, which are encoded as their
            most likely codes. If there are several points, their rows are stacked.
        variables: Indices of the latents to vary, counted from 0. If None, all latents are varied.

    Returns: A uint8 image `[height, width, 3]`, with one column per class.

    Raises:
        ValueError: If the model's codes are not integers `[batch, variables]`, or if a variable
            does not exist.

    Example: `class_traversals(model, digits[:1], variables=range(5))`.
    """
    edge = getattr(model, "edges", {}).get("codes")
    if edge is None or len(edge.shape) != 1:
        raise ValueError(
            f"{type(model).__name__} has no categorical codes [batch, variables]: use traversals."
        )
    (number,) = edge.shape
    variables = range(number) if variables is None else variables
    if wrong := [v for v in variables if not 0 <= v < number]:
        raise ValueError(f"variables contains {wrong}: expected codes from 0 to {number - 1}.")
    codes = np.asarray(points) if np.ndim(points) == 2 else model.encode(points)
    names = [f"variable {variable}" for variable in variables]
    return _moved(model, codes, variables, np.arange(edge.levels), names)


def ordered_traversals(
    model, images, most: int = 10, span: float = 3.0, steps: int = 9, **given
) -> np.ndarray:
    """Shows `traversals` of the first image, starting with the most informative latents.

    The information in a latent is the mean, over all images, of the KL divergence of its posterior
    from its prior, KL(q(z_j|x) || p(z_j)). If the information is near 0, the decoder ignores the
    latent.

    Args:
        model: Any model with `decode`, and with an `encode` that returns means and log variances.
        images: Images in the model's input format, as many as are needed to estimate a mean.
        most: Maximum number of rows.
        span: Maximum value of a latent; see `traversals`.
        steps: Number of images per row; see `traversals`.
        **given: Other arguments of `decode`; see `traversals`.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the model's codes are not means and log variances. For other errors, see
            `traversals`.

    Example: `write_image("latents.png", ordered_traversals(model, digits[:500]))`.
    """
    codes = model.encode(images)
    if not isinstance(codes, tuple) or len(codes) != 2:
        raise ValueError(
            f"{type(model).__name__} does not encode images as means and log variances, which are "
            "needed to order the latents by divergence: use traversals."
        )
    # The parameters are transposed, so that the divergence is summed over images instead of
    # latents.
    divergence = kl_standard_normal(*(np.transpose(code) for code in codes)).numpy()
    order = np.argsort(-divergence, kind="stable")[:most].tolist()
    return traversals(model, codes[0][:1], order, span, steps, **given)


def perturbations(
    model, points, largest: float = 2.0, steps: int = 9, seed: int = 0, **given
) -> np.ndarray:
    """Adds noise to latents; shows one row per point, with noise increasing from left to right.

    Args:
        model: Any model with `decode` or a generator.
        points: Latents, or images if the model has `encode`. For images, the first column shows the
            reconstructions.
        largest: Standard deviation of the noise in the last column, in the unit of the latents.
        steps: Number of images per row, at least 2.
        seed: Seed for the noise. Each row has a single noise sample, whose scale increases along
            the row.
        **given: Other arguments of the model's `decode`, such as `labels`.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If `points` is neither latents nor images, or if `steps` is below 2.

    Example: `write_image("noise.png", perturbations(model, digits[:5]))`.
    """
    _require_steps(steps)
    latents = _latents(model, points)
    noise = np.random.default_rng(checked_seed(seed)).normal(size=latents.shape)
    sizes = np.linspace(0, largest, steps)
    moved = np.stack([latents + size * noise for size in sizes], axis=1)
    images = _decode(model, moved.reshape(-1, *latents.shape[1:]), **given)
    rows = np.split(images, len(latents))
    return captioned(rows, column_names=[f"noise {size:.3g}" for size in sizes])


def manifold(model, side: int = 20, **given) -> np.ndarray:
    """Shows images on a grid of two latents, with cells of equal probability under the prior.

    See Kingma, Welling (2014), fig. 4. The prior is a normal distribution. The values of each
    latent are the normal quantiles of the midpoints of `side` equal parts of [0, 1]. The first
    latent increases to the right, and the second latent increases upward.

    Args:
        model: Any model with `decode` or a generator for two latents.
        side: Number of images per row and per column.
        **given: Other arguments of the model's `decode`, such as `labels`.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If the model does not have two latents, or if `side` is below 1.

    Example: `write_image("manifold.png", manifold(model))`.
    """
    if (number := _number_of_latents(model)) != 2:
        raise ValueError(
            f"The model has {number} latents: expected 2 for a manifold. For other numbers of "
            "latents, use traversals."
        )
    if side < 1:
        raise ValueError(f"side is {side}: expected at least 1 image per side.")
    quantiles = ndtri((np.arange(side) + 0.5) / side)
    second, first = np.meshgrid(quantiles[::-1], quantiles, indexing="ij")
    latents = np.stack([first.ravel(), second.ravel()], axis=1)
    return enlarged_grid(_decode(model, latents, **given), side)


def random_codes(model, codes_of_data, n: int = 64, seed: int = 0) -> np.ndarray:
    """Compares decoded codes of data with decoded samples from a fitted normal distribution.

    The normal distribution has the mean and covariance of the data's codes. If the images on the
    right are worse than the images on the left, the codes do not follow a normal distribution.

    Args:
        model: Any model with `decode`.
        codes_of_data: Codes `[examples, latents]` of at least two examples.
        n: Number of images on each side.
        seed: Seed for the choice of codes on the left, and for the samples on the right.

    Returns: A uint8 image `[height, width, 3]`, with data on the left and samples from the normal
        distribution on the right.

    Raises:
        ValueError: If the codes are not `[examples, latents]`.

    Example: `write_image("random_codes.png", random_codes(model, model.encode(digits)))`.
    """
    codes = np.asarray(codes_of_data, "float64")
    if codes.ndim != 2 or len(codes) < 2:
        raise ValueError(
            f"codes_of_data has shape {codes.shape}: expected [examples, latents], with at least "
            "2 examples for a covariance."
        )
    random = np.random.default_rng(checked_seed(seed))
    real = codes[random.choice(len(codes), n, replace=n > len(codes))]
    covariance = np.atleast_2d(np.cov(codes, rowvar=False))
    drawn = random.multivariate_normal(codes.mean(axis=0), covariance, n, method="eigh")
    half = READABLE_WIDTH // 2 - 10
    left = enlarged_grid(_decode(model, real), width=half)
    right = enlarged_grid(_decode(model, drawn), width=half)
    names = ["decoded codes of data", "decoded samples from a normal"]
    return captioned([np.stack([left, right])], column_names=names)


def arithmetic(
    model, a, b, c, seed: int = 0, names: Sequence[str] = ("a", "b", "c"), **given
) -> np.ndarray:
    """Shows rows for `a`, `b`, and `c`, each ending with its mean, and a row for `a - b + c`.

    See Radford, Metz, Chintala (2016), fig. 7.

    Args:
        model: Any model with `generate` and `latent_arithmetic`, such as `GAN`.
        a: Latents `[m, latents]`, with m = 3 in the paper.
        b: Latents with the same shape as `a`.
        c: Latents with the same shape as `a`.
        seed: Seed for the noise added to the latents of the last row, except for its first image.
        names: Displayed names of a, b, and c.
        **given: Other arguments of `generate`, such as `labels`, with one value for all images.

    Returns: A uint8 image `[height, width, 3]` with m + 1 columns, the last of which shows the
        means.

    Raises:
        ValueError: See `model.latent_arithmetic`.

    Example: `write_image("arithmetic.png", arithmetic(model, smiling, women, men))`.
    """
    rows = [np.concatenate([z, np.mean(z, axis=0, keepdims=True)]) for z in (a, b, c)]
    shown = [model.generate(row.astype("float32"), **given) for row in rows]
    shown.append(model.latent_arithmetic(a, b, c, n=len(rows[0]), seed=seed, **given))
    first, second, third = names
    sum_name = f"{first} - {second} + {third}"
    return captioned(shown, [*(f"{name}; last: their mean" for name in names), sum_name])


def manipulated(model, images, having, lacking, amounts=(-1, -0.5, 0, 0.5, 1)) -> np.ndarray:
    """Shows each image with less of an attribute on the left and more of it on the right.

    Args:
        model: A `Flow` for images.
        images: Images to change, uint8.
        having: Images with the attribute.
        lacking: Images without the attribute.
        amounts: Amounts of change, one per column; see `Flow.manipulate`.

    Returns: A uint8 image `[height, width, 3]`.

    Example: `write_image("smiles.png", manipulated(model, faces, smiling, serious))`.
    """
    rows = as_uint8(model, model.manipulate(images, having, lacking, amounts))
    return captioned(rows, column_names=[f"{amount:+g}" for amount in amounts])


def redrawn(model, images, seed: int = 0) -> np.ndarray:
    """Shows what each layer of a hierarchy contributes, by resampling all layers below it.

    Args:
        model: A model with L layers of latents, such as `BIVA`.
        images: Images in the model's input format.
        seed: Seed for the samples, which all rows share.

    Returns: A uint8 image `[height, width, 3]`. Each row contains an image, its reconstruction, and
        then images generated from its latents above layer 1, above layer 2, and so on. The last
        image of a row is a sample from the model.

    Example: `write_image("layers.png", redrawn(model, test_images[:8]))`.
    """
    codes = model.encode(images)
    noise = np.random.default_rng(checked_seed(seed)).normal(size=codes.shape).astype("float32")
    columns = [
        images,
        *(model.redraw(codes, noise, layers) for layers in range(model.depth + 1)),
    ]
    names = ["image", "reconstruction", "layer 1 resampled"]
    names += [f"layers 1 to {layer} resampled" for layer in range(2, model.depth + 1)]
    rows = np.stack([as_uint8(model, column) for column in columns], axis=1)
    return captioned(rows, column_names=names)


def _require_steps(steps):
    if steps < 2:
        raise ValueError(f"steps is {steps}: expected at least 2 steps, one for each end.")


def _number_of_latents(model) -> int:
    """Returns the number of latents that the decoder or generator accepts."""
    network = getattr(model, "decoder", getattr(model, "generator", None))
    shape = getattr(network, "input_shape", None)
    if isinstance(shape, list) and (hasattr(model, "decode") or hasattr(model, "generate")):
        shape = shape[0]  # of the examples; the other inputs are conditions
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] is None:
        raise ValueError(
            f"{type(model).__name__} has no decoder or generator for latents [batch, number], "
            f"because its input shape is {shape}: use a model that decodes latent vectors."
        )
    return shape[1]


def _latents(model, points) -> np.ndarray:
    """Returns points in latent space: the given latents, or the latents of the given images."""
    if np.ndim(points) == 2:
        return np.asarray(points, "float32")
    if np.ndim(points) == 4 and hasattr(model, "encode"):
        codes = model.encode(points)
        # For codes that are distributions, the first parameter is the mean.
        return np.asarray(codes[0] if isinstance(codes, tuple) else codes, "float32")
    images = " or images [n, height, width, channels]" if hasattr(model, "encode") else ""
    raise ValueError(f"The points have shape {np.shape(points)}: expected [n, latents]{images}.")


def _moved(model, points, dimensions, values, names, **given) -> np.ndarray:
    """Shows a named row per point and dimension, in which the dimension is set to each value."""
    moved = np.tile(points[:, None, None], [1, len(dimensions), len(values), 1])
    for row, dimension in enumerate(dimensions):
        moved[:, row, :, dimension] = values
    images = _decode(model, moved.reshape(-1, points.shape[1]), **given)
    rows = np.split(images, len(points) * len(dimensions))
    if len(points) > 1:
        examples = range(1, len(points) + 1)
        names = [f"example {number}, {name}" for number in examples for name in names]
    return captioned(rows, names, [f"{value:.3g}" for value in values])


def _decoder(model):
    """Returns the function from latents to images: `decode`, `generate`, or the model itself."""
    return getattr(model, "decode", getattr(model, "generate", model))


def _decode(model, points, batch_size: int = 64, **given) -> np.ndarray:
    """Decodes codes, or float32 latents, to uint8 images."""
    points = np.asarray(points)
    if not np.issubdtype(points.dtype, np.integer):
        points = points.astype("float32")
    parts = [points[i : i + batch_size] for i in range(0, len(points), batch_size)]
    return np.concatenate([as_uint8(model, _decoder(model)(part, **given)) for part in parts])
