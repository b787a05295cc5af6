"""The exercises of the course, by chapter; each function contains a problem and its solution.

The docstring of a function is the problem statement that a notebook shows. A typical mistake is a
function with the same arguments as the solution, listed with the message that a student reads.
Unless the statement specifies otherwise, arguments are float32 arrays, and there is one result per
example.
"""

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import expit, log_softmax, logsumexp, softmax, xlogy
from scipy.stats import norm

from keras_gen.course.grading import Exercise
from keras_gen.diffusion import KarrasPath
from keras_gen.diffusion.paths import Parts, posterior
from keras_gen.layers import PixelShuffle, VectorQuantizer, reverse_gradient
from keras_gen.losses import (
    Bernoulli,
    Categorical,
    GradientPenalty,
    Hinge,
    Minimax,
    NonSaturating,
    kl_normal,
    kl_standard_normal,
    relaxed_codes,
)
from keras_gen.metrics import (
    Moments,
    bits_per_dimension,
    bits_per_live_value,
    code_uses,
    decision_gaps,
    frechet_distance,
    inception_score,
    nearest_neighbors,
    perplexity,
)

EXERCISES: list[Exercise] = []


def _called(function: Callable, *arguments):
    return function(*arguments)


def _exercise(
    chapter: str,
    level: int,
    inputs: Callable,
    mistakes: Mapping[str, Callable],
    probe: Callable = _called,
) -> Callable:
    """Returns a decorator that adds an exercise whose solution is the decorated function."""

    def added(reference):
        EXERCISES.append(Exercise(chapter, level, reference, inputs, mistakes, probe))
        return reference

    return added


def _sizes(r) -> tuple[int, int]:
    """Returns a number of examples and a different number of values."""
    return int(r.integers(3, 6)), int(r.integers(6, 9))


def _normal(r, *shape) -> np.ndarray:
    return r.normal(size=shape).astype("float32")


def _uniform(r, *shape) -> np.ndarray:
    return r.uniform(0.05, 0.95, size=shape).astype("float32")


def _sized(make: Callable) -> Callable:
    """Returns inputs made from a generator, a number of examples, and a number of values."""
    return lambda r: make(r, *_sizes(r))


def _normals(count: int) -> Callable:
    """Returns inputs that are `count` arrays of normal numbers, `[examples, values]`."""
    return _sized(lambda r, n, d: tuple(_normal(r, n, d) for _ in range(count)))


def _gradients(function: Callable, *tensors):
    """Returns the value of a function, and the gradients of its sum weighted by 1, 2, 3, ..."""
    inputs = list(map(tf.constant, tensors))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = tf.convert_to_tensor(function(*inputs))
        weights = tf.reshape(tf.cumsum(tf.ones(value.shape.num_elements())), value.shape)
        total = tf.reduce_sum(weights * value)
    gradients = tape.gradient(total, inputs, unconnected_gradients="zero")
    return value, *gradients


# 1. Autoencoders


@_exercise(
    "01",
    1,
    _sized(lambda r, n, d: (_uniform(r, n, 4, d), _uniform(r, n, 4, d))),
    {
        "averages over pixels instead of summing: the factor is wrong": lambda x, y: np.mean(
            (x - y) ** 2, axis=(1, 2)
        ),
        "sums over only one axis": lambda x, y: np.sum((x - y) ** 2, axis=1),
        "sums absolute differences, not squared differences": lambda x, y: abs(x - y).sum(
            (1, 2)
        ),
        "is the square root of the squared error": lambda x, y: np.sqrt(
            ((x - y) ** 2).sum((1, 2))
        ),
        "sums over the examples": lambda x, y: np.sum((x - y) ** 2),
    },
)
def squared_error(images, reconstructions):
    """Return the squared error of each reconstruction, summed over its pixels.

    Both arguments have the shape `[n, height, width]`, and the result has the shape `[n]`.
    """
    return np.sum((images - reconstructions) ** 2, axis=(1, 2))


def _subspace(r):
    n, d = _sizes(r)
    directions = np.linalg.qr(r.normal(size=(d, 2)))[0].T
    return _normal(r, n, d), _normal(r, d) + 2, directions.astype("float32")


@_exercise(
    "01",
    2,
    _subspace,
    {
        "does not subtract the mean before the projection": lambda x, m, v: x @ v.T @ v,
        "does not add the mean after the projection": lambda x, m, v: (x - m) @ v.T @ v,
        "adds a mean that was not subtracted": lambda x, m, v: x @ v.T @ v + m,
        "returns the codes instead of the reconstructions": lambda x, m, v: (x - m) @ v.T,
        "returns the residual": lambda x, m, v: x - m - (x - m) @ v.T @ v,
    },
)
def pca_reconstruction(x, mean, directions):
    """Return the reconstructions of examples from their principal components.

    `x` is `[n, d]`, `mean` is `[d]`, and the rows of `directions`, `[k, d]`, are the orthonormal
    principal directions of the centered data. The result has the shape of `x`.
    """
    return mean + (x - mean) @ directions.T @ directions


def _spectrum(x, k, centered=True, root=False, kept=False, count=0):
    values = np.linalg.svd(x - centered * x.mean(axis=0), compute_uv=False)
    values = values if root else values**2
    return (values[:k] if kept else values[k:]).sum() / (len(x) + count)


@_exercise(
    "01",
    3,
    lambda r: (_normal(r, 12, 6) * np.arange(1, 7, dtype="float32") + 1, int(r.integers(2, 5))),
    {
        "does not center the examples": lambda x, k: _spectrum(x, k, centered=False),
        "sums singular values without squaring them": lambda x, k: _spectrum(x, k, root=True),
        "is the variance that the code preserves": lambda x, k: _spectrum(x, k, kept=True),
        "divides by n - 1, not by n": lambda x, k: _spectrum(x, k, count=-1),
        "is a sum over examples, not a mean: the factor is wrong": lambda x, k: (
            len(x) * _spectrum(x, k)
        ),
    },
)
def smallest_error(x, k):
    """Return the smallest squared error of a linear autoencoder with a code of `k` numbers.

    `x` is `[n, d]`, and biases are allowed. The error of an example is summed over its `d` values,
    and the result, a single number, is the mean over the `n` examples.
    """
    return _spectrum(x, k)


# 2. Denoising, sparse, and contractive autoencoders


@_exercise(
    "02",
    1,
    _sized(lambda r, n, d: (_normal(r, n, d), _uniform(r, n, d), float(r.uniform(0.2, 0.4)))),
    {
        "removes the values that should be kept": lambda x, u, rate: np.where(u < rate, x, 0),
        "rescales the remaining values, as dropout does: the factor is wrong": lambda x, u, rate: (
            np.where(u < rate, 0, x) / (1 - rate)
        ),
        "sets values to 1 instead of 0": lambda x, u, rate: np.where(u < rate, 1, x),
        "adds the noise to the values": lambda x, u, rate: x + (u < rate) * u,
        "removes whole examples": lambda x, u, rate: np.where(u[:, :1] < rate, 0, x),
    },
)
def masking_noise(x, uniform, rate):
    """Return the examples with values set to 0 (masking noise) where `uniform` is below `rate`.

    `x` and `uniform` are `[n, d]`, and `rate` is a number between 0 and 1. All other values of `x`
    remain unchanged.
    """
    return np.where(uniform < rate, 0, x)


@_exercise(
    "02",
    2,
    lambda r: (*_normals(2)(r), float(r.uniform(0.3, 0.8))),
    {
        "points away from the data: the sign is wrong": lambda x, y, s: (x - y) / s**2,
        "divides by the standard deviation instead of the variance": lambda x, y, s: (y - x) / s,
        "is the difference from the denoised example: a division is missing": lambda x, y, s: (
            y - x
        ),
        "multiplies by the variance instead of dividing by it": lambda x, y, s: (y - x) * s**2,
        "is the score of a normal distribution with mean 0": lambda x, y, s: -x / s**2,
    },
)
def score(noisy, denoised, sigma):
    r"""Return the score of noisy data, $\nabla \log p(\tilde x)$, at the noisy examples.

    `denoised` is the output of the best denoiser for the input `noisy`. Both arrays are `[n, d]`.
    `sigma` is the standard deviation of the noise. The result has the shape of `noisy`.
    """
    path, t = KarrasPath(), tf.constant(sigma)
    return path.quantity("score", t, path.parts("example", t, noisy, denoised))


def _bernoulli_kl(p, q):
    return xlogy(p, p / q) + xlogy(1 - p, (1 - p) / (1 - q))


@_exercise(
    "02",
    2,
    lambda r: (_uniform(r, _sizes(r)[1]), float(r.uniform(0.02, 0.2))),
    {
        "swaps the two distributions": lambda q, p: _bernoulli_kl(q, p).sum(),
        "lacks the term for inactive codes": lambda q, p: xlogy(p, p / q).sum(),
        "is a mean over codes, not a sum: the factor is wrong": lambda q, p: _bernoulli_kl(
            p, q
        ).mean(),
        "is not summed over the codes": lambda q, p: _bernoulli_kl(p, q),
        "is the cross-entropy: the constant entropy of the target is missing": lambda q, p: (
            -(xlogy(p, q) + xlogy(1 - p, 1 - q)).sum()
        ),
    },
)
def sparsity_penalty(activity, target):
    """Return, as a number, the KL divergence of the codes' activations from a target, in nats.

    `activity`, `[k]`, is the mean activation of each code, between 0 and 1. `target` is a number.
    The result is the sum over codes of KL(Bernoulli(target), Bernoulli(activity)).
    """
    return _bernoulli_kl(target, activity).sum()


@_exercise(
    "02",
    3,
    _sized(lambda r, n, d: (_uniform(r, n, 5), _normal(r, d, 5))),
    {
        "does not square the slope of the sigmoid": lambda h, w: h * (1 - h) @ (w**2).sum(0),
        "uses the slope of tanh": lambda h, w: (1 - h**2) ** 2 @ (w**2).sum(0),
        "lacks the slope of the sigmoid, so the result is equal for all examples": lambda h, w: (
            np.full(len(h), (w**2).sum(), "float32")
        ),
        "is the norm, not the squared norm": lambda h, w: np.sqrt(
            (h * (1 - h)) ** 2 @ (w**2).sum(0)
        ),
        "sums the weights before squaring them": lambda h, w: (h * (1 - h)) ** 2 @ w.sum(0) ** 2,
    },
)
def contraction(codes, weights):
    r"""Return the squared Frobenius norm of the Jacobian of an encoder with one sigmoid layer.

    `codes` is `[n, k]`, with $h = \mathrm{sigmoid}(x W + b)$, and `weights` is $W$, `[d, k]`. The
    result, `[n]`, is $\sum_{ij} (\partial h_j / \partial x_i)^2$ for each example.
    """
    return (codes * (1 - codes)) ** 2 @ (weights**2).sum(axis=0)


# 3. Latent variables


def _log_normal(x, mean, log_variance):
    return norm.logpdf(x, mean, np.exp(log_variance / 2))


