"""Latent-space tools for models with a decoder: paths, arithmetic, truncation, and search."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_array, checked_integer, refuse_empty
from keras_gen.checked_arguments import checked_types
from keras_gen.core import noise
from keras_gen.core.capabilities import for_users, of_source, sampling_noise
from keras_gen.core.kinds_of_data import Levels
from keras_gen.declared import Count, NonNegative, Positive, PositiveInteger

WIDEST = 10.0  # truncation at this number of standard deviations has no effect

# The functions below are methods of models: coders have `interpolate`, and GANs have the others.


@for_users
def draw_latents(self, n: int, seed: int = 0) -> np.ndarray:
    """Returns the latents that `sample(n, seed)` uses, float32 `[n, latents]`; n is at least 1."""
    drawn = sampling_noise(self, n, seed)
    return (drawn["latents"] if isinstance(drawn, dict) else drawn).numpy()


# Paths ----------------------------------------------------------------------------------------


def path(start: np.ndarray, end: np.ndarray, steps: int, spherical: bool = False) -> np.ndarray:
    """Returns evenly spaced points from `start` to `end`, float32 `[n, steps, ...]`.

    Args:
        start: Latents `[n, ...]`.
        end: Latents with the same shape as `start`.
        steps: Number of points, at least 2, including both ends.
        spherical: Whether paths are arcs instead of lines. For arcs, latents are treated as
            vectors; see `slerp`.

    Raises:
        TypeError: If `steps` is not an integer, or if latents are not real numbers.
        ValueError: If the shapes differ, if a latent is not finite, if `steps` is below 2, or if no
            unique arc connects two latents.

    Example:
        >>> path(np.zeros([1, 1]), np.ones([1, 1]), steps=3)[0, :, 0]
        array([0. , 0.5, 1. ], dtype=float32)
    """
    if np.shape(start) != np.shape(end):
        raise ValueError(
            f"a has shape {np.shape(start)}, but b has shape {np.shape(end)}: expected the same "
            "shape."
        )
    start, end = _points("a", start), _points("b", end)
    steps = checked_integer("steps", steps, minimum=2)
    between = slerp if spherical else line
    shape = np.shape(start)
    size = math.prod(shape[1:])
    start = np.reshape(start, [-1, size])
    end = np.reshape(end, [-1, size])
    points = [between(start, end, t) for t in np.linspace(0.0, 1.0, steps)]
    return np.stack(points, axis=1).reshape(len(start), steps, *shape[1:]).astype("float32")


def _points(name: str, values) -> np.ndarray:
    """Returns latents as float64; rejects values that are not finite real numbers."""
    values = checked_array(name, values)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {values.dtype}: expected real numbers.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} contains NaN or infinity: expected finite latents.")
    return values.astype(np.float64)


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """Returns the lengths `[n, 1]` of vectors `[n, d]`, without overflow of the squares."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-300)
    return largest * np.linalg.norm(vectors / largest, axis=1, keepdims=True)


def line(start: np.ndarray, end: np.ndarray, t) -> np.ndarray:
    """Returns the point at fraction `t` of each line, `[n, d]`; `t` is a number or `[n, 1]`."""
    return (1 - t) * start + t * end


def great_circle(start: np.ndarray, end: np.ndarray, t) -> np.ndarray:
    """Returns unit vectors that turn at constant speed from the direction of `start` to `end`.

    Shoemake: "Animating Rotation with Quaternion Curves", SIGGRAPH 1985. For arguments and errors,
    see `slerp`.
    """
    start, end = _points("start", start), _points("end", end)
    start_length, end_length = _lengths(start), _lengths(end)
    start = start / np.maximum(start_length, 1e-300)
    end = end / np.maximum(end_length, 1e-300)
    cosine = np.sum(start * end, axis=1, keepdims=True)
    across = end - cosine * start
    sine = np.linalg.norm(across, axis=1, keepdims=True)
    shortest = np.minimum(start_length, end_length)
    nowhere = (shortest == 0) | ((sine < 1e-9) & (cosine < 0))
    if nowhere.any():
        raise ValueError(
            f"{nowhere.sum()} of {len(start)} pairs of latents are not joined by a unique great "
            "circle, because the latents are opposite or one of them is zero: expected nonzero "
            "latents that are not opposite. Sample latents of at least 2 dimensions from a normal "
            "distribution, or leave out spherical=True."
        )
    angle = t * np.arctan2(sine, cosine)
    # If both vectors point in the same direction, the path does not move.
    return np.cos(angle) * start + np.sin(angle) * across / np.maximum(sine, 1e-300)


