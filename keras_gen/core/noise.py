"""Stateless random numbers: functions of (seed, step, use), for any number of replicas."""

import contextlib
import zlib

import keras
import tensorflow as tf

from keras_gen.core.distribution import replica_slice


def stateless_seed(seed: int, step, use: str) -> tf.Tensor:
    """Returns the seed, int64 `[2]`, for one use of random numbers in one step.

    The first word encodes the run's seed and the use, and the second word encodes the step, so two
    uses or two steps never share a stream.

    Args:
        seed: Seed of the run, a Python int.
        step: Training step, an int or a scalar integer tensor.
        use: Name of the use, such as `"latents"`.
    """
    first = (int(seed) + zlib.crc32(use.encode()) * 1_000_003) % (2**62)
    return tf.stack([tf.constant(first, tf.int64), tf.cast(step, tf.int64)])


def for_replica(draw, shape, seed: tf.Tensor, **options) -> tf.Tensor:
    """Samples noise for the whole global batch, and returns this replica's part.

    N replicas therefore use the same noise as one device.

    Args:
        draw: Stateless TensorFlow function that accepts a shape and a seed.
        shape: Shape `[batch, ...]` for this replica, as ints, scalar tensors, or one integer
            tensor.
        seed: Seed, int64 `[2]`, from `stateless_seed`; or one seed per example, int64 `[batch, 2]`,
            from `example_seeds`.
        **options: Additional arguments for `draw`.
    """
    shape = tf.unstack(shape) if tf.is_tensor(shape) else list(shape)
    batch, *example = shape
    if tf.convert_to_tensor(seed).shape.rank == 2:
        return _each(draw, example, seed, **options)
    start, total = replica_slice(batch)
    return draw([total, *example], seed, **options)[start : start + batch]


def _each(draw, shape, seeds, **options) -> tf.Tensor:
    """Samples noise of the given shape separately for each of the seeds `[n, 2]`."""
    dtype = options.get("dtype", tf.float32)
    return tf.map_fn(lambda seed: draw(shape, seed, **options), seeds, fn_output_signature=dtype)


