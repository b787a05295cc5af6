"""Perceptual path length: how smoothly images change along paths between latents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_gen.arguments import (
    checked_array,
    checked_number,
)
from keras_gen.checked_arguments import checked_types
from keras_gen.declared import Positive, PositiveInteger
from keras_gen.latents import great_circle, line


@checked_types
def perceptual_path_length(
    generate: Callable[[tf.Tensor], tf.Tensor],
    features: Callable[[tf.Tensor], tf.Tensor],
    start: np.ndarray,
    end: np.ndarray,
    spherical: bool = False,
    epsilon: Positive = 1e-4,
    trim: float = 0.01,
    batch_size: PositiveInteger = 32,
    seed: int = 0,
) -> dict[str, float]:
    """Returns the mean of |f(G(z(t))) - f(G(z(t + epsilon)))|^2 / epsilon^2 for uniform t.

    See Karras et al. (2019), eqs. (2) and (3), with t in [0, 1]. The paper's distance between
    images is LPIPS (Zhang et al. 2018), which is also a squared distance between features f. Other
    features have different units, so report the features with the result.

    Args:
        generate: Function that maps float latents `[batch, ...]` to float images. Rounding to 8
            bits would hide a step of size epsilon.
        features: Function that maps images to features `[batch, ...]`. The squared differences
            between features are summed.
        start: Latents at the start of the paths (t = 0), `[n, d]`.
        end: Latents at the end of the paths (t = 1), with the same shape as `start`.
        spherical: Whether to interpolate along great circles, as in the paper's space Z, instead of
            lines, as in W. As in the paper (sec. 4.1), latents on great circles are scaled to
            length 1. If the generator was trained on normal latents, whose length is about sqrt(d),
            rescale the latents to this length in `generate`.
        epsilon: Step size, above 0 and large enough that the two latents differ in float32.
        trim: Fraction of the shortest paths, and of the longest paths, to exclude from the mean;
            0.01 in the paper's code. At least two paths must remain.
        batch_size: Number of paths processed at once; `generate` receives twice this number of
            latents.
        seed: Seed for the points t.

    Returns:
        A dict with "path_length", the mean; "path_length_error", its standard error; and "n", the
        number of paths.

    Raises:
        ValueError: If the latents have different shapes or are not finite, if no unique great
            circle connects the start and the end of a path, or if `trim` leaves fewer than two
            paths.
        TypeError: If `generate` returns integers.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(2, 100, 8))
        >>> scaled = lambda z: generator(8**0.5 * z)  # 8 dimensions: a sphere of radius sqrt(8)
        >>> perceptual_path_length(scaled, features, z[0], z[1], spherical=True)
    """
    start = checked_array("start", start, np.float64)
    end = checked_array("end", end, np.float64)
    if start.shape != end.shape or start.ndim != 2 or len(start) < 2:
        raise ValueError(
            f"perceptual_path_length got latents of shape {start.shape} and {end.shape}: "
            "expected two arrays of the same shape [n, d], with n at least 2."
        )
    for name, latents in (("start", start), ("end", end)):
        if not np.isfinite(latents).all():
            raise ValueError(f"{name} contains NaN or infinity: expected finite numbers.")
    cut = int(checked_number("trim", trim, minimum=0) * len(start))
    if len(start) - 2 * cut < 2:
        raise ValueError(
            f"trim is {trim} for {len(start)} paths: expected at least two paths to remain after "
            "trimming both ends."
        )
    t = np.random.default_rng(seed).uniform(size=(len(start), 1))
    between = great_circle if spherical else line
    # The two points are in float64, because their relative difference is only about 1e-4.
    points = np.stack([between(start, end, t), between(start, end, t + epsilon)])

    apart = ~np.isclose(points[0], points[1], rtol=1e-14, atol=0).all(axis=1)
    if (apart & (np.float32(points[0]) == np.float32(points[1])).all(axis=1)).any():
        raise ValueError(
            f"epsilon is {epsilon:g}: expected a larger step, because the two latents of a "
            "step are equal in float32. Use 1e-4."
        )
    lengths = []
    for first in range(0, len(start), batch_size):
        latents = points[:, first : first + batch_size].reshape(-1, start.shape[1])
        images = generate(tf.constant(latents, tf.float32))
        if not tf.as_dtype(images.dtype).is_floating:
            raise TypeError(
                f"generate returned {tf.as_dtype(images.dtype).name} images: expected floats, "
                "because rounding hides small steps."
            )
        outputs = np.asarray(features(images), np.float64)
        if not np.isfinite(outputs).all():
            raise ValueError("features returned NaN or infinity: expected finite numbers.")
        one, other = np.split(outputs.reshape(len(latents), -1), 2)
        lengths.append(np.sum((one - other) ** 2, axis=1) / epsilon**2)
    ordered = np.sort(np.concatenate(lengths))
    kept = ordered[cut : len(ordered) - cut]
    return {
        "path_length": float(kept.mean()),
        "path_length_error": float(kept.std(ddof=1) / np.sqrt(len(kept))),
        "n": len(start),
    }