@_exercise(
    "03",
    1,
    _normals(3),
    {
        "lacks the constant that contains pi": lambda x, m, v: (
            _log_normal(x, m, v) + np.log(2 * np.pi) / 2
        ).sum(1),
        "uses the variance as a standard deviation": lambda x, m, v: _log_normal(
            x, m, 2 * v
        ).sum(1),
        "is not summed over the values": _log_normal,
        "lacks the logarithm of the standard deviation": lambda x, m, v: (
            _log_normal(x, m, v) + v / 2
        ).sum(1),
        "multiplies by the variance instead of dividing by it": lambda x, m, v: (
            _log_normal(x, m, -v) - v
        ).sum(1),
    },
)
def log_normal(x, mean, log_variance):
    """Return the log density of examples under normal distributions with independent values.

    All arguments are `[n, d]`, and the result is `[n]`, in nats.
    """
    return _log_normal(x, mean, log_variance).sum(axis=1)


_weights = _sized(lambda r, n, k: (_normal(r, k, n) * 3 - 200,))


@_exercise(
    "03",
    2,
    _weights,
    {
        "does not divide by the number of samples": lambda w: logsumexp(w, axis=0),
        "is the mean of the logarithms": lambda w: w.mean(axis=0),
        "is only the largest weight": lambda w: w.max(axis=0),
        "is a mean over the wrong axis": lambda w: logsumexp(w, axis=1) - np.log(w.shape[1]),
        "computes exponentials that underflow in float32, so the logarithm is infinite": lambda w: (
            np.log(np.exp(w).mean(axis=0))
        ),
    },
)
def log_mean_exp(log_weights):
    """Return the logarithm of the mean weight of each example, for weights near exp(-200).

    `log_weights` is `[samples, n]`, and the result is `[n]`.
    """
    return tf.reduce_logsumexp(log_weights, axis=0) - math.log(len(log_weights))


@_exercise(
    "03",
    2,
    _sized(lambda r, n, k: tuple(_normal(r, k, n) for _ in range(3))),
    {
        "has the wrong sign before the proposal": lambda a, b, q: (a + b + q).mean(0),
        "lacks the prior": lambda a, b, q: (a - q).mean(0),
        "lacks the proposal": lambda a, b, q: (a + b).mean(0),
        "is a mean over the wrong axis": lambda a, b, q: (a + b - q).mean(1),
        "is the importance-weighted bound": lambda a, b, q: (
            logsumexp(a + b - q, axis=0) - np.log(len(a))
        ),
        "is a sum over samples: the factor is wrong": lambda a, b, q: (a + b - q).sum(0),
    },
)
def elbo(log_likelihood, log_prior, log_proposal):
    """Return the evidence lower bound of each example, estimated with samples from the proposal.

    The arguments are log p(x | z), log p(z), and log q(z | x) at the samples, `[samples, n]`. The
    result is `[n]`.
    """
    return (log_likelihood + log_prior - log_proposal).mean(axis=0)


def _effective(log_weights):
    w = np.exp(log_weights - log_weights.max(axis=0))
    return w.sum(axis=0) ** 2 / (w**2).sum(axis=0)


@_exercise(
    "03",
    3,
    _weights,
    {
        "divides by the number of samples: the factor is wrong": lambda w: (
            _effective(w) / len(w)
        ),
        "is the reciprocal of the expected result": lambda w: 1 / _effective(w),
        "sums over the wrong axis": lambda w: _effective(w.T),
        "does not square the sum of the weights": lambda w: (lambda v: v.sum(0) / (v**2).sum(0))(
            np.exp(w - w.max(0))
        ),
        "computes exponentials that underflow to 0 in float32": lambda w: (
            np.exp(w).sum(0) ** 2 / (np.exp(w) ** 2).sum(0)
        ),
    },
)
def effective_samples(log_weights):
    r"""Return the effective number of samples, $(\sum_i w_i)^2 / \sum_i w_i^2$, of each example.

    `log_weights` is `[samples, n]`, with values near -200. The result is `[n]`, with values between
    1 and `samples`.
    """
    return _effective(log_weights)


# 4. The variational autoencoder


@_exercise(
    "04",
    1,
    _normals(3),
    {
        "uses the variance as the standard deviation": lambda m, v, e: m + np.exp(v) * e,
        "uses the logarithm of the variance as the standard deviation": lambda m, v, e: (
            m + v * e
        ),
        "uses the reciprocal of the standard deviation": lambda m, v, e: m + np.exp(-v / 2) * e,
        "also scales the mean": lambda m, v, e: np.exp(v / 2) * (m + e),
        "lacks the standard deviation": lambda m, v, e: m + e,
    },
)
def reparameterized(mean, log_variance, noise):
    """Return samples of N(mean, exp(log_variance)), as a function of standard normal noise.

    All arguments and the result are `[n, d]`.
    """
    return mean + np.exp(log_variance / 2) * noise


@_exercise(
    "04",
    2,
    _normals(2),
    {
        "uses the variance as a standard deviation": lambda m, v: kl_standard_normal(m, 2 * v),
        "uses the standard deviation as a variance": lambda m, v: kl_standard_normal(m, v / 2),
        "swaps the two distributions": lambda m, v: kl_normal(0 * m, 0 * v, m, v),
        "lacks the square of the mean": lambda m, v: kl_standard_normal(0 * m, v),
        "lacks a constant per latent": lambda m, v: kl_standard_normal(m, v) + m.shape[1] / 2,
        "is a mean over latents, not a sum: the factor is wrong": lambda m, v: (
            kl_standard_normal(m, v) / m.shape[1]
        ),
        "is not summed over the latents": lambda m, v: (m**2 + np.exp(v) - v - 1) / 2,
    },
)
def kl(mean, log_variance):
    """Return KL(N(mean, exp(log_variance)), N(0, I)) of each example, in nats.

    Both arguments are `[n, d]`, and the result is `[n]`.
    """
    return kl_standard_normal(mean, log_variance)


def _binary_images(r, n, d):
    logits = _normal(r, n, d) * np.float32([3] + [300] * (n - 1))[:, None]
    return logits, np.float32(r.integers(2, size=(n, d)))


def _clipped_sigmoid(logits):
    return np.clip(expit(logits), 1e-7, 1 - 1e-7)  # as in the losses of Keras


def _clipped(logits, x):
    p = _clipped_sigmoid(logits)
    return x * np.log(p) + (1 - x) * np.log(1 - p)


@_exercise(
    "04",
    2,
    _sized(_binary_images),
    {
        "swaps the two arguments": lambda a, x: Bernoulli().log_prob(x, a),
        "is the cross-entropy, which has the opposite sign": lambda a, x: (
            -Bernoulli().log_prob(a, x)
        ),
        "is a mean over pixels, not a sum: the factor is wrong": lambda a, x: (
            Bernoulli().log_prob(a, x) / x.shape[1]
        ),
        "counts only white pixels": lambda a, x: -(x * np.logaddexp(0, -a)).sum(1),
        "clips the probabilities, so it is wrong for large logits": lambda a, x: _clipped(
            a, x
        ).sum(1),
        "is NaN or infinite where a probability rounds to 0 or 1": lambda a, x: (
            x * np.log(expit(a)) + (1 - x) * np.log(1 - expit(a))
        ).sum(1),
    },
)
def log_bernoulli(logits, x):
    """Return the log-likelihood of binary images, given the decoder's logits.

    Both arguments are `[n, d]`, and `x` contains 0 and 1. The result is `[n]`, in nats. The
    absolute value of a logit may be as large as 1,000.
    """
    return Bernoulli().log_prob(logits, x)


@_exercise(
    "04",
    3,
    _normals(4),
    {
        "swaps the two distributions": lambda a, v, b, w: kl_normal(b, w, a, v),
        "is the difference of the divergences of q and p from N(0, I)": lambda a, v, b, w: (
            kl_standard_normal(a, v) - kl_standard_normal(b, w)
        ),
        "does not divide the squared distance by a variance": lambda a, v, b, w: (
            ((a - b) ** 2 + np.exp(v - w) - v + w - 1).sum(1) / 2
        ),
        "divides the squared distance by the wrong variance": lambda a, v, b, w: (
            ((a - b) ** 2 * np.exp(-v) + np.exp(v - w) - v + w - 1).sum(1) / 2
        ),
        "has the wrong sign before the logarithms of the variances": lambda a, v, b, w: (
            ((a - b) ** 2 * np.exp(-w) + np.exp(v - w) + v - w - 1).sum(1) / 2
        ),
        "uses variances as standard deviations": lambda a, v, b, w: kl_normal(
            a, 2 * v, b, 2 * w
        ),
    },
)
def kl_between(mean_q, log_variance_q, mean_p, log_variance_p):
    """Return KL(q, p) for two normal distributions with independent values, in nats.

    All arguments are `[n, d]`, and the result is `[n]`.
    """
    return kl_normal(mean_q, log_variance_q, mean_p, log_variance_p)


# 5. Discrete latents


def _quantizer(codebook):
    layer = VectorQuantizer(*codebook.shape)
    layer.build((None, codebook.shape[1]))
    layer.codebook.assign(codebook)
    return layer


def _distances(z, codebook):
    return ((z[:, None] - codebook) ** 2).sum(axis=2)


@_exercise(
    "05",
    1,
    _sized(lambda r, n, k: (_normal(r, 3 * n, 4), 2 * _normal(r, k, 4))),
    {
        "chooses the farthest code": lambda z, c: _distances(z, c).argmax(axis=1),
        "chooses the code with the largest inner product, not the nearest code": lambda z, c: (
            z @ c.T
        ).argmax(axis=1),
        "finds the nearest latent for each code": lambda z, c: _distances(z, c).argmin(axis=0),
        "returns the codes instead of their indices": lambda z, c: c[_distances(z, c).argmin(1)],
        "compares only the first coordinate of latents and codes": lambda z, c: _distances(
            z[:, :1], c[:, :1]
        ).argmin(axis=1),
    },
)
def nearest_code(latents, codebook):
    """Return the index of the nearest code for each latent.

    `latents` is `[n, d]`, and `codebook` is `[k, d]`. The result is `[n]`, with integers from 0 to
    k - 1.
    """
    return _quantizer(codebook)(latents)[1]


@_exercise(
    "05",
    2,
    _normals(2),
    {
        "passes the gradient to the codes": lambda z, q: q,
        "returns the latents instead of the codes": lambda z, q: z,
        "has no gradient at all": lambda z, q: tf.stop_gradient(q),
        "passes the gradient to latents and codes": lambda z, q: z + q - tf.stop_gradient(z),
        "has the right value, but its gradient has the wrong sign": lambda z, q: (
            tf.stop_gradient(q + z) - z
        ),
    },
    probe=_gradients,
)
def straight_through(latents, quantized):
    """Return the quantized latents in such a way that gradients pass unchanged to `latents`.

    Both arguments and the result are tensors `[n, d]`. Use TensorFlow. The grader compares the
    value, the gradient with respect to `latents`, and the gradient with respect to `quantized`.
    """
    return latents + tf.stop_gradient(quantized - latents)


