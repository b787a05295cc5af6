"""Stateless randomness: a function of (seed, step, use), the same for any number of replicas."""

import contextlib
import zlib

import keras
import tensorflow as tf

from keras_gen.core.distribution.replicas import replica_slice


def stateless_seed(seed: int, step, use: str) -> tf.Tensor:
    """Returns the int64 `[2]` seed of one use of randomness in one step.

    The first word holds the run's seed and the use, the second the step, so that two uses, or two
    steps, never share a stream.

    Args:
        seed: The run's seed, a Python int.
        step: Scalar integer tensor or int, the training step.
        use: Name of the use, such as `"latents"`.
    """
    first = (int(seed) + zlib.crc32(use.encode()) * 1_000_003) % (2**62)
    return tf.stack([tf.constant(first, tf.int64), tf.cast(step, tf.int64)])


def for_replica(draw, shape, seed: tf.Tensor, **options) -> tf.Tensor:
    """Draws noise for the whole global batch and returns this replica's part.

    So N replicas use the noise of one device.

    Args:
        draw: Stateless function of TensorFlow, of a shape and a seed.
        shape: `[batch, ...]` of this replica: ints or scalar tensors, or a tensor of them.
        seed: Int64 `[2]`, from `stateless_seed`; or `[batch, 2]`, from `example_seeds`.
        **options: Further arguments of `draw`.
    """
    shape = tf.unstack(shape) if tf.is_tensor(shape) else list(shape)
    batch, *example = shape
    if tf.convert_to_tensor(seed).shape.rank == 2:
        return _each(draw, example, seed, **options)
    start, total = replica_slice(batch)
    return draw([total, *example], seed, **options)[start : start + batch]


def _each(draw, shape, seeds, **options) -> tf.Tensor:
    """Draws noise of a shape for each of the seeds, `[n, 2]`, alone."""
    dtype = options.get("dtype", tf.float32)
    return tf.map_fn(lambda seed: draw(shape, seed, **options), seeds, fn_output_signature=dtype)


