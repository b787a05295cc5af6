"""Samples from causal networks value by value, with cached intermediate results."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from keras_gen.autoregressive.cached_network import Walker
from keras_gen.autoregressive.causality import require_causal


# Without this decorator, AutoGraph would spend seconds rewriting loops that already use
# tf.while_loop.
@tf.autograph.experimental.do_not_convert
def sample_causal(
    network: keras.Model,
    draw: Callable,
    noise: tf.Tensor,
    conditions: Sequence[tf.Tensor] = (),
    cached: bool = True,
) -> tf.Tensor:
    """Samples images, sequences, or vectors value by value from a causal network.

    Images are sampled row by row, pixel by pixel, and channel by channel; sequences are sampled in
    temporal order. Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML
    2016, sec. 2.1, sample with one pass over the whole image for each of its N values. Here, each
    layer is computed only at the current position, and causal layers cache the earlier results that
    they need. Sampling images with C channels therefore costs as much as C passes. For vectors,
    each value requires a whole pass. Up to rounding, the samples depend only on the weights,
    conditions, and noise.

    Inside a `tf.function`, sampling is part of the function's graph; otherwise, each call compiles
    a new graph. XLA fuses the many small operations, so `jit_compile=True` makes the loop faster on
    a CPU.

    Args:
        network: Functional model that maps values (images `[batch, height, width, channels]` of
            known size, sequences `[batch, time, channels]`, or vectors `[batch, channels]`), and
            any conditions, to parameters `[batch, ..., channels * parameters]`, in the order
            `[channel, parameter]`. With the cache, every layer that processes values must either be
            a `CausalLayer` or process every position independently, and the first layer must not
            see its own position.
        draw: Function that maps float32 parameters `[batch, parameters]` of one value and its noise
            `[batch, ...]` to values `[batch]`, in the units of the network's input.
        noise: Floats `[batch, height, width, channels, ...]`, `[batch, time, channels, ...]`, or
            `[batch, channels, ...]`, for instance uniform in [0, 1).
        conditions: Tensors for the network's additional inputs, each `[batch, ...]`.
        cached: Whether to cache earlier results. If False, each value requires a whole pass, which
            is slow but works for any causal network.

    Returns:
        Float32 values, with the same shape as the network's input.

    Raises:
        ValueError: If the network's inputs or the noise have the wrong shape, if a layer mixes
            positions, or if the network is not causal (if it sees the value that it must predict,
            or a later value).

    Example:
    ```python
    from keras_gen.networks.autoregressive.pixel_networks import pixel_cnn
    network = pixel_cnn((8, 8, 1), outputs_per_value=1, filters=8, blocks=1, levels=2)

    def draw(logits, uniform):
        return tf.cast(uniform < tf.sigmoid(logits[:, 0]), tf.float32)

    images = sample_causal(network, draw, tf.random.uniform([16, 8, 8, 1]))
    ```
    """
    if tf.executing_eagerly():
        compiled = tf.function(sample_causal, autograph=False)
        return compiled(network, draw, noise, conditions, cached)
    noise = tf.cast(noise, tf.float32)
    conditions = list(conditions)
    _check(network, noise, conditions)
    inputs = zip(conditions, network.inputs[1:], strict=True)
    conditions = [tf.cast(value, symbol.dtype) for value, symbol in inputs]
    places = len(network.inputs[0].shape) > 2
    sample = _sample_cached if cached and places else _sample_whole
    return sample(network, draw, noise, conditions)


def _check(network, noise, conditions) -> None:
    """Raises a ValueError if the network, the noise, and the conditions do not match."""
    shape = tuple(network.inputs[0].shape[1:])
    output = tuple(network.outputs[0].shape[1:])
    images = len(shape) == 3
    fits = len(shape) in (1, 2, 3) and output[:-1] == shape[:-1] and shape[-1]
    if not fits or output[-1] % shape[-1] or (images and None in shape):
        raise ValueError(
            f"{network.name} maps values of shape {shape} to {output}: expected an input of "
            "known shape (height, width, channels), (time, channels), or (channels,), and an "
            "output of the same size, whose number of channels is a multiple of the input's "
            "channels."
        )
    if noise.shape.rank is None or not noise.shape[1 : len(shape) + 1].is_compatible_with(shape):
        axes = {1: "", 2: "time, ", 3: "height, width, "}[len(shape)]
        raise ValueError(
            f"noise has shape {noise.shape}: expected (batch, {axes}channels, ...), with "
            f"({axes}channels) equal to {shape} for {network.name}."
        )
    if len(conditions) != len(network.inputs) - 1:
        raise ValueError(
            f"{network.name} accepts {len(network.inputs) - 1} conditions, but got "
            f"{len(conditions)}: pass one tensor per input after the values."
        )


def _sample_whole(network, draw, noise, conditions):
    """Samples values, each with a pass through the whole network."""
    require_causal(network)
    rank = len(network.inputs[0].shape)
    per_value = network.outputs[0].shape[-1] // network.inputs[0].shape[-1]
    shape = tf.shape(noise)[:rank]
    batch = shape[0]
    count = tf.reduce_prod(shape[1:])
    noise = tf.reshape(noise, tf.concat([[batch, count], tf.shape(noise)[rank:]], axis=0))

    def step(t, values):
        inputs = tf.ensure_shape(tf.reshape(values, shape), network.inputs[0].shape)
        parameters = network([inputs, *conditions] if conditions else inputs, training=False)
        parameters = tf.reshape(parameters, [batch, count, per_value])[:, t]
        parameters = tf.cast(parameters, tf.float32)
        value = tf.reshape(draw(parameters, noise[:, t]), [batch, 1])
        return t + 1, tf.where(tf.range(count) == t, value, values)

    state = (0, tf.zeros([batch, count]))
    values = tf.while_loop(lambda t, _: t < count, step, state)[1]
    return tf.ensure_shape(tf.reshape(values, shape), [None, *network.inputs[0].shape[1:]])


def _sample_cached(network, draw, noise, conditions):
    """Samples the same values as `_sample_whole`, one position of every layer at a time."""
    *size, channels = network.inputs[0].shape[1:]
    per_value = network.outputs[0].shape[-1] // channels
    images = len(size) == 2
    if not images:
        noise = noise[:, None]
    batch, height, width = tf.unstack(tf.shape(noise)[:3])
    # The values of a position are adjacent: [height, width, channels, batch, ...].
    noise = tf.transpose(noise, [1, 2, 3, 0, *range(4, noise.shape.rank)])
    walker = Walker(network, conditions)
    require_causal(network)  # called after the checks whose errors name a layer

    def draw_place(column, caches, places, maps, noise_of_row):
        values = tf.zeros([batch, channels])
        for channel in range(channels):
            parameters, after = walker.predict(values, caches, maps, column)
            parameters = tf.reshape(parameters, [batch, channels, per_value])
            parameters = tf.cast(parameters, tf.float32)
            value = draw(parameters[:, channel], noise_of_row[column, channel])
            here = tf.one_hot(channel, channels, on_value=True, off_value=False, dtype=tf.bool)
            values = tf.where(here, tf.reshape(value, [batch, 1]), values)
        caches = walker.after_place(values, after, maps, column)
        return column + 1, caches, places.write(column, values)

    def draw_row(row, caches, line):
        maps, caches = walker.start_row(line, caches, row)
        noise_of_row = noise[row]
        places = tf.TensorArray(tf.float32, width, element_shape=[None, channels])
        _, caches, places = tf.while_loop(
            lambda column, *_: column < width,
            lambda column, *state: draw_place(column, *state, maps, noise_of_row),
            (0, caches, places),
        )
        line = tf.transpose(places.stack(), [1, 0, 2])
        return line, caches, maps

    caches = walker.empty_caches(batch, width)
    line = tf.zeros([batch, width, channels])
    if not images:
        line, _, _ = draw_row(0, caches, line)
        return tf.ensure_shape(line, [None, *size, channels])

    def step(row, caches, line, rows):
        line, caches, maps = draw_row(row, caches, line)
        line = tf.ensure_shape(line, [None, size[1], channels])
        return row + 1, walker.end_row(line, caches, maps), line, rows.write(row, line)

    rows = tf.TensorArray(tf.float32, height, element_shape=[None, size[1], channels])
    line = tf.ensure_shape(line, [None, size[1], channels])
    state = (0, caches, line, rows)
    rows = tf.while_loop(lambda row, *_: row < height, step, state)[-1]
    images = tf.transpose(rows.stack(), [1, 0, 2, 3])
    return tf.ensure_shape(images, [None, *size, channels])
