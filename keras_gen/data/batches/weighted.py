"""Streams with sampling weights that the model updates, and weights that favor rare examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_array
from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import AUGMENT_BATCH, WEIGHTED, Source, derive_seed
from keras_gen.declared import NonNegative, Positive, PositiveInteger


@checked_types
def weighted_stream(
    source: Source,
    weights: Any,
    batch_size: PositiveInteger,
    seed: int = 0,
    start: int = 0,
    augment_batch: Callable[[Any, Any], Any] | None = None,
) -> tf.data.Dataset:
    """Returns an infinite stream of batches; each is sampled with the weights when it is requested.

    Batch number t is a function of (source, weights, seed, t), so `start=k` resumes exactly if the
    weights are restored. Nothing is prefetched. Pass `keras_gen.vae.distribute_fresh(stream,
    strategy)` to `fit`, and leave `steps_per_execution` at 1: TensorFlow may request the second
    batch before the step on the first batch is done.

    Args:
        source: Examples to sample from, with replacement.
        weights: `keras_gen.vae.SamplingWeights` with one weight per example. Another number of
            weights raises a ValueError.
        batch_size: Number of examples per *global* batch, at least 1.
        seed: Nonnegative integer.
        start: Number of batches already consumed.
        augment_batch: See `Source.stream`.

    Returns:
        A `tf.data.Dataset` of `(example, drawn)`, or `(image, label, drawn)` if the examples are
        tuples. `drawn` is int64 `[batch_size, 2]`. `weights.fresh(drawn)` checks that no weight has
        changed since the batch was sampled, and returns the indices for `weights.write`.

    Example:
        >>> source = Source(np.zeros([10, 28, 28, 1], "uint8"))
        >>> weights = SamplingWeights(len(source))
        >>> images, drawn = next(iter(weighted_stream(source, weights, batch_size=4)))
        >>> weights.write(weights.fresh(drawn), tf.zeros([4]))
    """
    if weights.size != len(source):
        raise ValueError(
            f"There are {weights.size} sampling weights for {len(source)} examples "
            f"({source.origin}): expected one weight per example."
        )
    draw_key = derive_seed(seed, WEIGHTED).astype(np.int64)
    augment_key = derive_seed(seed, AUGMENT_BATCH).astype(np.int64)
    fold = tf.random.experimental.stateless_fold_in

    def draw(number: tf.Tensor) -> tuple:
        return number, weights.draw(batch_size, fold(draw_key, number))

    def read(number: tf.Tensor, drawn: tf.Tensor) -> tuple:
        examples = source.gather(drawn[:, 0])
        if augment_batch is not None:
            examples = augment_batch(examples, fold(augment_key, number))
        return (*examples, drawn) if isinstance(examples, tuple) else (examples, drawn)

    batches = tf.data.Dataset.counter(start).map(tf.autograph.experimental.do_not_convert(draw))
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    # Two of tf.data's optimizations compute batches before they are requested: `inject_prefetch`,
    # and `map_parallelization` for maps after the sampling, such as `read` or a user's map.
    options.experimental_optimization.apply_default_optimizations = False
    return batches.map(read).with_options(options)


@checked_types
def inverse_density(
    latents: np.ndarray, alpha: NonNegative, bin_width: Positive = 0.5
) -> np.ndarray:
    """Returns sampling weights with mean 1, float64 `[n]`, that are large for rare latents.

    Amini et al.: "Uncovering and Mitigating Algorithmic Bias through Learned Latent Structure",
    AIES 2019, algorithm 1. A weight is proportional to the product of 1 / (density + alpha) over
    the latents, as if the latents were independent. The density of a latent is estimated by its
    histogram over all examples. One bin is centered at 0, so a latent that barely varies around 0
    has no effect.

    Args:
        latents: Finite numbers `[n, latents]`.
        alpha: Smoothing constant, at least 0. A value of 0 gives the inverse density; a value far
            above all densities gives equal weights. The density of a standard normal latent is at
            most 0.4.
        bin_width: Width of the histograms' bins in the units of the latents; must be above 0.

    Example:
        >>> inverse_density([[0], [0], [0], [9]], alpha=0)
        array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    latents = checked_array("latents", latents, np.float64)
    if latents.ndim != 2 or not len(latents):
        raise ValueError(
            f"latents has shape {latents.shape}: expected [n, latents] with at least one row."
        )
    if not np.isfinite(latents).all():
        raise ValueError("latents contains NaN or infinity: expected finite numbers.")
    with np.errstate(over="ignore"):
        places = np.floor(latents.T / bin_width + 0.5)
    if not np.isfinite(places).all() or not np.isfinite(1 / bin_width):
        raise ValueError(
            f"bin_width is {bin_width:g}: expected a width that is comparable to the range of "
            "the latents."
        )
    logarithms = np.zeros(len(latents))
    for bins in places:
        _, place, counts = np.unique(bins, return_inverse=True, return_counts=True)
        density = counts / (len(bins) * bin_width)
        logarithms -= np.log(density + alpha)[place]
    # The logarithms are shifted, because the product of many latents' weights could exceed the
    # range of floats.
    weights = np.exp(logarithms - logarithms.max())
    return weights / weights.mean()