def slerp(start: np.ndarray, end: np.ndarray, t) -> np.ndarray:
    """Interpolates directions along a great circle, and lengths linearly; returns `[n, d]`.

    In high dimensions, latents from a normal prior have approximately the same length, but the
    midpoint between two latents is closer to the origin (White: "Sampling Generative Networks",
    2016).

    Args:
        start: Latents `[n, d]`.
        end: Latents `[n, d]`.
        t: Fraction of the distance from `start` to `end`, a number or `[n, 1]`.

    Raises:
        TypeError: If latents are not real numbers.
        ValueError: If two points are opposite each other, or if a point is the origin or is not
            finite.

    Example:
        >>> slerp(np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]]), 0.5).round(6)
        array([[1.414214, 1.414214]])
    """
    start, end = _points("start", start), _points("end", end)
    return great_circle(start, end, t) * line(_lengths(start), _lengths(end), t)


def decoded_path(decode, a, b, steps: int, spherical: bool = False, **conditions):
    """Decodes points on paths between latents; returns `[n, steps, ...]`, or a tuple of outputs.

    Args:
        decode: Method that decodes latents, such as `model.decode` or `model.generate`.
        a: Latents `[n, ...]`.
        b: Latents of the same shape as `a`.
        steps: Number of points, at least 2, including both ends.
        spherical: Whether paths are arcs around the origin (`slerp`) instead of lines.
        **conditions: Additional arguments for `decode`, each with one value per pair of latents or
            a single value for all pairs.

    Raises:
        TypeError: If `steps` is not an integer.
        ValueError: See `path`.
    """
    points = path(a, b, steps, spherical)
    conditions = {
        k: np.repeat(v, steps, axis=0) if np.ndim(v) else v for k, v in conditions.items()
    }
    decoded = decode(points.reshape(-1, *points.shape[2:]), **conditions)
    several = isinstance(decoded, tuple)
    parts = [np.asarray(part) for part in (decoded if several else (decoded,))]
    shaped = tuple(part.reshape(*points.shape[:2], *part.shape[1:]) for part in parts)
    return shaped if several else shaped[0]


@for_users
def interpolate(self, a, b, steps: int = 8, **given):  # noqa: D417
    """Decodes points on the line between the codes of the examples `a` and `b`.

    Args:
        a: Examples `[n, ...]` in the model's input format.
        b: Examples in the same format; there must be as many as in `a`.
        steps: Number of points, at least 2, including both ends.
        **given: Additional arguments for `encode` and `decode`, such as `labels`, each with one
            value per pair of examples or a single value for all pairs.

    Returns:
        Outputs of `decode`, `[n, steps, ...]`. Table rows are returned as strings.

    Raises:
        ValueError: If `a` and `b` contain different numbers of examples, or if `steps` is below 2.
        NotImplementedError: If the codes are integers, which cannot be interpolated.
    """
    if isinstance(self.edges.get("codes"), Levels):
        raise NotImplementedError(
            f"The codes of {type(self).__name__} are integers, which cannot be interpolated: "
            "use a model whose codes are vectors, such as a VAE."
        )
    taken = self.encode.takes(self)
    of_both = {name: value for name, value in given.items() if name in taken}
    start = self.encode(a, **of_both)
    end = self.encode(b, **of_both)
    if isinstance(start, tuple):
        start = start[0]
        end = end[0]

    def decode(points, **given):
        return self.edges["x"].as_array(self.decode(points, **given))

    return decoded_path(decode, start, end, steps, **given)