@_exercise(
    "05",
    2,
    lambda r: (*_normals(2)(r), float(r.uniform(0.3, 0.7))),
    {
        "multiplies by the temperature": lambda a, g, t: softmax((a + g) * t, axis=1),
        "does not divide the noise by the temperature": lambda a, g, t: softmax(
            a / t + g, axis=1
        ),
        "lacks the noise": lambda a, g, t: softmax(a / t, axis=1),
        "lacks the temperature": lambda a, g, t: softmax(a + g, axis=1),
        "normalizes over the examples": lambda a, g, t: softmax((a + g) / t, axis=0),
        "is the logarithm of the codes: an exponential is missing": lambda a, g, t: log_softmax(
            (a + g) / t, axis=1
        ),
    },
)
def gumbel_softmax(logits, gumbel, temperature):
    """Return relaxed one-hot codes.

    `logits` and the Gumbel noise `gumbel` are `[n, k]`, and `temperature` is a positive number. The
    rows of the result, `[n, k]`, sum to 1.
    """
    return tf.exp(relaxed_codes(logits, gumbel, temperature))


def _entropy(indices, codes):
    shares = code_uses(indices, codes) / indices.size
    return -xlogy(shares, shares).sum()


@_exercise(
    "05",
    3,
    lambda r: (np.minimum(r.geometric(0.4, size=30), 8) - 1, 8),
    {
        "is the entropy: an exponential is missing": _entropy,
        "mixes nats and bits": lambda i, k: 2 ** _entropy(i, k),
        "gives rare codes the same weight as frequent codes": lambda i, k: len(np.unique(i)),
        "has the wrong sign in the exponent": lambda i, k: np.exp(-_entropy(i, k)),
        "uses squared frequencies instead of the entropy": lambda i, k: (
            i.size**2 / (code_uses(i, k) ** 2).sum()
        ),
    },
)
def code_perplexity(indices, codes):
    """Return, as a number, the perplexity of a codebook.

    `indices` is `[n]`, with integers from 0 to `codes - 1`. Some codes may never be used. The
    perplexity is the exponential of the entropy of the codes' frequencies.
    """
    return perplexity(code_uses(indices, codes))


# 6. Disentangling


@_exercise(
    "06",
    1,
    lambda r: (
        np.float32(r.uniform(1, 9, size=int(r.integers(4, 8)))),
        5.0,
        float(r.uniform(2, 10)),
    ),
    {
        "squares the distance": lambda kl, c, w: w * (kl - c) ** 2,
        "allows a negative loss: the sign is wrong below the capacity": lambda kl, c, w: (
            w * (kl - c)
        ),
        "is 0 below the capacity": lambda kl, c, w: w * np.maximum(kl - c, 0),
        "adds the weight instead of multiplying by it": lambda kl, c, w: w + abs(kl - c),
        "applies the weight only to the divergence": lambda kl, c, w: abs(w * kl - c),
    },
)
def capacity_loss(kl, capacity, weight):
    """Return the loss that keeps the KL divergence of each example near a capacity.

    `kl` is the KL divergence, `[n]`, in nats, and the other arguments are numbers. The loss, `[n]`,
    is the weight times the absolute difference between the divergence and the capacity.
    """
    return weight * np.abs(kl - capacity)


def _gap(information, entropies, axis=0):
    ordered = np.sort(information, axis=axis)
    best, second = np.take(ordered, -1, axis=axis), np.take(ordered, -2, axis=axis)
    return (best - second) / entropies


@_exercise(
    "06",
    2,
    lambda r: (_uniform(r, 4, 4) ** 2, np.float32(r.uniform(1, 2, size=4))),
    {
        "compares factors for each code, not codes for each factor": lambda i, h: _gap(
            i, h, axis=1
        ).mean(),
        "does not divide by the entropies": lambda i, h: _gap(i, 1).mean(),
        "is a sum over factors: the factor is wrong": lambda i, h: _gap(i, h).sum(),
        "compares the best code with the worst": lambda i, h: (np.ptp(i, axis=0) / h).mean(),
        "divides by the mean entropy": lambda i, h: _gap(i, h.mean()).mean(),
    },
)
def mutual_information_gap(information, entropies):
    """Return the mutual information gap (MIG) as a number.

    `information`, `[codes, factors]`, is the mutual information between codes and factors, and
    `entropies`, `[factors]`, contains the entropies of the factors. For each factor, the gap is
    between the two most informative codes.
    """
    return _gap(information, entropies).mean()


def _unlabeled(bounds, logits, entropy=1.0):
    q = softmax(logits, axis=1)
    return (q * bounds).sum(axis=1) - entropy * (q * log_softmax(logits, axis=1)).sum(axis=1)


@_exercise(
    "06",
    3,
    _normals(2),
    {
        "has the wrong sign before the entropy": lambda b, a: _unlabeled(b, a, -1),
        "lacks the entropy": lambda b, a: _unlabeled(b, a, 0),
        "is the logarithm of a sum, the exact likelihood": lambda b, a: logsumexp(b, axis=1),
        "gives all classes the same weight": lambda b, a: b.mean(axis=1),
        "uses only the most probable class": lambda b, a: np.take_along_axis(
            b, a.argmax(1)[:, None], 1
        )[:, 0],
        "normalizes over the examples": lambda b, a: _unlabeled(b.T, a.T)[: len(b)],
    },
)
def unlabeled_bound(bounds, logits):
    r"""Return the bound on the log-likelihood of images without labels, as in the model M2.

    `bounds`, `[n, classes]`, contains the bound $L(x, y)$ that would hold if the class were known.
    `logits`, `[n, classes]`, contains the logits of $q(y \mid x)$. The result, `[n]`, is
    $\sum_y q(y \mid x) L(x, y) + H(q)$.
    """
    return _unlabeled(bounds, logits)


# 7. Autoregressive models


@_exercise(
    "07",
    1,
    lambda r: (int(r.integers(4, 8)),),
    {
        "is transposed: positions see the future": lambda n: np.triu(np.ones([n, n])),
        "hides each position from itself": lambda n: np.tril(np.ones([n, n]), -1),
        "hides nothing": lambda n: np.ones([n, n]),
        "is 1 where attention is forbidden": lambda n: 1 - np.tril(np.ones([n, n])),
        "lets positions see only themselves": np.eye,
    },
)
def causal_mask(n):
    """Return the mask of causal self-attention, `[n, n]`.

    The mask is 1 (or True) in row i and column j if position i may attend to position j, and 0
    otherwise. Each position attends to itself and to earlier positions.
    """
    return np.tril(np.ones([n, n]))


@_exercise(
    "07",
    1,
    lambda r: (*_normals(1)(r), float(r.uniform(0.3, 0.8))),
    {
        "multiplies by the temperature": lambda a, t: softmax(a * t, axis=1),
        "lacks the temperature": lambda a, t: softmax(a, axis=1),
        "divides probabilities by the temperature: the factor is wrong": lambda a, t: (
            softmax(a, axis=1) / t
        ),
        "is not normalized": lambda a, t: np.exp(a / t),
        "normalizes over the examples": lambda a, t: softmax(a / t, axis=0),
        "returns logarithms": lambda a, t: log_softmax(a / t, axis=1),
    },
)
def with_temperature(logits, temperature):
    """Return the probabilities of the levels at a temperature, `[n, levels]`.

    At temperature 1, these are the probabilities of the model. At a temperature near 0, the most
    probable level has a probability near 1.
    """
    return softmax(logits / temperature, axis=1)


def _levels(r, n, d):
    return _normal(r, n, 4, d), r.integers(d, size=(n, 4))


def _chain(logits, levels, total=np.sum, shift=0):
    logs = log_softmax(logits, axis=2)
    levels = np.roll(levels, shift, axis=1)
    return total(np.take_along_axis(logs, levels[..., None], axis=2)[..., 0], axis=1)


@_exercise(
    "07",
    2,
    _sized(_levels),
    {
        "is a mean over positions, not a sum: the factor is wrong": lambda a, x: _chain(
            a, x, np.mean
        ),
        "uses the logits of the next position": lambda a, x: _chain(a, x, shift=1),
        "is the loss, which has the opposite sign": lambda a, x: -_chain(a, x),
        "sums logits that are not normalized": lambda a, x: np.take_along_axis(
            a, x[..., None], 2
        ).sum((1, 2)),
        "is the probability: the logarithm is missing": lambda a, x: np.exp(_chain(a, x)),
    },
)
def chain_log_prob(logits, levels):
    """Return the log-probability of sequences, `[n]`, in nats.

    `logits`, `[n, positions, k]`, depend only on earlier positions, and `levels`, `[n, positions]`,
    contains integers from 0 to k - 1.
    """
    k = logits.shape[-1]
    flat = logits.reshape(len(logits), -1)
    return Categorical(k).log_prob(flat, np.float32(levels))


def _raster(size, sees_itself, whole=False):
    mask = np.zeros([size, size])
    middle = size // 2
    mask[:middle] = 1
    mask[middle, : size if whole else middle + sees_itself] = 1
    return mask