def example_seeds(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Returns a seed for each example, int64 `[batch, 2]`: equal examples have equal seeds.

    An example therefore has the same noise whatever else is in its batch, and examples that differ
    in the value or the position of one number have other noise.

    Args:
        x: Numbers `[batch, ...]`, compared in float32, rounded to 16 significant bits.
        seed: Int64 `[2]`, from `stateless_seed`.
    """
    batch = tf.shape(x)[0]
    size = tf.reduce_prod(tf.shape(x)[1:])
    values = tf.reshape(tf.cast(x, tf.float32), [batch, size])
    values = tf.where(values == 0, 0.0, values)  # -0.0 equals 0.0 and has other bits
    bits = tf.cast(tf.bitcast(values, tf.int32), tf.int64)
    # The last bits depend on how the batch was computed: in vectors of values, or one by one.
    bits = tf.bitwise.bitwise_and(bits + 128, -256)
    positions = tf.range(tf.cast(size, tf.int64)) * 2**32
    # Each pair of a position and a value becomes a random number; their sums do not collide.
    codes = tf.reduce_sum(_mixed(bits + positions), axis=1)
    return tf.stack([tf.repeat(seed[0], batch), seed[1] + codes], axis=1)


def _mixed(words: tf.Tensor) -> tf.Tensor:
    """Int64 words as random ones, one to one: the output function of SplitMix64.

    Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, with the
    constants of Stafford's variant 13.
    """
    words = _shifted_onto_itself(words, 30) * (0xBF58476D1CE4E5B9 - 2**64)
    words = _shifted_onto_itself(words, 27) * (0x94D049BB133111EB - 2**64)
    return _shifted_onto_itself(words, 31)


def _shifted_onto_itself(words: tf.Tensor, places: int) -> tf.Tensor:
    """Int64 words XOR the same words shifted right."""
    shifted = tf.bitwise.right_shift(words, tf.constant(places, tf.int64))
    without_signs = tf.bitwise.bitwise_and(shifted, 2 ** (64 - places) - 1)
    return tf.bitwise.bitwise_xor(words, without_signs)


def folded(seed: tf.Tensor, number) -> tf.Tensor:
    """Returns another seed for each number.

    Args:
        seed: Int64 `[2]`, or `[batch, 2]` of examples.
        number: Integer from 0 on; with seeds of examples also `[batch]`.
    """
    if seed.shape.rank == 1:
        return tf.random.experimental.stateless_fold_in(seed, number)
    # The states of SplitMix64, of which 0 is not the seed itself.
    step = (tf.cast(number, tf.int64) + 1) * (0x9E3779B97F4A7C15 - 2**64)
    return tf.stack([_mixed(seed[:, 0] + step), seed[:, 1]], axis=1)


def normal(shape, seed: tf.Tensor, dtype="float32") -> tf.Tensor:
    """Standard normal noise of `shape`, whose first axis is this replica's batch.

    Args:
        shape: `[batch, ...]`: ints or scalar tensors, or a tensor of them such as `tf.shape(x)`.
        seed: Int64 `[2]`, from `stateless_seed`.
        dtype: Floating dtype of the result.
    """
    return for_replica(tf.random.stateless_normal, shape, seed, dtype=dtype)


def uniform(shape, seed: tf.Tensor, dtype="float32") -> tf.Tensor:
    """Uniform noise in [0, 1); arguments as of `normal`."""
    return for_replica(tf.random.stateless_uniform, shape, seed, dtype=dtype)


def random_labels(n, key, classes: int) -> tf.Tensor:
    """Draws int32 labels `[n]`, for samples whose latents are drawn from `key` itself."""
    other = tf.random.experimental.stateless_fold_in(key, 1)
    return tf.random.stateless_uniform([n], other, 0, classes, tf.int32)


def gumbel(shape, seed: tf.Tensor, dtype="float32") -> tf.Tensor:
    """Standard Gumbel noise, -log(-log(u)), drawn in float32; arguments as of `normal`.

    The argmax of logits plus this noise is a draw from their softmax (Jang, Gu, Poole: "Categorical
    Reparameterization with Gumbel-Softmax", ICLR 2017, eq. 1).
    """
    # At u = 0 the noise would be infinite.
    u = for_replica(tf.random.stateless_uniform, shape, seed, minval=1e-37, maxval=1.0)
    return tf.cast(-tf.math.log(-tf.math.log(u)), dtype)


def random_seeds(n, key) -> tf.Tensor:
    """Draws int32 seeds `[n]` for `seeded`: for samplers that draw noise at each of their steps."""
    return tf.random.stateless_uniform([n], key, 0, 2**31 - 1, tf.int32)


def seeded(draw, seeds, shape, step=0) -> tf.Tensor:
    """Noise `[n, *shape]` of as many seeds: equal ones draw equal noise, whatever is beside them.

    Args:
        draw: `tf.random.stateless_normal` or `tf.random.stateless_uniform`.
        seeds: Int32 `[n]`.
        shape: Of the noise of one seed: ints or scalar tensors.
        step: Of a sampler: int32, each has other noise.
    """
    pairs = tf.stack([tf.fill(tf.shape(seeds), step), seeds], axis=1)
    return _each(draw, shape, pairs)


def several(draw, shape, samples: int | None, seed: tf.Tensor) -> tf.Tensor:
    """Noise for several draws of each example: `[samples, *shape]`.

    Args:
        draw: `normal`, `uniform` or `gumbel`.
        shape: List of ints or scalar tensors, `[batch, ...]`.
        samples: Number of draws; None: `shape` alone.
        seed: Int64 `[2]`, from `stateless_seed`.
    """
    if samples is None:
        return draw(shape, seed)
    # Drawn with the batch first, for each replica takes its slice of the batch.
    batch, *rest = shape
    return keras.ops.moveaxis(draw([batch, samples, *rest], seed), 1, 0)


def categorical(logits: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws int32 classes `[batch, ...]` from softmax(logits) by `gumbel` noise.

    Args:
        logits: Floats `[batch, ..., classes]`, of this replica's batch.
        seed: Int64 `[2]`, from `stateless_seed`.
    """
    noisy = tf.cast(logits, tf.float32) + gumbel(keras.ops.shape(logits), seed)
    return tf.argmax(noisy, axis=-1, output_type=tf.int32)


_inference_seeds: list = []


@contextlib.contextmanager
def inference_seed(seed):
    """Sets the seed of layers that draw at inference, such as `Dropout(always=True)`; by default 0.

    Args:
        seed: Int or scalar integer tensor.

    Example:
    ```python
    with inference_seed(1):
        images = generator(labels, training=False)
    ```
    """
    _inference_seeds.append(seed)
    try:
        yield
    finally:
        _inference_seeds.pop()


def given_inference_seed():
    """Returns the innermost seed of `inference_seed`, or 0."""
    return _inference_seeds[-1] if _inference_seeds else 0