@for_users
def interpolate_latents(
    self, a, b, steps: int = 8, spherical: bool = False, **conditions
) -> np.ndarray:
    """Generates examples between the latents `a` and `b`; see `keras_gen.latents.decoded_path`.

    Example: `model.interpolate(*np.split(model.draw_latents(8), 2), labels=3)`.
    """
    start, end = (self.edges["latents"].prepare(z).numpy() for z in (a, b))
    return decoded_path(self.generate, start, end, steps, spherical, **conditions)


# Arithmetic -----------------------------------------------------------------------------------


@for_users
@checked_types
def latent_arithmetic(  # noqa: D417
    self, a, b, c, n: Count = 1, spread: NonNegative = 0.25, seed: int = 0, **conditions
) -> np.ndarray:
    """Generates examples from the mean of `a` minus the mean of `b` plus the mean of `c`.

    Radford, Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional
    Generative Adversarial Networks", ICLR 2016, sec. 6.3.2. For example, smiling women minus
    neutral women plus neutral men yield smiling men.

    Args:
        a: Latents `[any number, ...]` whose mean is the starting point.
        b: Latents `[any number, ...]` whose mean is subtracted.
        c: Latents `[any number, ...]` whose mean is added.
        n: Number of examples. Uniform noise is added to the latents of all examples except the
            first.
        spread: Maximum absolute value of the noise.
        seed: Seed for the noise.
        **conditions: Additional arguments for `generate`, each with a single value for all
            examples.

    Raises:
        ValueError: If `n` is below 1, if `spread` is negative, or if there are no latents.

    Example: `model.latent_arithmetic(smiling, women, men, n=9)`.
    """
    prepare = self.edges["latents"].prepare
    latents = {name: prepare(z) for name, z in {"a": a, "b": b, "c": c}.items()}
    for name, z in latents.items():
        refuse_empty(name, z, "latent")
    plus, minus, added = (np.mean(z, axis=0) for z in latents.values())
    random = np.random.default_rng(seed)
    noises = random.uniform(-spread, spread, (n, *plus.shape))
    noises[0] = 0.0
    return self.generate((plus - minus + added + noises).astype("float32"), **conditions)


# Truncation -----------------------------------------------------------------------------------


def truncated_normal(latents, threshold) -> tf.Tensor:
    """Maps standard normal samples to a normal distribution truncated on both sides, as float32.

    Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
    ICLR 2019, sec. 3.1, resample values beyond the threshold. Here, each value is replaced by the
    corresponding quantile of the truncated distribution, so lowering the threshold changes an
    example gradually.

    Args:
        latents: Samples from a standard normal distribution, floats of any shape.
        threshold: Maximum absolute value, nonnegative. If 0, the result is 0.

    Example:
        >>> truncated_normal(np.random.normal(size=[4, 2]), 0.5).shape
        TensorShape([4, 2])
    """
    latents = tf.cast(latents, tf.float32)
    threshold = tf.cast(threshold, tf.float32)
    root = 2.0**0.5  # erf(z / root) is the probability of [-z, z]
    inside = tf.math.erf(latents / root) * tf.math.erf(threshold / root)
    cut = tf.clip_by_value(root * tf.math.erfinv(inside), -threshold, threshold)
    return tf.where(threshold < 6.0, cut, latents)  # float32 samples stay below 6


@for_users
def truncate(self, latents, truncation: float) -> np.ndarray:  # noqa: D417
    """Truncates latents in the same way as `sample`, and returns them as float32 `[n, latents]`.

    Brock et al. (2019), sec. 3.1: latents nearer to 0 yield better but less diverse examples.

    Args:
        latents: Samples from a standard normal distribution, `[n, latents]`.
        truncation: Maximum absolute value of a latent, from 0 to 10. A value of 10 has no effect.

    Raises:
        ValueError: If the latents have a different shape, or if the truncation is out of range.

    Example: `model.generate(model.truncate(model.draw_latents(9, seed=1), 0.5))`.
    """
    latents = self.edges["latents"].prepare(latents)
    truncation = self.edges["truncation"].prepare(truncation)
    return truncated_normal(latents, truncation).numpy()