@_exercise(
    "07",
    2,
    lambda r: (int(2 * r.integers(1, 5) + 1), bool(r.integers(2))),
    {
        "swaps masks A and B": lambda k, b: _raster(k, not b),
        "opens the whole middle row": lambda k, b: _raster(k, b, whole=True),
        "is transposed: it scans columns": lambda k, b: _raster(k, b).T,
        "sees later pixels": lambda k, b: _raster(k, b)[::-1, ::-1],
        "lacks the rows above": lambda k, b: _raster(k, b) * (np.arange(k) == k // 2)[:, None],
    },
)
def pixel_mask(size, sees_itself):
    """Return the mask of a PixelCNN kernel, `[size, size]` with an odd size.

    The mask is 1 at pixels that precede the central pixel in raster order, and 0 at pixels that
    follow it. At the center, it is 1 if `sees_itself` is True (mask B), and 0 otherwise (mask A).
    """
    return _raster(size, sees_itself)


def _attention(q, k, v, scale=True, causal=True, forbidden=-1e9, axis=1):
    scores = q @ k.T / (np.sqrt(q.shape[1]) if scale else 1)
    mask = np.tril(np.ones_like(scores)) if causal else np.ones_like(scores)
    return softmax(np.where(mask > 0, scores, forbidden), axis=axis) @ v


@_exercise(
    "07",
    3,
    lambda r: tuple(_normal(r, 5, 8) for _ in range(3)),
    {
        "lacks the factor that depends on the number of features": lambda q, k, v: _attention(
            q, k, v, scale=False
        ),
        "sees the future: the mask is missing": lambda q, k, v: _attention(
            q, k, v, causal=False
        ),
        "sets forbidden scores to 0, which does not forbid them": lambda q, k, v: _attention(
            q, k, v, forbidden=0
        ),
        "normalizes over the queries": lambda q, k, v: _attention(q, k, v, axis=0),
        "swaps queries and keys": lambda q, k, v: _attention(k, q, v),
    },
)
def causal_attention(queries, keys, values):
    """Return the output of causal self-attention with one head.

    The arguments are `[positions, features]`, and the scores are scaled inner products of queries
    and keys. Each position attends to itself and to earlier positions.
    """
    return _attention(queries, keys, values)


# 8. Normalizing flows


@_exercise(
    "08",
    1,
    _sized(lambda r, n, d: (_normal(r, n, d), _normal(r, n))),
    {
        "has the wrong sign before the log-determinant": lambda z, j: norm.logpdf(z).sum(1) - j,
        "lacks the log-determinant": lambda z, j: norm.logpdf(z).sum(1),
        "lacks the constant that contains pi": lambda z, j: -(z**2).sum(1) / 2 + j,
        "is a mean over values, not a sum": lambda z, j: norm.logpdf(z).mean(1) + j,
        "lacks the factor before the squares": lambda z, j: (
            (norm.logpdf(z) - z**2 / 2).sum(1) + j
        ),
    },
)
def flow_log_prob(z, log_det):
    r"""Return the log density of examples x, in nats, `[n]`.

    `z` is `[n, d]`, and z = f(x) has a standard normal density. `log_det` is
    $\log | \det \partial f / \partial x |$, `[n]`.
    """
    return norm.logpdf(z).sum(axis=1) + log_det


def _coupling_inputs(r):
    n, half = int(r.integers(3, 6)), 3
    w, v = _normal(r, half, half), _normal(r, half, half)
    return _normal(r, n, 2 * half), lambda x: (np.tanh(x @ w), x @ v)


def _inverse(y, network, order=0, sign=-1.0):
    first, last = np.split(y, 2, axis=1)
    log_scale, shift = network(first)
    moved = (last + sign * shift) * np.exp(sign * log_scale)
    if order:
        moved = last * np.exp(sign * log_scale) + sign * shift
    return np.concatenate([first, moved], axis=1)


@_exercise(
    "08",
    2,
    _coupling_inputs,
    {
        "scales before it shifts: the order is wrong": lambda y, f: _inverse(y, f, order=1),
        "is the forward coupling": lambda y, f: _inverse(y, f, order=1, sign=1.0),
        "has the wrong sign before shift and scale": lambda y, f: _inverse(y, f, sign=1.0),
        "swaps the halves of the result": lambda y, f: np.roll(_inverse(y, f), 3, axis=1),
        "gives the network the wrong half": lambda y, f: np.roll(
            _inverse(np.roll(y, 3, axis=1), f), 3, axis=1
        ),
        "does not copy the first half": lambda y, f: _inverse(y, f)[:, 3:],
    },
)
def coupling_inverse(y, network):
    """Return the inverse of an affine coupling.

    `y` is `[n, 2 d]`. The coupling copies the first `d` values and maps each remaining value x to
    x exp(log_scale) + shift. `network` maps the first `d` values, `[n, d]`, to a tuple (log_scale,
    shift) of arrays `[n, d]`.
    """
    return _inverse(y, network)


@_exercise(
    "08",
    2,
    lambda r: (np.float32(r.uniform(1500, 3000, size=4)), int(r.integers(300, 900)), 256.0),
    {
        "is in nats: a constant factor is missing": lambda a, d, k: a / d + math.log(k),
        "lacks the width of a level": lambda a, d, k: a / d / math.log(2),
        "has the wrong sign before the width of a level": lambda a, d, k: (
            a / d / math.log(2) - math.log2(k)
        ),
        "is not divided by the number of values": lambda a, d, k: a / math.log(2) + math.log2(k),
        "multiplies by log 2 instead of dividing by it": lambda a, d, k: (
            a / d * math.log(2) + math.log2(k)
        ),
    },
)
def bits(nats, dimensions, levels):
    """Return the bits per dimension of images whose `levels` levels were scaled to [0, 1).

    `nats`, `[n]`, is the negative log density of the scaled images with uniform noise that is one
    level wide. `dimensions` is the number of values in an image.
    """
    return bits_per_dimension(nats, dimensions, "uniform", levels)


@_exercise(
    "08",
    3,
    lambda r: (_normal(r, 3, 3), int(r.integers(4, 9)), int(r.integers(4, 9))),
    {
        "lacks the absolute value: a negative determinant has no logarithm": lambda w, a, b: (
            a * b * np.log(np.linalg.det(w))
        ),
        "counts one pixel instead of all pixels: the factor is wrong": lambda w, a, b: (
            np.linalg.slogdet(w)[1]
        ),
        "lacks the logarithm": lambda w, a, b: a * b * abs(np.linalg.det(w)),
        "has the wrong sign: it is the log-determinant of the inverse": lambda w, a, b: (
            -a * b * np.linalg.slogdet(w)[1]
        ),
        "uses only the diagonal": lambda w, a, b: a * b * np.log(abs(np.diag(w))).sum(),
    },
)
def convolution_log_det(matrix, height, width):
    """Return, as a number, the log-determinant of an invertible 1x1 convolution on an image.

    The convolution multiplies the channels of each of the `height * width` pixels by `matrix`,
    `[channels, channels]`, whose determinant may be negative.
    """
    return height * width * np.linalg.slogdet(matrix)[1]


# 9. GANs


_densities = _sized(lambda r, n, d: (np.float32(r.dirichlet(np.ones(d))), _uniform(r, d)))


@_exercise(
    "09",
    1,
    _densities,
    {
        "is the probability that the example is generated": lambda p, q: q / (p + q),
        "is the ratio of the densities": lambda p, q: p / q,
        "is the logit, not the probability": lambda p, q: np.log(p / q),
        "divides by the mean density, not by the sum: the factor is wrong": lambda p, q: (
            p / ((p + q) / 2)
        ),
        "is the density of the data": lambda p, q: p,
    },
)
def best_discriminator(p, q):
    """Return the best discriminator's probability that an example is real.

    `p` and `q` are the densities of real and generated examples at the same points, `[n]`. Real and
    generated examples are equally frequent.
    """
    return p / (p + q)


def _sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def _extreme_logits(r):
    """Returns logits that include -100 and 100, whose probabilities round to 0 or 1 in float32."""
    return np.append(np.float32([100, -100]), 30 * _normal(r, _sizes(r)[1]))


def _two_logits(r):
    real = _extreme_logits(r)
    return real, np.append(real[:2], 30 * _normal(r, len(real) - 2))


@_exercise(
    "09",
    2,
    _two_logits,
    {
        "swaps real and generated examples": lambda a, b: Minimax().discriminator(b, a),
        "is the value that the discriminator maximizes, which has the opposite sign": lambda a, b: (
            -Minimax().discriminator(a, b)
        ),
        "is the mean of both terms: the factor is wrong": lambda a, b: (
            Minimax().discriminator(a, b) / 2
        ),
        "lacks the generated examples": lambda a, b: np.logaddexp(0, -a),
        "lacks the real examples": lambda a, b: np.logaddexp(0, b),
        "treats real examples as generated": lambda a, b: (
            np.logaddexp(0, a) + np.logaddexp(0, b)
        ),
        "treats generated examples as real": lambda a, b: (
            np.logaddexp(0, -a) + np.logaddexp(0, -b)
        ),
        "uses probabilities instead of their logarithms": lambda a, b: expit(-a) + expit(b),
        "clips the probabilities, so it is wrong for large logits": lambda a, b: (
            -np.log(_clipped_sigmoid(a)) - np.log(1 - _clipped_sigmoid(b))
        ),
        "is infinite for logits of 100 and -100, where 1 - D rounds to 0": lambda a, b: (
            -np.log(_sigmoid(a)) - np.log(1 - _sigmoid(b))
        ),
    },
)
def discriminator_loss(real_logits, fake_logits):
    """Return the discriminator's loss in the game of Goodfellow et al. for pairs of logits.

    Both arguments and the result are `[n]`. The result for a pair is the sum of the losses for the
    real and the generated example. Logits go from -100 to 100, where probabilities round to 0 or 1,
    so use a stable form, such as `np.logaddexp`.
    """
    return Minimax().discriminator(real_logits, fake_logits)


@_exercise(
    "09",
    2,
    lambda r: (_extreme_logits(r),),
    {
        "is infinite for logits near -100, where exp(100) exceeds the range of float32": lambda a: (
            -np.log(_sigmoid(a))
        ),
        "clips the probability, so it is wrong for logits below -16": lambda a: (
            -np.log(_clipped_sigmoid(a))
        ),
        "is the minimax loss, whose gradient vanishes": lambda a: -np.logaddexp(0, a),
        "has the wrong sign: the generator would help the discriminator": lambda a: (
            -np.logaddexp(0, -a)
        ),
        "is the discriminator's loss": lambda a: np.logaddexp(0, a),
        "is the critic's loss of a WGAN": lambda a: -a,
        "lacks the logarithm": lambda a: -expit(a),
    },
)
def nonsaturating_loss(fake_logits):
    """Return the generator's nonsaturating loss, `[n]`, for the logits of its examples, `[n]`.

    Logits go from -100 to 100, where probabilities round to 0 or 1, so use a stable form, such as
    `np.logaddexp`.
    """
    return NonSaturating().generator(fake_logits)


def _js(p, q, share=0.5, scale=1.0):
    m = share * p + (1 - share) * q
    return scale * (xlogy(p, p / m) + xlogy(q, q / m)).sum() / 2


def _distributions(r):
    """Returns two distributions, of which at most one has a probability of 0."""
    pair = r.dirichlet(np.full(_sizes(r)[1], 0.7), size=2)
    pair[r.integers(3) :][:1, 0] = 0
    return tuple(np.float32(pair / pair.sum(axis=1, keepdims=True)))


@_exercise(
    "09",
    3,
    _distributions,
    {
        "is NaN where a probability is 0: count 0 log 0 as 0": lambda p, q: (
            np.sum(p * np.log(2 * p / (p + q))) + np.sum(q * np.log(2 * q / (p + q)))
        ),
        "is KL(p, q)": lambda p, q: xlogy(p, p / q).sum(),
        "is KL(q, p)": lambda p, q: xlogy(q, q / p).sum(),
        "is a sum of both divergences, not their mean: the factor is wrong": lambda p, q: _js(
            p, q, scale=2
        ),
        "compares with the sum of the distributions, not with their mean": lambda p, q: (
            _js(p, q) - math.log(2)
        ),
        "is the mean of KL(p, q) and KL(q, p)": lambda p, q: (
            (xlogy(p, p / q) + xlogy(q, q / p)).sum() / 2
        ),
        "is the mean of KL(m, p) and KL(m, q): swap the arguments": lambda p, q: (
            np.sum((p + q) * np.log((p + q) ** 2 / (4 * p * q))) / 4
        ),
        "is KL(p, m), without KL(q, m)": lambda p, q: xlogy(p, 2 * p / (p + q)).sum(),
        "lacks KL(q, m)": lambda p, q: xlogy(p, 2 * p / (p + q)).sum() / 2,
        "is in bits: the factor is wrong": lambda p, q: _js(p, q) / math.log(2),
    },
)
def jensen_shannon(p, q):
    """Return, as a number, the Jensen-Shannon divergence between two distributions, in nats.

    `p` and `q` are discrete distributions, `[k]`. One of their probabilities may be 0, but the
    divergence is always between 0 and log 2.
    """
    return _js(p, q)


# 10. GANs for images


@_exercise(
    "10",
    1,
    lambda r: (_normal(r, 6), _normal(r, 6) + 1, float(r.uniform(0.3, 0.8))),
    {
        "subtracts the fraction that should remain": lambda w, m, psi: m + (1 - psi) * (w - m),
        "shrinks toward 0 instead of the mean": lambda w, m, psi: psi * w,
        "lacks the mean": lambda w, m, psi: psi * (w - m),
        "goes in the wrong direction: a sign is wrong": lambda w, m, psi: m - psi * (w - m),
        "clips instead of shrinking": lambda w, m, psi: m + np.clip(w - m, -psi, psi),
    },
)
def truncated(style, mean_style, psi):
    """Return a truncated style: the style itself at `psi` = 1, and the mean style at `psi` = 0.

    `style` and `mean_style` are `[d]`, and `psi` is a number.
    """
    return mean_style + psi * (style - mean_style)


@_exercise(
    "10",
    1,
    _sized(lambda r, n, d: (2 * _normal(r, d), 2 * _normal(r, d))),
    {
        "swaps real and generated examples": lambda a, b: Hinge().discriminator(b, a),
        "rewards logits beyond the margin": lambda a, b: 2 - a + b,
        "has no margin": lambda a, b: np.maximum(0, -a) + np.maximum(0, b),
        "has the wrong sign": lambda a, b: -Hinge().discriminator(a, b),
        "lacks the generated examples": lambda a, b: np.maximum(0, 1 - a),
    },
)
def hinge_loss(real_logits, fake_logits):
    """Return the discriminator's hinge loss with margin 1 for pairs of logits, `[n]`."""
    return Hinge().discriminator(real_logits, fake_logits)


def _critic_inputs(r):
    n, d = _sizes(r)
    w = tf.constant(_normal(r, d, 4))
    return (
        lambda x: tf.reduce_sum(tf.sin(tf.matmul(x, w)), axis=1),
        _normal(r, n, d),
        _normal(r, n, d),
        _uniform(r, n, 1),
    )


def _slopes(critic, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(critic(x))
    return tf.norm(tape.gradient(total, x), axis=1)


@_exercise(
    "10",
    3,
    _critic_inputs,
    {
        "measures the slope at real examples": lambda f, x, y, e: (_slopes(f, x) - 1) ** 2,
        "measures the slope at generated examples": lambda f, x, y, e: (_slopes(f, y) - 1) ** 2,
        "swaps the weights of real and generated examples": lambda f, x, y, e: (
            (_slopes(f, (1 - e) * x + e * y) - 1) ** 2
        ),
        "penalizes any slope, not the difference from 1": lambda f, x, y, e: (
            _slopes(f, e * x + (1 - e) * y) ** 2
        ),
        "compares the squared slope with 1": lambda f, x, y, e: (
            (_slopes(f, e * x + (1 - e) * y) ** 2 - 1) ** 2
        ),
        "is not squared": lambda f, x, y, e: _slopes(f, e * x + (1 - e) * y) - 1,
    },
    probe=lambda f, critic, *arrays: f(critic, *map(tf.constant, arrays)),
)
def gradient_penalty(critic, real, fake, epsilon):
    """Return the gradient penalty of WGAN-GP for each pair of examples, `[n]`, without a weight.

    `critic` maps a tensor `[n, d]` to `[n]`. `real` and `fake` are tensors `[n, d]`. `epsilon`,
    `[n, 1]`, is the weight of the real example in the interpolated point. Use TensorFlow.
    """
    return GradientPenalty(1.0)(critic, real, fake, epsilon)


def _covariance(r):
    root = r.normal(size=(6, 3))
    return root.T @ root / 6


def _frechet_inputs(r):
    return r.normal(size=3), _covariance(r), r.normal(size=3), _covariance(r)


def _frechet(a, s, b, t, mean=1.0, cross=1.0):
    found = frechet_distance(Moments(a, s, None), Moments(b, t, None))["distance"]
    distance = ((a - b) ** 2).sum()
    traces = np.trace(s + t)
    return mean * distance + traces + cross * (found - distance - traces)


@_exercise(
    "10",
    3,
    _frechet_inputs,
    {
        "is the distance, not its square": lambda a, s, b, t: np.sqrt(_frechet(a, s, b, t)),
        "lacks the means": lambda a, s, b, t: _frechet(a, s, b, t, mean=0),
        "lacks the cross term of the covariances": lambda a, s, b, t: _frechet(
            a, s, b, t, cross=0
        ),
        "lacks the factor before the cross term": lambda a, s, b, t: _frechet(
            a, s, b, t, cross=0.5
        ),
        "compares only the means": lambda a, s, b, t: ((a - b) ** 2).sum(),
        "uses the square root of each entry, not of the matrix": lambda a, s, b, t: (
            ((a - b) ** 2).sum() + np.trace(s + t - 2 * np.sqrt(np.abs(s @ t)))
        ),
    },
)
def frechet(mean_a, covariance_a, mean_b, covariance_b):
    """Return the squared Fréchet distance between two normal distributions as a number.

    The means are `[d]`, and the covariances are `[d, d]`, all float64.
    """
    return _frechet(mean_a, covariance_a, mean_b, covariance_b)


# 11. Image-to-image translation


def _cycle_inputs(r):
    n, d = _sizes(r)
    v, w = _normal(r, d, d), _normal(r, d, d)
    return _normal(r, n, d), lambda x: np.tanh(x @ v), lambda y: y @ w


@_exercise(
    "11",
    1,
    _cycle_inputs,
    {
        "goes around the cycle in the wrong order": lambda x, g, f: abs(g(f(x)) - x).mean(1),
        "squares the differences": lambda x, g, f: ((f(g(x)) - x) ** 2).mean(1),
        "compares the translation with the original": lambda x, g, f: abs(g(x) - x).mean(1),
        "is a sum over values, not a mean: the factor is wrong": lambda x, g, f: abs(
            f(g(x)) - x
        ).sum(1),
        "compares the result with the translation": lambda x, g, f: abs(f(g(x)) - g(x)).mean(1),
    },
)
def cycle_loss(x, forward, backward):
    """Return the cycle loss, `[n]`, of each example: the mean absolute error after one cycle.

    `x` is `[n, d]`, and `forward` and `backward` are functions that translate arrays `[n, d]` to
    the other domain and back.
    """
    return np.abs(backward(forward(x)) - x).mean(axis=1)


@_exercise(
    "11",
    1,
    _sized(lambda r, n, d: (_uniform(r, n, d), _uniform(r, n, d))),
    {
        "uses the natural logarithm: the factor is wrong": lambda x, y: (
            -10 * np.log(((x - y) ** 2).mean(1))
        ),
        "has the wrong sign": lambda x, y: 10 * np.log10(((x - y) ** 2).mean(1)),
        "uses the sum of squared errors": lambda x, y: -10 * np.log10(((x - y) ** 2).sum(1)),
        "computes the decibels of the square root of the error: the factor is wrong": lambda x, y: (
            -5 * np.log10(((x - y) ** 2).mean(1))
        ),
        "uses absolute errors": lambda x, y: -20 * np.log10(abs(x - y).mean(1)),
    },
)
def psnr(images, originals):
    """Return the peak signal-to-noise ratio of each image in decibels, `[n]`.

    Both arguments are `[n, d]`, with values between 0 and 1. The peak is 1.
    """
    return -10 * np.log10(((images - originals) ** 2).mean(axis=1))


@_exercise(
    "11",
    2,
    _sized(
        lambda r, n, d: (
            3 * _normal(r, n, 2, 2),
            _normal(r, n, d),
            _normal(r, n, d),
            float(r.uniform(2, 9)),
        )
    ),
    {
        "uses the minimax loss": lambda a, x, y, w: (
            -np.logaddexp(0, a).mean((1, 2)) + w * abs(x - y).mean(1)
        ),
        "weights the adversarial loss instead of the distance": lambda a, x, y, w: (
            w * np.logaddexp(0, -a).mean((1, 2)) + abs(x - y).mean(1)
        ),
        "squares the pixel differences": lambda a, x, y, w: (
            np.logaddexp(0, -a).mean((1, 2)) + w * ((x - y) ** 2).mean(1)
        ),
        "sums over the patches instead of averaging": lambda a, x, y, w: (
            np.logaddexp(0, -a).sum((1, 2)) + w * abs(x - y).mean(1)
        ),
        "has the wrong sign before the distance": lambda a, x, y, w: (
            np.logaddexp(0, -a).mean((1, 2)) - w * abs(x - y).mean(1)
        ),
    },
)
def pix2pix_loss(fake_logits, fake, target, weight):
    """Return the generator's loss of pix2pix for each example, `[n]`.

    The loss is the nonsaturating loss, averaged over patches, plus the weight times the mean
    absolute difference between the pixels of `fake` and `target`. `fake_logits` is
    `[n, rows, columns]`, `fake` and `target` are `[n, d]`, and `weight` is a number.
    """
    adversarial = NonSaturating().generator(fake_logits)
    return adversarial + weight * np.abs(fake - target).mean(axis=1)


def _shuffle_inputs(r):
    factor = int(r.integers(2, 4))
    return _normal(r, 2, 3, 4, factor**2), factor


def _shuffled(x, factor, order=(0, 1, 3, 2, 4)):
    n, h, w, _ = x.shape
    blocks = x.reshape(n, h, w, factor, factor).transpose(order)
    return blocks.reshape(n, h * factor, w * factor)


@_exercise(
    "11",
    3,
    _shuffle_inputs,
    {
        "swaps rows and columns inside the squares": lambda x, f: _shuffled(
            x, f, (0, 1, 4, 2, 3)
        ),
        "does not arrange the channels in squares": lambda x, f: _shuffled(
            x, f, (0, 1, 2, 3, 4)
        ),
        "repeats the first channel": lambda x, f: x[..., 0].repeat(f, 1).repeat(f, 2),
        "tiles small images side by side": lambda x, f: _shuffled(x, f, (0, 3, 1, 4, 2)),
        "reverses the order of pixels inside the squares": lambda x, f: _shuffled(
            x[..., ::-1], f
        ),
    },
)
def pixel_shuffle(maps, factor):
    """Return gray images with sides `factor` times as long, `[n, height * factor, width * factor]`.

    `maps` is `[n, height, width, factor**2]`. The channels of a position become a square of pixels,
    row by row.
    """
    return PixelShuffle(factor)(maps)[..., 0]


# 12. Adversarial training for other purposes


def _attacked(r):
    x = _uniform(r, 3, 7)
    start = np.clip(x + r.uniform(-0.2, 0.2, size=x.shape), 0, 1).astype("float32")
    return start, x, _normal(r, 3, 7), 0.25, 0.2


@_exercise(
    "12",
    1,
    lambda r: (_attacked(r)[1], _normal(r, 3, 7), float(r.uniform(0.1, 0.3))),
    {
        "lowers the loss: the sign is wrong": lambda x, g, e: np.clip(x - e * np.sign(g), 0, 1),
        "leaves the range of pixel values": lambda x, g, e: x + e * np.sign(g),
        "uses the gradient instead of its sign": lambda x, g, e: np.clip(x + e * g, 0, 1),
        "uses a ball in the Euclidean norm": lambda x, g, e: np.clip(
            x + e * g / np.linalg.norm(g, axis=1, keepdims=True), 0, 1
        ),
        "is only the perturbation": lambda x, g, e: e * np.sign(g),
    },
)
def fgsm(x, gradient, epsilon):
    """Return adversarial examples from the fast gradient sign method, with pixels in [0, 1].

    `x` and `gradient` are `[n, d]`. `gradient` is the gradient of the loss with respect to `x`, and
    `epsilon` is the largest change of a pixel.
    """
    return np.clip(x + epsilon * np.sign(gradient), 0, 1)


@_exercise(
    "12",
    1,
    lambda r: (r.integers(2, size=40), np.int64(r.random(40) < 0.7)),
    {
        "is a signed difference": lambda y, a: y[a == 1].mean() - y[a == 0].mean(),
        "compares fractions of all people, not fractions of each group": lambda y, a: abs(
            (y * a).mean() - (y * (1 - a)).mean()
        ),
        "compares rates of the attribute between decisions": lambda y, a: abs(
            a[y == 1].mean() - a[y == 0].mean()
        ),
        "is a ratio instead of a difference": lambda y, a: y[a == 1].mean() / y[a == 0].mean(),
        "compares numbers of people instead of fractions: the factor is wrong": lambda y, a: abs(
            y[a == 1].sum() - y[a == 0].sum()
        ),
    },
)
def parity_gap(decisions, attributes):
    """Return, as a number, the demographic parity gap: the difference between two decision rates.

    Both arguments are `[n]` and contain 0 and 1. The attribute defines two groups, and the rate of
    a group is the fraction of its decisions that are 1. The gap is at least 0.
    """
    # The parity gap does not depend on the labels, but other gaps require both labels.
    labels = np.arange(len(decisions)) % 2
    return decision_gaps(decisions, labels, attributes)["parity_gap"]


def _pgd(x, start, gradient, step, epsilon):
    moved = x + step * np.sign(gradient)
    return np.clip(np.clip(moved, start - epsilon, start + epsilon), 0, 1)


@_exercise(
    "12",
    2,
    _attacked,
    {
        "lowers the loss: the sign is wrong": lambda x, o, g, s, e: _pgd(x, o, -g, s, e),
        "does not stay in the ball": lambda x, o, g, s, e: np.clip(x + s * np.sign(g), 0, 1),
        "leaves the range of pixel values": lambda x, o, g, s, e: np.clip(
            x + s * np.sign(g), o - e, o + e
        ),
        "centers the ball at the current point": lambda x, o, g, s, e: _pgd(x, x, g, s, e),
        "starts from the original": lambda x, o, g, s, e: _pgd(o, o, g, s, e),
    },
)
def pgd_step(x, original, gradient, step, epsilon):
    """Return the points after one step of projected gradient descent against a classifier.

    `x` contains the current points, and `gradient` is the gradient of the loss at `x`. `x`,
    `original`, and `gradient` are `[n, d]`. A step changes each pixel by `step`. Then, each pixel
    is kept in [0, 1] and within `epsilon` of the original pixel.
    """
    return _pgd(x, original, gradient, step, epsilon)


def _reversal(function, x, weight):
    return _gradients(lambda x: function(x, weight), x)


@_exercise(
    "12",
    3,
    lambda r: (*_normals(1)(r), float(r.uniform(0.3, 3))),
    {
        "does not change the gradient": lambda x, w: x,
        "also changes the sign of the value": lambda x, w: -w * x,
        "lacks the weight": lambda x, w: reverse_gradient(x, 1.0),
        "scales the gradient without changing its sign": lambda x, w: (
            w * x + tf.stop_gradient(x - w * x)
        ),
        "has no gradient": lambda x, w: tf.stop_gradient(x),
    },
    probe=_reversal,
)
def gradient_reversal(x, weight):
    """Return `x` unchanged, but multiply its gradient by `-weight`.

    `x` is a tensor `[n, d]`, and `weight` is a positive number. Use TensorFlow. The grader compares
    the value and the gradient with respect to `x`.
    """
    return reverse_gradient(x, weight)


# 13. Diffusion and flow matching


_noising = _sized(
    lambda r, n, d: (_normal(r, n, d), _normal(r, n, d), float(r.uniform(0.2, 0.8)))
)


@_exercise(
    "13",
    1,
    _noising,
    {
        "lacks the square roots": lambda x, e, a: a * x + (1 - a) * e,
        "swaps example and noise": lambda x, e, a: a**0.5 * e + (1 - a) ** 0.5 * x,
        "lacks the square root before the noise": lambda x, e, a: a**0.5 * x + (1 - a) * e,
        "lacks the square root before the example": lambda x, e, a: a * x + (1 - a) ** 0.5 * e,
        "does not shrink the example": lambda x, e, a: x + (1 - a) ** 0.5 * e,
        "takes alpha-bar for alpha, which is its square root": lambda x, e, a: (
            a * x + (1 - a**2) ** 0.5 * e
        ),
    },
)
def noised(x, noise, alpha_bar):
    r"""Return samples of DDPM's $q(x_t \mid x_0)$ as a function of standard normal noise.

    `x` and `noise` are `[n, d]`, and `alpha_bar` is $\bar\alpha_t$, a number.
    """
    return math.sqrt(alpha_bar) * x + math.sqrt(1 - alpha_bar) * noise


@_exercise(
    "13",
    1,
    lambda r: (*_normals(2)(r), float(r.uniform(0.5, 3))),
    {
        "swaps the two predictions": lambda c, u, w: (1 + w) * u - w * c,
        "follows another convention, in which a weight of 1 means no guidance": lambda c, u, w: (
            w * c + (1 - w) * u
        ),
        "adds the unconditional prediction: the sign is wrong": lambda c, u, w: (
            (1 + w) * c + w * u
        ),
        "lacks the unconditional prediction": lambda c, u, w: (1 + w) * c,
        "is between the two predictions": lambda c, u, w: (c + w * u) / (1 + w),
    },
)
def guided(conditional, unconditional, weight):
    """Return the prediction of classifier-free guidance, as in Ho and Salimans (2022).

    Both predictions are `[n, d]`. At weight 0, the result is the conditional prediction. A positive
    weight moves the result away from the unconditional prediction.
    """
    return (1 + weight) * conditional - weight * unconditional


@_exercise(
    "13",
    2,
    _noising,
    {
        "does not divide by the factor before the example": lambda x, e, a: (
            x - (1 - a) ** 0.5 * e
        ),
        "adds the noise: the sign is wrong": lambda x, e, a: (x + (1 - a) ** 0.5 * e) / a**0.5,
        "lacks the square root before the noise": lambda x, e, a: (x - (1 - a) * e) / a**0.5,
        "divides by the square of the factor": lambda x, e, a: (x - (1 - a) ** 0.5 * e) / a,
        "subtracts the noise with the wrong factor": lambda x, e, a: x / a**0.5 - e,
        "takes alpha-bar for alpha, which is its square root": lambda x, e, a: (
            (x - (1 - a**2) ** 0.5 * e) / a
        ),
    },
)
def predicted_example(x_t, noise, alpha_bar):
    r"""Return the example that DDPM predicts from a noisy example and the predicted noise.

    `x_t` and `noise` are `[n, d]`, and `alpha_bar` is $\bar\alpha_t$, a number.
    """
    return (x_t - math.sqrt(1 - alpha_bar) * noise) / math.sqrt(alpha_bar)


def _chain_inputs(r):
    before = float(r.uniform(0.4, 0.9))
    return *_normals(2)(r), before, before * float(r.uniform(0.5, 0.95))


def _posterior(x_t, x_0, before, now, beta=None, roots=True):
    beta = 1 - now / before if beta is None else beta
    power = 0.5 if roots else 1.0
    of_t = (1 - beta) ** power * (1 - before) / (1 - now)
    return of_t * x_t + before**power * beta / (1 - now) * x_0, beta * (1 - before) / (1 - now)


# Noise path of a diffusion chain, with alpha-bar used as the time.
_CHAIN: Any = SimpleNamespace(alpha=tf.sqrt, sigma=lambda t: tf.sqrt(1 - t))


@_exercise(
    "13",
    3,
    _chain_inputs,
    {
        "swaps the noisy example and the clean example": lambda x, y, b, a: _posterior(
            y, x, b, a
        ),
        "lacks the square roots in the mean": lambda x, y, b, a: _posterior(
            x, y, b, a, roots=False
        ),
        "returns the variance of the forward step": lambda x, y, b, a: (
            _posterior(x, y, b, a)[0],
            1 - a / b,
        ),
        "swaps the two steps": lambda x, y, b, a: _posterior(x, y, a, b),
        "returns a standard deviation instead of the variance": lambda x, y, b, a: (
            _posterior(x, y, b, a)[0],
            _posterior(x, y, b, a)[1] ** 0.5,
        ),
    },
)
def ddpm_posterior(x_t, x_0, alpha_bar_before, alpha_bar):
    r"""Return the mean, `[n, d]`, and the variance, a number, of DDPM's $q(x_{t-1} \mid x_t, x_0)$.

    `x_t` and `x_0` are `[n, d]`, and the last two arguments are the numbers $\bar\alpha_{t-1}$ and
    $\bar\alpha_t$.
    """
    return posterior(_CHAIN, tf.constant(alpha_bar), tf.constant(alpha_bar_before), x_t, x_0)


# 14. Diffusion for images


@_exercise(
    "14",
    1,
    _noising,
    {
        "has the opposite sign": lambda x, e, a: (1 - a) ** 0.5 * x - a**0.5 * e,
        "swaps the two factors": lambda x, e, a: (1 - a) ** 0.5 * e - a**0.5 * x,
        "adds the example: a sign is wrong": lambda x, e, a: a**0.5 * e + (1 - a) ** 0.5 * x,
        "lacks the square roots": lambda x, e, a: a * e - (1 - a) * x,
        "lacks the square root before the noise": lambda x, e, a: a * e - (1 - a) ** 0.5 * x,
        "is the noisy example instead of its derivative": lambda x, e, a: (
            a**0.5 * x + (1 - a) ** 0.5 * e
        ),
        "swaps example and noise": lambda x, e, a: a**0.5 * x - (1 - a) ** 0.5 * e,
        "takes alpha-bar for alpha, which is its square root": lambda x, e, a: (
            a * e - (1 - a**2) ** 0.5 * x
        ),
    },
)
def v_target(x, noise, alpha_bar):
    r"""Return $v$, the target of a network that predicts $v$.

    `x` and `noise` are `[n, d]`, and `alpha_bar` is a number, DDPM's $\bar\alpha_t = \alpha^2$. So
    $\sigma^2 = 1 - \bar\alpha_t$. With $\alpha = \cos \varphi$ and $\sigma = \sin \varphi$, $v$ is
    the derivative of the noisy example with respect to $\varphi$.
    """
    return math.sqrt(alpha_bar) * noise - math.sqrt(1 - alpha_bar) * x


@_exercise(
    "14",
    2,
    _noising,
    {
        "adds v: the sign is wrong": lambda x, v, a: a**0.5 * x + (1 - a) ** 0.5 * v,
        "swaps the two factors": lambda x, v, a: (1 - a) ** 0.5 * x - a**0.5 * v,
        "lacks the square roots": lambda x, v, a: a * x - (1 - a) * v,
        "lacks the square root before the noisy example": lambda x, v, a: (
            a * x - (1 - a) ** 0.5 * v
        ),
        "swaps the noisy example and v": lambda x, v, a: a**0.5 * v - (1 - a) ** 0.5 * x,
        "treats v as noise": lambda x, v, a: (x - (1 - a) ** 0.5 * v) / a**0.5,
        "returns the noise": lambda x, v, a: (1 - a) ** 0.5 * x + a**0.5 * v,
        "takes alpha-bar for alpha, which is its square root": lambda x, v, a: (
            a * x - (1 - a**2) ** 0.5 * v
        ),
    },
)
def example_of_v(x_t, v, alpha_bar):
    r"""Return the example that follows from a noisy example and the predicted $v$.

    `x_t` and `v` are `[n, d]`, and `alpha_bar` is a number, DDPM's $\bar\alpha_t = \alpha^2$. So
    $\sigma^2 = 1 - \bar\alpha_t$.
    """
    return math.sqrt(alpha_bar) * x_t - math.sqrt(1 - alpha_bar) * v


def _ddim(x_t, noise, before, now):
    example = (x_t - math.sqrt(1 - now) * noise) / math.sqrt(now)
    return math.sqrt(before) * example + math.sqrt(1 - before) * noise


@_exercise(
    "14",
    3,
    _chain_inputs,
    {
        "swaps the two times": lambda x, e, b, a: _ddim(x, e, a, b),
        "returns the predicted example": lambda x, e, b, a: _ddim(x, e, 1.0, a),
        "lacks the noise of the new time": lambda x, e, b, a: _ddim(x, e, 1.0, a) * b**0.5,
        "lacks the square roots before the example and the noise": lambda x, e, b, a: (
            b * _ddim(x, e, 1.0, a) + (1 - b) * e
        ),
        "lacks all square roots": lambda x, e, b, a: b * (x - (1 - a) * e) / a + (1 - b) * e,
        "adds the noise to the noisy example: a sign is wrong": lambda x, e, b, a: (
            b**0.5 * _ddim(x, -e, 1.0, a) + (1 - b) ** 0.5 * e
        ),
        "lacks the division by the square root of alpha-bar": lambda x, e, b, a: (
            b**0.5 * (x - (1 - a) ** 0.5 * e) + (1 - b) ** 0.5 * e
        ),
        "is the mean of DDPM's random step": lambda x, e, b, a: (
            (x - (1 - a / b) / (1 - a) ** 0.5 * e) / (a / b) ** 0.5
        ),
        "keeps the amount of noise": lambda x, e, b, a: (
            b**0.5 * _ddim(x, e, 1.0, a) + (1 - a) ** 0.5 * e
        ),
        "treats the noise as v": lambda x, v, b, a: (
            b**0.5 * example_of_v(x, v, a) + (1 - b) ** 0.5 * ((1 - a) ** 0.5 * x + a**0.5 * v)
        ),
        "lacks both square roots of alpha-bar, but has the square roots before the noise": (
            lambda x, e, b, a: b * (x - (1 - a) ** 0.5 * e) / a + (1 - b) ** 0.5 * e
        ),
        "takes alpha-bar for alpha, which is its square root": lambda x, e, b, a: _ddim(
            x, e, b * b, a * a
        ),
    },
)
def ddim_step(x_t, noise, alpha_bar_before, alpha_bar):
    r"""Return a step of DDIM without new noise, from time $t$ to the earlier time $t - 1$.

    `x_t` and `noise`, the predicted noise, are `[n, d]`, and the last two arguments are numbers,
    DDPM's $\bar\alpha_{t-1} = \alpha_{t-1}^2$ and $\bar\alpha_t = \alpha_t^2$.
    """
    return _ddim(x_t, noise, alpha_bar_before, alpha_bar)


# 15. Energy-based models and scores


@_exercise(
    "15",
    1,
    lambda r: (*_normals(3)(r), float(r.uniform(0.05, 0.4))),
    {
        "lacks the factor before the score": lambda x, s, e, h: x + h * s + h**0.5 * e,
        "scales the noise with the step, not with its square root": lambda x, s, e, h: (
            x + h / 2 * s + h * e
        ),
        "moves against the score: the sign is wrong": lambda x, s, e, h: (
            x - h / 2 * s + h**0.5 * e
        ),
        "lacks the noise, so the chain converges to a mode": lambda x, s, e, h: x + h / 2 * s,
        "uses the step size of another convention": lambda x, s, e, h: (
            x + h * s + (2 * h) ** 0.5 * e
        ),
    },
)
def langevin_step(x, score, noise, step):
    r"""Return points after a step of Langevin dynamics at temperature 1.

    `x`, `score`, and the standard normal `noise` are `[n, d]`, and the number `step` is the
    variance of the noise in a step. As `step` approaches 0, the step leaves the density $p(x)$ with
    the score $\nabla \log p(x)$ unchanged.
    """
    return x + step / 2 * score + math.sqrt(step) * noise


def _chains(r):
    n, d = _sizes(r)
    w = _normal(r, 3)
    return lambda x: np.cos(x @ w) + (x**2).sum(axis=1), _normal(r, n, 3), _normal(r, d, 3)


@_exercise(
    "15",
    1,
    _chains,
    {
        "has the wrong sign, so it raises the energy of examples": lambda f, x, y: (
            f(y).mean() - f(x).mean()
        ),
        "is a sum over examples, not a mean": lambda f, x, y: f(x).sum() - f(y).sum(),
        "adds the two energies": lambda f, x, y: f(x).mean() + f(y).mean(),
        "lacks the samples from the chains": lambda f, x, y: f(x).mean(),
        "uses the energy of mean points": lambda f, x, y: (
            f(x.mean(0)[None]) - f(y.mean(0)[None])
        )[0],
    },
)
def contrastive_loss(energy, examples, samples):
    """Return, as a number, the loss whose gradient estimates the gradient of -log p.

    `energy` maps points `[n, d]` to energies `[n]`. `samples` come from chains of the model, and
    may differ in number from `examples`.
    """
    return energy(examples).mean() - energy(samples).mean()


def _proposal_inputs(r):
    return tuple(_normal(r, 7) for _ in range(4))


@_exercise(
    "15",
    2,
    _proposal_inputs,
    {
        "prefers high energies: a sign is wrong": lambda e, n, f, b: np.minimum(
            1, np.exp(n - e + b - f)
        ),
        "swaps the two directions of the proposal": lambda e, n, f, b: np.minimum(
            1, np.exp(e - n + f - b)
        ),
        "lacks the correction for the proposal": lambda e, n, f, b: np.minimum(1, np.exp(e - n)),
        "may exceed 1": lambda e, n, f, b: np.exp(e - n + b - f),
        "is the logarithm of the probability": lambda e, n, f, b: np.minimum(0, e - n + b - f),
    },
)
def acceptance(energy, new_energy, log_forward, log_backward):
    """Return the probability, `[n]`, with which Metropolis-Hastings accepts a proposed point.

    `energy` and `new_energy` belong to the current and the proposed point; log p is minus the
    energy plus a constant. `log_forward` is the log density of the proposed point given the current
    point, and `log_backward` is the log density of the current point given the proposed point. All
    arguments are `[n]`.
    """
    return np.minimum(1, np.exp(energy - new_energy + log_backward - log_forward))


def _matching(s, x, y, sigma, sign=1.0, scale=None):
    scale = sigma if scale is None else scale
    return ((scale * (s + sign * (y - x) / sigma**2)) ** 2).sum(axis=1) / 2


@_exercise(
    "15",
    3,
    lambda r: (*_normals(3)(r), float(r.uniform(0.3, 0.8))),
    {
        "has a target with the wrong sign": lambda s, x, y, t: _matching(s, x, y, t, sign=-1),
        "lacks the weight that makes noise levels comparable: the factor is wrong": (
            lambda s, x, y, t: _matching(s, x, y, t, scale=1)
        ),
        "weights by the standard deviation instead of the variance: the factor is wrong": (
            lambda s, x, y, t: _matching(s, x, y, t, scale=t**0.5)
        ),
        "divides the noise by the standard deviation instead of the variance": lambda s, x, y, t: (
            ((t * (s + (y - x) / t)) ** 2).sum(1) / 2
        ),
        "compares the score with the noise itself": lambda s, x, y, t: (
            ((t * (s + y - x)) ** 2).sum(1) / 2
        ),
    },
)
def score_matching_loss(score, x, noisy, sigma):
    r"""Return the weighted loss of denoising score matching for each example, `[n]`.

    `score` is a network's score at `noisy`, and `noisy` is `x` plus noise with the standard
    deviation `sigma`. All arrays are `[n, d]`. The loss is $\frac{\sigma^2}{2}$ times the squared
    distance between the score and $\nabla \log q(\tilde x \mid x)$.
    """
    path, t = KarrasPath(), tf.constant(sigma)
    target = path.quantity("score", t, Parts(x, (noisy - x) / sigma))
    return sigma**2 / 2 * tf.reduce_sum((score - target) ** 2, axis=1)


# 16. Evaluation


def _pairwise(x, y):
    return np.sqrt(((x[:, None] - y) ** 2).sum(axis=2))


_two_sets = _sized(lambda r, n, m: (_normal(r, n, 4), _normal(r, m, 4) + 0.5))


@_exercise(
    "16",
    1,
    _two_sets,
    {
        "squares the distances": lambda x, y: _pairwise(x, y).min(axis=1) ** 2,
        "finds the nearest sample for each training example": lambda x, y: _pairwise(x, y).min(
            axis=0
        ),
        "finds the farthest example": lambda x, y: _pairwise(x, y).max(axis=1),
        "averages over the examples": lambda x, y: _pairwise(x, y).mean(axis=1),
        "compares samples with each other": lambda x, y: np.sort(_pairwise(x, x), axis=1)[:, 1],
        "is the index of the nearest example": lambda x, y: _pairwise(x, y).argmin(axis=1),
    },
)
def nearest_distance(samples, training):
    """Return the Euclidean distance, `[n]`, from each sample to the nearest training example.

    `samples` is `[n, d]`, and `training` is `[m, d]`. Small distances suggest copies.
    """
    return nearest_neighbors(samples, training)[0][:, 0]


def _inception(p, marginal=True, exponent=True):
    reference = p.mean(axis=0) if marginal else 1.0
    divergence = xlogy(p, p / reference).sum(axis=1).mean()
    return np.exp(divergence) if exponent else divergence


@_exercise(
    "16",
    2,
    _sized(lambda r, k, n: (np.float32(r.dirichlet(np.full(k, 0.5), size=n)),)),
    {
        "lacks the exponential": lambda p: _inception(p, exponent=False),
        "lacks the marginal distribution p(y)": lambda p: _inception(p, marginal=False),
        "swaps the two distributions of the divergence": lambda p: np.exp(
            (p.mean(0) * np.log(p.mean(0) / p)).sum(1).mean()
        ),
        "is the mean of exponentials, not the exponential of a mean": lambda p: np.exp(
            xlogy(p, p / p.mean(0)).sum(1)
        ).mean(),
        "adds the divergences of all samples instead of averaging them": lambda p: np.exp(
            len(p) * _inception(p, exponent=False)
        ),
        "averages over classes, not over samples": lambda p: _inception(p.T),
    },
)
def inception_score_of(probabilities):
    """Return the inception score for a classifier's probabilities, `[n, classes]`, as a number.

    The score is the exponential of the mean of KL(p(y | x), p(y)), where p(y) is the mean of all
    rows p(y | x).
    """
    return inception_score(probabilities, splits=1)[0]


def _mmd(x, y, diagonal=False, width=None, cross=2.0, power=3):
    def mean(a, b, same):
        kernel = (a @ b.T / (width or a.shape[1]) + 1) ** power
        if not same or diagonal:
            return kernel.mean()
        n = len(a)
        return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))

    return mean(x, x, True) + mean(y, y, True) - cross * mean(x, y, False)


