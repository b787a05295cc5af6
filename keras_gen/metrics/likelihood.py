"""Metrics of likelihoods, in nats and bits, and the number of active latents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from scipy.special import logsumexp

from keras_gen.arguments import (
    checked_choice,
    shown,
)
from keras_gen.checked_arguments import checked_types
from keras_gen.core.noise import stateless_seed
from keras_gen.declared import Positive, PositiveInteger
from keras_gen.metrics.mean_and_deviation import with_bar
from keras_gen.metrics.metric_arguments import as_features, as_images, as_numbers, part_of


class ImportanceSampled(Protocol):
    """A model whose likelihood can be estimated with importance sampling."""

    def prepare(self, images: Any) -> tf.Tensor:
        """Checks images and returns them as floats `[batch, ...]`."""

    def log_weights(self, x: tf.Tensor, samples: int, seed: tf.Tensor) -> tf.Tensor:
        """Samples latents z and returns log p(x, z) - log q(z|x), float32 `[samples, batch]`.

        Args:
            x: Float examples `[batch, ...]`, as returned by `prepare`.
            samples: Number of latent samples per example.
            seed: Stateless seed, int64 `[2]`.
        """


@checked_types
def importance_weighted_nll(
    model: ImportanceSampled,
    images: np.ndarray,
    samples: int = 5000,
    chunk: int = 50,
    batch_size: int = 32,
    seed: int = 0,
    conditions: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Estimates -log p(x), or -log p(x|c), with importance sampling (Burda et al. 2016, eq. (8)).

    The estimate is -log 1/k sum_i p(x, z_i) / q(z_i|x), with z_i sampled from q(z|x). Its
    expectation is an upper bound on the true value, equals the negative ELBO for k = 1, and
    decreases as k grows. The sum is computed as a running log-sum-exp in one compiled loop, so
    memory is needed for only `chunk` samples of `batch_size` examples.

    Args:
        model: Model with the methods of `ImportanceSampled`, such as a `VAE`.
        images: Images `[n, ...]`, uint8 or float, as accepted by `model.prepare`. To measure binary
            data, binarize the images first.
        samples: Number of latent samples per image; k in the formula above.
        chunk: Number of latent samples per image decoded at once.
        batch_size: Number of examples processed at once.
        seed: Seed for the latents. The estimate depends on `seed`, `chunk`, and `batch_size`, but
            only within its sampling error.
        conditions: Conditions c for a model of p(x|c), `[n, ...]`, such as the labels of a
            `ConditionalVAE` (Sohn, Lee, Yan 2015, eq. (7)).

    Returns:
        A dict of float64 `[n]`: "nll", in nats per example; "elbo", the ELBO averaged over the same
        samples, in nats per example; and "effective_sample_size", which is (sum w)^2 / sum w^2 for
        the importance weights w, and is between 1 and `samples`. If "effective_sample_size" is
        close to 1, a single sample dominates the estimate, and the bound is loose.

    Raises:
        ValueError: If `samples`, `chunk`, or `batch_size` is below 1, or if there are no images.
        FloatingPointError: If some of the model's weights are NaN.

    Example: `nll_summary(importance_weighted_nll(vae, test_images, samples=5000))["nll"]`.
    """
    if min(samples, chunk, batch_size) < 1 or not len(images):
        raise ValueError(
            f"importance_weighted_nll got samples={samples}, chunk={chunk}, "
            f"batch_size={batch_size} for {len(images)} images: expected numbers of at least "
            "1, and at least one image."
        )
    chunk = min(chunk, samples)
    chunks = -(-samples // chunk)
    shape = model.prepare(images[:1]).shape[1:]
    conditional: Any = model
    given = [] if conditions is None else [np.asarray(conditions)]
    edges = [conditional.edges[name] for name in conditional.given] if given else []
    if given and len(given[0]) != len(images):
        raise ValueError(
            f"There are {len(given[0])} conditions for {len(images)} images: expected one "
            "condition per image."
        )
    # AutoGraph is needed only for the loop below, so the model's method is excluded.
    log_weights = tf.autograph.experimental.do_not_convert(model.log_weights)

    specs = [tf.TensorSpec([None, *shape]), tf.TensorSpec([], tf.int64)]
    specs += [edge.inner_spec() for edge in edges]

    @tf.function(input_signature=specs)
    def estimate(x, batch, *condition):
        # Sums of w / exp(largest), w^2 / exp(2 largest), and log w over the samples.
        total = squares = logs = tf.zeros(tf.shape(x)[:1], tf.float64)
        largest = total - math.inf
        for number in tf.range(tf.constant(chunks, tf.int64)):
            # Iterations run one at a time, because parallel iterations would each keep their own
            # samples in memory.
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            key = stateless_seed(seed, batch * chunks + number, "importance_weights")
            log_w = tf.cast(log_weights(x, chunk, key, *condition), tf.float64)
            # The last chunk may contain more samples than requested.
            wanted = (tf.range(chunk, dtype=tf.int64) + number * chunk < samples)[:, None]
            logs += tf.reduce_sum(tf.where(wanted, log_w, 0.0), axis=0)
            log_w = tf.where(wanted, log_w, -math.inf)
            peak = tf.maximum(largest, tf.reduce_max(log_w, axis=0))
            # The logarithm of a weight of 0 is -infinity, from which nothing can be subtracted.
            shift = tf.where(tf.math.is_inf(peak), tf.zeros_like(peak), peak)
            w = tf.exp(log_w - shift)
            scale = tf.exp(largest - shift)
            total = total * scale + tf.reduce_sum(w, axis=0)
            squares = squares * scale**2 + tf.reduce_sum(w**2, axis=0)
            largest = peak
        return {
            "nll": math.log(samples) - largest - tf.math.log(total),
            "elbo": logs / samples,
            "effective_sample_size": tf.math.divide_no_nan(total**2, squares),
        }

    parts = []
    for start in with_bar(range(0, len(images), batch_size), "batch"):
        some = slice(start, start + batch_size)
        condition = [e.prepare(values[some]) for e, values in zip(edges, given, strict=True)]
        parts.append(estimate(model.prepare(images[some]), start // batch_size, *condition))
    result = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if np.isnan(result["nll"]).any():
        raise FloatingPointError(
            f"The importance weights of {np.isnan(result['nll']).sum()} of "
            f"{len(images)} images are NaN: look for NaN in the model's weights."
        )
    return result


@checked_types
def nll_summary(nats: Mapping[str, np.ndarray], prefix: str = "") -> dict[str, float]:
    """Converts the result of `importance_weighted_nll` into a run's metrics.

    Args:
        nats: Result of `importance_weighted_nll`, or the "nll" values of another estimate.
        prefix: Prefix of the metrics' names, which can distinguish several models.

    Returns:
        A dict with "nll", the mean over the examples, and "nll_standard_error", the standard error
        of this mean. If `nats` contains the necessary values, the dict also has "negative_elbo",
        the mean of the negative ELBO, and "effective_sample_size", the median of the effective
        sample size.

    Raises:
        ValueError: If there are no values, or if some values are NaN.

    Example: `metrics |= nll_summary(importance_weighted_nll(vae, test_images), prefix="vae_")`.
    """
    nats = {name: as_numbers(values, name).astype(np.float64) for name, values in nats.items()}
    nll = part_of(nats, "nll", "nats")
    wrong = [name for name, values in nats.items() if not values.size or np.isnan(values).any()]
    if wrong:
        raise ValueError(
            f"{wrong[0]} has {nats[wrong[0]].size} values, {np.isnan(nats[wrong[0]]).sum()} of "
            "which are NaN: expected at least one value, and no NaN."
        )
    deviation = nll.std() if np.isfinite(nll).all() else math.inf
    found = {"nll": nll.mean(), "nll_standard_error": deviation / len(nll) ** 0.5}
    if "elbo" in nats:
        found["negative_elbo"] = -nats["elbo"].mean()
    if "effective_sample_size" in nats:
        found["effective_sample_size"] = np.median(nats["effective_sample_size"])
    return {prefix + name: float(value) for name, value in found.items()}


class LatentDecoder(Protocol):
    """A model whose decoder returns the parameters of a likelihood."""

    decoder: keras.Model
    likelihood: Any


@checked_types
def latent_grid(
    model: LatentDecoder, side: int = 300, span: float = 4.5, batch_size: int = 1000
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes a grid of two-dimensional latents on which p(x) is a sum, computed without sampling.

    p(x) is the integral of N(z; 0, 1) p(x|z). On a grid, the integral becomes a mixture of
    Bernoulli distributions, whose templates are the decoded points and whose weights are the
    prior's density. The mixture is itself a distribution, so its NLL is a proper likelihood. This
    NLL requires neither an encoder nor samples, so it can compare models that were trained in
    different ways. The grid must be finer than the posterior of an example: check that doubling
    `side` does not change the NLL.

    Args:
        model: Model with a `decoder` for latents `[batch, 2]` and a Bernoulli `likelihood`, such as
            `VAE` or `PriorSampledModel`.
        side: Number of points per axis, at least 2.
        span: Maximum absolute value of the latents, in standard deviations of the prior.
        batch_size: Number of points decoded at once.

    Returns:
        The decoded probabilities, float32 `[side * side, ...]`, and the weights `[side * side]`,
        both as accepted by `keras_gen.workshop.baselines.BernoulliMixture.of`.

    Raises:
        ValueError: If the number of latents is not two, or if `side` is below 2.

    Example: `-BernoulliMixture.of(*latent_grid(vae)).log_prob(binary_digits)`.
    """
    if (shape := tuple(model.decoder.input_shape[1:])) != (2,):
        raise ValueError(
            f"The decoder accepts latents of shape {shape}: expected 2 latents for a grid. For "
            "other numbers of latents, use importance_weighted_nll."
        )
    if side < 2:
        raise ValueError(f"side is {side}: expected at least 2 points per axis.")
    axis = np.linspace(-span, span, side, dtype="float32")
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    parts = [
        model.likelihood.mean(
            model.decoder(z[start : start + batch_size], training=False)
        ).numpy()
        for start in range(0, len(z), batch_size)
    ]
    return np.concatenate(parts), np.exp(-0.5 * np.square(z).sum(axis=1))


DEQUANTIZATIONS = ("none", "uniform", "variational")


@checked_types
def bits_per_dimension(
    nats: Any, dimensions: PositiveInteger, dequantization: str, levels_per_unit: Positive = 1.0
) -> Any:
    """Converts a negative log-likelihood of 8-bit data to bits per dimension.

    The result is `nats / dimensions / log 2 + log2(levels_per_unit)`. The second term undoes the
    effect of the data's scaling on the density. Do not compare bits computed from densities with
    bits computed from probabilities. The density of data plus uniform noise one level wide bounds
    the probability of the levels (Theis et al. 2016, sec. 3.1); without noise, the density is not a
    bound.

    Args:
        nats: -log p(x) of complete examples: a number, array, or tensor. With "variational", the
            value must include the noise term: log q(u|x) - log p(x + u) (Ho et al. 2019, Flow++).
        dimensions: Number of values in an example, such as 32 * 32 * 3.
        dequantization: "none" (p is a probability over 256 levels), "uniform", or "variational" (in
            both, p is a density of levels plus noise in [0, 1)). Report the type of dequantization
            with the result.
        levels_per_unit: Number of levels per unit of the model's data: 256 for levels / 256, 128
            for levels / 128 - 1, and 1 for unscaled levels.

    Example:
        >>> bits_per_dimension(0.0, 784, "uniform", levels_per_unit=256)  # uniform in [0, 1)
        8.0
    """
    if isinstance(nats, bool) or not (isinstance(nats, Real) or hasattr(nats, "dtype")):
        raise TypeError(f"nats is {shown(nats)}: expected a number, an array, or a tensor.")
    checked_choice("dequantization", dequantization, DEQUANTIZATIONS)
    if dequantization == "none" and levels_per_unit != 1:
        raise ValueError(
            f"levels_per_unit is {levels_per_unit}, but dequantization is 'none', so p is a "
            "probability, which has no unit: leave out levels_per_unit, or, for a density, specify "
            "how the data was dequantized."
        )
    return nats / (dimensions * math.log(2)) + math.log2(levels_per_unit)


@checked_types
def bits_per_live_value(nats: np.ndarray, levels: np.ndarray) -> float:
    """Converts negative log-likelihoods of sequences to bits per value, ignoring padding.

    The total of all sequences' nats is divided by the number of values that are not padding, so a
    long sequence counts more than a short one. If padding were counted, any model would look
    better.

    Args:
        nats: -log p(x) of complete sequences, `[n]`, not counting their padding.
        levels: Sequences, integers `[n, ...]`, in which numbers below 0 are padding, as returned by
            `model.edges["x"].prepare(waveforms)`.

    Returns:
        The number of bits per value.

    Raises:
        ValueError: If there are no values, or if `nats` and `levels` have different numbers of
            sequences.

    Example:
        >>> bits_per_live_value(np.log([8.0, 2.0]), np.array([[5, 3, 1], [0, -1, -1]]))
        1.0
    """
    nats = as_numbers(nats, "nats").astype("float64")
    levels = as_numbers(levels, "levels")
    live = np.count_nonzero(levels >= 0)
    if nats.shape != levels.shape[:1] or not live:
        raise ValueError(
            f"nats has shape {list(nats.shape)} for {live} values in sequences of shape "
            f"{list(levels.shape)}: expected one number for each sequence, and at least one "
            "level that is not negative."
        )
    if np.isnan(nats).any() or levels.dtype.kind not in "iu":
        raise ValueError(
            f"The number of NaN values in nats is {np.isnan(nats).sum()}, and levels has dtype "
            f"{levels.dtype}: expected nats without NaN, and integer levels."
        )
    return float(nats.sum() / live / math.log(2))


@checked_types
def active_units(means: np.ndarray, threshold: float = 0.01) -> tuple[int, np.ndarray]:
    """Counts the latents that a model uses (Burda et al. 2016, sec. 5.2).

    Args:
        means: Posterior means of at least 2 examples, `[n, latents]`, such as
            `vae.encode(images)[0]`.
        threshold: Threshold for the variance of a latent's posterior mean over the data. A latent
            with a larger variance is active.

    Returns:
        The number of active units, and the variances of all latents, float64 `[latents]`.

    Example:
        >>> active_units(np.array([[1.0, 0.0], [-1.0, 0.001]]))[0]
        1
    """
    variances = as_features(means, "means").var(axis=0, ddof=1)
    return int((variances > threshold).sum()), variances


@checked_types
def parzen_log_likelihood(
    samples: np.ndarray, images: np.ndarray, std: Positive, batch_size: int = 100
) -> np.ndarray:
    """Estimates log p(x), float64 `[n]` in nats, with a Parzen window, for pixels in [0, 1].

    The density is a mixture of normal distributions, one around each sample. Goodfellow et al.:
    "Generative Adversarial Nets", NeurIPS 2014, sec. 5, use 10,000 samples and report a mean of 225
    over the MNIST test images, with a standard error of 2 (table 1). Theis, van den Oord, Bethge:
    "A Note on the Evaluation of Generative Models", ICLR 2016, show that such estimates rank models
    incorrectly, and place some models even above the data distribution itself. Compare the result
    only with table 1.

    Args:
        samples: Samples from the model, uint8 `[m, H, W, 1 or 3]`.
        images: Images whose likelihood is estimated, uint8 `[n, H, W, C]`.
        std: Standard deviation of the window for pixels in [0, 1], as returned by
            `best_parzen_std`.
        batch_size: Number of images processed at once.

    Example: `parzen_log_likelihood(model.sample(10_000), test_images, std).mean()`.
    """
    samples, images = _flat(samples), _flat(images)
    if samples.shape[1] != images.shape[1]:
        raise ValueError(
            f"parzen_log_likelihood got samples with {samples.shape[1]} values each, but images "
            f"with {images.shape[1]}: expected samples of the same shape as the images."
        )
    squares = np.square(samples).sum(axis=1)
    found = []
    for start in with_bar(range(0, len(images), batch_size), "batch"):
        batch = images[start : start + batch_size]
        distances = np.square(batch).sum(axis=1)[:, None] - 2 * batch @ samples.T + squares
        found.append(logsumexp(-0.5 / std**2 * np.maximum(distances, 0), axis=1))
    size = samples.shape[1]
    constant = np.log(len(samples)) + 0.5 * size * np.log(2 * np.pi * std**2)
    return np.concatenate(found) - constant


@checked_types
def best_parzen_std(samples: np.ndarray, held_out: np.ndarray) -> float:
    """Returns the best of ten window sizes, which are geometrically spaced from 0.1 to 1.

    The best size is the one with the highest mean log-likelihood.

    Args:
        samples: Samples from the model; see `parzen_log_likelihood`.
        held_out: Images that are in neither the model's training set nor the test set.

    Example: `best_parzen_std(model.sample(10_000), validation_images)`.
    """
    candidates = np.geomspace(0.1, 1.0, 10)
    means = [parzen_log_likelihood(samples, held_out, float(std)).mean() for std in candidates]
    return float(candidates[int(np.argmax(means))])


def _flat(images: np.ndarray) -> np.ndarray:
    images = as_images(images)
    return images.reshape(len(images), -1).astype(np.float64) / 255.0
