"""Likelihoods of latent-variable models, in nats and in bits per dimension."""

from __future__ import annotations

import math
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from keras_gen.metrics.checks import as_features
from keras_gen.metrics.samples.frechet import FeatureMoments
from keras_gen.training.noise import stateless_seed

DEQUANTISATIONS = ("none", "uniform", "variational")


class ImportanceSampled(Protocol):
    """A model whose likelihood can be estimated by importance sampling."""

    def prepare(self, images: Any) -> tf.Tensor:
        """Check images and return them as floats `[batch, ...]`."""

    def log_weights(self, x: tf.Tensor, samples: int, seed: tf.Tensor) -> tf.Tensor:
        """Draw `samples` latents z of each x and return log p(x, z) - log q(z|x).

        Args:
            x: float examples `[batch, ...]`, as `prepare` returns them.
            samples: how many latents.
            seed: stateless seed, int64 `[2]`; other seeds give other latents.

        Returns:
            float32 `[samples, batch]`, nats.
        """


def importance_weighted_nll(
    model: ImportanceSampled,
    images: np.ndarray,
    samples: int = 5000,
    chunk: int = 50,
    batch_size: int = 32,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Estimate -log p(x) by importance sampling: Burda et al. (2016), equation 8, negated.

    -log 1/k sum_i p(x, z_i) / q(z_i|x), z_i drawn from q(z|x): an upper bound of the true value in
    expectation, which k = 1 makes the negative ELBO and which falls as k grows. The sum is kept as
    a running log-sum-exp, so that memory is that of `chunk` samples of `batch_size` examples,
    whatever `samples`. All samples of a batch are drawn in one compiled loop.

    Args:
        model: with the methods of `ImportanceSampled`, such as a `VAE`.
        images: uint8 or float, `[n, ...]`, as `model.prepare` takes them. Binarize them before if
            the figure is to be that of binary data.
        samples: k.
        chunk: samples decoded at once.
        batch_size: examples at once.
        seed: of the latents. The result depends on it, and within its error on `chunk` and
            `batch_size`.

    Returns:
        float64 `[n]` each, nats for each example: "nll"; "elbo", the ELBO as the mean over the same
        samples; "effective_sample_size", (sum w)^2 / sum w^2 of the weights, from 1 to `samples`.
        Where it is near 1, one sample made the estimate, and the bound is loose.

    Raises:
        ValueError: a number is below 1, or there are no images.
        FloatingPointError: the model's weights are not numbers (NaN).

    Example:
        >>> nats = importance_weighted_nll(vae, test_images, samples=5000)["nll"]
        >>> nats.mean(), nats.std() / len(nats) ** 0.5
    """
    if min(samples, chunk, batch_size) < 1 or not len(images):
        raise ValueError(
            f"importance_weighted_nll found samples={samples}, chunk={chunk}, batch_size="
            f"{batch_size} for {len(images)} images: pass at least 1 of each."
        )
    chunk = min(chunk, samples)
    chunks = -(-samples // chunk)
    shape = model.prepare(images[:1]).shape[1:]

    @tf.function(input_signature=[tf.TensorSpec([None, *shape]), tf.TensorSpec([], tf.int64)])
    def estimate(x, batch):
        zeros = tf.zeros(tf.shape(x)[:1], tf.float64)
        # The sums are those of w / exp(largest), w^2 / exp(2 largest) and log w.
        largest, total, squares, logs = zeros - math.inf, zeros, zeros, zeros
        for number in tf.range(tf.constant(chunks, tf.int64)):
            # Iterations at the same time would each hold their samples.
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            key = stateless_seed(seed, batch * chunks + number, "importance_weights")
            log_w = tf.cast(model.log_weights(x, chunk, key), tf.float64)
            # The last chunk may hold more than are asked for.
            wanted = (tf.range(chunk, dtype=tf.int64) + number * chunk < samples)[:, None]
            logs += tf.reduce_sum(tf.where(wanted, log_w, 0.0), axis=0)
            log_w = tf.where(wanted, log_w, -math.inf)
            peak = tf.maximum(largest, tf.reduce_max(log_w, axis=0))
            # A weight of 0 has the logarithm -infinity, of which no difference can be taken.
            shift = tf.where(tf.math.is_inf(peak), tf.zeros_like(peak), peak)
            w, scale = tf.exp(log_w - shift), tf.exp(largest - shift)
            total = total * scale + tf.reduce_sum(w, axis=0)
            squares = squares * scale**2 + tf.reduce_sum(w**2, axis=0)
            largest = peak
        return {
            "nll": math.log(samples) - largest - tf.math.log(total),
            "elbo": logs / samples,
            "effective_sample_size": tf.math.divide_no_nan(total**2, squares),
        }

    parts = [
        estimate(model.prepare(images[start : start + batch_size]), number)
        for number, start in enumerate(range(0, len(images), batch_size))
    ]
    result = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if np.isnan(result["nll"]).any():
        raise FloatingPointError(
            f"The importance weights of {np.isnan(result['nll']).sum()} of {len(images)} images "
            "are NaN: look for NaN in the model's weights."
        )
    return result


def elbo_terms(
    model: Any, images: np.ndarray, draws: int = 1, batch_size: int = 256
) -> dict[str, np.ndarray]:
    """Return the terms of the negative ELBO of each example, such as reconstruction and KL.

    Args:
        model: a `VAE` or variant: with `prepare`, `terms` and the counter `evaluation_step`.
        images: uint8 or float, `[n, ...]`, as `model.prepare` takes them.
        draws: of latents, over which the terms are averaged.
        batch_size: examples at once.

    Returns:
        float64 `[n]` for every term of `model.terms`, nats. Their sum is the negative ELBO.
        The noise is that of `model.evaluate`: the same at every call.

    Raises:
        ValueError: `draws` is below 1, or there are no images.

    Example:
        >>> terms = elbo_terms(vae, test_images, draws=10)
        >>> (terms["reconstruction"] + terms["kl"]).mean()
    """
    if draws < 1 or not len(images):
        raise ValueError(
            f"elbo_terms found draws={draws} for {len(images)} images: pass at least 1 of each."
        )
    compiled = tf.function(lambda x: model.terms({"x": x}), reduce_retracing=True)
    step = int(model.evaluation_step.numpy())
    model.evaluation_step.assign(0)
    parts = []
    try:
        for start in range(0, len(images), batch_size):
            x = model.prepare(images[start : start + batch_size])
            terms = []
            for _ in range(draws):
                terms.append(compiled(x))
                model.evaluation_step.assign_add(1)
            parts.append({n: np.mean([t[n] for t in terms], 0, np.float64) for n in terms[0]})
    finally:
        model.evaluation_step.assign(step)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def bits_per_dimension(
    nats: Any, dimensions: int, dequantization: str, levels_per_unit: float = 1.0
) -> Any:
    """Turn a negative log-likelihood of 8-bit data into bits for each of its numbers.

    A density and a probability are not to be compared. The density of data to which uniform noise
    of one level's width was added bounds the probability of the levels (Theis et al. 2016, section
    3.1); the density of bare data bounds nothing and has no bits per dimension. Scaling the data
    changes their density, which is undone here.

    Args:
        nats: -log p(x) of whole examples: a number, array or tensor. For "variational" it includes
            the noise's term, log q(u|x) - log p(x + u) (Ho et al. 2019, Flow++).
        dimensions: numbers in an example, such as 32 * 32 * 3.
        dequantization: "none" (p is a probability of 256 levels), "uniform" or "variational" (p is
            a density of levels plus noise in [0, 1)). Say which beside the figure.
        levels_per_unit: levels in one unit of the model's data: 256 for levels / 256, 128 for
            levels / 128 - 1, 1 for levels as they are.

    Returns:
        nats / dimensions / log 2 + log2(levels_per_unit), of the kind of `nats`.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> bits_per_dimension(0.0, 784, "uniform", levels_per_unit=256)  # uniform in [0, 1)
        8.0
    """
    if dequantization not in DEQUANTISATIONS:
        raise ValueError(
            f"Unknown dequantization {dequantization!r}: pass one of {', '.join(DEQUANTISATIONS)}."
        )
    if dimensions < 1 or not levels_per_unit > 0:
        raise ValueError(
            f"bits_per_dimension found dimensions={dimensions} and levels_per_unit="
            f"{levels_per_unit}: pass positive numbers."
        )
    if dequantization == "none" and levels_per_unit != 1:
        raise ValueError(
            f"bits_per_dimension found levels_per_unit={levels_per_unit} for a probability, which "
            "has no unit: leave it out, or name the dequantization of a density."
        )
    return nats / (dimensions * math.log(2)) + math.log2(levels_per_unit)


def active_units(means: np.ndarray, threshold: float = 0.01) -> tuple[int, np.ndarray]:
    """Count the latents that a model uses: Burda et al. (2016), section 5.2.

    Args:
        means: the posterior means of many examples, `[n, latents]`, as `vae.encode(images)[0]`.
        threshold: a latent is active if its mean varies more over the data.

    Returns:
        The number of active units, and the variances of all, float64 `[latents]`.

    Raises:
        ValueError: `means` is no finite matrix with at least 2 rows.

    Example:
        >>> active_units(np.array([[1.0, 0.0], [-1.0, 0.001]]))[0]
        1
    """
    variances = as_features(means, "means").var(axis=0, ddof=1)
    return int((variances > threshold).sum()), variances


@keras.saving.register_keras_serializable("keras_gen")
class ActiveUnits(keras.metrics.Metric):
    """Number of active units among all posterior means seen: see `active_units`.

    Args:
        dimensions: number of latents.
        threshold: variance from which a latent is active.
        name: of the metric.

    Example:
        >>> metric = ActiveUnits(2)
        >>> metric.update_state([[1.0, 0.0], [-1.0, 0.001]])
        >>> float(metric.result())
        1.0
    """

    def __init__(self, dimensions: int, threshold: float = 0.01, name: str = "active_units"):
        super().__init__(dtype="float64", name=name)
        self.dimensions, self.threshold = dimensions, threshold
        self.means = FeatureMoments(dimensions)

    def update_state(self, means, sample_weight=None):
        """Add posterior means `[batch, dimensions]`; weights of 0 drop some."""
        self.means.update_state(means, sample_weight)

    def result(self):
        """Return the number, a float64 scalar."""
        variances = tf.linalg.diag_part(self.means.result()["covariance"])
        return tf.reduce_sum(tf.cast(variances > self.threshold, tf.float64))

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        arguments = {"dimensions": self.dimensions, "threshold": self.threshold}
        return {**arguments, "name": self.name}


@keras.saving.register_keras_serializable("keras_gen")
class BitsPerDimension(keras.metrics.Mean):
    """Mean over examples of `bits_per_dimension`; `update_state` takes nats `[batch]`.

    Args:
        dimensions: numbers in an example.
        dequantization: "none", "uniform" or "variational".
        levels_per_unit: levels in one unit of the model's data.
        name: of the metric.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> metric = BitsPerDimension(784, "uniform", levels_per_unit=256)
        >>> metric.update_state(np.zeros(4))
        >>> float(metric.result())
        8.0
    """

    def __init__(
        self,
        dimensions: int,
        dequantization: str,
        levels_per_unit: float = 1.0,
        name: str = "bits_per_dimension",
    ):
        super().__init__(name=name)
        self.arguments = (dimensions, dequantization, levels_per_unit)
        bits_per_dimension(0.0, *self.arguments)

    def update_state(self, nats, sample_weight=None):
        """Add the negative log-likelihoods `[batch]` of some examples, in nats."""
        super().update_state(bits_per_dimension(nats, *self.arguments), sample_weight)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        names = ("dimensions", "dequantization", "levels_per_unit")
        return {"name": self.name, **dict(zip(names, self.arguments, strict=True))}