@_exercise(
    "16",
    3,
    _two_sets,
    {
        "includes pairs of an example with itself: the estimate is biased": lambda x, y: _mmd(
            x, y, diagonal=True
        ),
        "does not divide inner products by the number of features": lambda x, y: _mmd(
            x, y, width=1
        ),
        "lacks the factor before the mean over pairs from both sets": lambda x, y: _mmd(
            x, y, cross=1
        ),
        "has the wrong sign before the mean over pairs from both sets": lambda x, y: _mmd(
            x, y, cross=-2
        ),
        "uses a linear kernel, which compares means only": lambda x, y: _mmd(x, y, power=1),
    },
)
def kernel_distance_of(x, y):
    r"""Return, as a number, the unbiased estimate of two sets' squared kernel distance (KID).

    `x` is `[n, d]`, `y` is `[m, d]`, and the kernel is $k(a, b) = (a^T b / d + 1)^3$. The estimate
    is $E k(x, x') + E k(y, y') - 2 E k(x, y)$, where x and x' are different examples from the same
    set.
    """
    return _mmd(x, y)


# 17. Words


@_exercise(
    "17",
    1,
    lambda r: (
        np.float32(r.uniform(0.3, 1.0, 4)),
        int(r.integers(40, 60)),
        int(r.integers(8, 11)),
    ),
    {
        "is the perplexity per character": lambda b, n, w: 2**b,
        "is in bits per word: the exponential is missing": lambda b, n, w: b * n / w,
        "divides by the number of characters per word instead of multiplying": lambda b, n, w: (
            2 ** (b * w / n)
        ),
        "has the base e, but bits have the base 2": lambda b, n, w: np.exp(b * n / w),
        "multiplies perplexities, but only bits can be added": lambda b, n, w: 2**b * n / w,
        "is the perplexity of the whole text": lambda b, n, w: 2 ** np.float64(b * n),
    },
)
def word_perplexity(bits, characters, words):
    """Return the perplexity per word of several models, `[models]`.

    `bits` contains the bits per character of each model, `[models]`. They were measured on a text
    of `characters` characters and `words` words.
    """
    return 2 ** (bits * characters / words)


