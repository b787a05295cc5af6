"""Streams whose sampling weights the model writes, and weights that favor rare examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_array, checked_integer, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import AUGMENT_BATCH, WEIGHTED, Source, derive_seed


@checked_types
def weighted_stream(
    source: Source,
    weights: Any,
    batch_size: int,
    seed: int = 0,
    start: int = 0,
    augment_batch: Callable[[Any, Any], Any] | None = None,
) -> tf.data.Dataset:
    """Returns infinite batches, each drawn by the weights at the time when it is requested.

    Batch number t is a function of (source, weights, seed, t), so `start=k` resumes bit for bit
    with the weights of that moment. Nothing is prefetched. Give `fit`
    `keras_gen.vae.distribute_fresh(stream, strategy)`, and leave `steps_per_execution` at 1:
    TensorFlow may request the second batch before the first one's step is done.

    Args:
        source: Examples to draw from, with replacement.
        weights: `keras_gen.vae.SamplingWeights`, one for each example, else a ValueError.
        batch_size: Examples in a *global* batch, 1 or more.
        seed: Any non-negative integer.
        start: Batches already consumed.
        augment_batch: As in `Source.stream`.

    Returns:
        `tf.data.Dataset` of `(example, drawn)`, or `(image, label, drawn)` where the examples are
        tuples. `weights.fresh(drawn)`, of int64 `[batch_size, 2]`, checks that no weight was
        changed meanwhile, and returns the indices that `weights.write` takes.

    Example:
        >>> source = Source(np.zeros([10, 28, 28, 1], "uint8"))
        >>> weights = SamplingWeights(len(source))
        >>> images, drawn = next(iter(weighted_stream(source, weights, batch_size=4)))
        >>> weights.write(weights.fresh(drawn), tf.zeros([4]))
    """
    batch_size = checked_integer("batch_size", batch_size, minimum=1)
    start = checked_integer("start", start, minimum=0)
    if weights.size != len(source):
        raise ValueError(
            f"{weights.size} sampling weights for {len(source)} examples ({source.origin}): give "
            "one for each."
        )
    draw_key = derive_seed(checked_seed(seed), WEIGHTED).astype(np.int64)
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
    # Of tf.data's own rewrites, two run ahead of what is asked for: `inject_prefetch`, and
    # `map_parallelization` of maps that come after the draw, such as `read` or a user's.
    options.experimental_optimization.apply_default_optimizations = False
    return batches.map(read).with_options(options)


@checked_types
def inverse_density(latents: np.ndarray, alpha: float, bin_width: float = 0.5) -> np.ndarray:
    """Returns sampling weights of mean 1, float64 `[n]`, that are large for rare latents.

    Amini et al.: "Uncovering and Mitigating Algorithmic Bias through Learned Latent Structure",
    AIES 2019, algorithm 1: the product over the latents, as if independent, of 1 / (density +
    alpha). The density of a latent is that of its histogram over all examples. One bin has its
    middle at 0, so a latent that hardly varies about 0 changes nothing.

    Args:
        latents: Finite numbers `[n, latents]`.
        alpha: Smoothing, 0 or above. 0 gives the inverse density, a number far above all densities
            equal weights. The density of a standard normal latent is at most 0.4.
        bin_width: Width of the histograms' bins, in the latents' unit, above 0.

    Example:
        >>> inverse_density([[0], [0], [0], [9]], alpha=0)
        array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    latents = checked_array("latents", latents, np.float64)
    if latents.ndim != 2:
        raise ValueError(f"latents have shape {latents.shape}: expected [n, latents].")
    if not np.isfinite(latents).all():
        raise ValueError("latents have NaN or infinity among them: expected finite numbers.")
    if not 0 <= alpha < np.inf:
        raise ValueError(f"alpha is {alpha}: expected a finite number that is not negative.")
    if not 0 < bin_width < np.inf:
        raise ValueError(f"bin_width is {bin_width}: expected a finite number above 0.")
    logarithms = np.zeros(len(latents))
    for bins in np.floor(latents.T / bin_width + 0.5):
        _, place, counts = np.unique(bins, return_inverse=True, return_counts=True)
        density = counts / (len(bins) * bin_width)
        logarithms -= np.log(density + alpha)[place]
    # Of many latents the product itself would leave the range of floats.
    weights = np.exp(logarithms - logarithms.max())
    return weights / weights.mean()