# Search ---------------------------------------------------------------------------------------


@checked_types
def nearest_latents(
    model,
    images,
    tries: Count = 4,
    steps: PositiveInteger = 200,
    rate: Positive = 0.1,
    seed: int = 0,
    batch_size: PositiveInteger = 256,
) -> np.ndarray:
    """Finds latents whose images are close to given images; returns float32 `[n, latents]`.

    Creswell, Bharath: "Inverting the Generator of a Generative Adversarial Network", 2016. A GAN
    has no encoder, so gradient descent on the latents minimizes the squared distance between the
    generated image and the given image. Each search ends in one of many local minima; the best
    result of several searches is kept.

    Deviation: Adam with a cosine-decayed learning rate replaces the authors' optimizer.

    Args:
        model: Model, such as a `GAN`, whose `generate` or `decode` accepts latents without other
            inputs.
        images: Images in the model's input format, `[n, height, width, channels]`, or a `Source` of
            such images.
        tries: Number of random starting latents per image.
        steps: Number of updates in each search.
        rate: Initial learning rate of Adam.
        seed: Seed for the starting latents.
        batch_size: Number of images whose latents are optimized together, with all tries for each
            image.

    Raises:
        ValueError: If there are no images, if their shape does not match the model, if `tries`,
            `steps`, or `batch_size` is below 1, or if `rate` is not positive.
        TypeError: If the model's images depend on inputs other than latents, such as labels.

    Example:
    ```python
    model = GAN.for_images((28, 28, 1), latent_dim=8, filters=4)
    images = model.sample(2, seed=1)
    latents = nearest_latents(model, images, steps=10)
    reconstructions = model.generate(latents)
    ```
    """
    decode = model.generate if hasattr(model, "generate") else model.decode
    if more := set(decode.takes(model)) - {"latents"}:
        raise TypeError(
            f"The images of {type(model).__name__} also depend on {', '.join(sorted(more))}: "
            "expected a model whose images depend only on the latents."
        )
    targets = model.prepare(*of_source((images,), most=1))
    refuse_empty("images", targets, "image")
    count = len(targets)
    key = noise.stateless_seed(0, seed, "sample")
    # The starts of an image do not depend on the number of images.
    starts = tf.random.stateless_normal([count, tries, *model.edges["latents"].shape], key)
    starts = tf.transpose(starts, [1, 0, *range(2, starts.shape.rank)])
    found = []
    for begin in range(0, count, batch_size):
        part = slice(begin, begin + batch_size)
        found.append(_nearest(model, decode, targets[part], starts[:, part], steps, rate))
    return np.concatenate(found)


def _nearest(model, decode, targets, starts, steps, rate):
    """Returns latents `[n, ...]` of images close to the targets, from starts `[tries, n, ...]`."""
    tries, count, *shape = starts.shape
    targets = tf.tile(targets, [tries, *[1] * (targets.shape.rank - 1)])
    latents = tf.Variable(tf.reshape(starts, [tries * count, *shape]))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))
    optimizer.build([latents])

    def distances():
        apart = tf.square(decode.function(model, latents=latents)["x"] - targets)
        return tf.reduce_sum(apart, axis=list(range(1, apart.shape.rank)))

    @tf.function(autograph=False)
    def update():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(latents)
            total = tf.reduce_sum(distances())  # each try has its own gradient
        optimizer.apply([tape.gradient(total, latents)], [latents])

    for _ in range(steps):
        update()
    best = distances().numpy().reshape(tries, count).argmin(axis=0)
    return latents.numpy().reshape(tries, count, *shape)[best, np.arange(count)]