def _text_inputs(r):
    lengths = np.append(r.integers(2, 6, size=int(r.integers(2, 5))), 7)
    sequences = r.integers(5, size=(len(lengths), 8))
    return _normal(r, len(lengths), 8, 5), np.where(
        np.arange(8) < lengths[:, None], sequences, -1
    )


def _log_p(logits, characters):
    """Returns the log-probability of each character; padding uses the last level."""
    logs = log_softmax(logits, axis=2)
    return np.take_along_axis(logs, characters[..., None] % logs.shape[2], axis=2)[..., 0]


def _nats(logits, characters):
    return -np.sum(_log_p(logits, characters), axis=1, where=characters >= 0)


@_exercise(
    "17",
    2,
    _text_inputs,
    {
        "is in nats, not in bits": lambda x, c: _nats(x, c).sum() / np.sum(c >= 0),
        "divides by a number that includes padding": lambda x, c: (
            _nats(x, c).sum() / np.log(2) / c.size
        ),
        "includes the padding as characters": lambda x, c: -_log_p(x, c).mean() / np.log(2),
        "averages over texts, so short texts count too much": lambda x, c: (
            np.mean(_nats(x, c) / np.sum(c >= 0, axis=1)) / np.log(2)
        ),
        "is the total: the division by the number of characters is missing": lambda x, c: (
            _nats(x, c).sum() / np.log(2)
        ),
        "uses logits as log-probabilities: the softmax is missing": lambda x, c: (
            -np.mean(
                np.take_along_axis(x, np.maximum(c, 0)[..., None], axis=2)[..., 0], where=c >= 0
            )
            / np.log(2)
        ),
        "divides by the number of texts": lambda x, c: _nats(x, c).mean() / np.log(2),
    },
)
def bits_per_character(logits, characters):
    """Return the bits per character of several texts, as a number.

    `logits` is `[texts, time, levels]`. `characters` contains integers, `[texts, time]`, and -1 for
    padding, which is ignored. The logits of a character are at the position of this character.
    """
    return bits_per_live_value(_nats(logits, characters), characters)