def example_seeds(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Returns one seed per example, int64 `[batch, 2]`; equal examples have equal seeds.

    The noise of an example is therefore independent of the rest of its batch, and examples that
    differ in the value or the position of one number have different noise.

    Args:
        x: Numbers `[batch, ...]`, compared in float32 after rounding to 16 significant bits.
        seed: Seed, int64 `[2]`, from `stateless_seed`.
    """
    batch = tf.shape(x)[0]
    size = tf.reduce_prod(tf.shape(x)[1:])
    values = tf.reshape(tf.cast(x, tf.float32), [batch, size])
    values = tf.where(values == 0, 0.0, values)  # -0.0 equals 0.0 but has different bits
    bits = tf.cast(tf.bitcast(values, tf.int32), tf.int64)
    # The last bits are dropped, because they depend on whether the CPU used vector instructions.
    bits = tf.bitwise.bitwise_and(bits + 128, -256)
    positions = tf.range(tf.cast(size, tf.int64)) * 2**32
    # Each pair of a position and a value is mapped to a random number, so that sums do not collide.
    codes = tf.reduce_sum(_mixed(bits + positions), axis=1)
    return tf.stack([tf.repeat(seed[0], batch), seed[1] + codes], axis=1)


def _mixed(words: tf.Tensor) -> tf.Tensor:
    """Maps int64 words one-to-one to random words with the output function of SplitMix64.

    Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, with the
    constants from Stafford's variant 13.
    """
    words = _shifted_onto_itself(words, 30) * (0xBF58476D1CE4E5B9 - 2**64)
    words = _shifted_onto_itself(words, 27) * (0x94D049BB133111EB - 2**64)
    return _shifted_onto_itself(words, 31)


def _shifted_onto_itself(words: tf.Tensor, places: int) -> tf.Tensor:
    """Returns the XOR of int64 words and the same words shifted right."""
    shifted = tf.bitwise.right_shift(words, tf.constant(places, tf.int64))
    without_signs = tf.bitwise.bitwise_and(shifted, 2 ** (64 - places) - 1)
    return tf.bitwise.bitwise_xor(words, without_signs)


def folded(seed: tf.Tensor, number) -> tf.Tensor:
    """Returns a different seed for each number.

    Args:
        seed: Seed, int64 `[2]`, or `[batch, 2]` for examples.
        number: Nonnegative integer. If there is one seed per example, integers `[batch]` are also
            allowed.
    """
    if seed.shape.rank == 1:
        return tf.random.experimental.stateless_fold_in(seed, number)
    # The seed is advanced to a state of SplitMix64. The result for number 0 differs from the seed
    # itself.
    step = (tf.cast(number, tf.int64) + 1) * (0x9E3779B97F4A7C15 - 2**64)
    return tf.stack([_mixed(seed[:, 0] + step), seed[:, 1]], axis=1)


def normal(shape, seed: tf.Tensor, dtype="float32") -> tf.Tensor:
    """Returns standard normal noise of shape `shape`; the first axis is this replica's batch.

    Args:
        shape: Shape `[batch, ...]`, as ints, scalar tensors, or one integer tensor such as
            `tf.shape(x)`.
        seed: Seed, int64 `[2]`, from `stateless_seed`.
        dtype: Floating dtype of the result.
    """
    return for_replica(tf.random.stateless_normal, shape, seed, dtype=dtype)


def uniform(shape, seed: tf.Tensor, dtype="float32") -> tf.Tensor:
    """Returns uniform noise in [0, 1). For the arguments, see `normal`."""
    return for_replica(tf.random.stateless_uniform, shape, seed, dtype=dtype)


def random_labels(n, key, classes: int) -> tf.Tensor:
    """Samples int32 labels `[n]`, independent of latents that are sampled with the same `key`."""
    other = tf.random.experimental.stateless_fold_in(key, 1)
    return tf.random.stateless_uniform([n], other, 0, classes, tf.int32)


def gumbel(shape, seed: tf.Tensor, dtype="float32") -> tf.Tensor:
    """Returns standard Gumbel noise, -log(-log(u)), sampled in float32.

    For the arguments, see `normal`. The argmax of logits plus this noise is a sample from their
    softmax (Jang, Gu, Poole: "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017, eq.
    (1)).
    """
    # The minimum is above 0, because the noise would be infinite at u = 0.
    u = for_replica(tf.random.stateless_uniform, shape, seed, minval=1e-37, maxval=1.0)
    return tf.cast(-tf.math.log(-tf.math.log(u)), dtype)


def random_seeds(n, key) -> tf.Tensor:
    """Samples int32 seeds `[n]`, which samplers with noise at each step pass to `seeded`."""
    return tf.random.stateless_uniform([n], key, 0, 2**31 - 1, tf.int32)


def seeded(draw, seeds, shape, step=0) -> tf.Tensor:
    """Returns noise `[n, *shape]`, one sample per seed; equal seeds yield equal noise in any batch.

    Args:
        draw: Function that samples noise: `tf.random.stateless_normal` or
            `tf.random.stateless_uniform`.
        seeds: Seeds, int32 `[n]`.
        shape: Shape of the noise per seed: ints or scalar tensors.
        step: Step of a sampler, int32; each step has different noise.
    """
    pairs = tf.stack([tf.fill(tf.shape(seeds), step), seeds], axis=1)
    return _each(draw, shape, pairs)


def several(draw, shape, samples: int | None, seed: tf.Tensor) -> tf.Tensor:
    """Returns noise for several samples per example: `[samples, *shape]`.

    Args:
        draw: Function that samples noise: `normal`, `uniform`, or `gumbel`.
        shape: List of ints or scalar tensors, `[batch, ...]`.
        samples: Number of samples. If None, the result has shape `shape`.
        seed: Seed, int64 `[2]`, from `stateless_seed`.
    """
    if samples is None:
        return draw(shape, seed)
    # The noise is sampled with the batch axis first, because each replica uses its slice of the
    # batch.
    batch, *rest = shape
    return keras.ops.moveaxis(draw([batch, samples, *rest], seed), 1, 0)


def categorical(logits: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Samples int32 classes `[batch, ...]` from softmax(logits) with `gumbel` noise.

    Args:
        logits: Logits, floats `[batch, ..., classes]`, for this replica's batch.
        seed: Seed, int64 `[2]`, from `stateless_seed`.
    """
    noisy = tf.cast(logits, tf.float32) + gumbel(keras.ops.shape(logits), seed)
    return tf.argmax(noisy, axis=-1, output_type=tf.int32)


_inference_seeds: list = []


@contextlib.contextmanager
def inference_seed(seed):
    """Sets the seed for layers that are random at inference, such as `Dropout(always=True)`.

    Args:
        seed: Seed, an int or a scalar integer tensor. Outside an `inference_seed` block, the seed
            is 0.

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
    """Returns the seed of the innermost `inference_seed` block, or 0."""
    return _inference_seeds[-1] if _inference_seeds else 0
