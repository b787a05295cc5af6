"""Sampling of causal networks: value by value, with a cache of what earlier pixels computed."""

import math

import tensorflow as tf

from keras_gen.autoregressive.causality import require_causal
from keras_gen.autoregressive.one_pixel import OnePixel


# AutoGraph would spend seconds on rewriting loops that are written as tf.while_loop already.
@tf.autograph.experimental.do_not_convert
def sample_causal(network, draw, noise, conditions=(), cached: bool = True) -> tf.Tensor:
    """Draws images row by row, pixel by pixel, channel by channel, in one loop of the graph.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 2.1,
    sample by one pass over the whole image for each of its N values. Here each layer is computed at
    the current pixel alone, and masked convolutions cache their inputs: the cost is that of C
    passes for C channels. The images depend on weights, conditions and noise alone, up to rounding.

    In a `tf.function` it is part of that graph; outside, each call compiles a new graph. XLA fuses
    the many small operations: `jit_compile=True` makes the loop ten times as fast on a CPU.

    Args:
        network: Functional model from images `[batch, height, width, channels]`, of known size, and
            any conditions to parameters `[batch, height, width, channels * parameters]`, laid out
            `[channel, parameter]`. With the cache, every layer on images must be a
            `MaskedConvolution` (with mask A on the image) or treat every pixel by itself.
        draw: Function of float32 parameters `[batch, parameters]` of one value and its noise
            `[batch, ...]` to values `[batch]`, in the units of the network's input, such as
            `draw_category`.
        noise: Floats `[batch, height, width, channels, ...]`, for instance uniform in [0, 1).
        conditions: Tensors for the further inputs of the network, `[batch, ...]` each.
        cached: False for a whole pass for each value: the slow reference, for any causal network.

    Returns:
        Float32 images `[batch, height, width, channels]`.

    Raises:
        ValueError: If the network's inputs or the noise have another shape, a layer mixes pixels,
            or the network is not causal: it sees the value that it is to predict, or a later one.

    Example:
    ```python
    from keras_gen.networks.pixel_cnn import pixel_cnn
    network = pixel_cnn((8, 8, 1), outputs_per_value=4, filters=8, blocks=1, levels=4)
    images = sample_causal(network, draw_category, tf.random.uniform([16, 8, 8, 1]))
    ```
    """
    if tf.executing_eagerly():
        compiled = tf.function(sample_causal, autograph=False)
        return compiled(network, draw, noise, conditions, cached)
    noise = tf.cast(noise, tf.float32)
    conditions = list(conditions)
    shape = _check(network, noise, conditions)
    inputs = zip(conditions, network.inputs[1:], strict=True)
    conditions = [tf.cast(value, symbol.dtype) for value, symbol in inputs]
    # Values first, so that those of one step lie together.
    noise = tf.transpose(noise, [*range(1, 4), 0, *range(4, noise.shape.rank)])
    noise = tf.reshape(noise, tf.concat([[math.prod(shape)], tf.shape(noise)[3:]], axis=0))
    sample = _sample_cached if cached else _sample_whole
    values = sample(network, draw, noise, conditions, shape)
    return tf.transpose(tf.reshape(values, [*shape, -1]), [3, 0, 1, 2])


def draw_category(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Draws float32 levels `[...]` from softmax(logits) by the inverse cumulative distribution.

    Args:
        logits: Floats `[..., levels]`.
        uniform: Noise in [0, 1), `[...]`.

    Example:
        >>> draw_category(tf.zeros([3, 4]), tf.constant([0.1, 0.3, 0.9])).numpy()
        array([0., 1., 3.], dtype=float32)
    """
    cumulative = tf.cumsum(tf.nn.softmax(tf.cast(logits, tf.float32)), axis=-1)
    # The last sum is 1 up to rounding, and must not count.
    passed = cumulative[..., :-1] <= tf.cast(uniform, tf.float32)[..., None]
    return tf.reduce_sum(tf.cast(passed, tf.float32), axis=-1)


def _check(network, noise, conditions) -> tuple[int, int, int]:
    """Checks the arguments, and returns the shape of an image."""
    shape = tuple(network.inputs[0].shape[1:])
    output = tuple(network.outputs[0].shape)
    if len(shape) != 3 or None in shape or output[1:-1] != shape[:2] or output[-1] % shape[-1]:
        raise ValueError(
            f"{network.name} maps images of shape {shape} to {output[1:]}: expected a known "
            "(height, width, channels), and an output of that size with a multiple of the channels."
        )
    if noise.shape.rank is None or not noise.shape[1:4].is_compatible_with(shape):
        raise ValueError(
            f"noise has the shape {noise.shape}: expected (batch, height, width, channels, ...) "
            f"with {shape} for {network.name}."
        )
    if len(conditions) != len(network.inputs) - 1:
        raise ValueError(
            f"{network.name} takes {len(network.inputs) - 1} conditions and got {len(conditions)}: "
            "pass a tensor for each input after the images."
        )
    return shape


def _sample_whole(network, draw, noise, conditions, shape):
    """The values `[height * width * channels, batch]`, by a whole pass for each of them."""
    require_causal(network)
    count = math.prod(shape)
    batch = tf.shape(noise)[1]

    def step(t, values):
        images = tf.reshape(values, [batch, *shape])
        parameters = network([images, *conditions] if conditions else images, training=False)
        parameters = tf.cast(tf.reshape(parameters, [batch, count, -1])[:, t], tf.float32)
        value = tf.reshape(draw(parameters, noise[t]), [batch, 1])
        return t + 1, tf.where(tf.range(count) == t, value, values)

    state = (0, tf.zeros([batch, count]))
    return tf.transpose(tf.while_loop(lambda t, _: t < count, step, state)[1])


def _sample_cached(network, draw, noise, conditions, shape):
    """The same values, by one pixel of every layer for each of them."""
    count = math.prod(shape)
    channels = shape[-1]
    batch = tf.shape(noise)[1]
    one_pixel = OnePixel(network, conditions)
    require_causal(network)  # after the errors that name a layer

    def step(t, drawn, pixel, caches):
        # The value before may be of the pixel before.
        here = t // channels
        last = tf.maximum(t - 1, 0) // channels
        channel = t % channels
        parameters, caches = one_pixel(pixel, last, here, caches)
        parameters = tf.cast(tf.reshape(parameters, [batch, channels, -1]), tf.float32)
        value = tf.reshape(draw(parameters[:, channel], noise[t]), [batch])
        pixel = tf.where(tf.range(channels) == channel, value[:, None], pixel)
        return t + 1, drawn.write(t, value), pixel, caches

    drawn = tf.TensorArray(tf.float32, count, element_shape=[None])
    state = (0, drawn, tf.zeros([batch, channels]), one_pixel.empty_caches(batch))
    return tf.while_loop(lambda t, *_: t < count, step, state)[1].stack()