def _filtered(p, kept, rescaled=True):
    q = np.where(kept, p, 0)
    return q / q.sum(axis=1, keepdims=True) if rescaled else q


def _mass_before(p):
    """Returns, for each character, the probability of all likelier characters."""
    return np.sum(p[:, None] * (p[:, None] > p[..., None]), axis=2)


def _rank(p):
    return np.sum(p[:, None] > p[..., None], axis=2)


@_exercise(
    "17",
    2,
    _sized(lambda r, n, k: (np.float32(r.dirichlet(np.ones(k), size=n)), r.uniform(0.6, 0.9))),
    {
        "does not sum to 1: divide by the kept probability": lambda p, mass: _filtered(
            p, _mass_before(p) < mass, rescaled=False
        ),
        "keeps the unlikely characters": lambda p, mass: _filtered(p, _mass_before(-p) > -mass),
        "drops the character that reaches the mass, so it keeps too little": lambda p, mass: (
            _filtered(p, (_mass_before(p) + p < mass) | (_mass_before(p) == 0))
        ),
        "keeps one character too many": lambda p, mass: _filtered(
            p, _rank(p) <= np.sum(_mass_before(p) < mass, axis=1, keepdims=True)
        ),
        "compares single probabilities with a threshold": lambda p, mass: (
            _filtered(p, p > 1 - mass)
            if np.all(p.max(axis=1) > 1 - mass)
            else _filtered(p, p >= p.max(axis=1, keepdims=True))
        ),
        "keeps the same number of characters in each row": lambda p, mass: _filtered(
            p, p >= np.sort(p, axis=1)[:, [-math.ceil(mass * p.shape[1])]]
        ),
        "is sorted: restore the order of the characters": lambda p, mass: (
            -np.sort(-_filtered(p, _mass_before(p) < mass), axis=1)
        ),
    },
)
def top_p(p, mass):
    """Return the distributions of nucleus (top-p) sampling, `[contexts, levels]`.

    `p` contains the probabilities of the next character, `[contexts, levels]`, and `mass` is a
    number between 0 and 1. In each row, keep the smallest set of likeliest characters whose
    probabilities add up to at least `mass`. Set all other probabilities to 0, and divide by the
    sum.
    """
    return _filtered(p, _mass_before(p) < mass)


def _story_inputs(r):
    count = int(r.integers(6, 12))
    sizes = r.integers(50, 500, size=count)
    first = sizes * r.normal(2.5, 0.2, size=count)
    return first, first - sizes * r.normal(0.3, 0.2, size=count), sizes


def _difference(first, second, sizes, paired=True, units=True, corrected=True):
    d = second - first
    total, count = sizes.sum(), len(sizes)
    difference = d.sum() / total
    residuals = d - difference * sizes if units else d - d.mean()
    squares = np.sum(residuals**2)
    if not paired:
        means = (first.sum() / total, second.sum() / total)
        squares = sum(
            np.sum((bits - mean * sizes) ** 2)
            for bits, mean in zip((first, second), means, strict=True)
        )
    correction = count / (count - 1) if corrected else 1
    return difference, np.sqrt(correction * squares) / total


def _of_means(first, second, sizes):
    d = (second - first) / sizes
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))


def _deviation(first, second, sizes):
    difference, error = _difference(first, second, sizes)
    return difference, error * np.sqrt(len(sizes))


@_exercise(
    "17",
    2,
    _story_inputs,
    {
        "treats the two models as independent, but they share their stories": lambda a, b, n: (
            _difference(a, b, n, paired=False)
        ),
        "ignores that a long story requires more bits: subtract the difference times the size": (
            lambda a, b, n: _difference(a, b, n, units=False)
        ),
        "lacks the factor S / (S - 1)": lambda a, b, n: _difference(a, b, n, corrected=False),
        "averages over stories, so short stories count too much": _of_means,
        "contains a standard deviation, not a standard error": _deviation,
        "subtracts the second model from the first": lambda a, b, n: _difference(b, a, n),
        "contains the variance, not its square root": lambda a, b, n: (
            _difference(a, b, n)[0],
            _difference(a, b, n)[1] ** 2,
        ),
    },
)
def paired_difference(first, second, sizes):
    r"""Return two models' difference in bits per character and its standard error, as a tuple.

    `first` and `second` contain the bits that the two models need for each story, `[stories]`.
    `sizes` contains the number of characters in each story, `[stories]`. With $d_s$ = `second` -
    `first` and $S$ stories, return $\hat d = \sum_s d_s / \sum_s n_s$ and
    $\sqrt{\frac{S}{S - 1} \sum_s (d_s - \hat d\, n_s)^2} / \sum_s n_s$.
    """
    return _difference(first, second, sizes)


def _bigram_inputs(r):
    contexts, levels = _sizes(r)
    counts = r.integers(1, 9, size=(contexts, levels)) * (r.random((contexts, levels)) < 0.5)
    counts[:, 0] += 1
    counts[0] += 1
    return counts, r.uniform(0.3, 0.9)


def _smoothed(counts, discount, shorter=None, subtract=True, different=None):
    if shorter is None:
        shorter = np.count_nonzero(counts, axis=0) / np.count_nonzero(counts)
    if different is None:
        different = np.count_nonzero(counts, axis=1)[:, None]
    left = np.maximum(counts - discount, 0) if subtract else counts
    return (left + discount * different * shorter) / counts.sum(axis=1, keepdims=True)


@_exercise(
    "17",
    3,
    _bigram_inputs,
    {
        "counts occurrences in the shorter context, not different contexts": lambda c, d: (
            _smoothed(c, d, shorter=c.sum(axis=0) / c.sum())
        ),
        "has a uniform distribution as the shorter context": lambda c, d: _smoothed(
            c, d, shorter=1 / c.shape[1]
        ),
        "sums to more than 1: subtract the discount from the counts": lambda c, d: _smoothed(
            c, d, subtract=False
        ),
        "sums to less than 1: the shorter context is missing": lambda c, d: _smoothed(
            c, d, different=0
        ),
        "subtracts the discount for each different character, but adds it only once": lambda c, d: (
            _smoothed(c, d, different=1)
        ),
        "is transposed: rows are contexts": lambda c, d: _smoothed(c.T, d).T,
        "is not divided by the number of occurrences of the context": lambda c, d: (
            _smoothed(c, d) * c.sum(axis=1, keepdims=True)
        ),
    },
)
def kneser_ney(counts, discount):
    r"""Return the bigram probabilities of interpolated Kneser-Ney smoothing, `[contexts, levels]`.

    `counts` contains integers, `[contexts, levels]`: how often each character follows each context.
    Each context and each character occurs at least once. With the discount $D$,
    $q(w \mid h) = (\max(c(h w) - D, 0) + D\, N(h\, \cdot)\, q'(w)) / c(h)$, where $N(h\, \cdot)$ is
    the number of different characters that follow $h$, and $q'(w)$ is the number of different
    contexts of $w$, divided by the number of different bigrams.
    """
    return _smoothed(counts, discount)
